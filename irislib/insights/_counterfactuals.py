"""Counterfactuals: changes of a row that change its predicted class."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import did_you_mean, format_value, join_words, within_sentence
from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib._modeling.refusals import is_refusal
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights import _drawing
from irislib.insights._background import as_prediction, background_rows, changed_rows, mix_rows
from irislib.insights._base import Insight
from irislib.insights._phrases import format_feature
from irislib.insights._time_budget import TimeBudget, predict_within

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["smallest_changes"]

SIZE = "share of the trained range"
MAX_CHANGES = 10  # in the table
MAX_NAMES = 10  # of features that stay as they are, in the sentence
LABEL_WIDTH = 32  # characters of a bar's name in a line
STEPS = 41  # values of a number that are tried if it has no steps of its own,
MAX_STEPS = 200  # or more of them than this
# if no single feature changes the class, pairs of those that support it most are tried, with about so many values each
PAIRED_FEATURES = 6
PAIRED_STEPS = 12
MAX_SUPPORT_ROWS, SUPPORT_SHARE = 20_000, 0.3  # rows to predict, and the share of the time, to find those features

Step = tuple[Any, float]  # a value, and how large a change it is
Change = dict[str, Step]
Flip = tuple[Change, Any, float]  # a change, the class that it leads to, and its size


@takes_model
def smallest_changes(
    model: Model, row: Mapping[str, Any] | Prediction, fixed: Collection[str] = (), *, seconds: float = 3
) -> Insight:
    """Find the smallest changes to a row that change the predicted class.

    Parameters
    ----------
    model : Model
    row : mapping, Series, DataFrame of one row, or Prediction
        The features' values, or what ``model.predict_row`` made of them.
    fixed : collection of str
        Features, by name, that are to stay as they are.
    seconds : float, default 3
        The time for predictions. If it is too short for all changes, as of a slow estimator, the smallest are tried,
        and the text says how many there are.

    Returns
    -------
    Insight
        Its frame has one row for each change: what it is, the class that it leads to, and how large it is, as
        a share of what the training data cover, added up over the features.

    Raises
    ------
    ValidationError
        Naming every wrong value, or a feature of ``fixed`` that there is not.
    NotApplicableError
        For a regression, or without a feature that has another value to try, as if all are texts.

    Notes
    -----
    One feature at a time is tried; if none changes the class, pairs of those that support it most. Only values that
    the training data cover are tried, and none of texts and times of day, which the sentence names. It is what the
    *model* would say, not what would happen.

    Source: S. Wachter, B. Mittelstadt and C. Russell (2017), Counterfactual explanations without opening the black box,
    Harvard Journal of Law & Technology 31, arXiv:1711.00399.
    """
    import pandas as pd

    if model.classes is None:
        raise NotApplicableError(TEXTS["no_class_to_change"].format(model=model.spec.title))
    if unknown := sorted(set(fixed) - set(model.spec.feature_names)):
        hint = did_you_mean(unknown[0], model.spec.feature_names)
        raise ValidationError([Problem(f"fixed: there is no feature {unknown[0]!r}. {hint}", unknown[0], None)])
    prediction = as_prediction(model, row)
    frame, current = prediction.frame, prediction.prediction
    by_name = {feature.name: feature for feature in model.spec.features if _is_varied(model, feature)}
    steps = {name: list(_steps(model, by_name[name], frame[by_name[name].column].iloc[0])) for name in by_name}
    if not any(steps.values()):
        raise NotApplicableError(TEXTS["no_feature_to_move"].format(model=model.spec.title))
    steps = {name: values for name, values in steps.items() if name not in fixed}
    untried = [f.label for f in model.spec.features if f.name not in fixed and f.name not in by_name]
    budget = TimeBudget(seconds, len(model.spec.features))
    changes = [{name: step} for name in steps for step in steps[name]]
    flips, tried = _flips(model, frame, current, changes, budget)
    if not flips and tried == len(changes):
        pairs = _pairs(steps, _by_support(model, frame, current, list(steps), budget))
        flips, tried_pairs = _flips(model, frame, current, pairs, budget)
        changes, tried = changes + pairs, tried + tried_pairs
    rows = []
    for change, changed_to, size in flips[:MAX_CHANGES]:
        parts = [
            TEXTS["smallest_changes.change"].format(
                feature=within_sentence(by_name[name].label), value=_format_in_full(model, by_name[name], value)
            )
            for name, (value, _) in change.items()
        ]
        rows.append((TEXTS["and"].join(parts), str(changed_to), size))
    table = pd.DataFrame(rows, columns=["change", f"then {model.spec.target}", SIZE])
    if table.empty:
        table.loc[0] = [TEXTS["smallest_changes.none"], str(current), math.nan]
        nothing = "smallest_changes.text_untried" if untried else "smallest_changes.text_nothing"
        key = "smallest_changes.text_none" if changes else nothing
        text = TEXTS[key].format(now=current, tried=tried)
    else:
        text = TEXTS["smallest_changes.text"].format(now=current, became=table.iloc[0, 1], change=table["change"][0])
    if tried < len(changes):
        text = TEXTS["smallest_changes.some"].format(start=text, tried=tried, total=len(changes))
    if len(untried) > MAX_NAMES:
        text = TEXTS["smallest_changes.untried_many"].format(start=text, count=len(untried))
    elif untried:
        names = join_words([within_sentence(label) for label in untried])
        text = TEXTS["smallest_changes.untried"].format(start=text, names=names)
    if len(set(fixed)) > MAX_NAMES:
        text = TEXTS["smallest_changes.fixed_many"].format(start=text, count=len(set(fixed)))
    elif fixed:
        fixed_labels = [within_sentence(feature.label) for feature in model.spec.features if feature.name in fixed]
        key = "smallest_changes.fixed_one" if len(fixed_labels) == 1 else "smallest_changes.fixed"
        text = TEXTS[key].format(start=text, names=join_words(fixed_labels))

    labels = [textwrap.fill(f"{line.change} → {line[2]}", LABEL_WIDTH) for line in table.itertuples()]
    lines = sum(label.count("\n") + 1 for label in labels)
    draw = partial(_drawing.labelled_bars, labels=labels, values=list(table[SIZE].fillna(0)), name=SIZE)
    height = 1.0 + 0.2 * len(table) + 0.2 * lines
    return Insight(TEXTS["smallest_changes.title"], table, f"{text}.", draw, height, bar=SIZE)


def _is_varied(model: Model, feature: Feature) -> bool:
    """Return whether other values of a feature can be tried: those of a list, or between two ends."""
    covered = model.coverage.get(feature.name, {})
    return "values" in covered or bool(covered and feature.type.is_continuous)


def _format_in_full(model: Model, feature: Feature, value: Any) -> str:
    """Format a value in full: who enters a rounded one may get another prediction."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{format_value(value)} {feature.unit}".rstrip() if is_number else format_feature(model, feature, value)


def _by_support(model: Model, frame: pd.DataFrame, current: Any, names: Sequence[str], budget: TimeBudget) -> list[str]:
    """Sort features by how much their values support the predicted class, if there are probabilities.

    That is the mean of what a value adds to the class's probability in background rows, and of what is lost if it
    alone is replaced by theirs: the first and the last step of the contributions, which a change of one feature need
    not show.
    """
    import numpy as np

    if model.classes is None or not hasattr(model.estimator, "predict_proba"):
        return list(names)
    single = np.eye(frame.shape[1], dtype=bool)
    count = int(min(MAX_SUPPORT_ROWS, budget.affordable_rows(SUPPORT_SHARE)) / (2 * len(single)))
    background = background_rows(model).iloc[:count]
    if background.empty:
        return list(names)
    from_row = np.concatenate([single, ~single]).repeat(len(background), axis=0)
    rows = mix_rows(frame, background, from_row, np.tile(np.arange(len(background)), 2 * len(single)))
    try:
        shares = model.estimator.predict_proba(rows)[:, model.classes.index(current)]
    except Exception as error:
        if not is_refusal(model.estimator, error):
            raise
        return list(names)
    probabilities = shares.reshape(2, len(single), -1).mean(axis=2)
    effects = dict(zip(model.spec.feature_names, probabilities[0] - probabilities[1], strict=True))
    return sorted(names, key=lambda name: -effects[name])


def _pairs(steps: Mapping[str, Sequence[Step]], names: Sequence[str]) -> list[Change]:
    """Return changes of two at once of the first of these features."""
    steps_of_pairs = {
        name: steps[name][:: max(1, len(steps[name]) // PAIRED_STEPS)]
        for name in steps
        if name in names[:PAIRED_FEATURES]
    }
    return [
        {first: first_step, second: second_step}
        for first, second in itertools.combinations(steps_of_pairs, 2)
        for first_step in steps_of_pairs[first]
        for second_step in steps_of_pairs[second]
    ]


def _steps(model: Model, feature: Feature, value: Any) -> Iterator[Step]:
    """Yield values to try for a feature, the nearest first, and how large a change each is."""
    import numpy as np
    import pandas as pd

    covered = model.coverage[feature.name]
    if "values" in covered:
        yield from ((candidate, 1.0) for candidate in covered["values"] if candidate != value)
        return
    low, high = feature.type.to_numbers([covered["low"], covered["high"]])
    step = feature.step or feature.type.step
    if step and (high - low) / step <= MAX_STEPS:  # what a person can enter
        candidates = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    else:
        candidates = np.linspace(low, high, STEPS)
        digits = 1 - math.floor(math.log10((high - low) / STEPS)) if high > low else 12  # that make a difference
        candidates = np.unique(feature.type.to_numbers(feature.type.from_numbers(candidates, max(0, digits))))
        candidates = candidates[(low <= candidates) & (candidates <= high)]
    numbers = feature.type.from_numbers(candidates) if feature.type.is_numeric else candidates
    values = numbers.tolist() if feature.type.is_numeric else feature.type.from_numbers(numbers).tolist()
    if pd.isna(value):
        yield from ((candidate, 1.0) for candidate in values)
        return
    current, span = float(feature.type.to_numbers([value])[0]), float(high - low) or 1.0
    for number, candidate in sorted(zip(numbers, values, strict=True), key=lambda pair: abs(pair[0] - current)):
        if number != current:
            yield candidate, abs(number - current) / span


def _flips(
    model: Model, frame: pd.DataFrame, current: Any, changes: Sequence[Change], budget: TimeBudget
) -> tuple[list[Flip], int]:
    """Return the smallest of the changes for each set of features and each class that it leads to, in order of size.

    Also return how many changes were tried: the smallest, as many as there was time for.
    """
    changes = sorted(changes, key=_size)
    if not changes:
        return [], 0
    make_rows = partial(_changed_rows, frame, dict(zip(model.spec.feature_names, frame, strict=True)), changes)
    try:
        predictions = predict_within(budget, model.predict_frame, make_rows, len(changes)).tolist()
    except Exception as error:
        if not is_refusal(model.estimator, error) or not model.answers_trial_row:
            raise
        predictions = _predicted_alone(model, make_rows, len(changes), budget)
    best: dict[tuple[Any, ...], Flip] = {}
    for change, changed_to in zip(changes, predictions, strict=False):
        if changed_to is not None and changed_to != current:
            best.setdefault((*change, changed_to), (change, changed_to, _size(change)))
    return list(best.values()), len(predictions)


def _predicted_alone(
    model: Model, make_rows: Callable[[int, int], pd.DataFrame], count: int, budget: TimeBudget
) -> list[Any]:
    """Predict rows one by one, as many as there is time for; None for one that the estimator refuses."""
    predictions: list[Any] = []
    while len(predictions) < count and (not predictions or budget.seconds_left):
        i = len(predictions)
        try:
            predictions += model.predict_frame(make_rows(i, i + 1)).tolist()
        except Exception as error:
            if not is_refusal(model.estimator, error):
                raise
            predictions.append(None)
    return predictions


def _size(change: Change) -> float:
    return sum(size for _, size in change.values())


def _changed_rows(
    frame: pd.DataFrame, columns: Mapping[str, Any], changes: Sequence[Change], start: int, stop: int
) -> pd.DataFrame:
    """Return the row of this frame once for each of these changes, with the changed values."""
    changed: dict[Any, dict[int, Any]] = {}
    for i, change in enumerate(changes[start:stop]):
        for name, (value, _) in change.items():
            changed.setdefault(columns[name], {})[i] = value
    return changed_rows(frame, stop - start, changed)
