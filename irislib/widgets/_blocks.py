"""The content of a tab: blocks of plain data, which :mod:`irislib.widgets._html` renders.

State that changes on the page, such as which features are held or whether a job is done, is data of its block.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from irislib.insights import Insight

__all__ = [
    "Answer",
    "Block",
    "Buttons",
    "Card",
    "Details",
    "DownloadButton",
    "Failure",
    "FillButton",
    "Heading",
    "HeldFeatures",
    "Html",
    "Job",
    "Paragraph",
    "Picture",
    "Rows",
    "Section",
    "Table",
    "charts_of",
    "deferred_pictures",
    "insight_card",
    "iter_cards",
    "iter_jobs",
    "numbers_of",
    "picture",
    "to_blocks",
]

MAX_ROWS = 10  # of the bars in a card
MAX_TABLE_ROWS = 1000  # of a table that a visitor asks for

_numbers = itertools.count()  # of cards, also of those that a process has from the one that it was forked from

# The pictures that are drawn later, each with a function that draws it; None where they are drawn at once.
_deferred: ContextVar[list[tuple[Picture, Callable[[], Picture]]] | None] = ContextVar("deferred", default=None)


class Block:
    """One part of a tab's content."""


@dataclass(frozen=True)
class Answer(Block):
    """The content of the first tab itself, without the report and the history."""

    blocks: Sequence[Block]


@dataclass(frozen=True)
class Heading(Block):
    """The prediction itself."""

    text: str


@dataclass(frozen=True)
class Paragraph(Block):
    """A sentence; ``kind`` is ``text``, ``warning``, or ``message`` (a problem)."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class DownloadButton(Block):
    """A button that downloads a file: ``report``, ``result`` or ``template``."""

    text: str
    file: str


@dataclass(frozen=True)
class FillButton(Block):
    """A button that fills the form with the values of an earlier prediction."""

    text: str
    values: Mapping[str, str]
    prediction: str


@dataclass(frozen=True)
class Details(Block):
    """Blocks that a visitor opens by their title; ``kind`` is empty or ``warning``."""

    title: str
    blocks: Sequence[Block]
    kind: str = ""


@dataclass(frozen=True)
class Buttons(Block):
    """Buttons side by side."""

    blocks: Sequence[Block]


@dataclass(frozen=True)
class Table(Block):
    """A table of text, numbers and blocks; its index is a column if it has a name.

    Attributes
    ----------
    frame : DataFrame
    bar_column : str
        The column whose numbers are drawn as bars too.
    is_sortable : bool
        A visitor can sort it by a column.
    has_own_names : bool
        Its columns' names are a visitor's own, or in the language of the page already.
    """

    frame: pd.DataFrame
    bar_column: str = ""
    is_sortable: bool = False
    has_own_names: bool = False


@dataclass(frozen=True)
class Rows(Block):
    """A table without a frame, which a click would wait for: making one takes longer than predicting a row.

    Attributes
    ----------
    names : sequence of str
        Those of its columns.
    rows : sequence of sequence
        Their text, numbers and blocks.
    bar_column : str
    has_own_names : bool
        As of a `Table`.
    """

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]
    bar_column: str = ""
    has_own_names: bool = False


@dataclass
class Picture(Block):
    """An SVG drawing and its alternative text; both are empty until a deferred one is drawn."""

    svg: str
    alt: str


@dataclass(frozen=True)
class Section(Block):
    """Blocks under a title; ``kind`` is ``insight`` or ``history``."""

    title: str
    blocks: Sequence[Block]
    kind: str = "insight"


@dataclass(frozen=True)
class Card(Block):
    """An insight on a page: what is shown at once, and what its numbers and files are made from.

    Attributes
    ----------
    title, text : str
    blocks : sequence of Block
        Charts, one for each panel, or a table with bars; none if the page makes an interactive view.
    insight : Insight
    name : str
        Unique in the page.
    """

    title: str
    text: str
    blocks: Sequence[Block]
    insight: Insight
    name: str


@dataclass(frozen=True)
class Failure(Block):
    """The sentence in place of a part of the content that failed, under the title of that part if it has one."""

    title: str
    text: str


@dataclass(frozen=True)
class Html(Block):
    """The HTML that an object's ``__html__`` returns."""

    html: Markup


@dataclass
class HeldFeatures(Block):
    """An insight that can be computed again with some features held, with a checkbox for each feature.

    Attributes
    ----------
    name : str
        Unique in the page.
    title : str
    compute : callable
        Takes the names of the held features and returns the insight.
    held : list of str
        The checked boxes.
    blocks : list of Block
        The insight as it is now.
    """

    name: str
    title: str
    compute: Callable[[Sequence[str]], Insight]
    held: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def hold(self, names: Sequence[str]) -> Insight:
        """Compute the insight with these features held."""
        insight = self.compute(names)
        self.held, self.blocks = list(names), [insight_card(insight)]
        return insight


@dataclass
class Job(Block):
    """A long-running computation; it starts when its tab is opened, or at the press of a button.

    Attributes
    ----------
    name : str
        Unique in the page.
    title : str
    steps : callable
        Takes nothing and returns a generator that yields the share done, from 0 to 1, and returns content of a
        tab, or a list of it.
    text : str
        Above its button: why it has to be asked for.
    starts_itself : bool
    stored : callable
        Takes nothing and returns the result of an earlier run, such as another visitor's, or None.
    blocks : list of Block or None
        The result; None until the job is done.
    failure : str
        The sentence about its failure outside of the page's own run of it, such as for a report.
    """

    name: str
    title: str
    steps: Callable[[], Generator[float, None, Any]]
    text: str = field(default_factory=lambda: TEXTS["work"])
    starts_itself: bool = False
    stored: Callable[[], Any] = lambda: None
    blocks: list[Block] | None = None
    failure: str = ""


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
        piece.hold(piece.held)
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
    cut = TEXTS["first_rows"].format(count=MAX_TABLE_ROWS, total=len(insight.frame))
    more = [Paragraph(cut)] if len(insight.frame) > MAX_TABLE_ROWS else []
    return [*more, Table(insight.frame.head(MAX_TABLE_ROWS))]


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


def iter_jobs(blocks: Iterable[Block]) -> Iterator[Job]:
    """Iterate over the jobs of a tab."""
    return (block for block in blocks if isinstance(block, Job))


def iter_cards(blocks: Iterable[Block]) -> Iterator[Card]:
    """Iterate over the cards of a tab, those of jobs and held features included."""
    for block in blocks:
        if isinstance(block, Card):
            yield block
        elif isinstance(block, HeldFeatures | Job):
            yield from iter_cards(block.blocks or [])
