"""The scripts and styles of the widgets, in ``frontend/``."""

from __future__ import annotations

from importlib.resources import files

from irislib._common.theme import css_properties

__all__ = ["STYLE", "read_frontend"]

FRONTEND = files("irislib.widgets") / "frontend"
STYLES = ("style.css", "csv_tab.css", "comparison.css", "what_if.css")


def read_frontend(*names: str) -> str:
    """Return files joined to one; scripts in the order of their dependencies are one module."""
    return "\n".join((FRONTEND / name).read_text(encoding="utf-8") for name in names)


STYLE = "\n".join([css_properties(".irislib"), read_frontend(*STYLES)])
