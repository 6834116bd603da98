"""Numbers, sentences and figures as widgets; everything a visitor typed is escaped here."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import ipywidgets

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from irislib.insights import Insight

ROWS = 10  # a longer table is for the library, not for a page

__all__ = ["heading", "insight", "message", "paragraph", "picture", "table"]


def heading(text: str) -> ipywidgets.HTML:
    """The answer itself."""
    return ipywidgets.HTML(f'<h2 class="irislib-answer">{escape(text)}</h2>')


def message(text: str) -> str:
    """What is wrong, as HTML; nothing where all is well."""
    return f'<span class="irislib-message" role="alert">{escape(text)}</span>' if text else ""


def paragraph(text: str, kind: str = "text") -> ipywidgets.HTML:
    """A sentence: ``text``, ``empty`` (nothing here yet) or ``warning``."""
    return ipywidgets.HTML(f'<p class="irislib-{kind}">{escape(text)}</p>')


def table(frame: pd.DataFrame) -> ipywidgets.HTML:
    """A table of text and numbers; the index is shown where it has a name."""
    if frame.index.name is not None:
        corner = " \\ ".join(filter(None, (frame.index.name, frame.columns.name)))
        frame = frame.rename_axis(index=corner, columns=None).reset_index()
    words = [name for name in frame if frame[name].dtype.kind not in "biuf"]
    html = frame.to_html(
        index=False,
        border=0,
        classes="irislib-table",
        float_format=lambda x: f"{x:.3f}",
        formatters=dict.fromkeys(words, str),  # pandas itself would write a line break as \\n
    )
    return ipywidgets.HTML(f'<div class="irislib-wide">{html}</div>')


def picture(figure: Figure, alt: str) -> ipywidgets.HTML:
    """A figure with its description in words.

    Not through an Output widget: one that is written to while the page is being built can keep the
    page from ever appearing.
    """
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    data = base64.b64encode(file.getvalue()).decode()
    return ipywidgets.HTML(f'<img class="irislib-figure" alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">')


def insight(found: Insight) -> ipywidgets.VBox:
    """An insight: its question, its sentence, its picture and its numbers."""
    title = ipywidgets.HTML(f"<h3>{escape(found.title)}</h3>")
    parts = [title, paragraph(found.text), picture(found.plot(), found.text), table(found.frame.head(ROWS))]
    if len(found.frame) > ROWS:
        parts.append(paragraph(f"The first {ROWS} of {len(found.frame)} rows."))
    return ipywidgets.VBox(parts)
