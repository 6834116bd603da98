"""The cards of a page: numbers and files of an insight, made when a visitor asks for them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from irislib._common.messages import TEXTS
from irislib._modeling.csv_text import BOM
from irislib._modeling.spreadsheet_safety import mark_formulas
from irislib.insights import Insight
from irislib.widgets._blocks import Block, Card, iter_cards
from irislib.widgets._chart_points import chart_points
from irislib.widgets._downloads import File, file_stem
from irislib.widgets._html import render
from irislib.widgets._pieces import numbers_of

__all__ = ["CardList", "insight_file"]

DPI = 200  # of a saved picture
FILE_KINDS = ("png", "svg", "csv")


class CardList:
    """The cards that one visitor's page shows.

    Parameters
    ----------
    contents : callable
        Takes nothing and returns the blocks of the tabs that have been drawn.
    """

    def __init__(self, contents: Callable[[], Iterable[Sequence[Block]]]) -> None:
        self.contents = contents

    def find(self, name: str) -> Card | None:
        """Return the card of this name, or None if there is a newer result since."""
        return next((card for blocks in self.contents() for card in iter_cards(blocks) if card.name == name), None)

    def handle_numbers(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the table of a card's insight."""
        card = self.find(request["name"])
        return {"html": render(numbers_of(card.insight))} if card else {"error": TEXTS["card_gone"]}

    def handle_columns(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the columns of a card's insight, for an interactive view; a value that is no number is null."""
        card = self.find(request["name"])
        if not card:
            return {"error": TEXTS["card_gone"]}
        frame = card.insight.frame.astype(object)
        return {"columns": frame.where(frame.notna(), None).to_dict("list"), "start": card.insight.start}

    def handle_points(self, request: Mapping[str, Any], _: Sequence[Any]) -> dict[str, Any]:
        """Return the points of each of a card's charts."""
        card = self.find(request["name"])
        return {"points": [chart_points(panel.plot()) for panel in card.insight.panels()] if card else []}

    def file_makers(self) -> dict[str, Callable[[str], File | None]]:
        """Return the functions that make a card's file, by the kind of file."""

        def maker(kind: str) -> Callable[[str], File | None]:
            return lambda name: insight_file(card.insight, kind) if (card := self.find(name)) else None

        return {kind: maker(kind) for kind in FILE_KINDS}


def insight_file(insight: Insight, kind: str) -> File:
    """Return the chart of an insight as ``png`` or ``svg``, or its numbers as ``csv`` that a spreadsheet opens."""
    name = f"{file_stem(insight.title)}.{kind}"
    if kind == "csv":
        frame = insight.frame
        return name, mark_formulas(BOM + frame.to_csv(index=frame.index.name is not None).encode())
    file = io.BytesIO()
    insight.plot().savefig(file, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    return name, file.getvalue()
