"""The one place where input is checked, for the form, the endpoint, the library and training alike."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import did_you_mean
from irislib._description.feature_types import FEATURE_TYPES, is_empty
from irislib.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["check_columns", "check_names", "check_row", "check_values", "to_array"]

EXACT = 2**53  # below it every whole number is a float
HINTS = 100  # unknown names for which a similar one is sought: many would take minutes


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

    single = isinstance(rows, Mapping | pd.Series)
    if single:
        rows = [dict(rows.items())]
    is_frame = isinstance(rows, pd.DataFrame)
    if not is_frame and not (
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
    if is_frame and (twice := sorted(set(rows.columns[rows.columns.duplicated()]))):
        return pd.DataFrame(), [Problem(f"{name} is there more than once.", str(name)) for name in twice]
    names = [feature.name for feature in features]
    if is_frame:
        columns = {name: rows[name] for name in names if name in rows.columns}
    else:
        columns = {name: [row.get(name) for row in rows] for name in names}
    frame, problems = check_columns(features, columns, len(rows))
    if is_frame:
        frame.index = rows.index
    if single:
        problems = [dataclasses.replace(problem, row=None) for problem in problems]
    return frame, _unknown(names, rows, single) + problems


def check_columns(
    features: Sequence[Feature], columns: Mapping[str, Any], count: int
) -> tuple[pd.DataFrame, list[Problem]]:
    """Check columns by the features' names, as `check_values` does rows; one that is not there is empty."""
    import pandas as pd

    arrays, problems = {}, []
    for feature in features:
        arrays[feature.name], found = _column(feature, columns.get(feature.name, [None] * count))
        problems += found
    # pandas 3 takes an array of strings for its own string dtype, but not one that is all missing
    text = {feature.name: "object" for feature in features if FEATURE_TYPES[feature.kind].dtype == "object"}
    frame = pd.DataFrame(arrays)
    return frame.astype(text) if text else frame, problems


def check_names(features: Sequence[Feature], given: Iterable[str]) -> list[Problem]:
    """What is wrong with the names of columns: those that are unknown, and those that are missing."""
    columns = dict.fromkeys(given)
    unknown = _unknown([feature.name for feature in features], [columns], single=True)
    return unknown + check_row([feature for feature in features if feature.name not in columns], {})[1]


def _unknown(names: list[str], rows: Any, single: bool) -> list[Problem]:
    import pandas as pd

    is_frame = isinstance(rows, pd.DataFrame)
    strange = dict.fromkeys(rows.columns if is_frame else itertools.chain.from_iterable(rows))
    for name in names:
        strange.pop(name, None)
    if not strange:
        return []
    words = {}
    for i, name in enumerate(strange):
        hint = did_you_mean(name, names) if i < HINTS else f"Known: {', '.join(names)}."
        words[name] = f"Unknown feature {name!r}. {hint}"
    if is_frame:
        given: list[tuple[Any, int | None, Any]] = [(name, None, None) for name in rows.columns]
    else:
        given = [(name, None if single else i, row[name]) for i, row in enumerate(rows) for name in row]
    return [Problem(words[name], str(name), value, row) for name, row, value in given if name in words]


def _column(feature: Feature, values: Any) -> tuple[np.ndarray, list[Problem]]:
    """What `Feature.parse` makes of each value, as an array, and a problem for each that it refuses."""
    odd: Sequence[int] = range(len(values))
    parsed: list[Any] = [None] * len(values)
    if feature.kind in ("number", "integer"):
        numbers, odd = _numbers(feature, values)
        if not odd:
            return numbers if feature.required else numbers.astype("float64"), []
        parsed = numbers.tolist()
    if hasattr(values, "tolist"):
        values = values.tolist()
    read = _reader(feature, values)
    problems = []
    for i in odd:
        parsed[i], reason = read(values[i])
        if reason:
            problems.append(_problem(feature, values[i], reason, i))
    return to_array(feature, parsed), problems


def _numbers(feature: Feature, values: Any) -> tuple[np.ndarray, list[int]]:
    """A column of numbers as a whole, and the positions of what has to be looked at one by one."""
    import numpy as np
    import pandas as pd

    kinds = pd.api.types
    if isinstance(values, pd.Series) and (kinds.is_float_dtype(values.dtype) or kinds.is_integer_dtype(values.dtype)):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    else:
        numbers = np.array([_float(value) for value in values], "float64")
    sound = np.isfinite(numbers) & feature.within(numbers)
    if feature.kind == "integer":
        sound &= (np.abs(numbers) < EXACT) & (numbers == np.floor(numbers))
        numbers = np.where(sound, numbers, 0).astype("int64")
    return numbers, np.flatnonzero(~sound).tolist()


def _float(value: Any) -> float:
    """A value as `Feature.parse` reads it where it is plainly a number, else NaN."""
    kind = value.__class__
    if kind is float or kind is int or (kind is str and "_" not in value):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    return math.nan


def _reader(feature: Feature, values: Sequence[Any]) -> Callable[[Any], tuple[Any, str]]:
    """What reads a value of these and says what is wrong with it; what is there often is read once."""

    def read(value: Any) -> tuple[Any, str]:
        try:
            return feature.parse(value), ""
        except ValueError as error:
            return None, str(error)

    # among several types, 1 and True would be taken for the same, and so would be 0.0 and -0.0 among floats
    alike = set(map(type, values)) - {NoneType} in ({str}, {int}, {bool}, set())
    return functools.cache(read) if alike else read


def to_array(feature: Feature, parsed: list[Any]) -> np.ndarray:
    """An array of the same dtype for one row as for many, and with missing values as without."""
    import numpy as np

    dtype = FEATURE_TYPES[feature.kind].dtype
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
