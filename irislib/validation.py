"""The one place where input is checked, for the form, the endpoint, the library and training alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from irislib.errors import Problem
from irislib.kinds import KINDS, is_empty
from irislib.wording import nearest

if TYPE_CHECKING:
    import pandas as pd

    from irislib.feature import Feature

__all__ = ["check_row", "check_values"]


def check_row(features: Sequence[Feature], row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Check one row: the values by the features' names, None where empty, and every problem."""
    names = [feature.name for feature in features]
    problems = [] if row.keys() <= set(names) else _unknown(names, [row], single=True)
    values = {}
    for feature in features:
        try:
            values[feature.name] = feature.parse(row.get(feature.name))
        except ValueError as error:
            problems.append(_problem(feature, row.get(feature.name), str(error), None))
    return values, problems


def _problem(feature: Feature, value: Any, reason: str, row: int | None) -> Problem:
    unquoted = feature.private or is_empty(value, numeric=True)
    return Problem(f"{feature.name} {reason}", feature.name, None if unquoted else value, row)


def check_values(features: Sequence[Feature], rows: Any, max_rows: int) -> tuple[pd.DataFrame, list[Problem]]:
    """Check rows against features: the table of what is sound, and every problem.

    The only place where columns are chosen, by name. A value with a problem is missing from the table.
    """
    import pandas as pd

    single = isinstance(rows, Mapping)
    if single:
        rows = [rows]
    if not isinstance(rows, pd.DataFrame) and not (
        isinstance(rows, Sequence) and not isinstance(rows, str) and all(isinstance(row, Mapping) for row in rows)
    ):
        given = type(rows).__name__
        if isinstance(rows, list | tuple):
            given += f" of {type(rows[0]).__name__}"
        wanted = "a mapping of feature names to values, a list of those, or a DataFrame"
        return pd.DataFrame(), [Problem(f"Expected {wanted}, got {given}.")]
    if len(rows) > max_rows:
        return pd.DataFrame(), [Problem(f"At most {max_rows} rows at once, got {len(rows)}.", value=len(rows))]
    if len(rows) == 0:
        return pd.DataFrame(), [Problem("Expected at least one row, got none.")]
    names = [feature.name for feature in features]
    if isinstance(rows, pd.DataFrame) and (twice := sorted(set(rows.columns[rows.columns.duplicated()]))):
        return pd.DataFrame(), [Problem(f"{name} is there more than once.", str(name)) for name in twice]
    problems = _unknown(names, rows, single)
    columns = {}
    for feature in features:
        columns[feature.name], found = _column(feature, rows, single)
        problems += found
    index = rows.index if isinstance(rows, pd.DataFrame) else None
    frame = pd.DataFrame(columns, index=index)
    # pandas 3 takes an array of strings for its own string dtype, but not one that is all missing
    text = {feature.name: "object" for feature in features if KINDS[feature.kind].dtype == "object"}
    return frame.astype(text), problems


def _unknown(names: list[str], rows: Any, single: bool) -> list[Problem]:
    import pandas as pd

    if isinstance(rows, pd.DataFrame):
        given: list[tuple[Any, int | None, Any]] = [(name, None, None) for name in rows.columns]
    else:
        given = [(name, None if single else i, row[name]) for i, row in enumerate(rows) for name in row]
    return [
        Problem(f"Unknown feature {name!r}. {nearest(name, names)}", str(name), value, row)
        for name, row, value in given
        if name not in names
    ]


def _column(feature: Feature, rows: Any, single: bool) -> tuple[Any, list[Problem]]:
    import numpy as np
    import pandas as pd

    if isinstance(rows, pd.DataFrame) and feature.name in rows.columns:
        values = rows[feature.name]
        if feature.kind == "number" and pd.api.types.is_float_dtype(values.dtype):
            numbers = values.to_numpy(dtype="float64", na_value=np.nan)
            known = numbers[~np.isnan(numbers)] if not feature.required else numbers
            if np.isfinite(known).all() and np.all(feature.within(known)):
                return numbers, []  # a sound column of numbers needs no look at each
        values = values.tolist()
    elif isinstance(rows, pd.DataFrame):
        values = [None] * len(rows)
    else:
        values = [row.get(feature.name) for row in rows]
    parsed, problems = [], []
    for i, value in enumerate(values):
        try:
            parsed.append(feature.parse(value))
        except ValueError as error:
            parsed.append(None)
            problems.append(_problem(feature, value, str(error), None if single else i))
    return _typed(feature, parsed), problems


def _typed(feature: Feature, parsed: list[Any]) -> Any:
    """An array of the same dtype for one row as for many, and with missing values as without."""
    import numpy as np

    dtype = KINDS[feature.kind].dtype
    holes = [value is None for value in parsed]
    if dtype.startswith("datetime"):
        return np.array(parsed, dtype)
    if dtype in ("int64", "bool") and (not feature.required or any(holes)):
        dtype = "float64"  # neither can hold a missing value
    if dtype == "float64":
        return np.array([np.nan if hole else value for value, hole in zip(parsed, holes, strict=True)], dtype)
    array = np.empty(len(parsed), dtype)
    array[:] = [np.nan if hole else value for value, hole in zip(parsed, holes, strict=True)]
    return array
