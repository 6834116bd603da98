"""The columns of a table, described for people in lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_count, format_share, format_value
from irislib._common.messages.new import COMMAND
from irislib._description.inference import infer_features
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_columns"]

SHOWN = 60  # columns
EXAMPLES, LENGTH = 3, 18  # of a column, and characters of an example
SAMPLE = 20_000  # rows in which different values are counted
RIGHT = (False, False, True, True, False)  # how the cells of a column are aligned


def describe_columns(frame: pd.DataFrame) -> list[str]:
    """Return a line for each column: name, kind, number of different values, gaps, examples."""
    rows = [
        tuple(COMMAND["head"].split(",")),
        *(_describe(column, frame[column]) for column in list(frame.columns)[:SHOWN]),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(RIGHT))]
    lines = []
    for row in rows:
        cells = zip(row, widths, RIGHT, strict=True)
        lines.append("  " + "  ".join(cell.rjust(w) if right else cell.ljust(w) for cell, w, right in cells).rstrip())
    more = len(frame.columns) - SHOWN
    return [*lines, f"  … {format_count(more)}"] if more > 0 else lines


def _describe(column: Any, values: pd.Series) -> tuple[str, ...]:
    known = values.dropna()
    share = 1 - len(known) / max(len(values), 1)
    try:
        kind = infer_features(values.to_frame())[0].kind
        some = known.iloc[:SAMPLE].drop_duplicates()
        different = format_count(known.nunique())
    except (DataError, TypeError):  # such as lists
        kind, some, different = str(values.dtype), known, ""
    examples = ", ".join(_show(value) for value in some.iloc[:EXAMPLES])
    return str(column), kind, different, format_share(share) if share else "", examples


def _show(value: Any) -> str:
    value = value.item() if hasattr(value, "item") else value
    text = " ".join(format_value(value, 6).split())
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"
