"""The quotation marks of a CSV file: double or single ones, and backslashes before those within a value."""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import Any, NamedTuple

__all__ = ["DOUBLE", "Quotes", "find_quotes", "has_other_backslashes"]

RECORDS = 1_000
_SINGLE = re.compile(r"\s*'.*'\s*", re.DOTALL)


class Quotes(NamedTuple):
    """The sign around values, and the one before such a sign within a value, if it is not doubled."""

    sign: str = '"'
    escape: str | None = None

    def reader(self, text: str, delimiter: str, **options: Any) -> Any:
        """Return Python's reader of a text; `options` are further ones of `csv.reader`."""
        lines = io.StringIO(text, newline="")
        return csv.reader(lines, delimiter=delimiter, quotechar=self.sign, escapechar=self.escape, **options)


DOUBLE = Quotes()


def find_quotes(text: str, delimiter: str) -> Quotes:
    """Return the quotation marks of the first lines of a file: double ones, unless only others fit all lines."""
    if not ("'" in text or '\\"' in text):
        return DOUBLE
    plain = _strict(text, delimiter, DOUBLE)
    has_single = _has_single(text, delimiter)
    if plain and not has_single:
        return DOUBLE
    candidates = [Quotes('"', "\\"), Quotes("'"), Quotes("'", "\\")]
    for quotes in candidates:
        if quotes.sign == "'" and not has_single:
            continue
        if (quotes.escape is None or f"\\{quotes.sign}" in text) and _strict(text, delimiter, quotes):
            return quotes
    return DOUBLE


def has_other_backslashes(text: str, quotes: Quotes) -> bool:
    """Return whether there are backslashes that stand before no quotation mark, which a reader would leave out."""
    return quotes.escape is not None and bool(re.search(rf"\\[^\\{quotes.sign}]", text.replace("\\\\", "")))


def _strict(text: str, delimiter: str, quotes: Quotes) -> bool:
    """Return whether all lines have the same number of values, and nothing behind a closing quotation mark."""
    reader = quotes.reader(text, delimiter, strict=True, skipinitialspace=True)
    try:
        widths = {len(row) for row in itertools.islice(reader, RECORDS) if any(row)}
    except csv.Error:
        return False
    return len(widths) == 1


def _has_single(text: str, delimiter: str) -> bool:
    """Return whether all values of a column are in single quotation marks, and none begins with a double one."""
    if re.search(rf'(^|{re.escape(delimiter)}) *"', text, re.MULTILINE):
        return False
    quoted = re.compile(rf"'(?:[^'\\]|''|\\.)*'|[^{re.escape(delimiter)}]*")
    rows = []
    for line in text.splitlines()[1:RECORDS]:
        if line.strip():
            cells, position = [], 0
            while position <= len(line):
                match = quoted.match(line, position)
                cells.append(match[0] if match else "")
                position = (match.end() if match else position) + 1
            rows.append(cells)
    width = min(map(len, rows), default=0)
    columns = ([row[i] for row in rows if row[i].strip()] for i in range(width))
    return any(len(cells) > 1 and all(map(_SINGLE.fullmatch, cells)) for cells in columns)
