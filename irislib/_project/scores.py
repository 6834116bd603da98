"""Scores of the estimators that a draft chooses from, by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib._modeling.threads import idle_cores_only

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["cross_validated", "effort", "log_loss"]

FOLDS, FEWER_FOLDS = 5, 3
LONG = 4_000  # rows times classes, of which there are fewer folds
# Boosting takes long in proportion to the columns of all its trees, so that there are as many folds and iterations as
# keep their number. A time would not do: the choice has to be the same on every machine.
WORK = 50_000  # trees times columns
ITERATIONS, FEWEST_ITERATIONS = 100, 20  # of boosting


def cross_validated(
    estimator: Any, x: pd.DataFrame, y: np.ndarray, is_classifier: bool, width: int
) -> tuple[float, float] | None:
    """Return the log loss and accuracy of a classifier, or the mean error and R² of a regressor.

    None if it cannot be trained. ``width`` is about how many columns the last part of the estimator gets.
    """
    from sklearn.model_selection import KFold, StratifiedKFold, cross_validate

    classes = len(set(y.tolist())) if is_classifier else 1
    count = FEWER_FOLDS if len(x) * classes > LONG and is_classifier else FOLDS
    folds = (StratifiedKFold if is_classifier else KFold)(count, shuffle=True, random_state=0)
    splits, iterations = effort(width * (classes if classes > 2 else 1), count)
    scoring: dict[str, Any] = {"loss": "neg_mean_absolute_error", "other": "r2"}
    if is_classifier:
        scoring = {"loss": _negative_log_loss, "other": "accuracy"}
    with idle_cores_only(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes with few rows, which a finding says
        try:
            scores = cross_validate(
                _shortened(estimator, iterations),
                x,
                y,
                cv=list(folds.split(x, y))[:splits],
                scoring=scoring,
                error_score=float("nan"),
            )
        except ValueError:  # all folds failed
            return None
    loss, other = -float(scores["test_loss"].mean()), float(scores["test_other"].mean())
    return None if loss != loss else (loss, other)


def effort(work: int, folds: int) -> tuple[int, int]:
    """Return how many of some folds are tried, and with how many iterations, of which each has some work."""
    splits = min(folds, max(1, WORK // (ITERATIONS * work)))
    return splits, min(ITERATIONS, max(FEWEST_ITERATIONS, WORK // work))


def _shortened(estimator: Any, iterations: int) -> Any:
    """Return an estimator whose boosting makes so many steps, larger ones if they are fewer than usual."""
    last = estimator[-1] if hasattr(estimator, "steps") else estimator
    if iterations < ITERATIONS and hasattr(last, "learning_rate"):
        last.set_params(max_iter=iterations, learning_rate=last.learning_rate * ITERATIONS / iterations)
    return estimator


def _negative_log_loss(estimator: Any, x: pd.DataFrame, y: np.ndarray) -> float:
    return -log_loss(y.tolist(), estimator.predict_proba(x), estimator.classes_.tolist())


def log_loss(true: Sequence[Any], probabilities: np.ndarray, classes: Sequence[Any]) -> float:
    """Return the mean of the negative logarithms of the probabilities of true classes.

    Rows of a class that the model has not seen are left out, and not every class has to be among the rows.

    Parameters
    ----------
    true : sequence of shape (n_rows,)
    probabilities : ndarray of shape (n_rows, n_classes)
    classes : sequence of shape (n_classes,)
        In the order of the columns.
    """
    import numpy as np

    columns = {name: column for column, name in enumerate(classes)}
    known = [(row, columns[name]) for row, name in enumerate(true) if name in columns]
    if not known:
        return float("nan")
    shares = probabilities[tuple(np.transpose(known))].astype(float)
    return float(-np.log(np.clip(shares, np.finfo(float).eps, 1)).mean())
