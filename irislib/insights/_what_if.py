"""The answer to one row as each of its values alone changes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import digits_apart, format_share, within_sentence
from irislib._common.messages.insights import TEXTS
from irislib._description.values import is_empty
from irislib._modeling.arguments import takes_model
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._background import as_prediction
from irislib.insights._base import Insight
from irislib.insights._partial_dependence import dependence_curves, varied_rows
from irislib.insights._phrases import format_feature, format_target, number_column, with_target_unit
from irislib.insights._time_budget import TimeBudget

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["what_if"]

POINTS = 60  # values of a number, besides the row's own
MAX_FEATURES = 6
CURVE_PARTS = 10  # between the least and the largest answer, which differ in writing
COLUMNS = ("name", "feature", "value", "entry", "is_choice", "is_entered", "answer")  # besides that of the predictions


@takes_model
def what_if(model: Model, row: Mapping[str, Any] | Prediction, *, seconds: float = 1) -> Insight:
    """Predict one row as each of its values alone changes, for the features that move its answer most.

    Parameters
    ----------
    model : Model
    row : mapping, Series, DataFrame of one row, or Prediction
        The features' values, or what ``model.predict_row`` made of them.
    seconds : float, default 1
        The time for predictions; if it is too short for all features, the others are left out.

    Returns
    -------
    Insight
        Its frame has a row for each of at most six features and each of its values, within the range of the training
        rows: the ``probability`` of the class that is predicted for the row, or the predicted number, and the
        ``answer`` there.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    NotApplicableError
        For a classifier without probabilities, without a feature to move, or if the estimator refuses too many values.

    Notes
    -----
    Source: A. Goldstein, A. Kapelner, J. Bleich and E. Pitkin (2015), Peeking inside the black box, Journal of
    Computational and Graphical Statistics 24, 44-65, doi:10.1080/10618600.2014.907095: the individual conditional
    expectation of one row. Combinations that do not exist are predicted all the same.
    """
    import numpy as np
    import pandas as pd

    if model.classes is not None:
        model.require_probabilities()
    prediction = as_prediction(model, row)
    entered = {feature: _entered(feature, prediction) for feature in model.spec.features if not feature.private}
    grids: Mapping[Feature, list[Any]]
    grids = {feature: grid for feature, own in entered.items() if len(grid := _grid(model, feature, own)) > 1}
    if not grids:
        raise NotApplicableError(TEXTS["no_feature_to_move"].format(model=model.spec.title))
    budget = TimeBudget(seconds, len(model.spec.features))
    grids, curves = dependence_curves(model, prediction.frame, grids, budget)
    if not curves:
        raise NotApplicableError(TEXTS["mixtures_refused"].format(model=model.spec.title))
    output = 0 if model.classes is None else model.classes.index(prediction.prediction)
    lines = {feature: curve[:, 0, :] for feature, curve in curves.items()}
    order = sorted(lines, key=lambda feature: -float(np.ptp(lines[feature][:, output])))[:MAX_FEATURES]
    top = {feature: grids[feature] for feature in order}
    answers = iter(_answers(model, prediction.frame, top, np.concatenate([lines[feature] for feature in order])))
    measure = "probability" if model.classes is not None else number_column(model, *COLUMNS)
    digits = {feature: _digits(lines[feature][:, output]) for feature in order}
    records = [
        {
            "name": feature.name,
            "feature": feature.label,
            "value": format_feature(model, feature, value),
            "entry": feature.to_text(value),
            "is_choice": _is_list(model, feature),
            "is_entered": value == entered[feature],
            measure: float(shares[output]),
            "answer": _answer(model, next(answers), shares, digits[feature]),
        }
        for feature, grid in top.items()
        for value, shares in zip(grid, lines[feature], strict=True)
    ]
    frame = pd.DataFrame(records)
    strongest = frame[frame["name"] == order[0].name]
    least, most = strongest.loc[strongest[measure].idxmin()], strongest.loc[strongest[measure].idxmax()]
    moves = not math.isclose(least[measure], most[measure], rel_tol=1e-9)
    text = TEXTS["what_if.text" if moves else "what_if.text_none"].format(
        **{"feature": order[0].label, "low": least["value"], "high": most["value"]},
        **{"low_answer": least["answer"], "high_answer": most["answer"]},
    )
    name = with_target_unit(model, within_sentence(model.spec.target_label))
    if model.classes is not None:
        name = TEXTS["partial_dependence.probability"].format(name=prediction.prediction)
    if not all(_is_list(model, feature) for feature in order):
        text += " " + TEXTS["what_if.lines"].format(measure=name)
    panels = [_panel(model, feature, frame, measure, name) for feature in order]
    return Insight(TEXTS["what_if.title"], frame, text, panels, 2.3 * len(panels) + 0.2, interactive="what-if")


def _entered(feature: Feature, prediction: Prediction) -> Any:
    """Return the row's own value as its grid has it, or None."""
    value = prediction.values.get(feature.name)
    return None if is_empty(value) else feature.parse(feature.to_text(value))


def _answers(model: Model, row: pd.DataFrame, grids: Mapping[Feature, list[Any]], outputs: np.ndarray) -> list[Any]:
    """Return the answers to a row with each value of each grid; predict again only where the outputs do not decide."""
    if model.classes is None:
        return list(outputs[:, 0].tolist())
    if model.predicts_likeliest:
        return [model.classes[i] for i in outputs.argmax(axis=1)]
    return list(model.predict_frame(varied_rows(row, grids, 0, len(outputs))).tolist())


def _grid(model: Model, feature: Feature, own: Any) -> list[Any]:
    """Return the values that a feature goes through, the row's own among them."""
    import numpy as np

    covered = _covered(model, feature)
    if "values" in covered:
        values = list(covered["values"])
        return values if own is None or own in values else [*values, own]
    if not covered or not feature.type.is_continuous or own is None:
        return []
    sample = model.sample[feature.column].dropna() if model.is_evaluated else [covered["low"], covered["high"]]
    numbers = np.asarray(feature.type.to_numbers(sample), dtype=float)
    grid = np.linspace(numbers.min(), numbers.max(), POINTS)
    if feature.step:
        steps = np.ptp(numbers) / feature.step
        step = feature.step if steps >= POINTS else feature.step / 5  # finer than the form's, or there are few
        # a step may lead beyond the ends, where the feature may have no value
        grid = ((grid / step).round() * step).clip(numbers.min(), numbers.max())
    return sorted({*_parsed(feature, feature.type.from_numbers(np.unique(grid))), own})


def _parsed(feature: Feature, values: Iterable[Any]) -> Iterator[Any]:
    """Yield the values that a feature may have; a limit itself need not be one."""
    for value in values:
        with contextlib.suppress(ValueError):
            yield feature.parse(feature.to_text(value))


def _covered(model: Model, feature: Feature) -> Mapping[str, Any]:
    """Return what the data cover of a feature; of a model without rows what the feature allows, if that is limited."""
    if model.is_evaluated:
        return model.coverage.get(feature.name, {})
    if values := list(feature.type.categories(feature)):
        return {"values": values}
    is_limited = feature.low is not None and feature.high is not None
    return {"low": feature.low, "high": feature.high} if is_limited else {}


def _is_list(model: Model, feature: Feature) -> bool:
    return "values" in _covered(model, feature)


def _digits(line: np.ndarray) -> int:
    """Return the digits that tell the parts of a curve apart."""
    highest, lowest = float(line.max()), float(line.min())
    return digits_apart(highest, highest - (highest - lowest) / CURVE_PARTS)


def _answer(model: Model, answer: Any, shares: np.ndarray, digits: int) -> str:
    if model.classes is None:
        return format_target(model, answer, digits)
    share = format_share(float(shares[model.classes.index(answer)]))
    return TEXTS["what_if.answer"].format(prediction=answer, share=share)


def _panel(model: Model, feature: Feature, frame: Any, measure: str, name: str) -> Any:
    part = frame[frame["name"] == feature.name]
    entered = part["is_entered"].to_numpy().nonzero()[0]
    return partial(
        _drawing.line_with_mark,
        labels=part["value"].tolist(),
        values=part[measure].to_numpy(),
        mark=int(entered[0]) if len(entered) else -1,  # none, of a feature that was left empty
        is_list=_is_list(model, feature),
        names=(feature.label, name),
    )
