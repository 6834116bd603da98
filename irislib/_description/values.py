"""Single values, whatever the kind of their feature."""

from __future__ import annotations

import datetime as dt
import numbers
import unicodedata
from typing import Any, NamedTuple

from irislib._common.formatting import format_plain
from irislib._common.messages.validation import TEXTS

__all__ = ["UploadedFile", "equals_number", "is_empty", "means_missing", "normalized", "to_json", "to_python"]


# As spreadsheets, databases, R, SAS, Weka, pandas, C and people write a missing value; in any case.
_MISSING = {"na", "n/a", "n.a.", "nan", "null", "none", "nil", "<na>", "nat", "#n/a", "#na", "#nv", "\\n", ".", "?",
            "#n/a n/a", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "(null)", "k.a.", "n/d"}  # fmt: skip
_DASHES = {"-", "--", "---", "\u2013", "\u2014", "\u2212"}


class UploadedFile(NamedTuple):
    """The value of a ``file`` field. Its content appears in no message and no log."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"<{TEXTS['file.size'].format(size=f'{len(self.content):,}')}>"


def to_python(value: Any) -> Any:
    """Convert a NumPy scalar to the Python object it stands for; return anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value


def to_json(value: Any) -> Any:
    """Convert a parsed value to its type of JSON."""
    value = to_python(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()  # with all four digits of the year
    return value if isinstance(value, str | int | float) else format_plain(value)


def is_empty(value: Any, nan_is_empty: bool = True) -> bool:
    """Return whether a value is None, blank text, NaN or another of pandas' missing values."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, numbers.Real):
        return bool(value != value) and nan_is_empty
    return type(value).__name__ in ("NAType", "NaTType")  # pandas' own, without importing it


def means_missing(value: Any) -> bool:
    """Return whether a value is text with which other programs write a missing value."""
    if not isinstance(value, str) or len(value) > 20:
        return False
    text = value.strip()
    return text in _DASHES or text.casefold() in _MISSING


def normalized(text: Any) -> Any:
    """Return text in the one form that all spellings of its accents have in common; anything else as it is."""
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


def equals_number(value: Any, number: Any) -> bool:
    """Return whether a value is a number, written as 1 or, as pandas has it beside missing values, as 1.0."""
    if isinstance(number, bool) or not isinstance(number, int | float) or isinstance(value, bool):
        return False
    try:
        return isinstance(value, str | int | float) and float(value) == number
    except (ValueError, OverflowError):
        return False
