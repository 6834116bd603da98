"""Transformers that are made of others: of some columns each, side by side, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled.array_parts import VECTORIZERS
from irislib._compiled.fast_form import NoFasterFormError, Row, RowTransform

if TYPE_CHECKING:
    from irislib._compiled.parts import Parts

__all__ = ["COLUMN_STEPS", "chained"]


def _columns(step: Any, parts: Parts) -> RowTransform:
    """Make the part for a ColumnTransformer."""
    blocks = [
        (_indices(step, transformer, columns), parts.transform(transformer))
        for _, transformer, columns in step.transformers_
        if not (isinstance(transformer, str) and transformer == "drop") and not _is_empty(columns)
    ]
    if any(weight != 1 for weight in (step.transformer_weights or {}).values()):
        raise NoFasterFormError("its ColumnTransformer weighs its columns.")

    def transform(row: Row) -> Row:
        output: Row = []
        for indices, function in blocks:
            output += function([row[i] for i in indices])
        return output

    return transform


def _is_empty(columns: Any) -> bool:
    return hasattr(columns, "__len__") and not isinstance(columns, str) and not len(columns)


def _indices(step: Any, transformer: Any, columns: Any) -> list[int]:
    """Return the positions of columns that are given by names, positions, a slice of them, or a mask."""
    import numpy as np

    if isinstance(columns, str | int):  # the transformer gets a series, and not a frame of one column
        if type(transformer).__name__ not in VECTORIZERS:
            raise NoFasterFormError(f"its {type(transformer).__name__} takes a single column.")
        columns = [columns]
    if not isinstance(columns, slice) and all(isinstance(column, str) for column in columns):
        names = step.feature_names_in_.tolist()
        return [names.index(column) for column in columns]
    return np.arange(step.n_features_in_)[columns if isinstance(columns, slice) else list(columns)].tolist()  # type: ignore[no-any-return]


def _union(step: Any, parts: Parts) -> RowTransform:
    """Make the part for a FeatureUnion."""
    functions = [parts.transform(transformer) for _, transformer in step.transformer_list]
    if any(weight != 1 for weight in (step.transformer_weights or {}).values()):
        raise NoFasterFormError("its FeatureUnion weighs its parts.")
    return lambda row: [value for function in functions for value in function(row)]


def _chain(step: Any, parts: Parts) -> RowTransform:
    """Make the part for a Pipeline of transformers."""
    return chained([parts.transform(transformer) for _, transformer in step.steps])


def chained(functions: Sequence[RowTransform]) -> RowTransform:
    """Return the function that applies others one after the other."""

    def transform(row: Row) -> Row:
        for function in functions:
            row = function(row)
        return row

    return transform


COLUMN_STEPS: dict[str, Callable[[Any, Parts], RowTransform]] = {
    "ColumnTransformer": _columns,
    "FeatureUnion": _union,
    "Pipeline": _chain,
}
