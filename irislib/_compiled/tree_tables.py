"""The trees of a fitted estimator, read from where scikit-learn keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._compiled.fast_form import NoFasterFormError
from irislib._compiled.predictors import Scores, sigmoid_of_one, softmax
from irislib._compiled.tree_walk import Boosted, Mean, NestedWalk, Trees

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NO_WALK", "TreeTable", "histogram_trees", "negated", "read_trees"]

CONSTANT = ("prior", "most_frequent", "constant", "mean", "median", "quantile")  # what a dummy may begin with
CLASS_LINKS = {"HalfBinomialLoss": sigmoid_of_one, "HalfMultinomialLoss": softmax}
NO_WALK = NestedWalk([])


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


def read_trees(estimator: Any) -> tuple[Trees, list[TreeTable]]:
    """Read the trees of an estimator, without a walk, and the tables to make it of.

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
    return Trees(NO_WALK, totals, Mean(len(trees), classes), "f", False), [
        _table(t, t.value[:, 0, :], 0) for t in trees
    ]


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
    ending = Boosted(_class_link(estimator._loss) if classes else None, classes)
    return Trees(NO_WALK, totals, ending, "f", False), tables


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
    ending = Boosted(_class_link(loss) if classes else loss.link.inverse, classes)
    return Trees(NO_WALK, estimator._baseline_prediction.ravel().tolist(), ending, "d", False), tables


def _class_link(loss: Any) -> Callable[[Scores], Scores]:
    """Return the function from the totals of a classifier to its probabilities."""
    import numpy as np

    link = CLASS_LINKS.get(type(loss).__name__)
    return link or (lambda totals: loss.predict_proba(np.array([totals]))[0].tolist())


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


def negated(table: TreeTable, shift: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Let the nodes whose missing values go to the left compare the negative of the feature, children swapped.

    Parameters
    ----------
    table : TreeTable
    shift : int
        The index in a row at which the negatives of the features begin; 0 if no value may be missing.

    Returns
    -------
    feature, threshold, left_child, right_child : ndarray
        A value that is missing fails each comparison, and so goes to the right.
    """
    import numpy as np

    if not shift:
        return table.feature, table.threshold, table.left_child, table.right_child
    # x <= t is true just where -x < -t is not; the children are swapped with the sign
    to_negate = table.missing_go_left & (table.feature >= 0)
    return (
        np.where(to_negate, table.feature + shift, table.feature),
        np.where(to_negate, np.nextafter(-table.threshold, -np.inf), table.threshold),
        np.where(to_negate, table.right_child, table.left_child),
        np.where(to_negate, table.left_child, table.right_child),
    )
