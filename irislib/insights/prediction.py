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
    given = pd.DataFrame(list((answer.probabilities or {}).items()), columns=[model.spec.target, "probability"])
    frame = given.sort_values("probability", ascending=False, kind="stable", ignore_index=True)
    text = f"{answer.prediction} with a probability of {frame['probability'][0]:.0%}."
    draw = bars(frame, model.spec.target, "probability")
    return Insight("How sure it is", frame, text, draw, height=0.8 + 0.45 * len(frame))
