"""The kinds of features, and how a received value of each is read."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import numbers
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._common.formatting import format_value, short_repr

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["FEATURE_TYPES", "FeatureType", "UploadedFile", "is_empty", "to_python"]

_DIGITS = re.compile(r"[+-]?[0-9]+")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class FeatureType(NamedTuple):
    """What a kind of feature is called, how it is read and how it can be shown."""

    noun: str
    read: Callable[[Feature, Any], Any]
    dtype: str
    controls: tuple[str, ...]


class UploadedFile(NamedTuple):
    """What a ``file`` field received. Its content appears in no message and no log."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"<a file of {len(self.content):,} bytes>"


def to_python(value: Any) -> Any:
    """A NumPy scalar as the Python object it stands for; anything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value


def is_empty(value: Any, numeric: bool = False) -> bool:
    """Whether nothing was given. For a required number NaN is not empty but wrong."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, numbers.Real):
        return bool(value != value) and not numeric
    return type(value).__name__ in ("NAType", "NaTType")  # pandas' own, without importing it


def _number(feature: Feature, value: Any) -> float:
    noun = FEATURE_TYPES["integer" if feature.kind == "integer" else "number"].noun
    if isinstance(value, bool) or not isinstance(value, str | numbers.Real | Decimal):
        raise ValueError(f"must be {noun}, got {short_repr(value)}.")
    try:
        if isinstance(value, str) and "_" in value:
            raise ValueError
        number = float(value)
    except ValueError:
        hint = " Write it with a point, not a comma." if "," in str(value) else ""
        raise ValueError(f"must be {noun}, got {short_repr(value)}.{hint}") from None
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"must be a finite number, got {number}.")
    return number


def _integer(feature: Feature, value: Any) -> int:
    number = _number(feature, value)
    if number != int(number):
        raise ValueError(f"must be a whole number, got {format_value(number)}.")
    if abs(number) >= 2**63:
        raise ValueError(f"must be a whole number of at most 18 digits, got {short_repr(value)}.")
    exact = isinstance(value, numbers.Integral) or (isinstance(value, str) and _DIGITS.fullmatch(value.strip()))
    return int(value if exact else number)  # a float would lose the last digits of a long one


def _choice(feature: Feature, value: Any) -> Any:
    value = to_python(value)
    for choice in feature.choices:
        if str(choice) in (str(value), str(value).strip()) or _is_number(choice, value):
            return choice
    near = difflib.get_close_matches(str(value), [str(choice) for choice in feature.choices], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"must be {feature.expected}, got {short_repr(value)}.{hint}")


def _is_number(number: Any, value: Any) -> bool:
    """Whether a value is this number, be it written as 1 or, as pandas has it beside gaps, as 1.0."""
    if isinstance(number, bool) or not isinstance(number, int | float) or isinstance(value, bool):
        return False
    try:
        return isinstance(value, str | int | float) and float(value) == number
    except (ValueError, OverflowError):
        return False


def _boolean(feature: Feature, value: Any) -> bool:
    value = to_python(value)
    if isinstance(value, bool):
        return value
    for number in (0, 1):
        if _is_number(number, value):
            return bool(number)
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _TRUE and word not in _FALSE:
        raise ValueError(f"must be true or false, got {short_repr(value)}.")
    return word in _TRUE


def _date(feature: Feature, value: Any) -> dt.date:
    if hasattr(value, "astype"):  # numpy.datetime64
        value = value.astype("datetime64[D]").item()
    try:
        day = value if isinstance(value, dt.date) else dt.datetime.fromisoformat(value.strip())
    except (ValueError, AttributeError):
        raise ValueError(f"must be a date such as 2026-01-31, got {short_repr(value)}.") from None
    return day.date() if isinstance(day, dt.datetime) else day


def _text(feature: Feature, value: Any) -> str:
    if isinstance(value, str | numbers.Real):
        return str(value)
    raise ValueError("must be text." if feature.kind == "password" else f"must be text, got {short_repr(value)}.")


def _email(feature: Feature, value: Any) -> str:
    address = _text(feature, value).strip()
    if not _EMAIL.fullmatch(address):
        raise ValueError(f"must be an e-mail address such as ann@example.org, got {short_repr(value)}.")
    return address


def _time(feature: Feature, value: Any) -> dt.time:
    try:
        time = value if isinstance(value, dt.time) else dt.time.fromisoformat(value.strip())
        if time.tzinfo is None:
            return time
    except (ValueError, AttributeError):
        pass
    raise ValueError(f"must be a time of day such as 14:30, without a time zone, got {short_repr(value)}.")


def _color(feature: Feature, value: Any) -> str:
    if not isinstance(value, str) or not _COLOR.fullmatch(value.strip()):
        raise ValueError(f"must be a colour such as #772953, got {short_repr(value)}.")
    return value.strip().lower()


def _range(feature: Feature, value: Any) -> tuple[float, float]:
    ends = value.split(" to ") if isinstance(value, str) else value
    if not isinstance(ends, list | tuple) or len(ends) != 2 or any(is_empty(end) for end in ends):
        raise ValueError(f"must have two ends such as 2 to 5, got {short_repr(value)}.")
    low, high = (_number(feature, end) for end in ends)
    if low > high:
        raise ValueError(f"must go from the lower to the higher, got {format_value(low)} to {format_value(high)}.")
    return low, high


def _file(feature: Feature, value: Any) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise ValueError("must be a file.")
    return value


FEATURE_TYPES: dict[str, FeatureType] = {
    "number": FeatureType("a number", _number, "float64", ("number", "slider")),
    "integer": FeatureType("a whole number", _integer, "int64", ("number", "slider")),
    "choice": FeatureType("a choice", _choice, "object", ("select", "radio")),
    "boolean": FeatureType("true or false", _boolean, "bool", ("checkbox", "select")),
    "date": FeatureType("a date", _date, "datetime64[us]", ("date",)),
    "time": FeatureType("a time", _time, "object", ("time",)),
    "text": FeatureType("text", _text, "object", ("text", "textarea", "suggestions")),
    "email": FeatureType("an e-mail address", _email, "object", ("text",)),
    "password": FeatureType("a password", _text, "object", ("password",)),
    "color": FeatureType("a colour", _color, "object", ("color",)),
    "range": FeatureType("a range", _range, "object", ("range",)),
    "file": FeatureType("a file", _file, "object", ("file",)),
}
