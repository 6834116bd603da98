"""Many rows answered at once, for tables and for the endpoint's batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from irislib.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["ManyPredictions", "predict_many", "probability_names"]


@dataclass(frozen=True)
class ManyPredictions:
    """What became of some rows, which are numbered from 0 here.

    Attributes
    ----------
    columns : list of list
        The predictions, then the probabilities of each class if there are any. Each holds a value
        for every row, which is None where there is no answer.
    warnings : dict of int to list of Problem
        By row.
    problems : dict of int to list of Problem
        By row, in order; empty where a row has no answer and needs none. A problem itself tells
        its row in the whole table.
    """

    columns: list[list[Any]]
    warnings: dict[int, list[Problem]]
    problems: dict[int, list[Problem]]


def probability_names(model: Model) -> list[str]:
    """The names of the classes whose probabilities are in an answer; none for a regression."""
    return [str(name) for name in model.classes or ()] if model.has_probabilities else []


def predict_many(
    model: Model,
    checked: tuple[pd.DataFrame, Iterable[Problem]],
    refused: Mapping[int, Sequence[Problem]],
    start: int = 0,
    digits: int | None = None,
) -> ManyPredictions:
    """Answer some rows of a table; a bad row does not keep the others from being answered.

    Parameters
    ----------
    model : Model
    checked : tuple of DataFrame and list of Problem
        The rows, from `check_columns` or `check_values`.
    refused : dict of int to list of Problem
        Rows that get no answer whatever their values are, and what to say of them.
    start : int
        The place of the first of these rows in the whole table.
    digits : int, optional
        To which probabilities are rounded.
    """
    frame, found = checked
    problems = {row: list(told) for row, told in refused.items()}
    for problem in found:
        if problem.row is not None and problem.row not in refused:
            problems.setdefault(problem.row, []).append(problem)
    good = [row for row in range(len(frame)) if row not in problems]
    sound = frame.iloc[good] if problems else frame
    columns, ties = _predicted(model, sound, digits)
    warnings: dict[int, list[Problem]] = {}
    for doubt in model.unlike_training(sound):
        warnings.setdefault(good[doubt.row or 0], []).append(doubt)
    for place, doubt in ties.items():
        warnings.setdefault(good[place], []).append(doubt)
    for row, prediction in zip(good, columns[0], strict=True):
        if prediction is None:
            problems[row] = [Problem("The model gives no answer for these values.")]
            warnings.pop(row, None)
    if len(good) < len(frame):
        columns = [_spread(column, good, len(frame)) for column in columns]
    told = {row: [replace(p, row=start + row) for p in problems[row]] for row in sorted(problems)}
    return ManyPredictions(columns, warnings, told)


def _predicted(model: Model, rows: pd.DataFrame, digits: int | None) -> tuple[list[list[Any]], dict[int, Problem]]:
    """The predictions, and the probabilities of each class; None where a number is none. Which are near ties."""
    import numpy as np

    ties: dict[int, Problem] = {}
    if not len(rows):
        return [[] for _ in ("prediction", *probability_names(model))], ties
    if not probability_names(model):
        arrays = [model.estimator.predict(rows)]
    else:
        shares = model.estimator.predict_proba(rows)
        ties = model.near_ties(shares)
        arrays = [_most_likely(model, rows, shares), *(shares if digits is None else shares.round(digits)).T]
    numbers = [array for array in arrays if array.dtype.kind == "f"]
    columns = [array.tolist() for array in arrays]
    for row in np.flatnonzero(~np.isfinite(numbers).all(axis=0)) if numbers else ():
        for column in columns:
            column[row] = None
    return columns, ties


def _most_likely(model: Model, rows: pd.DataFrame, shares: np.ndarray) -> np.ndarray:
    """The prediction of each row; for others than forests it need not be the class of the largest probability."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    if type(model.estimator) in (ExtraTreesClassifier, RandomForestClassifier):
        # what their own `predict` does, after it asked every tree once more
        return model.estimator.classes_.take(shares.argmax(axis=1))  # type: ignore[no-any-return]
    return model.estimator.predict(rows)  # type: ignore[no-any-return]


def _spread(values: list[Any], places: list[int], count: int) -> list[Any]:
    spread = [None] * count
    for place, value in zip(places, values, strict=True):
        spread[place] = value
    return spread
