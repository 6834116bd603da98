"""Labels of a chart's ticks, axes and legend: none runs into another, and none out of the picture."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from irislib._common.language import ENGLISH, current_language, localize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LEGEND_WIDTH", "LINE", "MARGINS", "fit_labels", "only_whole_ticks", "panel_height"]

CHARACTER, LINE = 0.085, 0.17  # width and height of one, in inches, as matplotlib draws it by default
MARGINS = 0.7  # inches beside and below the axes: the axis's label and its ticks
LARGE = 10_000  # numbers from here on have signs between thousands
LABEL_LINES, MIN_WIDTH = 3, 15  # of an axis's label, in lines and characters
LEGEND_WIDTH = 52  # characters
MAX_TICK_LINES = 3
DATES = 6  # at most, side by side
# as ConciseDateFormatter takes them: years, months, days, hours, minutes, seconds
GERMAN_DATES = ["%Y", "%m.%Y", "%d.%m.", "%H:%M", "%H:%M", "%S.%f"]
GERMAN_ZEROS = ["", "%Y", "%d.%m.", "%d.%m.", "%H:%M", "%H:%M"]
GERMAN_OFFSETS = ["", "", "%Y", "%d.%m.%Y", "%d.%m.%Y", "%d.%m.%Y %H:%M"]
OFFSETS = ["", "%Y", "%b %Y", "%d %b %Y", "%d %b %Y", "%d %b %Y %H:%M"]


def fit_labels(axes: Axes) -> None:
    """Choose the ticks of axes that have been drawn on, and wrap what is written beside them."""
    for axis in (axes.xaxis, axes.yaxis):
        _write_dates(axis)
        _write_numbers(axis)
    characters = _room(axes)
    _thin_out(axes, characters)
    _wrap_ticks(axes, characters)
    height = int((panel_height(axes) - MARGINS) / CHARACTER)
    for label, width in ((axes.xaxis.label, characters), (axes.yaxis.label, height)):
        lines = textwrap.wrap(label.get_text(), max(width, MIN_WIDTH), max_lines=LABEL_LINES, placeholder="…")
        label.set_text("\n".join(lines))
    legend = axes.get_legend()
    for text in legend.get_texts() if legend else ():
        text.set_text(textwrap.fill(text.get_text(), LEGEND_WIDTH))


def only_whole_ticks(axis: Any) -> None:
    """Put the ticks of an axis of numbers at whole numbers, also where there is but one within the view."""
    axis.get_major_locator().set_params(integer=True, min_n_ticks=1)


def panel_height(axes: Axes) -> float:
    """Return the height of a panel with its labels, in inches."""
    figure: Any = axes.get_figure(root=True)
    if figure.get_layout_engine() is None:  # somebody's own axes
        return float(axes.get_window_extent().height / figure.dpi + MARGINS)
    return float(figure.get_figheight()) / max(1, len(figure.axes))


def _room(axes: Axes) -> int:
    """Return how many characters there is room for below the axes."""
    figure: Any = axes.get_figure(root=True)
    if figure.get_layout_engine() is None:
        return int(axes.get_window_extent().width / figure.dpi / CHARACTER)
    names = [line for text in _texts(axes.yaxis) for line in text.split("\n")]
    return int((figure.get_figwidth() - MARGINS) / CHARACTER) - max(map(len, names), default=0)


def _texts(axis: Any) -> list[str]:
    """Return the labels of an axis's ticks within its view."""
    low, high = sorted(axis.get_view_interval())
    return list(axis.get_major_formatter().format_ticks([x for x in axis.get_majorticklocs() if low <= x <= high]))


def _write_dates(axis: Any) -> None:
    from matplotlib.dates import AutoDateFormatter, AutoDateLocator, ConciseDateFormatter

    if not isinstance(axis.get_major_formatter(), AutoDateFormatter):
        return
    locator: Any = AutoDateLocator(minticks=3, maxticks=DATES)  # type: ignore[no-untyped-call]
    axis.set_major_locator(locator)
    is_english = current_language() == ENGLISH
    formats = {"formats": GERMAN_DATES, "zero_formats": GERMAN_ZEROS, "offset_formats": GERMAN_OFFSETS}
    formatter: Any = ConciseDateFormatter
    axis.set_major_formatter(formatter(locator, **({"offset_formats": OFFSETS} if is_english else formats)))


def _write_numbers(axis: Any) -> None:
    """Write large numbers in full, and small ones without a number to add to each."""
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    formatter = axis.get_major_formatter()
    if not isinstance(formatter, ScalarFormatter) or axis.get_scale() != "linear":
        return
    formatter.set_useOffset(False)
    if max(map(abs, axis.get_view_interval())) >= LARGE:
        axis.set_major_formatter(FuncFormatter(lambda x, _: localize(f"{x:,.12g}").replace("-", "\N{MINUS SIGN}")))


def _thin_out(axes: Axes, characters: int) -> None:
    """Have as many ticks below the axes as there is room for."""
    from matplotlib.ticker import AutoLocator

    locator = axes.xaxis.get_major_locator()
    if not isinstance(locator, AutoLocator):
        return
    texts = _texts(axes.xaxis)
    most = max(2, characters // (3 + max(map(len, texts), default=0)))
    if len(texts) > most:
        locator.set_params(nbins=most)


def _wrap_ticks(axes: Axes, characters: int) -> None:
    """Wrap names below the axes, or turn them where they have no room side by side."""
    from matplotlib.ticker import FixedLocator

    labels = axes.get_xticklabels()
    if not isinstance(axes.xaxis.get_major_locator(), FixedLocator) or not labels or labels[0].get_rotation():
        return
    texts = [label.get_text() for label in labels]
    width = characters // len(texts) - 2
    if max(map(len, texts)) <= width:
        return
    wrapped = [textwrap.wrap(text, max(width, 1), break_long_words=False) for text in texts]
    if all(len(lines) <= MAX_TICK_LINES and all(len(line) <= width for line in lines) for lines in wrapped):
        axes.set_xticks(axes.get_xticks(), ["\n".join(lines) for lines in wrapped])
    else:
        axes.set_xticks(axes.get_xticks(), texts, rotation=30, ha="right", rotation_mode="anchor")
