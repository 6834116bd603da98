"""Bagging and AdaBoost over scikit-learn's trees, as forests: one walk through all trees takes a row once.

Each function makes a RandomForest of scikit-learn of the same splits, which predicts what the ensemble is made of. As a
part it is proved as any other forest is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import NoFasterFormError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["bagged_forest", "forest_of_votes", "separate_forest"]

MAX_VALUES = 2_000_000  # of the leaves of all trees, where each tree has a column of its own


def bagged_forest(estimator: Any) -> Any:
    """Return the forest that predicts as bagged trees do.

    Raises
    ------
    NoFasterFormError
        If the members are no trees, or some have not seen every class.
    """
    import numpy as np

    members = _trees(estimator)
    classes = getattr(estimator, "classes_", None)
    if classes is not None and any(len(member.classes_) != len(classes) for member in members):
        raise NoFasterFormError("some of its trees have not seen every class.")
    every = np.arange(estimator.n_features_in_)
    pairs = list(zip(members, estimator.estimators_features_, strict=True))
    if not all(np.array_equal(features, every) for _, features in pairs):
        members = [_replanted(member, member.tree_.value, estimator, features) for member, features in pairs]
    return _forest(members, estimator, classes)


def forest_of_votes(estimator: Any) -> Any:
    """Return the forest whose probabilities are the mean weights of the votes of an AdaBoostClassifier's trees.

    Raises
    ------
    NoFasterFormError
        If the members are no trees, or some have not seen every class.
    """
    import numpy as np

    members = []
    for member, weight in zip(_trees(estimator), estimator.estimator_weights_, strict=False):
        if not np.array_equal(member.classes_, estimator.classes_):
            raise NoFasterFormError("some of its trees have not seen every class.")
        votes = np.zeros_like(member.tree_.value)
        votes[np.arange(len(votes)), 0, member.tree_.value[:, 0].argmax(axis=1)] = weight
        members.append(_replanted(member, votes, estimator))
    return _forest(members, estimator, estimator.classes_)


def separate_forest(estimator: Any) -> Any:
    """Return the forest with a class for each tree of a regressor, whose probability is its prediction by their number.

    Raises
    ------
    NoFasterFormError
        If the members are no trees, or large ones.
    """
    import numpy as np

    trees = _trees(estimator)
    if sum(member.tree_.node_count for member in trees) * len(trees) > MAX_VALUES:
        raise NoFasterFormError("its trees are large.")
    members = []
    for i, member in enumerate(trees):
        values = np.zeros((member.tree_.node_count, 1, len(trees)))
        values[:, 0, i] = member.tree_.value[:, 0, 0]
        members.append(_replanted(member, values, estimator))
    return _forest(members, estimator, np.arange(len(trees)))


def _trees(estimator: Any) -> list[Any]:
    """Return the members of an ensemble, which must be trees of scikit-learn, and no subclasses."""
    from sklearn import tree

    kinds = (tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, tree.ExtraTreeClassifier, tree.ExtraTreeRegressor)
    members = list(estimator.estimators_)
    if not all(type(member) in kinds and member.n_outputs_ == 1 for member in members):
        raise NoFasterFormError("its members are no trees.")
    return members


def _replanted(member: Any, values: np.ndarray, estimator: Any, features: Sequence[int] | None = None) -> Any:
    """Return a tree of the same splits with other values, and with other indices of the features."""
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    state = member.tree_.__getstate__()
    nodes = state["nodes"].copy()
    if features is not None:
        is_inner = nodes["left_child"] >= 0
        nodes["feature"][is_inner] = np.asarray(features)[nodes["feature"][is_inner]]
    count = values.shape[2]
    tree = type(member.tree_)(estimator.n_features_in_, np.array([count], dtype=np.intp), 1)
    tree.__setstate__({**state, "nodes": nodes, "values": np.ascontiguousarray(values)})
    is_classifier = count > 1 or hasattr(member, "classes_")
    copy = DecisionTreeClassifier() if is_classifier else DecisionTreeRegressor()
    copy.tree_, copy.n_outputs_, copy.n_features_in_ = tree, 1, estimator.n_features_in_
    if is_classifier:
        copy.n_classes_, copy.classes_ = count, np.arange(count)
    return copy


def _forest(members: list[Any], estimator: Any, classes: Any) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest: Any = (RandomForestRegressor if classes is None else RandomForestClassifier)(len(members))
    forest.estimators_, forest.n_outputs_, forest.n_features_in_ = members, 1, estimator.n_features_in_
    if classes is not None:
        forest.classes_, forest.n_classes_ = classes, len(classes)
    return forest
