"""Evaluation of a classifier on held-out rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._background import held_out_probabilities
from irislib.insights._base import Insight
from irislib.insights._confidence_intervals import format_interval, proportion_interval
from irislib.insights._phrases import axis_label, explain_test_rows

if TYPE_CHECKING:
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["calibration", "class_metrics", "confusion_matrix"]

FEW_CLASSES = 5  # of which a matrix has room for shares, too
GROUPS = 5  # of held-out rows, by how sure the model was of them


@takes_model
def confusion_matrix(model: Model) -> Insight:
    """Count the true and the predicted classes of the held-out set.

    Returns
    -------
    Insight
        Its frame has a row for each true class and a column for each predicted one. The picture
        gives the share of each true class as well.

    Raises
    ------
    NotApplicableError
        For a regression.

    Notes
    -----
    Source: S. V. Stehman (1997), Selecting and interpreting measures of thematic classification accuracy, Remote
    Sensing of Environment 62, 77-89, doi:10.1016/S0034-4257(97)00083-7. Computed by
    :func:`sklearn.metrics.confusion_matrix`.
    """
    import pandas as pd
    from sklearn.metrics import confusion_matrix as count

    classes = held_out_classes(model, "no_classes_to_confuse")
    held_out = model.evaluation
    counts = count(held_out.y_true, held_out.y_pred, labels=classes)
    target = model.spec.target
    frame = pd.DataFrame(
        counts, pd.Index(classes, name=f"true {target}"), pd.Index(classes, name=f"predicted {target}")
    )
    right, total = int(counts.trace()), int(counts.sum())
    text = TEXTS["confusion_matrix.text"].format(
        right=right,
        total=total,
        interval=format_interval(right, total),
        baseline=format_share(held_out.metrics["baseline_accuracy"]),
        test_rows=explain_test_rows(model),
    )
    if held_out.is_unbalanced:
        names = ("balanced_accuracy", "baseline_balanced_accuracy", "baseline_accuracy")
        balanced, baseline, share = (format_share(held_out.metrics[name]) for name in names)
        text = TEXTS["confusion_matrix.balanced"].format(balanced=balanced, baseline=baseline, share=share, text=text)
    return matrix_insight(model, TEXTS["confusion_matrix.title"], frame, text)


def matrix_insight(model: Model, title: str, frame: pd.DataFrame, text: str) -> Insight:
    """Return the insight of a confusion matrix.

    Parameters
    ----------
    model : Model
        Whose target it is that the axes name.
    title : str
    frame : DataFrame of shape (n_classes, n_classes)
        How many rows of each true class have each predicted one.
    text : str
    """
    import numpy as np

    counts = frame.to_numpy()
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_small = len(frame) <= FEW_CLASSES
    names = axis_label(model, str(frame.columns.name)), axis_label(model, str(frame.index.name))
    draw = partial(_drawing.matrix, frame=frame, rates=rates, with_rates=is_small, names=names)
    return Insight(title, frame, text, draw, height=3.6 if is_small else 4.6)


@takes_model
def class_metrics(model: Model) -> Insight:
    """Precision and recall of each class on the held-out set, with 95 % intervals.

    Returns
    -------
    Insight
        Its frame has a row for each class: ``precision`` and ``recall`` with the ends of their intervals
        (Wilson 1927), ``support`` (how many held-out rows are of it), and ``baseline``, which is what
        guessing by the shares of the classes gets for both.

    Raises
    ------
    NotApplicableError
        For a regression.

    Notes
    -----
    Sources: C. J. van Rijsbergen (1979), Information Retrieval, second edition, chapter 7; for the intervals E. B.
    Wilson (1927), Probable inference, the law of succession, and statistical inference, Journal of the American
    Statistical Association 22, 209-212, doi:10.1080/01621459.1927.10502953.
    """
    import numpy as np
    import pandas as pd

    classes = held_out_classes(model, "no_class_metrics")
    true, predicted = model.evaluation.y_true, model.evaluation.y_pred
    rows = []
    for name in classes:
        right = int(np.sum((true == name) & (predicted == name)))
        called, support = int(np.sum(predicted == name)), int(np.sum(true == name))
        (p_low, p_high), (r_low, r_high) = proportion_interval(right, called), proportion_interval(right, support)
        precision, recall = (right / n if n else np.nan for n in (called, support))
        rows.append((name, precision, p_low, p_high, recall, r_low, r_high, support / len(true), support))
    names = ["class", "precision", "precision from", "precision to", "recall", "recall from", "recall to"]
    frame = pd.DataFrame(rows, columns=[*names, "baseline", "support"])
    worst = frame.astype(object).loc[frame["recall"].idxmin()]  # of objects, or each would be a fraction
    key = "class_metrics.text_equal" if worst["recall"] == frame["recall"].max() else "class_metrics.text"
    text = TEXTS[key].format(
        support=worst["support"],
        name=worst["class"],
        recall=format_share(worst["recall"]),
        baseline=format_share(worst["baseline"]),
    )
    draw = partial(_drawing.class_intervals, frame=frame)
    return Insight(TEXTS["class_metrics.title"], frame, text, draw, height=1.6 + 0.45 * len(frame))


@takes_model
def calibration(model: Model) -> Insight:
    """Compare the probabilities of predictions with how often these are right.

    The held-out rows are put into groups of about the same number, by the probability of what was predicted.

    Returns
    -------
    Insight
        Its frame has for each group the mean ``probability``, the ``share right`` with the ends of its 95 %
        interval, and the number of ``rows``.

    Raises
    ------
    NotApplicableError
        For a model without probabilities.

    Notes
    -----
    Sources: C. Guo et al. (2017), On calibration of modern neural networks, ICML, arXiv:1706.04599 (the
    reliability of the predicted class); G. W. Brier (1950), Verification of forecasts expressed in terms of
    probability, Monthly Weather Review 78, 1-3. The score is that of :func:`sklearn.metrics.brier_score_loss`,
    summed over the classes; the baseline predicts the classes' shares every time.
    """
    import numpy as np
    import pandas as pd

    probabilities, true = held_out_probabilities(model), model.evaluation.y_true
    classes = np.asarray(model.classes, dtype=object)
    predicted = model.evaluation.y_pred
    sure = probabilities[np.arange(len(true)), [list(classes).index(name) for name in predicted.tolist()]]
    right = np.asarray(predicted == true)
    order = np.argsort(sure, kind="stable")
    rows = []
    for group in np.array_split(order, min(GROUPS, len(order))):
        low, high = proportion_interval(int(right[group].sum()), len(group))
        rows.append((sure[group].mean(), right[group].mean(), low, high, len(group)))
    frame = pd.DataFrame(rows, columns=["probability", "share right", "from", "to", "rows"])
    is_it = (classes[None, :] == np.asarray(true, dtype=object)[:, None]).astype(float)
    score, baseline = (
        float(((guess - is_it) ** 2).sum(axis=1).mean()) for guess in (probabilities, is_it.mean(axis=0))
    )
    text = TEXTS["calibration.text"].format(
        probability=format_share(sure.mean()), right=format_share(right.mean()), score=score, baseline=baseline
    )
    draw = partial(_drawing.reliability, frame=frame)
    return Insight(TEXTS["calibration.title"], frame, text, draw, height=3.4)


def held_out_classes(model: Model, reason: str) -> list[Any]:
    """Return the model's classes, and those that only held-out rows have; for a regression raise the reason."""
    if model.classes is None:
        raise NotApplicableError(TEXTS[reason].format(model=model.spec.title))
    return [*model.classes, *sorted(set(model.evaluation.y_true.tolist()) - set(model.classes))]
