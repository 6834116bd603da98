"""The JSON Schema of one row.

It accepts what the checks accept, each value in its proper type of JSON; the tests
hold it to that in both directions. It has no ``$id``: its address is wherever it was fetched from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.messages.api import TEXTS
from irislib._description.values import to_json

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._description.spec import ModelSpec

__all__ = ["row_json", "schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(spec: ModelSpec, nullable: bool = True) -> dict[str, Any]:
    """Make the JSON Schema (draft 2020-12) of one row of a model's input.

    Besides the standard's own keywords, ``x-unit`` is the unit of a value, and ``x-expected`` describes in
    a phrase the values that are allowed, as the messages about a wrong value do. Formats are meant to be checked.

    Parameters
    ----------
    spec : ModelSpec
    nullable : bool
        If True, a value that is not required may be null, which nothing in a form can be.
    """
    has_default = any(feature.default is not None for feature in spec.features)
    sentences = [TEXTS["row.types"], *([TEXTS["row.defaults"]] if has_default else [])]
    result = {
        "$schema": DIALECT,
        "title": TEXTS["row"].format(title=spec.title),
        "description": " ".join(sentences),
        "type": "object",
        "properties": {feature.name: _property(feature, nullable) for feature in spec.features},
        "required": [feature.name for feature in spec.features if feature.required],
        "additionalProperties": False,
    }
    if spec.examples:
        result["examples"] = [row_json(spec, row) for row in spec.examples.values()]
    return result


def row_json(spec: ModelSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a sound row to JSON, each value in its proper type, without the empty ones."""
    values = {feature.name: feature.parse(row.get(feature.name)) for feature in spec.features}
    return {name: to_json(value) for name, value in values.items() if value is not None}


def _property(feature: Feature, nullable: bool) -> dict[str, Any]:
    schema = feature.type.json_schema(feature)
    if nullable and not feature.required:
        schema["type"] = [*([schema["type"]] if isinstance(schema["type"], str) else schema["type"]), "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    sentences = (
        feature.help,
        feature.type.format_hint,
        TEXTS["row.unit"].format(unit=feature.unit) if feature.unit else "",
    )
    annotations = {
        "title": feature.label,
        "description": " ".join(filter(None, sentences)),
        "x-unit": feature.unit,
        "x-column": "" if feature.column == feature.name else str(feature.column),
        "x-expected": feature.expected,
    }
    present = {name: text for name, text in annotations.items() if text}
    if feature.default is not None:
        present["default"] = to_json(feature.parse(feature.default))
    return present | schema
