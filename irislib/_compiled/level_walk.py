"""The walk of one row, in NumPy, through all trees of an estimator at once.

The nodes of all trees are in one array, ordered by their level, so that a step of all trees to their next level is a
few calls of NumPy. Once few trees go on, they are walked one after the other. There is no object of Python for each
node whose count of references would be written to: processes share the array after a fork.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from irislib._compiled.fast_form import NoFasterFormError, Row
from irislib._compiled.tree_tables import TreeTable, negated

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LevelWalk", "add_up", "in_turns", "joined", "make_level_walk"]

# Of 16 bytes, because NumPy takes elements of this size with one move. A leaf has the negative of its number, from 1
# on, for a feature, a threshold that no value passes, and itself for a child.
NODE = [("threshold", "f8"), ("child", "i4"), ("feature", "i4")]
MAX_NODES = 2**31 - 1
FEW_TREES = 20  # go on one after the other, in plain Python
NARROWER = 0.7  # trees whose leaves are reached are left out once no more than this part of the trees goes on


@dataclass(frozen=True, slots=True)
class LevelWalk:
    """The walk through all trees at once, level by level.

    Attributes
    ----------
    nodes : ndarray of NODE
        Level by level, the roots first. A value that is missing or above the threshold leads to the node ``child``,
        any other to the next one.
    leaf_values : ndarray of shape (n_leaves, n_values)
    n_trees : int
    narrows : list of bool
        For each level but the last, whether trees whose leaves are reached are left out from there on.
    comparisons : float
        The number of comparisons on the way to the leaves of all trees, were each leaf as likely as any other.
    """

    nodes: np.ndarray
    leaf_values: np.ndarray
    n_trees: int
    narrows: list[bool]
    comparisons: float

    @property
    def n_levels(self) -> int:
        """The number of comparisons on the longest way."""
        return len(self.narrows)

    @property
    def text(self) -> str:
        """The way it is done, as the end of a sentence."""
        return f"walking {self.n_trees:,} trees at once" if self.n_trees > 1 else "walking 1 tree"

    def totals(self, row: Row, start: list[float]) -> list[float]:
        """Add up the leaves; see :meth:`Walk.totals`."""
        import numpy as np

        return add_up(self.leaf_values, self._leaves(np.array(row)), start)

    def _leaves(self, values: np.ndarray) -> np.ndarray:
        """Return the positions of the leaves to which a row comes, one for each tree."""
        import numpy as np

        elements, dtype = self.nodes.view(np.complex128), self.nodes.dtype
        node = tree = np.arange(self.n_trees)
        leaf = np.empty(self.n_trees, np.intp)
        for narrows in self.narrows:
            nodes = elements.take(node, mode="clip").view(dtype)  # without "clip", which never happens, it is slower
            if narrows:
                leaf[tree] = nodes["feature"]
                goes_on = (nodes["feature"] >= 0).nonzero()[0]
                tree = tree[goes_on]
                if len(tree) <= FEW_TREES:
                    leaf[tree] = self._leaves_of_few(node[goes_on].tolist(), values.tolist())
                    break
                nodes = nodes[goes_on]
            # a leaf reads the first value
            node = nodes["child"] + (values.take(nodes["feature"], mode="clip") <= nodes["threshold"])
        else:
            leaf[tree] = self.nodes["feature"].take(node, mode="clip")
        return -1 - leaf

    def _leaves_of_few(self, nodes: list[int], row: Row) -> list[int]:
        """Return the leaves to which a row comes from some nodes, as the nodes have them for a feature."""
        features, thresholds, children = (self.nodes[name].data for name in ("feature", "threshold", "child"))
        leaves = []
        for node in nodes:
            while (feature := features[node]) >= 0:
                node = children[node] + (row[feature] <= thresholds[node])
            leaves.append(feature)
        return leaves


def add_up(leaf_values: np.ndarray, leaves: np.ndarray, start: list[float]) -> list[float]:
    """Return the totals of some leaves, one for each tree, in the order of the trees."""
    import numpy as np

    terms = leaf_values.take(leaves, axis=0).reshape(-1, len(start))
    terms[0] += start
    # not a sum, which adds up in another order
    return np.add.accumulate(terms, axis=0)[-1].tolist()  # type: ignore[no-any-return]


def make_level_walk(tables: Sequence[TreeTable], shift: int, n_totals: int) -> LevelWalk:
    """Make the walk through trees, level by level.

    Parameters
    ----------
    tables : sequence of TreeTable
    shift : int
        The index in a row at which the negatives of the features begin; 0 if no value may be missing.
    n_totals : int

    Raises
    ------
    NoFasterFormError
        If there are too many nodes.
    """
    import numpy as np

    tables = in_turns(tables, n_totals)
    starts = np.cumsum([0, *(len(table.feature) for table in tables)])
    if starts[-1] > MAX_NODES:
        raise NoFasterFormError(f"it has {starts[-1]:,} nodes, more than {MAX_NODES:,}.")
    table = joined(tables, starts)
    feature, threshold, left_child, right_child = negated(table, shift)
    order, child, leaves = _by_level(feature, left_child, right_child, starts[:-1])
    nodes = np.empty(len(order), NODE)
    nodes["child"], nodes["threshold"], nodes["feature"] = child, threshold[order], feature[order]
    is_leaf = nodes["feature"] < 0
    nodes["threshold"][is_leaf] = -np.inf
    nodes["feature"][is_leaf] = -np.arange(1, 1 + sum(leaves))
    depth = float(np.average(np.arange(len(leaves)), weights=leaves))
    values = table.value[order[is_leaf]]
    return LevelWalk(nodes, values, len(tables), _narrows(leaves), len(tables) * depth)


def in_turns(tables: Sequence[TreeTable], n_totals: int) -> Sequence[TreeTable]:
    """Return trees in an order in which those with one total come in turns: the first total, the second, and so on."""
    import numpy as np

    if all(table.value.shape[1] == n_totals for table in tables):
        return tables
    of_totals = [[table for table in tables if table.total == total] for total in range(n_totals)]
    leaf = np.array([-1])
    nothing = TreeTable(leaf, np.zeros(1), leaf, leaf, np.zeros(1, bool), np.zeros((1, 1)), 0)
    return [table for turn in zip_longest(*of_totals, fillvalue=nothing) for table in turn]


def joined(tables: Sequence[TreeTable], starts: np.ndarray) -> TreeTable:
    """Return all trees in one table."""
    import numpy as np

    columns = [np.concatenate(column) for column in list(zip(*tables, strict=True))[:-1]]
    first = np.repeat(starts[:-1], np.diff(starts))
    columns[2:4] = columns[2] + first, columns[3] + first
    return TreeTable._make([*columns, 0])


def _by_level(
    feature: np.ndarray, left_child: np.ndarray, right_child: np.ndarray, roots: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return the nodes in the order of their levels, where in it their children are, and each level's number of leaves.

    Of two children the right one comes first. A leaf is its own child.
    """
    import numpy as np

    order, child, leaves = [], [], []
    level, start = roots, 0
    while len(level):
        is_inner, end = feature[level] >= 0, start + len(level)
        if end > len(feature):
            raise ValueError("a node has two parents")
        child.append(np.where(is_inner, end + 2 * (np.cumsum(is_inner) - 1), np.arange(start, end)))
        order.append(level)
        parents = level[is_inner]
        leaves.append(len(level) - len(parents))
        level, start = np.column_stack([right_child[parents], left_child[parents]]).ravel(), end
    return np.concatenate(order), np.concatenate(child), leaves


def _narrows(leaves: list[int]) -> list[bool]:
    """Return for each level but the last whether trees whose leaves are reached are left out from there on."""
    narrows, walked = [], sum(leaves)
    reached = 0
    for count in leaves[:-1]:
        reached += count
        is_fewer = sum(leaves) - reached <= NARROWER * walked
        narrows.append(is_fewer)
        if is_fewer:
            walked = sum(leaves) - reached
    return narrows
