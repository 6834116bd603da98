"""How well a classifier tells each class from the rest, over all thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._common.theme import WARM_GREY, series
from irislib.errors import NotApplicableError
from irislib.insights._background import held_out_probabilities
from irislib.insights._base import Insight, legend

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from irislib._modeling.model import Model

__all__ = ["precision_recall_curve", "roc_curve"]


def roc_curve(model: Model) -> Insight:
    """True and false positive rates of each class against the rest, on the held-out set.

    Returns
    -------
    Insight
        Its frame holds the points of each class's curve. The area under it is told with its 95 % interval.

    Raises
    ------
    NotApplicableError
        For a model without probabilities.

    Notes
    -----
    Sources: T. Fawcett (2006), An introduction to ROC analysis, Pattern Recognition Letters 27, 861-874,
    doi:10.1016/j.patrec.2005.10.010; for the interval R. G. Newcombe (2006), Confidence intervals for an
    effect size measure based on the Mann-Whitney statistic, part 2, Statistics in Medicine 25, 559-573,
    doi:10.1002/sim.2324, method 5, which is not empty where the area is 1. Computed by
    :func:`sklearn.metrics.roc_curve`.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.metrics import roc_curve as points

    def curve(is_it: np.ndarray, probability: np.ndarray) -> tuple[Any, Any, str, float]:
        false, true, _ = points(is_it, probability)
        area = float(roc_auc_score(is_it, probability))
        low, high = area_interval(area, int(is_it.sum()), int((~is_it).sum()))
        return false, true, f"{area:.2f} ({low:.2f} to {high:.2f})", area

    return _curves(
        model, curve, "How well it tells a class from the rest", ("false positive rate", "true positive rate"),
        "area under the curve", lambda _: (0.0, 1.0), "guessing has 0.50",
    )  # fmt: skip


def precision_recall_curve(model: Model) -> Insight:
    """Precision and recall of each class against the rest, over all thresholds, on the held-out set.

    Returns
    -------
    Insight
        Its frame holds the points of each class's curve.

    Raises
    ------
    NotApplicableError
        For a model without probabilities.

    Notes
    -----
    Source: J. Davis and M. Goadrich (2006), The relationship between precision-recall and ROC curves,
    ICML, 233-240, doi:10.1145/1143844.1143874. Computed by :func:`sklearn.metrics.precision_recall_curve`;
    the average precision is scikit-learn's.
    """
    from sklearn.metrics import average_precision_score
    from sklearn.metrics import precision_recall_curve as points

    def curve(is_it: np.ndarray, probability: np.ndarray) -> tuple[Any, Any, str, float]:
        precision, recall, _ = points(is_it, probability)
        average = float(average_precision_score(is_it, probability))
        return recall, precision, f"{average:.2f} (guessing {is_it.mean():.2f})", average

    return _curves(
        model, curve, "What it costs to find more of a class", ("recall", "precision"),
        "average precision", lambda is_it: (is_it.mean(), is_it.mean()), "guessing gets the class's share",
    )  # fmt: skip


def _curves(
    model: Model, curve: Any, title: str, axes_names: tuple[str, str], measure: str, guess: Any, baseline: str
) -> Insight:
    """A curve for each class that the held-out rows have, and have others beside."""
    import pandas as pd

    told, true = held_out_probabilities(model), model.evaluation.y_true
    found, frames, guesses = [], [], []
    for name, probability in zip(model.classes or (), told.T, strict=True):
        is_it = true == name
        if not 0 < is_it.sum() < len(is_it):
            continue
        x, y, words, value = curve(is_it, probability)
        found.append((name, x, y, words, value))
        guesses.append(guess(is_it))
        frames.append(pd.DataFrame({"class": [name] * len(x), axes_names[0]: x, axes_names[1]: y}))
    if not found:
        raise NotApplicableError("The rows that it had not seen are all of one class: there is nothing to tell apart.")
    worst, best = (choose(found, key=lambda each: each[-1]) for choose in (min, max))
    is_one = len(found) > 1 and f"{worst[-1]:.2f}" != f"{best[-1]:.2f}"
    start = f"{worst[0]} is the hardest" if is_one else "No class is harder than another"
    text = f"{start} to tell from the rest: {measure} {worst[3]}; {baseline}."

    def draw(axes: Axes) -> None:
        for (name, x, y, words, _), ends, style in zip(found, guesses, series(len(found)), strict=True):
            axes.plot([0, 1], ends, color=WARM_GREY, linewidth=1, linestyle=":")
            axes.step(x, y, where="post", label=f"{name}: {words}", **style)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-0.01, 1.03)
        axes.set_xlabel(axes_names[0])
        axes.set_ylabel(axes_names[1])
        legend(axes)

    return Insight(title, pd.concat(frames, ignore_index=True), text, draw, height=4.2 + 0.2 * len(found))


def area_interval(area: float, ours: int, others: int) -> tuple[float, float]:
    """The 95 % interval of an area under a ROC curve; see :func:`roc_curve`."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    reach, more, tiny = float(norm.ppf(0.975)), (ours + others) / 2 - 1, 1e-9

    def error(true: float) -> float:
        spread = 1 + more * (1 - true) / (2 - true) + more * true / (1 + true)
        return float((true * (1 - true) * spread / (ours * others)) ** 0.5)

    low = 0.0 if area <= 0 else brentq(lambda true: area - true - reach * error(true), 0, area - tiny)
    high = 1.0 if area >= 1 else brentq(lambda true: true - area - reach * error(true), area + tiny, 1)
    return float(low), float(high)
