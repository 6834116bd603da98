"""Rows that a sound estimator refuses: each of them has a problem, and none of them keeps another from its answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from irislib._common.messages.validation import TEXTS
from irislib._compiled import predict_many_rows
from irislib._description.fingerprint import estimator_parts, package_of
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["answered_rows", "is_refusal", "log_refusal", "no_prediction"]

log = logging.getLogger(__name__)

FEW = 8  # rows that are predicted one by one, for halves of so few cost as much


def no_prediction() -> ValidationError:
    """Return the error of a row that has no prediction."""
    return ValidationError([Problem(TEXTS["no_prediction"])])


def is_refusal(estimator: Any, error: BaseException) -> bool:
    """Return True for an error with which an estimator refuses values: a ValueError, or one of its own library.

    CatBoost and LightGBM have such errors. Any other error of a program, such as a KeyError, is a fault of it.
    """
    if isinstance(error, ValueError):
        return True
    parts = estimator_parts(estimator) if hasattr(estimator, "get_params") else [estimator]
    return _library(error) in {_library(part) for part in parts if hasattr(part, "fit")}


def _library(value: Any) -> str:
    return package_of(value).strip("_")  # CatBoost's errors come from _catboost


def log_refusal(model: Model, error: BaseException, count: int = 1) -> None:
    """Log what an estimator says about rows that it refuses; the answer does not say it."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    rows = "a row" if count == 1 else f"{count:,} rows"
    log.warning("The estimator of %s refuses %s: %s", model.spec.name, rows, reason)


def answered_rows(model: Model, frame: pd.DataFrame, error: Exception) -> list[int]:
    """Return the positions of the rows that the estimator predicts, after an error of all of them together.

    Raises
    ------
    Exception
        The error itself if it is not about some of the rows: it is no refusal, or the estimator predicts no row at all,
        or every one alone.
    """
    import numpy as np

    if not is_refusal(model.estimator, error) or not model.answers_trial_row:
        raise error
    methods = ["predict_proba"] if model.has_probabilities else ["predict"]
    if model.has_probabilities and not model.predicts_likeliest:
        methods.append("predict")

    def find(start: int, end: int) -> Iterator[int]:
        try:
            for method in methods:
                predict_many_rows(model.estimator, method, frame.iloc[start:end])
        except Exception as refusal:
            if not is_refusal(model.estimator, refusal):
                raise
            size = end - start
            step = 1 if size <= FEW else (size + 1) // 2
            for begin in range(start, end, step) if size > 1 else ():
                yield from find(begin, min(begin + step, end))
        else:
            yield from range(start, end)

    with np.errstate(all="ignore"):  # a warning for each call says no more than the error
        answered = list(find(0, len(frame)))
    if len(answered) == len(frame):
        raise error
    log_refusal(model, error, len(frame) - len(answered))
    return answered
