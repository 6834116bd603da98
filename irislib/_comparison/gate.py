"""The gate: whether a new version of a model may take the place of the current one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from irislib._common.formatting import shorten_list
from irislib._common.messages.comparison import TEXTS
from irislib._common.settings import setting_value
from irislib._comparison.comparison import FEWEST, Comparison, compare
from irislib._comparison.held_out import MOST
from irislib._comparison.paired import accuracies, errors

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["Decision", "decide"]


@dataclass(frozen=True, eq=False)
class Decision:
    """The decision of the gate about a new version.

    Attributes
    ----------
    accepted : bool
    reason : str
        Why, in one sentence.
    comparison : Comparison
    """

    accepted: bool
    reason: str
    comparison: Comparison


def decide(current: Model, candidate: Model, margin: float | None = None) -> Decision:
    """Decide whether a new version of a model may take the place of the current one.

    It may if its inputs and its target are the same, it has every class and a fast form if the current one has, it has
    learnt anything if the current one has, and it is not worse beyond a margin: on the rows that neither was trained
    on, the lower end of the 95 % interval of the paired difference is above the margin. Nor may it surely be worse
    beyond the margin on those of them that the current one was tested on.

    Parameters
    ----------
    current, candidate : Model
    margin : float, optional
        For a classifier a part of all answers: with 0.05, five percentage points of accuracy, or of balanced accuracy
        if nearly all rows are of one class. For a regressor a part of the current mean absolute error. That of
        ``IRISLIB_REFRESH_MARGIN`` if left out.

    Notes
    -----
    A test of non-inferiority: few rows, or a noisy difference, are a reason to refuse. Source: E. Lesaffre (2008),
    Superiority, equivalence, and non-inferiority trials, Bulletin of the NYU Hospital for Joint Diseases 66, 150-154.
    """
    if margin is None:
        margin = setting_value("refresh_margin")
    comparison = compare(current, candidate)
    reason = _refusal(current, candidate, comparison, margin)
    if reason:
        return Decision(False, reason, comparison)
    return Decision(True, TEXTS["gate.accepted"].format(before=current.version, text=comparison.text), comparison)


def _refusal(current: Model, candidate: Model, comparison: Comparison, margin: float) -> str:
    """Return why a new version is refused, or nothing."""
    before = comparison.before
    if comparison.schema:
        return TEXTS["gate.schema"].format(changes=shorten_list(comparison.schema))
    if comparison.lost_classes:
        return TEXTS["gate.classes"].format(names=shorten_list(list(map(str, comparison.lost_classes))))
    if not comparison.rows:
        return TEXTS["gate.rows"].format(before=before, reason=comparison.reason)
    if comparison.rows < FEWEST:
        return TEXTS["gate.few"].format(rows=comparison.rows, before=before, fewest=FEWEST)
    main = comparison.metrics[comparison.main]
    if candidate.classes is None:
        worst, limit = main.high, margin * main.before
        stated = TEXTS["margin.share"].format(margin=100 * margin)
    else:
        worst, limit = -main.low, margin
        stated = TEXTS["margin.points"].format(margin=100 * margin)
    if worst > limit:
        return TEXTS["gate.worse"].format(before=before, margin=stated, text=comparison.text)
    if (former := comparison.former) is not None:  # elsewhere wrong labels would make up for what it lost there
        loss, surely = (
            (former.difference, former.low) if candidate.classes is None else (-former.difference, -former.high)
        )
        if surely > 0 and loss > (margin * former.before if candidate.classes is None else margin):
            return TEXTS["gate.former"].format(before=before, margin=stated)
    if _beats_baseline(current) and not _beats_baseline(candidate):
        baseline = TEXTS["gate.baseline.number" if candidate.classes is None else "gate.baseline.class"]
        return TEXTS["gate.baseline"].format(baseline=baseline, before=before)
    if comparison.fast_forms[1] and not comparison.fast_forms[0]:
        return TEXTS["gate.fast"].format(before=before, reason=comparison.fast_forms[1])
    return ""


def _beats_baseline(model: Model) -> bool:
    """Return True if a model surely does better on its test rows than the commonest class or the median of them."""
    import numpy as np

    seed, step = model.spec.random_state, max(1, len(model.evaluation.y_true) // MOST)
    y_true, y_pred = model.evaluation.y_true[::step], model.evaluation.y_pred[::step]
    if model.classes is None:
        return errors(y_true, np.full(len(y_true), np.median(y_true)), y_pred, seed).high < 0
    labels, counts = np.unique(y_true, return_counts=True)
    guess = np.full(len(y_true), labels[counts.argmax()], dtype=y_true.dtype)
    return accuracies(y_true, guess, y_pred, seed)["balanced_accuracy"].low > 0
