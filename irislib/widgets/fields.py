"""One field of a form: the control that suits a feature, its help, and what is wrong with its value."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from irislib.errors import Problem
from irislib.feature import Feature
from irislib.kinds import is_empty
from irislib.widgets.showing import message
from irislib.wording import readable

__all__ = ["CONTROLS", "ENTERED", "Field"]

ENTERED = "(entered)"  # stands for a password wherever its value would


class Field(ipywidgets.VBox):  # type: ignore[misc]
    """A feature's control with its help and, where its value is wrong, the message below it."""

    def __init__(self, feature: Feature):
        self.feature = feature
        self.control = CONTROLS[feature.kind, feature.control](feature)
        self.control.description = label(feature)
        if feature.default is not None:
            self.fill(feature.default)
        self.note = ipywidgets.HTML()
        help_text = " ".join(filter(None, (feature.help, limits(feature))))
        helper = ipywidgets.HTML(f'<span class="irislib-help">{escape(help_text)}</span>')
        super().__init__([self.control, *([helper] if help_text else []), self.note])
        self.add_class("irislib-field")
        self.add_class(f"irislib-{feature.control}")

    @property
    def value(self) -> Any:
        """What was entered, or None; of a password only that one was."""
        value = self.control.value
        if is_empty(value):
            return None
        return ENTERED if self.feature.kind == "password" else value

    def fill(self, value: Any) -> None:
        """Put a value into the control, as its default or an example gives it."""
        text = isinstance(self.control, ipywidgets.Text | ipywidgets.Textarea | ipywidgets.Combobox)
        self.control.value = (value if isinstance(value, str) else readable(value)) if text else value

    def forget_secret(self) -> None:
        """Empty a password field; the value is gone from the page and from this process."""
        if self.feature.kind == "password":
            self.control.value = ""

    def show(self, problem: Problem | None) -> None:
        """Say what is wrong with the value, in the feature's own words; nothing where all is well."""
        text = problem.labelled(self.feature.label) if problem else ""
        self.note.value = message(text)
        (self.add_class if text else self.remove_class)("irislib-wrong")


def label(feature: Feature) -> str:
    """The words above a control: ``Petal length (cm) *``."""
    unit = f" ({feature.unit})" if feature.unit else ""
    return f"{feature.label}{unit}{' *' if feature.required else ''}"


def limits(feature: Feature) -> str:
    """The allowed range as a sentence; a slider shows its own."""
    text = "" if feature.control == "slider" else feature.limits
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _written(make: Any, **more: Any) -> Callable[[Feature], Any]:
    """A control one types into.

    A number too is typed as text: ipywidgets' number fields put the old value back, or a limit,
    where they do not like what was typed, without a word.
    """

    def build(feature: Feature) -> Any:
        return make(continuous_update=False, **{name: take(feature) for name, take in more.items()})

    return build


def _slider(feature: Feature) -> Any:
    make = ipywidgets.IntSlider if feature.kind == "integer" else ipywidgets.FloatSlider
    step = {} if feature.step is None else {"step": feature.step}
    return make(value=feature.low, min=feature.low, max=feature.high, continuous_update=False, **step)


def _select(feature: Feature) -> Any:
    choices = [("no", False), ("yes", True)] if feature.kind == "boolean" else _labelled(feature)
    return ipywidgets.Dropdown(options=[("", None), *choices])


def _labelled(feature: Feature) -> list[tuple[str, Any]]:
    return [(str(choice), choice) for choice in feature.choices]


_number = _written(ipywidgets.Text)

# What shows each kind of feature, by kind and control: a new control is one line here, its name in
# KINDS (irislib/kinds.py), and nothing else.
CONTROLS: dict[tuple[str, str], Callable[[Feature], Any]] = {
    ("number", "number"): _number,
    ("number", "slider"): _slider,
    ("integer", "number"): _number,
    ("integer", "slider"): _slider,
    ("choice", "select"): _select,
    ("choice", "radio"): lambda feature: ipywidgets.RadioButtons(options=_labelled(feature), value=None),
    ("boolean", "checkbox"): lambda feature: ipywidgets.Checkbox(value=False, indent=False),
    ("boolean", "select"): _select,
    ("date", "date"): lambda feature: ipywidgets.DatePicker(),
    ("text", "text"): _written(ipywidgets.Text),
    ("text", "textarea"): _written(ipywidgets.Textarea),
    ("text", "suggestions"): _written(ipywidgets.Combobox, options=lambda f: [str(c) for c in f.choices]),
    ("email", "text"): _written(ipywidgets.Text, placeholder=lambda f: "name@example.org"),
    ("password", "password"): _written(ipywidgets.Password),
}
