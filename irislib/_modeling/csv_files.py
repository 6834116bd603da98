"""Whole tables as CSV: read, checked and answered row by row, and written with the answers."""

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

from irislib._common.messages import TEXTS
from irislib._description.validation import check_columns
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
    """How a CSV file is laid out.

    Attributes
    ----------
    header : list of str
        The names of the columns.
    places : dict of str to int
        The position of a feature's column, for each feature that has one.
    first_line : int
        The number of the first row in a spreadsheet, where the top line is 1.
    delimiter : str
    bom : bytes
        What stands before the header: a byte order mark, or nothing.
    """

    header: list[str]
    places: dict[str, int]
    first_line: int
    delimiter: str
    bom: bytes

    @property
    def unused(self) -> list[str]:
        """The columns that are no features."""
        used = set(self.places.values())
        return [name for at, name in enumerate(self.header) if at not in used]


def read_layout(file: IO[bytes], features: Sequence[Feature]) -> CsvLayout:
    """Look at a CSV file whose first line names its columns.

    Its values may be separated by commas, semicolons or tabs, as spreadsheets have it.

    Parameters
    ----------
    file : binary file
        UTF-8.
    features : sequence of Feature
        What must be among the columns, where it is required.

    Raises
    ------
    ValidationError
        Where the file cannot be used; what is wrong further down, `read_rows` finds.
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
    places = _places(header, features)
    if faults := _faults(header, places, features):
        raise ValidationError(faults)
    return CsvLayout(header, {name: at[0] for name, at in places.items()}, skipped + 2, delimiter, bom)


def read_rows(file: IO[bytes], sheet: CsvLayout, max_rows: int | None = None) -> Iterator[list[str]]:
    """The rows of a CSV file one by one, without those that are empty at its end.

    Parameters
    ----------
    file : binary file
    sheet : Sheet
        What `open_csv` found in it.
    max_rows : int, optional

    Yields
    ------
    list of str
        Empty for an empty line, which gets no answer.

    Raises
    ------
    ValidationError
        Where the file as a whole cannot be used; maybe after many rows.
    """
    count = empty = 0
    with _text(file) as text:
        reader = csv.reader(text, delimiter=sheet.delimiter, strict=True)
        for row in itertools.islice(reader, sheet.first_line - 1, None):
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
    """A file as text from its beginning; what is none is an error in words."""
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
    """What separates the values, and how many lines stand before the header."""
    first = re.search(r"[^\r\n]+", text)
    if first is None:
        return ",", 0
    skipped = len(re.findall(r"\r\n|\r|\n", text[: first.start()]))
    if told := re.fullmatch(r"sep=(.)", first[0]):  # a line that some spreadsheets write
        return told[1], skipped + 1

    def known(sign: str) -> int:
        header = next(csv.reader([first[0]], delimiter=sign))
        return len(_places([name.strip() for name in header], features))

    return max(",;\t", key=known), skipped


def _places(header: Sequence[str], features: Sequence[Feature]) -> dict[str, list[int]]:
    """Which columns are a feature's: those of its name, else of its name or label in whatever case."""
    places = {}
    for feature in features:
        alike = {feature.name.casefold(), feature.label.casefold(), f"{feature.label} ({feature.unit})".casefold()}
        exact = [at for at, name in enumerate(header) if name == feature.name]
        if found := exact or [at for at, name in enumerate(header) if name.casefold() in alike]:
            places[feature.name] = found
    return places


def _faults(header: list[str], places: dict[str, list[int]], features: Sequence[Feature]) -> list[Problem]:
    faults = []
    used = set(itertools.chain.from_iterable(places.values()))
    others = [name for at, name in enumerate(header) if at not in used]
    missing = [feature for feature in features if feature.required and feature.name not in places]
    for feature in features:
        if len(places.get(feature.name, ())) > 1:
            faults.append(Problem(TEXTS["table_twice"].format(name=feature.name), feature.name))
        elif feature in missing:
            words = TEXTS["table_missing"].format(name=feature.name, expected=feature.expected)
            near = difflib.get_close_matches(feature.name, others, n=1, cutoff=0.8)
            faults.append(Problem(" ".join([words, *(f"Did you mean {name!r}?" for name in near)]), feature.name))
    if missing:
        faults.append(Problem(TEXTS["table_has"].format(columns=", ".join(header))))
    return faults


def predict_csv_rows(
    model: Model, sheet: CsvLayout, rows: Sequence[list[str]], start: int = 0
) -> many_rows.ManyPredictions:
    """Answer some rows of a CSV file.

    Parameters
    ----------
    model : Model
    sheet : Sheet
    rows : sequence of list of str
    start : int
        The place of the first of them in the file, from 0.
    """
    width = len(sheet.header)
    refused = {
        i: [Problem(TEXTS["table_width"].format(given=len(row), wanted=width))] if row else []
        for i, row in enumerate(rows)
        if len(row) != width
    }
    if refused:
        rows = [[""] * width if i in refused else row for i, row in enumerate(rows)]
    columns = {}
    for feature in model.spec.features:
        if (at := sheet.places.get(feature.name)) is not None:
            columns[feature.name] = [row[at] for row in rows]
            if feature.kind == "number" and sheet.delimiter == ";":
                columns[feature.name] = [_with_point(value) for value in columns[feature.name]]
    return many_rows.predict_many(model, check_columns(model.spec.features, columns, len(rows)), refused, start, DIGITS)


def _with_point(value: str) -> str:
    """A number with a point, if it has a decimal comma."""
    return value.replace(",", ".") if "," in value and re.fullmatch(r"\s*[+-]?[0-9]+,[0-9]+\s*", value) else value


def result_cells(answers: many_rows.ManyPredictions, count: int) -> Iterator[tuple[Any, ...]]:
    """What a file says of each of so many rows: the values, the warnings and the problems."""
    columns = list(answers.columns)
    for told in (answers.warnings, answers.problems):
        columns.append([""] * count)
        for row, found in told.items():
            columns[-1][row] = " ".join(each.message for each in found)
    return zip(*columns, strict=True)


def result_columns(model: Model, sheet: CsvLayout) -> list[str]:
    """The names of the columns of answers; one that the sheet has already gets a number."""
    shares = [f"probability_{name}" for name in many_rows.probability_names(model)]
    names = [f"predicted_{model.spec.target}", *shares, "warnings", "problems"]
    free = []
    for name in names:
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        free.append(next(each for each in tries if each not in sheet.header))
    return free


def write_header(model: Model, sheet: CsvLayout) -> bytes:
    """The beginning of the file with the answers: the names of all columns."""
    return sheet.bom + write_csv(sheet, [sheet.header], [result_columns(model, sheet)])


def write_csv(sheet: CsvLayout, rows: Iterable[list[str]], answers: Iterable[Iterable[Any]]) -> bytes:
    """Rows of a sheet with their answers, separated as the sheet itself is."""
    file = io.StringIO()
    width = len(sheet.header)
    csv.writer(file, delimiter=sheet.delimiter).writerows(
        [*(row if len(row) == width else [*row, *[""] * width][:width]), *answer]
        for row, answer in zip(rows, answers, strict=True)
    )
    return file.getvalue().encode()


def csv_template(features: Sequence[Feature], rows: Iterable[Any]) -> bytes:
    """A CSV file to fill in: the names of the columns, and example rows."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([feature.name for feature in features])
    for row in rows:
        given = {f.name: f.written(f.parse(row[f.name])) for f in features if f.name in row}
        writer.writerow(given.get(feature.name, "") for feature in features)
    return file.getvalue().encode()
