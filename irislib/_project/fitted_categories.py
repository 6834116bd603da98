"""The categories that the encoders of a fitted estimator know, by the columns they were fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from irislib._description.values import is_empty, to_python

__all__ = ["categories_by_column"]


def categories_by_column(estimator: Any, columns: Sequence[Any]) -> dict[Any, list[Any]]:
    """Return the categories that encoders were fitted on, by the columns that they get as they are.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    columns : sequence
        The names of its columns, in order.
    """
    if hasattr(estimator, "best_estimator_"):
        return categories_by_column(estimator.best_estimator_, columns)
    if getattr(estimator, "steps", None):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        return categories_by_column(steps[0], columns) if steps else {}
    if hasattr(estimator, "transformers_"):
        known: dict[Any, list[Any]] = {}
        for _, transformer, chosen in estimator.transformers_:
            if not isinstance(transformer, str):
                known |= categories_by_column(transformer, _chosen(chosen, columns))
        return known
    categories = getattr(estimator, "categories_", None)
    if not isinstance(categories, list) or len(categories) != len(columns):
        return {}
    return {
        column: [to_python(value) for value in values if not is_empty(to_python(value))]
        for column, values in zip(columns, categories, strict=True)
    }


def _chosen(chosen: Any, columns: Sequence[Any]) -> list[Any]:
    """Return the names of the columns that a part of a ColumnTransformer gets."""
    if isinstance(chosen, slice):
        return list(columns[chosen]) if not isinstance(chosen.start or chosen.stop, str) else []
    parts = [chosen] if isinstance(chosen, str | int) else list(chosen)
    if parts and all(isinstance(part, bool) for part in map(to_python, parts)):
        return [column for column, is_chosen in zip(columns, parts, strict=True) if is_chosen]
    return [columns[part] if isinstance(part, int) and part not in columns else part for part in map(to_python, parts)]
