"""A form made from features."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from irislib.errors import Problem
from irislib.feature import Feature
from irislib.widgets.fields import Field
from irislib.widgets.showing import message

__all__ = ["Form"]


class Form(ipywidgets.VBox):  # type: ignore[misc]
    """The fields, the button below them, and what is wrong with the form as a whole.

    Parameters
    ----------
    features : sequence of Feature
    action : str
        The words on the button.
    submit : callable
        Called without arguments when the button is pressed, or Enter in a line of text.
    """

    def __init__(self, features: Sequence[Feature], action: str, submit: Callable[[], None]):
        self.fields = {feature.name: Field(feature) for feature in features}
        self.button = ipywidgets.Button(description=action, button_style="primary")
        self.note = ipywidgets.HTML()
        super().__init__([*self.fields.values(), self.button, self.note])
        self.add_class("irislib-panel")
        self.button.on_click(lambda _: submit())
        for field in self.fields.values():
            if isinstance(field.control, ipywidgets.Text) and not isinstance(field.control, ipywidgets.Combobox):
                field.control.on_msg(lambda _, content, __: soon(submit) if content.get("event") == "submit" else None)

    def values(self) -> dict[str, Any]:
        """What was entered, by the features' names; what was left empty is not in it."""
        return {name: field.value for name, field in self.fields.items() if field.value is not None}

    def forget_secrets(self) -> None:
        """Empty the password fields."""
        for field in self.fields.values():
            field.forget_secret()

    def show(self, problems: Sequence[Problem]) -> None:
        """Put each problem beside its field, and any other below the button."""
        by_name = {problem.feature: problem for problem in reversed(problems)}
        for name, field in self.fields.items():
            field.show(by_name.get(name))
        others = [problem.message for problem in problems if problem.feature not in self.fields]
        self.say(" ".join(others))

    def say(self, text: str) -> None:
        """Put a sentence below the button."""
        self.note.value = message(text)


def soon(call: Callable[[], None]) -> None:
    """Call after the message that is on its way: a page tells of Enter just before the value it ends."""
    try:
        asyncio.get_running_loop().call_later(0.05, call)
    except RuntimeError:  # no kernel around us
        call()
