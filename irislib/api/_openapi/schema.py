"""JSON Schema of one row: what the features say of their values, in a form that other programs read.

It accepts what the checks in ``kinds.py`` accept, each value in its proper type of JSON; the tests
hold it to that in both directions. It has no ``$id``: its address is wherever it was fetched from.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_value
from irislib._description.feature_types import is_empty, to_python

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._description.spec import ModelSpec

__all__ = ["as_json", "schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# JSON writes numbers of any size. Beyond these they are refused: the last whole number that a float
# rounds to something below 2**63 is this one.
LARGEST = {"number": sys.float_info.max, "integer": 2**63 - 513}
LENIENCY = (
    'Each value has a type of its own. Text that reads as the value is taken, too, as from a form: "5.1" for 5.1, '
    '"yes" for true. An empty text is a missing value.'
)
DEFAULTS = "A default is what a form shows at first; nothing is filled in for a value that is left out."
WRITTEN = {
    "date": "Written as 2026-01-31.",
    "time": "Written as 14:30 or 14:30:15, without a time zone.",
    "color": "Written as #772953.",
}


def schema(spec: ModelSpec, nullable: bool = True) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one row of a model's input.

    Besides the standard's own words, ``x-unit`` is the unit of a value, and ``x-expected`` says in
    words what it must be, as the messages about a wrong value do. Formats are meant to be checked.

    Parameters
    ----------
    spec : ModelSpec
    nullable : bool
        Whether a value that is not required may be null, which nothing in a form can be.
    """
    has_default = any(feature.default is not None for feature in spec.features)
    found = {
        "$schema": DIALECT,
        "title": f"A row for {spec.title}",
        "description": f"{LENIENCY} {DEFAULTS}" if has_default else LENIENCY,
        "type": "object",
        "properties": {feature.name: _value(feature, nullable) for feature in spec.features},
        "required": [feature.name for feature in spec.features if feature.required],
        "additionalProperties": False,
    }
    if spec.examples:
        found["examples"] = [as_json(spec, row) for row in spec.examples.values()]
    return found


def as_json(spec: ModelSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    """A sound row with each value in its proper type of JSON, and without what is empty."""
    read = {feature.name: feature.parse(row.get(feature.name)) for feature in spec.features}
    return {name: _json(value) for name, value in read.items() if value is not None}


def _json(value: Any) -> Any:
    """A value that was read, as JSON has it."""
    value = to_python(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()  # with all four digits of the year
    return value if isinstance(value, str | int | float) else format_value(value)


def _value(feature: Feature, nullable: bool) -> dict[str, Any]:
    found = _KINDS[feature.kind](feature)
    if nullable and not feature.required:
        found["type"] = [*([found["type"]] if isinstance(found["type"], str) else found["type"]), "null"]
        if "enum" in found:
            found["enum"].append(None)
    words = (feature.help, WRITTEN.get(feature.kind, ""), f"In {feature.unit}." if feature.unit else "")
    facts = {
        "title": feature.label,
        "description": " ".join(filter(None, words)),
        "x-unit": feature.unit,
        "x-expected": feature.expected,
    }
    told: dict[str, Any] = {name: fact for name, fact in facts.items() if fact}
    if feature.default is not None:
        told["default"] = _json(feature.parse(feature.default))
    return told | found


def _number(feature: Feature) -> dict[str, Any]:
    largest = LARGEST[feature.kind]
    low, high = ("minimum", -largest), ("maximum", largest)
    if feature.low is not None:
        low = ("minimum" if feature.closed in ("both", "left") else "exclusiveMinimum", feature.low)
    if feature.high is not None:
        high = ("maximum" if feature.closed in ("both", "right") else "exclusiveMaximum", feature.high)
    return {"type": feature.kind, low[0]: _json(low[1]), high[0]: _json(high[1])}


def _choice(feature: Feature) -> dict[str, Any]:
    # an empty choice can be in the list, but not be chosen
    values = [_json(choice) for choice in feature.choices if not is_empty(choice)]
    names = {bool: "boolean", int: "integer", float: "number"}
    types = list(dict.fromkeys(names.get(type(value), "string") for value in values))
    return {"type": types[0] if len(types) == 1 else types, "enum": values}


def _text(feature: Feature) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    if feature.required:
        found["pattern"] = r"\S"
    if suggestions := [str(choice) for choice in feature.choices if not is_empty(choice)]:
        found["examples"] = suggestions
    return found


def _date(feature: Feature) -> dict[str, Any]:
    return {"type": "string", "format": "date"} | _limits(feature)


def _time(feature: Feature) -> dict[str, Any]:
    # The format called time is that of RFC 3339, which demands a time zone; ours has none.
    form = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
    return {"type": "string", "pattern": form} | _limits(feature)


def _limits(feature: Feature) -> dict[str, Any]:
    """The limits of dates and times as patterns, for JSON Schema has none for text."""
    patterns = []
    if feature.low is not None:
        patterns.append(_from(_shortest(feature.low), feature.closed in ("both", "left")))
    if feature.high is not None:
        patterns.append(_to(_shortest(feature.high), feature.closed in ("both", "right")))
    return {"allOf": [{"pattern": pattern} for pattern in patterns]} if patterns else {}


def _shortest(value: dt.date | dt.time) -> str:
    text = str(_json(value))
    return text.rstrip("0") if "." in text else text


def _plainly(text: str) -> str:
    return text.replace(".", r"\.")  # re.escape escapes more than ECMAScript allows


def _from(low: str, closed: bool) -> str:
    """What is not before a date or time, among texts of its form: the first digit that differs is greater."""
    greater = [f"{_plainly(low[:i])}[{int(d) + 1}-9]" for i, d in enumerate(low) if d in "012345678"]
    itself = _plainly(low) + ("" if closed else "[0:.]*[1-9]")  # a tail of seconds
    return f"^({'|'.join([*greater, itself])})"


def _to(high: str, closed: bool) -> str:
    """What is not after a date or time, among texts of its form: the first digit that differs is less."""
    less = [f"{_plainly(high[:i])}[0-{int(d) - 1}]" for i, d in enumerate(high) if d in "123456789"]
    shorter = [f"{_plainly(high[:i])}$" for i in range(len("14:30"), len(high)) if ":" in high]  # zeros left out
    itself = [_plainly(high) + "[0:.]*$"] if closed else []
    return f"^({'|'.join([*less, *shorter, *itself])})"


_KINDS: dict[str, Callable[[Feature], dict[str, Any]]] = {
    "number": _number,
    "integer": _number,
    "choice": _choice,
    "boolean": lambda _: {"type": "boolean"},
    "date": _date,
    "time": _time,
    "text": _text,
    # Not the format called email: it is narrower than the check.
    "email": lambda _: {"type": "string", "pattern": r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"},
    "color": lambda _: {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
}
