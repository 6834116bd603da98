"""Numbers, whole numbers and ranges."""

from __future__ import annotations

import contextlib
import math
import numbers
import re
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, short_repr
from irislib._common.messages.validation import TEXTS
from irislib._description.dtype_limits import number_limits
from irislib._description.feature_types.base import FeatureType, wrong
from irislib._description.number_text import hint_for_number, simplify_number
from irislib._description.text_columns import NumberTexts
from irislib._description.values import is_empty, to_json, to_python

if TYPE_CHECKING:
    import numpy as np

    from irislib._description.feature import Feature

__all__ = ["IntegerType", "NumberType", "RangeType"]

DECIMALS = 12  # of calculated values between 1 and 10, of larger ones fewer; those behind are noise
MAX_EXACT = 2**53  # below it every whole number is a float
_DIGITS = re.compile(r"[+-]?\d+")


class NumberType(FeatureType):
    """A number, finite."""

    name = "number"
    dtype = "float64"
    controls = ("number", "slider")
    has_limits = is_numeric = is_continuous = True
    json_type = "number"
    largest: float = sys.float_info.max  # JSON writes numbers of any size

    def is_empty(self, feature: Feature, value: Any) -> bool:
        if feature.required:  # where not a number is a mistake
            return is_empty(value, nan_is_empty=False)
        return super().is_empty(feature, value)

    def parse(self, feature: Feature, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | numbers.Real | Decimal):
            raise wrong(self.noun, value)
        try:
            number = _parse_text(value, *feature.units) if isinstance(value, str) else float(value)
        except ValueError:
            raise wrong(self.noun, value, lambda: hint_for_number(str(value), feature.unit)) from None
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise wrong(TEXTS["number.finite"], number)
        return number

    def parse_column(self, feature: Feature, values: Any) -> tuple[np.ndarray, list[int]]:
        import numpy as np

        column = _to_floats(values)
        return column, np.flatnonzero(~(np.isfinite(column) & self.within(feature, column))).tolist()

    def dtype_limits(self, dtype: str) -> tuple[Any, Any]:
        return number_limits(dtype)

    def to_text(self, value: Any) -> str:
        value = to_python(value)
        return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)

    def to_numbers(self, column: Any) -> np.ndarray:
        import numpy as np

        return np.asarray(column, dtype="float64")

    def from_numbers(self, column: np.ndarray, digits: int | None = None) -> np.ndarray:
        largest = float(abs(column).max(initial=0.0))
        if digits is None:
            digits = max(0, DECIMALS - math.floor(math.log10(largest))) if 0 < largest < math.inf else DECIMALS
        return column.round(digits)

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        low, high = ("minimum", -self.largest), ("maximum", self.largest)
        least, most, closed = feature.bounds
        if least is not None:
            low = ("minimum" if closed in ("both", "left") else "exclusiveMinimum", least)
        if most is not None:
            high = ("maximum" if closed in ("both", "right") else "exclusiveMaximum", most)
        return {"type": self.json_type, low[0]: to_json(low[1]), high[0]: to_json(high[1])}

    def field(self, feature: Feature) -> dict[str, Any]:
        lowest = None  # the first value of the buttons beside an empty field
        if feature.low is not None:
            lowest = float(feature.low + (0 if feature.closed in ("both", "left") else feature.step or 1))
        return {"inputmode": "decimal", "step": feature.step or self.step, "lowest": lowest}


class IntegerType(NumberType):
    """A whole number that fits into 64 bits."""

    name = "integer"
    dtype = "int64"
    step = 1
    json_type = "integer"
    largest = 2**63 - 513  # the last whole number that a float rounds to something below 2**63

    def parse(self, feature: Feature, value: Any) -> int:
        number = super().parse(feature, value)
        if number != int(number):
            raise ValueError(TEXTS["wrong"].format(expected=self.noun, value=format_value(number)))
        if abs(number) >= 2**63:
            raise wrong(TEXTS["integer.long"], value)
        if isinstance(value, str):
            value = simplify_number(value, *feature.units)
        exact = isinstance(value, numbers.Integral) or (isinstance(value, str) and _DIGITS.fullmatch(value))
        return int(value if exact else number)  # a float would lose the last digits of a long one

    def parse_column(self, feature: Feature, values: Any) -> tuple[np.ndarray, list[int]]:
        import numpy as np

        column = _to_floats(values)
        valid = np.isfinite(column) & self.within(feature, column)
        valid &= (np.abs(column) < MAX_EXACT) & (column == np.floor(column))
        return np.where(valid, column, 0).astype("int64"), np.flatnonzero(~valid).tolist()

    def dtype_limits(self, dtype: str) -> tuple[Any, Any]:
        low, high = (None if end is None or abs(end) > self.largest else int(end) for end in number_limits(dtype))
        return low, high

    def from_numbers(self, column: np.ndarray, digits: int | None = None) -> np.ndarray:
        return column.round(0)

    def field(self, feature: Feature) -> dict[str, Any]:
        return super().field(feature) | {"inputmode": "numeric"}


class RangeType(FeatureType):
    """Two numbers, the lower one first."""

    name = "range"
    controls = ("range",)
    has_limits = True
    in_models = False
    number = NumberType()  # of its ends

    def parse(self, feature: Feature, value: Any) -> tuple[float, float]:
        ends = value.split(" to ") if isinstance(value, str) else value
        if not isinstance(ends, list | tuple) or len(ends) != 2 or any(is_empty(end) for end in ends):
            raise ValueError(TEXTS["range.ends"].format(value=short_repr(value)))
        low, high = (self.parse_limit(feature, end) for end in ends)
        if low > high:
            raise ValueError(TEXTS["range.order"].format(value=self.format((low, high))))
        return low, high

    def parse_limit(self, feature: Feature, value: Any) -> float:
        return self.number.parse(feature, value)

    def within(self, feature: Feature, value: Any) -> Any:
        return all(self.number.within(feature, end) for end in value)

    def to_text(self, value: Any) -> str:
        return " to ".join(map(self.number.to_text, value))

    def format(self, value: Any, digits: int = 12) -> str:
        low, high = (format_value(end, digits) for end in value)
        return TEXTS["range.span"].format(low=low, high=high)


def _parse_text(text: str, *units: str) -> float:
    if "_" in text:  # which Python takes between digits
        raise ValueError
    try:
        return float(text)
    except ValueError:
        return float(simplify_number(text, *units))


def _to_floats(values: Any) -> np.ndarray:
    import numpy as np
    import pandas as pd

    if isinstance(values, NumberTexts):
        return values.numbers
    types = pd.api.types
    if isinstance(values, pd.Series) and (types.is_float_dtype(values.dtype) or types.is_integer_dtype(values.dtype)):
        return np.asarray(values.to_numpy(dtype="float64", na_value=np.nan))
    if set(map(type, values)) == {str} and not any("_" in text for text in values):
        for texts in (values, [text or "nan" for text in values]):  # at once, if no text is a fault
            with contextlib.suppress(ValueError):
                return np.array(list(map(float, texts)))
    return np.array([_to_float(value) for value in values], "float64")


def _to_float(value: Any) -> float:
    """Return a value as :meth:`NumberType.parse` does where it is plainly a number, else NaN."""
    kind = value.__class__
    if kind is float or kind is int or (kind is str and "_" not in value):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    return math.nan
