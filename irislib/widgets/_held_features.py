"""Insights of an answer that can be had again with some values as they are: a visitor says which."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from irislib.errors import NotApplicableError
from irislib.widgets import _html

if TYPE_CHECKING:
    from irislib.insights import Insight

__all__ = ["HeldFeatures", "Holdable"]


@dataclass(frozen=True)
class Holdable:
    """Something for a tab to show, with boxes to tick for what is to stay as it is.

    Attributes
    ----------
    name : str
        No other one of the page has it.
    find : callable
        Takes the names of the features that stay as they are, and returns the insight.
    """

    name: str
    find: Callable[[Sequence[str]], Insight]

    def __html__(self) -> Markup:
        return self.framed(_html.html([self.find(())]), ())

    def framed(self, html: Markup, fixed: Sequence[str]) -> Markup:
        """With what the page's script makes the boxes of; where there is none, such as in a report, there are none."""
        return Markup('<div data-fix="{}" data-fixed="{}">{}</div>').format(self.name, json.dumps(fixed), html)


class HeldFeatures:
    """What one visitor wants to stay as it is, also for the answers to come."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self.pieces: dict[str, Holdable] = {}
        self.fixed: dict[str, list[str]] = {}
        self.shown: dict[str, Markup] = {}

    def drawn(self, pieces: Iterable[Any]) -> list[Any]:
        """What a tab shows, with what the visitor has chosen before; one that does not apply is a sentence."""
        shown = []
        for piece in pieces:
            try:
                shown.append(self._framed(piece)[0] if isinstance(piece, Holdable) else piece)
            except NotApplicableError as error:
                shown.append(str(error))
        return shown

    def _framed(self, piece: Holdable) -> tuple[Markup, Markup, Insight]:
        fixed = self.fixed.get(piece.name, [])
        found = piece.find(fixed)
        html = _html.html([found])
        self.pieces[piece.name] = piece
        self.shown[piece.name] = piece.framed(html, fixed)
        return self.shown[piece.name], html, found

    def again(self, question: Mapping[str, Any], shelf: dict[int, Markup]) -> dict[str, Any]:
        """Find an insight again, and have it in its place in what was shown."""
        piece = self.pieces[question["name"]]
        before = self.shown[piece.name]
        self.fixed[piece.name] = [name for name in question["fixed"] if name in self.names]
        framed, html, found = self._framed(piece)
        for i, shown in shelf.items():
            shelf[i] = shown.replace(before, framed)
        return {"html": html, "said": found.text}
