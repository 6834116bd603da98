"""The probability of each class for one row."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._common.messages.insights import TEXTS
from irislib._modeling.arguments import takes_model
from irislib.insights import _drawing
from irislib.insights._background import as_prediction, by_probability
from irislib.insights._base import Insight

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["class_probabilities"]


@takes_model
def class_probabilities(model: Model, row: Mapping[str, Any] | Prediction) -> Insight:
    """Probability of each class for one row, the likeliest first.

    Parameters
    ----------
    model : Model
    row : mapping, Series, DataFrame of one row, or Prediction
        The features' values, or what ``model.predict_row`` made of them.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    NotApplicableError
        For a model without probabilities.

    Notes
    -----
    Source: T. Hastie, R. Tibshirani and J. Friedman (2009), The Elements of Statistical Learning, second edition,
    section 2.4, doi:10.1007/978-0-387-84858-7. They are the estimator's own.
    """
    model.require_probabilities()
    prediction = as_prediction(model, row)
    frame = by_probability(model, prediction)
    # the prediction need not be the likeliest class: an estimator may have a threshold of its own
    if prediction.threshold:
        text = f"{prediction.answer}."
    else:
        probability = format_share((prediction.probabilities or {})[prediction.prediction])
        text = TEXTS["class_probabilities.text"].format(prediction=prediction.prediction, probability=probability)
    draw = partial(_drawing.bars, frame=frame, names=frame.columns[0], values="probability")
    return Insight(TEXTS["class_probabilities.title"], frame, text, draw, 0.8 + 0.45 * len(frame), bar="probability")
