"""Contributions of the features to the prediction of one row."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value
from irislib._common.messages.insights import TEXTS
from irislib.insights import _drawing
from irislib.insights._background import as_prediction, background_rows, mix_rows
from irislib.insights._base import Insight
from irislib.insights._phrases import format_feature, format_target, with_target_unit
from irislib.insights._tree_shapley import tree_shapley

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["contributions"]

MAX_EXACT_ROWS = 50_000  # rows to be predicted, up to which every combination of features is tried
MAX_BARS = 10


def contributions(model: Model, row: Mapping[str, Any] | Prediction, *, seconds: float = 0.3) -> Insight:
    """Compute how much each value of a row has added to the prediction, or taken from it.

    Parameters
    ----------
    model : Model
    row : mapping, Series, DataFrame of one row, or Prediction
        The features' values, or what ``model.predict_row`` made of them.
    seconds : float, default 0.3
        The time for sampling, if there are too many features to try every combination.

    Returns
    -------
    Insight
        Its frame has for each feature its ``value``, the ``typical`` one, and its contribution: to the probability
        of the predicted class, or in the unit of the target. They add up to the difference between this prediction
        and the mean over the held-out rows. If they are sampled, ``standard error`` is that of each.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    NotApplicableError
        For a classifier without probabilities.

    Notes
    -----
    Shapley values of the prediction, where a feature that is left out has the values of held-out rows (at most 100 of
    them). They are exact for trees, forests and boosted regression trees, and for what is before them in a Pipeline
    if it makes each column of one feature; for any other estimator where every combination of features is at most
    50,000 rows to predict; otherwise sampled, from random orders of the features, each with its reverse. Sources:
    L. S. Shapley (1953), A value for n-person games, Annals of Mathematics Studies 28, 307-317; S. M. Lundberg et al.
    (2020), From local explanations to global understanding with explainable AI for trees, Nature Machine Intelligence
    2, 56-67, doi:10.1038/s42256-019-0138-9; E. Štrumbelj and I. Kononenko (2014), Explaining prediction models and
    individual predictions with feature contributions, Knowledge and Information Systems 41, 647-665,
    doi:10.1007/s10115-013-0679-x.
    """
    import numpy as np
    import pandas as pd

    prediction = as_prediction(model, row)
    frame = prediction.frame
    predict, name = _output(model, prediction)
    base, shapley_values, error = _shapley(model, prediction, predict, frame, seconds)
    values = [format_feature(feature, frame[feature.column].iloc[0]) for feature in model.spec.features]
    typical = [
        format_feature(feature, _typical_value(model.evaluation.features[feature.column]))
        for feature in model.spec.features
    ]
    labels = [feature.label for feature in model.spec.features]
    table = pd.DataFrame({"feature": labels, "value": values, "typical": typical, name: shapley_values})
    if error is not None:
        table["standard error"] = error
    table = table.iloc[np.argsort(-np.abs(shapley_values), kind="stable")].reset_index(drop=True)
    text = _contributions_text(model, prediction, table, name, base)
    if error is not None:
        within = format_value(2 * float(error.max()), 1)
        text = TEXTS["contributions.sampled"].format(start=text, error=within)
    top = table.head(MAX_BARS)
    labels = [f"{feature} = {value}" for feature, value in zip(top["feature"], top["value"], strict=True)]
    draw = partial(_drawing.signed_bars, labels=labels, values=list(top[name]), name=name)
    return Insight(TEXTS["contributions.title"], table, f"{text}.", draw, 1.0 + 0.4 * len(top), bar=name)


def _output(model: Model, prediction: Prediction) -> tuple[Callable[[pd.DataFrame], np.ndarray], str]:
    """Return a function of rows that computes the explained output, and the name of contributions to it."""
    if model.classes is None:
        return model.estimator.predict, with_target_unit(model, "contribution")
    model.require_probabilities()
    i = model.classes.index(prediction.prediction)
    return lambda rows: model.estimator.predict_proba(rows)[:, i], f"contribution to P({prediction.prediction})"


def _shapley(
    model: Model,
    prediction: Prediction,
    predict: Callable[[pd.DataFrame], np.ndarray],
    frame: pd.DataFrame,
    seconds: float,
) -> tuple[float, np.ndarray, np.ndarray | None]:
    """Return the mean over the background rows, the Shapley values, and their standard errors if they are sampled."""
    import numpy as np

    background = background_rows(model)
    n, m = len(model.spec.features), len(background)
    worth = predict(mix_rows(frame, background, np.arange(m + 1)[:, None].repeat(n, axis=1) == 0, np.arange(-1, m)))
    output = 0 if model.classes is None else model.classes.index(prediction.prediction)
    if (values := tree_shapley(model.estimator, output, frame, background, worth)) is not None:
        return float(worth[1:].mean()), values, None
    if 2**n * m <= MAX_EXACT_ROWS:
        return _exact(predict, frame, background)
    return _sampled(predict, frame, background, seconds, model.spec.random_state)


def _exact(
    predict: Callable[[pd.DataFrame], np.ndarray], frame: pd.DataFrame, background: pd.DataFrame
) -> tuple[float, np.ndarray, None]:
    """Return the mean over the background rows, and the Shapley values from every combination of features."""
    import numpy as np

    n, m = frame.shape[1], len(background)
    sets = np.arange(2**n)
    from_row = (sets[:, None] >> np.arange(n)) & 1 == 1
    rows = mix_rows(frame, background, np.repeat(from_row, m, axis=0), np.tile(np.arange(m), len(sets)))
    worth = predict(rows).reshape(len(sets), m).mean(axis=1)
    sizes = from_row.sum(axis=1)
    share = np.asarray([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    values = np.empty(n)
    for i in range(n):
        without = sets[~from_row[:, i]]
        values[i] = np.sum(share[sizes[without]] * (worth[without | 1 << i] - worth[without]))
    return float(worth[0]), values, None


def _sampled(
    predict: Callable[[pd.DataFrame], np.ndarray],
    frame: pd.DataFrame,
    background: pd.DataFrame,
    seconds: float,
    seed: int,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the same from random orders of the features, as many as there is time for, and their standard errors."""
    import numpy as np

    rng = np.random.default_rng(seed)
    n, m = frame.shape[1], len(background)
    start = time.monotonic()
    rounds: list[np.ndarray] = []
    while len(rounds) < 2 or time.monotonic() - start < seconds:
        orders = rng.permuted(np.tile(np.arange(n), (m, 1)), axis=1)
        pair = []
        for order in (orders, orders[:, ::-1]):  # an order and its reverse: less is left to chance
            ranks = np.argsort(order, axis=1)
            from_row = ranks[:, None, :] < np.arange(n + 1)[None, :, None]  # one feature more at each step
            worth = predict(
                mix_rows(frame, background, from_row.reshape(-1, n), np.repeat(np.arange(m), n + 1))
            ).reshape(m, n + 1)
            pair.append(np.take_along_axis(np.diff(worth, axis=1), ranks, axis=1))
        rounds.append((pair[0] + pair[1]) / 2)
    sampled = np.asarray(rounds)  # for each background row by itself: two rounds alone say little about the spread
    error = np.sqrt(sampled.var(axis=0, ddof=1).mean(axis=0) / (len(sampled) * m))
    return float(worth[:, 0].mean()), sampled.mean(axis=(0, 1)), error


def _typical_value(column: pd.Series) -> Any:
    """Return the median of numbers and dates, the commonest of anything else."""
    import pandas as pd

    present = column.dropna()
    if present.empty:
        return None
    if pd.api.types.is_bool_dtype(present) or not (
        pd.api.types.is_numeric_dtype(present) or pd.api.types.is_datetime64_any_dtype(present)
    ):
        return present.mode().iloc[0]
    return present.median()


def _contributions_text(model: Model, prediction: Prediction, table: pd.DataFrame, name: str, base: float) -> str:
    reached = base + float(table[name].sum())
    least = 1e-9 * max(abs(base), abs(reached))  # less than that is only how numbers are rounded
    same_way = table[table[name] * (1 if reached > base else -1) > least].head(2)
    reasons = [
        TEXTS["contributions.reason"].format(feature=feature.lower(), value=value, typical=typical)
        for feature, value, typical, size in zip(*(same_way[column] for column in list(table)[:4]), strict=True)
        if abs(size) >= 0.25 * abs(table[name]).max()
    ]
    if model.classes is None:
        number, average = format_target(model, reached), format_target(model, base)
        start = TEXTS["contributions.number"].format(prediction=number, base=average)
    else:
        start = TEXTS["contributions.class"].format(prediction=prediction.prediction, probability=reached, base=base)
    return TEXTS["contributions.text"].format(start=start, reasons=TEXTS["and"].join(reasons)) if reasons else start
