"""Why a model gives this answer to one row, and what would change it."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights.base import Insight
from irislib.insights.regression import amount, measured
from irislib.theme import AUBERGINE, INK, ORANGE
from irislib.wording import nearest, readable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

    from irislib.feature import Feature
    from irislib.model import Answer, Model

__all__ = ["contributions", "smallest_changes"]

BACKGROUND = 100  # held-out rows that stand for what is usual
EXACT = 50_000  # rows to be predicted, up to which every combination of features is tried
SHOWN = 10  # bars
STEPS = 41  # values of a number that are tried, where it has no steps of its own,
MOST = 200  # or has more of them than this
PAIRS = 6  # features of which pairs are tried, those that a change tells upon most


def contributions(model: Model, row: Mapping[str, Any] | Answer, seconds: float = 0.3) -> Insight:
    """How much each value of a row has added to the answer, or taken from it.

    Parameters
    ----------
    model : Model
    row : mapping or Answer
        The features' values, or what ``model.answer`` made of them.
    seconds : float, default 0.3
        After which no more is sampled, where there are too many features to try every combination.

    Returns
    -------
    Insight
        Its frame has for each feature its ``value``, the ``typical`` one, and its contribution: to the probability
        of the predicted class, or in the unit of the target. They add up to the difference between this answer
        and the mean over the held-out rows. Where they are sampled, ``standard error`` says how far off each may be.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    NotApplicableError
        For a classifier without probabilities.

    Notes
    -----
    Shapley values of the answer, where a feature that is left out has the values of held-out rows (at most 100 of
    them): every combination of features where that is at most 50,000 rows to predict, otherwise random orders of
    the features, each with its reverse. Sources: L. S. Shapley (1953), A value for n-person games, Annals of
    Mathematics Studies 28, 307-317; E. Štrumbelj and I. Kononenko (2014), Explaining prediction models and individual
    predictions with feature contributions, Knowledge and Information Systems 41, 647-665,
    doi:10.1007/s10115-013-0679-x.
    """
    import numpy as np
    import pandas as pd

    frame = model.spec.validate(_row(row))
    ask, what = _asked(model, frame)
    usual = _usual(model)
    n = len(model.spec.features)
    if 2**n * len(usual) <= EXACT:
        found, error = _every(ask, frame, usual), None
    else:
        found, error = _sampled(ask, frame, usual, seconds, model.spec.random_state)
    values = [_said(feature, frame[feature.name].iloc[0]) for feature in model.spec.features]
    typical = [_said(feature, _middle(model.evaluation.features[feature.name])) for feature in model.spec.features]
    labels = [feature.label for feature in model.spec.features]
    table = pd.DataFrame({"feature": labels, "value": values, "typical": typical, what: found})
    if error is not None:
        table["standard error"] = error
    table = table.iloc[np.argsort(-np.abs(found), kind="stable")].reset_index(drop=True)
    base = float(ask(usual).mean())
    text = _because(model, table, what, base, base + float(found.sum()))
    if error is not None:
        text = f"{text[:-1]}; the contributions are sampled, and within {readable(2 * float(error.max()), 1)} or so."
    return Insight("Why this answer", table, text, _bars(table, what), height=1.0 + 0.4 * min(len(table), SHOWN))


def _row(row: Mapping[str, Any] | Answer) -> Mapping[str, Any]:
    return row if isinstance(row, Mapping) else row.row


def _asked(model: Model, frame: pd.DataFrame) -> tuple[Callable[[pd.DataFrame], np.ndarray], str]:
    """What is explained: a function of rows, and the name of what it gives."""
    if model.classes is None:
        return model.estimator.predict, measured(model, "contribution")
    model.require_probabilities()
    predicted = model.estimator.predict(frame)[0]
    place = model.classes.index(predicted)
    return lambda rows: model.estimator.predict_proba(rows)[:, place], f"contribution to P({predicted})"


def _usual(model: Model) -> pd.DataFrame:
    held_out = model.evaluation.features
    if len(held_out) <= BACKGROUND:
        return held_out
    return held_out.sample(BACKGROUND, random_state=model.spec.random_state)


def _mixed(frame: pd.DataFrame, usual: pd.DataFrame, ours: np.ndarray, theirs: np.ndarray) -> pd.DataFrame:
    """Rows that have some values of the row that is explained, the others of usual ones.

    Parameters
    ----------
    ours : ndarray of bool of shape (n_rows, n_features)
    theirs : ndarray of int of shape (n_rows,)
        Which of the usual rows.
    """
    import numpy as np
    import pandas as pd

    both = pd.concat([usual, frame.astype(usual.dtypes.to_dict())], ignore_index=True)
    return pd.DataFrame({
        name: both[name].array.take(np.where(ours[:, i], len(usual), theirs)) for i, name in enumerate(both)
    })  # fmt: skip


def _every(ask: Callable[[pd.DataFrame], np.ndarray], frame: pd.DataFrame, usual: pd.DataFrame) -> np.ndarray:
    """Shapley values from every combination of features."""
    import numpy as np

    n, m = frame.shape[1], len(usual)
    sets = np.arange(2**n)
    has = (sets[:, None] >> np.arange(n)) & 1 == 1
    rows = _mixed(frame, usual, np.repeat(has, m, axis=0), np.tile(np.arange(m), len(sets)))
    worth = ask(rows).reshape(len(sets), m).mean(axis=1)
    sizes = has.sum(axis=1)
    share = np.asarray([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    found = np.empty(n)
    for i in range(n):
        without = sets[~has[:, i]]
        found[i] = np.sum(share[sizes[without]] * (worth[without | 1 << i] - worth[without]))
    return found


def _sampled(
    ask: Callable[[pd.DataFrame], np.ndarray], frame: pd.DataFrame, usual: pd.DataFrame, seconds: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shapley values from random orders of the features, as many as there is time for, and their standard errors."""
    import numpy as np

    rng = np.random.default_rng(seed)
    n, m = frame.shape[1], len(usual)
    begun = time.monotonic()
    rounds: list[np.ndarray] = []
    while len(rounds) < 2 or time.monotonic() - begun < seconds:
        orders = rng.permuted(np.tile(np.arange(n), (m, 1)), axis=1)
        pair = []
        for order in (orders, orders[:, ::-1]):  # an order and its reverse: less is left to chance
            ranks = np.argsort(order, axis=1)
            has = ranks[:, None, :] < np.arange(n + 1)[None, :, None]  # one feature more at each step
            worth = ask(_mixed(frame, usual, has.reshape(-1, n), np.repeat(np.arange(m), n + 1))).reshape(m, n + 1)
            pair.append(np.take_along_axis(np.diff(worth, axis=1), ranks, axis=1))
        rounds.append((pair[0] + pair[1]) / 2)
    each = np.asarray(rounds).mean(axis=1)
    return each.mean(axis=0), each.std(axis=0, ddof=1) / math.sqrt(len(each))


def _middle(column: pd.Series) -> Any:
    """The median of numbers and dates, the commonest of anything else."""
    import pandas as pd

    known = column.dropna()
    if known.empty:
        return None
    if pd.api.types.is_bool_dtype(known) or not (
        pd.api.types.is_numeric_dtype(known) or pd.api.types.is_datetime64_any_dtype(known)
    ):
        return known.mode().iloc[0]
    return known.median()


def _said(feature: Feature, value: Any) -> str:
    import pandas as pd

    return "left empty" if pd.isna(value) else f"{readable(value, 4)} {feature.unit}".rstrip()


def _because(model: Model, table: pd.DataFrame, what: str, base: float, reached: float) -> str:
    upwards = table[table[what] > 0] if model.classes is not None else table
    reasons = [
        f"{each['feature'].lower()} is {each['value']} (typical: {each['typical']})"
        for _, each in upwards.head(2).iterrows()
        if abs(each[what]) >= 0.25 * abs(table[what]).max()
    ]
    if model.classes is None:
        start = f"{amount(model, reached)}, where {amount(model, base)} is the average"
    else:
        predicted = what.removeprefix("contribution to P(").removesuffix(")")
        start = f"{predicted} with {reached:.0%}, where {base:.0%} is the average"
    return f"{start}, mostly because {' and '.join(reasons)}." if reasons else f"{start}."


def _bars(table: pd.DataFrame, what: str) -> Callable[[Axes], None]:
    def draw(axes: Axes) -> None:
        top = table.head(SHOWN)
        names = [f"{each['feature']} = {each['value']}" for _, each in top.iterrows()]
        axes.barh(names, top[what], color=[AUBERGINE if value > 0 else ORANGE for value in top[what]], height=0.6)
        axes.axvline(0, color=INK, linewidth=1)
        axes.invert_yaxis()
        axes.set_xlabel(what)

    return draw


def smallest_changes(model: Model, row: Mapping[str, Any] | Answer, fixed: Collection[str] = ()) -> Insight:
    """The smallest changes to a row that change the predicted class.

    Parameters
    ----------
    model : Model
    row : mapping or Answer
        The features' values, or what ``model.answer`` made of them.
    fixed : collection of str
        Features, by name, that are to stay as they are.

    Returns
    -------
    Insight
        Its frame has one row for each change: what it is, the class that it leads to, and its ``size``, as a share
        of what the training data cover, added up over the features.

    Raises
    ------
    ValidationError
        Naming every wrong value, or a feature of ``fixed`` that there is not.
    NotApplicableError
        For a regression.

    Notes
    -----
    Counterfactuals: S. Wachter, B. Mittelstadt and C. Russell (2017), Counterfactual explanations without opening the
    black box, Harvard Journal of Law & Technology 31, arXiv:1711.00399. One feature at a time is tried, then
    pairs; only values that the training data cover. It is what the *model* would say, not what would happen.
    """
    import pandas as pd

    if model.classes is None:
        raise NotApplicableError(f"{model.spec.title} predicts a number: there is no class to change.")
    if strange := sorted(set(fixed) - set(model.spec.feature_names)):
        known = nearest(strange[0], model.spec.feature_names)
        raise ValidationError([Problem(f"fixed: there is no feature {strange[0]!r}. {known}", strange[0], None)])
    frame = model.spec.validate(_row(row))
    now = model.estimator.predict(frame)[0]
    free = [feature for feature in model.spec.features if feature.name not in fixed and feature.name in model.coverage]
    steps = {feature.name: list(_steps(model, feature, frame[feature.name].iloc[0])) for feature in free}
    labels = {feature.name: feature for feature in free}
    found = _flips(model, frame, now, [{name: step} for name in steps for step in steps[name]])
    if not found:
        few = {name: steps[name][:: max(1, len(steps[name]) // 12)] for name in list(steps)[:PAIRS]}
        pairs = [
            {one: a, other: b} for one, other in itertools.combinations(few, 2) for a in few[one] for b in few[other]
        ]
        found = _flips(model, frame, now, pairs)
    rows = []
    for change, became, size in found[:SHOWN]:
        words = [f"{labels[name].label.lower()} {_said(labels[name], value)}" for name, (value, _) in change.items()]
        rows.append((" and ".join(words), str(became), size))
    table = pd.DataFrame(rows, columns=["change", f"then {model.spec.target}", "size"])
    if table.empty:
        table.loc[0] = ["none of one or two features", str(now), math.nan]
        text = f"It stays {now}, whatever one or two of the features become within what the training data cover."
    else:
        text = f"It would be {table.iloc[0, 1]} instead of {now} with a {table['change'][0]}."

    def draw(axes: Axes) -> None:
        names = [f"{each.change} → {each[2]}" for each in table.itertuples()]
        axes.barh(names, table["size"].fillna(0), color=AUBERGINE, height=0.6)
        axes.invert_yaxis()
        axes.set_xlabel("share of the trained range")

    return Insight("What would change it", table, text, draw, height=1.0 + 0.4 * len(table))


def _steps(model: Model, feature: Feature, value: Any) -> Iterator[tuple[Any, float]]:
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
        every = np.unique(np.linspace(low, high, STEPS).round(0 if feature.kind == "integer" else 12))
    here = float(low if pd.isna(value) else value)
    span = float(high - low) or 1.0
    for other in sorted(every.round(12).tolist(), key=lambda each: abs(each - here)):
        if other != here:
            yield other, abs(other - here) / span


def _flips(
    model: Model, frame: pd.DataFrame, now: Any, changes: list[dict[str, tuple[Any, float]]]
) -> list[tuple[dict[str, tuple[Any, float]], Any, float]]:
    """The smallest of the changes for each set of features and each class that it leads to, the smallest first."""
    import pandas as pd

    if not changes:
        return []
    rows = pd.concat([frame] * len(changes), ignore_index=True)
    for name in frame:
        kept = frame[name].iloc[0]
        values = [change[name][0] if name in change else kept for change in changes]
        rows[name] = pd.Series(values, dtype=frame[name].dtype)
    best: dict[tuple[Any, ...], tuple[dict[str, tuple[Any, float]], Any, float]] = {}
    for change, became in zip(changes, model.estimator.predict(rows).tolist(), strict=True):
        size = sum(each for _, each in change.values())
        key = (*change, became)
        if became != now and (key not in best or size < best[key][2]):
            best[key] = (change, became, size)
    return sorted(best.values(), key=lambda each: each[2])
