"""The evaluation of a model on test rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn

from irislib._common.messages.validation import TEXTS
from irislib._description.class_names import to_names
from irislib.errors import NotApplicableError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["COVERAGE", "Evaluation", "NoEvaluation", "conformal_limit", "evaluate", "main_metric"]

COVERAGE = 0.9  # how often the truth is within the interval around a number
UNBALANCED = 0.8  # share of the commonest class


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The predictions for the test rows, and the metrics.

    Attributes
    ----------
    features : DataFrame of shape (n_test, n_features)
    y_true, y_pred : ndarray of shape (n_test,)
    y_proba : ndarray of shape (n_test, n_classes) or None
    metrics : dict of str to float
        For a classifier ``accuracy``, ``balanced_accuracy``, and the ``baseline_accuracy`` and
        ``baseline_balanced_accuracy`` of always predicting the commonest class; for a regressor ``r2``, and in the
        target's unit ``mean_absolute_error``, ``root_mean_squared_error`` and the
        ``baseline_mean_absolute_error`` of always predicting the median.
    median : float or None
        What that baseline of a regressor predicts: the median of the training rows. None for a classifier, without
        training rows, and for a model that was stored before its evaluation had it.
    """

    features: pd.DataFrame
    y_true: np.ndarray
    y_pred: np.ndarray
    y_proba: np.ndarray | None
    metrics: dict[str, float]
    median: float | None = None

    @cached_property
    def interval_width(self) -> float | None:
        """Half the width of the interval around a predicted number that holds 90 % of true values; None if unknown.

        It is that of :func:`irislib.insights.prediction_set`: a prediction is at most this far off.
        """
        if self.y_proba is not None or self.y_pred.dtype.kind not in "iuf":
            return None
        limit = conformal_limit(abs(self.y_true - self.y_pred), COVERAGE)
        return limit if math.isfinite(limit) else None

    @property
    def trial_rows(self) -> pd.DataFrame:
        """Rows to try the model with, of which no truth is needed: the test rows, or made-up ones if there are none."""
        return self.features

    @property
    def trial_predictions(self) -> np.ndarray:
        """The predictions for these rows."""
        return self.y_pred

    @property
    def is_unbalanced(self) -> bool:
        """True if 80 % of the rows or more are of the commonest class, so that a high accuracy says little."""
        metrics = self.metrics
        return "baseline_balanced_accuracy" in metrics and metrics["baseline_accuracy"] >= UNBALANCED

    @property
    def measures(self) -> dict[str, float]:
        """The metrics without the baselines, the one that says most first."""
        measures = {name: value for name, value in self.metrics.items() if not name.startswith("baseline_")}
        if self.is_unbalanced:
            return {"balanced_accuracy": measures.pop("balanced_accuracy"), **measures}
        return measures


class NoEvaluation(Evaluation):
    """A substitute for the evaluation of a model that came without rows: its test rows are a NotApplicableError.

    Parameters
    ----------
    rows : DataFrame of shape (n_rows, n_features)
        Made-up rows to try the model with.
    predictions : ndarray of shape (n_rows,)
        The predictions for them.
    """

    _rows: pd.DataFrame
    _predictions: np.ndarray

    def __init__(self, rows: pd.DataFrame, predictions: np.ndarray):
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_predictions", predictions)
        object.__setattr__(self, "metrics", {})

    def _refuse(self) -> NoReturn:
        raise NotApplicableError(TEXTS["no_test_rows"])

    features = property(_refuse)
    y_true = property(_refuse)
    y_pred = property(_refuse)
    y_proba = property(_refuse)
    interval_width = None

    @property
    def trial_rows(self) -> pd.DataFrame:
        """Made-up rows."""
        return self._rows

    @property
    def trial_predictions(self) -> np.ndarray:
        """The predictions for these rows."""
        return self._predictions


def main_metric(metrics: Mapping[str, float]) -> tuple[str, float | None, float | None]:
    """Return the name of the metric that says most, its value, and that of the baseline; None if there is none."""
    names = ["accuracy", "mean_absolute_error", "r2"]
    if metrics.get("baseline_accuracy", 0) >= UNBALANCED:
        names.insert(0, "balanced_accuracy")
    name = next((name for name in names if name in metrics), "")
    return name, metrics.get(name), metrics.get(f"baseline_{name}")


def conformal_limit(errors: Any, coverage: float) -> float:
    """Return how far off a prediction may be to be within; infinite if there are too few errors to say.

    Parameters
    ----------
    errors : array-like of shape (n,)
    coverage : float
    """
    import numpy as np

    rank = math.ceil((len(errors) + 1) * coverage - 1e-9)
    return math.inf if rank > len(errors) else float(np.sort(errors)[rank - 1])


def evaluate(
    estimator: Any, x: pd.DataFrame, y: np.ndarray, y_train: np.ndarray, names: Mapping[Any, str]
) -> Evaluation:
    """Evaluate a fitted estimator on test rows, beside a baseline that has learnt the training rows' target.

    Parameters
    ----------
    estimator : fitted classifier or regressor
    x : DataFrame of shape (n_test, n_features)
    y, y_train : ndarray of shape (n_test,) and (n_train,)
        True values; of a classifier the codes that it predicts. The same array if there are no training rows.
    names : mapping of code to str
        Names of the classes; the evaluation has these instead of the codes.
    """
    import numpy as np
    from sklearn.base import is_classifier
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.metrics import (
        accuracy_score,
        mean_absolute_error,
        r2_score,
        recall_score,
        root_mean_squared_error,
    )

    predicted, median = np.asarray(estimator.predict(x)).ravel(), None
    if is_classifier(estimator):
        baseline = DummyClassifier().fit(y_train, y_train).predict(y)
        recall = partial(recall_score, y, labels=np.unique(y), average="macro")
        metrics = {
            "accuracy": accuracy_score(y, predicted),
            "balanced_accuracy": recall(predicted),
            "baseline_accuracy": accuracy_score(y, baseline),
            "baseline_balanced_accuracy": recall(baseline),
        }
    else:
        baseline = DummyRegressor(strategy="median").fit(y_train, y_train).predict(y)
        median = None if y_train is y else float(np.median(y_train))
        # the difference of two numbers of 8 bits, or without a sign, would be another one
        y, predicted = (array.astype("int64") if array.dtype.kind in "biu" else array for array in (y, predicted))
        metrics = {
            "r2": r2_score(y, predicted),
            "mean_absolute_error": mean_absolute_error(y, predicted),
            "root_mean_squared_error": root_mean_squared_error(y, predicted),
            "baseline_mean_absolute_error": mean_absolute_error(y, baseline),
        }
    proba = estimator.predict_proba(x) if hasattr(estimator, "predict_proba") else None
    true, predicted = to_names(names, y), to_names(names, predicted)
    numbers = {name: float(value) for name, value in metrics.items()}
    return Evaluation(x.reset_index(drop=True), true, predicted, proba, numbers, median)
