"""Partial dependence: how the prediction moves with each feature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value
from irislib._common.messages.insights import TEXTS
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._base import Insight
from irislib.insights._phrases import format_feature, with_target_unit

if TYPE_CHECKING:
    import numpy as np

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["partial_dependence"]

POINTS = 20  # values of a number
MAX_SAMPLED_ROWS = 100  # held-out rows that stand for all, fewer
MAX_PREDICTIONS = 50_000  # where it would be more rows to predict than this
PANELS, CLASSES, LINES = 6, 3, 30  # that are drawn


def partial_dependence(model: Model) -> Insight:
    """Predict rows as each feature alone goes through its values, all others as they are.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Insight
        Its frame has a row for each feature, value and class: the mean over held-out rows, and between which numbers
        eight of ten of these rows are. The picture shows the six features that move the prediction most, and if
        there are more than three classes, those that are moved most; each thin line is one row.

    Raises
    ------
    NotApplicableError
        For a classifier without probabilities, or without a feature to move.

    Notes
    -----
    Sources: J. H. Friedman (2001), Greedy function approximation: a gradient boosting machine, The Annals
    of Statistics 29, 1189-1232, doi:10.1214/aos/1013203451; for a line for each row A. Goldstein, A. Kapelner, J.
    Bleich and E. Pitkin (2015), Peeking inside the black box, Journal of Computational and Graphical Statistics 24,
    44-65, doi:10.1080/10618600.2014.907095. The same as :func:`sklearn.inspection.partial_dependence`, which takes
    neither whole numbers nor categories beside gaps. Combinations that do not exist are predicted all the same.
    """
    import numpy as np
    import pandas as pd

    if model.classes is not None:
        model.require_probabilities()
    grids = {feature: grid for feature in model.spec.features if len(grid := _grid(model, feature)) > 1}
    if not grids:
        raise NotApplicableError(TEXTS["no_feature_to_move"].format(model=model.spec.title))
    curves = _dependence_curves(model, grids)
    outputs = model.classes or [with_target_unit(model, model.spec.target)]
    names = ["probability", "lowest tenth", "highest tenth"]
    if model.classes is None:
        names = [with_target_unit(model, name) for name in (f"mean {model.spec.target}", *names[1:])]
    parts = []
    for feature, grid in grids.items():
        for i, output in enumerate(outputs):
            lines = curves[feature][:, :, i]
            low, high = np.quantile(lines, [0.1, 0.9], axis=1)
            parts.append(
                pd.DataFrame({"feature": feature.label, "value": [format_feature(feature, value) for value in grid]})
                .assign(**({} if model.classes is None else {"class": output}))
                .assign(**dict(zip(names, (lines.mean(axis=1), low, high), strict=True)))
            )
    moved = {feature: np.ptp(lines.mean(axis=1), axis=0) for feature, lines in curves.items()}
    order = sorted(grids, key=lambda feature: -moved[feature].max())
    outputs_of_chart = _outputs_of_chart(model, np.max([*moved.values()], axis=0))
    panels = [_panel(model, feature, grids[feature], curves[feature], outputs_of_chart) for feature in order[:PANELS]]
    text = _dependence_text(model, order[0], grids[order[0]], curves[order[0]].mean(axis=1))
    height = 2.3 * len(panels) + 0.2
    return Insight(TEXTS["partial_dependence.title"], pd.concat(parts, ignore_index=True), text, panels, height)


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
        grid = (grid / feature.step).round() * feature.step
    return list(np.unique(feature.type.from_numbers(grid)))


def _dependence_curves(model: Model, grids: Mapping[Feature, list[Any]]) -> dict[Feature, np.ndarray]:
    """Return for each feature an array of shape (n_values, n_rows, n_classes or 1)."""
    import numpy as np
    import pandas as pd

    count = sum(map(len, grids.values()))
    held_out = model.evaluation.features
    m = min(len(held_out), max(10, min(MAX_SAMPLED_ROWS, MAX_PREDICTIONS // count)))
    rows = held_out.sample(m, random_state=model.spec.random_state)
    columns = {name: pd.concat([rows[name]] * count, ignore_index=True) for name in rows}
    start = 0
    for feature, grid in grids.items():
        values = pd.Series(grid, dtype=rows[feature.column].dtype).repeat(m)
        column = columns[feature.column].array
        column[start : start + len(values)] = values.array
        start += len(values)
    frame = pd.DataFrame(columns, copy=False)
    predictions = model.estimator.predict(frame) if model.classes is None else model.estimator.predict_proba(frame)
    curves = np.asarray(predictions, dtype=float).reshape(count, m, -1)
    ends = np.cumsum([len(grid) for grid in grids.values()])
    return dict(zip(grids, np.split(curves, ends[:-1]), strict=True))


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
        "probability"
        if len(outputs) > 1
        else f"P({outputs[1]})"
        if is_class
        else with_target_unit(model, model.spec.target)
    )
    return partial(
        _drawing.dependence,
        values=[format_feature(feature, value) for value in grid] if "values" in model.coverage[feature.name] else grid,
        lines={name: curves[:, :, i] for i, name in outputs.items()},
        thin=LINES,
        names=(f"{feature.label} ({feature.unit})" if feature.unit else feature.label, y),
        is_probability=is_class,
    )


def _dependence_text(model: Model, feature: Feature, grid: list[Any], mean: np.ndarray) -> str:
    i = int((mean.max(axis=0) - mean.min(axis=0)).argmax())
    low, high = sorted((int(mean[:, i].argmin()), int(mean[:, i].argmax())))
    if low == high or math.isclose(mean[low, i], mean[high, i], rel_tol=1e-9):
        return TEXTS["partial_dependence.text_none"]
    number = TEXTS["partial_dependence.number"].format(target=model.spec.target)
    output = f"P({model.classes[i]})" if model.classes else number
    unit = f" {model.spec.target_unit}".rstrip() if model.classes is None else ""
    ends = [
        TEXTS["partial_dependence.point"].format(
            value=f"{format_value(float(mean[k, i]), 3)}{unit}", at=format_feature(feature, grid[k])
        )
        for k in (low, high)
    ]
    return TEXTS["partial_dependence.text"].format(feature=feature.label, output=output, first=ends[0], second=ends[1])
