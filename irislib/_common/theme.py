"""The colours and the font of charts, apps, documents and the pages around them: the only place where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import cycle, islice
from typing import Any

from irislib._common.contrast import contrast, mix, nearest_readable

__all__ = [
    "AUBERGINE",
    "INK",
    "ORANGE",
    "PALETTE",
    "PAPER",
    "WARM_GREY",
    "Palette",
    "accent_faults",
    "chart_colours",
    "colours_of_series",
    "css_declarations",
    "css_properties",
    "derive_palette",
    "main_colour",
    "second_colour",
    "series",
]

Palette = Mapping[str, str | tuple[str, str]]

AUBERGINE = "#772953"
ORANGE = "#e95420"
WARM_GREY = "#aea79f"
INK = "#2c2a29"
PAPER = "#ffffff"

# What style sheets call --irislib-NAME: one colour, or one for light and one for dark pages.
PALETTE: dict[str, str | tuple[str, str]] = {
    "font": 'Ubuntu, "Segoe UI", system-ui, sans-serif',
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
    "panel-control": ORANGE,  # sliders and check boxes
    "panel-wrong": ORANGE,  # around a field that must be corrected
    "accent": ("#b83c10", "#ff9466"),  # the orange, readable as text
    "title": (AUBERGINE, "#efb5d2"),
    "bar": (AUBERGINE, "#cf7fa8"),
    "less": (ORANGE, "#ff9466"),
    "bad": ("#fdeee8", "#4a2114"),
    "bad-ink": ("#7a2408", "#ffd9ca"),
    "note": ("#fdf3e7", "#40301a"),
    "on-dark": PAPER,  # text on the panel, the top bar and filled buttons, in light and dark alike
    "button": ("#b83c10", "#c34113"),
    "action": ORANGE,  # the button of the form
    "action-ink": PAPER,
    "action-hover": "#dd4814",
    "action-busy": "#c34113",
    "method": "#c34113",  # behind GET and POST
    "top": "#2c001e",
    "top-link": "#f4e6ed",
    "top-control": "#4a1236",
    "top-edge": "#b58aa3",
    "top-mark": ORANGE,
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

TEXT, CONTROL = 4.5, 3.0  # the least contrast of text and of other marks: WCAG 2.2, level AA
DERIVED = 6.0  # of a colour that irislib chooses itself
BLACK = "#000000"

# After M. Okabe and K. Ito (2008), Color universal design: distinguishable for the colour-blind, too.
_OTHERS = ("#0072b2", "#009e73", "#56b4e9")
_DASHES = ("-", "--", ":")
# The main and the second colour of the charts that are being drawn
_chart_colours: ContextVar[tuple[str, str]] = ContextVar("chart_colours", default=(AUBERGINE, ORANGE))


def css_declarations(palette: Palette = PALETTE) -> dict[str, str]:
    """Return the custom properties ``--irislib-NAME`` of colours, by their names.

    Parameters
    ----------
    palette : mapping, optional
    """
    return {
        f"--irislib-{name}": colour if isinstance(colour, str) else f"light-dark({', '.join(colour)})"
        for name, colour in palette.items()
    }


def css_properties(selector: str = ":root", changes: Palette | None = None) -> str:
    """Return a CSS rule that sets the custom property ``--irislib-NAME`` of each colour.

    Parameters
    ----------
    selector : str, default ":root"
        The elements that get them, with all that is inside.
    changes : mapping, optional
        Colours in place of irislib's own.
    """
    values = css_declarations({**PALETTE, **(changes or {})})
    return f"{selector} {{\n" + "".join(f"  {name}: {value};\n" for name, value in values.items()) + "}\n"


def accent_faults(accent: str, accent_dark: str | None) -> list[str]:
    """Return which accent cannot be read where it stands, one sentence each, with the nearest one that can."""
    faults = []
    cases = [("accent", accent, 0, "white text on it, and it on light pages")]
    if accent_dark is not None:
        cases.append(("accent_dark", accent_dark, 1, "it on dark pages"))
    for name, colour, index, use in cases:
        grounds = _grounds(index)
        ratio = min(contrast(colour, ground) for ground in grounds)
        if ratio < TEXT:
            nearest = nearest_readable(colour, grounds, TEXT)
            faults.append(
                f"{name}: {colour} has a contrast of {ratio:.1f} to 1, too little to read {use}; "
                f"{TEXT} is needed. The nearest colour that has it: {nearest}."
            )
    return faults


def _grounds(index: int) -> list[str]:
    """Return the colours of light (0) or dark (1) pages that an accent stands on."""
    return [PALETTE["paper"][index], PALETTE["ground"][index]]


def derive_palette(accent: str, accent_dark: str | None = None) -> dict[str, str | tuple[str, str]]:
    """Return the colours that an accent changes, each readable where it stands.

    Parameters
    ----------
    accent : str
        Of light pages, and of the form on all pages.
    accent_dark : str, optional
        Of dark pages; the nearest readable one if left out.
    """
    dark = accent_dark or nearest_readable(accent, _grounds(1), DERIVED)
    panel, top = (accent, mix(accent, BLACK, 0.3)), mix(accent, BLACK, 0.6)
    control, second = mix(accent, BLACK, 0.35), _second(accent)
    help_text = mix(PAPER, accent, 0.1)
    mark = nearest_readable(str(PALETTE["panel-mark"]), [accent], TEXT)
    return {
        **dict.fromkeys(("orange", "accent", "title", "bar"), (accent, dark)),
        "less": (second, nearest_readable(second, _grounds(1), CONTROL)),
        "panel": panel,
        "panel-help": help_text if contrast(help_text, accent) >= TEXT else PAPER,
        "panel-mark": mark,
        "panel-control": PAPER,
        "panel-wrong": mark,
        "button": accent,
        "action": PAPER,
        "action-ink": accent,
        "action-hover": mix(PAPER, accent, 0.12),
        "action-busy": mix(PAPER, accent, 0.2),
        "method": accent,
        "top": top,
        "top-link": mix(PAPER, accent, 0.08),
        "top-control": control,
        "top-edge": nearest_readable(mix(accent, PAPER, 0.5), [control], CONTROL),
        "top-mark": nearest_readable(dark, [top], CONTROL),
    }


def _second(accent: str) -> str:
    """Return the second colour of charts: orange, unless the accent is much like it."""
    reds = [int(colour[1:3], 16) - int(colour[5:7], 16) for colour in (accent, ORANGE)]
    return _OTHERS[0] if reds[0] > reds[1] / 2 else ORANGE


@contextmanager
def chart_colours(accent: str | None) -> Iterator[None]:
    """Draw charts in an accent, or in irislib's own colours if there is none."""
    token = _chart_colours.set((accent, _second(accent)) if accent else (AUBERGINE, ORANGE))
    try:
        yield
    finally:
        _chart_colours.reset(token)


def main_colour() -> str:
    """Return the main colour of the chart that is being drawn."""
    return _chart_colours.get()[0]


def second_colour() -> str:
    """Return the second colour of the chart that is being drawn."""
    return _chart_colours.get()[1]


def series(number: int) -> list[dict[str, Any]]:
    """Return the styles of lines in one chart: no two are alike, up to fifteen."""
    styles = [{"color": colour, "linestyle": dashes} for dashes in _DASHES for colour in colours_of_series()]
    return list(islice(cycle(styles), number))


def colours_of_series() -> list[str]:
    """Return the five colours of lines or bars in the chart that is being drawn, the main colour first."""
    main, second = _chart_colours.get()
    return [main, second, *(colour for colour in (*_OTHERS, ORANGE) if colour not in (main, second))][:5]
