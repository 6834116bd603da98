"""Draw insights. Each function takes the axes to draw on, and as keywords what it draws.

An insight holds one of them with its keywords as a :class:`functools.partial`, which can be pickled.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._common.language import column_label
from irislib._common.messages.insights import TEXTS
from irislib._common.theme import INK, PAPER, WARM_GREY, main_colour, second_colour, series
from irislib.insights._labels import LEGEND_WIDTH, LINE, MARGINS, only_whole_ticks, panel_height

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

Curve = tuple[Any, Any, Any, str, Any]  # class, x, y, its measure as text, the ends of the baseline

LABEL_WIDTH, LABEL_LINES = 22, 2  # of a tick's label, in characters and lines
WIDTH_OF_NAMES = 40  # characters of names that fit side by side below a matrix
MANY_TURNED = 4  # more names than this are turned on one line each
SMALL = 7  # points, of names that have no room in the usual size
ROOM_BELOW = 36  # characters of ticks that fit side by side below a line
MANY_CATEGORIES = 12  # more than this are not drawn


def wrap_label(value: Any, lines: int = LABEL_LINES) -> str:
    """Return a value as the label of a tick: on at most two lines, cut off where it is longer."""
    text = str(value)
    if len(text) <= LABEL_WIDTH:
        return text
    if lines == 1:  # long names often differ at their ends
        return f"{text[: LABEL_WIDTH // 2]}…{text[1 - LABEL_WIDTH // 2 :]}"
    return "\n".join(textwrap.wrap(text, LABEL_WIDTH, max_lines=lines, placeholder="…")) or text[:LABEL_WIDTH]


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
        range(len(frame)),
        frame[values],
        xerr=frame[errors] if errors else None,
        color=WARM_GREY if errors else main_colour(),
        error_kw={"ecolor": second_colour(), "elinewidth": 2, "capsize": 4},
        height=0.6,
    )
    _name_bars(axes, frame[names])
    axes.set_xlabel(column_label(values))
    axes.set_xlim(left=min(0, axes.get_xlim()[0]))
    if frame[values].dtype.kind in "iu":  # counts
        only_whole_ticks(axes.xaxis)


def _name_bars(axes: Axes, labels: Iterable[Any], above: float = 0) -> None:
    """Name horizontal bars, the first one on top; a legend above them has some inches of the height."""
    names = list(labels)
    room = (panel_height(axes) - MARGINS - above) / max(1, len(names))  # of each bar, in inches
    texts = [wrap_label(name, 1 if room < LABEL_LINES * LINE else LABEL_LINES) for name in names]
    axes.set_yticks(range(len(texts)), texts, fontsize=None if room >= LINE else SMALL)
    axes.invert_yaxis()


def labelled_bars(axes: Axes, *, labels: Sequence[str], values: Sequence[float], name: str) -> None:
    """Draw one bar for each label; the name is that of a column."""
    axes.barh(range(len(labels)), values, color=main_colour(), height=0.6)
    _name_bars(axes, labels)
    axes.set_xlabel(column_label(name))


def paired_bars(
    axes: Axes,
    *,
    labels: Sequence[str],
    values: Sequence[tuple[float, float]],
    name: str,
    texts: tuple[str, str],
) -> None:
    """Draw two bars for each label, one below the other."""
    for i, (label, colour) in enumerate(zip(texts, (WARM_GREY, main_colour()), strict=True)):
        positions = [position + 0.4 * (i - 0.5) for position in range(len(labels))]
        axes.barh(positions, [pair[i] for pair in values], color=colour, height=0.36, label=label)
    _name_bars(axes, labels)
    axes.set_xlabel(name)
    legend(axes, 2)


def line_with_mark(
    axes: Axes, *, labels: Sequence[str], values: np.ndarray, mark: int, is_list: bool, names: tuple[str, str]
) -> None:
    """Draw a curve over values, or a bar for each value of a list, and mark one of them, or none if that is -1."""
    if is_list:
        colours = [second_colour() if i == mark else main_colour() for i in range(len(values))]
        axes.barh(range(len(values)), values, color=colours, height=0.6)
        _name_bars(axes, labels)
        names = names[::-1]
    else:
        axes.plot(range(len(values)), values, color=main_colour())
        if mark >= 0:
            axes.plot([mark], [values[mark]], "o", color=second_colour())
        texts = [shorten(label) for label in labels]
        parts = max(1, min(4, ROOM_BELOW // (max(map(len, texts)) + 2) - 1))  # between the ticks
        ticks = sorted({round(i * (len(texts) - 1) / parts) for i in range(parts + 1)})
        axes.set_xticks(ticks, [texts[i] for i in ticks])
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])


def signed_bars(axes: Axes, *, labels: Sequence[str], values: Sequence[float], name: str) -> None:
    """Draw bars to the right and, in another colour, to the left of zero; the name is that of a column."""
    colours = [main_colour() if value > 0 else second_colour() for value in values]
    axes.barh(range(len(labels)), values, color=colours, height=0.6)
    axes.axvline(0, color=INK, linewidth=1)
    _name_bars(axes, labels)
    axes.set_xlabel(column_label(name))


def bars_with_threshold(
    axes: Axes, *, labels: Sequence[str], values: Sequence[float], selected: Sequence[bool], threshold: float
) -> None:
    """Draw probabilities as bars, the selected ones coloured, and the line that separates them."""
    colours = [main_colour() if is_in else WARM_GREY for is_in in selected]
    axes.barh(range(len(labels)), values, color=colours, height=0.6)
    axes.axvline(threshold, color=second_colour(), linewidth=2)
    _name_bars(axes, labels)
    axes.set_xlim(0, 1)
    axes.set_xlabel(TEXTS["set.axis"])


def histogram_with_range(axes: Axes, *, values: np.ndarray, low: float, middle: float, high: float, name: str) -> None:
    """Draw how the values are distributed, a range over it, and a line at its middle."""
    axes.hist(values, bins=20, color=WARM_GREY)
    axes.axvspan(low, high, color=main_colour(), alpha=0.25)
    axes.axvline(middle, color=second_colour(), linewidth=2)
    only_whole_ticks(axes.yaxis)
    axes.set_xlabel(name)
    axes.set_ylabel(TEXTS["test_rows"])


def histogram(axes: Axes, *, values: np.ndarray, name: str, count: str, high: float | None = None) -> None:
    """Draw how values are distributed, up to the highest that there can be if one is given."""
    limits = None if high is None else (min(values.min(), 0.9 * high), high)
    axes.hist(values, bins=20, range=limits, color=main_colour())
    only_whole_ticks(axes.yaxis)
    axes.set_xlabel(name)
    axes.set_ylabel(count)


def matrix(axes: Axes, *, frame: pd.DataFrame, rates: np.ndarray, with_rates: bool, names: tuple[str, str]) -> None:
    """Draw counts as a matrix, each cell coloured by its share of the row."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    counts = frame.to_numpy()
    lines = LABEL_LINES if len(frame) <= MANY_TURNED else 1
    texts = [wrap_label(name, lines) for name in frame.columns]
    is_wide = max(map(len, texts)) * len(texts) > WIDTH_OF_NAMES
    colours = LinearSegmentedColormap.from_list("aubergine", [PAPER, main_colour()])
    axes.imshow(rates, cmap=colours, vmin=0, vmax=1)
    turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if is_wide else {}
    axes.set_xticks(range(len(texts)), texts, **turned)
    axes.set_yticks(range(len(texts)), texts)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    for i, j in np.ndindex(counts.shape):
        text = f"{counts[i, j]}\n{format_share(float(rates[i, j]))}" if with_rates else str(counts[i, j])
        colour = PAPER if rates[i, j] > 0.5 else INK
        axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=11 if with_rates else 9)


def class_intervals(axes: Axes, *, frame: pd.DataFrame) -> None:
    """Draw precision and recall of each class with their intervals, and the baseline."""
    import numpy as np

    heights = np.arange(len(frame))
    styles = (("precision", -0.14, main_colour(), "o"), ("recall", 0.14, second_colour(), "s"))
    for measure, shift, colour, marker in styles:
        low, high = (abs(frame[f"{measure} {end}"] - frame[measure]) for end in ("from", "to"))
        label = column_label(measure)
        axes.errorbar(
            frame[measure], heights + shift, xerr=[low, high], fmt=marker, color=colour, capsize=3, label=label
        )
    axes.plot(frame["baseline"], heights, "|", color=INK, markersize=16, label=TEXTS["guessing"])
    _name_bars(axes, frame["class"])
    axes.set_xlim(0, 1.02)
    axes.set_xlabel(TEXTS["class_metrics.axis"])
    legend(axes)


def reliability(axes: Axes, *, frame: pd.DataFrame) -> None:
    """Draw the share of right predictions by their probability."""
    axes.plot([0, 1], [0, 1], color=WARM_GREY, linestyle=":", label=TEXTS["calibration.ideal"])
    errors = [frame["share right"] - frame["from"], frame["to"] - frame["share right"]]
    axes.errorbar(
        frame["probability"], frame["share right"], yerr=errors, fmt="o-", color=main_colour(), ecolor=second_colour(),
        capsize=3, label=TEXTS["calibration.model"],
    )  # fmt: skip
    axes.set_xlim(min(0.45, frame["probability"].min() - 0.05), 1.02)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlabel(TEXTS["calibration.axis"])
    axes.set_ylabel(column_label("share right"))
    legend(axes)


def class_curves(axes: Axes, *, curves: Sequence[Curve], names: tuple[str, str]) -> None:
    """Draw a step curve for each class, and its baseline; the names are those of columns."""
    for (name, x, y, text, ends), style in zip(curves, series(len(curves)), strict=True):
        axes.plot([0, 1], ends, color=WARM_GREY, linewidth=1, linestyle=":")
        axes.step(x, y, where="post", label=f"{shorten(name, LEGEND_WIDTH - len(str(text)) - 2)}: {text}", **style)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_xlabel(column_label(names[0]))
    axes.set_ylabel(column_label(names[1]))
    legend(axes)


def threshold_curves(axes: Axes, *, frame: pd.DataFrame, current: float | None, cheapest: float) -> None:
    """Draw recall and precision over the threshold, and lines at the current one, if any, and the cheapest one."""
    for name, style in zip(("recall", "precision"), series(2), strict=True):
        axes.step(frame["threshold"], frame[name], where="pre", label=column_label(name), **style)
    if current is not None:
        axes.axvline(current, color=INK, linewidth=1, label=TEXTS["decision_threshold.current"])
    label = TEXTS["decision_threshold.cheapest_line"]
    axes.axvline(cheapest, color=second_colour(), linewidth=1, linestyle=":", label=label)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_xlabel(TEXTS["decision_threshold.axis"])
    legend(axes, columns=2)


def gains(axes: Axes, *, shares: np.ndarray, captured: np.ndarray, positive: float) -> None:
    """Draw the share found over the share of rows, with the best that is possible and what chance finds."""
    axes.plot([0, positive, 1], [0, 1, 1], color=WARM_GREY, linestyle="--", label=TEXTS["gains.best"])
    axes.plot([0, 1], [0, 1], color=WARM_GREY, linestyle=":", label=TEXTS["guessing"])
    axes.plot(shares, captured, color=main_colour(), linewidth=2, label=TEXTS["gains.model"])
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_xlabel(TEXTS["gains.x"])
    axes.set_ylabel(TEXTS["gains.y"])
    legend(axes, columns=3)


def cross_validation_scores(axes: Axes, *, frame: pd.DataFrame, score: str, middle: float) -> None:
    """Draw a point for each training and its baseline, and a line at the median."""
    import numpy as np

    heights = np.linspace(-0.3, 0.3, len(frame))
    axes.scatter(frame[score], heights, color=main_colour(), s=30, label=TEXTS["cross_validation.model"])
    axes.scatter(frame[f"baseline {score}"], heights, color=WARM_GREY, s=20, label=TEXTS["guessing"])
    axes.axvline(middle, color=second_colour(), linewidth=2)
    axes.set_yticks([])
    axes.set_ylim(-0.5, 0.5)
    axes.set_xlabel(TEXTS["cross_validation.axis"].format(score=column_label(score)))
    legend(axes)


def curves_with_spread(axes: Axes, *, frame: pd.DataFrame, x: str, y: Mapping[str, str], name: str) -> None:
    """Draw columns over another one, each with a band as wide as its column of standard deviations."""
    for (column, spread), colour, dashes in zip(y.items(), (main_colour(), second_colour()), ("-", "--"), strict=True):
        label = column_label(column)
        axes.plot(frame[x], frame[column], dashes, color=colour, linewidth=2, marker="o", label=label)
        ends = (frame[column] - frame[spread], frame[column] + frame[spread])
        axes.fill_between(frame[x], *ends, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel(column_label(x))
    axes.set_ylabel(column_label(name))
    axes.set_xlim(left=0)
    if frame[x].dtype.kind in "iu":
        only_whole_ticks(axes.xaxis)
    legend(axes)


def points_on_diagonal(axes: Axes, *, frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Draw the second column over the first, and where both are equal."""
    x, y = frame.columns
    axes.scatter(frame[x], frame[y], color=main_colour(), alpha=0.6, edgecolors="none")
    ends = [frame.to_numpy().min(), frame.to_numpy().max()]
    axes.plot(ends, ends, color=second_colour(), linewidth=2)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])


def points_around_zero(axes: Axes, *, frame: pd.DataFrame, band: float, label: str, names: Sequence[str]) -> None:
    """Draw the second column over the first, and a band around zero."""
    x, y = frame.columns
    axes.axhspan(-band, band, color=WARM_GREY, alpha=0.25, label=label)
    axes.axhline(0, color=second_colour(), linewidth=2)
    axes.scatter(frame[x], frame[y], color=main_colour(), alpha=0.6, edgecolors="none")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    legend(axes)


def dependence(
    axes: Axes,
    *,
    values: Sequence[Any],
    lines: Mapping[str, np.ndarray],
    thin: int,
    names: tuple[str, str],
    is_probability: bool,
    is_whole: bool,
) -> None:
    """Draw the mean of each output over a feature's values, and thin lines for the first rows.

    Categories have no order that a line could follow: each has a point for each output instead.

    Parameters
    ----------
    axes : Axes
    values : sequence of shape (n_values,)
        Numbers, or texts for categories.
    lines : mapping of str to ndarray of shape (n_values, n_rows)
    thin : int
        How many rows get a line.
    names : tuple of (str, str)
        Labels of both axes.
    is_probability : bool
    is_whole : bool
        Whether the feature's values are whole numbers.
    """
    if any(isinstance(value, str) for value in values):
        _category_points(axes, values, lines, names, is_probability)
        return
    for (name, rows), style in zip(lines.items(), series(len(lines)), strict=True):
        axes.plot(values, rows[:, :thin], color=style["color"], linewidth=0.6, alpha=0.25)
        axes.plot(values, rows.mean(axis=1), **style, linewidth=2.5, label=shorten(name))
    if is_whole:
        only_whole_ticks(axes.xaxis)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    if is_probability:
        axes.set_ylim(-0.02, 1.02)
    if len(lines) > 1:
        _class_legend(axes, lines)


def _category_points(
    axes: Axes,
    values: Sequence[Any],
    lines: Mapping[str, np.ndarray],
    names: tuple[str, str],
    is_probability: bool,
) -> None:
    """Draw a point for each category and output, and a line to where eight of ten rows are; the strongest if many."""
    import numpy as np

    means = np.array([rows.mean(axis=1) for rows in lines.values()])
    strength = np.abs(means - means.mean(axis=1, keepdims=True)).max(axis=0)
    chosen = np.sort(np.argsort(-strength, kind="stable")[:MANY_CATEGORIES])
    shifts = np.linspace(-0.2, 0.2, len(lines)) if len(lines) > 1 else [0.0]
    for (name, rows), style, shift in zip(lines.items(), series(len(lines)), shifts, strict=True):
        middle, (low, high) = rows.mean(axis=1)[chosen], np.quantile(rows[chosen], [0.1, 0.9], axis=1)
        heights = np.arange(len(chosen)) + shift
        axes.hlines(heights, low, high, color=style["color"], linewidth=1, alpha=0.5)
        axes.plot(middle, heights, "o", color=style["color"], markersize=5, label=shorten(name))
    _name_bars(axes, [values[i] for i in chosen], legend_height(lines))
    left_out = len(values) - len(chosen)
    axes.set_ylabel(TEXTS["partial_dependence.more"].format(name=names[0], count=left_out) if left_out else names[0])
    axes.set_xlabel(names[1])
    if is_probability:
        axes.set_xlim(-0.02, 1.02)
    if len(lines) > 1:
        _class_legend(axes, lines)


def _class_legend(axes: Axes, names: Collection[str]) -> None:
    """Add a legend of classes side by side, or one below the other if their names are long."""
    legend(axes, columns=1 if legend_height(names) > LINE else len(names))


def legend_height(names: Iterable[str]) -> float:
    """Return the inches that the legend of some classes takes; none if there is one class."""
    lengths = [len(shorten(name)) for name in names]
    if len(lengths) < 2:
        return 0
    return LINE * (1 if sum(lengths) <= 2 * LABEL_WIDTH else len(lengths))


def shorten(name: Any, width: int = 2 * LABEL_WIDTH) -> str:
    """Return a name for a legend, cut off where it is long."""
    text = str(name)
    return text if len(text) <= width else f"{text[: width - 1]}…"
