"""What several insights ask of a model, and how they put it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value
from irislib.errors import NotApplicableError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = [
    "EXPLAINED",
    "SPREAD",
    "as_prediction",
    "background_rows",
    "by_probability",
    "format_feature",
    "format_target",
    "held_out_probabilities",
    "mix_rows",
    "scorer",
    "with_target_unit",
]

EXPLAINED = "how much of the differences between rows it explains, at most 1"  # what R² is
SPREAD = "standard deviation"
BACKGROUND = 100  # held-out rows that stand for what is usual


def as_prediction(model: Model, row: Mapping[str, Any] | Prediction) -> Prediction:
    """The answer to a row, where it is not one already."""
    return model.predict_row(row) if isinstance(row, Mapping) else row


def by_probability(model: Model, answer: Prediction) -> pd.DataFrame:
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


def with_target_unit(model: Model, what: str) -> str:
    """The name of a column, with the target's unit."""
    return f"{what} ({model.spec.target_unit})" if model.spec.target_unit else what


def format_target(model: Model, value: float) -> str:
    """A number of the target's unit, as a sentence has it."""
    return f"{format_value(value, 3)} {model.spec.target_unit}".rstrip()


def format_feature(feature: Feature, value: Any) -> str:
    """A feature's value, as a sentence has it."""
    import pandas as pd

    if feature.kind == "boolean" and not pd.isna(value):
        return "yes" if value else "no"
    return "left empty" if pd.isna(value) else f"{format_value(value, 4)} {feature.unit}".rstrip()


def scorer(model: Model) -> tuple[str, Callable[..., float]]:
    """What is measured of a model on rows, whatever else its estimator was chosen by: the name, and the function."""
    from sklearn.metrics import accuracy_score, r2_score

    return ("R²", r2_score) if model.classes is None else ("accuracy", accuracy_score)


def background_rows(model: Model) -> pd.DataFrame:
    """Held-out rows that stand for what is usual."""
    held_out = model.evaluation.features
    if len(held_out) <= BACKGROUND:
        return held_out
    return held_out.sample(BACKGROUND, random_state=model.spec.random_state)


def mix_rows(row: pd.DataFrame, usual: pd.DataFrame, ours: np.ndarray, theirs: np.ndarray) -> pd.DataFrame:
    """Rows that have some values of one row, the others of usual ones.

    Parameters
    ----------
    row : DataFrame of shape (1, n_features)
    usual : DataFrame of shape (n_usual, n_features)
    ours : ndarray of bool of shape (n_rows, n_features)
        Which values are those of the one row.
    theirs : ndarray of int of shape (n_rows,)
        Which of the usual rows the others are of.
    """
    import numpy as np
    import pandas as pd

    both = pd.concat([usual, row.astype(usual.dtypes.to_dict())], ignore_index=True)
    return pd.DataFrame({
        name: both[name].array.take(np.where(ours[:, i], len(usual), theirs)) for i, name in enumerate(both)
    })  # fmt: skip
