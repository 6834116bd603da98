"""Tables in files that pandas reads without being told how: Parquet, Feather, Stata and JSON."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from irislib._common.messages.tables import NOTES, TEXTS
from irislib._project.column_lines import assign, gap_lines, mend_table, name_list
from irislib._project.table_code import TableCode
from irislib.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["finish", "read_other"]

TITLES = {"read_parquet": "Parquet", "read_feather": "Feather", "read_stata": "Stata", "read_json": "JSON"}
NESTED = {dict: "records", list: "lists", tuple: "lists", set: "lists", bytes: "bytes"}


def read_other(path: Path, function: str, **arguments: Any) -> tuple[TableCode, pd.DataFrame]:
    """Return the code that reads a file by a function of pandas, and the table.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    code = TableCode(function, arguments)
    try:
        data = code.read(path)
    except ImportError as error:
        facts = {"kind": TITLES[function], "package": "pyarrow", "requirement": "pyarrow>=17"}
        raise DataError(TEXTS["package"].format(**facts)) from error
    except Exception as error:  # the readers raise anything for a damaged file
        text = " ".join(str(error).split())
        key = "json" if function == "read_json" else "damaged"
        raise DataError(TEXTS[key].format(path=path, kind=TITLES[function], error=text[:200])) from error
    return code, finish(code, data, str(path))


def finish(code: TableCode, data: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table with what no feature can be made another thing, by lines of the code.

    Raises
    ------
    DataError
        If it has no rows, or a column of lists or the like.
    """
    import pandas as pd

    if data.columns.nlevels > 1:
        data = code.apply(data, ['data.columns = data.columns.map(" ".join)'])
    if not len(data):
        raise DataError(TEXTS["header_only"].format(path=name))
    if not data.columns.is_unique:
        again = data.columns[data.columns.duplicated()][0]
        raise DataError(TEXTS["same_names"].format(path=name, column=str(again)))
    named = [level for level in data.index.names if level is not None]
    if named or not isinstance(data.index, pd.RangeIndex):
        data = code.apply(data, ["data = data.reset_index()" if named else "data = data.reset_index(drop=True)"])
        code.notes.append(NOTES["index_columns" if named else "index_left"].format(names=name_list(named)))
    _check_nested(data, name)
    lines = [
        *assign(_columns_of(data, (Decimal,)), lambda source: f"{source}.astype(float)"),
        *assign(
            [column for column, dtype in data.dtypes.items() if dtype.kind == "m"],
            lambda source: f"{source}.dt.total_seconds()",
        ),
        *gap_lines(code, data),
    ]
    return mend_table(code, code.apply(data, lines) if lines else data)


def _columns_of(data: pd.DataFrame, types: tuple[type, ...]) -> list[Any]:
    """Return the columns whose first known value is of some types."""
    columns = []
    for column, dtype in data.dtypes.items():
        known = data[column].dropna() if dtype.kind == "O" else data[column].iloc[:0]
        if len(known) and isinstance(known.iloc[0], types):
            columns.append(column)
    return columns


def _check_nested(data: pd.DataFrame, name: str) -> None:
    for column, dtype in data.dtypes.items():
        if dtype.kind != "O" or hasattr(dtype, "categories"):
            continue
        values = data[column].dropna().iloc[:100]
        for value in values:
            kind = next((word for type_, word in NESTED.items() if isinstance(value, type_)), "")
            if kind or (hasattr(value, "__len__") and not isinstance(value, str | dt.date)):
                raise DataError(TEXTS["nested"].format(path=name, column=str(column), kind=kind or "lists"))
