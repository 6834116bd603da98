"""What every insight is: numbers, a sentence, and a way to draw them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irislib._common.theme import AUBERGINE, INK, ORANGE, PAPER, WARM_GREY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Insight", "bars", "legend"]


@dataclass(frozen=True, eq=False)
class Insight:
    """The answer to one question about a model.

    Attributes
    ----------
    title : str
    frame : DataFrame
        The numbers, with units in the columns' names.
    text : str
        What they say, in one sentence.
    draw : callable, or sequence of callable
        Takes the axes to draw on; with several there is a panel for each, one below the other.
    height : float
        Of the whole figure, in inches.
    bar : str
        The column that a page shows as bars in the table of the numbers, instead of the picture: it says the same,
        and takes a hundredth of the time.
    """

    title: str
    frame: pd.DataFrame
    text: str
    draw: Callable[[Axes], None] | Sequence[Callable[[Axes], None]]
    height: float = 3
    bar: str = ""

    def plot(self) -> Figure:
        """Draw it on a figure of its own; pyplot is not involved, so there is nothing to close."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.8, self.height), layout="constrained", facecolor=PAPER)
        draws = [self.draw] if callable(self.draw) else self.draw
        for draw, axes in zip(draws, figure.subplots(len(draws), squeeze=False).flat, strict=True):
            axes.spines[["top", "right"]].set_visible(False)
            axes.spines[["left", "bottom"]].set_color(WARM_GREY)
            axes.tick_params(colors=INK, labelcolor=INK)
            draw(axes)
            for text in (axes.xaxis.label, axes.yaxis.label):
                text.set_color(INK)
        return figure


def legend(axes: Axes, columns: int = 1) -> None:
    """A legend above the drawing, where it hides nothing of it."""
    found = axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9, borderaxespad=0.2, ncols=columns
    )
    for text in found.get_texts():
        text.set_color(INK)


def bars(frame: pd.DataFrame, names: str, values: str, errors: str | None = None) -> Callable[[Axes], None]:
    """A drawing of horizontal bars, the first row on top, with error bars where there are some."""

    def draw(axes: Axes) -> None:
        axes.barh(
            frame[names].astype(str),
            frame[values],
            xerr=frame[errors] if errors else None,
            color=WARM_GREY if errors else AUBERGINE,
            error_kw={"ecolor": ORANGE, "elinewidth": 2, "capsize": 4},
            height=0.6,
        )
        axes.invert_yaxis()
        axes.set_xlabel(values)
        axes.set_xlim(left=min(0, axes.get_xlim()[0]))

    return draw
