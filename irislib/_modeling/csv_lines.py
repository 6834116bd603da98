"""Rows of a CSV file that are lines of plain text: they need not be taken apart to be counted and written again."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import contains
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from irislib._description.text_columns import DistinctTexts, NumberTexts
from irislib._modeling.csv_text import UTF_8, read_records
from irislib._modeling.training_warnings import warning_texts

if TYPE_CHECKING:
    from irislib._modeling.csv_layout import CsvLayout
    from irislib._modeling.many_rows import ManyPredictions

__all__ = ["Block", "Lines", "Part", "column_texts", "find_first_row", "read_blocks", "write_lines"]

READ_BYTES = 1 << 14
MAX_BLOCK_BYTES = 1 << 24
ENCODINGS = {UTF_8: "utf-8", "cp1252": "cp1252", "latin-1": "latin-1"}  # of rows whose line breaks and signs are bytes


class Block(NamedTuple):
    """Some lines of a file: the rows in them, or None if they have to be read with more care, and where they begin."""

    start: int
    rows: Lines | list[list[str]] | None


@dataclass(frozen=True)
class Lines:
    """Lines that have a value for each column, none of them empty or a comment.

    Quotation marks are around values with a delimiter in them only, as `csv.writer` sets them.

    Attributes
    ----------
    lines : list of str
        Without their ends.
    delimiter : str
    is_quoted : bool
        True if there are quotation marks.
    """

    lines: list[str]
    delimiter: str
    is_quoted: bool = False

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> list[list[str]]:
        """Return the cells of each row."""
        return list(read_records(self.lines, self.delimiter))

    def columns(self, numbers: Collection[int], others: Collection[int]) -> dict[int, Any]:
        """Return columns by their indices.

        Parameters
        ----------
        numbers : collection of int
            The columns that may be plain numbers: if all of these are, each is a `NumberTexts`, else a list of str.
        others : collection of int
            The columns of which each different text is wanted once: `DistinctTexts`.
        """
        import pandas as pd

        if not numbers and not others:
            return {}
        texts = dict.fromkeys(others, "object")
        try:
            frame = self._parse(dict.fromkeys(numbers, "float64") | texts)
            for i in numbers:  # pandas takes a column of nothing but true and false for numbers
                if (row := frame[i].first_valid_index()) is not None:
                    float(self._cells_of(i)(row))
        except ValueError:
            frame = self._parse(dict.fromkeys(numbers, "object") | texts)
        columns: dict[int, Any] = {}
        for i in frame.columns:
            column = frame[i].to_numpy()
            if i in texts:
                codes, distinct = pd.factorize(column)
                columns[i] = DistinctTexts(distinct.tolist(), codes)
            else:
                columns[i] = column.tolist() if column.dtype == "object" else NumberTexts(column, self._cells_of(i))
        return columns

    def _parse(self, dtypes: dict[int, str]) -> Any:
        import pandas as pd

        return pd.read_csv(
            io.StringIO("\n".join(self.lines)),
            sep=self.delimiter,
            header=None,
            usecols=[*dtypes],
            dtype=dtypes,
            na_values={i: [""] for i, dtype in dtypes.items() if dtype == "float64"},
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if self.is_quoted else csv.QUOTE_NONE,
            skip_blank_lines=False,
            low_memory=False,
            **_precision(),
        )

    def _cells_of(self, index: int) -> Any:
        if self.is_quoted:
            return lambda row: next(read_records([self.lines[row]], self.delimiter))[index]
        return lambda row: self.lines[row].split(self.delimiter)[index]


Part = Lines | list[list[str]]  # some rows of a file


def column_texts(part: Part, indices: Collection[int]) -> dict[int, list[str]]:
    """Return the texts of columns by their indices, without those that short rows lack; equal ones of lines once."""
    if isinstance(part, Lines):
        return {i: column.texts for i, column in part.columns([], indices).items()}
    return {i: [row[i] for row in part if i < len(row)] for i in indices}


def _precision() -> dict[str, Any]:
    """Return the option with which pandas reads numbers as ``float`` does; from 3.1 on it needs none."""
    import pandas as pd

    return {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}


def find_first_row(file: IO[bytes], layout: CsvLayout) -> int | None:
    """Return where the first row begins, or None if the file is not of plain lines."""
    if layout.is_spaced or layout.encoding not in ENCODINGS:
        return None
    file.seek(0)
    texts = (line.decode(layout.encoding) for line in iter(lambda: file.readline(MAX_BLOCK_BYTES), b""))
    reader = read_records(texts, layout.delimiter)
    try:
        for _ in range(layout.first_line - 1):
            next(reader)
    except (csv.Error, UnicodeError, StopIteration):
        return None
    return file.tell()


def read_blocks(file: IO[bytes], layout: CsvLayout, start: int, size: int) -> Iterator[Block]:
    """Read a file from the start of a row, so many rows at a time; the last block may be one to be read with care."""
    file.seek(start)
    waiting: list[bytes] = []
    while True:
        length = sum(map(len, waiting))
        while len(waiting) < size and (more := file.readlines(READ_BYTES)):
            waiting += more
            length += sum(map(len, more))
            if length > MAX_BLOCK_BYTES:
                yield Block(start, None)
                return
        if not waiting:
            return
        content, waiting = b"".join(waiting[:size]), waiting[size:]
        rows = _rows_of(content, layout, start)
        yield Block(start, rows)
        if rows is None:
            return
        start += len(content)


def _rows_of(content: bytes, layout: CsvLayout, start: int) -> Lines | list[list[str]] | None:
    """Return the rows of a block, which is checked the first time that it is read."""
    block = start, len(content)
    if (is_quoted := layout.plain_blocks.get(block)) is not None:
        lines = content.replace(b"\r\n", b"\n").decode(ENCODINGS[layout.encoding]).removesuffix("\n").split("\n")
        return Lines(lines, layout.delimiter, is_quoted)
    rows = _split(content, layout)
    if isinstance(rows, Lines):
        layout.plain_blocks[block] = rows.is_quoted
    return rows


def _split(content: bytes, layout: CsvLayout) -> Lines | list[list[str]] | None:
    """Return the rows of a block, or None if a row may be several lines or none."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    if b"\0" in content or b"\r" in content:
        return None
    try:
        text = content.decode(ENCODINGS[layout.encoding])
    except UnicodeError:
        return None
    delimiter, width = layout.delimiter, len(layout.header)
    lines = unquoted = text.removesuffix("\n").split("\n")
    if is_quoted := '"' in text:
        without = _without_quoted(text, delimiter)
        if without is None or '"#' in text:  # other quotation marks, or what may be a comment
            return None
        unquoted = without.removesuffix("\n").split("\n")
    if "" in lines or delimiter * (width - 1) in lines or max(map(len, lines)) > csv.field_size_limit():
        return None
    widths = set(map(str.count, unquoted, itertools.repeat(delimiter)))
    if widths == {width - 1} and not text.startswith("#") and "\n#" not in text:
        return Lines(lines, delimiter, is_quoted)
    rows = list(read_records(lines, delimiter))
    return rows if all(map(any, rows)) else None


def _without_quoted(text: str, delimiter: str) -> str | None:
    """Return lines with a 0 for each cell in quotation marks, or None if there are others than around a delimiter."""
    parts = text.split('"')
    inside, outside = parts[1::2], '"'.join(parts[::2])
    if len(inside) * 2 + 1 != len(parts) or not all(map(contains, inside, itertools.repeat(delimiter))):
        return None
    ends = outside.count(f'"{delimiter}') + outside.count('"\n') + outside.endswith('"')
    starts = outside.count(f'{delimiter}"') + outside.count('\n"') + outside.startswith('"')
    if not starts == ends == len(inside) or "\n" in "".join(inside):
        return None
    return outside.replace('"', "0")


def _result_texts(delimiter: str, decimal: str, predictions: ManyPredictions, count: int) -> list[list[str]]:
    """Return the columns of the cells that are added, as they are written to a file."""
    texts = [_column_texts(delimiter, decimal, column) for column in predictions.columns]
    problems = [""] * count
    for row, row_problems in predictions.problems.items():
        problems[row] = _write_cell(delimiter, " ".join(problem.message for problem in row_problems))
    return [*texts, _write_texts(delimiter, warning_texts(predictions.warnings, count)), problems]


def _write_texts(delimiter: str, texts: list[str]) -> list[str]:
    """Return what `_write_cell` returns for each text."""
    whole = "".join(texts)
    if any(sign in whole for sign in '"\r\n'):
        return [_write_cell(delimiter, text) for text in texts]
    return [f'"{text}"' if delimiter in text else text for text in texts]


def _column_texts(delimiter: str, decimal: str, column: list[Any]) -> list[str]:
    if set(map(type, column)) == {float}:
        return _number_texts(column, decimal)
    known = {value: _write_value(delimiter, decimal, value) for value in set(column)}
    # 0.0 and -0.0 are equal
    return [known[value] if value else _write_value(delimiter, decimal, value) for value in column]


def _write_value(delimiter: str, decimal: str, value: Any) -> str:
    return _write_cell(delimiter, str(value).replace(".", decimal) if isinstance(value, float) else value)


def _number_texts(column: list[float], decimal: str) -> list[str]:
    """Return the texts of numbers, each different one made once."""
    import numpy as np
    import pandas as pd

    codes, distinct = pd.factorize(np.array(column).view("int64"))  # 0.0 and -0.0 are equal, but not in words
    written = list(map(str, distinct.view("float64").tolist()))
    if decimal != ".":
        written = [text.replace(".", decimal) for text in written]
    texts = np.array(written, dtype="object")
    return texts[codes].tolist()  # type: ignore[no-any-return]


def _write_cell(delimiter: str, value: Any) -> str:
    """Return a cell as `csv.writer` writes one of several."""
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if _needs_quotes(delimiter)(text) else text


@functools.cache
def _needs_quotes(delimiter: str) -> Any:
    return re.compile(f'[{re.escape(delimiter)}"\r\n]').search


def write_lines(lines: Lines, predictions: ManyPredictions, decimal: str = ".") -> bytes:
    """Return plain lines with the predictions, as `write_csv` would."""
    columns = _result_texts(lines.delimiter, decimal, predictions, len(lines))
    rows = map(lines.delimiter.join, zip(lines.lines, *columns, strict=True))
    return ("\r\n".join(rows) + "\r\n").encode()
