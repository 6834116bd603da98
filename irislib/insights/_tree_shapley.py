"""Shapley values of trees, exact however many features there are; of large forests, from samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled import pipeline_steps
from irislib._compiled.fast_form import NoFasterFormError
from irislib._compiled.tree_tables import TreeTable, read_trees
from irislib._compiled.tree_walk import Mean
from irislib.insights._columns import columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib.insights._time_budget import TimeBudget

__all__ = ["has_large_forest", "sampled_tree_shapley", "tree_shapley"]

MAX_NODES = 300_000  # of all trees: above it they take too long
SAMPLE_TREES, SAMPLE_ROWS = 50, 20  # of each sample: some 10 ms
MIN_SAMPLES = 5  # from which errors are estimated, however slow they are
GROUP_NODES = 20_000  # nodes of the trees that are walked at the same time
WORD = 64  # bits
TOLERANCE = 1e-7  # relative to the predictions: how far the sum of the values may be off


def tree_shapley(
    estimator: Any, output: int, row: pd.DataFrame, background: pd.DataFrame, predictions: np.ndarray
) -> np.ndarray | None:
    """Compute the Shapley values of one prediction; a feature that is left out has the values of background rows.

    Parameters
    ----------
    estimator : fitted estimator
        A tree, a forest, or boosted trees whose prediction is the sum of their leaves; or a Pipeline that ends with
        one, if what is before it makes each column of one feature only.
    output : int
        The position of the class whose probability is explained; 0 for a regression.
    row : DataFrame of shape (1, n_features)
    background : DataFrame of shape (n_background, n_features)
    predictions : ndarray of shape (1 + n_background,)
        The estimator's predictions for these rows.

    Returns
    -------
    ndarray of shape (n_features,), or None
        None for any other estimator, or if the values would not add up.

    Notes
    -----
    A leaf of a tree is reached by a mixture of two rows, if each feature on the way to it has a value that goes that
    way. With ``p`` features whose value does so in the first row only, and ``q`` in the second only, each of the
    first adds ``(p-1)! q! / (p+q)!`` of the leaf's value, each of the others takes away ``p! (q-1)! / (p+q)!`` of it.
    Source: S. M. Lundberg et al. (2020), From local explanations to global understanding with explainable AI for
    trees, Nature Machine Intelligence 2, 56-67, doi:10.1038/s42256-019-0138-9 (interventional TreeSHAP).
    """
    import numpy as np

    if has_large_forest(estimator) or (inputs := _inputs(estimator, row, background, are_large=False)) is None:
        return None
    tables, share, values, owners = inputs
    shapley_values = np.zeros(row.shape[1])
    for group in _groups(tables):
        shapley_values += _walk(group, output, values, owners, row.shape[1])
    shapley_values *= share / len(background)
    error = abs(shapley_values.sum() - (predictions[0] - predictions[1:].mean()))
    return shapley_values if error <= TOLERANCE * max(1.0, float(np.abs(predictions).max())) else None


def has_large_forest(estimator: Any) -> bool:
    """Return True if an estimator is, or ends with, a forest that is too large for `tree_shapley`."""
    from sklearn import ensemble

    forests = (
        *(ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
        *(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
    )
    _, last = pipeline_steps(estimator)
    return type(last) in forests and sum(member.tree_.node_count for member in last.estimators_) > MAX_NODES


def sampled_tree_shapley(
    estimator: Any,
    output: int,
    row: pd.DataFrame,
    background: pd.DataFrame,
    predictions: np.ndarray,
    budget: TimeBudget,
    seed: int,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Estimate the Shapley values of one prediction of trees that are too large for `tree_shapley`.

    Each sample has the exact values of some trees, with some background rows.

    Parameters
    ----------
    estimator, output, row, background, predictions
        As `tree_shapley` takes them.
    budget : TimeBudget
    seed : int

    Returns
    -------
    values, standard errors : ndarray of shape (n_features,)
        None instead of both for an estimator of another kind, or with smaller trees.
    """
    import numpy as np

    if (inputs := _inputs(estimator, row, background, are_large=True)) is None:
        return None
    tables, share, values, owners = inputs
    rng = np.random.default_rng(seed)
    samples: list[np.ndarray] = []
    while len(samples) < MIN_SAMPLES or budget.seconds_left > 0:
        trees = rng.choice(len(tables), min(SAMPLE_TREES, len(tables)), replace=False)
        rows = 1 + rng.choice(len(background), min(SAMPLE_ROWS, len(background)), replace=False)
        walked = _walk([tables[i] for i in trees], output, values[[0, *rows]], owners, row.shape[1])
        samples.append(walked * share * len(tables) / (len(trees) * len(rows)))
    variance = np.var(samples, axis=0, ddof=1) / len(samples)
    shapley_values = np.mean(samples, axis=0)
    # they add up to what separates the row from the background rows; the rest goes where chance is largest
    rest = predictions[0] - predictions[1:].mean() - shapley_values.sum()
    parts = variance / variance.sum() if variance.any() else 1 / len(variance)
    return shapley_values + rest * parts, np.sqrt(variance)


def _inputs(
    estimator: Any, row: pd.DataFrame, background: pd.DataFrame, are_large: bool
) -> tuple[list[TreeTable], float, np.ndarray, np.ndarray] | None:
    """Return the trees, the weight of each, the rows as they take them, and the feature that each column is made of.

    None instead of them for another estimator, or if its trees are smaller or larger than they are meant to be.
    """
    import numpy as np

    try:
        tables, precision, share = _summed(estimator)
    except NoFasterFormError:
        return None
    has_large = sum(len(table.feature) for table in tables) > MAX_NODES
    if has_large != are_large or (transformed := columns(estimator, row, background)) is None:
        return None
    values, owners = transformed
    return tables, share, values.astype(np.float32) if precision == "f" else values, owners


def _summed(estimator: Any) -> tuple[list[TreeTable], str, float]:
    """Return the trees whose leaves add up to a prediction, the precision of their inputs, and the weight of each tree.

    Raises
    ------
    NoFasterFormError
    """
    import numpy as np

    _, last = pipeline_steps(estimator)
    try:
        trees, tables = read_trees(last)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise NoFasterFormError("this scikit-learn keeps its trees in another way.") from error
    if isinstance(trees.ending, Mean):
        return tables, trees.precision, 1 / trees.ending.count
    inverse, numbers = trees.ending.inverse, np.array([-1.5, 0.0, 2.5])
    if trees.ending.classes is not None or not (inverse is None or np.array_equal(inverse(numbers), numbers)):
        raise NoFasterFormError("its prediction is no sum of leaves.")
    return tables, trees.precision, 1.0


def _groups(tables: Sequence[TreeTable]) -> Iterator[list[TreeTable]]:
    group: list[TreeTable] = []
    nodes = 0
    for table in tables:
        group.append(table)
        nodes += len(table.feature)
        if nodes > GROUP_NODES:
            yield group
            group, nodes = [], 0
    if group:
        yield group


def _walk(tables: Sequence[TreeTable], output: int, values: np.ndarray, owners: np.ndarray, n: int) -> np.ndarray:
    """Return what each feature adds to the sum of these trees' leaves, added up over the background rows.

    All trees and background rows are walked together, level by level: if the two rows go to different children,
    both paths are followed, and a path ends where neither row can be followed any more.
    """
    import numpy as np

    starts = np.cumsum([0, *(len(table.feature) for table in tables)])
    feature = np.concatenate([table.feature for table in tables])
    left_child, right_child = (
        np.concatenate([getattr(table, side) + start for table, start in zip(tables, starts, strict=False)])
        for side in ("left_child", "right_child")
    )
    leaf_value = np.concatenate([table.value[:, output if table.value.shape[1] > 1 else 0] for table in tables])
    threshold = np.concatenate([table.threshold for table in tables])
    missing_go_left = np.concatenate([table.missing_go_left for table in tables])
    m = len(values) - 1

    def goes_left(node: np.ndarray, position: np.ndarray | int) -> np.ndarray:
        value = values[position, feature[node]]
        result: np.ndarray = np.where(np.isnan(value), missing_go_left[node], value <= threshold[node])
        return result

    # the features of the path that only the row's value lets pass, and those that only the background's; a bit each
    n_words = -(-n // WORD)
    node, position = np.repeat(starts[:-1], m), np.tile(np.arange(1, m + 1), len(tables))
    passes = np.zeros((2, n_words, len(node)), np.uint64)
    shapley_values = np.zeros(n)
    while len(node):
        is_leaf = feature[node] < 0
        if is_leaf.any():
            shapley_values += _shares(leaf_value[node[is_leaf]], passes[:, :, is_leaf], n)
            node, position, passes = node[~is_leaf], position[~is_leaf], passes[:, :, ~is_leaf]
        row_goes_left, background_goes_left = goes_left(node, 0), goes_left(node, position)
        owner = owners[feature[node]]
        mask = np.uint64(1) << (owner % WORD).astype(np.uint64)
        index = (owner // WORD, np.arange(len(node)))
        children = []
        for child, row_follows, background_follows in (
            (left_child, row_goes_left, background_goes_left),
            (right_child, ~row_goes_left, ~background_goes_left),
        ):
            child_passes = passes.copy()
            child_passes[0][index] |= np.where(row_follows & ~background_follows, mask, np.uint64(0))
            child_passes[1][index] |= np.where(background_follows & ~row_follows, mask, np.uint64(0))
            # a feature that one row alone has let pass needs that row's value at this node as well
            is_unreachable = (child_passes[0][index] & child_passes[1][index]) != 0
            is_unreachable |= ~row_follows & ~background_follows
            children.append(
                (child[node[~is_unreachable]], position[~is_unreachable], child_passes[:, :, ~is_unreachable])
            )
        node, position = (np.concatenate([children[0][i], children[1][i]]) for i in (0, 1))
        passes = np.concatenate([children[0][2], children[1][2]], axis=2)
    return shapley_values


def _shares(leaf_values: np.ndarray, passes: np.ndarray, n: int) -> np.ndarray:
    """Return what each feature adds to leaves of these values.

    Parameters
    ----------
    leaf_values : ndarray of shape (n_leaves,)
    passes : ndarray of shape (2, n_words, n_leaves)
    """
    import numpy as np

    # a row for each feature, of those that only the row's value lets pass, and of the others
    bits = np.arange(n)
    from_row, from_background = (
        (passes[side][bits // WORD] >> (bits % WORD).astype(np.uint64)[:, None]) & np.uint64(1) for side in (0, 1)
    )
    p, q = from_row.sum(axis=0).astype(int), from_background.sum(axis=0).astype(int)
    size = max(int((p + q).max(initial=0)), 1) + 1
    weight = np.zeros((size, size))
    for i in range(1, size):
        for j in range(size - i):
            weight[i, j] = 1 / (i * math.comb(i + j, j))
    shares: np.ndarray = from_row @ (leaf_values * weight[p, q]) - from_background @ (leaf_values * weight[q, p])
    return shares
