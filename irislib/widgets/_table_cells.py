"""The cells and titles of a table's columns: bars, alignment, units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from irislib._common.formatting import (
    TO_PROBABILITY,
    contribution_format,
    format_count,
    format_score,
    format_share,
    number_format,
    with_points,
)
from irislib._common.language import column_label

__all__ = ["align_numbers", "bar_cell", "breakable", "column_title"]

SHARES = {"probability", "share of the trained range"}  # columns with bars whose numbers are in percent
BREAK = re.compile(r"_|[^\s_]{15}(?=[^\s_]{5})")
NUMBER = re.compile(r"[-+−]?\d[\d,.\s]*(?:e[-+]?\d+)?(?:\s?[^\d\s]\S*)?")  # with its unit


def align_numbers(column: Iterable[Any], kind: str = "O") -> Markup:
    """Return the attribute that aligns a column of numbers, or of texts that are numbers, to the right.

    Parameters
    ----------
    column : iterable
    kind : str, optional
        That of its dtype, if it has one.
    """
    if kind in "iuf" or (kind not in "bMm" and _has_numbers(column)):
        return Markup(' class="irislib-number"')
    return Markup("")


def _has_numbers(values: Iterable[Any]) -> bool:
    cells = [value for value in values if not isinstance(value, str) or value]
    return bool(cells) and all(
        NUMBER.fullmatch(value) if isinstance(value, str) else type(value) in (int, float) for value in cells
    )


def breakable(title: str) -> Markup:
    """Return a title that may continue on another line after an underscore, and within a long word."""
    ends = [0, *(match.end() for match in BREAK.finditer(title)), len(title)]
    return Markup("<wbr>").join(title[start:end] for start, end in pairwise(ends))


def column_title(name: str) -> str:
    """Return the title of a column, with the unit in which people get its numbers."""
    return column_label(with_points(name))


def _is_contribution(name: str) -> bool:
    """Return True for the column of contributions, to a probability or to a number in its unit."""
    return name.partition(" ")[0] == TO_PROBABILITY.partition(" ")[0]


def _bar_format(name: str, numbers: Sequence[float], is_count: bool, is_signed: bool) -> Callable[[Any], str]:
    """Return the formatter of a column's numbers: counts, shares, contributions, or scores."""
    if name in SHARES:
        return format_share
    if is_count:
        return lambda value: format_count(int(value))
    if is_signed or _is_contribution(name):
        return contribution_format(name, numbers)
    return format_score if max(numbers, default=0.0) <= 1 else number_format(numbers)


def bar_cell(name: str, column: Iterable[float], is_count: bool = False) -> Callable[[Any], str]:
    """Return a formatter with bars: from the left, or from the middle to either side if there are negative numbers."""
    numbers = [value for value in column if value == value]
    is_signed = any(value < 0 for value in numbers)
    longest = max((abs(value) for value in numbers), default=1.0)
    has_own_scale = is_signed or longest > 1 or (_is_contribution(name) and not name.startswith(TO_PROBABILITY))
    longest = longest if has_own_scale and longest else 1.0
    scale = 50 / longest if is_signed else 100 / longest
    show_number = _bar_format(name, numbers, is_count, is_signed)

    def show(value: float) -> str:
        if value != value:
            return "–"
        size = abs(value) * scale
        start = 0 if not is_signed else 50 if value >= 0 else 50 - size
        style = ' class="irislib-less"' if value < 0 else ""
        bar = f'<span{style} style="margin-left:{start:.1f}%;width:{size:.1f}%"></span>'
        amount = f'<span class="irislib-amount">{show_number(value)}</span>'
        return Markup(f'<span class="irislib-bar" aria-hidden="true">{bar}</span>{amount}')  # noqa: S704 - numbers

    return show
