"""Features and values as the page's script needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irislib._common.formatting import format_value
from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib._description.feature_types import is_empty

__all__ = ["FILE_BYTES", "describe_field", "form_values", "format_entry"]

FILE_BYTES = 8_000_000  # of all files: they travel in one message, and servers take none above ten megabytes

# A placeholder where the kind alone says little about how it is written.
PLACEHOLDERS = {"email": "name@example.org"}


def describe_field(feature: Feature) -> dict[str, Any]:
    """Describe a feature as plain data, without empty facts."""
    choices = [(str(choice), str(choice)) for choice in feature.choices]
    if feature.kind == "boolean":
        choices = [("true", TEXTS["yes"]), ("false", TEXTS["no"])]
    low, high = (
        end if isinstance(end, int | float) else feature.written(end) or None for end in (feature.low, feature.high)
    )
    facts = {
        "name": feature.name,
        "kind": feature.kind,
        "control": feature.control,
        "label": feature.label,
        "unit": feature.unit,
        "required": feature.required,
        "private": feature.private,
        "help": feature.help,
        "limits": limits(feature),
        "low": low,
        "high": high,
        "step": feature.step,
        "lowest": lowest(feature),
        "choices": choices,
        "placeholder": PLACEHOLDERS.get(feature.kind),
        "value": feature.written(feature.default),
    }
    return {name: fact for name, fact in facts.items() if fact not in ("", None, [])}


def lowest(feature: Feature) -> float | None:
    """Return the first value of the buttons beside an empty number field."""
    if feature.kind not in ("number", "integer") or feature.low is None:
        return None
    step = feature.step or 1
    return float(feature.low if feature.closed in ("both", "left") else feature.low + step)


def limits(feature: Feature) -> str:
    """Return the valid range as a sentence; a slider shows its own."""
    if feature.kind == "file":
        return TEXTS["file_limit"].format(size=FILE_BYTES // 1_000_000)
    text = "" if feature.control == "slider" else feature.limits
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def form_values(features: Sequence[Feature], values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as the form has them, by the features' names, without empty and private ones.

    Raises
    ------
    ValueError
        If a value cannot be parsed.
    """
    return {
        feature.name: feature.written(feature.parse(values[feature.name]))
        for feature in features
        if feature.name in values and not feature.private and not is_empty(values[feature.name])
    }


def format_entry(feature: Feature, value: Any) -> str:
    """Format an entry, parsed or raw, for a person: ``2 to 5 cm``; a private one is masked."""
    if feature.private:
        return TEXTS["entered"]
    try:
        read = feature.parse(value)
    except ValueError:
        return str(value)
    if feature.kind == "boolean":
        return TEXTS["yes" if read else "no"]
    if isinstance(read, tuple):
        read = f" {TEXTS['to']} ".join(map(format_value, read))
    return f"{read if isinstance(read, str) else format_value(read)} {feature.unit}".strip()
