"""How well a model does on rows it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib.errors import NotApplicableError
from irislib.insights.base import Insight
from irislib.theme import AUBERGINE, INK, ORANGE, PAPER
from irislib.wording import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from irislib.model import Model

__all__ = ["confusion_matrix", "predicted_against_true"]


def confusion_matrix(model: Model) -> Insight:
    """How often each class of the held-out set was taken for which.

    Returns
    -------
    Insight
        Its frame has a row for each true class and a column for each predicted one.

    Raises
    ------
    NotApplicableError
        For a regression.
    """
    import pandas as pd
    from matplotlib.colors import LinearSegmentedColormap
    from sklearn.metrics import confusion_matrix as count

    classes = model.classes
    if classes is None:
        raise NotApplicableError(f"{model.spec.title} predicts a number: there are no classes to confuse.")
    held_out = model.evaluation
    # a rare class may be among the held-out rows only
    classes = [*classes, *sorted(set(held_out.y_true.tolist()) - set(classes))]
    counts = count(held_out.y_true, held_out.y_pred, labels=classes)
    target = model.spec.target
    frame = pd.DataFrame(
        counts, pd.Index(classes, name=f"true {target}"), pd.Index(classes, name=f"predicted {target}")
    )
    right, total = int(counts.trace()), int(counts.sum())
    text = (
        f"{right} of {total} held-out rows were predicted rightly ({right / total:.0%}); always "
        f"answering the commonest class would get {held_out.metrics['baseline_accuracy']:.0%}."
    )

    def draw(axes: Axes) -> None:
        shades = LinearSegmentedColormap.from_list("aubergine", [PAPER, AUBERGINE])
        axes.imshow(counts, cmap=shades, vmin=0, vmax=max(1, counts.max()))
        axes.set_xticks(range(len(classes)), [str(name) for name in classes])
        axes.set_yticks(range(len(classes)), [str(name) for name in classes])
        axes.set_xlabel(frame.columns.name)
        axes.set_ylabel(frame.index.name)
        for (i, j), n in [((i, j), counts[i, j]) for i in range(len(classes)) for j in range(len(classes))]:
            colour = PAPER if n > counts.max() / 2 else INK
            axes.text(j, i, str(n), ha="center", va="center", color=colour, fontsize=13)

    return Insight("How often it is right, and what it confuses", frame, text, draw, height=3.6)


def predicted_against_true(model: Model) -> Insight:
    """Predicted and true values of the held-out set, for a regression.

    Raises
    ------
    NotApplicableError
        For a classifier.
    """
    import pandas as pd

    if model.classes is not None:
        raise NotApplicableError(f"{model.spec.title} predicts a class; see confusion_matrix.")
    held_out, unit = model.evaluation, model.spec.target_unit
    true, predicted = (f"{what} {model.spec.target}" + (f" ({unit})" if unit else "") for what in ("true", "predicted"))
    frame = pd.DataFrame({true: held_out.y_true, predicted: held_out.y_pred})
    error, baseline = (held_out.metrics[f"{p}mean_absolute_error"] for p in ("", "baseline_"))
    text = (
        f"On {len(frame)} held-out rows the prediction is off by {readable(error, 3)} {unit} on average; always "
        f"answering the median would be off by {readable(baseline, 3)} {unit}."
    )
    text = text.replace("  ", " ").replace(" .", ".")

    def draw(axes: Axes) -> None:
        axes.scatter(frame[true], frame[predicted], color=AUBERGINE, alpha=0.6, edgecolors="none")
        ends = [frame.to_numpy().min(), frame.to_numpy().max()]
        axes.plot(ends, ends, color=ORANGE, linewidth=2)
        axes.set_xlabel(true)
        axes.set_ylabel(predicted)

    return Insight("How near its predictions are", frame, text, draw, height=3.6)
