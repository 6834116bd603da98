"""Predictions for many rows at once: CSV files and the endpoint's batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from irislib._common.language import settled_language
from irislib._common.messages.validation import TEXTS
from irislib._compiled import predict_many_rows
from irislib._description.class_names import to_names
from irislib._modeling.prediction import near_ties
from irislib._modeling.training_warnings import Warned, training_warnings
from irislib.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["ManyPredictions", "predict_many", "probability_names"]


@dataclass(frozen=True)
class ManyPredictions:
    """Predictions, warnings and problems of some rows, which are numbered from 0.

    Attributes
    ----------
    columns : list of list
        The predictions, then the probabilities of each class if there are any. Each holds a value
        for every row, which is None if the row has no prediction.
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

    columns: list[list[Any]]
    warnings: list[Warned]
    problems: dict[int, list[Problem]]
    frame: pd.DataFrame
    predicted: Sequence[int]


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
        frame, predictable = frame.iloc[good], [checked_rows[i] for i in good]
    else:
        predictable = checked_rows
    with settled_language():
        columns, ties = _predict_columns(model, frame, digits)
        warnings = [*training_warnings(model, frame), *ties] if len(frame) else []
    unpredicted = [i for i, prediction in enumerate(columns[0]) if prediction is None]
    warnings = [_of_table(warned, unpredicted, predictable) for warned in warnings]
    for i in unpredicted:
        problems[predictable[i]] = [Problem(TEXTS["no_prediction"])]
    if len(predictable) < count:
        columns = [_spread(column, predictable, count) for column in columns]
    numbered = {row: [replace(p, row=start + row) for p in problems[row]] for row in sorted(problems)}
    return ManyPredictions(columns, warnings, numbered, frame, predictable)


def _predict_columns(model: Model, rows: pd.DataFrame, digits: int | None) -> tuple[list[list[Any]], list[Warned]]:
    """The columns of :class:`ManyPredictions`, with None for a number that is not finite, and the near ties."""
    import numpy as np

    ties: list[Warned] = []
    if not len(rows):
        return [[] for _ in ("prediction", *probability_names(model))], ties
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
    numbers = [array for array in arrays if array.dtype.kind == "f"]
    columns = [array.tolist() for array in arrays]
    for row in np.flatnonzero(~np.isfinite(numbers).all(axis=0)) if numbers else ():
        for column in columns:
            column[row] = None
    return columns, ties


def _of_table(warned: Warned, unpredicted: Sequence[int], rows: Sequence[int]) -> Warned:
    """Return the warnings of rows that have a prediction, by their rows in the whole table."""
    import numpy as np

    if unpredicted:
        is_predicted = ~np.isin(warned.rows, unpredicted)
        warned = Warned(warned.rows[is_predicted], warned.codes[is_predicted], warned.problems)
    if isinstance(rows, range):
        return warned
    return Warned(np.asarray(rows, int)[warned.rows], warned.codes, warned.problems)


def _spread(values: list[Any], rows: Sequence[int], count: int) -> list[Any]:
    spread = [None] * count
    for row, value in zip(rows, values, strict=True):
        spread[row] = value
    return spread
