"""A report of one answer: a single file that shows itself and prints well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from irislib._common import theme
from irislib._common.messages import TEXTS

__all__ = ["report"]

FRONT = files("irislib.widgets") / "frontend"


def report(
    title: str,
    inputs: Sequence[tuple[str, str]],
    answer: Markup,
    sections: Sequence[tuple[str, Markup]],
    about: Mapping[str, str],
) -> bytes:
    """A self-contained HTML file.

    Parameters
    ----------
    title : str
    inputs : sequence of (str, str)
        What was asked: labels of features, and values.
    answer : Markup
    sections : sequence of (str, Markup)
        Titles and HTML, such as the charts of each tab.
    about : mapping of str to str
        Facts such as the version of the model.
    """
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string((FRONT / "report.html.j2").read_text(encoding="utf-8"))
    date = dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    facts: dict[str, Any] = {
        "title": title,
        "inputs": inputs,
        "answer": scrollable(answer),
        "sections": [(name, scrollable(html)) for name, html in sections],
        "about": {TEXTS["report_date"]: date, **about},
        "style": theme.css_properties(".irislib") + (FRONT / "style.css").read_text(encoding="utf-8"),
        "texts": TEXTS,
    }
    return template.render(facts).encode()


def scrollable(html: Markup) -> Markup:
    """Have the keyboard reach tables that may be wider than the screen; in an app the page's script sees to that."""
    wide = Markup('<div class="irislib-wide"')
    return html.replace(wide, wide + Markup(' tabindex="0"'))
