"""Features and values as the page's script needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irislib._description.feature import Feature
from irislib._description.values import is_empty

__all__ = ["describe_field", "form_values", "format_entry"]


def describe_field(feature: Feature) -> dict[str, Any]:
    """Describe a feature as plain data, without empty facts."""
    low, high = (
        end if isinstance(end, int | float) else feature.to_text(end) or None for end in (feature.low, feature.high)
    )
    facts = {
        "name": feature.name,
        "control": feature.control,
        "label": feature.label,
        "unit": feature.unit,
        "required": feature.required,
        "private": feature.private,
        "help": feature.help,
        "group": feature.group,
        "limits": feature.type.hint(feature),
        "low": low,
        "high": high,
        "step": feature.step,
        "choices": [(str(choice), str(choice)) for choice in feature.choices],
        "value": feature.to_text(feature.default),
        **feature.type.field(feature),
    }
    return {name: fact for name, fact in facts.items() if fact not in ("", None, [])}


def form_values(features: Sequence[Feature], values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as the form has them, by the features' names, without empty and private ones.

    Raises
    ------
    ValueError
        If a value cannot be parsed.
    """
    return {
        feature.name: feature.to_text(feature.parse(values[feature.name]))
        for feature in features
        if feature.name in values and not feature.private and not is_empty(values[feature.name])
    }


def format_entry(feature: Feature, value: Any) -> str:
    """Format an entry, parsed or raw, for a person: ``2 to 5 cm``; a private one is masked."""
    try:
        text = feature.type.format(feature.parse(value))
    except ValueError:
        text = "" if feature.private else str(value)
    return f"{text} {feature.unit}".strip()
