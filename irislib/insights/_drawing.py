"""Draw insights. Each function takes the axes to draw on, and as keywords what it draws.

An insight holds one of them with its keywords as a :class:`functools.partial`, which can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._common.messages.insights import TEXTS
from irislib._common.theme import AUBERGINE, INK, ORANGE, PAPER, WARM_GREY, series

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

Curve = tuple[Any, Any, Any, str, Any]  # class, x, y, its measure as text, the ends of the baseline


def legend(axes: Axes, columns: int = 1) -> None:
    """Add a legend above the chart, where it hides nothing."""
    entries = axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=9, borderaxespad=0.2, ncols=columns
    )
    for text in entries.get_texts():
        text.set_color(INK)


def bars(axes: Axes, *, frame: pd.DataFrame, names: str, values: str, errors: str | None = None) -> None:
    """Draw horizontal bars, the first row on top, with error bars if there is a column of them."""
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


def labelled_bars(axes: Axes, *, labels: Sequence[str], values: Sequence[float], name: str) -> None:
    """Draw one bar for each label."""
    axes.barh(labels, values, color=AUBERGINE, height=0.6)
    axes.invert_yaxis()
    axes.set_xlabel(name)


def signed_bars(axes: Axes, *, labels: Sequence[str], values: Sequence[float], name: str) -> None:
    """Draw bars to the right and, in another colour, to the left of zero."""
    axes.barh(labels, values, color=[AUBERGINE if value > 0 else ORANGE for value in values], height=0.6)
    axes.axvline(0, color=INK, linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel(name)


def bars_with_threshold(
    axes: Axes, *, labels: Sequence[str], values: Sequence[float], selected: Sequence[bool], threshold: float
) -> None:
    """Draw probabilities as bars, the selected ones coloured, and the line that separates them."""
    axes.barh(labels, values, color=[AUBERGINE if is_in else WARM_GREY for is_in in selected], height=0.6)
    axes.axvline(threshold, color=ORANGE, linewidth=2)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(TEXTS["set.axis"])


def histogram_with_range(axes: Axes, *, values: np.ndarray, low: float, middle: float, high: float, name: str) -> None:
    """Draw how the values are distributed, a range over it, and a line at its middle."""
    axes.hist(values, bins=20, color=WARM_GREY)
    axes.axvspan(low, high, color=AUBERGINE, alpha=0.25)
    axes.axvline(middle, color=ORANGE, linewidth=2)
    axes.set_xlabel(name)
    axes.set_ylabel(TEXTS["held_out_rows"])


def matrix(axes: Axes, *, frame: pd.DataFrame, rates: np.ndarray, with_rates: bool) -> None:
    """Draw counts as a matrix, each cell coloured by its share of the row."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    counts = frame.to_numpy()
    names = [str(name) for name in frame.columns]
    colours = LinearSegmentedColormap.from_list("aubergine", [PAPER, AUBERGINE])
    axes.imshow(rates, cmap=colours, vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel(frame.columns.name)
    axes.set_ylabel(frame.index.name)
    for i, j in np.ndindex(counts.shape):
        text = f"{counts[i, j]}\n{format_share(float(rates[i, j]))}" if with_rates else str(counts[i, j])
        colour = PAPER if rates[i, j] > 0.5 else INK
        axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=11 if with_rates else 9)


def class_intervals(axes: Axes, *, frame: pd.DataFrame) -> None:
    """Draw precision and recall of each class with their intervals, and the baseline."""
    import numpy as np

    heights = np.arange(len(frame))
    for measure, shift, colour, marker in (("precision", -0.14, AUBERGINE, "o"), ("recall", 0.14, ORANGE, "s")):
        low, high = (abs(frame[f"{measure} {end}"] - frame[measure]) for end in ("from", "to"))
        axes.errorbar(
            frame[measure], heights + shift, xerr=[low, high], fmt=marker, color=colour, capsize=3, label=measure
        )
    axes.plot(frame["baseline"], heights, "|", color=INK, markersize=16, label=TEXTS["guessing"])
    axes.set_yticks(heights, frame["class"].astype(str))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.02)
    axes.set_xlabel(TEXTS["class_metrics.axis"])
    legend(axes)


def reliability(axes: Axes, *, frame: pd.DataFrame) -> None:
    """Draw the share of right predictions by their probability."""
    axes.plot([0, 1], [0, 1], color=WARM_GREY, linestyle=":", label=TEXTS["calibration.ideal"])
    errors = [frame["share right"] - frame["from"], frame["to"] - frame["share right"]]
    axes.errorbar(
        frame["probability"], frame["share right"], yerr=errors, fmt="o-", color=AUBERGINE, ecolor=ORANGE,
        capsize=3, label=TEXTS["calibration.model"],
    )  # fmt: skip
    axes.set_xlim(min(0.45, frame["probability"].min() - 0.05), 1.02)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlabel(TEXTS["calibration.axis"])
    axes.set_ylabel("share right")
    legend(axes)


def class_curves(axes: Axes, *, curves: Sequence[Curve], names: tuple[str, str]) -> None:
    """Draw a step curve for each class, and its baseline."""
    for (name, x, y, text, ends), style in zip(curves, series(len(curves)), strict=True):
        axes.plot([0, 1], ends, color=WARM_GREY, linewidth=1, linestyle=":")
        axes.step(x, y, where="post", label=f"{name}: {text}", **style)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    legend(axes)


def cross_validation_scores(axes: Axes, *, frame: pd.DataFrame, score: str, middle: float) -> None:
    """Draw a point for each training and its baseline, and a line at the median."""
    import numpy as np

    heights = np.linspace(-0.3, 0.3, len(frame))
    axes.scatter(frame[score], heights, color=AUBERGINE, s=30, label=TEXTS["cross_validation.model"])
    axes.scatter(frame[f"baseline {score}"], heights, color=WARM_GREY, s=20, label=TEXTS["guessing"])
    axes.axvline(middle, color=ORANGE, linewidth=2)
    axes.set_yticks([])
    axes.set_ylim(-0.5, 0.5)
    axes.set_xlabel(TEXTS["cross_validation.axis"].format(score=score))
    legend(axes)


def curves_with_spread(axes: Axes, *, frame: pd.DataFrame, x: str, y: Mapping[str, str], name: str) -> None:
    """Draw columns over another one, each with a band as wide as its column of standard deviations."""
    for (column, spread), colour, dashes in zip(y.items(), (AUBERGINE, ORANGE), ("-", "--"), strict=True):
        axes.plot(frame[x], frame[column], dashes, color=colour, linewidth=2, marker="o", label=column)
        ends = (frame[column] - frame[spread], frame[column] + frame[spread])
        axes.fill_between(frame[x], *ends, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel(x)
    axes.set_ylabel(name)
    axes.set_xlim(left=0)
    legend(axes)


def points_on_diagonal(axes: Axes, *, frame: pd.DataFrame) -> None:
    """Draw the second column over the first, and where both are equal."""
    x, y = frame.columns
    axes.scatter(frame[x], frame[y], color=AUBERGINE, alpha=0.6, edgecolors="none")
    ends = [frame.to_numpy().min(), frame.to_numpy().max()]
    axes.plot(ends, ends, color=ORANGE, linewidth=2)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def points_around_zero(axes: Axes, *, frame: pd.DataFrame, band: float, label: str) -> None:
    """Draw the second column over the first, and a band around zero."""
    x, y = frame.columns
    axes.axhspan(-band, band, color=WARM_GREY, alpha=0.25, label=label)
    axes.axhline(0, color=ORANGE, linewidth=2)
    axes.scatter(frame[x], frame[y], color=AUBERGINE, alpha=0.6, edgecolors="none")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    legend(axes)


def dependence(
    axes: Axes,
    *,
    values: Sequence[Any],
    lines: Mapping[str, np.ndarray],
    thin: int,
    names: tuple[str, str],
    is_probability: bool,
) -> None:
    """Draw the mean of each output over a feature's values, and thin lines for the first rows.

    Parameters
    ----------
    axes : Axes
    values : sequence of shape (n_values,)
    lines : mapping of str to ndarray of shape (n_values, n_rows)
    thin : int
        How many rows get a line.
    names : tuple of (str, str)
        Labels of both axes.
    is_probability : bool
    """
    for (name, rows), style in zip(lines.items(), series(len(lines)), strict=True):
        axes.plot(values, rows[:, :thin], color=style["color"], linewidth=0.6, alpha=0.25)
        axes.plot(values, rows.mean(axis=1), **style, linewidth=2.5, label=name)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    if is_probability:
        axes.set_ylim(-0.02, 1.02)
    if len(lines) > 1:
        legend(axes, columns=len(lines))
