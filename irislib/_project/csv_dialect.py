"""The dialect of a CSV file: what separates its values, where its table begins and ends, and whether it has names."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irislib._modeling.csv_text import DELIMITERS, TITLE_LINES, is_comment
from irislib._project.csv_quotes import DOUBLE, Quotes, find_quotes
from irislib._project.csv_units import Record, has_units, is_number

if TYPE_CHECKING:
    from irislib._project.csv_bytes import CsvBytes

__all__ = ["MOSTLY", "SPACES", "Dialect", "Record", "find_dialect", "find_footer", "find_header", "is_number"]

SPACES = r"\s+"  # instead of one sign
RECORDS = 1_000  # of the beginning of a file, looked at
FOOTER_RECORDS = 10  # of its end
BODY = 50  # rows with which the first line is compared
MOSTLY = 0.8  # the share of numbers in a column of numbers
_TOTALS = re.compile(
    r"(grand |sub)?total|sums?|summen?|gesamt(summe)?|insgesamt|somme|average|mean|mittelwert|durchschnitt|"
    r"(source|quelle|note|stand|as of)\b.*|\*.*|\(?c\) .*|©.*|#.*|\(?\d+ rows( affected)?\)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Dialect:
    """The dialect of a CSV file.

    Attributes
    ----------
    delimiter : str
        A sign, or `SPACES`.
    is_spaced : bool
        True if there are spaces after the signs.
    header : list of str or None
        The names of the columns as they are written; None if no line has them.
    skipped : int
        The lines above the names, or above the first row.
    titles : list of str
        What is in those.
    rows : list of Record
        The first ones, without blank lines and comments.
    footer : list of str
        What is in the lines below the rows.
    footer_lines : int
    has_comments : bool
        True if lines below the header are comments.
    quotes : Quotes
    units : Record or None
        The line below the names, if it has the units of columns.
    """

    delimiter: str
    is_spaced: bool
    header: list[str] | None
    skipped: int
    titles: list[str]
    rows: list[Record]
    footer: list[str]
    footer_lines: int
    has_comments: bool
    quotes: Quotes = DOUBLE
    units: Record | None = None

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.header) if self.header else _usual_width(self.rows)[0]

    def cells(self, index: int) -> list[str]:
        """Return the values of a column in the first rows, without empty ones."""
        values = (row[index].strip() for _, row in self.rows if index < len(row))
        return [value for value in values if value]


def find_dialect(content: CsvBytes) -> Dialect | None:
    """Return the dialect of a file, or None if nothing separates values in its lines."""
    text = content.head
    own = re.match(r"sep=(.)\r?\n", text)
    delimiter = own[1] if own else _find_delimiter(text)
    if delimiter is None:
        return None
    quotes = DOUBLE if delimiter == SPACES else find_quotes(text, delimiter)
    records = _read(text, delimiter, quotes=quotes)
    filled = [record for record in records if any(cell.strip() for cell in record[1])]
    if own:
        filled = filled[1:]
    width, _ = _usual_width(filled)
    position = find_header(filled, width)
    titles, body = filled[:position], filled[position:]
    plain = [record for record in body[1:] if not is_comment(record[1], width)]
    has_header = not body or _is_header(body[0][1], plain, width)
    units = plain.pop(0) if has_header and has_units(plain, width) else None
    if not has_header:
        plain = [body[0], *plain]
    footer, footer_lines = _footer_of(content, delimiter, quotes, width, len(plain))
    commented = content.comments - sum(record[1][0].startswith("#") for record in filled[: position + 1])
    if footer and content.is_whole and len(records) < RECORDS:
        plain = plain[: len(plain) - len(footer)] or plain
    later = [cell for _, row in plain for cell in row[1:]]
    lines = [own[0]] if own else []
    return Dialect(
        delimiter=delimiter,
        is_spaced=delimiter != SPACES and sum(cell.startswith(" ") for cell in later) > len(later) / 2,
        header=_header_of(body[0][1], width) if body and has_header else None,
        skipped=body[0][0] - 1 if body else 0,
        titles=[*map(str.strip, lines), *(_line_of(record, delimiter) for record in titles)],
        rows=plain,
        footer=footer,
        footer_lines=footer_lines,
        has_comments=commented > 0,
        quotes=quotes,
        units=units,
    )


def _header_of(cells: list[str], width: int) -> list[str]:
    names = _trimmed(cells)
    return names if len(names) == width else cells


def _line_of(record: Record, delimiter: str) -> str:
    return ("" if delimiter == SPACES else delimiter).join(record[1]).strip(f"{delimiter} ")


def _read(text: str, delimiter: str, limit: int | None = RECORDS, quotes: Quotes = DOUBLE) -> list[Record]:
    """Return the first records of a text."""
    if delimiter == SPACES:
        return [(i, line.split()) for i, line in enumerate(text.splitlines()[:limit], 1)]
    reader = quotes.reader(text, delimiter, skipinitialspace=f"{delimiter} {quotes.sign}" in text)
    records, line = [], 1
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, len(text)))
    try:
        for cells in itertools.islice(reader, limit):
            records.append((line, cells))
            line = reader.line_num + 1
    finally:
        csv.field_size_limit(before)  # it is one for all of the process
    return records


def _usual_width(records: list[Record]) -> tuple[int, int]:
    """Return the number of cells that most records have, and how many have it."""
    counts = Counter(len(cells) for _, cells in records if not cells[0].lstrip().startswith("#"))
    return max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))


def _find_delimiter(text: str) -> str | None:
    best, delimiter = 0, None
    for sign in sorted(DELIMITERS, key=";\t|,".index):  # commas may be in numbers as well
        records = [record for record in _read(text, sign) if any(cell.strip() for cell in record[1])]
        width, count = _usual_width(records)
        if width > 1 and count > best:
            best, delimiter = count, sign
    lines = [record for record in _read(text, SPACES) if record[1]]
    width, count = _usual_width(lines)
    cells = [cells for _, cells in lines if len(cells) == width]
    if width > 1 and count > max(2 * best, 0.9 * len(lines)):
        columns = zip(*cells[1:], strict=True)
        return SPACES if any(all(map(is_number, column)) for column in columns) else delimiter
    return delimiter


def find_header(records: list[Record], width: int) -> int:
    """Return the position of the record that names the columns, or of the first row."""
    for i, (_, cells) in enumerate(records[:TITLE_LINES]):
        filled = sum(bool(cell.strip()) for cell in cells)
        if cells[0].startswith("#") and not _is_comment_header(records, i, width):
            continue
        if len(_trimmed(cells)) == width < len(cells):  # a sign more than in the rows
            return i
        if len(cells) == width and (filled > 1 or not cells[0].strip()) and filled >= width / 3:
            return _fuller(records, i)
        following = records[i + 1][1] if i + 1 < len(records) else []
        is_short = len(cells) == width - 1 == filled and len(following) == width and width > 2
        if is_short and not any(map(is_number, cells)) and any(map(is_number, following)):
            return i
    return next((i for i, (_, cells) in enumerate(records) if len(cells) == width), 0)


def _trimmed(cells: list[str]) -> list[str]:
    """Return cells without the empty ones at the end."""
    return _trimmed(cells[:-1]) if cells and not cells[-1].strip() else cells


def _fuller(records: list[Record], position: int) -> int:
    """Return the position of a record that names more columns, soon after one that may be a title; else of this."""
    cells = records[position][1]
    if all(map(str.strip, cells[1:])):
        return position
    for i in range(position + 1, min(position + 5, len(records) - 1)):
        names, following = records[i][1], records[i + 1][1]
        is_full = len(names) == len(cells) and all(map(str.strip, names)) and not any(map(is_number, names))
        if is_full and any(map(is_number, following)):
            return i
    return position


def _is_comment_header(records: list[Record], position: int, width: int) -> bool:
    """Return whether a comment names the columns: it has as many values, and the next line has numbers."""
    cells = records[position][1]
    following = records[position + 1][1] if position + 1 < len(records) else []
    return len(cells) == width == len(following) and not any(map(is_number, cells)) and any(map(is_number, following))


def _is_header(cells: list[str], rows: list[Record], width: int) -> bool:
    """Return whether a record names columns: it is no row of values like those below it."""
    columns = [[row[i] for _, row in rows[:BODY] if i < len(row) and row[i].strip()] for i in range(width)]
    shares = [sum(map(is_number, column)) / max(len(column), 1) for column in columns]
    numeric = [i for i, share in enumerate(shares) if share > MOSTLY and i < len(cells)]
    if not cells[0].strip() and all(map(str.strip, cells[1:])):  # as above row numbers
        return True
    same = [cells[i].strip() for i in numeric if is_number(cells[i])]
    if not same or 2 * len(same) < len(numeric):
        return True
    whole = [int(text) for text in same if re.fullmatch(r"\d{1,4}", text)]
    steps = {b - a for a, b in itertools.pairwise(whole)} if len(whole) == len(same) > 1 else set()
    if len(steps) != 1:
        return False
    # as a program numbers columns, or years
    return (whole[0] in (0, 1) and steps == {1}) or 1800 < whole[0] < whole[-1] < 2200


def find_footer(records: list[Record], width: int, rows: int, sparse: bool = True) -> list[str]:
    """Return what stands below the rows of a table.

    Parameters
    ----------
    records : list of Record
        The last ones, without empty ones.
    width : int
        The number of columns.
    rows : int
        At least one of so many is no footer.
    sparse : bool
        Take a record with a single value for one.
    """
    footer: list[str] = []
    for _, cells in reversed(records[-FOOTER_RECORDS:]):
        filled = [cell.strip() for cell in cells if cell.strip()]
        is_total = bool(_TOTALS.fullmatch(filled[0].rstrip(":. ")))
        if not (is_total or (sparse and len(filled) == 1 < width - 1)) or len(footer) + 1 >= rows:
            break
        footer.insert(0, "; ".join(filled))
    return footer


def _footer_of(content: CsvBytes, delimiter: str, quotes: Quotes, width: int, rows: int) -> tuple[list[str], int]:
    """Return what stands below the rows, and the number of lines there, empty ones among them."""
    records = _read(content.tail, delimiter, limit=None, quotes=quotes)
    filled = [i for i, (_, cells) in enumerate(records) if any(map(str.strip, cells))]
    is_sure = content.is_whole or '"' not in content.tail  # else the tail may begin within quotation marks
    sparse = is_sure and bool(filled) and len(records[filled[-1]][1]) < width
    footer = find_footer([records[i] for i in filled], width, rows, sparse)
    if footer:
        return footer, len(records) - filled[-len(footer)]
    empty = records[filled[-1] + 1 :] if filled else []
    return [], len(empty) if any(len(cells) > 1 for _, cells in empty) else 0
