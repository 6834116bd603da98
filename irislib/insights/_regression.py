"""Errors of a regression on rows it has not seen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.errors import NotApplicableError
from irislib.insights import _drawing
from irislib.insights._base import Insight
from irislib.insights._phrases import axis_label, explain_test_rows, format_target, with_target_unit

if TYPE_CHECKING:
    import numpy as np

    from irislib._modeling.evaluation import Evaluation
    from irislib._modeling.model import Model

__all__ = ["predicted_against_true", "residuals"]

QUANTILE = 0.9  # of the errors, that the sentence reports


@takes_model
def predicted_against_true(model: Model) -> Insight:
    """Compare predicted and true values of the held-out set, with R², MAE and RMSE.

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
    true, predicted = (with_target_unit(model, f"{kind} {model.spec.target}") for kind in ("true", "predicted"))
    frame = pd.DataFrame({true: held_out.y_true, predicted: held_out.y_pred})
    errors = [held_out.metrics[name] for name in ("mean_absolute_error", "root_mean_squared_error")]
    whose, guessed = _errors_of_median(held_out)
    error, root, baseline = (format_target(model, float(number)) for number in (*errors, guessed.mean()))
    text = TEXTS["predicted_against_true.text"].format(
        rows=len(frame), error=error, root=root, whose=whose, baseline=baseline, explained=TEXTS["explained"],
        r2=held_out.metrics["r2"], test_rows=explain_test_rows(model),
    )  # fmt: skip
    draw = partial(_drawing.points_on_diagonal, frame=frame, names=[axis_label(model, name) for name in frame])
    return Insight(TEXTS["predicted_against_true.title"], frame, text, draw, height=3.6)


@takes_model
def residuals(model: Model) -> Insight:
    """Subtract the predictions from the true values of the held-out set.

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
    predicted, residual = (
        with_target_unit(model, f"predicted {model.spec.target}"),
        with_target_unit(model, "true less predicted"),
    )
    frame = pd.DataFrame({predicted: held_out.y_pred, residual: held_out.y_true - held_out.y_pred})
    most = float(np.quantile(frame[residual].abs(), QUANTILE, method="higher"))
    whose, guessed = _errors_of_median(held_out)
    mean, baseline = frame[residual].mean(), np.quantile(guessed, QUANTILE, method="higher")
    text = TEXTS["residuals.text_above" if mean > 0 else "residuals.text_below"].format(
        whose=whose, share=QUANTILE, rows=len(frame), most=format_target(model, most),
        baseline=format_target(model, float(baseline)), mean=format_target(model, abs(mean)),
    )  # fmt: skip
    label = TEXTS["residuals.band"].format(share=QUANTILE)
    names = [axis_label(model, name) for name in frame]
    draw = partial(_drawing.points_around_zero, frame=frame, band=most, label=label, names=names)
    return Insight(TEXTS["residuals.title"], frame, text, draw, height=3.6)


def _errors_of_median(held_out: Evaluation) -> tuple[str, np.ndarray]:
    """Return which median a baseline answers, and how far off it is: the rows' own if the training rows' is unknown."""
    import numpy as np

    own = held_out.median is None
    guess = np.median(held_out.y_true) if own else held_out.median
    return TEXTS["residuals.own_median" if own else "residuals.median"], np.abs(held_out.y_true - guess)


def require_numbers(model: Model, instead: str) -> None:
    """Raise NotApplicableError for a classifier, naming what suits it."""
    if model.classes is not None:
        raise NotApplicableError(TEXTS["no_number"].format(model=model.spec.title, instead=instead))
