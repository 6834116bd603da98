"""Tables of any kind of file or database, and the plain pandas code that reads each again."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.formatting import closest_texts, did_you_mean
from irislib._common.locks import parse_source
from irislib._common.messages.tables import NOTES, TEXTS
from irislib._project.csv_source import read_csv_table
from irislib._project.excel_source import read_excel_table
from irislib._project.file_kinds import kind_of
from irislib._project.other_files import read_other
from irislib._project.sql_source import QUERY, read_query, sqlite_file
from irislib._project.table_code import literal
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._project.table_code import TableCode

__all__ = ["TableSource", "read_table"]

JSON = {"dtype": False}  # texts stay texts, such as codes with zeros before them
MOST_BYTES = 500_000_000  # of a file that is copied into a project


@dataclass(frozen=True)
class TableSource:
    """A table, and the code that reads it.

    Attributes
    ----------
    frame : DataFrame
        The whole table, as the code makes it.
    expression : str
        Python that makes it from ``DATA``, the path of the file: an expression, which may be followed by statements
        that change ``data``, its value. See `statements` and `body`.
    imports : tuple of str
        The import lines it needs beyond pandas.
    path : Path or None
        The file to copy into a project.
    notes : tuple of str
        What was seen in the table and done about it, a sentence each.
    requirements : tuple of str
        The packages that the code needs beyond those of irislib.
    """

    frame: pd.DataFrame
    expression: str
    imports: tuple[str, ...] = ()
    path: Path | None = None
    notes: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()

    @property
    def statements(self) -> str:
        """The statements that make ``data``, a variable, of ``DATA``."""
        return self.expression if self.expression.startswith(QUERY) else f"data = {self.expression}"

    @property
    def body(self) -> str:
        """The statements of a function that returns the table."""
        is_one = len(parse_source(self.statements).body) == 1
        return f"return {self.expression}" if is_one else f"{self.statements}\nreturn data"


def read_table(data: str, sql: str | None = None, sheet: str | None = None, encoding: str | None = None) -> TableSource:
    """Read a table, however it is written.

    Parameters
    ----------
    data : str
        The path of a file; with ``sql`` the address of a database, as SQLAlchemy has it.
    sql : str, optional
        A query.
    sheet : str, optional
        The sheet of an Excel file that has several.
    encoding : str, optional
        Of a CSV file, where its bytes do not show it.

    Raises
    ------
    DataError
        If it cannot be read; one sentence says what is wrong and what to do.
    """
    if sql is not None:
        _check_options("a query", "", sheet, encoding)
        return _query(data, sql)
    path = _file(data)
    kind = kind_of(path)
    _check_options(path, kind, sheet, encoding)
    requirements: tuple[str, ...] = ()
    if kind == "csv":
        code, frame = read_csv_table(path, encoding or "")
    elif kind == "excel":
        code, frame = read_excel_table(path, sheet)
        requirements = ("openpyxl>=3.1",)
    elif kind == "jsonl":
        code, frame = read_other(path, "read_json", lines=True, **JSON)
    elif kind == "json":
        code, frame = read_other(path, "read_json", **JSON)
    else:
        code, frame = read_other(path, f"read_{kind}")
        requirements = ("pyarrow>=17",) if kind in ("parquet", "feather") else ()
    return _source(code, frame, path, requirements=requirements)


def _check_options(source: Path | str, kind: str, sheet: str | None, encoding: str | None) -> None:
    """Refuse options that are for another kind of file."""
    if sheet is not None and kind != "excel":
        raise DataError(TEXTS["only_sheet"].format(path=source))
    if encoding is not None and kind != "csv":
        raise DataError(TEXTS["only_encoding"].format(path=source))


def _query(address: str, sql: str) -> TableSource:
    path = sqlite_file(address)
    if path is not None:
        path = _file(str(path))
    code, frame, imports, requirements = read_query(address, sql)
    return _source(code, frame, path, imports, requirements)


def _source(
    code: TableCode,
    frame: pd.DataFrame,
    path: Path | None,
    imports: tuple[str, ...] = (),
    requirements: tuple[str, ...] = (),
) -> TableSource:
    """Return the source of a table; a file too large to be copied is read where it is.

    Raises
    ------
    DataError
        If there is nothing to learn from in it.
    """
    if frame.empty:
        raise DataError(TEXTS["header_only"].format(path=path or "The query"))
    if len(frame.columns) == 1:
        raise DataError(TEXTS["single"].format(path=path or "The query", column=str(frame.columns[0])))
    expression = code.source()
    if path is not None and (size := path.stat().st_size) > MOST_BYTES:
        own = str(path.resolve())
        code.notes.append(NOTES["large"].format(size=size // 1_000_000, path=own))
        expression = re.sub(r"(?<=\(|\s)DATA(?=,|\))", lambda _: literal(own), expression, count=1)
        path = None
    return TableSource(frame, expression, imports, path, tuple(code.notes), requirements)


def _file(data: str) -> Path:
    """Return the path of a file that is there and not empty."""
    if "://" in data:
        raise DataError(TEXTS["url"].format(data=data))
    path = Path(os.path.expanduser(data))
    if os.path.isdir(path):  # unlike Path's, of any text
        files = sorted(entry.name for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith("."))
        hint = TEXTS["folder.files"].format(names=", ".join(files[:3])) if files else ""
        raise DataError(TEXTS["folder"].format(path=path, files=hint))
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except FileNotFoundError as error:
        names = (
            sorted(entry.name for entry in os.scandir(path.parent) if entry.is_file()) if path.parent.is_dir() else []
        )
        hint = did_you_mean(path.name, names) if closest_texts(path.name, names) else ""
        raise DataError(TEXTS["missing"].format(path=path, hint=hint).rstrip()) from error
    except OSError as error:
        raise DataError(TEXTS["unreadable"].format(path=path, error=error.strerror)) from error
    if not start:
        raise DataError(TEXTS["empty"].format(path=path))
    return path
