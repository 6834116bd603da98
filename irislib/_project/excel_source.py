"""Excel files: the sheet with the table, where it begins and ends in it, and the code that reads it."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import did_you_mean, join_words
from irislib._common.messages.tables import NOTES, TEXTS
from irislib._project.csv_dialect import Record, find_footer, find_header
from irislib._project.csv_layout import note_left_out
from irislib._project.csv_values import note_gaps, read_all
from irislib._project.other_files import finish
from irislib._project.table_code import Source, TableCode
from irislib.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["read_excel_table"]

FIRST_ROWS = 200


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook.

    Attributes
    ----------
    name : str
    position : int
        Among all sheets, from 0.
    rows : list of list
        The first ones.
    start, end : int
        Its first column with a value, and the one after the last.
    """

    name: str
    position: int
    rows: list[list[Any]]
    start: int
    end: int

    def records(self) -> list[Record]:
        """Return the rows with values as texts, within the columns of the table."""
        rows = [(i, [*map(_text, row[self.start : self.end])]) for i, row in enumerate(self.rows)]
        return [(i, cells) for i, cells in rows if any(cells)]


def read_excel_table(path: Path, sheet: str | None) -> tuple[TableCode, pd.DataFrame]:
    """Return the code that reads a sheet, and the table.

    Raises
    ------
    DataError
        If it cannot be read, or it is not clear which sheet is meant.
    """
    sheets = _sheets(path)
    chosen = _choose(sheets, path, sheet)
    code = TableCode("read_excel")
    _add_layout(code, chosen, path)
    others = [other.name for other in sheets if other is not chosen]
    if chosen.position:
        code.arguments["sheet_name"] = chosen.name
    if others or chosen.position:
        key = "other_sheets" if others else "sheet"
        code.notes.append(NOTES[key].format(sheet=chosen.name, names=join_words(list(map(repr, others)))))
    data = read_all(code, lambda: code.read(path))
    note_gaps(code)
    return code, finish(code, data, str(path))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell.strip() if isinstance(cell, str) else str(cell)


def _sheets(path: Path) -> list[Sheet]:
    """Return the visible sheets that have values."""
    try:
        import openpyxl
    except ImportError as error:
        facts = {"kind": "Excel", "package": "openpyxl", "requirement": "openpyxl>=3.1"}
        raise DataError(TEXTS["package"].format(**facts)) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [_sheet(own, i) for i, own in enumerate(book.worksheets) if own.sheet_state == "visible"]
        book.close()
    except Exception as error:  # it raises anything for a damaged file
        raise DataError(TEXTS["damaged"].format(path=path, kind="Excel", error=error)) from error
    return [own for own in sheets if own.rows]


def _sheet(own: Any, position: int) -> Sheet:
    rows = [list(row) for row in itertools.islice(own.iter_rows(values_only=True), FIRST_ROWS)]
    used = [i for row in rows for i, cell in enumerate(row) if cell is not None]
    if not used:
        return Sheet(own.title, position, [], 0, 0)
    return Sheet(own.title, position, rows, min(used), max(used) + 1)


def _choose(sheets: list[Sheet], path: Path, name: str | None) -> Sheet:
    names = [sheet.name for sheet in sheets]
    if not sheets:
        raise DataError(TEXTS["empty"].format(path=path))
    if name is not None:
        if name not in names:
            raise DataError(TEXTS["no_sheet"].format(path=path, sheet=name, hint=did_you_mean(name, names)))
        return sheets[names.index(name)]
    tables = [sheet for sheet in sheets if sheet.end - sheet.start > 1 and len(sheet.records()) > 2]
    if len(tables) > 1:
        listed = join_words([repr(sheet.name) for sheet in tables])
        raise DataError(TEXTS["sheets"].format(path=path, count=len(tables), names=listed))
    return (tables or sheets)[0]


def _add_layout(code: TableCode, sheet: Sheet, path: Path) -> None:
    """Add the arguments that say where the table is in its sheet."""
    from openpyxl.utils import get_column_letter

    records = sheet.records()
    width = sheet.end - sheet.start
    position = find_header(records, width)
    start, header = records[position]
    _check_merged(sheet, records, position, path)
    if start:
        code.arguments["skiprows"] = start
    if position:
        lines = ["; ".join(filter(None, cells)) for _, cells in records[:position]]
        code.notes.append(note_left_out("titles", lines))
    if sheet.start:
        first, last = get_column_letter(sheet.start + 1), get_column_letter(sheet.end)
        code.arguments["usecols"] = f"{first}:{last}"
        code.notes.append(NOTES["offset"].format(column=first))
    rows = records[position + 1 :]
    footer = find_footer(rows, width, len(rows)) if len(sheet.rows) < FIRST_ROWS else []
    if footer:
        last_row = len(sheet.rows)
        code.arguments["skipfooter"] = last_row - rows[-len(footer)][0]
        code.notes.append(note_left_out("footer", footer))
    below = [row[sheet.start : sheet.end] for row in sheet.rows[start + 1 :]]
    if codes := [i for i in range(width) if _are_codes([row[i] for row in below if i < len(row)])]:
        code.arguments["dtype"] = {header[i]: Source("str") for i in codes}


def _are_codes(cells: list[Any]) -> bool:
    """Return whether texts are whole numbers with zeros before them, of which pandas would make numbers."""
    texts = [cell for cell in cells if cell is not None]
    return all(isinstance(text, str) and text.strip().isdigit() for text in texts) and any(
        len(text) > 1 and text.startswith("0") for text in texts
    )


def _check_merged(sheet: Sheet, records: list[Record], position: int, path: Path) -> None:
    """Refuse names in several rows, as merged cells leave them: gaps between names, and more names below."""
    cells = records[position][1]
    below = sheet.rows[records[position + 1][0]] if position + 1 < len(records) else []
    gaps = [i for i, cell in enumerate(cells) if not cell and i]
    values = below[sheet.start : sheet.end]
    is_text = len(values) > 1 and all(value is None or isinstance(value, str) for value in values)
    following = sheet.rows[records[position + 2][0]] if position + 2 < len(records) else []
    has_numbers = any(isinstance(value, int | float | dt.date) for value in following)
    if gaps and is_text and has_numbers and all(values[i] for i in gaps if i < len(values)):
        row = records[position][0] + 1
        raise DataError(TEXTS["merged"].format(sheet=sheet.name, path=path, cells=f"row {row}"))
