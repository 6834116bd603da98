"""How well a classifier does on rows it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._common.theme import AUBERGINE, INK, ORANGE, PAPER, WARM_GREY
from irislib.errors import NotApplicableError
from irislib.insights._background import held_out_probabilities
from irislib.insights._base import Insight, legend
from irislib.insights._confidence_intervals import format_interval, proportion_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from irislib._modeling.model import Model

__all__ = ["calibration", "class_metrics", "confusion_matrix"]

GROUPS = 5  # of held-out rows, by how sure the model was of them


def confusion_matrix(model: Model) -> Insight:
    """How often each class of the held-out set was taken for which.

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
    import numpy as np
    import pandas as pd
    from matplotlib.colors import LinearSegmentedColormap
    from sklearn.metrics import confusion_matrix as count

    classes = held_out_classes(model, "there are no classes to confuse")
    held_out = model.evaluation
    counts = count(held_out.y_true, held_out.y_pred, labels=classes)
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    target = model.spec.target
    frame = pd.DataFrame(
        counts, pd.Index(classes, name=f"true {target}"), pd.Index(classes, name=f"predicted {target}")
    )
    right, total = int(counts.trace()), int(counts.sum())
    text = (
        f"{right} of {total} rows that it had not seen were predicted rightly, {format_interval(right, total)}; always "
        f"answering the commonest class would get {held_out.metrics['baseline_accuracy']:.0%}."
    )
    few = len(classes) <= 5

    def draw(axes: Axes) -> None:
        shades = LinearSegmentedColormap.from_list("aubergine", [PAPER, AUBERGINE])
        axes.imshow(rates, cmap=shades, vmin=0, vmax=1)
        axes.set_xticks(range(len(classes)), [str(name) for name in classes])
        axes.set_yticks(range(len(classes)), [str(name) for name in classes])
        axes.set_xlabel(frame.columns.name)
        axes.set_ylabel(frame.index.name)
        for i, j in np.ndindex(counts.shape):
            said = f"{counts[i, j]}\n{rates[i, j]:.0%}" if few else str(counts[i, j])
            colour = PAPER if rates[i, j] > 0.5 else INK
            axes.text(j, i, said, ha="center", va="center", color=colour, fontsize=11 if few else 9)

    return Insight("How often it is right, and what it confuses", frame, text, draw, height=3.6 if few else 4.6)


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

    classes = held_out_classes(model, "precision and recall are of classes")
    true, predicted = model.evaluation.y_true, model.evaluation.y_pred
    rows = []
    for name in classes:
        right = int(np.sum((true == name) & (predicted == name)))
        told, there = int(np.sum(predicted == name)), int(np.sum(true == name))
        (p_low, p_high), (r_low, r_high) = proportion_interval(right, told), proportion_interval(right, there)
        precision, recall = (right / n if n else np.nan for n in (told, there))
        rows.append((name, precision, p_low, p_high, recall, r_low, r_high, there / len(true), there))
    names = ["class", "precision", "precision from", "precision to", "recall", "recall from", "recall to"]
    frame = pd.DataFrame(rows, columns=[*names, "baseline", "support"])
    worst = frame.astype(object).loc[frame["recall"].idxmin()]  # of objects, or each would be a fraction
    if worst["recall"] == frame["recall"].max():
        text = (
            f"Of the rows of each class that it had not seen, {worst['recall']:.0%} were found; guessing by the "
            "classes' shares would find the class's share."
        )
    else:
        text = (
            f"Of the {worst['support']} rows of {worst['class']} that it had not seen, {worst['recall']:.0%} were "
            f"found, the least of all classes; guessing by the classes' shares would find {worst['baseline']:.0%}."
        )

    def draw(axes: Axes) -> None:
        places = np.arange(len(frame))
        for what, shift, colour, mark in (("precision", -0.14, AUBERGINE, "o"), ("recall", 0.14, ORANGE, "s")):
            low, high = (abs(frame[f"{what} {end}"] - frame[what]) for end in ("from", "to"))
            axes.errorbar(frame[what], places + shift, xerr=[low, high], fmt=mark, color=colour, capsize=3, label=what)
        axes.plot(frame["baseline"], places, "|", color=INK, markersize=16, label="guessing")
        axes.set_yticks(places, frame["class"].astype(str))
        axes.invert_yaxis()
        axes.set_xlim(0, 1.02)
        axes.set_xlabel("share of the rows it had not seen, with 95% interval")
        legend(axes)

    return Insight("How well it finds each class", frame, text, draw, height=1.6 + 0.45 * len(frame))


def calibration(model: Model) -> Insight:
    """Whether answers told with a probability of 80 % are right in 80 % of the cases.

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
    summed over the classes; the baseline tells the classes' shares every time.
    """
    import numpy as np
    import pandas as pd

    told, true = held_out_probabilities(model), model.evaluation.y_true
    classes = np.asarray(model.classes, dtype=object)
    predicted = model.evaluation.y_pred
    sure = told[np.arange(len(told)), [list(classes).index(each) for each in predicted.tolist()]]
    right = np.asarray(predicted == true)
    order = np.argsort(sure, kind="stable")
    rows = []
    for group in np.array_split(order, min(GROUPS, len(order))):
        low, high = proportion_interval(int(right[group].sum()), len(group))
        rows.append((sure[group].mean(), right[group].mean(), low, high, len(group)))
    frame = pd.DataFrame(rows, columns=["probability", "share right", "from", "to", "rows"])
    is_it = (classes[None, :] == np.asarray(true, dtype=object)[:, None]).astype(float)
    score, baseline = (float(((guess - is_it) ** 2).sum(axis=1).mean()) for guess in (told, is_it.mean(axis=0)))
    text = (
        f"Its answers were told with a mean probability of {sure.mean():.0%}, {right.mean():.0%} of them were right; "
        f"the Brier score is {score:.2f}, where 0 is best and telling the classes' shares gets {baseline:.2f}."
    )

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=WARM_GREY, linestyle=":", label="as sure as it is right")
        errors = [frame["share right"] - frame["from"], frame["to"] - frame["share right"]]
        axes.errorbar(
            frame["probability"], frame["share right"], yerr=errors, fmt="o-", color=AUBERGINE, ecolor=ORANGE,
            capsize=3, label="this model, with 95% interval",
        )  # fmt: skip
        axes.set_xlim(min(0.45, frame["probability"].min() - 0.05), 1.02)
        axes.set_ylim(-0.02, 1.04)
        axes.set_xlabel("probability of the predicted class")
        axes.set_ylabel("share right")
        legend(axes)

    return Insight("Whether to trust its probabilities", frame, text, draw, height=4)


def held_out_classes(model: Model, why_not: str) -> list[Any]:
    """The model's classes, and those that only held-out rows have."""
    if model.classes is None:
        raise NotApplicableError(f"{model.spec.title} predicts a number: {why_not}.")
    return [*model.classes, *sorted(set(model.evaluation.y_true.tolist()) - set(model.classes))]
