"""The trees of a fitted estimator, read from where scikit-learn keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._compiled.fast_form import NoFasterFormError
from irislib._compiled.tree_walk import Boosted, Mean, Node, Trees

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "MAX_NODES",
    "TreeTable",
    "histogram_trees",
    "named",
    "nested",
    "nested_trees",
    "read_trees",
    "tree_walk_of",
]

MAX_NODES = 300_000  # of all trees: above it the tuples would take more memory than the time is worth
CONSTANT = ("prior", "most_frequent", "constant", "mean", "median", "quantile")  # what a dummy may begin with


class TreeTable(NamedTuple):
    """One tree as arrays with an element for each node; children come after their parents.

    Attributes
    ----------
    feature : ndarray of int
        The index of the feature that a node compares; negative at a leaf.
    threshold : ndarray of float
    left_child, right_child : ndarray of int
        The indices of the children.
    missing_go_left : ndarray of bool
        True if a missing value goes to the left child.
    value : ndarray of shape (n_nodes, n_values)
        The numbers that a leaf adds to the totals.
    total : int
        The index of the total to which the first of them is added.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left_child: np.ndarray
    right_child: np.ndarray
    missing_go_left: np.ndarray
    value: np.ndarray
    total: int


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
    return nested_trees(trees, tables, estimator.n_features_in_ if takes_missing else 0), tables


def nested_trees(trees: Trees, tables: Sequence[TreeTable], shift: int) -> Trees:
    """Return trees with their roots.

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
    if (nodes := sum(len(table.feature) for table in tables)) > MAX_NODES:
        raise NoFasterFormError(f"it has {nodes:,} nodes, more than {MAX_NODES:,}.")
    return replace(trees, roots=[nested(table, shift) for table in tables], takes_missing=bool(shift))


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


def read_trees(estimator: Any) -> tuple[Trees, list[TreeTable]]:
    """Read the trees of an estimator, without their roots, and the tables to build these from.

    Raises
    ------
    NoFasterFormError
        For any other estimator.
    AttributeError, IndexError, KeyError, TypeError, ValueError
        If this scikit-learn keeps its trees in another way.
    """
    from sklearn import ensemble, tree

    kind = type(estimator)  # a subclass may do something else
    if kind in (
        *(tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, tree.ExtraTreeClassifier, tree.ExtraTreeRegressor),
        *(ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
        *(ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor),
    ):
        return _forest(estimator)
    if kind in (ensemble.GradientBoostingClassifier, ensemble.GradientBoostingRegressor):
        return _boosting(estimator)
    if kind in (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor):
        return _histogram(estimator)
    raise NoFasterFormError(f"there is no faster form of {kind.__name__}.")


def _forest(estimator: Any) -> tuple[Trees, list[TreeTable]]:
    if estimator.n_outputs_ != 1:
        raise NoFasterFormError(f"this {type(estimator).__name__} has several outputs.")
    classes = _classes(estimator)
    trees = [member.tree_ for member in getattr(estimator, "estimators_", [estimator])]
    totals = [0.0] * len(classes or [0])
    return Trees([], totals, Mean(len(trees), classes), "f", False), [_table(t, t.value[:, 0, :], 0) for t in trees]


def _boosting(estimator: Any) -> tuple[Trees, list[TreeTable]]:
    import numpy as np

    first = estimator.init_
    if not (isinstance(first, str) or (type(first).__module__ == "sklearn.dummy" and first.strategy in CONSTANT)):
        raise NoFasterFormError(f"what this {type(estimator).__name__} begins with may differ from row to row.")
    totals = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), np.float32))[0].tolist()
    classes = _classes(estimator)
    tables = [
        _table(member.tree_, estimator.learning_rate * member.tree_.value[:, 0, :], total)
        for stage in estimator.estimators_
        for total, member in enumerate(stage)
    ]
    ending = Boosted(estimator._loss.predict_proba if classes else None, classes)
    return Trees([], totals, ending, "f", False), tables


def _histogram(estimator: Any) -> tuple[Trees, list[TreeTable]]:
    if estimator._preprocessor is not None:
        raise NoFasterFormError(f"this {type(estimator).__name__} has categorical features.")
    return histogram_trees(estimator)


def histogram_trees(estimator: Any) -> tuple[Trees, list[TreeTable]]:
    """Read the trees of a HistGradientBoosting, of whose nodes some may split categories."""
    classes = _classes(estimator)
    tables = [
        _histogram_table(predictor.nodes, total)
        for stage in estimator._predictors
        for total, predictor in enumerate(stage)
    ]
    loss = estimator._loss
    ending = Boosted(loss.predict_proba if classes else loss.link.inverse, classes)
    return Trees([], estimator._baseline_prediction.ravel().tolist(), ending, "d", False), tables


def _classes(estimator: Any) -> list[Any] | None:
    classes = getattr(estimator, "classes_", None)
    return None if classes is None else classes.tolist()


def _table(tree: Any, value: np.ndarray, total: int) -> TreeTable:
    missing_go_left = tree.missing_go_to_left.astype(bool)
    return TreeTable(
        tree.feature, tree.threshold, tree.children_left, tree.children_right, missing_go_left, value, total
    )


def _histogram_table(nodes: np.ndarray, total: int) -> TreeTable:
    import numpy as np

    feature = np.where(nodes["is_leaf"], -1, nodes["feature_idx"])
    missing_go_left = nodes["missing_go_to_left"].astype(bool)
    value = nodes["value"][:, np.newaxis]
    return TreeTable(feature, nodes["num_threshold"], nodes["left"], nodes["right"], missing_go_left, value, total)


def nested(table: TreeTable, shift: int) -> Node:
    """Build a tree of nested tuples.

    Parameters
    ----------
    table : TreeTable
    shift : int
        The index in a row at which the negatives of the features begin; 0 if no value may be missing.
    """
    import numpy as np

    # x <= t is true just where -x < -t is not; the children are swapped with the sign
    negated = table.missing_go_left & bool(shift)
    features = np.where(negated, table.feature + shift, table.feature).tolist()
    thresholds = np.where(negated, np.nextafter(-table.threshold, -np.inf), table.threshold).tolist()
    left_child = np.where(negated, table.right_child, table.left_child).tolist()
    right_child = np.where(negated, table.left_child, table.right_child).tolist()
    values, is_leaf = table.value.tolist(), (table.feature < 0).tolist()
    nodes: list[Any] = [None] * len(features)
    for i in range(len(nodes) - 1, -1, -1):
        if is_leaf[i]:
            nodes[i] = _leaf(values[i], table.total)
        else:
            nodes[i] = (features[i], thresholds[i], nodes[left_child[i]], nodes[right_child[i]])
    return nodes[0]  # type: ignore[no-any-return]


def _leaf(values: list[float], total: int) -> Node:
    parts = [(total + i, value) for i, value in enumerate(values) if value] or [(total, 0.0)]
    leaf: Any = None
    for index, value in reversed(parts):
        leaf = (index, value, None, leaf)
    return leaf  # type: ignore[no-any-return]
