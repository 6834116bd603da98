"""The rows of a CSV file, read one by one or many at a time."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from irislib._common.messages import TEXTS
from irislib._modeling.csv_lines import Part, find_first_row, read_blocks
from irislib._modeling.csv_text import open_text, read_records
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._modeling.csv_layout import CsvLayout

__all__ = ["read_parts", "read_rows"]


def read_parts(file: IO[bytes], layout: CsvLayout, size: int, may_be_none: bool = False) -> Iterator[Part]:
    """Read the rows of a CSV file as `read_rows` does, so many at a time.

    Raises
    ------
    ValidationError
        As `read_rows`.
    """
    start, is_empty = find_first_row(file, layout), True
    for block in read_blocks(file, layout, start, size) if start is not None else ():
        if block.rows is None:
            start = block.start
            break
        yield block.rows
        is_empty = False
    else:
        if not is_empty:
            return
    rows = read_rows(file, layout, start=start or 0, may_be_none=may_be_none or not is_empty)
    while part := list(itertools.islice(rows, size)):
        yield part


def read_rows(
    file: IO[bytes], layout: CsvLayout, max_rows: int | None = None, start: int = 0, may_be_none: bool = False
) -> Iterator[list[str]]:
    """Read the rows of a CSV file one by one, without those that are empty at its end.

    Parameters
    ----------
    file : binary file
    layout : CsvLayout
        From `read_layout`.
    max_rows : int, optional
    start : int, optional
        Where the first of them begins, if that is not the first row of the file.
    may_be_none : bool, default False

    Yields
    ------
    list of str
        Empty for an empty line, which gets no prediction.

    Raises
    ------
    ValidationError
        If the file cannot be used; maybe after many rows.
    """
    count = empty = 0
    with _rows(file, layout, start) as rows:
        for row in rows:
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
    if not count and not may_be_none:
        raise ValidationError([Problem(TEXTS["table_nothing"])])


@contextlib.contextmanager
def _rows(file: IO[bytes], layout: CsvLayout, start: int = 0) -> Iterator[Iterator[list[str]]]:
    with open_text(file, layout.encoding, layout.delimiter, layout.is_spaced, start) as text:
        reader = read_records(text, layout.delimiter, layout.is_spaced)
        yield reader if start else itertools.islice(reader, layout.first_line - 1, None)
