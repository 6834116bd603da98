"""The walk through the trees of a fitted estimator, in the way that is the fastest for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import NoFasterFormError
from irislib._compiled.joint_walk import JointWalk, make_joint_walk, n_columns
from irislib._compiled.level_walk import LevelWalk, make_level_walk
from irislib._compiled.tree_tables import TreeTable, negated, read_trees
from irislib._compiled.tree_walk import NestedWalk, Node, Trees, Walk

if TYPE_CHECKING:
    import numpy as np

__all__ = ["named", "tree_walk_of", "with_walk"]

# Measured: a comparison takes 38 ns in plain Python, and 38 ns more for each 45,000 nodes, which are ever less often in
# the processor's cache; NumPy's calls for a level of the trees take as long as 90 comparisons.
COMPARISONS_PER_LEVEL = 90
CACHED_NODES = 45_000
# scikit-learn's call for all trees takes as long as 200 comparisons, and each of its own 6 ns, but for the processor's
# cache.
JOINT_START = 200
JOINT_COMPARISON = 0.15
JOINT_CACHED_NODES = 90_000
MAX_VALUES = 50_000  # that are copied for that call: a row for each tree
MAX_NODES = 300_000  # of either: each takes more memory than scikit-learn's own node


def tree_walk_of(estimator: Any, may_be_missing: bool) -> tuple[Trees, list[TreeTable]]:
    """Return the trees of an estimator, to be walked, and the tables they are made of.

    Parameters
    ----------
    estimator : fitted estimator
    may_be_missing : bool
        True if the walk is to take missing values, provided that the estimator does.

    Raises
    ------
    NoFasterFormError
    """
    name = type(estimator).__name__
    try:
        trees, tables = read_trees(estimator)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise NoFasterFormError(f"this scikit-learn keeps the trees of {name} in another way ({error}).") from error
    takes_missing = may_be_missing and _takes_missing(estimator)
    return with_walk(trees, tables, estimator.n_features_in_ if takes_missing else 0), tables


def with_walk(trees: Trees, tables: Sequence[TreeTable], shift: int) -> Trees:
    """Return trees with the walk through them.

    Parameters
    ----------
    trees : Trees
    tables : sequence of TreeTable
    shift : int
        The index in a row at which the negatives of the features begin; 0 if no value may be missing.

    Raises
    ------
    NoFasterFormError
        If there are too many nodes.
    """
    by_level = make_level_walk(tables, shift, len(trees.start))
    costs = _costs(by_level, trees.precision, len(tables) * n_columns(tables, shift))
    kind = min(costs, key=costs.__getitem__)
    walk: Walk = by_level
    if kind is NestedWalk:
        walk = NestedWalk([_nested(table, shift) for table in tables])
    elif kind is JointWalk:
        walk = make_joint_walk(tables, shift, len(trees.start))
    return replace(trees, walk=walk, takes_missing=bool(shift))


def _costs(walk: LevelWalk, precision: str, n_values: int) -> dict[type, float]:
    """Return what each way of walking costs, in comparisons of plain Python."""
    n_nodes = len(walk.nodes)
    costs: dict[type, float] = {LevelWalk: COMPARISONS_PER_LEVEL * walk.n_levels}
    if n_nodes > MAX_NODES:
        return costs
    costs[NestedWalk] = walk.comparisons * (1 + n_nodes / CACHED_NODES)
    if precision == "f" and n_values <= MAX_VALUES:
        costs[JointWalk] = JOINT_START + walk.comparisons * (JOINT_COMPARISON + n_nodes / JOINT_CACHED_NODES)
    return costs


def named(estimator: Any, rows: np.ndarray) -> Any:
    """Convert rows to a frame if the estimator was fitted on named columns."""
    import pandas as pd

    names = getattr(estimator, "feature_names_in_", None)
    return rows if names is None else pd.DataFrame(rows, columns=names)


def _takes_missing(estimator: Any) -> bool:
    import numpy as np

    try:
        estimator.predict(named(estimator, np.full((1, estimator.n_features_in_), np.nan)))
    except ValueError:
        return False
    return True


def _nested(table: TreeTable, shift: int) -> Node:
    """Build a tree of nested tuples; see `with_walk`."""
    feature, threshold, left_child, right_child = (column.tolist() for column in negated(table, shift))
    values, is_leaf = table.value.tolist(), (table.feature < 0).tolist()
    nodes: list[Any] = [None] * len(feature)
    for i in range(len(nodes) - 1, -1, -1):
        if is_leaf[i]:
            nodes[i] = _leaf(values[i], table.total)
        else:
            nodes[i] = (feature[i], threshold[i], nodes[left_child[i]], nodes[right_child[i]])
    return nodes[0]  # type: ignore[no-any-return]


def _leaf(values: list[float], total: int) -> Node:
    parts = [(total + i, value) for i, value in enumerate(values) if value] or [(total, 0.0)]
    leaf: Any = None
    for index, value in reversed(parts):
        leaf = (index, value, None, leaf)
    return leaf  # type: ignore[no-any-return]
