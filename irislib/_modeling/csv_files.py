"""CSV files: read, checked and predicted row by row, and written with the predictions."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

from irislib._common.formatting import closest_texts, shorten_list
from irislib._common.messages import TEXTS
from irislib._description.validation import ambiguous_points, check_columns
from irislib._description.values import normalized
from irislib._modeling import many_rows
from irislib._modeling.csv_days import DayScans, explain_days, to_iso
from irislib._modeling.csv_lines import Lines, find_first_row, read_blocks, write_lines
from irislib._modeling.csv_numbers import MIXED, find_decimal_signs, may_need_signs, to_points
from irislib._modeling.csv_text import (
    BOM,
    UTF_8,
    encoding_of,
    find_encoding,
    find_header,
    is_comment,
    names_of_column,
    open_text,
    read_records,
)
from irislib._modeling.training_warnings import warning_texts
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = [
    "CsvLayout",
    "Part",
    "added_columns",
    "check_rows",
    "csv_template",
    "filled_rows",
    "find_columns",
    "message_columns",
    "predict_csv_rows",
    "predict_part",
    "read_layout",
    "read_parts",
    "read_rows",
    "result_cells",
    "result_columns",
    "result_values",
    "write_csv",
    "write_header",
    "write_part",
]

Part = Lines | list[list[str]]

PART_ROWS = 8_000  # read at once
HINTS = 20  # missing columns for which a similar one is sought
DIGITS = 6  # of probabilities in a file for people


@dataclass(frozen=True)
class CsvLayout:
    """The layout of a CSV file.

    Attributes
    ----------
    header : list of str
        The names of the columns.
    columns : dict of str to int
        The index of a feature's column, for each feature that has one.
    first_line : int
        The number of the first row in a spreadsheet, where the top line is 1.
    delimiter : str
    bom : bytes
        The byte order mark before the header of the result, or nothing.
    decimal_signs : dict of str to str
        By feature, where it is not plainly a point; empty where there are several.
    is_spaced : bool
        True if quotation marks come after spaces.
    encoding : str
    day_formats : dict of str to tuple of str
        By feature, those of a column whose days are not written as 2026-01-31.
    plain_blocks : dict
        What was read before as lines of plain text: its position and length, and whether it has quotation marks.
    """

    header: list[str]
    columns: dict[str, int]
    first_line: int
    delimiter: str
    bom: bytes
    decimal_signs: Mapping[str, str] = field(default_factory=dict)
    is_spaced: bool = False
    encoding: str = UTF_8
    day_formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    plain_blocks: dict[tuple[int, int], bool] = field(default_factory=dict, compare=False, repr=False)

    @property
    def unused(self) -> list[str]:
        """The columns that are not features, without those that have no name."""
        used = set(self.columns.values())
        return [name for index, name in enumerate(self.header) if index not in used and name]

    @property
    def decimal(self) -> str:
        """The decimal sign of the numbers that are added: a comma if the file has it, and none separates values."""
        return "," if self.delimiter != "," and set(self.decimal_signs.values()) == {","} else "."

    def fit(self, row: list[str]) -> list[str] | None:
        """Return a row with a cell for each column, or None if it has too many or too few.

        Empty cells at the end may be more, and cells of columns without a name may be missing.
        """
        width, count = len(self.header), len(row)
        if count == width:
            return row
        if any(map(str.strip, row[width:] if count > width else self.header[count:])):
            return None
        return row[:width] if count > width else [*row, *[""] * (width - count)]


def read_layout(
    file: IO[bytes],
    features: Sequence[Feature],
    count_rows: Callable[[int], None] | None = None,
    charset: str = "",
) -> CsvLayout:
    """Read the layout of a CSV file whose first line names its columns.

    Its values may be separated by commas, semicolons, tabs or vertical bars.

    Parameters
    ----------
    file : binary file
        As `irislib._modeling.csv_text.find_encoding` takes it.
    features : sequence of Feature
        Those that are required must be among the columns.
    count_rows : callable, optional
        Called with a number of rows again and again if all have to be read for the layout, else never.
    charset : str
        What is said to be the encoding, which a file in UTF-8 need not heed.

    Raises
    ------
    ValidationError
        If the header cannot be used; `read_rows` checks the rest.
    """
    encoding = find_encoding(file, charset)
    with open_text(file, encoding) as text:
        beginning = text.read(csv.field_size_limit() + 1)
        if "\0" in beginning:
            raise ValidationError([Problem(TEXTS["table_not_text"])])
        if not beginning.strip():
            raise ValidationError([Problem(TEXTS["table_empty_file"])])
        header, delimiter, skipped, is_spaced = find_header(beginning, features)
    columns = find_columns(header, features)
    bom = BOM if encoding_of(file)[1] or encoding != UTF_8 else b""
    layout = CsvLayout(header, columns, skipped + 2, delimiter, bom, is_spaced=is_spaced, encoding=encoding)
    return _with_signs(file, layout, features, count_rows)


def find_columns(header: Sequence[str], features: Sequence[Feature]) -> dict[str, int]:
    """Return the index of a feature's column in a table, for each feature that has one.

    Raises
    ------
    ValidationError
        If a required one has none, or one has several.
    """
    positions = _positions(header, features)
    if problems := _header_problems(list(header), positions, features):
        raise ValidationError(problems)
    return {name: indices[0] for name, indices in positions.items()}


def _with_signs(
    file: IO[bytes], layout: CsvLayout, features: Sequence[Feature], count_rows: Callable[[int], None] | None
) -> CsvLayout:
    """Return the layout with how numbers and days are written, for which most files need not be read to their end."""

    def parts() -> Iterator[Part]:
        return read_parts(file, layout, PART_ROWS, may_be_none=True)

    days, signs = DayScans(layout.columns, features), {}
    for part in itertools.islice(parts(), bool(days.scans)):
        days.add(part)
    needs_signs = may_need_signs(file, layout.delimiter)
    if needs_signs or days.need_more:
        everything = days.watch(parts() if count_rows is None else _counted(parts(), count_rows))
        if needs_signs:
            signs = find_decimal_signs(everything, layout.columns, features)
        else:
            for _ in everything:
                continue
    return replace(layout, decimal_signs=signs, day_formats=days.formats())


def _counted(parts: Iterable[Part], count_rows: Callable[[int], None]) -> Iterator[Part]:
    for part in parts:
        count_rows(len(part))
        yield part


@contextlib.contextmanager
def _rows(file: IO[bytes], layout: CsvLayout, start: int = 0) -> Iterator[Iterator[list[str]]]:
    with open_text(file, layout.encoding, layout.delimiter, layout.is_spaced, start) as text:
        reader = read_records(text, layout.delimiter, layout.is_spaced)
        yield reader if start else itertools.islice(reader, layout.first_line - 1, None)


def read_parts(file: IO[bytes], layout: CsvLayout, size: int, may_be_none: bool = False) -> Iterator[Part]:
    """Read the rows of a CSV file as `read_rows` does, so many at a time.

    Raises
    ------
    ValidationError
        As `read_rows`.
    """
    start, is_empty = find_first_row(file, layout), True
    for block in read_blocks(file, layout, start, size) if start is not None else ():
        if block.rows is None:
            start = block.start
            break
        yield block.rows
        is_empty = False
    else:
        if not is_empty:
            return
    rows = read_rows(file, layout, start=start or 0, may_be_none=may_be_none or not is_empty)
    while part := list(itertools.islice(rows, size)):
        yield part


def read_rows(
    file: IO[bytes], layout: CsvLayout, max_rows: int | None = None, start: int = 0, may_be_none: bool = False
) -> Iterator[list[str]]:
    """Read the rows of a CSV file one by one, without those that are empty at its end.

    Parameters
    ----------
    file : binary file
    layout : CsvLayout
        From `read_layout`.
    max_rows : int, optional
    start : int, optional
        Where the first of them begins, if that is not the first row of the file.
    may_be_none : bool, default False

    Yields
    ------
    list of str
        Empty for an empty line, which gets no prediction.

    Raises
    ------
    ValidationError
        If the file cannot be used; maybe after many rows.
    """
    count = empty = 0
    with _rows(file, layout, start) as rows:
        for row in rows:
            if not any(row):
                empty += 1
                continue
            count += empty + 1
            if max_rows is not None and count > max_rows:
                raise ValidationError([Problem(TEXTS["table_too_many"].format(limit=f"{max_rows:,}"))])
            for _ in range(empty):
                yield []
            empty = 0
            yield row
    if not count and not may_be_none:
        raise ValidationError([Problem(TEXTS["table_nothing"])])


def _positions(header: Sequence[str], features: Sequence[Feature]) -> dict[str, list[int]]:
    """Return the indices of each feature's columns: those of its name, else of its name or label in any case."""
    exact, alike = defaultdict(list), defaultdict(list)
    for index, name in enumerate(map(normalized, header)):
        exact[name].append(index)
        alike[name.casefold()].append(index)
    positions = {}
    for feature in features:
        names = names_of_column(feature)
        columns = [index for name in dict.fromkeys(names[:2]) for index in exact.get(name, ())]
        columns = columns or [i for name in {name.casefold() for name in names} for i in alike.get(name, ())]
        if columns:
            positions[feature.name] = sorted(columns)
    return positions


def _header_problems(header: list[str], positions: dict[str, list[int]], features: Sequence[Feature]) -> list[Problem]:
    problems = []
    used = set(itertools.chain.from_iterable(positions.values()))
    unused = [name for index, name in enumerate(header) if index not in used]
    missing = [feature for feature in features if feature.required and feature.name not in positions]
    hints = HINTS
    for feature in features:
        if len(positions.get(feature.name, ())) > 1:
            problems.append(Problem(TEXTS["table_twice"].format(name=feature.name), feature.name))
        elif feature in missing:
            message = TEXTS["table_missing"].format(name=feature.name, expected=feature.expected)
            hints -= 1
            similar = closest_texts(feature.name, unused, cutoff=0.8) if hints >= 0 else []
            problems.append(
                Problem(" ".join([message, *(f"Did you mean {name!r}?" for name in similar)]), feature.name)
            )
    if missing:
        problems.append(Problem(TEXTS["table_has"].format(columns=shorten_list(header))))
    return problems


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


def result_cells(predictions: many_rows.ManyPredictions, count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the cells added to each row: the prediction and probabilities, the warnings and the problems."""
    return zip(*result_values(predictions, count), strict=True)


def result_values(predictions: many_rows.ManyPredictions, count: int) -> list[list[Any]]:
    """Return the values of the columns that are added: the prediction, probabilities, warnings and problems."""
    return [*predictions.columns, *message_columns(predictions, count)]


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


def predict_part(model: Model, layout: CsvLayout, rows: Part) -> many_rows.ManyPredictions | None:
    """Predict the rows of a part that are not empty; return None if all are."""
    filled = rows if isinstance(rows, Lines) else [row for row in rows if row]
    return predict_csv_rows(model, layout, filled) if filled else None


def write_part(model: Model, layout: CsvLayout, rows: Part, results: many_rows.ManyPredictions | None) -> bytes:
    """Return the rows of a part with what `predict_part` has made of them; an empty row stays one."""
    blank = ("",) * len(result_columns(model, layout))
    if results is None:
        return write_csv(layout, [[]], [blank]) * len(rows)
    if isinstance(rows, Lines):
        return write_lines(rows, results, layout.decimal)
    cells = result_cells(results, sum(map(bool, rows)))
    return write_csv(layout, rows, (next(cells) if row else blank for row in rows))


def filled_rows(rows: Part, start: int) -> Sequence[int]:
    """Return the positions of the rows of a part that are not empty; its first row is at `start`."""
    positions = range(start, start + len(rows))
    return positions if isinstance(rows, Lines) else [i for i, row in zip(positions, rows, strict=True) if row]


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
