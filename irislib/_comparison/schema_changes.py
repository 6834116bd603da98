"""Differences between the inputs of two descriptions."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import short_repr
from irislib._common.messages.comparison import TEXTS
from irislib._description.feature import Feature

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["has_same_columns", "schema_changes"]

TEXTS_ONLY = ("label", "help", "step", "control", "default", "group", "name")  # programs are answered all the same


def schema_changes(before: ModelSpec, after: ModelSpec) -> list[str]:
    """Return what has changed for those who ask: features added, removed or changed, and the target; a sentence each.

    Texts for people do not count.
    """
    old = {feature.name: feature for feature in before.features}
    new = {feature.name: feature for feature in after.features}
    changes = [TEXTS["schema.removed"].format(name=name) for name in old if name not in new]
    changes += [TEXTS["schema.added"].format(name=name) for name in new if name not in old]
    for name in old.keys() & new.keys():
        for part in (field.name for field in fields(Feature) if field.name not in TEXTS_ONLY):
            pair = _fact(old[name], part), _fact(new[name], part)
            if pair[0] != pair[1]:
                changes.append(_change(f"{name}: {part}", *pair))
    for part in ("target", "target_unit"):
        pair = getattr(before, part), getattr(after, part)
        if pair[0] != pair[1]:
            changes.append(_change(part, *pair))
    return sorted(changes)


def has_same_columns(before: ModelSpec, after: ModelSpec) -> bool:
    """Return True if rows of one model can be given to the other, though its limits may be others."""
    kinds = [sorted((str(f.column), f.kind, f.dtype) for f in spec.features) for spec in (before, after)]
    return before.target == after.target and kinds[0] == kinds[1]


def _fact(feature: Feature, part: str) -> Any:
    value = getattr(feature, part)
    return tuple(value) if part == "choices" else value


def _change(name: str, before: Any, after: Any) -> str:
    return TEXTS["schema.changed"].format(name=name, before=short_repr(before), after=short_repr(after))
