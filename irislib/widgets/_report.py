"""A report of one prediction: a single HTML file that prints well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib._common.theme import css_properties
from irislib.widgets._blocks import Block, Paragraph
from irislib.widgets._downloads import file_stem
from irislib.widgets._error_boundary import guarded
from irislib.widgets._fields import format_entry
from irislib.widgets._frontend import read_frontend
from irislib.widgets._html import render

if TYPE_CHECKING:
    from irislib._description.theme import Theme
    from irislib.widgets._page import Page

__all__ = ["page_report", "report"]

JOB_SECONDS = 1.0  # for the long-running insights of a tab that are not worked out yet


def page_report(page: Page) -> tuple[str, bytes]:
    """Return the report of a page's latest prediction, as name and content; a tab that fails is a sentence in it."""
    inputs = [
        (page.features[name].label, format_entry(page.features[name], value)) for name, value in page.values.items()
    ]
    title = page.facts["title"]
    sections: list[tuple[str, Sequence[Block]]] = []
    for index, tab in enumerate(page.tabs[1:], 1):
        errors: list[str] = []
        with guarded(errors.append):
            blocks = page.draw_tab(index)
            page.jobs.finish(blocks, JOB_SECONDS)
            sections.append((tab.title, blocks))
        sections += [(tab.title, [Paragraph(error)]) for error in errors]
    return f"{file_stem(title)}-report.html", report(title, inputs, page.draw_tab(0), sections, page.about, page.theme)


def report(
    title: str,
    inputs: Sequence[tuple[str, str]],
    prediction: Sequence[Block],
    sections: Sequence[tuple[str, Sequence[Block]]],
    about: Mapping[str, str],
    theme: Theme,
) -> bytes:
    """Make a self-contained HTML file.

    Parameters
    ----------
    title : str
    inputs : sequence of (str, str)
        Labels of features, and values.
    prediction : sequence of Block
    sections : sequence of (str, sequence of Block)
        Titles and content, such as the charts of each tab.
    about : mapping of str to str
        Facts such as the version of the model.
    theme : Theme
        Its colours, logo, font and footer.
    """
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string(read_frontend("report.html.j2"))
    date = dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    variables: dict[str, Any] = {
        "title": title,
        "inputs": inputs,
        "prediction": render(prediction, is_static=True),
        "sections": [(name, render(blocks, is_static=True)) for name, blocks in sections],
        "about": {TEXTS["report_date"]: date, **about},
        "theme": theme,
        "style": css_properties(".irislib", theme.palette) + read_frontend("style.css"),
        "texts": TEXTS,
    }
    return template.render(variables).encode("utf-8", "replace")  # a text of somebody's may have half a character
