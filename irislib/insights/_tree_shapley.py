"""Shapley values of trees, exact however many features there are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled import pipeline_steps
from irislib._compiled.fast_form import NoFasterFormError
from irislib._compiled.tree_tables import MOST_NODES, Table, read
from irislib._compiled.tree_walk import Mean
from irislib.insights._columns import columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["tree_shapley"]

TOGETHER = 20_000  # nodes of the trees that are walked at the same time
WORD = 64  # bits
TOLERANCE = 1e-7  # of the size of the answers, up to which the values may miss what they have to add up to


def tree_shapley(
    estimator: Any, place: int, row: pd.DataFrame, usual: pd.DataFrame, worth: np.ndarray
) -> np.ndarray | None:
    """The Shapley values of one answer, where a feature that is left out has the values of usual rows.

    Parameters
    ----------
    estimator : fitted estimator
        A tree, a forest, or boosted trees whose answer is the sum of their leaves; or a Pipeline that ends with
        one, if what is before it makes each column of one feature only.
    place : int
        Of the class whose probability is explained; 0 for a regression.
    row : DataFrame of shape (1, n_features)
    usual : DataFrame of shape (n_usual, n_features)
    worth : ndarray of shape (1 + n_usual,)
        The estimator's answers to these rows.

    Returns
    -------
    ndarray of shape (n_features,), or None
        None for any other estimator, and where the values would not add up.

    Notes
    -----
    A leaf of a tree is reached by a mixture of two rows, if each feature on the way to it has a value that goes that
    way. With ``p`` features whose value does so in the first row only, and ``q`` in the second only, each of the
    first adds ``(p-1)! q! / (p+q)!`` of the leaf's value, each of the others takes away ``p! (q-1)! / (p+q)!`` of it.
    Source: S. M. Lundberg et al. (2020), From local explanations to global understanding with explainable AI for
    trees, Nature Machine Intelligence 2, 56-67, doi:10.1038/s42256-019-0138-9 (interventional TreeSHAP).
    """
    import numpy as np

    try:
        tables, precision, share = _summed(estimator)
    except NoFasterFormError:
        return None
    seen = columns(estimator, row, usual)
    if seen is None:
        return None
    values, owners = seen
    if precision == "f":
        values = values.astype(np.float32)
    found = np.zeros(row.shape[1])
    for some in _groups(tables):
        found += _walk(some, place, values, owners, row.shape[1])
    found *= share / len(usual)
    misses = abs(found.sum() - (worth[0] - worth[1:].mean()))
    return found if misses <= TOLERANCE * max(1.0, float(np.abs(worth).max())) else None


def _summed(estimator: Any) -> tuple[list[Table], str, float]:
    """The trees whose leaves add up to an answer, how values are rounded for them, and the weight of each.

    Raises
    ------
    NoFasterFormError
    """
    import numpy as np

    _, last = pipeline_steps(estimator)
    try:
        trees, tables = read(last)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise NoFasterFormError("this scikit-learn keeps its trees in another way.") from error
    if sum(len(table.feature) for table in tables) > MOST_NODES:
        raise NoFasterFormError("there are too many nodes.")
    if isinstance(trees.ending, Mean):
        return tables, trees.precision, 1 / trees.ending.count
    inverse, some = trees.ending.inverse, np.array([-1.5, 0.0, 2.5])
    if trees.ending.classes is not None or not (inverse is None or np.array_equal(inverse(some), some)):
        raise NoFasterFormError("its answer is no sum of leaves.")
    return tables, trees.precision, 1.0


def _groups(tables: Sequence[Table]) -> Iterator[list[Table]]:
    some: list[Table] = []
    nodes = 0
    for table in tables:
        some.append(table)
        nodes += len(table.feature)
        if nodes > TOGETHER:
            yield some
            some, nodes = [], 0
    if some:
        yield some


def _walk(tables: Sequence[Table], place: int, values: np.ndarray, owners: np.ndarray, n: int) -> np.ndarray:
    """What each feature adds to the sum of these trees' leaves, added up over the usual rows.

    All trees and usual rows are walked together, level by level: where the two rows part, both ways are
    followed, and a way ends where neither row can be followed any more.
    """
    import numpy as np

    starts = np.cumsum([0, *(len(table.feature) for table in tables)])
    feature = np.concatenate([table.feature for table in tables])
    left, right = (
        np.concatenate([getattr(table, side) + start for table, start in zip(tables, starts, strict=False)])
        for side in ("left_child", "right_child")
    )
    worth = np.concatenate([table.value[:, place if table.value.shape[1] > 1 else 0] for table in tables])
    threshold = np.concatenate([table.threshold for table in tables])
    missing_left = np.concatenate([table.missing_go_left for table in tables])
    m = len(values) - 1

    def goes_left(node: np.ndarray, who: np.ndarray | int) -> np.ndarray:
        value = values[who, feature[node]]
        left_it_goes: np.ndarray = np.where(np.isnan(value), missing_left[node], value <= threshold[node])
        return left_it_goes

    # which features of the path only our row's value lets pass, and which only the other's; a bit for each
    words = -(-n // WORD)
    node, who = np.repeat(starts[:-1], m), np.tile(np.arange(1, m + 1), len(tables))
    passes = np.zeros((2, words, len(node)), np.uint64)
    found = np.zeros(n)
    while len(node):
        is_leaf = feature[node] < 0
        if is_leaf.any():
            found += _shares(worth[node[is_leaf]], passes[:, :, is_leaf], n)
            node, who, passes = node[~is_leaf], who[~is_leaf], passes[:, :, ~is_leaf]
        ours, theirs = goes_left(node, 0), goes_left(node, who)
        owner = owners[feature[node]]
        bit = np.uint64(1) << (owner % WORD).astype(np.uint64)
        at = (owner // WORD, np.arange(len(node)))
        kept = []
        for child, comes, follows in ((left, ours, theirs), (right, ~ours, ~theirs)):
            there = passes.copy()
            there[0][at] |= np.where(comes & ~follows, bit, np.uint64(0))
            there[1][at] |= np.where(follows & ~comes, bit, np.uint64(0))
            # a feature that one row alone has let pass needs that row's value here as well
            dead = (there[0][at] & there[1][at]) != 0
            dead |= ~comes & ~follows
            kept.append((child[node[~dead]], who[~dead], there[:, :, ~dead]))
        node, who = (np.concatenate([kept[0][i], kept[1][i]]) for i in (0, 1))
        passes = np.concatenate([kept[0][2], kept[1][2]], axis=2)
    return found


def _shares(worth: np.ndarray, passes: np.ndarray, n: int) -> np.ndarray:
    """What each feature adds to leaves of these values.

    Parameters
    ----------
    worth : ndarray of shape (n_leaves,)
    passes : ndarray of shape (2, n_words, n_leaves)
    """
    import numpy as np

    # a row for each feature, of those that only our row's value lets pass, and of the others
    bits = np.arange(n)
    ours, theirs = (
        (passes[side][bits // WORD] >> (bits % WORD).astype(np.uint64)[:, None]) & np.uint64(1) for side in (0, 1)
    )
    p, q = ours.sum(axis=0).astype(int), theirs.sum(axis=0).astype(int)
    size = max(int((p + q).max(initial=0)), 1) + 1
    weight = np.zeros((size, size))
    for i in range(1, size):
        for j in range(size - i):
            weight[i, j] = 1 / (i * math.comb(i + j, j))
    shares: np.ndarray = ours @ (worth * weight[p, q]) - theirs @ (worth * weight[q, p])
    return shares
