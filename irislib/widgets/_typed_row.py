"""A row of the data as a person would type it: without digits that change nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib.insights._phrases import range_decimals

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["typed_row"]

LONG = 6  # significant digits; a number with more of them is shortened
DIGITS = (3, 4, 5, 6, 8, 10, 13)  # significant digits that are tried, for all long numbers at once
ALONE = (3, 5)  # and one by one, if the answer hangs on one of them
RANGE_PARTS = 100  # what is rounded away is at most such a part of the feature's range
MAX_ALONE = 30  # long numbers; no more are shortened one by one


def typed_row(model: Model | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its long numbers rounded as far as the answer and its warnings stay the same.

    A number is never rounded to fewer decimals than its feature's step has, nor to more than a hundredth of its range.
    """
    features = [] if model is None else model.spec.features
    long = [feature for feature in features if _is_long(feature, row.get(feature.name))]
    if model is None or not long:
        return dict(row)
    answer, typed = _answer(model, row), dict(row)
    for digits in DIGITS if answer else ():
        typed = {**row, **{feature.name: _round(model, feature, row[feature.name], digits) for feature in long}}
        if _answer(model, typed) == answer:
            break
    else:
        return dict(row)
    for feature in long if digits > DIGITS[0] and len(long) <= MAX_ALONE else ():
        for fewer in ALONE:
            shorter = {**typed, feature.name: _round(model, feature, row[feature.name], fewer)}
            if fewer < digits and _answer(model, shorter) == answer:
                typed = shorter
                break
    return typed


def _is_long(feature: Feature, value: Any) -> bool:
    is_number = feature.type.name == "number" and isinstance(value, float) and math.isfinite(value)
    return is_number and float(f"{value:.{LONG}g}") != value


def _round(model: Model, feature: Feature, value: float, digits: int) -> float:
    """Round to significant digits, but not beyond whole numbers, the decimals of the step, and 1/100 of the range.

    The smallest and the largest value of the training data stay within them.
    """
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    exponent = Decimal(str(feature.step or 1)).normalize().as_tuple().exponent
    decimals = max(decimals, -int(exponent), 0, range_decimals(model, feature, RANGE_PARTS))
    number, covered = round(value, decimals), model.coverage.get(feature.name, {})
    if value <= covered.get("high", math.inf) < number:
        number -= 10**-decimals
    elif number < covered.get("low", -math.inf) <= value:
        number += 10**-decimals
    return round(number, decimals)


def _answer(model: Model, row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what the page says about a row, without the values in it; nothing if it cannot be predicted."""
    try:
        prediction = model.predict_row(row)
    except Exception:  # the page says so once it is asked
        return ()
    shares = [format_share(share) for share in (prediction.probabilities or {}).values()]
    return prediction.answer, shares, [warning.feature for warning in prediction.warnings]
