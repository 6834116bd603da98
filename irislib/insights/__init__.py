"""Insights: what a model relies on, how well it does, and how sure it is of a prediction.

Each function returns an :class:`Insight`: the numbers in ``.frame``, a picture from ``.plot()``
(a :class:`matplotlib.figure.Figure`), and one plain sentence in ``.text``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from irislib._common.messages import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.insights._base import Insight
from irislib.insights._class_probabilities import class_probabilities
from irislib.insights._classification import calibration, class_metrics, confusion_matrix
from irislib.insights._comparison import comparison
from irislib.insights._conformal import prediction_set
from irislib.insights._counterfactuals import smallest_changes
from irislib.insights._curves import precision_recall_curve, roc_curve
from irislib.insights._importance import feature_importances, is_forest, permutation_importance
from irislib.insights._long_running import on_demand
from irislib.insights._partial_dependence import partial_dependence
from irislib.insights._regression import predicted_against_true, residuals
from irislib.insights._resampling import cross_validation, learning_curve
from irislib.insights._shapley import contributions
from irislib.insights._thresholds import decision_threshold, gains
from irislib.insights._what_if import what_if

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = [
    "Insight",
    "calibration",
    "class_metrics",
    "class_probabilities",
    "comparison",
    "confusion_matrix",
    "contributions",
    "cross_validation",
    "decision_threshold",
    "default_tabs",
    "feature_importances",
    "gains",
    "learning_curve",
    "on_demand",
    "partial_dependence",
    "permutation_importance",
    "precision_recall_curve",
    "predicted_against_true",
    "prediction_set",
    "residuals",
    "roc_curve",
    "smallest_changes",
    "what_if",
]


@takes_model
def default_tabs(model: Model) -> dict[str, list[Callable[..., Insight]]]:
    """Return the tabs of a model's app besides the prediction, if its spec lists none.

    Returns
    -------
    dict of str to list of functions
        The insights of each tab, by its title. To change them, pass such a dict as ``ModelSpec(tabs=…)``, with any
        functions that take the model, or the model and a prediction, and return an :class:`Insight`.
    """
    if not model.is_evaluated:
        return {TEXTS["why"]: [what_if]} if _can_move(model) else {}
    forest: list[Callable[..., Insight]] = [feature_importances] if is_forest(model.estimator) else []
    why: list[Callable[..., Insight]]
    if model.classes is None:
        why = [contributions, what_if, prediction_set]
        performance = [predicted_against_true, residuals]
    else:
        why = [contributions, what_if, smallest_changes, prediction_set]
        of_two = [decision_threshold, gains] if len(model.classes) == 2 and model.has_probabilities else []
        performance = [confusion_matrix, class_metrics, *of_two, calibration, roc_curve, precision_recall_curve]
    return {
        TEXTS["why"]: why,
        TEXTS["insights"]: [*forest, permutation_importance, partial_dependence],
        TEXTS["performance"]: [*performance, cross_validation, learning_curve],
    }


def _can_move(model: Model) -> bool:
    """Return whether a feature of a model without rows has values to go through."""
    features = model.spec.features
    is_sure = model.classes is None or model.has_probabilities
    return is_sure and any(
        feature.type.categories(feature) or None not in (feature.low, feature.high) for feature in features
    )


def __dir__() -> list[str]:
    return __all__
