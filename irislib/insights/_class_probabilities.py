"""How sure a model is of one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib.insights._background import as_prediction, by_probability
from irislib.insights._base import Insight, bars

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["class_probabilities"]


def class_probabilities(model: Model, row: Mapping[str, Any] | Prediction) -> Insight:
    """Probability of each class for one row, the likeliest first.

    Parameters
    ----------
    model : Model
    row : mapping or Answer
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
    answer = as_prediction(model, row)
    frame = by_probability(model, answer)
    # the prediction need not be the likeliest class: an estimator may have a threshold of its own
    text = f"{answer.prediction} with a probability of {(answer.probabilities or {})[answer.prediction]:.0%}."
    draw = bars(frame, frame.columns[0], "probability")
    return Insight("How sure it is", frame, text, draw, 0.8 + 0.45 * len(frame), bar="probability")
