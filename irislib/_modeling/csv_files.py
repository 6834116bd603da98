"""CSV files: read, checked and predicted row by row, and written with the predictions."""

from __future__ import annotations

import codecs
import contextlib
import csv
import difflib
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TextIO

from irislib._common.formatting import shorten_list
from irislib._common.messages import TEXTS
from irislib._description.validation import check_columns
from irislib._description.values import normalized
from irislib._modeling import many_rows
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = [
    "CsvLayout",
    "csv_template",
    "predict_csv_rows",
    "read_layout",
    "read_rows",
    "result_cells",
    "result_columns",
    "write_csv",
    "write_header",
]

BOM = codecs.BOM_UTF8  # spreadsheets put it before UTF-8
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
        The byte order mark before the header, or nothing.
    """

    header: list[str]
    columns: dict[str, int]
    first_line: int
    delimiter: str
    bom: bytes

    @property
    def unused(self) -> list[str]:
        """The columns that are not features."""
        used = set(self.columns.values())
        return [name for index, name in enumerate(self.header) if index not in used]


def read_layout(file: IO[bytes], features: Sequence[Feature]) -> CsvLayout:
    """Read the layout of a CSV file whose first line names its columns.

    Its values may be separated by commas, semicolons or tabs.

    Parameters
    ----------
    file : binary file
        UTF-8.
    features : sequence of Feature
        Those that are required must be among the columns.

    Raises
    ------
    ValidationError
        If the header cannot be used; `read_rows` checks the rest.
    """
    file.seek(0)
    bom = BOM if file.read(len(BOM)) == BOM else b""
    with _text(file) as text:
        beginning = text.read(csv.field_size_limit())
    if not beginning.strip():
        raise ValidationError([Problem(TEXTS["table_empty_file"])])
    delimiter, skipped = _delimiter(beginning, features)
    with _text(file) as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(itertools.islice(reader, skipped, None), [])]
    positions = _positions(header, features)
    if problems := _header_problems(header, positions, features):
        raise ValidationError(problems)
    return CsvLayout(header, {name: indices[0] for name, indices in positions.items()}, skipped + 2, delimiter, bom)


def read_rows(file: IO[bytes], layout: CsvLayout, max_rows: int | None = None) -> Iterator[list[str]]:
    """Read the rows of a CSV file one by one, without those that are empty at its end.

    Parameters
    ----------
    file : binary file
    layout : CsvLayout
        From `read_layout`.
    max_rows : int, optional

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
    with _text(file) as text:
        reader = csv.reader(text, delimiter=layout.delimiter, strict=True)
        for row in itertools.islice(reader, layout.first_line - 1, None):
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
    if not count:
        raise ValidationError([Problem(TEXTS["table_nothing"])])


@contextlib.contextmanager
def _text(file: IO[bytes]) -> Iterator[TextIO]:
    """Open a file as text from its beginning; raise ValidationError if it is not UTF-8 or not CSV."""
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield text
    except UnicodeDecodeError:
        raise ValidationError([Problem(TEXTS["table_not_text"])]) from None
    except csv.Error as error:
        raise ValidationError([Problem(f"{TEXTS['table_not_csv']} ({error})")]) from None
    finally:
        text.detach()  # or the file would be closed with it


def _delimiter(text: str, features: Sequence[Feature]) -> tuple[str, int]:
    """Return the delimiter, and the number of lines before the header."""
    first = re.search(r"[^\r\n]+", text)
    if first is None:
        return ",", 0
    skipped = len(re.findall(r"\r\n|\r|\n", text[: first.start()]))
    if match := re.fullmatch(r"sep=(.)", first[0]):  # a line that some spreadsheets write
        return match[1], skipped + 1

    def matches(sign: str) -> int:
        header = next(csv.reader([first[0]], delimiter=sign))
        return len(_positions([name.strip() for name in header], features))

    return max(",;\t", key=matches), skipped


def _positions(header: Sequence[str], features: Sequence[Feature]) -> dict[str, list[int]]:
    """Return the indices of each feature's columns: those of its name, else of its name or label in any case."""
    positions = {}
    for feature in features:
        own = {feature.name, normalized(str(feature.column))}
        alike = {text.casefold() for text in (*own, feature.label, f"{feature.label} ({feature.unit})")}
        exact = [index for index, name in enumerate(header) if normalized(name) in own]
        if columns := exact or [index for index, name in enumerate(header) if normalized(name).casefold() in alike]:
            positions[feature.name] = columns
    return positions


def _header_problems(header: list[str], positions: dict[str, list[int]], features: Sequence[Feature]) -> list[Problem]:
    problems = []
    used = set(itertools.chain.from_iterable(positions.values()))
    unused = [name for index, name in enumerate(header) if index not in used]
    missing = [feature for feature in features if feature.required and feature.name not in positions]
    for feature in features:
        if len(positions.get(feature.name, ())) > 1:
            problems.append(Problem(TEXTS["table_twice"].format(name=feature.name), feature.name))
        elif feature in missing:
            message = TEXTS["table_missing"].format(name=feature.name, expected=feature.expected)
            similar = difflib.get_close_matches(feature.name, unused, n=1, cutoff=0.8)
            problems.append(
                Problem(" ".join([message, *(f"Did you mean {name!r}?" for name in similar)]), feature.name)
            )
    if missing:
        problems.append(Problem(TEXTS["table_has"].format(columns=shorten_list(header))))
    return problems


def predict_csv_rows(
    model: Model, layout: CsvLayout, rows: Sequence[list[str]], start: int = 0
) -> many_rows.ManyPredictions:
    """Predict some rows of a CSV file.

    Parameters
    ----------
    model : Model
    layout : CsvLayout
    rows : sequence of list of str
    start : int
        The index in the file of the first of them.
    """
    width = len(layout.header)
    refused = {
        i: [Problem(TEXTS["table_width"].format(given=len(row), wanted=width))] if row else []
        for i, row in enumerate(rows)
        if len(row) != width
    }
    if refused:
        rows = [[""] * width if i in refused else row for i, row in enumerate(rows)]
    columns = {}
    for feature in model.spec.features:
        if (index := layout.columns.get(feature.name)) is not None:
            columns[feature.name] = [row[index] for row in rows]
            if feature.type.dtype == "float64" and layout.delimiter == ";":
                columns[feature.name] = [_with_point(value) for value in columns[feature.name]]
    return many_rows.predict_many(model, check_columns(model.spec.features, columns, len(rows)), refused, start, DIGITS)


def _with_point(value: str) -> str:
    """Replace a decimal comma by a point."""
    return value.replace(",", ".") if "," in value and re.fullmatch(r"\s*[+-]?[0-9]+,[0-9]+\s*", value) else value


def result_cells(predictions: many_rows.ManyPredictions, count: int) -> Iterator[tuple[Any, ...]]:
    """Yield the cells added to each row: the prediction and probabilities, the warnings and the problems."""
    columns = list(predictions.columns)
    for messages in (predictions.warnings, predictions.problems):
        columns.append([""] * count)
        for row, problems in messages.items():
            columns[-1][row] = " ".join(problem.message for problem in problems)
    return zip(*columns, strict=True)


def result_columns(model: Model, layout: CsvLayout) -> list[str]:
    """Return the names of the added columns; one that the file has already gets a number."""
    shares = [f"probability_{name}" for name in many_rows.probability_names(model)]
    names = [f"predicted_{model.spec.target}", *shares, "warnings", "problems"]
    free = []
    for name in names:
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        free.append(next(candidate for candidate in tries if candidate not in layout.header))
    return free


def write_header(model: Model, layout: CsvLayout) -> bytes:
    """Return the beginning of the file with the predictions: the names of all columns."""
    return layout.bom + write_csv(layout, [layout.header], [result_columns(model, layout)])


def write_csv(layout: CsvLayout, rows: Iterable[list[str]], cells: Iterable[Iterable[Any]]) -> bytes:
    """Return rows with the cells added to them, in the delimiter of the file itself."""
    file = io.StringIO()
    width = len(layout.header)
    csv.writer(file, delimiter=layout.delimiter).writerows(
        [*(row if len(row) == width else [*row, *[""] * width][:width]), *row_cells]
        for row, row_cells in zip(rows, cells, strict=True)
    )
    return file.getvalue().encode()


def csv_template(features: Sequence[Feature], rows: Iterable[Any]) -> bytes:
    """Return a CSV file to fill in: the names of the columns, and example rows."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([feature.name for feature in features])
    for row in rows:
        cells = {f.name: f.to_text(f.parse(row[f.name])) for f in features if f.name in row}
        writer.writerow(cells.get(feature.name, "") for feature in features)
    return file.getvalue().encode()
