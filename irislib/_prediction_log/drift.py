"""Drift: what the predictions of a log have that the training data and the test rows have not."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_count, format_share, format_value, shorten_list
from irislib._common.messages.drift import TEXTS
from irislib._common.theme import INK, main_colour, second_colour
from irislib._description.class_names import is_same_class
from irislib._description.validation import check_columns
from irislib._description.values import is_empty, to_json
from irislib._modeling.arguments import takes_model
from irislib._prediction_log import differences
from irislib._prediction_log.differences import LEVEL, LIMIT, Difference
from irislib._prediction_log.records import NEAR_TIE
from irislib._prediction_log.sample import LoggedSample, read_sample
from irislib._store.files import parse_root
from irislib.insights._base import Insight
from irislib.insights._confidence_intervals import bootstrap, proportion_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["DriftReport", "drift"]

FEWEST = 30  # rows; fewer are too few to tell drift from chance
MANY_VALUES = 50  # of a text; with more of them it is not compared
DRAWN = 15  # comparisons, those with the largest PSI


@dataclass(frozen=True, eq=False)
class DriftReport(Insight):
    """The result of :func:`drift`: an insight that says whether there is any.

    Attributes
    ----------
    drifted : tuple of str
        What has drifted.
    is_enough : bool
        False if there are too few predictions to tell.
    """

    drifted: tuple[str, ...] = ()
    is_enough: bool = True


@dataclass(frozen=True)
class Comparison:
    """One row of the table."""

    name: str
    measure: str
    before: float
    now: float
    interval: tuple[float, float] | None
    rows: int
    difference: Difference


@takes_model
def drift(model: Model, log: str | Path, since: dt.datetime | None = None) -> DriftReport:
    """Compare a prediction log with the data of a model.

    Each input is compared with the training rows that the model keeps (1000 at most), its predictions and the share of
    rows with a warning with those of the test rows, and, where right answers came in, how often it was right.

    Parameters
    ----------
    model : Model
    log : str or Path
        The folder of the log or its URL, or one file of it.
    since : datetime, optional
        Earlier predictions are left out; in UTC if it has no time zone.

    Returns
    -------
    DriftReport
        An :class:`~irislib.insights.Insight` whose frame has a row for each comparison: a measure before and now, the
        95 % interval of the latter, the PSI (population stability index), and the probability ``p`` of such a
        difference by chance, also adjusted for their number. ``drifted`` is True where the adjusted one is below 0.01
        and the PSI, if there is one, at least 0.2. Its ``drifted`` names these.

    Raises
    ------
    DataError
        If there is no log, or it cannot be read.

    Notes
    -----
    The tests are Kolmogorov's and Smirnov's for numbers and dates, the chi-squared test for choices, Fisher's for
    shares, Mann's and Whitney's for errors, the last two with one side: worse. They are adjusted after Benjamini and
    Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x. For the PSI, N. Siddiqi (2006), Credit Risk Scorecards,
    takes 0.1 to 0.25 for a change to look at; its limit keeps a difference that is sure, but does not matter, from
    being an alarm. Intervals are Wilson's and of a bootstrap.
    """
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=dt.UTC)
    sample = read_sample(model, parse_root(str(log)), since)
    own = [record for record in sample.records if record.get("version") == model.version]
    comparisons: list[Comparison] = []
    not_compared: list[str] = []
    if len(sample.records) >= FEWEST:
        for feature in model.spec.features:
            comparison = _compare_input(model, feature, sample)
            comparisons += [comparison] if comparison else []
            not_compared += [] if comparison else [feature.name]
    if len(own) >= FEWEST and model.is_evaluated:
        comparisons += [_compare_predictions(model, own), _compare_warnings(model, own)]
    if len(sample.answers) >= FEWEST and model.is_evaluated:
        comparisons.append(_compare_answers(model, sample.answers))
    frame = _frame(comparisons)
    drifted = tuple(frame["compared"][frame["drifted"]])
    text = " ".join(_sentences(model, sample, len(own), comparisons, drifted, not_compared))
    draw = partial(draw_psi, frame=frame)
    height = 1.4 + 0.32 * min(max(len(frame), 1), DRAWN)
    return DriftReport(TEXTS["title"], frame, text, draw, height, drifted=drifted, is_enough=bool(comparisons))


def _compare_input(model: Model, feature: Feature, sample: LoggedSample) -> Comparison | None:
    """Compare the values of a feature; return None if there are too few, or too many that are text."""
    inputs = [record["inputs"][feature.name] for record in sample.records if feature.name in record["inputs"]]
    frame, problems = check_columns([feature], {feature.name: inputs}, len(inputs))
    invalid = {problem.row for problem in problems}  # by a description that was another one
    values = [value for row, value in enumerate(frame[feature.column].tolist()) if row not in invalid]
    return _compare(feature, model.sample[feature.column].tolist(), values)


def _compare(feature: Feature, before: list[Any], now: list[Any]) -> Comparison | None:
    import numpy as np

    if min(len(before), len(now)) < FEWEST:
        return None
    if not feature.type.is_continuous:
        return _compare_values(feature.name, before, now)
    numbers = [feature.type.to_numbers([None if is_empty(v) else v for v in values]) for values in (before, now)]
    have_values = [np.isfinite(values).any() for values in numbers]
    if not any(have_values):
        return None
    difference = differences.compare_numbers(*numbers)
    medians = [
        float(np.nanmedian(v)) if has_values else np.nan for v, has_values in zip(numbers, have_values, strict=True)
    ]
    unit = f" ({feature.unit})" if feature.unit else ""
    return Comparison(
        feature.name, TEXTS["median"].format(unit=unit), medians[0], medians[1], None, len(now), difference
    )


def _compare_values(name: str, before: Sequence[Any], now: Sequence[Any]) -> Comparison | None:
    """Compare how often each value is; the measure is the share that has changed most."""
    texts = [[TEXTS["missing"] if is_empty(v) else str(to_json(v)) for v in values] for values in (before, now)]
    if len({*texts[0]}) > MANY_VALUES:
        return None
    counts = [Counter(values) for values in texts]
    shares = {v: (counts[0][v] / len(before), counts[1][v] / len(now)) for v in dict.fromkeys(texts[0] + texts[1])}
    value = max(shares, key=lambda v: abs(shares[v][1] - shares[v][0]))
    interval = proportion_interval(counts[1][value], len(now))
    measure = TEXTS["share"].format(value=value)
    return Comparison(name, measure, *shares[value], interval, len(now), differences.compare_categories(*texts))


def _compare_predictions(model: Model, own: Sequence[dict[str, Any]]) -> Comparison:
    import numpy as np

    before, now = model.evaluation.y_pred.tolist(), [record["prediction"] for record in own]
    if model.classes is not None and (comparison := _compare_values(TEXTS["prediction"], before, now)):
        return comparison
    if model.classes is not None:  # so many classes that their numbers stand for them
        places = {str(name): index for index, name in enumerate(model.classes)}
        before, now = ([places.get(str(value), -1) for value in values] for values in (before, now))
    numbers = [np.asarray(values, dtype=float) for values in (before, now)]
    measure = TEXTS["median"].format(unit=_unit(model))
    medians = [float(np.median(values)) for values in numbers]
    difference = differences.compare_numbers(*numbers)
    return Comparison(TEXTS["prediction"], measure, medians[0], medians[1], None, len(now), difference)


def _compare_warnings(model: Model, own: Sequence[dict[str, Any]]) -> Comparison:
    """Compare the share of rows that are unlike the training rows with that of the test rows."""
    features = model.evaluation.features
    before = len(model.warnings_by_row(features))
    now = sum(any(kind != NEAR_TIE for kind in record.get("warnings") or ()) for record in own)
    difference = differences.worse_share((before, len(features)), (now, len(own)))
    shares = before / len(features), now / len(own)
    interval = proportion_interval(now, len(own))
    return Comparison(TEXTS["unlike"], TEXTS["share_unlike"], *shares, interval, len(own), difference)


def _compare_answers(model: Model, answers: Sequence[tuple[Any, Any]]) -> Comparison:
    import numpy as np

    held_out = model.evaluation
    count = len(answers)
    if model.classes is not None:
        right = sum(is_same_class(predicted, true) for predicted, true in answers)
        right_before = int((held_out.y_pred == held_out.y_true).sum())
        total = len(held_out.y_true)
        difference = differences.worse_share((right_before, total), (right, count), is_larger_worse=False)
        shares = right_before / total, right / count
        interval = proportion_interval(right, count)
        return Comparison(TEXTS["right"], TEXTS["accuracy"], *shares, interval, count, difference)
    before = np.abs(held_out.y_pred - held_out.y_true).astype(float)
    now = np.abs(np.asarray([predicted - true for predicted, true in answers], dtype=float))
    means = float(before.mean()), float(now.mean())
    measure = TEXTS["error"].format(unit=_unit(model))
    difference = differences.worse_errors(before, now)
    return Comparison(TEXTS["right"], measure, *means, bootstrap(np.mean, [now], 0), count, difference)


def _frame(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    import pandas as pd

    adjusted = differences.adjusted([comparison.difference.p for comparison in comparisons])
    rows = []
    for comparison, p in zip(comparisons, adjusted, strict=True):
        psi = comparison.difference.psi
        low, high = comparison.interval or (None, None)
        has_drifted = p < LEVEL and (psi is None or psi >= LIMIT)
        rows.append((
            comparison.name, comparison.measure, comparison.before, comparison.now, low, high, comparison.rows, psi,
            comparison.difference.p, p, has_drifted,
        ))  # fmt: skip
    names = ["compared", "measure", "before", "now", "now from", "now to", "rows", "PSI", "p", "adjusted p", "drifted"]
    numbers = dict.fromkeys(("before", "now", "now from", "now to", "PSI", "p", "adjusted p"), float)
    return pd.DataFrame(rows, columns=names).astype({**numbers, "drifted": bool})


def _sentences(
    model: Model,
    sample: LoggedSample,
    own: int,
    comparisons: Sequence[Comparison],
    drifted: Sequence[str],
    not_compared: Sequence[str],
) -> Iterator[str]:
    rows = format_count(sample.total)
    if not comparisons:
        yield TEXTS["few"].format(rows=rows, needed=FEWEST)
    elif drifted:
        names = shorten_list(drifted)
        yield TEXTS["some"].format(count=len(drifted), compared=len(comparisons), rows=rows, names=names)
    else:
        yield TEXTS["none"].format(rows=rows)
    if (last := comparisons[-1] if comparisons else None) and last.name == TEXTS["right"]:
        is_share = model.classes is not None
        before, now = (
            format_share(value) if is_share else f"{format_value(value, 3)} {model.spec.target_unit}".rstrip()
            for value in (last.before, last.now)
        )
        yield TEXTS["answers" if is_share else "errors"].format(count=format_count(last.rows), now=now, before=before)
    elif sample.answers:
        yield TEXTS["few_answers"].format(count=len(sample.answers), needed=FEWEST)
    notes = {
        "unknown_answers": sample.unmatched,
        "reports": sample.reports,
        "versions": len(sample.records) - own,
    }
    yield from (TEXTS[key].format(count=format_count(count)) for key, count in notes.items() if count)
    if len(sample.records) < sample.total:
        yield TEXTS["sample"].format(rows=format_count(len(sample.records)), total=rows)
    if not_compared:
        yield TEXTS["not_compared"].format(names=shorten_list(not_compared))
    if not model.knows_training_rows:
        yield TEXTS["no_training_rows"]


def _unit(model: Model) -> str:
    return f" ({model.spec.target_unit})" if model.spec.target_unit else ""


def draw_psi(axes: Axes, *, frame: pd.DataFrame) -> None:
    """Draw the PSI of each comparison that has one, the largest on top, those that drifted in another colour."""
    rows = frame[frame["PSI"].notna()].nlargest(DRAWN, "PSI")
    colours = [second_colour() if has_drifted else main_colour() for has_drifted in rows["drifted"]]
    axes.barh(range(len(rows)), rows["PSI"], color=colours, height=0.6)
    axes.set_yticks(range(len(rows)), list(rows["compared"]))
    axes.invert_yaxis()
    axes.axvline(LIMIT, color=INK, linewidth=1, linestyle=":")
    axes.set_xlim(left=0)
    axes.set_xlabel(TEXTS["axis"])
