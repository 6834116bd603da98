"""CSV files: the code with which pandas reads one, checked on all of its rows."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from irislib._common.messages.tables import NOTES, TEXTS
from irislib._project.column_lines import mend_table
from irislib._project.csv_bytes import scan
from irislib._project.csv_dialect import find_dialect
from irislib._project.csv_layout import add_layout, has_index, offset_of
from irislib._project.csv_units import add_units
from irislib._project.csv_values import add_codes, add_gaps, add_number_signs, note_gaps, read_all
from irislib._project.table_code import TableCode
from irislib.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from irislib._project.csv_dialect import Dialect

__all__ = ["read_csv_table"]


def read_csv_table(path: Path, encoding: str = "") -> tuple[TableCode, pd.DataFrame]:
    """Return the code that reads a CSV file, and the table.

    Parameters
    ----------
    path : Path
    encoding : str
        If somebody has named it.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    content = scan(path, encoding)
    if not content.head.strip():
        raise DataError(TEXTS["empty"].format(path=path))
    dialect = find_dialect(content)
    if dialect is None:
        first = next(line for line in content.head.splitlines() if line.strip())
        raise DataError(TEXTS["one_column"].format(path=path, column=first.strip()[:40]))
    if not dialect.rows:
        raise DataError(TEXTS["header_only"].format(path=path))
    code = TableCode("read_csv")
    add_layout(code, content, dialect, path)
    names = _names(code, path, dialect)
    prefers_comma = add_number_signs(code, dialect, names)
    add_codes(code, dialect, names)
    add_gaps(code, dialect, names)
    data = _read(code, path, dialect)
    data = add_units(code, data, dialect.units, offset_of(code, dialect))
    _note_index(code, data)
    note_gaps(code)
    _note_twice(code, dialect)
    return code, mend_table(code, data, prefers_comma)


def _names(code: TableCode, path: Path, dialect: Dialect) -> dict[int, Any]:
    """Return the names that pandas gives to the columns, by their positions in the rows."""
    without = {name: value for name, value in code.arguments.items() if name not in ("skipfooter", "engine")}
    start = TableCode(code.function, {**without, "nrows": 0 if dialect.header else 1})
    offset = offset_of(code, dialect)
    return dict(enumerate(_call(start, path, dialect).columns, offset))


def _read(code: TableCode, path: Path, dialect: Dialect) -> pd.DataFrame:
    """Read all rows, whose columns have the names of pandas while gaps are looked for."""
    method, code.method = code.method, ""
    data = read_all(code, lambda: _call(code, path, dialect))
    code.method = method
    return data.add_prefix("column_") if method else data


def _call(code: TableCode, path: Path, dialect: Dialect) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            return code.read(path)
    except pd.errors.ParserError as error:
        raise DataError(_describe(str(error), path, dialect)) from error
    except (ValueError, OSError, EOFError) as error:
        raise DataError(TEXTS["bad_csv"].format(path=path, error=error)) from error


def _describe(error: str, path: Path, dialect: Dialect) -> str:
    """Return the sentence for an error of pandas."""
    if match := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", error):
        width, line, count = match.groups()
        return TEXTS["long_row"].format(path=path, line=line, given=count, wanted=width, sign=dialect.delimiter)
    if match := re.search(r"EOF inside string starting at row (\d+)", error):
        line = int(match[1]) + 1 + dialect.skipped
        return TEXTS["quote"].format(path=path, line=line)
    return TEXTS["bad_csv"].format(path=path, error=" ".join(error.split()))


def _note_index(code: TableCode, data: pd.DataFrame) -> None:
    if has_index(code):
        kind = "number" if data.index.dtype.kind in "iu" else "text"
        code.notes.append(NOTES["index"].format(kind=kind))


def _note_twice(code: TableCode, dialect: Dialect) -> None:
    names = [name.strip() for name in dialect.header or []]
    for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
        others = ", ".join(repr(f"{name}.{i}") for i in range(1, names.count(name)))
        code.notes.append(NOTES["twice"].format(name=name, others=others))
