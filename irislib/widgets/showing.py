"""Sentences, numbers and figures as HTML; everything a visitor typed is escaped here."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from irislib.texts import TEXTS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from irislib.insights import Insight

ROWS = 10  # a longer table is shown on demand

# A picture follows the colour scheme of the element that shows it.
DARK = "<style>@media (prefers-color-scheme: dark) { :root { filter: invert(0.92) hue-rotate(180deg); } }</style>"

__all__ = ["downloading", "filling", "heading", "html", "insight", "paragraph", "picture", "probabilities", "table"]


def html(pieces: Iterable[Any]) -> Markup:
    """What a tab shows, as HTML.

    Parameters
    ----------
    pieces : iterable
        Each a sentence (str), a DataFrame, a matplotlib Figure, an Insight, or what a function of
        this module returned.

    Raises
    ------
    TypeError
        For anything else.
    """
    return Markup("\n").join(_piece(piece) for piece in pieces)


def _piece(piece: Any) -> Markup:
    if isinstance(piece, Markup):
        return piece
    if isinstance(piece, str):
        return paragraph(piece)
    if hasattr(piece, "to_html"):
        return table(piece)
    if hasattr(piece, "savefig"):
        return picture(piece)
    if hasattr(piece, "frame") and hasattr(piece, "plot"):
        return insight(piece)
    kind = type(piece).__name__
    raise TypeError(f"A tab shows text, a DataFrame, a Figure or an Insight, not {kind}; give a list of these.")


def heading(text: str) -> Markup:
    """The answer itself."""
    return Markup('<h2 class="irislib-answer">{}</h2>').format(text)


def paragraph(text: str, kind: str = "text") -> Markup:
    """A sentence: ``text``, ``warning``, or ``message`` (what is wrong)."""
    if kind == "text":
        return Markup("<p>{}</p>").format(text)
    return Markup('<p class="irislib-{}">{}</p>').format(kind, text)


def downloading(words: str, what: str) -> Markup:
    """A button that downloads what the page's script is to ask for."""
    return Markup('<button type="button" class="irislib-quiet" data-download="{}">{}</button>').format(what, words)


def filling(words: str, values: Mapping[str, str], whose: str) -> Markup:
    """A button that fills the form with the values of some answer."""
    facts, words, whose = escape(json.dumps(dict(values))), escape(words), escape(whose)
    told = f'data-fill="{facts}" aria-label="{words}: {whose}"'
    return Markup(f'<button type="button" class="irislib-quiet" {told}>{words}</button>')  # noqa: S704 - as in _row


def table(frame: pd.DataFrame, show: Callable[[Any], str | Markup] | None = None) -> Markup:
    """A table of text and numbers; the index is shown where it has a name.

    Parameters
    ----------
    frame : DataFrame
    show : callable, optional
        Takes a value and returns the text or the HTML of its cell.
    """
    named = frame.index.name is not None
    if named:
        corner = " \\ ".join(filter(None, (frame.index.name, frame.columns.name)))
        frame = frame.rename_axis(index=corner, columns=None).reset_index()
    names = list(frame)
    empty, title = Markup("<td></td>"), Markup('<th scope="col">{}</th>')
    head = Markup("").join(empty if name == "" else title.format(name) for name in names)
    rows = [_row(row, show or _cell, named) for row in frame.itertuples(index=False, name=None)]
    return Markup(
        '<div class="irislib-wide"><table class="irislib-table">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(head, Markup("").join(rows))


def _row(values: tuple[Any, ...], show: Callable[[Any], str | Markup], named: bool) -> Markup:
    # Markup.format takes many times as long, and each click waits for some dozens of cells
    cells = [f"<td>{escape(show(value))}</td>" for value in values]
    if named:
        cells[0] = f'<th scope="row">{escape(show(values[0]))}</th>'
    return Markup(f"<tr>{''.join(cells)}</tr>")  # noqa: S704 - each value is escaped


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def probabilities(frame: pd.DataFrame) -> Markup:
    """A table of names and probabilities, with each probability as a bar too."""
    bar = Markup('<span class="irislib-bar" aria-hidden="true"><span style="width:{:.1f}%"></span></span>{:.3f}')
    return table(frame, lambda value: bar.format(100 * value, value) if isinstance(value, float) else str(value))


def picture(figure: Figure, alt: str = "") -> Markup:
    """A figure with its description in words.

    Its background is left out, and where the page is dark it turns its dark colours into light ones.
    """
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    start, tag, rest = file.getvalue().partition("<svg ")
    attributes, end, content = rest.partition(">")
    svg = "".join((start, tag, attributes, end, DARK, content))
    data = base64.b64encode(svg.encode()).decode()
    return Markup('<img class="irislib-figure" alt="{}" src="data:image/svg+xml;base64,{}">').format(
        alt or _seen(figure), data
    )


def _seen(figure: Figure) -> str:
    """What can be said of a figure that comes without words: its title, or its axes."""
    for axes in figure.axes:
        if axes.get_title():
            return str(axes.get_title())
        if axes.get_xlabel() and axes.get_ylabel():
            return TEXTS["a_chart_of"].format(y=axes.get_ylabel(), x=axes.get_xlabel())
    return TEXTS["a_chart"]


def insight(found: Insight) -> Markup:
    """An insight: its question, its sentence, its picture and its numbers."""
    numbers = table(found.frame)
    if len(found.frame) > ROWS:
        words = TEXTS["all_rows"].format(total=len(found.frame))
        numbers = Markup("<details><summary>{}</summary>{}</details>").format(words, numbers)
    parts = [paragraph(found.text), picture(found.plot(), found.text), numbers]
    return Markup('<section class="irislib-insight"><h3>{}</h3>{}</section>').format(
        found.title, Markup("").join(parts)
    )
