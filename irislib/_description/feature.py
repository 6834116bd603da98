"""One input of a model or a form: what it is called, what it may be, how it is shown."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from irislib._common.formatting import format_value
from irislib._description.feature_types import FEATURE_TYPES, is_empty, to_python

__all__ = ["Feature"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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

    def __post_init__(self) -> None:
        if not self.label:
            words = self.name.removesuffix(f"_{self.unit}").replace("_", " ")
            self._set(label=words[:1].upper() + words[1:])
        self._set(choices=tuple(to_python(choice) for choice in self.choices))
        if self.kind not in FEATURE_TYPES:
            return
        if not self.control:
            controls = FEATURE_TYPES[self.kind].controls
            optional_boolean = self.kind == "boolean" and not self.required
            self._set(control="select" if optional_boolean else controls[0])
        for fact in ("low", "high", "default"):
            if getattr(self, fact) is not None:
                with contextlib.suppress(ValueError):  # `faults` tells of it
                    self._set(**{fact: self._read(fact)})

    def _set(self, **facts: Any) -> None:
        for name, value in facts.items():
            object.__setattr__(self, name, value)

    def _read(self, fact: str) -> Any:
        """One of the facts above as a value of this kind; the limits of a range are numbers."""
        kind = "number" if self.kind == "range" and fact != "default" else self.kind
        return FEATURE_TYPES[kind].read(self, getattr(self, fact))

    @property
    def private(self) -> bool:
        """Whether what is entered must never be kept, shown or passed on."""
        return self.kind in ("password", "file")

    @property
    def limits(self) -> str:
        """The hard limits in words, ``above 0 and at most 30 cm``; empty where there are none."""
        parts = []
        if self.low is not None:
            word = "at least" if self.closed in ("both", "left") else "above"
            parts.append(f"{word} {format_value(self.low)}")
        if self.high is not None:
            word = "at most" if self.closed in ("both", "right") else "below"
            parts.append(f"{word} {format_value(self.high)}")
        return " and ".join(parts) + (f" {self.unit}" if parts and self.unit else "")

    @property
    def expected(self) -> str:
        """What a value must be, in words: ``a number above 0 and at most 30 cm``."""
        if self.kind == "choice":
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        return f"{FEATURE_TYPES[self.kind].noun} {self.limits}".rstrip()

    def written(self, value: Any) -> str:
        """A parsed value as a form, a link or a CSV file has it; :meth:`parse` reads it back."""
        if is_empty(value):
            return ""
        value = to_python(value)
        if self.kind == "range":
            return " to ".join(repr(end).removesuffix(".0") for end in value)
        if self.kind == "boolean":
            return str(bool(value)).lower()
        if isinstance(value, float) and self.kind != "choice":
            return repr(value).removesuffix(".0")
        return str(value) if isinstance(value, int | float) else format_value(value)

    def within(self, value: Any) -> Any:
        """Whether a value (or an array of them) keeps to the hard limits."""
        if isinstance(value, tuple):
            return all(self.within(end) for end in value)
        ok: Any = True
        if self.low is not None:
            ok = value >= self.low if self.closed in ("both", "left") else value > self.low
        if self.high is not None:
            ok = ok & (value <= self.high if self.closed in ("both", "right") else value < self.high)
        return ok

    def on_step(self, value: float) -> bool:
        """Whether a slider can stand at a value."""
        steps = (value - self.low) / (self.step or 1)
        return abs(steps - round(steps)) < 1e-9 or (self.step is None and self.kind == "number")

    def parse(self, value: Any) -> Any:
        """Turn what was received into a value of this kind, or None where it is empty.

        Raises
        ------
        ValueError
            The message completes the sentence that begins with the feature's name.
        """
        if is_empty(value, numeric=self.kind in ("number", "integer") and self.required):
            if self.required:
                raise ValueError(f"is missing: expected {self.expected}.")
            return None
        read = FEATURE_TYPES[self.kind].read(self, value)
        if not self.within(read):
            ends = read if isinstance(read, tuple) else [read]
            raise ValueError(f"must be {self.limits}, got {' to '.join(map(format_value, ends))}.")
        return read

    def faults(self) -> list[str]:
        """What is wrong with this description, one sentence each; empty where it is sound."""
        if not _NAME.fullmatch(self.name):
            return [f"Feature name {self.name!r}: use letters, digits and underscores only."]
        if self.kind not in FEATURE_TYPES:
            return [f"{self.name}: kind must be one of {', '.join(FEATURE_TYPES)}, got {self.kind!r}."]
        faults = []
        if self.control not in FEATURE_TYPES[self.kind].controls:
            controls = ", ".join(FEATURE_TYPES[self.kind].controls)
            faults.append(f"{self.name}: control must be one of {controls}, got {self.control!r}.")
        if self.closed not in ("both", "left", "right", "neither"):
            faults.append(f"{self.name}: closed must be both, left, right or neither, got {self.closed!r}.")
        if self.kind == "choice" and not self.choices:
            faults.append(f"{self.name}: a choice needs choices=[…].")
        faults += self._limit_faults()
        if self.default is not None and not faults:
            try:
                self.parse(self.default)
            except ValueError as error:
                faults.append(f"The default of {self.name} {error}")
        return faults

    def _limit_faults(self) -> list[str]:
        faults = []
        given = {fact: getattr(self, fact) for fact in ("low", "high") if getattr(self, fact) is not None}
        if given and self.kind not in ("number", "integer", "date", "time", "range"):
            return [f"{self.name}: a {self.kind} has no low or high."]
        for fact in given:
            try:
                self._read(fact)
            except ValueError as error:
                faults.append(f"{self.name}: {fact} {error}")
        if len(given) == 2 and not faults and not self.low < self.high:
            faults.append(
                f"{self.name}: low ({format_value(self.low)}) must be below high ({format_value(self.high)})."
            )
        if self.control == "slider":
            if len(given) < 2 or self.closed != "both":
                faults.append(f"{self.name}: a slider needs low and high, and closed='both'.")
            if self.kind == "integer" and self.step is not None and self.step != int(self.step):
                faults.append(f"{self.name}: step must be a whole number, got {self.step}.")
            if not faults and self.default is not None and not self.on_step(self.default):
                faults.append(f"{self.name}: the default {format_value(self.default)} is not on a step of the slider.")
        return faults
