"""One input of a model or a form: its name, its values, its control."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from irislib._common.formatting import format_value, readable_name
from irislib._common.messages.validation import TEXTS
from irislib._description.dtype_limits import is_whole
from irislib._description.feature_types import FEATURE_TYPES, FeatureType
from irislib._description.values import is_empty, to_python

__all__ = ["Feature"]

CLOSED = {(True, True): "both", (True, False): "left", (False, True): "right", (False, False): "neither"}
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Feature:
    """One input. The only place where these facts are written.

    The form, the checks, the endpoint and the documentation are all made from it.

    Parameters
    ----------
    name : str
        The column's name in the data and the field's name in a request: ``petal_length_cm``.
    kind : str, default "number"
        One of ``number``, ``integer``, ``choice``, ``boolean``, ``date``, ``time``, ``text``,
        ``email``, ``color``, ``range``, ``file``, ``password`` (the last three are for forms only:
        a model cannot have them).
    label : str, optional
        What the form calls it; the name in plain words where left out.
    unit : str, optional
        Such as ``cm``; shown with every number.
    low, high : number, date or time, optional
        Hard limits: what is *possible*. A value beyond them is an error. What the training data
        *cover* is learnt by :func:`irislib.train`; a value beyond that gets a warning.
    closed : {"both", "left", "right", "neither"}, default "both"
        Which limits may themselves be taken, as in :class:`pandas.Interval`:
        ``"right"`` with ``low=0`` means above 0.
    step : number, optional
        How far a slider, an arrow key or the buttons beside a number move it at a time.
    choices : sequence, optional
        The values of a ``choice``, or suggestions for a ``text``.
    default : optional
        What the form shows at first. A request must give every required feature all the same.
    help : str, optional
        One sentence for the person who fills in the form.
    required : bool, default True
        When False, an empty value reaches the estimator as missing (NaN).
    control : str, optional
        How it is shown, where its kind has a choice: ``slider`` (number, integer),
        ``radio`` (choice), ``suggestions`` or ``textarea`` (text), ``checkbox`` or ``select``
        (boolean). A slider and a checkbox always have a value.
    column : str or int, optional
        The data's own name of the column, where it is not ``name``: ``sepal length (cm)``. The estimator gets it; rows,
        requests and CSV files may have either.
    dtype : str, optional
        The dtype of the estimator's column, where it is not that of the kind: ``category`` for a choice that
        ``HistGradientBoostingClassifier(categorical_features="from_dtype")`` or LightGBM shall take as one, or
        ``float32``. Without it numbers arrive as float64, whole numbers as int64 and booleans as bool (float64 if they
        may be left empty), dates as datetime64, and everything else as Python objects, such as str. A value that it
        cannot hold is an error, such as 300 for ``uint8``; without ``low`` and ``high`` the form does not show that.
    group : str, optional
        The heading under which the form has it, together with the others of that group.
    logged : bool, default True
        When False, its values are neither in the prediction log nor in feedback. Those of private kinds never are.
    """

    name: str
    kind: str = "number"
    label: str = ""
    unit: str = ""
    low: Any = None
    high: Any = None
    closed: str = "both"
    step: float | None = None
    choices: Sequence[Any] = ()
    default: Any = None
    help: str = ""
    required: bool = True
    control: str = ""
    column: Any = ""
    dtype: str = ""
    group: str = ""
    logged: bool = True

    def __post_init__(self) -> None:
        if not self.label:
            self._set(label=readable_name(self.name, self.unit))
        self._set(column=self.name if self.column == "" else to_python(self.column))
        self._set(choices=tuple(to_python(choice) for choice in self.choices))
        if self.kind not in FEATURE_TYPES:
            return
        if not self.control:
            self._set(control=self.type.default_control(self))
        for name in ("low", "high", "default"):
            if getattr(self, name) is not None:
                with contextlib.suppress(ValueError):  # `faults` reports it
                    self._set(**{name: self._parse_attribute(name)})

    def relabelled(self, **texts: str) -> Feature:
        """Return the feature with other texts, such as those of another language."""
        copy = replace(self, **texts)  # type: ignore[arg-type]
        copy._set(_original_label=self.original_label, _original_unit=self.units[-1])
        return copy

    @property
    def original_label(self) -> str:
        """The label that its author wrote, also where another language has another one."""
        return str(vars(self).get("_original_label", self.label))

    @property
    def units(self) -> tuple[str, str]:
        """The units that may stand beside a number: the one that is shown, and the one that its author wrote."""
        return self.unit, str(vars(self).get("_original_unit", self.unit))

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def _parse_attribute(self, name: str) -> Any:
        parse = self.type.parse if name == "default" else self.type.parse_limit
        return parse(self, getattr(self, name))

    @property
    def type(self) -> FeatureType:
        """The class of its kind."""
        return FEATURE_TYPES[self.kind]

    @property
    def private(self) -> bool:
        """True if a value must never be stored, shown or passed on."""
        return self.type.is_private

    @property
    def is_logged(self) -> bool:
        """True if its values may be written to the prediction log and to feedback."""
        return self.logged and not self.private

    @property
    def limits(self) -> str:
        """The hard limits in words, ``above 0 and at most 30 cm``; empty where there are none."""
        return self._in_words(self.low, self.high, self.closed)

    @cached_property
    def bounds(self) -> tuple[Any, Any, str]:
        """The limits that a value is checked by: low, high and closed, those of the dtype where there are no others.

        Forms do not show those of the dtype: nobody fills in a field by them.
        """
        low, high = self.type.dtype_limits(self.dtype) if self.dtype else (None, None)
        low_is_closed = self.low is None or self.closed in ("both", "left")
        high_is_closed = self.high is None or self.closed in ("both", "right")
        return (
            low if self.low is None else self.low,
            high if self.high is None else self.high,
            CLOSED[low_is_closed, high_is_closed],
        )

    def _in_words(self, low: Any, high: Any, closed: str) -> str:
        parts = []
        if low is not None:
            key = "at_least" if closed in ("both", "left") else "above"
            parts.append(TEXTS[key].format(low=format_value(low)))
        if high is not None:
            key = "at_most" if closed in ("both", "right") else "below"
            parts.append(TEXTS[key].format(high=format_value(high)))
        return TEXTS["and"].join(parts) + (f" {self.unit}" if parts and self.unit else "")

    @property
    def expected(self) -> str:
        """Words for what a value must be: ``a number above 0 and at most 30 cm``."""
        return self.type.expected(self)

    def to_text(self, value: Any) -> str:
        """Convert a parsed value to the text of a form, a link or a CSV file, which :meth:`parse` converts back."""
        return "" if is_empty(value) else self.type.to_text(value)

    def on_step(self, value: float) -> bool:
        """Return whether a slider has a position for a value."""
        steps = (value - self.low) / (self.step or 1)
        return abs(steps - round(steps)) < 1e-9 or (self.step is None and self.type.step is None)

    def parse(self, value: Any) -> Any:
        """Convert a received value to one of this kind; None if it is empty.

        Raises
        ------
        ValueError
            The message completes the sentence that begins with the feature's name.
        """
        feature_type = self.type
        if feature_type.is_empty(self, value):
            if self.required:
                raise ValueError(TEXTS["missing"].format(expected=self.expected))
            return None
        parsed = feature_type.parse(self, value)
        if not feature_type.within(self, parsed):
            limits = self._in_words(*self.bounds)
            raise ValueError(TEXTS["beyond"].format(limits=limits, value=feature_type.format(parsed)))
        return parsed

    def faults(self) -> list[str]:
        """Return what is wrong with this description, one sentence each."""
        if not _COLUMN_NAME.fullmatch(self.name):
            return [f"Feature name {self.name!r}: use letters, digits and underscores only."]
        if self.kind not in FEATURE_TYPES:
            return [f"{self.name}: kind must be one of {', '.join(FEATURE_TYPES)}, got {self.kind!r}."]
        faults = [
            f"{self.name}: {name} must be a text, got {value!r}."
            for name in ("label", "unit", "help", "group")
            if not isinstance(value := getattr(self, name), str)
        ]
        if self.control not in self.type.controls:
            controls = ", ".join(self.type.controls)
            faults.append(f"{self.name}: control must be one of {controls}, got {self.control!r}.")
        if self.closed not in ("both", "left", "right", "neither"):
            faults.append(f"{self.name}: closed must be both, left, right or neither, got {self.closed!r}.")
        faults += self.type.faults(self) + self._limit_faults()
        faults += self._dtype_faults() or ([] if faults else self._dtype_limit_faults())
        if self.default is not None and not faults:
            try:
                self.parse(self.default)
            except ValueError as error:
                faults.append(f"The default of {self.name} {error}")
        return faults

    def _dtype_faults(self) -> list[str]:
        if not self.dtype:
            return []
        import pandas as pd

        try:
            dtype = pd.api.types.pandas_dtype(self.dtype)
        except TypeError:
            return [f"{self.name}: dtype must be one of pandas' dtypes, such as category, got {self.dtype!r}."]
        if not self.required and str(dtype) != "category" and dtype.kind in "biu":
            return [f"{self.name}: a column of {self.dtype} has no missing values; leave out required=False."]
        if self.kind == "number" and is_whole(self.dtype):
            return [f"{self.name}: a column of {self.dtype} has no decimals; use kind='integer', or another dtype."]
        return []

    def _dtype_limit_faults(self) -> list[str]:
        """Return the faults of limits that the dtype cannot hold."""
        lowest, highest = self.type.dtype_limits(self.dtype) if self.dtype else (None, None)
        faults = []
        if lowest is not None and self.low is not None and self.low < lowest:
            faults.append(
                f"{self.name}: low must be at least {format_value(lowest)}, the least {self.dtype} can hold, "
                f"got {format_value(self.low)}."
            )
        if highest is not None and self.high is not None and self.high > highest:
            faults.append(
                f"{self.name}: high must be at most {format_value(highest)}, the most {self.dtype} can hold, "
                f"got {format_value(self.high)}."
            )
        return faults

    def _limit_faults(self) -> list[str]:
        faults = []
        limits = [name for name in ("low", "high") if getattr(self, name) is not None]
        if limits and not self.type.has_limits:
            return [f"{self.name}: a {self.kind} has no low or high."]
        for name in limits:
            try:
                self._parse_attribute(name)
            except ValueError as error:
                faults.append(f"{self.name}: {name} {error}")
        if len(limits) == 2 and not faults and not self.low < self.high:
            faults.append(
                f"{self.name}: low ({format_value(self.low)}) must be below high ({format_value(self.high)})."
            )
        if self.control == "slider":
            if len(limits) < 2 or self.closed != "both":
                faults.append(f"{self.name}: a slider needs low and high, and closed='both'.")
            if self.step is not None and self.type.step is not None and self.step % self.type.step:
                faults.append(f"{self.name}: step must be a whole number, got {self.step}.")
            if not faults and self.default is not None and not self.on_step(self.default):
                faults.append(f"{self.name}: the default {format_value(self.default)} is not on a step of the slider.")
        return faults
