"""Sentences, numbers and figures as HTML; everything a visitor typed is escaped here."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from irislib._common.messages import TEXTS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from irislib.insights import Insight

ROWS = 10  # a longer table is shown on demand

# A picture follows the colour scheme of the element that shows it.
DARK = "<style>@media (prefers-color-scheme: dark) { :root { filter: invert(0.92) hue-rotate(180deg); } }</style>"

__all__ = ["downloading", "filling", "heading", "html", "insight", "paragraph", "picture", "table"]


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
    if hasattr(piece, "__html__"):
        return Markup(piece.__html__())  # noqa: S704 - that is what it promises
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


def table(frame: pd.DataFrame, show: Callable[[Any], str | Markup] | None = None, barred: str = "") -> Markup:
    """A table of text and numbers; the index is shown where it has a name.

    Parameters
    ----------
    frame : DataFrame
    show : callable, optional
        Takes a value and returns the text or the HTML of its cell.
    barred : str, optional
        The column whose numbers are shown as bars too.
    """
    named = frame.index.name is not None
    if named:
        corner = " \\ ".join(filter(None, (frame.index.name, frame.columns.name)))
        frame = frame.rename_axis(index=corner, columns=None).reset_index()
    names = list(frame)
    empty, title = Markup("<td></td>"), Markup('<th scope="col">{}</th>')
    head = Markup("").join(empty if name == "" else title.format(name) for name in names)
    shows = [show or _cell] * len(names)
    if barred:
        shows[names.index(barred)] = _barred(frame[barred])
    rows = [_row(row, shows, named) for row in frame.itertuples(index=False, name=None)]
    return Markup(
        '<div class="irislib-wide"><table class="irislib-table">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(head, Markup("").join(rows))


def _row(values: tuple[Any, ...], shows: Sequence[Callable[[Any], str | Markup]], named: bool) -> Markup:
    # Markup.format takes many times as long, and each click waits for some dozens of cells
    cells = [f"<td>{escape(show(value))}</td>" for show, value in zip(shows, values, strict=True)]
    if named:
        cells[0] = f'<th scope="row">{escape(shows[0](values[0]))}</th>'
    return Markup(f"<tr>{''.join(cells)}</tr>")  # noqa: S704 - each value is escaped


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _barred(column: pd.Series) -> Callable[[Any], str | Markup]:
    """Cells with bars: from the left, where nothing is below 0, else from the middle to either side."""
    signed = bool((column < 0).any())
    longest = float(column.abs().max()) if signed or column.max() > 1 else 1.0
    whole = 50 / longest if signed else 100 / longest

    def show(value: float) -> str | Markup:
        if value != value:
            return "–"
        size = abs(value) * whole
        start = 0 if not signed else 50 if value >= 0 else 50 - size
        look = ' class="irislib-less"' if value < 0 else ""
        bar = f'<span{look} style="margin-left:{start:.1f}%;width:{size:.1f}%"></span>'
        number = f"{value:+.3f}" if signed else f"{value:.3f}"
        return Markup(f'<span class="irislib-bar" aria-hidden="true">{bar}</span>{number}')  # noqa: S704 - numbers

    return show


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
    """An insight: its question, its sentence, its picture and its numbers; bars are in the numbers' table already."""
    parts = [paragraph(found.text)]
    if found.bar:
        parts.append(table(found.frame.head(ROWS), barred=found.bar))
    else:
        parts.append(picture(found.plot(), found.text))
    if len(found.frame) > ROWS:
        words = TEXTS["all_rows"].format(total=len(found.frame))
        parts.append(Markup("<details><summary>{}</summary>{}</details>").format(words, table(found.frame)))
    elif not found.bar:
        parts.append(table(found.frame))
    return Markup('<section class="irislib-insight"><h3>{}</h3>{}</section>').format(
        found.title, Markup("").join(parts)
    )
