"""Insights for two classes: from which probability on to answer the one that is looked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_apart, format_share, format_value, short_repr
from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights import _drawing
from irislib.insights._background import held_out_probabilities
from irislib.insights._base import Insight

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["decision_threshold", "gains"]

MAX_THRESHOLDS = 200
LARGEST_PARTS = 20  # of the rows, in the table of gains
TENTH = 0.1
ROUNDING = 1e-9  # of probabilities


@takes_model
def decision_threshold(model: Model, cost_missed: float = 1.0, cost_false_alarm: float = 1.0) -> Insight:
    """Compare the probabilities from which on the positive class may be answered, by errors and their costs.

    Parameters
    ----------
    model : Model
    cost_missed : float, default 1
        What it costs to miss a row of the positive class, in any unit.
    cost_false_alarm : float, default 1
        What it costs to answer the positive class for a row of the other, in the same unit.

    Returns
    -------
    Insight
        Its frame has a row for each ``threshold`` with the counts of held-out rows (``true positives``, ``false
        positives``, ``false negatives``, ``true negatives``), ``recall``, ``precision``, ``false positive rate`` and
        ``cost``. The positive class is ``positive_class`` of the spec, else the one of the estimator's own
        threshold, else the second. To keep a threshold: ``ModelSpec(positive_class=…, threshold=…)``.

    Raises
    ------
    NotApplicableError
        For a model without probabilities or with other than two classes.
    ValidationError
        For a cost below 0, or two of 0.

    Notes
    -----
    Sources: C. Elkan (2001), The foundations of cost-sensitive learning, IJCAI, 973-978; as
    :class:`sklearn.model_selection.TunedThresholdClassifierCV` chooses one by cross-validation. The cheapest threshold
    is the best for these test rows, and a little less good for others.
    """
    import numpy as np

    _check_costs(cost_missed, cost_false_alarm)
    label, scores, is_positive = positive_scores(model)
    is_answered = np.asarray(model.evaluation.y_pred == label, dtype=bool)
    nominal = _nominal_threshold(model, label)
    current = _current_threshold(nominal, scores, is_answered)
    marked = nominal if current is None else current
    frame = _outcomes(scores, is_positive, marked)
    frame["cost"] = cost_missed * frame["false negatives"] + cost_false_alarm * frame["false positives"]
    start = int((frame["threshold"] - marked).abs().argmin())
    cheapest = frame.loc[frame["cost"].idxmin()]
    hits, alarms = int((is_answered & is_positive).sum()), int((is_answered & ~is_positive).sum())
    cost = cost_missed * (int(is_positive.sum()) - hits) + cost_false_alarm * alarms
    is_cheaper = cheapest["cost"] < cost
    thresholds = nominal, float(cheapest["threshold"])
    now, then = map(format_share, thresholds)
    if is_cheaper and now == then:
        now, then = format_apart(*thresholds)
    text = TEXTS["decision_threshold.no_threshold" if current is None else "decision_threshold.text"].format(
        label=label,
        threshold=now,
        recall=format_share(hits / int(is_positive.sum())),
        positives=int(is_positive.sum()),
        alarms=alarms,
        answers=alarms + hits,
    )
    ratio = TEXTS["decision_threshold.equal"]
    if cost_missed != cost_false_alarm:
        times = format_value(cost_missed / cost_false_alarm, 2) if cost_false_alarm else "∞"
        ratio = TEXTS["decision_threshold.ratio"].format(ratio=times)
    key = "cheapest" if is_cheaper else "cheapest_now"
    best = TEXTS[f"decision_threshold.{key}"].format(ratio=ratio, threshold=then)
    draw = partial(_drawing.threshold_curves, frame=frame, current=current, cheapest=float(cheapest["threshold"]))
    title = TEXTS["decision_threshold.title"]
    return Insight(title, frame, f"{text} {best}", draw, 3.4, interactive="threshold", start=start)


@takes_model
def gains(model: Model) -> Insight:
    """Count how much of the positive class is among the rows with its highest probabilities.

    Returns
    -------
    Insight
        Its frame has for each ``share of rows``, the highest probabilities first, the ``share found`` of the positive
        class and the ``lift``: how many times as many as in rows chosen by chance.

    Raises
    ------
    NotApplicableError
        For a model without probabilities or with other than two classes.

    Notes
    -----
    Source: M. Vuk and T. Curk (2006), ROC curve, lift chart and calibration plot, Metodološki zvezki 3, 89-108.
    """
    import numpy as np
    import pandas as pd

    label, scores, is_positive = positive_scores(model)
    n = len(scores)
    captured = np.concatenate([[0], np.cumsum(is_positive[np.argsort(-scores, kind="stable")])]) / is_positive.sum()
    counts = np.unique(np.linspace(0, n, min(n, LARGEST_PARTS) + 1).round().astype(int))
    frame = pd.DataFrame({"share of rows": counts / n, "share found": captured[counts]})
    frame["lift"] = frame["share found"] / frame["share of rows"].where(frame["share of rows"] > 0)
    first = max(1, round(TENTH * n))
    text = TEXTS["gains.text"].format(
        label=label,
        rows=format_share(first / n),
        found=format_share(captured[first]),
        lift=format_value(captured[first] * n / first, 2),
    )
    draw = partial(_drawing.gains, shares=np.arange(n + 1) / n, captured=captured, positive=float(is_positive.mean()))
    return Insight(TEXTS["gains.title"], frame, text, draw, 3.4)


def positive_scores(model: Model) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the positive class, its probability for each held-out row, and which of them are of it.

    Raises
    ------
    NotApplicableError
        For a model without probabilities, with other than two classes, or where all held-out rows are of one class.
    """
    import numpy as np

    probabilities = held_out_probabilities(model)
    classes = model.classes or []
    if len(classes) != 2:
        raise NotApplicableError(TEXTS["not_two_classes"].format(model=model.spec.title, count=len(classes)))
    label = classes[1]
    if model.threshold:
        label = model.threshold.label
    if model.spec.positive_class in classes:
        label = model.spec.positive_class
    is_positive = np.asarray(model.evaluation.y_true == label, dtype=bool)
    if is_positive.all() or not is_positive.any():
        raise NotApplicableError(TEXTS["one_class"])
    return label, probabilities[:, classes.index(label)], is_positive


def _nominal_threshold(model: Model, label: Any) -> float:
    """Return the probability of a class from which on a model should answer it."""
    if not model.threshold:
        return 0.5
    return model.threshold.probability if model.threshold.label == label else 1 - model.threshold.probability


def _current_threshold(nominal: float, scores: np.ndarray, is_answered: np.ndarray) -> float | None:
    """Return the threshold that the model's own answers have, if they have the nominal one up to rounding."""
    import numpy as np

    if ((scores >= nominal) == is_answered).all():
        return nominal
    # a tie goes to the first class, and the probabilities of a row do not always add up to exactly 1
    highest_other, lowest = scores[~is_answered].max(initial=0), scores[is_answered].min(initial=1)
    ends = (np.nextafter(highest_other, 1), lowest) if highest_other < lowest else ()
    return next((float(end) for end in ends if np.isclose(end, nominal, rtol=0, atol=ROUNDING)), None)


def _outcomes(scores: np.ndarray, is_positive: np.ndarray, current: float) -> pd.DataFrame:
    """Return the counts and rates of each threshold, the lowest first."""
    import numpy as np
    import pandas as pd

    candidates = np.unique(scores)
    if len(candidates) > MAX_THRESHOLDS:
        candidates = np.unique(np.quantile(scores, np.linspace(0, 1, MAX_THRESHOLDS), method="nearest"))
    # above the highest score nothing is answered, which may be the cheapest
    above = [(1 + candidates[-1]) / 2] if candidates[-1] < 1 else []
    candidates = np.unique([*candidates, current, *above])
    positives, negatives = np.sort(scores[is_positive]), np.sort(scores[~is_positive])
    missed, dismissed = (np.searchsorted(part, candidates, side="left") for part in (positives, negatives))
    hits, alarms = len(positives) - missed, len(negatives) - dismissed
    return pd.DataFrame({
        "threshold": candidates, "true positives": hits, "false positives": alarms, "false negatives": missed,
        "true negatives": dismissed, "recall": hits / len(positives),
        "precision": np.divide(hits, hits + alarms, out=np.full(len(hits), np.nan), where=hits + alarms > 0),
        "false positive rate": alarms / len(negatives),
    })  # fmt: skip


def _check_costs(missed: float, false_alarm: float) -> None:
    costs = {"cost_missed": missed, "cost_false_alarm": false_alarm}
    problems = [
        Problem(f"{name} must be a number of at least 0, got {short_repr(value)}.", name, value)
        for name, value in costs.items()
        if not (isinstance(value, int | float) and 0 <= value < float("inf"))
    ]
    if not problems and not missed + false_alarm:
        problems = [Problem("cost_missed and cost_false_alarm must not both be 0.", "cost_missed", missed)]
    if problems:
        raise ValidationError(problems)
