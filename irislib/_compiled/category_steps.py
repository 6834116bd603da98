"""Transformers of categories, as functions of one row: a table of what scikit-learn makes of each category."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Row, RowTransform

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CATEGORY_STEPS"]

Codes = list[dict[Any, list[float]]]


def _look_up(codes: Codes, unknown: Sequence[list[float] | None]) -> RowTransform:
    """Return the function that replaces each value by its codes.

    Parameters
    ----------
    codes : list of dict
        For each column, the codes of its categories; those of a missing value belong to None.
    unknown : sequence
        For each column, the codes of any other value, or None if scikit-learn has to answer it.
    """

    def encode(row: Row) -> Row:
        encoded: Row = []
        for value, column, other in zip(row, codes, unknown, strict=True):
            code = column.get(value if value == value else None, other)
            if code is None:
                raise HardRowError
            encoded += code
        return encoded

    return encode


def _table(step: Any, categories: list[list[Any]], widths: Sequence[int], convert: Any = None) -> Codes:
    """Let a fitted encoder transform all its categories at once, and read the codes of each."""
    import numpy as np
    import pandas as pd

    count = max(map(len, categories))
    names = getattr(step, "feature_names_in_", range(len(categories)))
    columns = {}
    for name, values in zip(names, categories, strict=True):
        column = np.empty(count, dtype=object)
        column[:] = [values[min(i, len(values) - 1)] for i in range(count)]
        columns[name] = pd.Series(column, dtype=object)
    frame = pd.DataFrame(columns)
    encoded = step.transform(frame if hasattr(step, "feature_names_in_") else frame.to_numpy())
    encoded = np.asarray(encoded.toarray() if hasattr(encoded, "toarray") else encoded, dtype=float)
    if encoded.shape[1] != sum(widths):
        raise NoFasterFormError(f"this {type(step).__name__} makes another number of columns.")
    codes, start = [], 0
    for values, width in zip(categories, widths, strict=True):
        block = encoded[:, start : start + width].tolist()
        codes.append({value if value == value else None: block[i] for i, value in enumerate(values)})
        start += width
    return codes


def _categories(step: Any) -> list[list[Any]]:
    return [column.tolist() for column in step.categories_]


def _one_hot(step: Any) -> RowTransform:
    categories = _categories(step)
    infrequent = getattr(step, "infrequent_categories_", None) or [None] * len(categories)
    dropped = [None] * len(categories) if step.drop_idx_ is None else step.drop_idx_.tolist()
    widths = [
        len(values) - (0 if rare is None else len(rare) - 1) - (drop is not None)
        for values, rare, drop in zip(categories, infrequent, dropped, strict=True)
    ]
    codes = _table(step, categories, widths)
    return _look_up(codes, [_unknown_code(step, *one) for one in zip(codes, widths, infrequent, strict=True)])


def _unknown_code(step: Any, codes: dict[Any, list[float]], width: int, rare: np.ndarray | None) -> list[float] | None:
    if step.handle_unknown == "error" or step.handle_unknown == "warn" or step.drop is not None:
        return None  # an error, or a warning each time
    if step.handle_unknown == "infrequent_if_exist" and rare is not None:
        return codes[rare.tolist()[0]]
    return [0.0] * width


def _ordinal(step: Any) -> RowTransform:
    categories = _categories(step)
    unknown = None if step.handle_unknown == "error" else [float(step.unknown_value)]
    return _look_up(_table(step, categories, [1] * len(categories)), [unknown] * len(categories))


def _target(step: Any) -> RowTransform:
    import numpy as np

    categories, unknown = _categories(step), np.ravel(step.target_mean_).tolist()  # one for each of several classes
    return _look_up(_table(step, categories, [len(unknown)] * len(categories)), [unknown] * len(categories))


def _bins(step: Any) -> RowTransform:
    edges = [column[1:-1].tolist() for column in step.bin_edges_]
    is_ordinal = step.encode == "ordinal"
    counts = step.n_bins_.tolist()

    def bin_row(row: Row) -> Row:
        binned: Row = []
        for value, column, count in zip(row, edges, counts, strict=True):
            if value != value:
                raise HardRowError
            index = bisect_right(column, value)
            binned += [float(index)] if is_ordinal else [float(i == index) for i in range(count)]
        return binned

    return bin_row


CATEGORY_STEPS: dict[str, Callable[[Any], RowTransform]] = {
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
    "TargetEncoder": _target,
    "KBinsDiscretizer": _bins,
}
