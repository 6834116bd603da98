"""A set of answers that holds the true one as often as it says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value, short_repr
from irislib._common.theme import AUBERGINE, INK, ORANGE, WARM_GREY
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights._background import (
    as_prediction,
    by_probability,
    format_target,
    held_out_probabilities,
    with_target_unit,
)
from irislib.insights._base import Insight
from irislib.insights._confidence_intervals import format_interval

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes

    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["prediction_set"]


def prediction_set(model: Model, row: Mapping[str, Any] | Prediction, coverage: float = 0.9) -> Insight:
    """The classes, or the range of numbers, that hold the true answer to one row in 90 % of such cases.

    Parameters
    ----------
    model : Model
    row : mapping or Answer
        The features' values, or what ``model.predict_row`` made of them.
    coverage : float, default 0.9
        How often the truth is to be within; above 0 and below 1.

    Returns
    -------
    Insight
        Its frame has for a classifier a row for each class with its ``probability`` and whether it is ``in the
        set``; for a regression the ends of the range.

    Raises
    ------
    ValidationError
        Naming every wrong value, or a coverage that is none.
    NotApplicableError
        For a classifier without probabilities, or where too few rows are held out for such a coverage.

    Notes
    -----
    Split conformal prediction: the held-out rows, which the model has not seen, tell how far it is off. What is
    stated holds on average over rows that come from where the training data came from, whatever the model; it
    does not hold for each kind of row by itself. How often it held is counted on the held-out rows, each judged by
    all the others. The predicted class is always in the set. Sources: V. Vovk, A. Gammerman and G. Shafer (2005),
    Algorithmic learning in a random world, doi:10.1007/b106715; for classes M. Sadinle, J. Lei and L. Wasserman
    (2019), Least ambiguous set-valued classifiers with bounded error levels, doi:10.1080/01621459.2017.1395341; for
    numbers J. Lei et al. (2018), Distribution-free predictive inference for regression,
    doi:10.1080/01621459.2017.1307116.
    """
    if not 0 < coverage < 1:
        told = f"coverage must be above 0 and below 1, got {short_repr(coverage)}."
        raise ValidationError([Problem(told, "coverage", coverage)])
    limit, counts = _calibrated(model, coverage)
    answer = as_prediction(model, row)
    if answer.probabilities is None:
        return _range(model, answer, limit, coverage, counts)
    return _classes(model, answer, limit, coverage, counts)


@lru_cache(maxsize=16)
def _calibrated(model: Model, coverage: float) -> tuple[float, str]:
    """How strange an answer may be, and how often that held on the held-out rows, in words."""
    strangeness = scores(model)
    limit = threshold(strangeness, coverage)
    if math.isinf(limit):
        need = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise NotApplicableError(
            f"{len(strangeness)} rows that it had not seen are too few to state {_percent(coverage)} coverage: it "
            f"takes {need}. Hold out more (test_size), or state less."
        )
    # what is predicted is in the set, however improbable it is
    sure = model.evaluation.y_true == model.evaluation.y_pred if model.classes is not None else False
    within = held(strangeness, coverage, sure)
    return (
        limit,
        f"of {len(strangeness)} rows that it had not seen {within} did, {format_interval(within, len(strangeness))}",
    )


def held(strangeness: np.ndarray, coverage: float, sure: np.ndarray | bool = False) -> int:
    """How many rows are within, each judged by all the others; those that are sure to be are so anyway."""
    import numpy as np

    place = math.ceil(len(strangeness) * coverage - 1e-9)
    if place >= len(strangeness):
        return len(strangeness)  # the others are too few to rule anything out
    # without a row that is among the first, the limit is the next larger score; without another, it is this one
    return int(np.sum((strangeness <= np.sort(strangeness)[place - 1]) | sure))


def _percent(coverage: float) -> str:
    return f"{100 * coverage:.12g}%"


def scores(model: Model) -> np.ndarray:
    """How strange the truth of each held-out row is to the model.

    Returns
    -------
    ndarray of shape (n_test,)
        For a classifier one less the probability of the true class; for a regression the size of the error.
    """
    import numpy as np

    held_out = model.evaluation
    if model.classes is None:
        return np.asarray(np.abs(held_out.y_true - held_out.y_pred), dtype=float)
    given = held_out_probabilities(model)
    places = {name: i for i, name in enumerate(model.classes)}
    return np.asarray([
        1 - row[places[true]] if true in places else 1.0
        for row, true in zip(given, held_out.y_true.tolist(), strict=True)
    ])  # fmt: skip


def threshold(strangeness: Any, coverage: float) -> float:
    """How strange an answer may be to be within; infinite where there are too few scores to say.

    Parameters
    ----------
    strangeness : array-like of shape (n,)
    coverage : float
    """
    import numpy as np

    place = math.ceil((len(strangeness) + 1) * coverage - 1e-9)
    return math.inf if place > len(strangeness) else float(np.sort(strangeness)[place - 1])


def _classes(model: Model, answer: Prediction, limit: float, coverage: float, counts: str) -> Insight:
    frame = by_probability(model, answer)
    name = frame.columns[0]
    within = [
        1 - probability <= limit + 1e-12 or each == answer.prediction
        for each, probability in frame.itertuples(index=False)
    ]
    frame["in the set"] = ["yes" if each else "no" for each in within]
    names = [str(each) for each, is_in in zip(frame[name], within, strict=True) if is_in]
    if len(names) == len(frame):
        said = "no class can be ruled out"
    else:
        said = f"it is {' or '.join(names)}" if len(names) > 1 else f"it is {names[0]} alone"
    text = (
        f"With {_percent(coverage)} stated coverage {said}; the set should hold the true class at least that often, "
        f"and {counts}."
    )

    def draw(axes: Axes) -> None:
        colours = [AUBERGINE if each else WARM_GREY for each in within]
        axes.barh(frame[name].astype(str), frame["probability"], color=colours, height=0.6)
        axes.axvline(1 - limit, color=ORANGE, linewidth=2)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("probability; what reaches the line is in the set")

    return Insight("What else it could be", frame, text, draw, 0.9 + 0.45 * len(frame), bar="probability")


def _range(model: Model, answer: Prediction, limit: float, coverage: float, counts: str) -> Insight:
    import pandas as pd

    what = with_target_unit(model, model.spec.target)
    low, high = answer.prediction - limit, answer.prediction + limit
    frame = pd.DataFrame({what: [answer.prediction], "from": [low], "to": [high]})
    text = (
        f"With {_percent(coverage)} stated coverage it is {format_value(low, 3)} to {format_target(model, high)}; the "
        f"range should hold the true number that often, and {counts}."
    )

    def draw(axes: Axes) -> None:
        seen = model.evaluation.y_true
        axes.hist(seen, bins=20, color=WARM_GREY)
        axes.axvspan(low, high, color=AUBERGINE, alpha=0.25)
        axes.axvline(answer.prediction, color=ORANGE, linewidth=2)
        axes.set_xlabel(what)
        axes.set_ylabel("rows that it had not seen")
        axes.yaxis.label.set_color(INK)

    return Insight("How far off it may be", frame, text, draw)
