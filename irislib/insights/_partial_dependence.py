"""Partial dependence: how the prediction moves with each feature."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import digits_apart, format_apart, join_words, within_sentence
from irislib._common.language import column_label
from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib._modeling.refusals import is_refusal
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._background import to_frame
from irislib.insights._base import Insight
from irislib.insights._phrases import axis_label, format_feature, format_target, with_target_unit
from irislib.insights._time_budget import TimeBudget, predict_within

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["dependence_curves", "partial_dependence", "ranked_features", "varied_rows"]

POINTS = 20  # values of a number
MAX_SAMPLED_ROWS = 100  # held-out rows that stand for all, fewer
MAX_PREDICTIONS = 50_000  # where it would be more rows to predict than this
MIN_SAMPLED_ROWS, MIN_SLOW_ROWS = 10, 3  # but no fewer; of an estimator too slow for the features of the chart
RANKED_POINTS, RANKED_ROWS = 3, 5  # to find out which features move the answer most
RANKED_SHARE = 0.4  # of the time, for that
PANEL_HEIGHT = 2.3  # inches
PANELS, CLASSES, LINES = 6, 5, 30  # that are drawn


@takes_model
def partial_dependence(model: Model, *, seconds: float = 3) -> Insight:
    """Predict rows as each feature alone goes through its values, all others as they are.

    Parameters
    ----------
    model : Model
    seconds : float, default 3
        The time for predictions. If it is too short for all features, as of a slow estimator or of hundreds of
        features, those come first that move the prediction of a few rows most, and the text says how many of the
        features there are. There is always at least one.

    Returns
    -------
    Insight
        Its frame has a row for each feature, value and class: the mean over held-out rows, and between which numbers
        eight of ten of these rows are; the features that move the prediction most come first. The picture shows six
        of them, and if there are more than five classes, those that are moved most; each thin line is one row.

    Raises
    ------
    NotApplicableError
        For a classifier without probabilities, without a feature to move, or if the estimator refuses too many values.

    Notes
    -----
    Sources: J. H. Friedman (2001), Greedy function approximation: a gradient boosting machine, The Annals
    of Statistics 29, 1189-1232, doi:10.1214/aos/1013203451; for a line for each row A. Goldstein, A. Kapelner, J.
    Bleich and E. Pitkin (2015), Peeking inside the black box, Journal of Computational and Graphical Statistics 24,
    44-65, doi:10.1080/10618600.2014.907095. The same as :func:`sklearn.inspection.partial_dependence`, which takes
    neither whole numbers nor categories beside gaps. Combinations that do not exist are predicted all the same.
    """
    import numpy as np

    if model.classes is not None:
        model.require_probabilities()
    grids: Mapping[Feature, list[Any]]
    grids = {feature: grid for feature in model.spec.features if len(grid := _grid(model, feature)) > 1}
    if not grids:
        raise NotApplicableError(TEXTS["no_feature_to_move"].format(model=model.spec.title))
    budget = TimeBudget(RANKED_SHARE * seconds, len(model.spec.features))
    grids = _strongest_first(model, grids, budget)
    budget.extend((1 - RANKED_SHARE) * seconds)
    grids, curves = dependence_curves(model, _sampled_rows(model, grids, budget), grids, budget)
    if not curves:
        raise NotApplicableError(TEXTS["mixtures_refused"].format(model=model.spec.title))
    moved = {feature: np.ptp(lines.mean(axis=1), axis=0) for feature, lines in curves.items()}
    order = sorted(curves, key=lambda feature: -moved[feature].max())
    outputs = _outputs_of_chart(model, np.max([*moved.values()], axis=0))
    panels = [_panel(model, feature, grids[feature], curves[feature], outputs) for feature in order[:PANELS]]
    text = _dependence_text(model, order[0], grids[order[0]], curves[order[0]].mean(axis=1))
    if len(curves) < len(grids):
        text = TEXTS["partial_dependence.some"].format(start=text, count=len(curves), total=len(grids))
    if model.classes is not None and len(outputs) < len(model.classes) > 2:
        names = join_words(list(outputs.values()), TEXTS["and"])
        counts = {"count": len(outputs), "total": len(model.classes)}
        text = TEXTS["partial_dependence.classes"].format(start=text, names=names, **counts)
    frame = _frame(model, {feature: grids[feature] for feature in order}, curves)
    height = PANEL_HEIGHT + _drawing.legend_height(outputs.values())
    return Insight(TEXTS["partial_dependence.title"], frame, text, panels, height * len(panels) + 0.2)


def _frame(model: Model, grids: Mapping[Feature, list[Any]], curves: Mapping[Feature, np.ndarray]) -> pd.DataFrame:
    """Return the frame of the insight: a row for each feature, value and class."""
    import numpy as np
    import pandas as pd

    outputs = model.classes or [with_target_unit(model, model.spec.target)]
    names = ["probability", "lowest tenth", "highest tenth"]
    if model.classes is None:
        names = [with_target_unit(model, name) for name in (f"mean {model.spec.target}", *names[1:])]
    parts = []
    for feature, grid in grids.items():
        values = [format_feature(model, feature, value) for value in grid]
        for i, output in enumerate(outputs):
            lines = curves[feature][:, :, i]
            low, high = np.quantile(lines, [0.1, 0.9], axis=1)
            columns: dict[str, Any] = {"feature": feature.label, "value": values}
            if model.classes is not None:
                columns["class"] = output
            parts.append(pd.DataFrame({**columns, names[0]: lines.mean(axis=1), names[1]: low, names[2]: high}))
    return pd.concat(parts, ignore_index=True)


def _grid(model: Model, feature: Feature) -> list[Any]:
    """Return the values that a feature goes through; none if they have no order and no list."""
    import numpy as np

    covered = model.coverage.get(feature.name, {})
    if "values" in covered:
        return list(covered["values"])
    if not covered or not feature.type.is_continuous:
        return []
    numbers = feature.type.to_numbers(model.sample[feature.column].dropna())
    low, high = np.quantile(numbers, [0.05, 0.95])
    grid = np.linspace(low, high, POINTS)
    if feature.step:
        grid = ((grid / feature.step).round() * feature.step).clip(numbers.min(), numbers.max())
    return list(np.unique(feature.type.from_numbers(grid)))


def ranked_features(model: Model, seconds: float) -> list[Feature]:
    """Return the features by how much they move the predictions of a few rows, the strongest first.

    Empty if there is no time for all of them, a classifier has no probabilities, or the model came without rows.
    """
    if not model.is_evaluated or not (model.classes is None or model.has_probabilities):
        return []
    grids = {feature: grid for feature in model.spec.features if len(grid := _grid(model, feature)) > 1}
    moved = _moved(model, grids, TimeBudget(seconds, len(model.spec.features))) if grids else {}
    return sorted(grids, key=lambda feature: -moved[feature]) if len(moved) == len(grids) else []


def _strongest_first(model: Model, grids: Mapping[Feature, list[Any]], budget: TimeBudget) -> dict[Feature, list[Any]]:
    """Sort features by how much a few of their values move the prediction of a few rows, as far as there is time."""
    moved = _moved(model, grids, budget)
    return {feature: grids[feature] for feature in sorted(grids, key=lambda feature: -moved.get(feature, 0))}


def _moved(model: Model, grids: Mapping[Feature, list[Any]], budget: TimeBudget) -> dict[Feature, float]:
    """Return how much a few of the values of features move the prediction of a few rows, as far as there is time."""
    import numpy as np

    few = {
        feature: [grid[i] for i in np.unique(np.linspace(0, len(grid) - 1, RANKED_POINTS).astype(int))]
        for feature, grid in grids.items()
    }
    held_out = model.evaluation.features
    rows = held_out.sample(min(len(held_out), RANKED_ROWS), random_state=model.spec.random_state)
    _, curves = dependence_curves(model, rows, few, budget)
    return {feature: float(np.ptp(lines.mean(axis=1), axis=0).max()) for feature, lines in curves.items()}


def _sampled_rows(model: Model, grids: Mapping[Feature, list[Any]], budget: TimeBudget) -> pd.DataFrame:
    """Return the held-out rows that stand for all; of a slow estimator fewer, so that the chart can be filled."""
    held_out = model.evaluation.features
    points = [len(grid) for grid in grids.values()]
    m = max(MIN_SAMPLED_ROWS, min(MAX_SAMPLED_ROWS, MAX_PREDICTIONS // sum(points)))
    m = int(max(MIN_SLOW_ROWS, min(m, budget.affordable_rows() / sum(points[:PANELS]))))
    return held_out.sample(min(len(held_out), m), random_state=model.spec.random_state)


def dependence_curves(
    model: Model, rows: pd.DataFrame, grids: Mapping[Feature, list[Any]], budget: TimeBudget
) -> tuple[Mapping[Feature, list[Any]], dict[Feature, np.ndarray]]:
    """Predict rows as each feature goes through its values.

    Returns
    -------
    grids : dict of Feature to list
        Without the values with which the estimator refuses one of the rows, and without features of a single value;
        those that there was no time for come last.
    curves : dict of Feature to ndarray of shape (n_values, n_rows, n_classes or 1)
        Of the first of these features, as many as there is time for; none if that ends before the estimator has
        answered all values of one.
    """
    try:
        return grids, _curves(model, rows, grids, budget)
    except Exception as error:
        if not is_refusal(model.estimator, error) or not model.answers_trial_row:
            raise
    answered, untried = _answered_grids(model, rows, grids, budget)
    return {**answered, **untried}, _curves(model, rows, answered, budget) if answered else {}


def _curves(
    model: Model, rows: pd.DataFrame, grids: Mapping[Feature, list[Any]], budget: TimeBudget
) -> dict[Feature, np.ndarray]:
    import numpy as np

    m, ends = len(rows), np.cumsum([len(grid) for grid in grids.values()])
    make_rows = partial(varied_rows, rows, grids)
    predictions = predict_within(budget, _output(model), make_rows, int(ends[-1]) * m, least=int(ends[0]) * m)
    ends = ends[ends * m <= len(predictions)]
    curves = predictions[: ends[-1] * m].astype(float).reshape(ends[-1], m, -1)
    return dict(zip(grids, np.split(curves, ends[:-1]), strict=False))


def _answered_grids(
    model: Model, rows: pd.DataFrame, grids: Mapping[Feature, list[Any]], budget: TimeBudget
) -> tuple[dict[Feature, list[Any]], dict[Feature, list[Any]]]:
    """Return the values with which the estimator predicts all of these rows, and the grids that there is no time for.

    A feature of which fewer than two values are left is left out.
    """
    predict = _output(model)
    answered: dict[Feature, list[Any]] = {}
    untried = dict(grids)

    def is_answered(feature: Feature, value: Any) -> bool:
        try:
            predict(varied_rows(rows, {feature: [value]}, 0, len(rows)))
        except Exception as error:
            if not is_refusal(model.estimator, error):
                raise
            return False
        return True

    for feature, grid in grids.items():
        values = []
        for value in grid:
            if not budget.seconds_left:
                return answered, untried
            if is_answered(feature, value):
                values.append(value)
        del untried[feature]
        if len(values) > 1:
            answered[feature] = values
    return answered, untried


def _output(model: Model) -> Callable[[pd.DataFrame], np.ndarray]:
    """Return the method of the estimator that is followed: probabilities, or of a regression the number."""
    return model.estimator.predict if model.classes is None else model.estimator.predict_proba  # type: ignore[no-any-return]


def varied_rows(rows: pd.DataFrame, grids: Mapping[Feature, list[Any]], start: int, stop: int) -> pd.DataFrame:
    """Return a part of these rows repeated for each value of each feature, with that value."""
    import numpy as np
    import pandas as pd

    m = len(rows)
    columns = {name: rows[name].array.take(np.arange(start, stop) % m) for name in rows}
    first = 0
    for feature, grid in grids.items():
        low, high = max(start, first), min(stop, first + len(grid) * m)
        if low < high:
            values = pd.Series(grid, dtype=rows[feature.column].dtype).array
            columns[feature.column][low - start : high - start] = values.take((np.arange(low, high) - first) // m)
        first += len(grid) * m
    return to_frame(columns, rows)


def _outputs_of_chart(model: Model, moved: np.ndarray) -> dict[int, str]:
    """Return the positions and names of the outputs that the chart has."""
    if model.classes is None:
        return {0: ""}
    if len(model.classes) == 2:
        return {1: str(model.classes[1])}  # the other one is its mirror
    return {int(i): str(model.classes[i]) for i in sorted((-moved).argsort(kind="stable")[:CLASSES])}


def _panel(
    model: Model, feature: Feature, grid: list[Any], curves: np.ndarray, outputs: Mapping[int, str]
) -> partial[None]:
    is_class = model.classes is not None
    y = (
        column_label("probability")
        if len(outputs) > 1
        else TEXTS["partial_dependence.probability"].format(name=outputs[1])
        if is_class
        else axis_label(model, with_target_unit(model, model.spec.target))
    )
    step = feature.step or feature.type.step
    return partial(
        _drawing.dependence,
        values=[format_feature(model, feature, value) for value in grid]
        if "values" in model.coverage[feature.name]
        else grid,
        lines={name: curves[:, :, i] for i, name in outputs.items()},
        thin=LINES,
        names=(f"{feature.label} ({feature.unit})" if feature.unit else feature.label, y),
        is_probability=is_class,
        is_whole=step is not None and step % 1 == 0,
    )


def _dependence_text(model: Model, feature: Feature, grid: list[Any], mean: np.ndarray) -> str:
    # of two classes the second, as in the chart
    i = 1 if mean.shape[1] == 2 else int((mean.max(axis=0) - mean.min(axis=0)).argmax())
    low, high = sorted((int(mean[:, i].argmin()), int(mean[:, i].argmax())))
    if low == high or math.isclose(mean[low, i], mean[high, i], rel_tol=1e-9):
        return TEXTS["partial_dependence.text_none"]
    number = TEXTS["partial_dependence.number"].format(target=within_sentence(model.spec.target_label))
    digits = digits_apart(*mean[[low, high], i].tolist())
    first, second = (format_target(model, mean[k, i], digits) for k in (low, high))
    if model.classes:
        number = TEXTS["partial_dependence.probability"].format(name=model.classes[i])
        first, second = format_apart(mean[low, i], mean[high, i])
    start, stop = (format_feature(model, feature, grid[k]) for k in (low, high))
    return TEXTS["partial_dependence.text"].format(
        feature=feature.label, output=number, start=start, stop=stop, first=first, second=second
    )
