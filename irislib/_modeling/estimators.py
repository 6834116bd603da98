"""Questions about an estimator that its methods alone do not answer before it is fitted."""

from __future__ import annotations

import copy
from typing import Any

from irislib._common.formatting import shorten_list
from irislib._common.messages.advice import TEXTS
from irislib.errors import DataError

__all__ = [
    "check_classes",
    "check_estimator",
    "check_predictions",
    "has_threshold",
    "is_fitted",
    "probability_threshold",
    "require_columns",
    "unfitted_copy",
]

OTHER_KINDS = {
    "outlier_detector": "finds outliers",
    "clusterer": "finds clusters",
    "transformer": "transforms data",
    "density_estimator": "estimates a density",
}


def check_estimator(estimator: Any) -> list[str]:
    """Return what makes an estimator unusable, one sentence each: only a classifier or a regressor predicts."""
    if isinstance(estimator, type) or not all(hasattr(estimator, method) for method in ("fit", "get_params")):
        return ["estimator: give a scikit-learn estimator, such as RandomForestClassifier()."]
    kind = _kind(estimator)
    name = type(estimator).__name__
    if kind in ("classifier", "regressor"):
        many = f"estimator: {name} predicts several targets at once; irislib shows models with one target."
        return [many] if _has_many_targets(estimator) else []
    if kind in OTHER_KINDS:
        return [f"estimator: {name} {OTHER_KINDS[kind]}; irislib shows classifiers and regressors."]
    if not hasattr(estimator, "predict"):
        return [f"estimator: {name} does not predict; irislib shows classifiers and regressors."]
    return []


def check_classes(estimator: Any) -> list[str]:
    """Return what makes a fitted estimator neither a classifier nor a regressor, one sentence each."""
    classes, kind, name = getattr(estimator, "classes_", None), _kind(estimator), type(estimator).__name__
    if kind == "classifier" and classes is None:
        return [f"estimator: {name} is a classifier without classes_; set them in its fit: numpy.unique(y)."]
    if kind is None and classes is not None and len(classes):
        return [f"estimator: {name} has classes_ and does not say that it is a classifier; derive it from "
                "sklearn.base.ClassifierMixin, before BaseEstimator."]  # fmt: skip
    return []


def check_predictions(estimator: Any, predictions: Any) -> list[str]:
    """Return what makes the predictions of a fitted estimator unusable, one sentence each: more than one for a row."""
    import numpy as np

    array = np.asarray(predictions)
    if array.ndim != 2 or array.shape[1] < 2:
        return []
    predicts = f"this {type(estimator).__name__} predicts {array.shape[1]} targets"
    return [f"estimator: {predicts}; irislib shows models with one target."]


def _kind(estimator: Any) -> str | None:
    """Return the type of an estimator as scikit-learn has it, or None if it does not say."""
    from sklearn.base import is_classifier, is_regressor

    try:
        if is_classifier(estimator):
            return "classifier"
        if is_regressor(estimator):
            return "regressor"
    except (AttributeError, TypeError):  # an estimator without scikit-learn's tags
        pass
    kind = getattr(estimator, "_estimator_type", None)
    try:
        from sklearn.utils import get_tags

        tags = get_tags(estimator)
        kind = tags.estimator_type or kind
        if kind is None and tags.transformer_tags is not None:
            kind = "transformer"
    except (AttributeError, TypeError, ImportError):
        pass
    return kind


def _has_many_targets(estimator: Any) -> bool:
    """Return True if an estimator never predicts a single target, alone or at the end of pipelines and searches."""
    from sklearn.utils import get_tags

    inner = getattr(estimator, "estimator", None)  # AdaBoost's is None; an ensemble that is not fitted has no length
    last = last_step(estimator if inner is None else inner)
    try:
        return any(not get_tags(part).target_tags.single_output for part in (estimator, last))
    except (AttributeError, TypeError, ValueError):  # an estimator without scikit-learn's tags
        return False


def is_fitted(estimator: Any) -> bool:
    """Return True if an estimator was fitted, also one of CatBoost or a FrozenEstimator."""
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if callable(method := getattr(estimator, "is_fitted", None)):
        return bool(method())
    last = last_step(estimator)
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError, ValueError, AttributeError):
        return False
    # a Gaussian process can draw from its prior, so that scikit-learn takes it as fitted from the start
    return hasattr(last, "__sklearn_is_fitted__") or any(n.endswith("_") and n[:2] != "__" for n in vars(last))


def require_columns(estimator: Any, columns: list[Any], in_order: bool = True) -> None:
    """Raise DataError unless these columns of features are those that an estimator was fitted on.

    Parameters
    ----------
    estimator : fitted estimator
    columns : list
    in_order : bool
        Whether they must have its order, too.
    """
    names = getattr(estimator, "feature_names_in_", None)
    own = columns if names is None else list(names)
    missing = [str(name) for name in own if name not in columns]
    further = [str(column) for column in columns if column not in own]
    if not missing and not further and (own == columns or not in_order):
        return
    key = "columns.missing" if missing else "columns.further" if further else "columns.order"
    raise DataError(TEXTS[f"fitted.{key}"].format(columns=shorten_list(missing or further or list(map(str, own)))))


def last_step(estimator: Any) -> Any:
    """Return the estimator at the end of pipelines and searches; one that is not fitted has no best estimator."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif getattr(estimator, "steps", None) and hasattr(estimator, "named_steps"):
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def has_threshold(estimator: Any) -> bool:
    """Return True if a fitted classifier decides by a threshold of its own, not by the largest probability."""
    from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

    return isinstance(last_step(estimator), FixedThresholdClassifier | TunedThresholdClassifierCV)


def probability_threshold(estimator: Any) -> float | None:
    """Return the probability from which on a fitted classifier with a threshold predicts its positive class.

    None if it has no threshold, or one of its decision function.
    """
    if not has_threshold(estimator):
        return None
    last = last_step(estimator)
    if last.response_method == "decision_function" or not hasattr(last, "predict_proba"):
        return None
    threshold = last.best_threshold_ if hasattr(last, "best_threshold_") else last.threshold
    return 0.5 if threshold == "auto" else float(threshold)


def unfitted_copy(estimator: Any) -> Any:
    """Return a clone of an estimator, or a deep copy of one that was not fitted and cannot be cloned.

    CatBoost copies its ``cat_features``, which ``clone`` refuses.
    """
    from sklearn.base import clone

    try:
        return clone(estimator)
    except RuntimeError:
        if is_fitted(estimator):
            raise
        return copy.deepcopy(estimator)
