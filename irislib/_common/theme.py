"""The colours of charts and pages."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

__all__ = ["AUBERGINE", "INK", "ORANGE", "PAPER", "WARM_GREY", "series"]

AUBERGINE = "#772953"
ORANGE = "#E95420"
WARM_GREY = "#AEA79F"
INK = "#2C2A29"
PAPER = "#FFFFFF"

# After M. Okabe and K. Ito (2008), Color universal design: told apart by the colour-blind, too.
_LINES = (AUBERGINE, ORANGE, "#0072B2", "#009E73", "#56B4E9")
_DASHES = ("-", "--", ":")


def series(number: int) -> list[dict[str, Any]]:
    """The looks of lines in one chart: no two are alike, up to fifteen."""
    looks = [{"color": colour, "linestyle": dashes} for dashes in _DASHES for colour in _LINES]
    return list(islice(cycle(looks), number))
