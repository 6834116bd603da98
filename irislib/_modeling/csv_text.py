"""The text of CSV files: its encoding, its delimiter, and the line that names the columns."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TextIO

from irislib._common.formatting import shorten_list
from irislib._common.messages import TEXTS
from irislib._description.number_text import readings, simplify_number
from irislib._description.values import means_missing, normalized
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = [
    "BOM",
    "TITLE_LINES",
    "Header",
    "count_names",
    "encoding_of",
    "find_header",
    "is_comment",
    "names_of_column",
    "open_text",
    "read_records",
]

BOM = codecs.BOM_UTF8  # spreadsheets put it before UTF-8
_ENCODINGS = {  # UTF-32 first: its mark begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
DELIMITERS = ",;\t|"
TITLE_LINES = 30  # at most, before the line that names the columns


class Header(NamedTuple):
    """The line that names the columns.

    Attributes
    ----------
    names : list of str
    delimiter : str
    skipped : int
        The number of rows above it.
    is_spaced : bool
        True if quotation marks come after spaces: ``a, "b"``.
    """

    names: list[str]
    delimiter: str
    skipped: int
    is_spaced: bool = False


def encoding_of(file: IO[bytes]) -> tuple[str, bytes]:
    """Return the encoding of a file, and the byte order mark that it begins with."""
    file.seek(0)
    start = file.read(4)
    for mark, encoding in _ENCODINGS.items():
        if start.startswith(mark):
            return encoding, mark
    return "utf-8-sig", BOM if start.startswith(BOM) else b""


@contextlib.contextmanager
def open_text(file: IO[bytes], delimiter: str = ",", is_spaced: bool = False, start: int = 0) -> Iterator[TextIO]:
    """Open a file as text, from its beginning or later in UTF-8; raise ValidationError if it is no text or not CSV."""
    encoding, _ = encoding_of(file)
    file.seek(start)
    text = io.TextIOWrapper(file, "utf-8" if start else encoding, newline="")
    try:
        yield text
    except UnicodeError:
        raise ValidationError([Problem(TEXTS["table_not_text"])]) from None
    except csv.Error as error:
        reason = _describe_error(file, encoding, delimiter, is_spaced, str(error))
        raise ValidationError([Problem(f"{TEXTS['table_not_csv']} {reason}")]) from None
    finally:
        text.detach()  # or the file would be closed with it


def read_records(lines: Iterable[str], delimiter: str, is_spaced: bool = False) -> Any:
    """Return the reader of CSV text, which has a ``line_num``."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=is_spaced, strict=True)


def _describe_error(file: IO[bytes], encoding: str, delimiter: str, is_spaced: bool, error: str) -> str:
    """Read the file once more, up to its error, and name the line where the faulty row begins."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    reader, first = read_records(text, delimiter, is_spaced), 1
    try:
        for _ in reader:
            first = reader.line_num + 1
    except (csv.Error, UnicodeError):
        pass
    finally:
        text.detach()
    is_open = error.startswith("unexpected end") or reader.line_num > first
    template = TEXTS["table_open_quote"] if is_open else TEXTS["table_bad_line"]
    return template.format(line=first, error=error)


def find_header(beginning: str, features: Sequence[Feature]) -> Header:
    """Find the line that names the columns: the first of those with the most names of features.

    There may be titles and comments above it, and a line ``sep=;``, which some spreadsheets write.
    """
    lines = {i: line for i, line in enumerate(re.split(r"\r\n|\r|\n", beginning)[: 2 * TITLE_LINES], 1) if line.strip()}
    delimiters = DELIMITERS
    if lines and (match := re.fullmatch(r"sep=(.)", lines[first := min(lines)])):
        delimiters = match[1]
        del lines[first]
    best, number, delimiter = -1, 1, delimiters[0]
    for i, line in itertools.islice(lines.items(), TITLE_LINES):
        for sign in delimiters:
            row: list[str] = next(csv.reader([line], delimiter=sign, skipinitialspace=True), [])
            if (matches := count_names(row, features)) > best:
                best, number, delimiter = matches, i, sign
        if best == len(features):
            break
    is_spaced = f'{delimiter} "' in lines.get(number, "")
    rows = read_records(io.StringIO(beginning, newline=""), delimiter, is_spaced)
    skipped, header = next(((i, _clean(cells)) for i, cells in enumerate(rows) if rows.line_num >= number), (0, []))
    if best < 1 and any(readings(simplify_number(name)) for name in header):
        names = shorten_list([feature.name for feature in features])
        raise ValidationError([Problem(TEXTS["table_no_header"].format(names=names, line=lines[number][:80]))])
    return Header(header, delimiter, skipped, is_spaced)


def count_names(row: list[str], features: Sequence[Feature]) -> int:
    """Return how many cells of a row are names of features."""
    known = {text.casefold() for feature in features for text in names_of_column(feature)}
    return len(known & {normalized(name).casefold() for name in _clean(row)})


def _clean(row: list[str]) -> list[str]:
    """Return the names of columns without spaces around them and without the mark of a comment before the first."""
    names = [name.strip() for name in row]
    return [names[0].lstrip("# "), *names[1:]] if names and names[0].startswith("#") else names


def names_of_column(feature: Feature) -> tuple[str, ...]:
    """Return the names that a feature's column may have: its own two first, which go before the others."""
    own = (feature.name, str(normalized(feature.column)))
    labels, units = (feature.label, feature.original_label), feature.units
    names = [name for label in labels for name in (label, *(f"{label} ({unit})" for unit in units))]
    return (*own, *map(normalized, dict.fromkeys(names)))


def is_comment(row: list[str], width: int) -> bool:
    """Return whether a row is a line of comment: it begins with # and has nothing in other columns."""
    if not row or not (text := row[0].strip()).startswith("#"):
        return False
    if means_missing(text) or text.endswith(("!", "?")):  # errors of spreadsheets: #N/A, #REF!, #NAME?
        return False
    return len(row) != width or (width > 1 and not any(row[1:]))
