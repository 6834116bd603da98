"""Conformal prediction: sets of classes, or ranges of numbers, with a stated coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import digits_apart, format_value, short_repr
from irislib._common.language import localize
from irislib._common.messages.insights import TEXTS
from irislib._common.model_caches import cached_for_models
from irislib._modeling.arguments import takes_model
from irislib._modeling.evaluation import COVERAGE, conformal_limit
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights import _drawing
from irislib.insights._background import as_prediction, by_probability, held_out_probabilities, ranked_classes
from irislib.insights._base import Insight
from irislib.insights._confidence_intervals import format_interval
from irislib.insights._likely_classes import describe_classes, describe_coverage
from irislib.insights._phrases import axis_label, format_target, number_column, with_target_unit

if TYPE_CHECKING:
    import numpy as np

    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["coverage_sentence", "prediction_set", "set_sentence"]


@takes_model
def prediction_set(model: Model, row: Mapping[str, Any] | Prediction, coverage: float = COVERAGE) -> Insight:
    """Return the classes, or the range of numbers, that hold the truth of one row in 90 % of such cases.

    Parameters
    ----------
    model : Model
    row : mapping, Series, DataFrame of one row, or Prediction
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
        message = f"coverage must be above 0 and below 1, got {short_repr(coverage)}."
        raise ValidationError([Problem(message, "coverage", coverage)])
    limit, *rows = _calibrated(model, coverage)
    counts = _describe_counts(*rows)
    prediction = as_prediction(model, row)
    if prediction.probabilities is None:
        return _number_range(model, prediction, limit, coverage, counts)
    return _class_set(model, prediction, limit, coverage, counts)


@cached_for_models(16)
def _calibrated(model: Model, coverage: float) -> tuple[float, int, int]:
    """Return how far off a prediction may be, for how many held-out rows that held, and how many there are."""
    errors = nonconformity_scores(model)
    limit = conformal_limit(errors, coverage)
    if math.isinf(limit):
        needed = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise NotApplicableError(
            TEXTS["too_few_for_coverage"].format(rows=len(errors), coverage=_format_coverage(coverage), needed=needed)
        )
    # what is predicted is in the set, however improbable it is
    sure = model.evaluation.y_true == model.evaluation.y_pred if model.classes is not None else False
    return limit, covered_rows(errors, coverage, sure), len(errors)


def _describe_counts(within: int, total: int) -> str:
    """Describe how often it held, in the language of the reader."""
    return TEXTS["set.counts"].format(total=total, within=within, interval=format_interval(within, total))


def covered_rows(errors: np.ndarray, coverage: float, sure: np.ndarray | bool = False) -> int:
    """Count the rows within, each judged by all the others; those that are sure to be are so anyway."""
    import numpy as np

    rank = math.ceil(len(errors) * coverage - 1e-9)
    if rank >= len(errors):
        return len(errors)  # the others are too few to rule anything out
    # without a row that is among the first, the limit is the next larger score; without another, it is this one
    return int(np.sum((errors <= np.sort(errors)[rank - 1]) | sure))


def _format_coverage(coverage: float) -> str:
    return localize(f"{100 * coverage:.12g}%")


def nonconformity_scores(model: Model) -> np.ndarray:
    """Return how far off the model is from the truth of each held-out row.

    Returns
    -------
    ndarray of shape (n_test,)
        For a classifier one less the probability of the true class; for a regression the size of the error.
    """
    import numpy as np

    held_out = model.evaluation
    if model.classes is None:
        return np.asarray(np.abs(held_out.y_true - held_out.y_pred), dtype=float)
    probabilities = held_out_probabilities(model)
    positions = {name: i for i, name in enumerate(model.classes)}
    return np.asarray([
        1 - row[positions[true]] if true in positions else 1.0
        for row, true in zip(probabilities, held_out.y_true.tolist(), strict=True)
    ])  # fmt: skip


def coverage_sentence(model: Model, prediction: Prediction) -> str:
    """Return how often the set of classes for a row is right, without the classes that come into question."""
    limit, *rows = _calibrated(model, COVERAGE)
    names = _likely_names(prediction, limit)
    return describe_coverage(prediction, names, _format_coverage(COVERAGE), _describe_counts(*rows))


def set_sentence(model: Model, prediction: Prediction) -> str:
    """Return the text of :func:`prediction_set` alone; a click waits for it."""
    limit, *rows = _calibrated(model, COVERAGE)
    describe = _describe_range if prediction.probabilities is None else _describe_set
    return describe(model, prediction, limit, COVERAGE, _describe_counts(*rows))


def _likely(prediction: Prediction, limit: float) -> tuple[list[str], list[bool]]:
    """Return the names of the classes, the likeliest first, and which of them are in the set."""
    rows = ranked_classes(prediction)
    within = [1 - share <= limit + 1e-12 or label == prediction.prediction for label, share in rows]
    return [str(label) for label, _ in rows], within


def _likely_names(prediction: Prediction, limit: float) -> list[str]:
    return [name for name, is_in in zip(*_likely(prediction, limit), strict=True) if is_in]


def _describe_set(_: Model, prediction: Prediction, limit: float, coverage: float, counts: str) -> str:
    names = _likely_names(prediction, limit)
    promise = describe_coverage(prediction, names, _format_coverage(coverage), counts)
    return f"{describe_classes(prediction, names)} {promise}"


def _class_set(model: Model, prediction: Prediction, limit: float, coverage: float, counts: str) -> Insight:
    frame = by_probability(model, prediction)
    labels, within = _likely(prediction, limit)
    frame["in the set"] = ["yes" if is_in else "no" for is_in in within]
    text = _describe_set(model, prediction, limit, coverage, counts)
    draw = partial(
        _drawing.bars_with_threshold,
        labels=labels,
        values=list(frame["probability"]),
        selected=within,
        threshold=1 - limit,
    )
    return Insight(TEXTS["set.title"], frame, text, draw, 0.9 + 0.45 * len(frame), bar="probability")


def _describe_range(model: Model, prediction: Prediction, limit: float, coverage: float, counts: str) -> str:
    middle = prediction.prediction
    digits = digits_apart(middle, middle + limit)
    ends = {"low": format_value(middle - limit, digits), "high": format_target(model, middle + limit, digits)}
    # no coverage is promised for a row unlike the training rows
    key = "range.outside" if prediction.is_outside_training else "range.text"
    return TEXTS[key].format(coverage=_format_coverage(coverage), counts=counts, **ends)


def _number_range(model: Model, prediction: Prediction, limit: float, coverage: float, counts: str) -> Insight:
    import pandas as pd

    name, middle = number_column(model, "from", "to"), prediction.prediction
    low, high = middle - limit, middle + limit
    frame = pd.DataFrame({name: [middle], "from": [low], "to": [high]})
    text = _describe_range(model, prediction, limit, coverage, counts)
    values = model.evaluation.y_true
    ends = {"low": low, "middle": middle, "high": high}
    label = axis_label(model, with_target_unit(model, model.spec.target))
    draw = partial(_drawing.histogram_with_range, values=values, **ends, name=label)
    return Insight(TEXTS["range.title"], frame, text, draw)
