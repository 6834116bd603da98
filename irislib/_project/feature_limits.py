"""Limits and suggestions of drafted features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._project import column_checks

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["limit_reasons", "refined"]

SUGGESTIONS = 10  # of a category with many values
# Of numbers that cannot be below 0, by the words in their names or by their units.
NOT_NEGATIVE = {"age", "count", "length", "width", "height", "weight", "area", "distance", "duration", "volume"}
NOT_NEGATIVE |= {"size", "radius", "diameter", "perimeter", "thickness", "mileage", "population", "rooms", "bedrooms"}
NOT_NEGATIVE |= {"qty", "bathrooms", "quantity", "tenure", "minutes", "hours", "seconds", "days", "months", "visits"}
NOT_NEGATIVE |= {"mass"}
UNITS = {"mm", "cm", "km", "m", "mg", "g", "kg", "t", "ml", "l", "ms", "s", "kwh", "hz", "khz", "mhz", "m²", "m³"}
UNITS |= {"hpa"}
RELATIVE = {"change", "diff", "difference", "delta", "log", "scaled", "normalized", "relative", "growth", "balance"}
RELATIVE |= {"temp", "temperature", "temperatur", "lat", "latitude", "lon", "lng", "longitude", "profit", "rate"}
RELATIVE |= {"index", "return", "returns", "sentiment", "altitude", "elevation", "x", "y", "score", "net", "gain"}
RELATIVE |= {"deviation", "error", "residual", "offset", "z", "std"}


def refined(features: Sequence[Feature], frame: pd.DataFrame) -> list[Feature]:
    """Return inferred features with limits and suggestions; columns named alike have the same limit."""
    own = [_refined(feature, frame) for feature in features]
    alike = {_named_alike(feature) for feature in own if feature.low == 0} - {None}
    return [
        replace(feature, low=0)
        if feature.low is None and _named_alike(feature) in alike and frame[feature.column].min() >= 0
        else feature
        for feature in own
    ]


def _named_alike(feature: Feature) -> tuple[str, str] | None:
    """Return what a number has in common with others of its series: the first of several words, and the unit."""
    name_words = column_checks.words_of(feature.column)
    is_number = feature.kind in ("number", "integer") and RELATIVE.isdisjoint(name_words)
    return (name_words[0], feature.unit) if is_number and len(name_words) > 1 else None


def _refined(feature: Feature, frame: pd.DataFrame) -> Feature:
    values = frame[feature.column]
    if feature.kind == "text":
        if column_checks.text_kind(values) == "words":
            return replace(feature, control="textarea")
        counts = values.dropna().astype(str).value_counts()
        frequent = tuple(counts.index[counts >= 2][:SUGGESTIONS])
        return replace(feature, control="suggestions", choices=frequent) if frequent else feature
    if _is_not_negative(feature) and values.notna().any() and values.min() >= 0:
        return replace(feature, low=0)
    return feature


def _is_not_negative(feature: Feature) -> bool:
    name_words = set(column_checks.words_of(feature.column))
    is_number = feature.kind in ("number", "integer") and not name_words & RELATIVE
    return is_number and (feature.unit.lower() in UNITS or bool(name_words & NOT_NEGATIVE))


def limit_reasons(features: Sequence[Feature], frame: pd.DataFrame) -> dict[Any, tuple[Any, Any]]:
    """Return the lowest and the largest value of each column whose feature has a limit."""
    limited = [feature.column for feature in features if feature.low is not None]
    return {column: (frame[column].min(), frame[column].max()) for column in limited}
