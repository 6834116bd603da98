"""Values and measures in the sentences and column names of insights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value
from irislib._common.language import column_label
from irislib._common.messages.insights import TEXTS

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["SPREAD", "explain_test_rows", "explained", "format_feature", "format_target", "with_target_unit"]

SPREAD = "standard deviation"


def with_target_unit(model: Model, name: str) -> str:
    """Return the name of a column with the target's unit."""
    return f"{name} ({model.spec.target_unit})" if model.spec.target_unit else name


def format_target(model: Model, value: float) -> str:
    """Format a number of the target's unit for a sentence."""
    return f"{format_value(value, 3)} {model.spec.target_unit}".rstrip()


def format_feature(feature: Feature, value: Any, digits: int = 4) -> str:
    """Format a feature's value for a sentence, with its unit."""
    import pandas as pd

    return TEXTS["left_empty"] if pd.isna(value) else f"{feature.type.format(value, digits)} {feature.unit}".rstrip()


def explain_test_rows(model: Model) -> str:
    """Return the sentence that says what test rows are."""
    if "evaluated_on" in model.data:
        return TEXTS["test_rows.given"]
    return TEXTS["test_rows.fitted" if model.is_fitted_elsewhere else "test_rows.trained"]


def explained(measure: str) -> str:
    """Return the name of a measure, followed for R² by its meaning."""
    if measure == "R²":
        return TEXTS["measure_explained"].format(measure=measure, meaning=TEXTS["explained"])
    return column_label(measure)
