"""The content of a tab: blocks of plain data, which :mod:`irislib.widgets._html` renders.

State that changes on the page, such as which features are held or whether a job is done, is data of its block.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

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
    "iter_cards",
    "iter_jobs",
]


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
    """A table of text, numbers and blocks; each level of its index that has a name is a column.

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
