"""The layout of a CSV file: its columns, and how its numbers and days are written."""

from __future__ import annotations

import csv
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING

from irislib._common.formatting import closest_texts, shorten_list
from irislib._common.messages import TEXTS
from irislib._description.values import normalized
from irislib._modeling.csv_days import DayScans
from irislib._modeling.csv_lines import Part
from irislib._modeling.csv_numbers import find_decimal_signs, may_need_signs
from irislib._modeling.csv_rows import read_parts
from irislib._modeling.csv_text import BOM, UTF_8, encoding_of, find_encoding, find_header, names_of_column, open_text
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["CsvLayout", "find_columns", "read_layout"]

PART_ROWS = 8_000  # read at once
HINTS = 20  # missing columns for which a similar one is sought


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
