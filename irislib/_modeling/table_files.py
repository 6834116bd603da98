"""Tables that are not CSV files, read as if they were: Excel workbooks and Parquet files."""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib._modeling.csv_text import TITLE_LINES, count_names
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["KINDS", "TableKind", "table_kind", "to_csv"]


@dataclass(frozen=True)
class TableKind:
    """A kind of file that holds a table.

    Attributes
    ----------
    name : str
    title : str
        Its name on pages.
    magic : bytes
        The first bytes of each file.
    reader : str
        The package that reads it, which may be missing.
    mimetypes : tuple of str
        The registered one, and others in use.
    """

    name: str
    title: str
    magic: bytes
    reader: str
    mimetypes: tuple[str, ...]

    @property
    def is_readable(self) -> bool:
        """True if its reader is installed."""
        return importlib.util.find_spec(self.reader) is not None


KINDS = (
    TableKind(
        "Excel", "Excel (.xlsx)", b"PK\x03\x04", "openpyxl",
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    ),
    TableKind(
        "Parquet", "Parquet", b"PAR1", "pyarrow",
        ("application/vnd.apache.parquet", "application/parquet", "application/x-parquet"),
    ),
)  # fmt: skip
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
CHECKED_ROWS = 1_000
UNPACKED_BYTES = 300_000_000  # of a compressed file, at most
BLOCK_BYTES = 1 << 20
LONGEST_FORMULA = 20_000  # characters, at most, of one in a file
_LIKE_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")
_NO_RESULT = re.compile(rb'<c (?![^<>]*t="str")[^<>]*><f(?:[^<>]*/>|[^<>]*>[^<]*</f>)(?:<v ?/>|<v></v>)?</c>')
EMPTY_ROWS = 10_000  # one after the other end a sheet, which may have a million formatted ones


def table_kind(mimetype: str) -> TableKind | None:
    """Return the kind of file of a mimetype; None if it is none of `KINDS`."""
    return next((kind for kind in KINDS if mimetype in kind.mimetypes), None)


def to_csv(
    content: bytes,
    features: Sequence[Feature],
    max_rows: int,
    max_bytes: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[bytes, str]:
    """Return a table as a CSV file, and the name of its sheet if it has one; a CSV file as it is.

    Parameters
    ----------
    content : bytes
    features : sequence of Feature
        The sheet with the most names of features is the table.
    max_rows : int
        A few rows more are read, so that too many are noticed.
    max_bytes : int, optional
        Of the file when it is unpacked, and of the CSV file; `UNPACKED_BYTES` if left out.
    check : callable
        Called now and then; may raise an error to end the work.

    Raises
    ------
    ValidationError
        If the file cannot be read.
    """
    sheet = ""
    kind = next((kind for kind in KINDS if content.startswith(kind.magic)), None)
    if content.startswith(OLD_EXCEL):
        raise ValidationError([Problem(TEXTS["table_old_excel"])])
    if kind is None:
        return content, sheet
    limit = UNPACKED_BYTES if max_bytes is None else max_bytes
    try:
        if kind.name == "Excel":
            sheet, rows = _read_workbook(content, features, limit)
        else:
            rows = _read_parquet(content, limit)
    except ImportError:
        raise ValidationError([Problem(TEXTS["table_no_reader"].format(kind=kind.name))]) from None
    except Exception as error:
        raise _damage(kind, error) from error
    return _write(_sound_rows(itertools.islice(rows, max_rows + 2 * TITLE_LINES), kind), limit, check), sheet


def _damage(kind: TableKind, error: Exception) -> ValidationError:
    if isinstance(error, ValidationError):
        return error
    return ValidationError([Problem(TEXTS["table_damaged"].format(kind=kind.name, error=type(error).__name__))])


def _sound_rows(rows: Iterator[Sequence[Any]], kind: TableKind) -> Iterator[Sequence[Any]]:
    try:
        yield from rows
    except Exception as error:  # the readers raise anything for a damaged file
        raise _damage(kind, error) from error


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise ValidationError([Problem(TEXTS["table_unpacked"].format(limit=limit // 1_000_000))])


def _read_workbook(content: bytes, features: Sequence[Feature], limit: int) -> tuple[str, Iterator[Sequence[Any]]]:
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_size(sum(entry.file_size for entry in archive.infolist()), limit)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    best = -1
    for candidate in sorted(book.worksheets, key=lambda sheet: str(sheet.sheet_state) != "visible"):
        candidate.reset_dimensions()  # which some programs write wrongly
        first = itertools.islice(candidate.iter_rows(values_only=True), TITLE_LINES)
        matches = max((count_names([_to_text(cell) for cell in row], features) for row in first), default=0)
        if matches > best:
            best, sheet = matches, candidate
    rows: Iterable[Sequence[Any]] = sheet.iter_rows(values_only=True)
    if _lacks_results(content):
        source = openpyxl.load_workbook(io.BytesIO(content), read_only=True)[sheet.title]
        source.reset_dimensions()
        rows = map(_fill_in_formulas, rows, source.iter_rows(values_only=True))
    return sheet.title, _until_empty(rows)


def _lacks_results(content: bytes) -> bool:
    """Return whether a workbook has formulas without their results, as programs write that do not calculate."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as file:
                    end = b""
                    while block := file.read(BLOCK_BYTES):
                        if _NO_RESULT.search(end + block):
                            return True
                        end = block[-LONGEST_FORMULA:]
    return False


def _fill_in_formulas(values: Sequence[Any], sources: Sequence[Any]) -> list[Any]:
    """Return the values of a row, and the formulas themselves where there are no results: no value is not empty."""
    pairs = itertools.zip_longest(values, sources)
    return [getattr(source, "text", source) if value is None else value for value, source in pairs]


def _until_empty(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    empty = 0
    for row in rows:
        empty = 0 if any(cell is not None for cell in row) else empty + 1
        if empty > EMPTY_ROWS:
            return
        yield row


def _read_parquet(content: bytes, limit: int) -> Iterator[Sequence[Any]]:
    import pyarrow.parquet

    # a text that is repeated many times is read once: a small file can hold terabytes of such texts
    schema = pyarrow.parquet.ParquetFile(io.BytesIO(content)).schema
    leaves = map(schema.column, range(len(schema)))
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY" and not leaf.max_repetition_level]
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content), read_dictionary=texts)
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    lists = [i for i in range(len(schema)) if schema.column(i).max_repetition_level]
    values = sum(group.column(i).num_values for group in groups for i in lists)  # which may be packed as well
    _check_size(sum(group.total_byte_size for group in groups) + 8 * values, limit)
    return _parquet_rows(file)


def _parquet_rows(file: Any) -> Iterator[Sequence[Any]]:
    yield file.schema_arrow.names
    for batch in file.iter_batches(batch_size=4_000):
        yield from zip(*map(_column_values, batch.columns), strict=True)


def _column_values(column: Any) -> list[Any]:
    if not hasattr(column, "dictionary"):
        return list(column.to_pylist())
    texts = column.dictionary.to_pylist()
    return [None if index is None else texts[index] for index in column.indices.to_pylist()]


def _write(rows: Iterable[Sequence[Any]], limit: int, check: Callable[[], None]) -> bytes:
    rows, file = iter(rows), io.StringIO()
    first = list(itertools.islice(rows, TITLE_LINES))
    width = max(map(len, first), default=0)  # empty cells at the end of a row may be left out
    writer = csv.writer(file)
    for number, row in enumerate(itertools.chain(first, rows)):
        writer.writerow([*map(_to_text, row), *[""] * (width - len(row))])
        _check_size(file.tell(), limit)
        if number % CHECKED_ROWS == 0:
            check()
    return file.getvalue().encode("utf-8", "replace")


def _to_text(cell: Any) -> str:
    """Convert a cell to the text that a feature parses."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, bytes):  # text of a Parquet file that does not say so
        return cell.decode("utf-8", "replace")
    text = str(cell)
    is_point = isinstance(cell, float | Decimal) and _LIKE_THOUSANDS.fullmatch(text)
    return f"{text}0" if is_point else text  # 1.234 beside decimal commas would be 1234
