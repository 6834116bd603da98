"""The problems of a row, as the form shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from irislib._common.messages import TEXTS
from irislib._description.feature import Feature
from irislib.errors import Problem

__all__ = ["describe_problems"]


def describe_problems(features: Mapping[str, Feature], problems: Iterable[Problem]) -> dict[str, Any]:
    """Return the first problem of each field, by name, and the other problems as one text."""
    by_field: dict[str, str] = {}
    messages = []
    for problem in problems:
        feature = features.get(problem.feature or "")
        if feature:
            by_field.setdefault(feature.name, _describe(feature, problem))
        else:
            messages.append(problem.message)
    return {"problems": by_field, **({"error": " ".join(messages)} if messages else {})}


def _describe(feature: Feature, problem: Problem) -> str:
    """Return the text of a problem; a choice that is missing needs no list of all choices, which the field shows."""
    if problem.value is None and feature.control in ("select", "radio"):
        return TEXTS["choose"].format(label=feature.label)
    return problem.labelled(feature.label)
