"""The layout: a header, the form at the left, tabs at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import ipywidgets

from irislib.errors import SpecError, ValidationError
from irislib.feature import Feature
from irislib.spec import describe_faults
from irislib.widgets.form import Form
from irislib.widgets.guard import guarded
from irislib.widgets.showing import paragraph

__all__ = ["Page", "Tab"]


@dataclass(frozen=True)
class Tab:
    """One tab of a page.

    Attributes
    ----------
    title : str
    draw : callable
        Takes what the page's ``answer`` returned (None before the first answer) and returns
        widgets. It is called when the tab is first opened, and again after each new answer.
    empty : str
        What the tab says before the first answer; where it is empty the tab needs no answer and
        is drawn only once.
    """

    title: str
    draw: Callable[[Any], Sequence[ipywidgets.Widget]]
    empty: str = ""


class Page(ipywidgets.VBox):  # type: ignore[misc]
    """An app: what it asks, what it does with it, and the tabs that show what came of it.

    Parameters
    ----------
    title : str
    features : sequence of Feature
        The fields of the form.
    action : str
        The words on its button.
    answer : callable
        Takes what was entered, as a dict without what was left empty, and returns what the tabs
        draw. A ValidationError of it is shown beside the fields.
    tabs : sequence of Tab

    Raises
    ------
    SpecError
        Where the features do not make a form.
    """

    def __init__(
        self,
        title: str,
        features: Sequence[Feature],
        action: str,
        answer: Callable[[dict[str, Any]], Any],
        tabs: Sequence[Tab],
    ):
        if faults := describe_faults(features):
            raise SpecError(f"The page {title!r}", faults)
        self.answer = answer
        self.tabs = list(tabs)
        self.result: Any = None
        self.drawn: set[int] = set()
        self.waiting = {i for i, tab in enumerate(self.tabs) if tab.empty}  # for an answer
        self.form = Form(features, action, self.submit)
        self.panes = [ipywidgets.VBox() for _ in self.tabs]
        self.stack = ipywidgets.Tab(self.panes, titles=[tab.title for tab in self.tabs], selected_index=0)
        self.stack.add_class("irislib-tabs")
        self.stack.observe(lambda _: self.draw(), "selected_index")
        body = ipywidgets.HBox([self.form, self.stack])
        body.add_class("irislib-body")
        header = ipywidgets.HTML(f"<style>{style()}</style><h1>{escape(title)}</h1>")
        header.add_class("irislib-header")
        super().__init__([header, body])
        self.add_class("irislib")
        self.forget()
        self.draw()

    def submit(self) -> None:
        """Answer what the form holds."""
        with guarded(self.form.say):
            self.form.button.disabled = True
            try:
                self.result = self.answer(self.form.values())
            except ValidationError as error:
                self.form.show(error.problems)
                self.forget()
                return
            finally:
                self.form.forget_secrets()
                self.form.button.disabled = False
            self.form.show([])
            self.drawn -= self.waiting
            self.stack.selected_index = 0
            self.draw()

    def forget(self) -> None:
        """Take away the last answer: it is not one to what the form holds now."""
        self.result = None
        self.drawn -= self.waiting
        for i in self.waiting:
            self.panes[i].children = (paragraph(self.tabs[i].empty, "empty"),)

    def draw(self) -> None:
        """Draw the tab that is open, unless it shows the latest answer already."""
        i = self.stack.selected_index
        if i is None or i in self.drawn or (i in self.waiting and self.result is None):
            return
        with guarded(self.form.say):
            self.panes[i].children = tuple(self.tabs[i].draw(self.result))
            self.drawn.add(i)


@cache
def style() -> str:
    """The look of the app; it travels with the widgets, so that it is the same in Jupyter."""
    return files("irislib.widgets").joinpath("style.css").read_text(encoding="utf-8")
