"""The parts for nearest neighbours, where there are few enough training rows to measure the distance of each."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Row, RowPredictor
from irislib._compiled.predictors import FIRST, TIE, NumberPredictor, ScorePredictor, Scores

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NEIGHBORS"]

MAX_SIZE = 300_000  # numbers of the training rows: scikit-learn's tree of them is faster then

Nearest = Callable[[Row], "tuple[np.ndarray, np.ndarray]"]


def _nearest(estimator: Any) -> Nearest:
    """Return the function from a row to the targets of its neighbours and their weights."""
    import numpy as np

    rows, targets, count = estimator._fit_X, estimator._y, estimator.n_neighbors
    if estimator.effective_metric_ != "euclidean" or estimator.weights not in ("uniform", "distance"):
        raise NoFasterFormError(f"this {type(estimator).__name__} has a metric or weights of its own.")
    if not isinstance(rows, np.ndarray) or rows.size > MAX_SIZE or targets.ndim > 1 or count >= len(rows):
        raise NoFasterFormError(f"this {type(estimator).__name__} has more than {MAX_SIZE:,} numbers to compare.")
    by_distance = estimator.weights == "distance"

    def find(row: Row) -> tuple[np.ndarray, np.ndarray]:
        difference = rows - np.array(row, dtype=float)
        squares = (difference * difference).sum(axis=1)
        nearest = squares.argpartition(count)[: count + 1]
        nearest = nearest[squares.take(nearest).argsort()]
        limit = squares[nearest[-1]]
        if not isfinite(limit):  # too far to be squared: the nearest of these are arbitrary
            raise HardRowError
        if limit - squares[nearest[-2]] <= TIE * limit:  # which of them is nearer does not matter if they are alike
            alike = targets[np.abs(squares - limit) <= 2 * TIE * limit]
            if by_distance or (alike != alike[0]).any():
                raise HardRowError
        nearest = nearest[:-1]
        if not by_distance:
            return targets.take(nearest), np.ones(count)
        distances = np.sqrt(squares.take(nearest))
        return targets.take(nearest), 1.0 / distances if distances[0] else (distances == 0).astype(float)

    return find


def _classifier(estimator: Any) -> RowPredictor:
    import numpy as np

    classes, find = estimator.classes_.tolist(), _nearest(estimator)

    def shares(row: Row) -> Scores:
        votes = np.bincount(*find(row), minlength=len(classes))
        return (votes / votes.sum()).tolist()  # type: ignore[no-any-return]

    tie = FIRST if estimator.weights == "uniform" else TIE
    return ScorePredictor(type(estimator).__name__, classes, shares, list, has_decision=False, tie=tie)


def _regressor(estimator: Any) -> RowPredictor:
    find = _nearest(estimator)

    def average(row: Row) -> float:
        targets, weights = find(row)
        return float((targets * weights).sum() / weights.sum())

    return NumberPredictor(type(estimator).__name__, average)


NEIGHBORS: dict[str, Callable[[Any], RowPredictor]] = {
    "KNeighborsClassifier": _classifier,
    "KNeighborsRegressor": _regressor,
}
