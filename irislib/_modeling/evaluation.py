"""The evaluation of a model on test rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Evaluation"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The predictions for the test rows, and the metrics.

    Attributes
    ----------
    features : DataFrame of shape (n_test, n_features)
    y_true, y_pred : ndarray of shape (n_test,)
    y_proba : ndarray of shape (n_test, n_classes) or None
    metrics : dict of str to float
        For a classifier ``accuracy``, ``balanced_accuracy`` and the ``baseline_accuracy`` of always
        predicting the commonest class; for a regressor ``r2``, and in the target's unit
        ``mean_absolute_error``, ``root_mean_squared_error`` and the
        ``baseline_mean_absolute_error`` of always predicting the median.
    """

    features: pd.DataFrame
    y_true: np.ndarray
    y_pred: np.ndarray
    y_proba: np.ndarray | None
    metrics: dict[str, float]
