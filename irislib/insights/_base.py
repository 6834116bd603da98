"""The type of every insight: a table, a sentence and a chart."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import number_format
from irislib._common.language import ENGLISH, column_label, current_language, decimal_sign
from irislib._common.theme import INK, PAPER, WARM_GREY, colours_of_series
from irislib.insights._labels import fit_labels
from irislib.insights._localized_charts import localize_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Insight"]

FIGURE_WIDTH = 4.8  # of a figure, in inches
PANEL_HEIGHT = 2.6  # of a panel by itself, in inches, at least
MAX_TABLE_ROWS = 20  # of a longer table in a notebook

# The columns of an interactive view that are for its program alone, and that no table for people has.
INTERNAL_COLUMNS = {"what-if": ["name", "entry", "is_choice", "is_entered"]}

# A picture follows the colour scheme of the element that shows it.
DARK = "<style>@media (prefers-color-scheme: dark) { :root { filter: invert(0.92) hue-rotate(180deg); } }</style>"


@dataclass(frozen=True, eq=False)
class Insight:
    """A table, a sentence and a chart about a model or a prediction; it can be pickled if ``draw`` can.

    Attributes
    ----------
    title : str
    frame : DataFrame
        The numbers, with units in the columns' names.
    text : str
        Their meaning, in one sentence.
    draw : callable, or sequence of callable
        Takes the axes to draw on; with several there is a panel for each, one below the other. What it draws without
        a colour has those of the model's theme.
    height : float
        Of the whole figure, in inches.
    bar : str
        The column that a page shows as bars in the table of the numbers, instead of the picture: it has the same
        content, and takes a hundredth of the time.
    interactive : str
        The name of the view that a page makes of the table instead of the picture: ``threshold`` or
        ``what-if``.
    start : int
        The position of the row of the table that such a view begins with.
    """

    title: str
    frame: pd.DataFrame
    text: str
    draw: Callable[[Axes], Any] | Sequence[Callable[[Axes], Any]]
    height: float = 3
    bar: str = ""
    interactive: str = ""
    start: int = 0

    def plot(self, ax: Axes | Sequence[Axes] | None = None) -> Figure:
        """Draw the chart.

        Parameters
        ----------
        ax : Axes or sequence of Axes, optional
            Where to draw. An insight of several panels takes as many axes, or divides one among them. Without it a
            figure is made; pyplot is not involved, so there is nothing to close.

        Returns
        -------
        Figure
            That of the axes.
        """
        draws = [self.draw] if callable(self.draw) else list(self.draw)
        panels = _panels(ax, len(draws), self.height)
        for draw, axes in zip(draws, panels, strict=True):
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[["left", "bottom"]].set_color(WARM_GREY)
            axes.tick_params(colors=INK, labelcolor=INK)
            axes.set_prop_cycle(color=colours_of_series())
            draw(axes)
            if _is_own(draw):
                _write_as_is(axes)
            for text in (axes.xaxis.label, axes.yaxis.label):
                text.set_color(INK)
            localize_axes(axes)
            fit_labels(axes)
        return panels[0].get_figure(root=True)  # type: ignore[return-value]  # a root is no SubFigure

    def panels(self) -> list[Insight]:
        """Return an insight for each panel, or this one if it has no more."""
        if callable(self.draw):
            return [self]
        height = self.height / len(self.draw)
        return [dataclasses.replace(self, draw=draw, height=max(height, PANEL_HEIGHT)) for draw in self.draw]

    def _repr_html_(self) -> str:
        """Return title, sentence, chart and table, as notebooks show them."""
        from markupsafe import Markup

        return Markup('<h3>{}</h3><p>{}</p><img alt="{}" style="max-width:100%" src="{}">{}').format(
            self.title,
            self.text,
            self.text,
            picture_source(self),
            Markup(_table_html(frame_for_people(self))),  # noqa: S704 - pandas escapes
        )


def _is_own(draw: Callable[[Axes], Any]) -> bool:
    """Return True if a function is one of the library's, whose texts are names and no formulas."""
    return getattr(getattr(draw, "func", draw), "__module__", "") == "irislib.insights._drawing"


def _write_as_is(axes: Axes) -> None:
    """Write the texts of a chart as they are: matplotlib takes what is between two dollar signs for a formula."""
    from matplotlib.text import Text

    for text in axes.findobj(Text):
        text.set_parse_math(False)


def picture_source(insight: Insight, *, follows_page: bool = False) -> str:
    """Return the chart of an insight as the source of an image; one that follows its page is dark on a dark one."""
    if follows_page:
        svg = svg_of_page(insight.plot())
    else:
        file = io.StringIO()
        insight.plot().savefig(file, format="svg", metadata={"Date": None})
        svg = file.getvalue()
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def svg_of_page(figure: Figure) -> str:
    """Draw a figure for a page, without its background; its dark colours turn light on a dark page."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    start, tag, element = file.getvalue().partition("<svg ")
    attributes, end, content = element.partition(">")
    return "".join((start, tag, attributes, end, DARK, content))


def frame_for_people(insight: Insight) -> pd.DataFrame:
    """Return the frame of an insight without the columns that are for the program of its view."""
    return insight.frame.drop(columns=INTERNAL_COLUMNS.get(insight.interactive, []))


def _table_html(frame: pd.DataFrame) -> str:
    """Return a table for people: its columns have the names of the current language, and so have its numbers."""
    if current_language() != ENGLISH:
        if frame.columns.name is None:  # or they are classes, which stay
            frame = frame.rename(columns=lambda name: column_label(str(name)))
        names = (axis.name and column_label(str(axis.name)) for axis in frame.axes)
        frame = frame.rename_axis(index=next(names), columns=next(names))
    floats = {name: number_format(frame[name]) for name in frame.columns[[dtype.kind == "f" for dtype in frame.dtypes]]}
    return str(frame.to_html(max_rows=MAX_TABLE_ROWS, border=0, decimal=decimal_sign(), formatters=floats, na_rep="–"))


def _panels(ax: Axes | Sequence[Axes] | None, count: int, height: float) -> list[Axes]:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    if ax is None:
        figure = Figure(figsize=(FIGURE_WIDTH, height), layout="constrained", facecolor=PAPER)
        return list(figure.subplots(count, squeeze=False).flat)
    if not isinstance(ax, Axes):
        axes = list(ax)
        if len(axes) != count:
            raise ValueError(f"ax must be one Axes or a sequence of {count}, one for each panel, got {len(axes)}.")
        return axes
    if count == 1:
        return [ax]
    ax.set_axis_off()
    share = 1 / count
    return [ax.inset_axes((0, 1 - (i + 1 - 0.3) * share, 1, 0.7 * share)) for i in range(count)]
