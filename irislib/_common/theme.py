"""The colours of charts, apps, documents and the pages around them: the only place where they stand."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

__all__ = ["AUBERGINE", "INK", "ORANGE", "PALETTE", "PAPER", "WARM_GREY", "css_properties", "series"]

AUBERGINE = "#772953"
ORANGE = "#e95420"
WARM_GREY = "#aea79f"
INK = "#2c2a29"
PAPER = "#ffffff"

# What style sheets call --irislib-NAME: one colour, or one for light and one for dark pages.
PALETTE: dict[str, str | tuple[str, str]] = {
    "orange": ORANGE,
    "ground": ("#faf8f7", "#1b181a"),
    "paper": (PAPER, "#262224"),
    "ink": (INK, "#f1edeb"),
    "soft": ("#645d59", "#bab1ac"),
    "line": ("#e2dcd8", "#463f42"),
    "edge": "#8f8681",  # of what can be used: 3 to 1 against the paper
    "panel": (AUBERGINE, "#57203e"),
    "panel-help": "#f0e2ea",
    "panel-mark": "#ffc2a8",
    "accent": ("#b83c10", "#ff9466"),  # the orange, readable as text
    "title": (AUBERGINE, "#efb5d2"),
    "bar": (AUBERGINE, "#cf7fa8"),
    "less": (ORANGE, "#ff9466"),
    "bad": ("#fdeee8", "#4a2114"),
    "bad-ink": ("#7a2408", "#ffd9ca"),
    "note": ("#fdf3e7", "#40301a"),
    "on-dark": PAPER,  # text on the panel, the top bar and filled buttons, in light and dark alike
    "button": ("#b83c10", "#c34113"),
    "action-hover": "#dd4814",
    "action-busy": "#c34113",
    "top": "#2c001e",
    "top-link": "#f4e6ed",
    "top-control": "#4a1236",
    "top-edge": "#b58aa3",
    "code": ("#f5f1ef", "#1b181a"),
    # outputs of notebooks, with JupyterLab's values where the page is light
    "output-line": ("#bdbdbd", "#6b6366"),
    "output-code": ("#eeeeee", "#383335"),
    "output-link": ("#0d47a1", "#8ab4f8"),
    "output-quote": ("#e0e0e0", "#5a5255"),
    "output-even": ("#f5f5f5", "#2f2a2c"),
    "output-hover": ("#e1f5fe", "#1f3a46"),
    "output-error": ("#ffdddd", "#4a1f22"),
    "syntax-keyword": ("#008000", "#8fd694"),
    "syntax-operator": ("#7216ab", "#d7a4f5"),
    "syntax-string": ("#ba2121", "#ff9d9d"),
    "syntax-comment": ("#408080", "#86c5c5"),
}

# After M. Okabe and K. Ito (2008), Color universal design: distinguishable for the colour-blind, too.
_LINES = (AUBERGINE, ORANGE, "#0072b2", "#009e73", "#56b4e9")
_DASHES = ("-", "--", ":")


def css_properties(selector: str = ":root") -> str:
    """Return a CSS rule that sets the custom property ``--irislib-NAME`` of each colour.

    Parameters
    ----------
    selector : str, default ":root"
        The elements that get them, with all that is inside.
    """
    values = {
        name: colour if isinstance(colour, str) else f"light-dark({', '.join(colour)})"
        for name, colour in PALETTE.items()
    }
    return f"{selector} {{\n" + "".join(f"  --irislib-{name}: {value};\n" for name, value in values.items()) + "}\n"


def series(number: int) -> list[dict[str, Any]]:
    """Return the styles of lines in one chart: no two are alike, up to fifteen."""
    styles = [{"color": colour, "linestyle": dashes} for dashes in _DASHES for colour in _LINES]
    return list(islice(cycle(styles), number))
