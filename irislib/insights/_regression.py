"""How well a regression does on rows it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib._common.theme import AUBERGINE, ORANGE, WARM_GREY
from irislib.errors import NotApplicableError
from irislib.insights._background import EXPLAINED, format_target, with_target_unit
from irislib.insights._base import Insight, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from irislib._modeling.model import Model

__all__ = ["predicted_against_true", "residuals"]

MOST = 0.9  # of the errors, which a sentence speaks of


def predicted_against_true(model: Model) -> Insight:
    """Predicted and true values of the held-out set, with R², MAE and RMSE.

    Raises
    ------
    NotApplicableError
        For a classifier.

    Notes
    -----
    Source: for the measures C. J. Willmott and K. Matsuura (2005), Advantages of the mean absolute error over the root
    mean square error in assessing average model performance, Climate Research 30, 79-82, doi:10.3354/cr030079.
    """
    import pandas as pd

    require_numbers(model, "confusion_matrix")
    held_out = model.evaluation
    true, predicted = (with_target_unit(model, f"{what} {model.spec.target}") for what in ("true", "predicted"))
    frame = pd.DataFrame({true: held_out.y_true, predicted: held_out.y_pred})
    named = ("mean_absolute_error", "baseline_mean_absolute_error", "root_mean_squared_error")
    error, baseline, root = (format_target(model, held_out.metrics[name]) for name in named)
    text = (
        f"On {len(frame)} rows that it had not seen the prediction is off by {error} on average (large errors counting "
        f"more, by {root}: RMSE); always answering the median would be off by {baseline}. R², {EXPLAINED}, is "
        f"{held_out.metrics['r2']:.2f}."
    )

    def draw(axes: Axes) -> None:
        axes.scatter(frame[true], frame[predicted], color=AUBERGINE, alpha=0.6, edgecolors="none")
        ends = [frame.to_numpy().min(), frame.to_numpy().max()]
        axes.plot(ends, ends, color=ORANGE, linewidth=2)
        axes.set_xlabel(true)
        axes.set_ylabel(predicted)

    return Insight("How near its predictions are", frame, text, draw, height=3.6)


def residuals(model: Model) -> Insight:
    """What is left of the true values when the predictions are taken off, on the held-out set.

    A cloud around zero that is as high everywhere is what one hopes for.

    Raises
    ------
    NotApplicableError
        For a classifier.

    Notes
    -----
    Source: R. D. Cook and S. Weisberg (1982), Residuals and Influence in Regression, chapter 2.
    """
    import numpy as np
    import pandas as pd

    require_numbers(model, "class_metrics")
    held_out = model.evaluation
    predicted, left = (
        with_target_unit(model, f"predicted {model.spec.target}"),
        with_target_unit(model, "true less predicted"),
    )
    frame = pd.DataFrame({predicted: held_out.y_pred, left: held_out.y_true - held_out.y_pred})
    most = float(np.quantile(frame[left].abs(), MOST, method="higher"))
    guessed = np.abs(held_out.y_true - np.median(held_out.y_true))
    mean, baseline = frame[left].mean(), np.quantile(guessed, MOST, method="higher")
    text = (
        f"At least {MOST:.0%} of the {len(frame)} rows that it had not seen are off by no more than "
        f"{format_target(model, most)} (always answering the median: {format_target(model, float(baseline))}); on "
        f"average they are "
        f"{format_target(model, abs(mean))} {'above' if mean > 0 else 'below'} the prediction."
    )

    def draw(axes: Axes) -> None:
        axes.axhspan(-most, most, color=WARM_GREY, alpha=0.25, label=f"{MOST:.0%} of the rows")
        axes.axhline(0, color=ORANGE, linewidth=2)
        axes.scatter(frame[predicted], frame[left], color=AUBERGINE, alpha=0.6, edgecolors="none")
        axes.set_xlabel(predicted)
        axes.set_ylabel(left)
        legend(axes)

    return Insight("How its errors are spread", frame, text, draw, height=3.6)


def require_numbers(model: Model, instead: str) -> None:
    """Raise NotApplicableError for a classifier, naming what suits it."""
    if model.classes is not None:
        raise NotApplicableError(f"{model.spec.title} predicts a class; see {instead}.")
