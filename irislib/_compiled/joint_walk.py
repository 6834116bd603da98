"""The walk of one row through all trees of an estimator, by one call of scikit-learn for a tree made of all.

Above the roots of the trees are comparisons of a further feature, the number of a tree. The row is given once for each
tree, with its number, so that the compiled code of scikit-learn walks all of them in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import Row
from irislib._compiled.level_walk import add_up, in_turns, joined
from irislib._compiled.tree_tables import TreeTable, negated

if TYPE_CHECKING:
    import numpy as np

__all__ = ["JointWalk", "make_joint_walk", "n_columns"]

NO_CHILD = -1


@dataclass(frozen=True, slots=True)
class JointWalk:
    """The walk through a tree that is made of all trees.

    Attributes
    ----------
    tree : sklearn.tree._tree.Tree
    rows : ndarray of shape (n_trees, n_columns + 1)
        A place for the row, and the number of each tree.
    leaf : ndarray of shape (n_nodes,)
        The number of each leaf.
    leaf_values : ndarray of shape (n_leaves, n_values)
    """

    tree: Any
    rows: np.ndarray
    leaf: np.ndarray
    leaf_values: np.ndarray

    @property
    def text(self) -> str:
        """The way it is done, as the end of a sentence."""
        return f"walking {len(self.rows):,} trees at once"

    def totals(self, row: Row, start: list[float]) -> list[float]:
        """Add up the leaves; see :meth:`Walk.totals`."""
        rows = self.rows.copy()  # threads may predict at once
        rows[:, :-1] = row[: rows.shape[1] - 1]
        return add_up(self.leaf_values, self.leaf.take(self.tree.apply(rows)), start)


def n_columns(tables: Sequence[TreeTable], shift: int) -> int:
    """Return how many values of a row are compared; see `make_joint_walk`."""
    return shift + max(int(table.feature.max()) for table in tables) + 1


def make_joint_walk(tables: Sequence[TreeTable], shift: int, n_totals: int) -> JointWalk:
    """Make the walk through a tree of all trees, whose values must be in single precision.

    Parameters
    ----------
    tables : sequence of TreeTable
    shift : int
        The index in a row at which the negatives of the features begin; 0 if no value may be missing.
    n_totals : int
    """
    import numpy as np
    from sklearn.tree import DecisionTreeRegressor

    width = n_columns(tables, shift)
    tables = in_turns(tables, n_totals)
    above = len(tables) - 1
    starts = above + np.cumsum([0, *(len(table.feature) for table in tables)])
    table = joined(tables, starts)
    feature, threshold, left_child, right_child = negated(table, shift)
    is_leaf = feature < 0
    stump = DecisionTreeRegressor(random_state=0).fit([[0.0]], [0.0]).tree_
    state = stump.__getstate__()
    nodes = np.zeros(starts[-1], state["nodes"].dtype)
    nodes["feature"][above:], nodes["threshold"][above:] = feature, threshold
    nodes["left_child"][above:] = np.where(is_leaf, NO_CHILD, left_child)
    nodes["right_child"][above:] = np.where(is_leaf, NO_CHILD, right_child)
    nodes["feature"][:above] = width
    for node, (at, *children) in enumerate(_choices(len(tables))):
        nodes["threshold"][node] = at
        nodes["left_child"][node], nodes["right_child"][node] = (starts[~i] if i < 0 else i for i in children)
    tree = type(stump)(width + 1, np.ones(1, np.intp), 1)
    tree.__setstate__({**state, "node_count": len(nodes), "nodes": nodes, "values": np.zeros((len(nodes), 1, 1))})
    rows = np.zeros((len(tables), width + 1), np.float32)
    rows[:, -1] = np.arange(len(tables))
    leaf = np.concatenate([np.zeros(above, np.int32), np.cumsum(is_leaf, dtype=np.int32) - 1])
    return JointWalk(tree, rows, leaf, table.value[is_leaf])


def _choices(n_trees: int) -> list[tuple[float, int, int]]:
    """Return the nodes that lead to each of some trees by its number: a threshold, and two nodes, or ~i for tree i."""
    nodes: list[tuple[float, int, int]] = []
    ranges = [(0, n_trees)] if n_trees > 1 else []
    for first, end in ranges:  # children are added behind their parents
        middle = (first + end) // 2
        children = []
        for part in ((first, middle), (middle, end)):
            if part[1] - part[0] == 1:
                children.append(~part[0])
            else:
                children.append(len(ranges))
                ranges.append(part)
        nodes.append((middle - 0.5, children[0], children[1]))
    return nodes
