"""Curves of each class against the rest, over all thresholds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._background import held_out_probabilities
from irislib.insights._base import Insight

if TYPE_CHECKING:
    import numpy as np

    from irislib._modeling.model import Model

__all__ = ["precision_recall_curve", "roc_curve"]

AGREEMENT = 0.9  # share of rows whose predicted class has the highest score, at least


@takes_model
def roc_curve(model: Model) -> Insight:
    """True and false positive rates of each class against the rest, on the held-out set.

    Returns
    -------
    Insight
        Its frame holds the points of each class's curve. The sentence has the area under it with its 95 % interval.

    Raises
    ------
    NotApplicableError
        For a model with neither probabilities nor a decision function for each class.

    Notes
    -----
    Sources: T. Fawcett (2006), An introduction to ROC analysis, Pattern Recognition Letters 27, 861-874,
    doi:10.1016/j.patrec.2005.10.010; for the interval R. G. Newcombe (2006), Confidence intervals for an
    effect size measure based on the Mann-Whitney statistic, part 2, Statistics in Medicine 25, 559-573,
    doi:10.1002/sim.2324, method 5, which is not empty where the area is 1. Computed by
    :func:`sklearn.metrics.roc_curve`.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.metrics import roc_curve as points

    def curve(is_it: np.ndarray, probability: np.ndarray) -> tuple[Any, Any, str, float]:
        false, true, _ = points(is_it, probability)
        area = float(roc_auc_score(is_it, probability))
        low, high = area_interval(area, int(is_it.sum()), int((~is_it).sum()))
        text = TEXTS["roc_curve.value"].format(area=area, low=low, high=high)
        return false, true, text, area

    names = ("false positive rate", "true positive rate")
    return _class_curves(model, curve, "roc_curve", names, lambda _: (0.0, 1.0))


@takes_model
def precision_recall_curve(model: Model) -> Insight:
    """Precision and recall of each class against the rest, over all thresholds, on the held-out set.

    Returns
    -------
    Insight
        Its frame holds the points of each class's curve.

    Raises
    ------
    NotApplicableError
        For a model with neither probabilities nor a decision function for each class.

    Notes
    -----
    Source: J. Davis and M. Goadrich (2006), The relationship between precision-recall and ROC curves,
    ICML, 233-240, doi:10.1145/1143844.1143874. Computed by :func:`sklearn.metrics.precision_recall_curve`;
    the average precision is scikit-learn's.
    """
    from sklearn.metrics import average_precision_score
    from sklearn.metrics import precision_recall_curve as points

    def curve(is_it: np.ndarray, probability: np.ndarray) -> tuple[Any, Any, str, float]:
        precision, recall, _ = points(is_it, probability)
        average = float(average_precision_score(is_it, probability))
        text = TEXTS["precision_recall_curve.value"].format(average=average, baseline=is_it.mean())
        return recall, precision, text, average

    return _class_curves(
        model, curve, "precision_recall_curve", ("recall", "precision"), lambda is_it: (is_it.mean(), is_it.mean())
    )


def _class_curves(model: Model, curve: Any, key: str, names: tuple[str, str], guess: Any) -> Insight:
    """Compute a curve for each class that the held-out rows have, and have others beside."""
    import pandas as pd

    scores, true = _held_out_scores(model), model.evaluation.y_true
    curves: list[_drawing.Curve] = []
    frames, values = [], []
    for name, score in zip(model.classes or (), scores.T, strict=True):
        is_it = true == name
        if not 0 < is_it.sum() < len(is_it):
            continue
        x, y, text, value = curve(is_it, score)
        curves.append((name, x, y, text, guess(is_it)))
        values.append(value)
        frames.append(pd.DataFrame({"class": [name] * len(x), names[0]: x, names[1]: y}))
    if not curves:
        raise NotApplicableError(TEXTS["one_class"])
    worst = curves[values.index(min(values))]
    is_equal = len(curves) == 1 or f"{min(values):.2f}" == f"{max(values):.2f}"
    text = TEXTS["curves.text_equal" if is_equal else "curves.text"].format(
        name=worst[0], measure=TEXTS[f"{key}.measure"], value=worst[3], baseline=TEXTS[f"{key}.baseline"]
    )
    if not model.has_probabilities:
        text = TEXTS["curves.scores"].format(text=text)
    draw = partial(_drawing.class_curves, curves=curves, names=names)
    frame = pd.concat(frames, ignore_index=True)
    return Insight(TEXTS[f"{key}.title"], frame, text, draw, height=3.4 + 0.2 * len(curves))


def _held_out_scores(model: Model) -> np.ndarray:
    """Return a score of each class for the held-out rows: its probability, or what the decision function returns.

    Raises
    ------
    NotApplicableError
        For a regression, or where no class has a score of its own.
    """
    import numpy as np

    decision_function = getattr(model.estimator, "decision_function", None)
    if model.classes is None or model.has_probabilities or decision_function is None:
        return held_out_probabilities(model)
    scores = np.asarray(decision_function(model.evaluation.features))
    if scores.ndim == 1:
        return np.column_stack([-scores, scores])
    likeliest = np.asarray(model.classes, dtype=object).take(scores.argmax(axis=1), mode="clip")
    # a score for each pair of classes would be no score of a class, even where there are three of both
    if scores.shape[1] != len(model.classes) or (likeliest == model.evaluation.y_pred).mean() < AGREEMENT:
        raise NotApplicableError(TEXTS["no_scores"].format(estimator=type(model.estimator).__name__))
    return scores


def area_interval(area: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Return the 95 % interval of an area under a ROC curve; see :func:`roc_curve`."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    reach, more, tiny = float(norm.ppf(0.975)), (n_positive + n_negative) / 2 - 1, 1e-9

    def error(true: float) -> float:
        spread = 1 + more * (1 - true) / (2 - true) + more * true / (1 + true)
        return float((true * (1 - true) * spread / (n_positive * n_negative)) ** 0.5)

    low = 0.0 if area <= tiny else brentq(lambda true: area - true - reach * error(true), 0, area - tiny)
    high = 1.0 if area >= 1 - tiny else brentq(lambda true: true - area - reach * error(true), area + tiny, 1)
    return float(low), float(high)
