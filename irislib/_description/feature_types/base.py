"""The base class of all kinds of features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from irislib._common.formatting import MAX_WORDS, format_plain, format_value, short_repr
from irislib._common.messages.validation import TEXTS
from irislib._description.values import is_empty, means_missing, to_python

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["FeatureType", "InvalidValueError", "wrong"]


class InvalidValueError(ValueError):
    """The error of a value that is not what is expected; its hint is sought when it is read."""

    def __init__(self, message: str, hint: Callable[[], str]):
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]}{self.hint()}"


def wrong(expected: str, value: Any, hint: Callable[[], str] = str) -> ValueError:
    """Return the error of a value that is not what is expected; the hint begins with a space."""
    return InvalidValueError(TEXTS["wrong"].format(expected=expected, value=short_repr(value)), hint)


class FeatureType:
    """A kind of feature: how its values are parsed, described, written and encoded.

    A class of its own has a ``name`` and :meth:`parse`; what it does not define is that of text.

    Attributes
    ----------
    name : str
        As in ``Feature(kind=…)``.
    dtype : str
        Of a column without missing values.
    controls : tuple of str
        The form's controls for it, its own first.
    format_hint : str
        How a program writes a value, for the JSON Schema.
    step : number, optional
        The smallest distance between two values, if there is one.
    has_limits : bool
        Whether it can have ``low`` and ``high``; its values have an order then.
    is_numeric : bool
        Whether its values are numbers.
    is_continuous : bool
        Whether its values can be turned into numbers by :meth:`to_numbers`, and back.
    in_models : bool
        Whether a model can have it; all kinds can be in a form.
    is_private : bool
        Whether a value must never be stored, shown or passed on.
    """

    name: ClassVar[str]
    dtype: ClassVar[str] = "object"
    controls: ClassVar[tuple[str, ...]] = ("text",)
    format_hint: ClassVar[str] = ""
    step: ClassVar[float | None] = None
    has_limits: ClassVar[bool] = False
    is_numeric: ClassVar[bool] = False
    is_continuous: ClassVar[bool] = False
    in_models: ClassVar[bool] = True
    is_private: ClassVar[bool] = False

    @property
    def noun(self) -> str:
        """Noun for a value of this kind, as messages have it."""
        return TEXTS[self.name]

    def faults(self, feature: Feature) -> list[str]:
        """Return what is wrong with the description of a feature of this kind, one sentence each."""
        return []

    def default_control(self, feature: Feature) -> str:
        """Return the control of a feature whose description names none."""
        return self.controls[0]

    def expected(self, feature: Feature) -> str:
        """Return what a value must be, in words: ``a number above 0 and at most 30 cm``."""
        return f"{self.noun} {feature.limits}".rstrip()

    def is_empty(self, feature: Feature, value: Any) -> bool:
        """Return whether a received value is a missing one: empty, or of a feature that may be, what others write."""
        return is_empty(value) or (not feature.required and means_missing(value))

    def parse(self, feature: Feature, value: Any) -> Any:
        """Convert a received value, which is not empty, to a value of this kind.

        Raises
        ------
        ValueError
            The message completes the sentence that begins with the feature's name.
        """
        raise NotImplementedError

    def parse_limit(self, feature: Feature, value: Any) -> Any:
        """Convert a limit, as :meth:`parse` does a value."""
        return self.parse(feature, value)

    def parse_column(self, feature: Feature, values: Any) -> tuple[np.ndarray | None, Sequence[int]]:
        """Parse a column at once where that is faster.

        Returns
        -------
        array : ndarray of shape (n_values,), or None
        positions : sequence of int
            Of the values that :meth:`parse` has to parse one by one.
        """
        return None, range(len(values))

    def within(self, feature: Feature, value: Any) -> Any:
        """Return whether a value, or each of an array, is within the limits."""
        valid: Any = True
        low, high, closed = feature.bounds
        if low is not None:
            valid = value >= low if closed in ("both", "left") else value > low
        if high is not None:
            valid = valid & (value <= high if closed in ("both", "right") else value < high)
        return valid

    def dtype_limits(self, dtype: str) -> tuple[Any, Any]:
        """Return the least and the largest value that a column of a dtype can hold; None where it sets no limit."""
        return None, None

    def to_text(self, value: Any) -> str:
        """Convert a value to text that :meth:`parse` converts back."""
        value = to_python(value)
        return str(value) if isinstance(value, int | float) else format_plain(value)

    def format(self, value: Any, digits: int = 12) -> str:
        """Format a value for a person."""
        return format_value(value, digits)

    def coverage(self, feature: Feature, column: pd.Series) -> dict[str, Any] | None:
        """Return the values, or the lowest and the highest one, that a column of training data has.

        None where nothing can be said: free text is new nearly every time.
        """
        known = column.dropna()
        if known.empty:
            return None
        if categories := self.categories(feature):
            present = set(known)
            return {"values": [value for value in categories if value in present]}
        return {"low": to_python(known.min()), "high": to_python(known.max())} if self.has_limits else None

    def restore(self, end: Any) -> Any:
        """Convert an end of a coverage back that was stored as JSON."""
        return end

    def categories(self, feature: Feature) -> Sequence[Any]:
        """Return all possible values, if they are a list."""
        return ()

    def indicators(self, feature: Feature) -> Sequence[Any]:
        """Return the values that are encoded as a column of 0 and 1 each."""
        return self.categories(feature)

    def to_numbers(self, column: Any) -> np.ndarray:
        """Convert the values of a continuous kind to floats, NaN where one is missing."""
        raise NotImplementedError

    def from_numbers(self, column: np.ndarray, digits: int | None = None) -> np.ndarray:
        """Convert floats back to values that can be entered, rounded."""
        raise NotImplementedError

    def json_schema(self, feature: Feature) -> dict[str, Any]:
        """Return the JSON Schema of a value that is not null."""
        schema: dict[str, Any] = {"type": "string"}
        if feature.required:
            schema["pattern"] = r"\S"
        if suggestions := [str(choice) for choice in feature.choices if not is_empty(choice)]:
            schema["examples"] = suggestions[:MAX_WORDS]
        return schema

    def hint(self, feature: Feature) -> str:
        """Return the sentence below the control of a form about the values that it takes."""
        text = "" if feature.control == "slider" else feature.limits  # a slider shows its own
        return f"{text[:1].upper()}{text[1:]}." if text else ""

    def field(self, feature: Feature) -> dict[str, Any]:
        """Return what the form's control has to know besides what it knows of every feature."""
        return {}
