"""Dates and times of day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from irislib._common.messages.validation import TEXTS
from irislib._description.dtype_limits import date_limits
from irislib._description.feature_types.base import FeatureType, wrong
from irislib._description.values import to_json

if TYPE_CHECKING:
    import numpy as np

    from irislib._description.feature import Feature

__all__ = ["DateType", "TimeType"]

# The format of JSON Schema that is called time demands a time zone; ours has none.
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"


class DateType(FeatureType):
    """A day."""

    name = "date"
    dtype = "datetime64[us]"
    controls = ("date",)
    format_hint = TEXTS["date.format"]
    has_limits = is_continuous = True

    def parse(self, feature: Feature, value: Any) -> dt.date:
        if hasattr(value, "astype"):  # numpy.datetime64
            value = value.astype("datetime64[D]").item()
        try:
            day = value if isinstance(value, dt.date) else dt.datetime.fromisoformat(value.strip())
        except (ValueError, AttributeError):
            raise wrong(TEXTS["date.example"], value) from None
        return day.date() if isinstance(day, dt.datetime) else day

    def to_numbers(self, column: Any) -> np.ndarray:
        import numpy as np

        days = np.asarray(column, dtype=self.dtype)
        return np.where(np.isnat(days), np.nan, days.astype(float))

    def from_numbers(self, column: np.ndarray, digits: int | None = None) -> np.ndarray:
        return column.astype("int64").astype(self.dtype).astype("datetime64[D]")

    def dtype_limits(self, dtype: str) -> tuple[Any, Any]:
        return date_limits(dtype)

    def restore(self, text: str) -> Any:
        import pandas as pd

        return pd.Timestamp(text)

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "string", "format": "date"} | _limit_patterns(feature)


class TimeType(FeatureType):
    """A time of day, without a time zone."""

    name = "time"
    controls = ("time",)
    format_hint = TEXTS["time.format"]
    has_limits = True

    def parse(self, feature: Feature, value: Any) -> dt.time:
        try:
            time = value if isinstance(value, dt.time) else dt.time.fromisoformat(value.strip())
            if time.tzinfo is None:
                return time
        except (ValueError, AttributeError):
            pass
        raise wrong(TEXTS["time.example"], value)

    def restore(self, text: str) -> dt.time:
        return dt.time.fromisoformat(text)

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{_TIME}$"} | _limit_patterns(feature)


def _limit_patterns(feature: Feature) -> dict[str, Any]:
    """Return the limits of a date or a time as keywords of JSON Schema."""
    patterns = []
    low, high, closed = feature.bounds
    if low is not None:
        patterns.append(_from(_shortest(low), closed in ("both", "left")))
    if high is not None:
        patterns.append(_to(_shortest(high), closed in ("both", "right")))
    return {"allOf": [{"pattern": pattern} for pattern in patterns]} if patterns else {}


def _shortest(value: dt.date | dt.time) -> str:
    text = str(to_json(value))
    return text.rstrip("0") if "." in text else text


def _escape(text: str) -> str:
    return text.replace(".", r"\.")  # re.escape escapes more than ECMAScript allows


def _from(low: str, closed: bool) -> str:
    """Return the pattern of what is not before a date or time: the first digit that differs is greater."""
    greater = [f"{_escape(low[:i])}[{int(d) + 1}-9]" for i, d in enumerate(low) if d in "012345678"]
    itself = _escape(low) + ("" if closed else "[0:.]*[1-9]")  # a tail of seconds
    return f"^({'|'.join([*greater, itself])})"


def _to(high: str, closed: bool) -> str:
    """Return the pattern of what is not after a date or time: the first digit that differs is less."""
    less = [f"{_escape(high[:i])}[0-{int(d) - 1}]" for i, d in enumerate(high) if d in "123456789"]
    shorter = [f"{_escape(high[:i])}$" for i in range(len("14:30"), len(high)) if ":" in high]  # zeros left out
    itself = [_escape(high) + "[0:.]*$"] if closed else []
    return f"^({'|'.join([*less, *shorter, *itself])})"
