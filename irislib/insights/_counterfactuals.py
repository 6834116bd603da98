"""What would change a model's answer to one row."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import did_you_mean, format_value, join_words
from irislib._common.theme import AUBERGINE
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights._background import as_prediction, background_rows, format_feature, mix_rows
from irislib.insights._base import Insight

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["smallest_changes"]

SIZE = "share of the trained range"
SHOWN = 10  # bars
WIDTH = 32  # characters of a bar's name in a line
STEPS = 41  # values of a number that are tried, where it has no steps of its own,
MOST = 200  # or has more of them than this
PAIRS = 6  # features of which pairs are tried where one alone changes nothing, those that hold the class most,
FEW = 12  # and about how many values of each

Step = tuple[Any, float]  # a value, and how large a change it is
Change = dict[str, Step]


def smallest_changes(model: Model, row: Mapping[str, Any] | Prediction, fixed: Collection[str] = ()) -> Insight:
    """The smallest changes to a row that change the predicted class.

    Parameters
    ----------
    model : Model
    row : mapping or Answer
        The features' values, or what ``model.predict_row`` made of them.
    fixed : collection of str
        Features, by name, that are to stay as they are.

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
        For a regression.

    Notes
    -----
    One feature at a time is tried; where none changes the class, pairs of those that hold it most. Only values that
    the training data cover are tried. It is what the *model* would say, not what would happen.

    Source: S. Wachter, B. Mittelstadt and C. Russell (2017), Counterfactual explanations without opening the black box,
    Harvard Journal of Law & Technology 31, arXiv:1711.00399.
    """
    import pandas as pd

    if model.classes is None:
        raise NotApplicableError(f"{model.spec.title} predicts a number: there is no class to change.")
    if strange := sorted(set(fixed) - set(model.spec.feature_names)):
        known = did_you_mean(strange[0], model.spec.feature_names)
        raise ValidationError([Problem(f"fixed: there is no feature {strange[0]!r}. {known}", strange[0], None)])
    answer = as_prediction(model, row)
    frame, now = answer.frame, answer.prediction
    free = [feature for feature in model.spec.features if feature.name not in fixed and feature.name in model.coverage]
    labels = {feature.name: feature for feature in free}
    steps = {feature.name: list(_steps(model, feature, frame[feature.name].iloc[0])) for feature in free}
    changes = [{name: step} for name in steps for step in steps[name]]
    found = _flips(model, frame, now, changes)
    if not found:
        pairs = _pairs(steps, _holding(model, frame, now, list(steps)))
        found = _flips(model, frame, now, pairs)
        changes += pairs
    rows = []
    for change, became, size in found[:SHOWN]:
        words = [f"{labels[name].label.lower()} {_told(labels[name], value)}" for name, (value, _) in change.items()]
        rows.append((" and ".join(words), str(became), size))
    table = pd.DataFrame(rows, columns=["change", f"then {model.spec.target}", SIZE])
    if table.empty:
        table.loc[0] = ["none of one or two features", str(now), math.nan]
        text = f"It stays {now}: {_none(len(changes))}."
    else:
        text = f"It would be {table.iloc[0, 1]} instead of {now} with {table['change'][0]}."
    if fixed:
        kept = [feature.label.lower() for feature in model.spec.features if feature.name in fixed]
        text = f"{text[:-1]}; {join_words(kept)} {'stays as it is' if len(kept) == 1 else 'stay as they are'}."

    names = [textwrap.fill(f"{each.change} → {each[2]}", WIDTH) for each in table.itertuples()]
    lines = sum(name.count("\n") + 1 for name in names)

    def draw(axes: Axes) -> None:
        axes.barh(names, table[SIZE].fillna(0), color=AUBERGINE, height=0.6)
        axes.invert_yaxis()
        axes.set_xlabel(SIZE)

    return Insight("What would change it", table, text, draw, 1.0 + 0.2 * len(table) + 0.2 * lines, bar=SIZE)


def _told(feature: Feature, value: Any) -> str:
    """A value in full: who enters a rounded one may get another answer."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{format_value(value)} {feature.unit}".rstrip() if is_number else format_feature(feature, value)


def _none(tried: int) -> str:
    if not tried:
        return "there is nothing that may change"
    return f"none of the {tried:,} changes of one or two features that were tried makes it another"


def _holding(model: Model, frame: pd.DataFrame, now: Any, names: Sequence[str]) -> list[str]:
    """The features by how much their values hold the class: those that do most first, as far as probabilities tell.

    That is the mean of what a value adds to the class's probability in usual rows, and of what is lost where it
    alone becomes a usual one: the first and the last step to the contributions, which a change of one need not show.
    """
    import numpy as np

    if model.classes is None or not hasattr(model.estimator, "predict_proba"):
        return list(names)
    usual, alone = background_rows(model), np.eye(frame.shape[1], dtype=bool)
    has = np.concatenate([alone, ~alone]).repeat(len(usual), axis=0)
    rows = mix_rows(frame, usual, has, np.tile(np.arange(len(usual)), 2 * len(alone)))
    given = model.estimator.predict_proba(rows)[:, model.classes.index(now)].reshape(2, len(alone), -1).mean(axis=2)
    held = dict(zip(frame, given[0] - given[1], strict=True))
    return sorted(names, key=lambda name: -held[name])


def _pairs(steps: Mapping[str, Sequence[Step]], names: Sequence[str]) -> list[Change]:
    """Changes of two at once of the first features named."""
    few = {name: steps[name][:: max(1, len(steps[name]) // FEW)] for name in steps if name in names[:PAIRS]}
    return [{one: a, other: b} for one, other in itertools.combinations(few, 2) for a in few[one] for b in few[other]]


def _steps(model: Model, feature: Feature, value: Any) -> Iterator[Step]:
    """Values to try for a feature, the nearest first, and how large a change each is."""
    import numpy as np
    import pandas as pd

    covered = model.coverage[feature.name]
    if "values" in covered:
        yield from ((other, 1.0) for other in covered["values"] if other != value)
        return
    low, high = covered["low"], covered["high"]
    if feature.kind not in ("integer", "number"):
        return
    step = feature.step or (1 if feature.kind == "integer" else 0)
    if step and (high - low) / step <= MOST:  # what a person can enter
        every = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    else:
        every = np.linspace(low, high, STEPS)
        digits = 1 - math.floor(math.log10((high - low) / STEPS)) if high > low else 12  # that can be told
        every = np.unique(every.round(0 if feature.kind == "integer" else max(0, digits)))
        every = every[(low <= every) & (every <= high)]
    if pd.isna(value):
        yield from ((other, 1.0) for other in every.round(12).tolist())
        return
    here, span = float(value), float(high - low) or 1.0
    for other in sorted(every.round(12).tolist(), key=lambda each: abs(each - here)):
        if other != here:
            yield other, abs(other - here) / span


def _flips(model: Model, frame: pd.DataFrame, now: Any, changes: list[Change]) -> list[tuple[Change, Any, float]]:
    """The smallest of the changes for each set of features and each class that it leads to, the smallest first."""
    import pandas as pd

    if not changes:
        return []
    rows = pd.concat([frame] * len(changes), ignore_index=True)
    for name in frame:
        kept = frame[name].iloc[0]
        values = [change[name][0] if name in change else kept for change in changes]
        rows[name] = pd.Series(values, dtype=frame[name].dtype)
    best: dict[tuple[Any, ...], tuple[Change, Any, float]] = {}
    for change, became in zip(changes, model.estimator.predict(rows).tolist(), strict=True):
        size = sum(each for _, each in change.values())
        key = (*change, became)
        if became != now and (key not in best or size < best[key][2]):
            best[key] = (change, became, size)
    return sorted(best.values(), key=lambda each: each[2])
