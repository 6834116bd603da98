"""Features and values as the page's script needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from irislib._description.feature import Feature
from irislib._description.feature_types.text import max_file_bytes
from irislib._description.validation import check_row
from irislib._description.values import UploadedFile, is_empty
from irislib.errors import ValidationError

__all__ = ["describe_field", "form_values", "format_entry", "parse_entries", "public_entries", "read_submission"]


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


def public_entries(features: Sequence[Feature], row: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the texts in all fields of a form for a row, or for the defaults if left out, without private ones."""
    if row is None:
        row = {feature.name: feature.default for feature in features}
    public = [feature for feature in features if not feature.private]
    return {feature.name: _empty_entry(feature) for feature in public} | form_values(public, row)


def _empty_entry(feature: Feature) -> str:
    """Return the text in a field that nobody has touched."""
    return {"checkbox": "false", "slider": feature.to_text(feature.low)}.get(feature.control, "")


def read_submission(request: Mapping[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
    """Return the texts and files of a form that a visitor has sent, without empty ones.

    Raises
    ------
    ValueError
        If a page does not send that.
    """
    values: dict[str, Any] = {name: value for name, value in request["values"].items() if value != ""}
    if sum(len(content) for content in buffers) > max_file_bytes():
        raise ValueError("more than the page sends")
    for (name, file), content in zip(request.get("files", ()), buffers, strict=True):
        values[name] = UploadedFile(str(file), bytes(content))
    return values


def parse_entries(features: Sequence[Feature], values: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the entries of a form, and return the values without empty ones.

    Raises
    ------
    ValidationError
        Naming every wrong one.
    """
    row, problems = check_row(features, values)
    if problems:
        raise ValidationError(problems)
    return {name: value for name, value in row.items() if value is not None}


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
