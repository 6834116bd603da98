"""Values and measures in the sentences and column names of insights."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import ANSWER_DIGITS, format_value
from irislib._common.language import column_label, column_labels
from irislib._common.messages.insights import TEXTS
from irislib._description.translation import target_labels

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = [
    "SPREAD",
    "axis_label",
    "explain_test_rows",
    "explained",
    "format_feature",
    "format_target",
    "number_column",
    "range_decimals",
    "with_target_unit",
]

DIGITS, MOST_DIGITS = 4, 12  # significant digits of a feature's value
RANGE_PARTS = 1000  # of a feature's range, which two values are told apart by
SPREAD = "standard deviation"


def with_target_unit(model: Model, name: str) -> str:
    """Return the name of a column with the target's unit."""
    unit = f"({model.spec.target_unit})"
    return f"{name} {unit}" if model.spec.target_unit and not name.endswith(unit) else name


def number_column(model: Model, *others: str) -> str:
    """Return the name of the column of a predicted number: the target's, unless the table has it for another column."""
    target = model.spec.target
    name = with_target_unit(model, target)
    return with_target_unit(model, f"predicted {target}") if name in others else name


def axis_label(model: Model, name: str) -> str:
    """Return the name of a column as an axis has it: with the target's label, in the current language."""
    with column_labels(target_labels(model.spec)):
        return column_label(name)


def format_target(model: Model, value: float, digits: int = ANSWER_DIGITS) -> str:
    """Format a number of the target's unit for a sentence."""
    return f"{format_value(value, digits)} {model.spec.target_unit}".rstrip()


def range_decimals(model: Model, feature: Feature, parts: int) -> int:
    """Return how many decimals tell that many parts of a feature's range apart; 0 without a range of numbers."""
    low, high = (model.coverage.get(feature.name, {}).get(end) for end in ("low", "high"))
    if not isinstance(low, int | float) or not isinstance(high, int | float) or not 0 < high - low < math.inf:
        return 0
    return max(0, -math.floor(math.log10((high - low) / parts)))


def format_feature(model: Model, feature: Feature, value: Any, digits: int = DIGITS) -> str:
    """Format a feature's value for a sentence, with its unit.

    A number has as many digits as tell the parts of the feature's range apart: -118.243 is not -118.2.
    """
    import pandas as pd

    if pd.isna(value):
        return TEXTS["left_empty"]
    if isinstance(value, numbers.Real) and value and math.isfinite(value):
        before_decimals = 1 + math.floor(math.log10(abs(value)))
        digits = max(digits, min(before_decimals + range_decimals(model, feature, RANGE_PARTS), MOST_DIGITS))
    return f"{feature.type.format(value, digits)} {feature.unit}".rstrip()


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
