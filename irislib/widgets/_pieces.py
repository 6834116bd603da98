"""Sentences, tables, figures and insights as blocks of a tab."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib.widgets._blocks import Block, Card, HeldFeatures, Html, Paragraph, Picture, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from irislib.insights import Insight

__all__ = ["charts_of", "deferred_pictures", "hold_features", "insight_card", "numbers_of", "picture", "to_blocks"]

MAX_ROWS = 10  # of the bars in a card
MAX_TABLE_ROWS = 1000  # of a table that a visitor asks for

_numbers = itertools.count()  # of cards, also of those that a process has from the one that it was forked from

# The pictures that are drawn later, each with a function that draws it; None where they are drawn at once.
_deferred: ContextVar[list[tuple[Picture, Callable[[], Picture]]] | None] = ContextVar("deferred", default=None)


def to_blocks(pieces: Iterable[Any]) -> list[Block]:
    """Convert the pieces that a tab's function returns to blocks.

    Parameters
    ----------
    pieces : iterable
        Sentences (str), DataFrames, matplotlib Figures, Insights, or blocks.

    Raises
    ------
    TypeError
        For anything else.
    """
    return [_to_block(piece) for piece in pieces]


def _to_block(piece: Any) -> Block:
    if isinstance(piece, HeldFeatures) and not piece.blocks:
        hold_features(piece, piece.held)
    if isinstance(piece, Block):
        return piece
    if hasattr(piece, "__html__"):
        return Html(piece.__html__())
    if isinstance(piece, str):
        return Paragraph(piece)
    if hasattr(piece, "to_html"):
        return Table(piece)
    if hasattr(piece, "savefig"):
        return picture(piece)
    if hasattr(piece, "frame") and hasattr(piece, "plot"):
        return insight_card(piece)
    kind = type(piece).__name__
    raise TypeError(f"A tab shows text, a DataFrame, a Figure or an Insight, not {kind}; give a list of these.")


def hold_features(block: HeldFeatures, names: Sequence[str]) -> Insight:
    """Compute the insight of a block with these features held."""
    insight = block.compute(names)
    block.held, block.blocks = list(names), [insight_card(insight)]
    return insight


def insight_card(insight: Insight) -> Card:
    """Return an insight as a card: its sentence, and its chart, or its table if that has the bars."""
    content: list[Block] = []
    if insight.bar:
        content = [Table(insight.frame.head(MAX_ROWS), insight.bar)]
    elif not insight.interactive:
        content = charts_of(insight)
    return Card(insight.title, insight.text, content, insight, name=f"card-{next(_numbers)}")


def charts_of(insight: Insight) -> list[Block]:
    """Return the charts of an insight, one for each panel."""
    return [_chart(panel, insight.text) for panel in insight.panels()]


def _chart(panel: Insight, alt: str) -> Picture:
    def draw() -> Picture:
        return picture(panel.plot(), alt)

    if (deferred := _deferred.get()) is None:
        return draw()
    empty = Picture("", "")
    deferred.append((empty, draw))
    return empty


@contextmanager
def deferred_pictures() -> Iterator[list[tuple[Picture, Callable[[], Picture]]]]:
    """Leave the charts of insights empty, and yield a list that comes to hold them, each with what draws it."""
    pictures: list[tuple[Picture, Callable[[], Picture]]] = []
    token = _deferred.set(pictures)
    try:
        yield pictures
    finally:
        _deferred.reset(token)


def numbers_of(insight: Insight) -> list[Block]:
    """Return the table of an insight, cut off where it is too long for a page."""
    from irislib.insights._base import frame_for_people

    cut = TEXTS["first_rows"].format(count=MAX_TABLE_ROWS, total=len(insight.frame))
    more = [Paragraph(cut)] if len(insight.frame) > MAX_TABLE_ROWS else []
    return [*more, Table(frame_for_people(insight).head(MAX_TABLE_ROWS))]


def picture(figure: Figure, alt: str = "") -> Picture:
    """Draw a figure as a picture of a page, with its alternative text."""
    from irislib.insights._base import svg_of_page

    return Picture(svg_of_page(figure), alt or _alternative_text(figure))


def _alternative_text(figure: Figure) -> str:
    for axes in figure.axes:
        if axes.get_title():
            return str(axes.get_title())
        if axes.get_xlabel() and axes.get_ylabel():
            return TEXTS["a_chart_of"].format(y=axes.get_ylabel(), x=axes.get_xlabel())
    return TEXTS["a_chart"]
