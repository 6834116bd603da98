"""Tables that are not CSV files, read as if they were: Excel workbooks and Parquet files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib._modeling.csv_text import TITLE_LINES, count_names
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["to_csv"]

UNPACKED_BYTES = 300_000_000  # of a compressed file, at most
EMPTY_ROWS = 10_000  # one after the other end a sheet, which may have a million formatted ones


def to_csv(content: bytes, features: Sequence[Feature], max_rows: int) -> tuple[bytes, str]:
    """Return a table as a CSV file, and the name of its sheet if it has one; a CSV file as it is.

    Parameters
    ----------
    content : bytes
    features : sequence of Feature
        The sheet with the most names of features is the table.
    max_rows : int
        A few rows more are read, so that too many are noticed.

    Raises
    ------
    ValidationError
        If the file cannot be read.
    """
    sheet = ""
    kind = {b"PK\x03\x04": "Excel", b"PAR1": "Parquet", b"\xd0\xcf\x11\xe0": "XLS"}.get(content[:4])
    if kind is None:
        return content, sheet
    if kind == "XLS":
        raise ValidationError([Problem(TEXTS["table_old_excel"])])
    try:
        if kind == "Excel":
            sheet, rows = _read_workbook(content, features)
        else:
            rows = _read_parquet(content)
        return _write(itertools.islice(rows, max_rows + 2 * TITLE_LINES)), sheet
    except ImportError:
        raise ValidationError([Problem(TEXTS["table_no_reader"].format(kind=kind))]) from None
    except ValidationError:
        raise
    except Exception as error:  # the readers raise anything for a damaged file
        message = TEXTS["table_damaged"].format(kind=kind, error=type(error).__name__)
        raise ValidationError([Problem(message)]) from error


def _check_size(size: int) -> None:
    if size > UNPACKED_BYTES:
        raise ValidationError([Problem(TEXTS["table_unpacked"].format(limit=UNPACKED_BYTES // 1_000_000))])


def _read_workbook(content: bytes, features: Sequence[Feature]) -> tuple[str, Iterator[Sequence[Any]]]:
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_size(sum(entry.file_size for entry in archive.infolist()))
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    best = -1
    for candidate in book.worksheets:
        candidate.reset_dimensions()  # which some programs write wrongly
        rows = itertools.islice(candidate.iter_rows(values_only=True), TITLE_LINES)
        matches = max((count_names([_to_text(cell) for cell in row], features) for row in rows), default=0)
        if matches > best:
            best, sheet = matches, candidate
    return sheet.title, _until_empty(sheet.iter_rows(values_only=True))


def _until_empty(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    empty = 0
    for row in rows:
        empty = 0 if any(cell is not None for cell in row) else empty + 1
        if empty > EMPTY_ROWS:
            return
        yield row


def _read_parquet(content: bytes) -> Iterator[Sequence[Any]]:
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
    _check_size(sum(group.total_byte_size for group in groups))
    yield file.schema_arrow.names
    for batch in file.iter_batches(batch_size=4_000):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write(rows: Iterable[Sequence[Any]]) -> bytes:
    rows, file = iter(rows), io.StringIO()
    first = list(itertools.islice(rows, TITLE_LINES))
    width = max(map(len, first), default=0)  # empty cells at the end of a row may be left out
    csv.writer(file).writerows(
        [*map(_to_text, row), *[""] * (width - len(row))] for row in itertools.chain(first, rows)
    )
    return file.getvalue().encode("utf-8", "replace")


def _to_text(cell: Any) -> str:
    """Convert a cell to the text that a feature parses."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
