"""Predictions for many rows at once: CSV files and the endpoint's batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from irislib._common.language import settled_language
from irislib._common.messages.validation import TEXTS
from irislib._compiled import predict_many_rows
from irislib._description.class_names import to_names
from irislib._description.validation import with_own_dtypes
from irislib._modeling.prediction import near_ties
from irislib._modeling.refusals import answered_rows
from irislib._modeling.training_warnings import Warned, training_warnings
from irislib.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["ManyPredictions", "predict_many", "probability_names"]


@dataclass(frozen=True)
class ManyPredictions:
    """Predictions, warnings and problems of some rows, which are numbered from 0.

    Attributes
    ----------
    arrays : list of ndarray of shape (n_rows,)
        The predictions, then the probabilities of each class if there are any; whatever it is for a row that has no
        prediction.
    has_prediction : ndarray of bool of shape (n_rows,)
    warnings : list of Warned
        Only of rows that have a prediction.
    problems : dict of int to list of Problem
        By row, in order; empty if a row has no prediction and needs none. The row in a problem
        itself counts from the beginning of the whole table.
    frame : DataFrame
        The checked rows that were predicted.
    predicted : sequence of int
        The rows of that frame.
    """

    arrays: list[np.ndarray]
    has_prediction: np.ndarray
    warnings: list[Warned]
    problems: dict[int, list[Problem]]
    frame: pd.DataFrame
    predicted: Sequence[int]

    @cached_property
    def columns(self) -> list[list[Any]]:
        """The arrays as lists, with None for a row that has no prediction."""
        columns = [array.tolist() for array in self.arrays]
        for row in (~self.has_prediction).nonzero()[0].tolist():
            for column in columns:
                column[row] = None
        return columns


def probability_names(model: Model) -> list[str]:
    """The names of the classes whose probabilities are predicted; none for a regression."""
    return [str(name) for name in model.classes or ()] if model.has_probabilities else []


def predict_many(
    model: Model,
    checked: tuple[pd.DataFrame, Iterable[Problem]],
    refused: Mapping[int, Sequence[Problem]],
    start: int = 0,
    digits: int | None = None,
) -> ManyPredictions:
    """Predict some rows of a table; a bad row does not prevent the predictions of the others.

    Parameters
    ----------
    model : Model
    checked : tuple of DataFrame and list of Problem
        The rows that are not refused, from `check_columns` or `check_values`.
    refused : dict of int to list of Problem
        The rows between them that were not checked, for they get no prediction anyway, with their problems.
    start : int
        The index in the whole table of the first of all these rows.
    digits : int, optional
        The decimals to which probabilities are rounded.
    """
    frame, value_problems = checked
    count = len(frame) + len(refused)
    checked_rows: Sequence[int]
    predictable: Sequence[int]
    checked_rows = [row for row in range(count) if row not in refused] if refused else range(count)
    problems = {row: list(row_problems) for row, row_problems in refused.items()}
    for problem in value_problems:
        if problem.row is not None:
            problems.setdefault(checked_rows[problem.row], []).append(problem)
    if problems:
        good = [i for i, row in enumerate(checked_rows) if row not in problems]
        frame = with_own_dtypes(model.spec.features, frame.iloc[good])
        predictable = [checked_rows[i] for i in good]
    else:
        predictable = checked_rows
    with settled_language():
        try:
            arrays, is_finite, ties = _predict_arrays(model, frame, digits)
        except Exception as error:  # estimators have errors of their own
            answered = answered_rows(model, frame, error)
            problems |= {row: [Problem(TEXTS["no_prediction"])] for row in predictable}
            frame, predictable = frame.iloc[answered], [predictable[i] for i in answered]
            for row in predictable:
                del problems[row]
            arrays, is_finite, ties = _predict_arrays(model, frame, digits)
        warnings = [*training_warnings(model, frame), *ties] if len(frame) else []
    unpredicted = (~is_finite).nonzero()[0]
    warnings = [_of_table(warned, unpredicted, predictable) for warned in warnings]
    for i in unpredicted.tolist():
        problems[predictable[i]] = [Problem(TEXTS["no_prediction"])]
    if len(predictable) < count:
        arrays = [_spread(array, predictable, count) for array in arrays]
        is_finite = _spread(is_finite, predictable, count)
    numbered = {row: [replace(p, row=start + row) for p in problems[row]] for row in sorted(problems)}
    return ManyPredictions(arrays, is_finite, warnings, numbered, frame, predictable)


def _predict_arrays(
    model: Model, rows: pd.DataFrame, digits: int | None
) -> tuple[list[np.ndarray], np.ndarray, list[Warned]]:
    """Return the arrays of :class:`ManyPredictions`, whether all numbers of a row are finite, and the near ties."""
    import numpy as np

    ties: list[Warned] = []
    if not len(rows):
        return [np.empty(0, object) for _ in ("prediction", *probability_names(model))], np.zeros(0, bool), ties
    if not probability_names(model):
        arrays = [model.predict_frame(rows)]
    else:
        shares = predict_many_rows(model.estimator, "predict_proba", rows)
        if not model.has_threshold:
            ties = [near_ties(model.classes, shares)]
        if model.predicts_likeliest:  # predict would ask every tree once more
            predictions = to_names(model.spec.classes, model.estimator.classes_.take(shares.argmax(axis=1)))
        else:
            predictions = model.predict_frame(rows)
        arrays = [predictions, *(shares if digits is None else shares.round(digits)).T]
    is_finite = np.ones(len(rows), bool)
    for array in arrays:
        if array.dtype.kind == "f":
            is_finite &= np.isfinite(array)
    return arrays, is_finite, ties


def _of_table(warned: Warned, unpredicted: np.ndarray, rows: Sequence[int]) -> Warned:
    """Return the warnings of rows that have a prediction, by their rows in the whole table."""
    import numpy as np

    if len(unpredicted):
        is_predicted = ~np.isin(warned.rows, unpredicted)
        warned = Warned(warned.rows[is_predicted], warned.codes[is_predicted], warned.problems)
    if isinstance(rows, range):
        return warned
    return Warned(np.asarray(rows, int)[warned.rows], warned.codes, warned.problems)


def _spread(values: np.ndarray, rows: Sequence[int], count: int) -> np.ndarray:
    """Return an array of all rows with the values of some; the others are False, 0 or the like."""
    import numpy as np

    spread = np.zeros(count, values.dtype)
    spread[np.asarray(rows, int)] = values
    return spread
