"""Estimators that predict the same for every row: the dummies of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from irislib._compiled.fast_form import NoFasterFormError, RowPredictor
from irislib._compiled.predictors import FIRST, NumberPredictor, ScorePredictor

__all__ = ["CONSTANTS"]


def _dummy_classifier(estimator: Any) -> RowPredictor:
    classes, shares = estimator.classes_.tolist(), estimator.class_prior_.tolist()
    strategy = estimator._strategy
    if strategy == "constant":
        index = (estimator.classes_ == estimator.constant).tolist().index(True)
    elif strategy in ("prior", "most_frequent"):
        index = shares.index(max(shares))
    else:
        raise NoFasterFormError("this DummyClassifier guesses.")
    certain = [float(i == index) for i in range(len(classes))]
    probabilities = shares if strategy == "prior" else certain
    return ScorePredictor(
        type(estimator).__name__,
        classes,
        lambda row: certain,
        lambda scores: probabilities,
        has_decision=False,
        checks=False,
        tie=FIRST,
        tolerance=0.0,
    )


def _dummy_regressor(estimator: Any) -> RowPredictor:
    number = float(estimator.constant_.item())
    return NumberPredictor(type(estimator).__name__, lambda row: number, checks=False, tolerance=0.0)


CONSTANTS: dict[str, Callable[[Any], RowPredictor]] = {
    "DummyClassifier": _dummy_classifier,
    "DummyRegressor": _dummy_regressor,
}
