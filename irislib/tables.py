"""Whole tables as CSV: read, checked and answered row by row, and written with the answers."""

from __future__ import annotations

import csv
import difflib
import io
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib.errors import Problem, ValidationError
from irislib.texts import TEXTS
from irislib.validation import check_values

if TYPE_CHECKING:
    import pandas as pd

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
        An empty line, which gets no answer, is an empty list.
    first_line : int
        The number of the first row in a spreadsheet, where the top line is 1.
    delimiter : str
    bom : str
        What stood before the header: a byte order mark, or nothing.
    """

    header: list[str]
    rows: list[list[str]]
    first_line: int
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
    try:
        delimiter, skipped = _delimiter(text, features)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for _ in range(skipped):
            next(reader)
        header = [name.strip() for name in next(reader, [])]
        rows = []
        for row in reader:
            rows.append(row if any(row) else [])
            if len(rows) > max_rows:
                raise ValidationError([Problem(TEXTS["table_too_many"].format(limit=f"{max_rows:,}"))])
    except csv.Error as error:
        raise ValidationError([Problem(f"{TEXTS['table_not_csv']} ({error})")]) from None
    while rows and not rows[-1]:
        rows.pop()
    if not rows:
        raise ValidationError([Problem(TEXTS["table_nothing"] if text.strip() else TEXTS["table_empty_file"])])
    if faults := _faults(header, features):
        raise ValidationError(faults)
    return Sheet(header, rows, skipped + 2, delimiter, bom)


def _delimiter(text: str, features: Sequence[Feature]) -> tuple[str, int]:
    """What separates the values, and how many lines stand before the header."""
    lines = re.finditer(r"[^\r\n]+", text[: csv.field_size_limit()])
    first = next(lines, None)
    if first is None:
        return ",", 0
    skipped = len(re.findall(r"\r\n|\r|\n", text[: first.start()]))
    if told := re.fullmatch(r"sep=(.)", first[0]):  # a line that some spreadsheets write
        return told[1], skipped + 1

    def known(sign: str) -> int:
        header = [name.strip() for name in next(csv.reader([first[0]], delimiter=sign))]
        return sum(bool(columns_of(feature, header)) for feature in features)

    return max(",;\t", key=known), skipped


def _faults(header: list[str], features: Sequence[Feature]) -> list[Problem]:
    faults = []
    others = unused(header, features)
    for feature in features:
        columns = columns_of(feature, header)
        if len(columns) > 1:
            faults.append(Problem(TEXTS["table_twice"].format(name=feature.name), feature.name))
        elif not columns and feature.required:
            words = TEXTS["table_missing"].format(name=feature.name, expected=feature.expected)
            near = difflib.get_close_matches(feature.name, others, n=1, cutoff=0.8)
            faults.append(Problem(" ".join([words, *(f"Did you mean {name!r}?" for name in near)]), feature.name))
    if any(not columns_of(feature, header) for feature in features if feature.required):
        faults.append(Problem(TEXTS["table_has"].format(columns=", ".join(header))))
    return faults


def unused(header: Sequence[str], features: Sequence[Feature]) -> list[str]:
    """The columns that are no features."""
    used = {at for feature in features for at in columns_of(feature, header)}
    return [name for at, name in enumerate(header) if at not in used]


def columns_of(feature: Feature, header: Sequence[str]) -> list[int]:
    """Which columns are a feature's: those of its name, else of its name or label in whatever case."""
    if found := [at for at, name in enumerate(header) if name == feature.name]:
        return found
    alike = {feature.name.casefold(), feature.label.casefold(), f"{feature.label} ({feature.unit})".casefold()}
    return [at for at, name in enumerate(header) if name.casefold() in alike]


def answer_rows(model: Model, sheet: Sheet, start: int = 0, stop: int | None = None) -> Answers:
    """Answer some rows of a sheet; a bad row does not keep the others from being answered.

    Parameters
    ----------
    model : Model
    sheet : Sheet
    start, stop : int
        Which rows, as in a slice.
    """
    features = model.spec.features
    rows = sheet.rows[start:stop]
    places = {feature.name: at[0] for feature in features if (at := columns_of(feature, sheet.header))}
    commas = [f.name for f in features if f.kind == "number" and sheet.delimiter == ";"]
    width = len(sheet.header)
    whole = [i for i, row in enumerate(rows) if len(row) == width]
    problems = [
        Problem(TEXTS["table_width"].format(given=len(row), wanted=width), row=i)
        for i, row in enumerate(rows)
        if row and len(row) != width
    ]
    good = []
    if whole:
        frame, found = check_values(features, [_given(rows[i], places, commas) for i in whole], len(whole))
        bad = {problem.row for problem in found}
        sound = frame.iloc[[i for i in range(len(whole)) if i not in bad]]
        good = [row for i, row in enumerate(whole) if i not in bad]
        problems += [Problem(p.message, p.feature, p.value, whole[p.row or 0]) for p in found]
    problems.sort(key=lambda problem: problem.row or 0)
    answers = dict(zip(good, _answered(model, sound), strict=True)) if good else {}
    doubts = model.outside_training(sound) if good else []
    columns = _columns(model, sheet.header)
    told = [answers.get(i, [""] * (len(columns) - 2)) for i in range(len(rows))]
    warnings = _by_row([(good[doubt.row or 0], doubt.message) for doubt in doubts])
    wrong = _by_row([(problem.row or 0, problem.message) for problem in problems])
    return Answers(
        columns,
        [[*values, warnings.get(i, ""), wrong.get(i, "")] for i, values in enumerate(told)],
        [Problem(p.message, p.feature, p.value, start + (p.row or 0)) for p in problems],
    )


def _given(row: list[str], places: dict[str, int], commas: list[str]) -> dict[str, str]:
    """The values of one row; where semicolons separate them, a number may have a decimal comma."""
    given = {name: row[at] for name, at in places.items()}
    for name in commas:
        if name in given and re.fullmatch(r"\s*[+-]?[0-9]+,[0-9]+\s*", given[name]):
            given[name] = given[name].replace(",", ".")
    return given


def _answered(model: Model, sound: pd.DataFrame) -> list[list[Any]]:
    """For each row the prediction, and the probability of each class."""
    columns = [model.estimator.predict(sound).tolist()]
    if model.has_probabilities:
        columns += model.estimator.predict_proba(sound).round(6).T.tolist()
    return [list(row) for row in zip(*columns, strict=True)]


def _by_row(told: Iterable[tuple[int, str]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for row, words in told:
        found[row] = f"{found[row]} {words}" if row in found else words
    return found


def _columns(model: Model, taken: Sequence[str]) -> list[str]:
    """The names of the columns of answers; one that the sheet has already gets a number."""
    classes = model.classes if model.has_probabilities else None
    names = [
        f"predicted_{model.spec.target}",
        *(f"probability_{name}" for name in classes or ()),
        "warnings",
        "problems",
    ]
    free = []
    for name in names:
        tries = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        free.append(next(each for each in tries if each not in taken))
    return free


def write_csv(sheet: Sheet, columns: Sequence[str], answers: Iterable[Sequence[Any]]) -> bytes:
    """The rows of a sheet, in their order, with their answers: separated as the sheet itself is."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=sheet.delimiter)
    width = len(sheet.header)
    writer.writerow([*sheet.header, *columns])
    for row, answer in zip(sheet.rows, answers, strict=True):
        writer.writerow([*[*row, *[""] * width][:width], *answer])
    return (sheet.bom + file.getvalue()).encode()


def template(features: Sequence[Feature], rows: Iterable[Any]) -> bytes:
    """A CSV file to fill in: the names of the columns, and example rows."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([feature.name for feature in features])
    for row in rows:
        given = {f.name: f.written(f.parse(row[f.name])) for f in features if f.name in row}
        writer.writerow(given.get(feature.name, "") for feature in features)
    return file.getvalue().encode()
