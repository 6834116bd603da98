"""The points of a chart with their exact values, which the page shows under the pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = ["chart_points"]

MAX_POINTS = 400  # of one chart; more could not be told apart by a pointer
DIGITS = 4

Point = tuple[float, float, str]  # in the data's units, and the name of its series
Placed = tuple[float, float, str]  # as shares of the picture's width and height, and what is shown there


def chart_points(figure: Figure) -> list[Placed]:
    """Return where the points, bars and cells of a chart are, from its upper left corner, and what they stand for.

    Parameters
    ----------
    figure : Figure
        As an insight draws it: a chart of other kinds of artists has no points.
    """
    figure.draw_without_rendering()  # so that the layout is done
    placed = [point for axes in figure.axes for point in _placed(axes)]
    return placed[:: max(1, -(-len(placed) // MAX_POINTS))]


def _placed(axes: Axes) -> Iterator[Placed]:
    to_share = axes.transData + axes.get_figure(root=True).transFigure.inverted()  # type: ignore[union-attr]
    format_x, format_y = _formatter(axes.xaxis), _formatter(axes.yaxis)
    for x, y, series in _points(axes):
        right, up = to_share.transform((x, y))
        parts = (("", series), (axes.get_xlabel(), format_x(x)), (axes.get_ylabel(), format_y(y)))
        text = ", ".join(f"{name}: {value}" if name else value for name, value in parts if value)
        yield round(float(right), 4), round(1 - float(up), 4), text.replace("\n", " ")
    for cell in axes.texts if axes.images else ():
        x, y = cell.get_position()
        right, up = to_share.transform((x, y))
        count = cell.get_text().replace("\n", ", ")
        text = f"{axes.get_ylabel()}: {format_y(y)}, {axes.get_xlabel()}: {format_x(x)}: {count}"
        yield round(float(right), 4), round(1 - float(up), 4), text.replace("\n", " ")


def _points(axes: Axes) -> Iterator[Point]:
    """Yield the points of lines, scattered points and the ends of horizontal bars."""
    import numpy as np
    from matplotlib.collections import PathCollection
    from matplotlib.container import BarContainer, ErrorbarContainer

    named = {}
    for container in axes.containers:
        if isinstance(container, BarContainer):
            for bar in container.patches:
                yield bar.get_x() + bar.get_width(), bar.get_y() + bar.get_height() / 2, ""
        elif isinstance(container, ErrorbarContainer) and container.lines[0] is not None:
            named[container.lines[0]] = str(container.get_label())
    for line in axes.lines:
        points = np.asarray(line.get_xydata(), dtype=float)
        is_guide = line.get_marker() == "None" and (len(points) <= 2 or line.get_linewidth() < 1)
        if not is_guide:
            name = named.get(line, str(line.get_label()))
            yield from ((x, y, "" if name.startswith("_") else name) for x, y in points)
    for dots in axes.collections:
        if isinstance(dots, PathCollection):
            name = str(dots.get_label())
            yield from ((x, y, "" if name.startswith("_") else name) for x, y in np.asarray(dots.get_offsets()))


def _formatter(axis: Axis) -> Callable[[float], str]:
    """Return a function that writes a value of an axis: a category, a date, a number, or nothing without ticks."""
    from matplotlib.dates import DateLocator, num2date
    from matplotlib.ticker import FixedLocator

    if isinstance(axis.get_major_locator(), FixedLocator):  # set_xticks with labels, or without any ticks
        names: dict[Any, str] = {
            round(float(position)): label.get_text()
            for position, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        }
        return lambda value: names.get(round(float(value)), "")
    if isinstance(axis.get_major_locator(), DateLocator):
        return lambda value: str(num2date(value).date())  # type: ignore[no-untyped-call]
    return lambda value: format_value(float(value), DIGITS)
