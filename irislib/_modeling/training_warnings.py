"""Warnings about rows unlike the training rows: in one of their values, or in all of them together."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._common.formatting import format_value, short_repr
from irislib._common.messages.validation import TEXTS
from irislib._description.values import is_empty
from irislib._modeling.novelty import USUAL
from irislib.errors import Problem

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = [
    "Warned",
    "by_row",
    "listed",
    "novelty_warning",
    "outside_warnings",
    "training_warnings",
    "unlike",
    "warning_texts",
]

DIGITS = 6  # of a value in a warning


class Warned(NamedTuple):
    """Warnings of one kind about many rows, each different one made once.

    Attributes
    ----------
    rows : ndarray of int of shape (n_warnings,)
        The positions of the rows that have one, in order.
    codes : ndarray of int of shape (n_warnings,)
        The position in ``problems`` of each.
    problems : list of Problem
        Without a row.
    """

    rows: np.ndarray
    codes: np.ndarray
    problems: list[Problem]


def training_warnings(model: Model, frame: pd.DataFrame) -> list[Warned]:
    """Return the warnings of checked rows: those of their values, and those of other rows that are novel."""
    import numpy as np

    warned = outside_warnings(model, frame)
    is_inside = np.ones(len(frame), dtype=bool)
    for one in warned:
        is_inside[one.rows] = False
    rows = is_inside.nonzero()[0]
    if not len(rows):
        return warned
    rows = rows[model.novelty.is_novel(frame.iloc[rows] if warned else frame)]
    return [*warned, Warned(rows, np.zeros(len(rows), int), [novelty_warning(model)])] if len(rows) else warned


def outside_warnings(model: Model, frame: pd.DataFrame) -> list[Warned]:
    """Return the warnings of the values that the training data do not cover, one for each feature that has any."""
    pairs = zip(model.spec.feature_names, model.spec.columns, strict=True)
    return [warned for name, column in pairs if (warned := _outside(model, name, frame[column]))]


def listed(warned: Iterable[Warned], count: int) -> list[Problem]:
    """Return the warnings of a table one by one, with their rows if the table has several."""
    return [
        replace(one.problems[code], row=None if count == 1 else row)
        for one in warned
        for row, code in zip(one.rows.tolist(), one.codes.tolist(), strict=True)
    ]


def by_row(warned: Iterable[Warned]) -> dict[int, list[Problem]]:
    """Return the warnings of each row that has any; equal ones are one object."""
    warnings: dict[int, list[Problem]] = defaultdict(list)
    for one in warned:
        for row, code in zip(one.rows.tolist(), one.codes.tolist(), strict=True):
            warnings[row].append(one.problems[code])
    return warnings


def warning_texts(warned: Sequence[Warned], count: int) -> list[str]:
    """Return the warnings of each row as one text, and nothing for a row without any."""
    import numpy as np

    texts = [""] * count
    messages = [problem.message for one in warned for problem in one.problems]
    if not any(len(one.rows) for one in warned):  # the rows that had them may have no prediction
        return texts
    rows = np.concatenate([one.rows for one in warned])
    ends = itertools.accumulate((len(one.problems) for one in warned), initial=0)
    codes = np.concatenate([one.codes + before for one, before in zip(warned, ends, strict=False)])
    order = np.argsort(rows, kind="stable")
    rows, codes = rows[order], codes[order]
    starts = np.flatnonzero(np.diff(rows, prepend=-1)).tolist()
    of_rows = [messages[code] for code in codes.tolist()]
    for row, start, end in zip(rows[starts].tolist(), starts, [*starts[1:], len(of_rows)], strict=True):
        texts[row] = " ".join(of_rows[start:end]) if end > start + 1 else of_rows[start]
    return texts


def novelty_warning(model: Model) -> Problem:
    """Return the warning of a row whose values are covered one by one, but not together."""
    key = "warning.row" if model.knows_training_rows else "warning.row_given"
    return Problem(TEXTS[key].format(share=f"{USUAL:.0%}"))


def unlike(model: Model, name: str, value: Any) -> str:
    """Return the warning of a value that the training data do not cover, or nothing."""
    covered = model.coverage.get(name)
    if covered is None or is_empty(value):
        return ""
    if "values" in covered:
        is_known = value in covered["values"]
        key = "warning.value" if model.knows_training_rows else "warning.value_given"
        return "" if is_known else TEXTS[key].format(name=name, value=short_repr(value))
    return "" if covered["low"] <= value <= covered["high"] else _range_message(model, name, covered)(value)


def _range_message(model: Model, name: str, covered: Mapping[str, Any]) -> Callable[[Any], str]:
    """Return the function that words the warning of a value beyond the range of its feature."""
    unit = next(feature.unit for feature in model.spec.features if feature.name == name)
    low, high = (format_value(covered[end], DIGITS) for end in ("low", "high"))
    key = "warning.range" if model.knows_training_rows else "warning.range_given"
    text = TEXTS[key].format(name=name, value="\0", low=low, high=f"{high} {unit}".rstrip())
    before, _, after = text.partition("\0")
    return lambda value: f"{before}{format_value(value, DIGITS)}{after}"


def _outside(model: Model, name: str, column: pd.Series) -> Warned | None:
    covered = model.coverage.get(name)
    if covered is None:
        return None
    if "values" in covered or column.dtype == "object":
        return _unknown(model, name, column.tolist())
    cells = column.to_numpy() if column.dtype.kind in "fi" else column  # NumPy compares with less ado than pandas
    is_outside = (cells < covered["low"]) | (cells > covered["high"])
    rows = is_outside.nonzero()[0] if cells is not column else is_outside.to_numpy().nonzero()[0]
    if not len(rows):
        return None
    codes, values = _distinct(column.iloc[rows])
    describe = _range_message(model, name, covered)
    return Warned(rows, codes, [Problem(describe(value), name, value) for value in values])


def _unknown(model: Model, name: str, values: list[Any]) -> Warned | None:
    import numpy as np

    messages = {value: message for value in set(values) if (message := unlike(model, name, value))}
    if not messages:
        return None
    codes = {value: code for code, value in enumerate(messages)}
    rows = [i for i, value in enumerate(values) if value in codes]
    problems = [Problem(message, name, value) for value, message in messages.items()]
    return Warned(np.array(rows), np.array([codes[values[i]] for i in rows]), problems)


def _distinct(column: pd.Series) -> tuple[np.ndarray, list[Any]]:
    """Return the different values of a column, and the position in them of each."""
    import numpy as np
    import pandas as pd

    array = column.to_numpy()
    if array.dtype.kind not in "fiuM":
        return np.arange(len(array)), column.tolist()
    # 0.0 and -0.0 are equal, but not in words
    bits = array.view(f"i{array.dtype.itemsize}") if array.dtype.kind in "fM" else array
    codes, distinct = pd.factorize(bits)
    return codes, pd.Series(distinct.view(array.dtype)).tolist()
