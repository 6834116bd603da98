"""What takes long on a page: done a step at a time, each when the page's script asks for it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from irislib._common.messages import TEXTS
from irislib.errors import NotApplicableError
from irislib.widgets import _html

__all__ = ["JobList", "Work"]


@dataclass(frozen=True)
class Work:
    """Something for a tab to show that takes long; it is begun when its tab is opened, or at the press of a button.

    Attributes
    ----------
    name : str
        No other work of the page has it.
    title : str
    steps : callable
        Takes nothing and returns a generator that yields which part is done, from 0 to 1, and returns what to show.
    at_once : bool
        Whether nobody has to press a button.
    """

    name: str
    title: str
    steps: Callable[[], Generator[float, None, Any]]
    at_once: bool = False

    def __html__(self) -> Markup:
        """The button that begins it."""
        return Markup(
            '<section class="irislib-insight" data-work="{}"{}><h3>{}</h3><p>{}</p>'
            '<button type="button" class="irislib-button">{}</button></section>'
        ).format(
            self.name,
            Markup(" data-at-once") if self.at_once else "",
            self.title,
            TEXTS["work_at_once"] if self.at_once else TEXTS["work"],
            TEXTS["work_start"],
        )


class JobList:
    """The works of one visitor's page. Its methods answer the questions of the page's script."""

    def __init__(self) -> None:
        self.works: dict[str, Work] = {}
        self.running: dict[str, Generator[float, None, Any]] = {}

    def html(self, pieces: Iterable[Any]) -> Markup:
        """What a tab shows, as HTML; works among it can be begun from now on."""
        pieces = list(pieces)
        self.works |= {piece.name: piece for piece in pieces if isinstance(piece, Work)}
        return _html.html(pieces)

    def step(self, question: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Go on with a work, from its beginning where the script says so; nothing of one that was left off is kept."""
        work = self.works[question["name"]]
        if question.get("begin"):
            self.running[work.name] = work.steps()
        try:
            return {"done": next(self.running[work.name])}
        except StopIteration as end:
            html = _html.html([end.value])
        except NotApplicableError as error:
            html = _html.html([str(error)])
        del self.running[work.name]
        return {"html": html, "said": TEXTS["work_done"].format(title=work.title)}

    def finish(self, shelf: dict[int, Markup]) -> None:
        """Do what nobody has to ask for, where somebody waits for all that there is."""
        for work in list(self.works.values()):
            if work.at_once and any(work.__html__() in shown for shown in shelf.values()):
                question: dict[str, Any] = {"name": work.name, "begin": True}
                while "html" not in (reply := self.step(question, ())):
                    question = {"name": work.name}
                self.put(work.name, reply["html"], shelf)

    def put(self, name: str, html: Markup, shelf: dict[int, Markup]) -> None:
        """Have what came of a work in its place where it was asked for."""
        asked = self.works[name].__html__()
        for i, shown in shelf.items():
            shelf[i] = shown.replace(asked, html)

    def without(self, html: Markup) -> Markup:
        """What can be read without a page behind it: no button that begins a work."""
        for work in self.works.values():
            html = html.replace(work.__html__(), Markup(""))
        return html
