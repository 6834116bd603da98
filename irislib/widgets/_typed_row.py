"""A row of the data as a person would type it: without digits that change nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["typed_row"]

LONG = 6  # significant digits; a number with more of them is shortened
SHORT = 3  # significant digits that are tried first
EXACT = 17  # significant digits that tell any two numbers apart


def typed_row(model: Model | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its long numbers rounded as far as the answer and its warnings stay the same.

    A number is never rounded to fewer decimals than its feature's step has.
    """
    features = [] if model is None else model.spec.features
    long = [feature for feature in features if _is_long(feature, row.get(feature.name))]
    if model is None or not long:
        return dict(row)
    answer = _answer(model, row)
    for digits in range(SHORT, EXACT) if answer else ():
        shorter = {**row, **{feature.name: _round(row[feature.name], digits, feature.step) for feature in long}}
        if _answer(model, shorter) == answer:
            return shorter
    return dict(row)


def _is_long(feature: Feature, value: Any) -> bool:
    is_number = feature.type.name == "number" and isinstance(value, float) and math.isfinite(value)
    return is_number and float(f"{value:.{LONG}g}") != value


def _round(value: float, digits: int, step: float | None) -> float:
    """Round to significant digits, but no further than to whole numbers and to the decimals of the step."""
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    exponent = Decimal(str(step or 1)).normalize().as_tuple().exponent
    return round(value, max(decimals, -int(exponent), 0))


def _answer(model: Model, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the page says about a row, without the values in it; nothing if it cannot be predicted."""
    try:
        prediction = model.predict_row(row)
    except Exception:  # the page says so once it is asked
        return ()
    shares = [format_share(share) for share in (prediction.probabilities or {}).values()]
    return prediction.answer, shares, [warning.feature for warning in prediction.warnings]
