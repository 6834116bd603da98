"""Contributions of the features to the prediction of one row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import (
    TO_PROBABILITY,
    digits_apart,
    format_points,
    format_share,
    format_value,
    with_points,
    within_sentence,
)
from irislib._common.messages.insights import TEXTS
from irislib._compiled import values_of_rows
from irislib._modeling.arguments import takes_model
from irislib.insights import _drawing
from irislib.insights._background import answering_mixtures, as_prediction, background_rows, mix_rows
from irislib.insights._base import Insight
from irislib.insights._phrases import format_feature, format_target, with_target_unit
from irislib.insights._time_budget import TimeBudget, predict_within
from irislib.insights._tree_shapley import has_large_forest, sampled_tree_shapley, tree_shapley

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

    # takes which values are the row's, the positions of the background rows, and the least number of predictions
    PredictMixed = Callable[[np.ndarray, np.ndarray, int], np.ndarray]

__all__ = ["contributions"]

MAX_EXACT_ROWS = 50_000  # rows to be predicted, up to which every combination of features is tried
MAX_BARS = 10
MIN_BACKGROUND = 10  # rows, however slow the estimator is
PROBE = 5  # the part of a round that shows how fast the estimator is
NO_ERROR = 1e-6  # of the largest contribution: smaller errors are only how numbers are rounded
SLOW_SECONDS = 3  # that a slow estimator may take besides the time for sampling


@takes_model
def contributions(model: Model, row: Mapping[str, Any] | Prediction, *, seconds: float = 0.3) -> Insight:
    """Compute how much each value of a row has added to the prediction, or taken from it.

    Parameters
    ----------
    model : Model
    row : mapping, Series, DataFrame of one row, or Prediction
        The features' values, or what ``model.predict_row`` made of them.
    seconds : float, default 0.3
        The time for sampling, if there are too many features to try every combination. A slow estimator may take
        three seconds more; of one that would take longer still, there are fewer samples and larger errors.

    Returns
    -------
    Insight
        Its frame has for each feature its ``value``, the ``typical`` one, and its contribution: to the probability
        of the predicted class, or in the unit of the target. They add up to the difference between this prediction
        and the mean over the held-out rows. If they are sampled, ``standard error`` is that of each, unless all
        samples agree, as those of a linear model do: then the contributions are exact.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    NotApplicableError
        For a classifier without probabilities, or if the estimator refuses a mixture of rows.

    Notes
    -----
    Shapley values of the prediction, where a feature that is left out has the values of held-out rows (at most 100 of
    them). They are exact for trees, forests and boosted regression trees of up to 300,000 nodes, and for what is before
    them in a Pipeline if it makes each column of one feature; from samples of trees and held-out rows, the exact values
    of each, if there are more nodes; for any other estimator where every combination of features is at most
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
    values = [format_feature(model, feature, frame[feature.column].iloc[0]) for feature in model.spec.features]
    typical = [
        format_feature(model, feature, _typical_value(feature, model.evaluation.features[feature.column]))
        for feature in model.spec.features
    ]
    labels = [feature.label for feature in model.spec.features]
    table = pd.DataFrame({"feature": labels, "value": values, "typical": typical, name: shapley_values})
    is_exact = error is not None and float(error.max()) <= NO_ERROR * float(np.abs(shapley_values).max())
    if error is not None and not is_exact:
        table["standard error"] = error
    table = table.iloc[np.argsort(-np.abs(shapley_values), kind="stable")].reset_index(drop=True)
    text = _contributions_text(model, prediction, table, name, base)
    if is_exact:
        text = TEXTS["contributions.exact"].format(start=text)
    elif error is not None:
        within = 2 * float(error.max())
        within_text = (
            format_value(within, 1)
            if model.classes is None
            else TEXTS["contributions.points"].format(number=format_points(within).lstrip("+"))
        )
        text = TEXTS["contributions.sampled"].format(start=text, error=within_text)
    top = table.head(MAX_BARS)
    labels = [f"{feature} = {value}" for feature, value in zip(top["feature"], top["value"], strict=True)]
    sizes = top[name].tolist()
    if len(table) > MAX_BARS:
        labels.append(TEXTS["contributions.others"].format(count=len(table) - MAX_BARS))
        sizes.append(float(table[name][MAX_BARS:].sum()))
    if model.classes is not None:
        sizes = [100 * size for size in sizes]
    draw = partial(_drawing.signed_bars, labels=labels, values=sizes, name=with_points(name))
    return Insight(TEXTS["contributions.title"], table, f"{text}.", draw, 1.0 + 0.4 * len(labels), bar=name)


def _output(model: Model, prediction: Prediction) -> tuple[Callable[[pd.DataFrame], np.ndarray], str]:
    """Return a function of rows that computes the explained output, and the name of contributions to it."""
    if model.classes is None:
        return answering_mixtures(model)(model.estimator.predict), with_target_unit(model, "contribution")
    model.require_probabilities()
    i = model.classes.index(prediction.prediction)
    predict_proba = answering_mixtures(model)(model.estimator.predict_proba)
    return lambda rows: predict_proba(rows)[:, i], f"{TO_PROBABILITY}{prediction.prediction})"


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
    budget = TimeBudget(SLOW_SECONDS / 2, frame.shape[1])

    def predict_mixed(from_row: np.ndarray, positions: np.ndarray, least: int) -> np.ndarray:
        def make_rows(start: int, stop: int) -> pd.DataFrame:
            return mix_rows(frame, background, from_row[start:stop], positions[start:stop])

        return predict_within(budget, predict, make_rows, len(positions), least)

    n, m = frame.shape[1], len(background)
    if (worth := _fast_worth(model, prediction, [frame, background])) is None:
        is_row = np.arange(m + 1)[:, None].repeat(n, axis=1) == 0
        worth = predict_mixed(is_row, np.arange(-1, m), 1 + MIN_BACKGROUND)
    m = len(worth) - 1
    background = background.iloc[:m]
    output = 0 if model.classes is None else model.classes.index(prediction.prediction)
    if (values := tree_shapley(model.estimator, output, frame, background, worth)) is not None:
        return float(worth[1:].mean()), values, None
    time = TimeBudget(max(0.0, seconds - budget.seconds_spent), n)
    if sampled := sampled_tree_shapley(
        model.estimator, output, frame, background, worth, time, model.spec.random_state
    ):
        return float(worth[1:].mean()), *sampled
    if 2**n * m <= MAX_EXACT_ROWS and (values := _exact(predict_mixed, n, m)) is not None:
        return float(worth[1:].mean()), values, None
    budget.extend(SLOW_SECONDS / 2 + seconds)
    rows = _rows_of_round(budget, n, m)
    if 1 < rows < m:  # a few rows in a call say little about how long many take
        next(_sampled_rounds(predict_mixed, n, m, max(1, rows // PROBE), model.spec.random_state))
        rows = _rows_of_round(budget, n, m)
    rounds = _sampled_rounds(predict_mixed, n, m, rows, model.spec.random_state)
    samples = [next(rounds), next(rounds)]
    while budget.seconds_spent < seconds:
        samples.append(next(rounds))
    return _mean_of_rounds(np.asarray(samples), worth, rows < m)


def _fast_worth(model: Model, prediction: Prediction, frames: Sequence[pd.DataFrame]) -> np.ndarray | None:
    """Return the explained output for these rows, of a large forest whose fast form takes them all.

    None for any other estimator: scikit-learn itself is faster with so many rows.
    """
    import numpy as np

    if not has_large_forest(model.estimator) or (form := model.fast_form[0]) is None:
        return None
    position = None if model.classes is None else model.classes.index(prediction.prediction)
    worth = []
    for row in (row for frame in frames for row in values_of_rows(frame)):
        if (outcome := form.predict(row)) is None:
            return None
        worth.append(outcome[0] if position is None else (outcome[1] or [])[position])
    return np.array(worth, dtype=float)


def _exact(predict_mixed: PredictMixed, n: int, m: int) -> np.ndarray | None:
    """Return the Shapley values from every combination of features, or None if there was no time for all of them."""
    import numpy as np

    sets = np.arange(2**n)
    from_row = (sets[:, None] >> np.arange(n)) & 1 == 1
    predictions = predict_mixed(np.repeat(from_row, m, axis=0), np.tile(np.arange(m), len(sets)), 0)
    if len(predictions) < len(sets) * m:
        return None
    worth = predictions.reshape(len(sets), m).mean(axis=1)
    sizes = from_row.sum(axis=1)
    share = np.asarray([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    values = np.empty(n)
    for i in range(n):
        without = sets[~from_row[:, i]]
        values[i] = np.sum(share[sizes[without]] * (worth[without | 1 << i] - worth[without]))
    return values


def _rows_of_round(budget: TimeBudget, n: int, m: int) -> int:
    """Return how many background rows there is time for in each of two rounds."""
    return int(max(1, min(m, budget.affordable_rows() / (2 * 2 * (n + 1)))))


def _sampled_rounds(predict_mixed: PredictMixed, n: int, m: int, rows: int, seed: int) -> Iterator[np.ndarray]:
    """Yield contributions of shape (rows, n), each from a random order of the features and its reverse.

    Parameters
    ----------
    predict_mixed : callable
    n, m : int
        The number of features, and of background rows.
    rows : int
        How many background rows are in a round: all of them, or others each time.
    seed : int
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    while True:
        positions = np.arange(m) if rows == m else rng.choice(m, rows, replace=False)
        orders = rng.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)
        pair = []
        for order in (orders, orders[:, ::-1]):  # an order and its reverse: less is left to chance
            ranks = np.argsort(order, axis=1)
            from_row = ranks[:, None, :] < np.arange(n + 1)[None, :, None]  # one feature more at each step
            count = rows * (n + 1)
            worth = predict_mixed(from_row.reshape(-1, n), np.repeat(positions, n + 1), count).reshape(rows, n + 1)
            pair.append(np.take_along_axis(np.diff(worth, axis=1), ranks, axis=1))
        yield (pair[0] + pair[1]) / 2


def _mean_of_rounds(sampled: np.ndarray, worth: np.ndarray, is_subset: bool) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the mean over the background rows, the mean of the rounds' contributions, and their standard errors."""
    import numpy as np

    count = sampled.shape[0] * sampled.shape[1]
    values, base = sampled.mean(axis=(0, 1)), float(worth[1:].mean())
    if not is_subset:  # for each background row by itself: two rounds alone say little about the spread
        return base, values, np.sqrt(sampled.var(axis=0, ddof=1).mean(axis=0) / count)
    variance = sampled.reshape(count, -1).var(axis=0, ddof=1) / count
    # they add up to what separates the row from these background rows; the rest goes where chance is largest
    rest = float(worth[0]) - base - values.sum()
    return base, values + rest * (variance / variance.sum() if variance.any() else 1 / len(values)), np.sqrt(variance)


def _typical_value(feature: Feature, column: pd.Series) -> Any:
    """Return the median of numbers and dates, the commonest of anything else, such as choices that are numbers."""
    import pandas as pd

    present = column.dropna()
    if present.empty:
        return None
    is_ordered = pd.api.types.is_numeric_dtype(present) or pd.api.types.is_datetime64_any_dtype(present)
    if not (is_ordered and feature.type.is_continuous):
        return present.mode().iloc[0]
    return present.median()


def _contributions_text(model: Model, prediction: Prediction, table: pd.DataFrame, name: str, base: float) -> str:
    reached = base + float(table[name].sum())
    least = 1e-9 * max(abs(base), abs(reached))  # less than that is only how numbers are rounded
    same_way = table[table[name] * (1 if reached > base else -1) > least].head(2)
    reasons = [
        TEXTS["contributions.reason" if value == typical else "contributions.reason_unusual"].format(
            feature=within_sentence(feature), value=value, typical=typical
        )
        for feature, value, typical, size in zip(*(same_way[column] for column in list(table)[:4]), strict=True)
        if abs(size) >= 0.25 * abs(table[name]).max()
    ]
    if model.classes is None:
        digits = digits_apart(reached, base)
        number, average = format_target(model, reached, digits), format_target(model, base, digits)
        start = TEXTS["contributions.number"].format(prediction=number, base=average)
    else:
        start = TEXTS["contributions.class"].format(
            prediction=prediction.prediction, probability=format_share(round(reached, 12)), base=format_share(base)
        )
    return TEXTS["contributions.text"].format(start=start, reasons=TEXTS["and"].join(reasons)) if reasons else start
