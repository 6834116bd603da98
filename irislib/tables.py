"""Whole tables as CSV: read, checked and answered row by row, and written with the answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib.errors import Problem, ValidationError
from irislib.kinds import plain
from irislib.texts import TEXTS
from irislib.validation import check_values
from irislib.wording import nearest

if TYPE_CHECKING:
    from irislib.feature import Feature
    from irislib.model import Model

__all__ = ["Answers", "Sheet", "answer_rows", "read_csv", "template", "unused", "write_csv"]

BOM = "\ufeff"  # spreadsheets put it before UTF-8


@dataclass(frozen=True)
class Sheet:
    """A CSV file as it was sent: nothing but text.

    Attributes
    ----------
    header : list of str
        The names of the columns.
    rows : list of list of str
        Without empty lines.
    lines : list of int
        For each row its number in a spreadsheet, where the header is line 1.
    delimiter : str
    bom : str
        What stood before the header: a byte order mark, or nothing.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str
    bom: str


@dataclass(frozen=True)
class Answers:
    """What became of some rows.

    Attributes
    ----------
    columns : list of str
        The prediction, the probability of each class, warnings and problems.
    rows : list of list
        For each row a value of each column; predictions are empty where there is a problem.
    problems : list of Problem
        By position of the row, from 0.
    """

    columns: list[str]
    rows: list[list[Any]]
    problems: list[Problem]


def read_csv(content: bytes, features: Sequence[Feature], max_rows: int) -> Sheet:
    """Read a CSV file whose first line names its columns.

    Its values may be separated by commas, semicolons or tabs, as spreadsheets have it.

    Parameters
    ----------
    content : bytes
        UTF-8.
    features : sequence of Feature
        What must be among the columns, where it is required.
    max_rows : int

    Raises
    ------
    ValidationError
        Where the file as a whole cannot be used.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValidationError([Problem(TEXTS["table_not_text"])]) from None
    bom = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    names = {feature.name for feature in features}
    first = text.partition("\n")[0].strip("\r")
    delimiter = max(",;\t", key=lambda sign: len(names & set(_names(first, sign))))
    rows, lines = [], []
    try:
        for line, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            if any(row):
                rows.append(row)
                lines.append(line)
    except csv.Error as error:
        raise ValidationError([Problem(f"{TEXTS['table_not_csv']} ({error})")]) from None
    if len(rows) < 2:
        raise ValidationError([Problem(TEXTS["table_nothing"])])
    if len(rows) - 1 > max_rows:
        words = TEXTS["table_too_many"].format(total=f"{len(rows) - 1:,}", limit=f"{max_rows:,}")
        raise ValidationError([Problem(words)])
    header = [name.strip() for name in rows[0]]
    if faults := _faults(header, features):
        raise ValidationError(faults)
    return Sheet(header, rows[1:], lines[1:], delimiter, bom)


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]


def _faults(header: list[str], features: Sequence[Feature]) -> list[Problem]:
    faults = []
    others = unused(header, features)
    for feature in features:
        if header.count(feature.name) > 1:
            faults.append(Problem(TEXTS["table_twice"].format(name=feature.name), feature.name))
        elif feature.name not in header and feature.required:
            words = TEXTS["table_missing"].format(name=feature.name, expected=feature.expected)
            near = nearest(feature.name, others) if others else ""
            faults.append(Problem(f"{words} {near}".strip(), feature.name))
    return faults


def unused(header: Sequence[str], features: Sequence[Feature]) -> list[str]:
    """The columns that are no features."""
    names = {feature.name for feature in features}
    return [name for name in header if name not in names]


def answer_rows(model: Model, sheet: Sheet, start: int = 0, stop: int | None = None) -> Answers:
    """Answer some rows of a sheet; a bad row does not keep the others from being answered.

    Parameters
    ----------
    model : Model
    sheet : Sheet
    start, stop : int
        Which rows, as in a slice.
    """
    import numpy as np

    features = model.spec.features
    rows = sheet.rows[start:stop]
    places = [(feature.name, sheet.header.index(feature.name)) for feature in features if feature.name in sheet.header]
    odd = [
        Problem(TEXTS["table_width"].format(given=len(row), wanted=len(sheet.header)), row=i)
        for i, row in enumerate(rows)
        if len(row) != len(sheet.header)
    ]
    narrow = {problem.row for problem in odd}
    given = [{} if i in narrow else {name: row[at] for name, at in places} for i, row in enumerate(rows)]
    frame, problems = check_values(features, given, len(rows))
    problems = odd + [problem for problem in problems if problem.row not in narrow]
    wrong: dict[int | None, list[str]] = {}
    for problem in problems:
        wrong.setdefault(problem.row, []).append(problem.message)
    good = [i for i in range(len(rows)) if i not in wrong]
    sound = frame.iloc[good]
    width = 1 + len(model.classes or ()) * model.has_probabilities
    values: list[list[Any]] = [[""] * width for _ in rows]
    if good:
        parts = [model.estimator.predict(sound)[:, None]]
        if model.has_probabilities:
            parts.append(np.round(model.estimator.predict_proba(sound), 6))
        answered = zip(*(part.tolist() for part in parts), strict=True)
        for i, found in zip(good, answered, strict=True):
            values[i] = [plain(value) for part in found for value in part]
    doubts: dict[int, list[str]] = {}
    for doubt in model.outside_training(sound):
        doubts.setdefault(good[doubt.row or 0], []).append(doubt.message)
    told = [[*found, " ".join(doubts.get(i, ())), " ".join(wrong.get(i, ()))] for i, found in enumerate(values)]
    moved = [Problem(p.message, p.feature, p.value, start + (p.row or 0)) for p in problems]
    return Answers(_columns(model), told, moved)


def _columns(model: Model) -> list[str]:
    classes = model.classes if model.has_probabilities else None
    return [
        f"predicted_{model.spec.target}",
        *(f"probability_{name}" for name in classes or ()),
        "warnings",
        "problems",
    ]


def write_csv(sheet: Sheet, columns: Sequence[str], answers: Iterable[Sequence[Any]]) -> bytes:
    """The rows of a sheet, in their order, with their answers: separated as the sheet itself is.

    Columns of the sheet that have the name of an answer's are left out.
    """
    keep = [i for i, name in enumerate(sheet.header) if name not in columns]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=sheet.delimiter)
    writer.writerow([*(sheet.header[i] for i in keep), *columns])
    for row, answer in zip(sheet.rows, answers, strict=True):
        writer.writerow([*(row[i] if i < len(row) else "" for i in keep), *answer])
    return (sheet.bom + file.getvalue()).encode()


def template(features: Sequence[Feature], rows: Iterable[Any]) -> bytes:
    """A CSV file to fill in: the names of the columns, and example rows."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([feature.name for feature in features])
    for row in rows:
        writer.writerow([feature.written(row.get(feature.name)) for feature in features])
    return file.getvalue().encode()
