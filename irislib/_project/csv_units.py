"""The units of a table's columns in a line below their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from irislib._common.messages.tables import NOTES
from irislib._description.inference import UNITS, column_unit
from irislib._description.number_text import readings, simplify_number
from irislib._description.values import means_missing
from irislib._project.table_code import TableCode, literal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Record", "add_units", "has_units", "is_number"]

Record = tuple[int, list[str]]  # the line in which it begins, from 1, and its cells
BODY = 50  # rows whose numbers are looked at
KNOWN = {*UNITS, *filter(None, UNITS.values())}
_UNIT = re.compile(r"[^\W\d_]{1,6}|[°%‰€$£µμΩ/·*^²³\w.-]{1,12}")
_SURE = re.compile(r"[°%‰€$£Ω²³]|^[(\[].*[)\]]$|./.")
_NO_UNIT = re.compile(r"|[-–]|1|[(\[]?[-–1 ][)\]]?|[ymdhst:./ -]{6,}|date|datum|text|string|name", re.IGNORECASE)


def is_number(text: str) -> bool:
    """Return whether a text is a number, however it is written."""
    return bool(readings(simplify_number(text)))


def _bare(text: str) -> str:
    return text.strip().strip("()[] ")


def has_units(rows: list[Record], width: int) -> bool:
    """Return whether the first row has units, of columns that are numbers below it, and nothing else."""
    if len(rows) < 3 or len(rows[0][1]) != width:
        return False
    sure = 0
    for i, cell in enumerate(rows[0][1]):
        text = cell.strip()
        below = [row[i].strip() for _, row in rows[1:BODY] if i < len(row)]
        known = [value for value in below if value and not means_missing(value)]
        if not text or _NO_UNIT.fullmatch(text):
            continue
        if means_missing(text) or is_number(text) or not known or not all(map(is_number, known)):
            return False
        if not _UNIT.fullmatch(_bare(text)):
            return False
        sure += bool(_SURE.search(text)) or _bare(text).lower() in KNOWN or _bare(text) in KNOWN
    return sure > 0


def add_units(code: TableCode, data: pd.DataFrame, units: Record | None, offset: int) -> pd.DataFrame:
    """Return a table whose columns have their units in their names; `offset` is the position of the first one."""
    if units is None:
        return data
    texts = dict(zip(data.columns, units[1][offset:], strict=False))
    own = {name: _bare(text) for name, text in texts.items() if not _NO_UNIT.fullmatch(text.strip())}
    names = {name: f"{name} ({unit})" for name, unit in own.items() if not column_unit(str(name))}
    (column, unit), *_ = own.items()
    code.notes.append(NOTES["units"].format(unit=unit, column=column))
    return code.apply(data, [f"data = data.rename(columns={literal(names)})"]) if names else data
