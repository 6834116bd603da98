"""The text of CSV files: its encoding, its delimiter, and the line that names the columns."""

from __future__ import annotations

import codecs
import contextlib
import csv
import encodings
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from encodings.aliases import aliases
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
    "find_encoding",
    "find_header",
    "is_comment",
    "is_windows_1252",
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
UTF_8 = "utf-8-sig"
BLOCK_BYTES = 1 << 20
DELIMITERS = ",;\t|"
TITLE_LINES = 30  # at most, before the line that names the columns
_WORD = re.compile(rb"[\x80-\xff]+")
# Bytes that are signs in Windows-1252 where a word has a letter, and bytes that it does not have.
_NO_LETTER = re.compile(
    rb"[a-z\xe0-\xff][\x82\x84\x88-\x8c\x8e\x94\x9f\xb3\xb9\xba\xbe\xbf][a-z\xe0-\xff]"
    rb"|[\xb3\xb9][a-z\xe0-\xff\xb3\xb9]|[a-z]\x9f|[\x81\x8d\x8f\x90\x9d]"
)
_TEXT_ENCODINGS = re.compile("cp|iso|latin|koi8|mac|gb|big5|euc|shift_jis|utf_16|utf_32")
MOST_IN_WORDS = 0.2  # of the letters with an accent, in words without others


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
    return UTF_8, BOM if start.startswith(BOM) else b""


def find_encoding(file: IO[bytes], charset: str = "") -> str:
    """Return the encoding of a file by its byte order mark, else the first that fits of UTF-8, `charset`, Windows-1252.

    Raises
    ------
    ValidationError
        If none fits. Text of other languages is not taken for Windows-1252, in which all bytes are letters.
    """
    encoding, mark = encoding_of(file)
    if mark or _is_utf_8(file):
        return encoding
    if known := _known_encoding(charset):
        return known
    if charset or not is_windows_1252(_blocks(file)):
        raise ValidationError([Problem(TEXTS["table_not_text"])])
    return "cp1252"


def _known_encoding(charset: str) -> str:
    """Return Python's name of an encoding of text, or nothing: others may be slow, and Python never forgets them."""
    name = encodings.normalize_encoding(charset.lower())
    name = aliases.get(name, name)
    return name if name in aliases.values() and _TEXT_ENCODINGS.match(name) else ""


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(BLOCK_BYTES), b"")


def _is_utf_8(file: IO[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    if b"\0" in next(_blocks(file), b"")[:1000]:
        return False
    try:
        for block in _blocks(file):
            if not block.isascii() or decoder.getstate()[0]:
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def is_windows_1252(blocks: Iterable[bytes]) -> bool:
    """Return whether text that is not UTF-8 looks like Windows-1252: words of Latin letters, a few with an accent."""
    count = in_words = 0
    for block in blocks:
        if block.isascii():
            continue
        if _NO_LETTER.search(block):
            return False
        for word in _WORD.findall(block):
            count += len(word)
            in_words += len(word) * (len(word) > 2)
    return in_words <= MOST_IN_WORDS * count


@contextlib.contextmanager
def open_text(
    file: IO[bytes], encoding: str, delimiter: str = ",", is_spaced: bool = False, start: int = 0
) -> Iterator[TextIO]:
    """Open a file as text, from its beginning or a later row; raise ValidationError if it is no text or not CSV."""
    file.seek(start)
    text = io.TextIOWrapper(file, "utf-8" if start and encoding == UTF_8 else encoding, newline="")
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
