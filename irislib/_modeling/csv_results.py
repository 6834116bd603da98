"""CSV files with the predictions: the columns that are added, and the rows as they are written."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._modeling import many_rows
from irislib._modeling.csv_lines import Lines, Part, write_lines
from irislib._modeling.training_warnings import warning_texts

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.csv_layout import CsvLayout
    from irislib._modeling.model import Model

__all__ = [
    "added_columns",
    "csv_template",
    "message_columns",
    "result_cells",
    "result_columns",
    "write_csv",
    "write_header",
    "write_part",
]


def result_cells(predictions: many_rows.ManyPredictions, count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the cells added to each row: the prediction and probabilities, the warnings and the problems."""
    return zip(*predictions.columns, *message_columns(predictions, count), strict=True)


def message_columns(predictions: many_rows.ManyPredictions, count: int) -> list[list[str]]:
    """Return the last two of the columns that are added: the warnings and the problems."""
    problems = [""] * count
    for row, row_problems in predictions.problems.items():
        problems[row] = " ".join(problem.message for problem in row_problems)
    return [warning_texts(predictions.warnings, count), problems]


def result_columns(model: Model, layout: CsvLayout) -> list[str]:
    """Return the names of the added columns; one that the file has already gets a number."""
    return added_columns(model, layout.header)


def added_columns(model: Model, header: Collection[str]) -> list[str]:
    """Return the names of the columns that are added to a table; one that it has already gets a number."""
    shares = [f"probability_{name}" for name in many_rows.probability_names(model)]
    names = [f"predicted_{model.spec.target}", *shares, "warnings", "problems"]
    free = []
    for name in names:
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        free.append(next(candidate for candidate in tries if candidate not in header))
    return free


def write_header(model: Model, layout: CsvLayout) -> bytes:
    """Return the beginning of the file with the predictions: the names of all columns."""
    return layout.bom + write_csv(layout, [layout.header], [result_columns(model, layout)])


def write_part(model: Model, layout: CsvLayout, rows: Part, results: many_rows.ManyPredictions | None) -> bytes:
    """Return the rows of a part with what `predict_part` has made of them; an empty row stays one."""
    blank = ("",) * len(result_columns(model, layout))
    if results is None:
        return write_csv(layout, [[]], [blank]) * len(rows)
    if isinstance(rows, Lines):
        return write_lines(rows, results, layout.decimal)
    cells = result_cells(results, sum(map(bool, rows)))
    return write_csv(layout, rows, (next(cells) if row else blank for row in rows))


def write_csv(layout: CsvLayout, rows: Iterable[list[str]], cells: Iterable[Iterable[Any]]) -> bytes:
    """Return rows with the cells added to them, in the delimiter of the file itself, and with its decimal sign.

    A row with too many values has the surplus ones in its last cell, with the delimiters between them.
    """
    file = io.StringIO()
    width = len(layout.header)
    if layout.decimal == ",":
        cells = (map(_with_comma, row_cells) for row_cells in cells)
    csv.writer(file, delimiter=layout.delimiter).writerows(
        [*(row if len(row) == width else _to_width(layout, row)), *row_cells]
        for row, row_cells in zip(rows, cells, strict=True)
    )
    return file.getvalue().encode()


def _with_comma(value: Any) -> Any:
    return str(value).replace(".", ",") if isinstance(value, float) else value


def _to_width(layout: CsvLayout, row: list[str]) -> list[str]:
    width = len(layout.header)
    if fitted := layout.fit(row):
        return fitted
    return [*row[: width - 1], layout.delimiter.join(row[width - 1 :]), *[""] * (width - len(row) - 1)][:width]


def csv_template(features: Sequence[Feature], rows: Iterable[Any]) -> bytes:
    """Return a CSV file to fill in: the names of the columns, and example rows."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([feature.name for feature in features])
    for row in rows:
        cells = {f.name: f.to_text(f.parse(row[f.name])) for f in features if f.name in row}
        writer.writerow(cells.get(feature.name, "") for feature in features)
    return file.getvalue().encode()
