"""How sure a model is of one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib.insights.base import Insight, bars

if TYPE_CHECKING:
    from irislib.model import Answer, Model

__all__ = ["class_probabilities"]


def class_probabilities(model: Model, row: Mapping[str, Any] | Answer) -> Insight:
    """Probability of each class for one row, the likeliest first.

    Parameters
    ----------
    model : Model
    row : mapping or Answer
        The features' values, or what ``model.answer`` made of them.

    Raises
    ------
    ValidationError
        Naming every wrong value.
    NotApplicableError
        For a model without probabilities.
    """
    import pandas as pd

    model.require_probabilities()
    answer = model.answer(row) if isinstance(row, Mapping) else row
    given = answer.probabilities or {}
    name = model.spec.target if model.spec.target != "probability" else "class"
    frame = pd.DataFrame(sorted(given.items(), key=lambda item: -item[1]), columns=[name, "probability"])
    # the prediction need not be the likeliest class: an estimator may have a threshold of its own
    text = f"{answer.prediction} with a probability of {given[answer.prediction]:.0%}."
    draw = bars(frame, name, "probability")
    return Insight("How sure it is", frame, text, draw, height=0.8 + 0.45 * len(frame))
