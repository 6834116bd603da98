"""What several insights ask of a model, and how they put it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib.errors import NotApplicableError
from irislib.wording import readable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib.feature import Feature
    from irislib.model import Answer, Model

__all__ = ["amount", "answered", "by_probability", "held_out_probabilities", "measured", "said"]


def answered(model: Model, row: Mapping[str, Any] | Answer) -> Answer:
    """The answer to a row, where it is not one already."""
    return model.answer(row) if isinstance(row, Mapping) else row


def by_probability(model: Model, answer: Answer) -> pd.DataFrame:
    """The classes and their probabilities, the likeliest first."""
    import pandas as pd

    given = sorted((answer.probabilities or {}).items(), key=lambda item: -item[1])
    name = model.spec.target if model.spec.target != "probability" else "class"
    return pd.DataFrame(given, columns=[name, "probability"])


def held_out_probabilities(model: Model) -> np.ndarray:
    """Those of the held-out rows, of shape (n_test, n_classes).

    Raises
    ------
    NotApplicableError
        For a model without probabilities.
    """
    model.require_probabilities()
    given = model.evaluation.y_proba
    if given is None:
        raise NotApplicableError(f"{model.spec.title} was evaluated without probabilities.")
    return given


def measured(model: Model, what: str) -> str:
    """The name of a column, with the target's unit."""
    return f"{what} ({model.spec.target_unit})" if model.spec.target_unit else what


def amount(model: Model, value: float) -> str:
    """A number of the target's unit, as a sentence has it."""
    return f"{readable(value, 3)} {model.spec.target_unit}".rstrip()


def said(feature: Feature, value: Any) -> str:
    """A feature's value, as a sentence has it."""
    import pandas as pd

    if feature.kind == "boolean" and not pd.isna(value):
        return "yes" if value else "no"
    return "left empty" if pd.isna(value) else f"{readable(value, 4)} {feature.unit}".rstrip()
