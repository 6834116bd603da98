"""Validation of rows, for the form, the endpoint, the library and training alike."""

from __future__ import annotations

import collections
import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import did_you_mean, shorten_list
from irislib._common.messages.validation import TEXTS
from irislib._description.feature_types.base import InvalidValueError
from irislib._description.number_text import readings, simplify_number
from irislib._description.text_columns import DistinctTexts, NumberTexts
from irislib._description.values import is_empty, normalized
from irislib.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = [
    "ambiguous_points",
    "by_name",
    "check_columns",
    "check_names",
    "check_row",
    "check_values",
    "column_dtypes",
    "names_of",
    "to_array",
    "with_own_dtypes",
]

HINTS = 100  # names, and values of a column, for which a similar one is sought: many would take minutes


def check_row(features: Sequence[Feature], row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Parse one row: return the values by name, None where one is empty, and every problem."""
    names = {feature.name for feature in features}
    problems: list[Problem] = []
    if not row.keys() <= names:
        row, problems = by_name(features, row)
        if not row.keys() <= names:
            problems += _unknown(features, [row], single=True)
    values = {}
    for feature in features:
        try:
            values[feature.name] = feature.parse(row.get(feature.name))
        except ValueError as error:
            problems.append(_problem(feature, row.get(feature.name), str(error), None))
    return values, problems


def _problem(feature: Feature, value: Any, reason: str, row: int | None) -> Problem:
    unquoted = feature.private or is_empty(value, nan_is_empty=False)
    return Problem(f"{feature.name} {reason}", feature.name, None if unquoted else value, row)


def check_values(
    features: Sequence[Feature], rows: Any, max_rows: int | None = None
) -> tuple[pd.DataFrame, list[Problem]]:
    """Parse rows: return the valid values as a table with the data's own columns, and every problem.

    Columns are taken by name, here only. A value with a problem is missing from the table.
    """
    import pandas as pd

    single = isinstance(rows, Mapping | pd.Series)
    if single:
        rows = [dict(rows.items())]
    is_frame = isinstance(rows, pd.DataFrame)
    if not is_frame and not (
        isinstance(rows, Sequence) and not isinstance(rows, str) and all(isinstance(row, Mapping) for row in rows)
    ):
        type_name = type(rows).__name__
        if isinstance(rows, list | tuple):
            type_name += f" of {type(rows[0]).__name__}"
        return pd.DataFrame(), [Problem(TEXTS["rows.type"].format(type=type_name))]
    if max_rows is not None and len(rows) > max_rows:
        message = TEXTS["rows.too_many"].format(limit=max_rows, count=len(rows))
        return pd.DataFrame(), [Problem(message, value=len(rows))]
    if len(rows) == 0:
        return pd.DataFrame(), [Problem(TEXTS["rows.none"])]
    if is_frame and (repeated := sorted(set(rows.columns[rows.columns.duplicated()]))):
        problems = [Problem(TEXTS["rows.repeated"].format(name=name), str(name)) for name in repeated]
        return pd.DataFrame(), problems
    names = [feature.name for feature in features]
    if is_frame:
        header, repeated_names = by_name(features, {name: name for name in rows.columns})
        columns = {name: rows[header[name]] for name in names if name in header}
        unknown = _unknown(features, [dict.fromkeys(header)], single=True)
    else:
        rows, repeated_names = _rows_by_name(features, rows)
        columns = {name: [row.get(name) for row in rows] for name in names}
        unknown = _unknown(features, rows, single)
    frame, problems = check_columns(features, columns, len(rows))
    problems = repeated_names + problems
    if is_frame:
        frame.index = rows.index
    if single:
        problems = [dataclasses.replace(problem, row=None) for problem in problems]
    return frame, unknown + problems


def check_columns(
    features: Sequence[Feature], columns: Mapping[str, Any], count: int
) -> tuple[pd.DataFrame, list[Problem]]:
    """Parse columns by the features' names, as `check_values` does rows; one that is missing is empty.

    The columns of the table have the data's own names.
    """
    import pandas as pd

    arrays, problems = {}, []
    for feature in features:
        arrays[feature.column], invalid = _parse_column(feature, columns.get(feature.name, [None] * count))
        problems += invalid
    # pandas 3 takes an array of strings for its own string dtype, but not one that is all missing
    dtypes: dict[Any, Any] = {feature.column: "object" for feature in features if feature.type.dtype == "object"}
    if not problems:
        dtypes |= column_dtypes(features)
    # one column at a time, for astype of a frame is slower and leaves a block of memory for each column
    typed = {column: _typed(arrays[column], dtype) for column, dtype in dtypes.items()}
    return pd.DataFrame({**arrays, **typed}), problems


def _typed(array: np.ndarray, dtype: Any) -> pd.Series:
    import pandas as pd

    return pd.Series(array, dtype="object") if dtype == "object" else pd.Series(array).astype(dtype)


def column_dtypes(features: Sequence[Feature]) -> dict[Any, Any]:
    """Return the dtypes that descriptions ask for, by the columns of the table."""
    import pandas as pd

    dtypes: dict[Any, Any] = {feature.column: feature.dtype for feature in features if feature.dtype}
    for feature in features:
        if feature.dtype == "category" and (categories := feature.type.categories(feature)):
            dtypes[feature.column] = pd.CategoricalDtype(categories)
    return dtypes


def with_own_dtypes(features: Sequence[Feature], frame: pd.DataFrame) -> pd.DataFrame:
    """Return valid rows in the dtypes that they have where no other row has a problem: a missing value changes them."""
    dtypes = {f.column: f.type.dtype for f in features if f.required and f.type.dtype in ("int64", "bool")}
    dtypes |= column_dtypes(features)
    present = frame.columns.intersection(list(dtypes))  # none of rows that are no objects
    changed = {column: dtypes[column] for column in present if frame[column].dtype != dtypes[column]}
    return frame.astype(changed) if changed else frame


def check_names(features: Sequence[Feature], names: Iterable[str]) -> list[Problem]:
    """Return the problems of columns' names: those that are unknown, and those that are missing."""
    columns = dict.fromkeys(names)
    unknown = _unknown(features, [columns], single=True)
    return unknown + check_row([feature for feature in features if feature.name not in columns], {})[1]


def names_of(features: Sequence[Feature], keys: Iterable[Any]) -> dict[Any, str]:
    """Return the feature's name for each key that is the name or the column of one, or its column as text.

    JSON and CSV have text alone: in them the column 0 is called "0".
    """
    names = {feature.name for feature in features}
    columns = {normalized(str(feature.column)): feature.name for feature in features}
    columns |= {normalized(feature.column): feature.name for feature in features}
    matches = {key: key if key in names else columns.get(normalized(key)) for key in keys}
    return {key: name for key, name in matches.items() if name is not None}


def by_name(features: Sequence[Feature], row: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Problem]]:
    """Return a row with the features' names for its keys where they have one, and the problems of repeated ones."""
    names = names_of(features, row)
    counts = collections.Counter(names.values())
    problems = [Problem(TEXTS["rows.repeated"].format(name=name), name) for name, count in counts.items() if count > 1]
    return {names.get(key, key): value for key, value in row.items()}, problems


def _rows_by_name(
    features: Sequence[Feature], rows: Sequence[Mapping[Any, Any]]
) -> tuple[Sequence[Mapping[Any, Any]], list[Problem]]:
    names = {feature.name for feature in features}
    if all(row.keys() <= names for row in rows):
        return rows, []
    renamed, problems = [], []
    for i, row in enumerate(rows):
        values, repeated = by_name(features, row)
        renamed.append(values)
        problems += [dataclasses.replace(problem, row=i) for problem in repeated]
    return renamed, problems


def _unknown(features: Sequence[Feature], rows: Iterable[Mapping[Any, Any]], single: bool) -> list[Problem]:
    names = [feature.name for feature in features]
    unknown = dict.fromkeys(itertools.chain.from_iterable(rows))
    for name in names:
        unknown.pop(name, None)
    if not unknown:
        return []
    messages = {}
    for i, name in enumerate(unknown):
        hint = did_you_mean(name, names) if i < HINTS else TEXTS["rows.known"].format(names=shorten_list(names))
        messages[name] = TEXTS["rows.unknown"].format(name=name, hint=hint)
    cells = [(name, None if single else i, row[name]) for i, row in enumerate(rows) for name in row]
    return [Problem(messages[name], str(name), value, row) for name, row, value in cells if name in messages]


def _parse_column(feature: Feature, values: Any) -> tuple[np.ndarray, list[Problem]]:
    """Return the values that `Feature.parse` returns, as an array, and the problems of those that it refuses."""
    import numpy as np
    import pandas as pd

    if isinstance(values, DistinctTexts):
        if (distinct := _parse_distinct(feature, values.texts)) is not None:
            return distinct[values.codes], []
        values = values.tolist()
    if feature.type.dtype.startswith("datetime") and getattr(getattr(values, "dtype", None), "kind", "") == "M":
        codes, different = pd.factorize(values, use_na_sentinel=False)
        if (distinct := _parse_distinct(feature, different.tolist())) is not None:
            return distinct[codes], []
    array, positions = feature.type.parse_column(feature, values)
    if positions and isinstance(values, NumberTexts) and not feature.required and feature.parse("") is None:
        blank = np.isnan(values.numbers)
        if blank.sum() == len(positions):
            return np.where(blank, np.nan, values.numbers), []
    if array is None:
        parsed: list[Any] = [None] * len(values)
    elif not positions:
        return array if feature.required else array.astype("float64"), []
    else:
        parsed = array.tolist()
    if hasattr(values, "tolist"):
        values = values.tolist()
    parse = _cached_parse(feature, values)
    problems = []
    for i in positions:
        parsed[i], reason = parse(values[i])
        if reason:
            problems.append(_problem(feature, values[i], reason, i))
    if feature.type.is_numeric and any(_has_decimal_comma(problem.value, feature.units) for problem in problems):
        invalid = {problem.row for problem in problems}
        problems += [problem for problem in ambiguous_points(feature, values) if problem.row not in invalid]
        problems.sort(key=lambda problem: problem.row or 0)
    return to_array(feature, parsed), problems


def _parse_distinct(feature: Feature, received: list[Any]) -> np.ndarray | None:
    """Return the values of different texts or days, or None if one of them is refused."""
    array, positions = feature.type.parse_column(feature, received)
    if array is not None and not positions:
        return array if feature.required else array.astype("float64")
    try:
        return to_array(feature, [feature.parse(value) for value in received])
    except ValueError:
        return None


def _has_decimal_comma(value: Any, units: Iterable[str]) -> bool:
    return isinstance(value, str) and readings(simplify_number(value, *units)).keys() == {","}


def ambiguous_points(feature: Feature, values: Iterable[Any]) -> list[Problem]:
    """Return the problems of texts such as 1.234 in a column that has decimal commas, too."""
    problems = []
    for i, text in enumerate(values):
        if isinstance(text, str) and "." in text and "," not in text:
            meanings = readings(simplify_number(text, *feature.units))
            if len(meanings) == 2:
                reason = TEXTS["number.mixed"].format(value=text, grouped=meanings[","], decimal=meanings["."])
                problems.append(_problem(feature, text, reason, i))
    return problems


def _cached_parse(feature: Feature, values: Sequence[Any]) -> Callable[[Any], tuple[Any, str]]:
    """Return a function that parses one of these values and returns what is wrong with it; equal ones once."""
    hints = itertools.count()

    def parse(value: Any) -> tuple[Any, str]:
        try:
            return feature.parse(value), ""
        except InvalidValueError as error:
            return None, str(error) if next(hints) < HINTS else error.args[0]
        except ValueError as error:
            return None, str(error)

    # among several types, 1 and True would be taken for the same, and so would be 0.0 and -0.0 among floats
    alike = isinstance(values, NumberTexts) or set(map(type, values)) - {NoneType} in ({str}, {int}, {bool}, set())
    return functools.cache(parse) if alike else parse


def to_array(feature: Feature, parsed: list[Any]) -> np.ndarray:
    """Return an array of the same dtype for one row as for many, and with missing values as without."""
    import numpy as np

    dtype = feature.type.dtype
    if dtype.startswith("datetime"):
        return np.array(parsed, dtype)
    if dtype in ("int64", "bool") and (not feature.required or None in parsed):
        dtype = "float64"  # neither can hold a missing value
    cells = [np.nan if value is None else value for value in parsed]
    if dtype == "float64":
        return np.array(cells, dtype)
    array = np.empty(len(cells), dtype)
    array[:] = cells
    return array
