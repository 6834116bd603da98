"""Rows of CSV files, checked and predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib._description.validation import ambiguous_points, check_columns
from irislib._modeling import many_rows
from irislib._modeling.csv_days import explain_days, to_iso
from irislib._modeling.csv_lines import Lines, Part
from irislib._modeling.csv_numbers import MIXED, to_points
from irislib._modeling.csv_text import is_comment
from irislib.errors import Problem

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.csv_layout import CsvLayout
    from irislib._modeling.model import Model

__all__ = ["check_rows", "filled_rows", "predict_csv_rows", "predict_part"]

DIGITS = 6  # of probabilities in a file for people


def predict_part(model: Model, layout: CsvLayout, rows: Part) -> many_rows.ManyPredictions | None:
    """Predict the rows of a part that are not empty; return None if all are."""
    filled = rows if isinstance(rows, Lines) else [row for row in rows if row]
    return predict_csv_rows(model, layout, filled) if filled else None


def filled_rows(rows: Part, start: int) -> Sequence[int]:
    """Return the positions of the rows of a part that are not empty; its first row is at `start`."""
    positions = range(start, start + len(rows))
    return positions if isinstance(rows, Lines) else [i for i, row in zip(positions, rows, strict=True) if row]


def predict_csv_rows(
    model: Model, layout: CsvLayout, rows: Lines | Sequence[list[str]], start: int = 0
) -> many_rows.ManyPredictions:
    """Predict some rows of a CSV file.

    Parameters
    ----------
    model : Model
    layout : CsvLayout
    rows : Lines, or sequence of list of str
    start : int
        The index in the file of the first of them.
    """
    if isinstance(rows, Lines):
        return many_rows.predict_many(model, _check_lines(model, layout, rows), {}, start, DIGITS)
    width = len(layout.header)
    refused: dict[int, list[Problem]] = {}
    fitted = []
    for i, row in enumerate(rows):
        cells = row if len(row) == width and row[0][:1] != "#" else _cells(layout, row)
        if cells is None:
            problem = Problem(TEXTS["table_width"].format(given=len(row), wanted=width))
            refused[i] = [problem] if row and not is_comment(row, width) else []
        else:
            fitted.append(cells)
    return many_rows.predict_many(model, check_rows(model, layout, fitted), refused, start, DIGITS)


def check_rows(model: Model, layout: CsvLayout, rows: Sequence[list[str]]) -> tuple[pd.DataFrame, list[Problem]]:
    """Check some rows of a CSV file that have a cell for each column: return their values, and their problems."""
    return _check(model, layout, {i: [row[i] for row in rows] for i in layout.columns.values()}, len(rows))


def _check_lines(model: Model, layout: CsvLayout, lines: Lines) -> tuple[pd.DataFrame, list[Problem]]:
    indices = {feature.name: layout.columns.get(feature.name) for feature in model.spec.features}
    plain = {f.name for f in model.spec.features if f.type.is_numeric} - layout.decimal_signs.keys()
    numbers = [i for name, i in indices.items() if i is not None and name in plain]
    others = [i for name, i in indices.items() if i is not None and name not in plain]
    return _check(model, layout, lines.columns(numbers, others), len(lines))


def _check(model: Model, layout: CsvLayout, cells: Mapping[int, Any], count: int) -> tuple[pd.DataFrame, list[Problem]]:
    columns, ambiguous = {}, []
    for feature in model.spec.features:
        if (index := layout.columns.get(feature.name)) is not None:
            texts = cells[index]
            if (sign := layout.decimal_signs.get(feature.name)) is not None:
                ambiguous += ambiguous_points(feature, texts) if sign == MIXED else []
                texts = to_points(texts, feature, sign, layout.delimiter)
            if (formats := layout.day_formats.get(feature.name)) is not None:
                texts = to_iso(texts, formats)
            columns[feature.name] = texts
    frame, problems = check_columns(model.spec.features, columns, count)
    problems = explain_days(problems, layout.day_formats) if layout.day_formats else problems
    invalid = {(problem.row, problem.feature) for problem in problems}
    return frame, problems + [problem for problem in ambiguous if (problem.row, problem.feature) not in invalid]


def _cells(layout: CsvLayout, row: list[str]) -> list[str] | None:
    return None if not row or is_comment(row, len(layout.header)) else layout.fit(row)
