"""The limits of what a dtype can hold: a value beyond them would become another one, or infinite, without an error."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

__all__ = ["date_limits", "holds", "is_whole", "number_limits", "rounds_to"]

Limits = tuple[Any, Any]  # None for an end at which the kind of a feature sets the limit

NO_LIMITS: Limits = (None, None)
NANOSECONDS: Limits = (dt.date(1677, 9, 22), dt.date(2262, 4, 11))  # the first and the last whole day


@functools.cache
def number_limits(dtype: str) -> Limits:
    """Return the least and the largest number that a dtype can hold."""
    import numpy as np

    numpy_dtype = _to_numpy(dtype)
    if numpy_dtype is None:
        return NO_LIMITS
    if numpy_dtype.kind == "b":
        return 0, 1
    if numpy_dtype.kind == "u" or (numpy_dtype.kind == "i" and numpy_dtype.itemsize < 8):
        limits = np.iinfo(numpy_dtype)
        return int(limits.min), int(limits.max) if numpy_dtype.itemsize < 8 else None
    if numpy_dtype.kind == "f" and numpy_dtype.itemsize < 8:
        largest = float(np.finfo(numpy_dtype).max)
        return -largest, largest
    return NO_LIMITS


@functools.cache
def date_limits(dtype: str) -> Limits:
    """Return the first and the last day that a dtype can hold."""
    import numpy as np

    numpy_dtype = _to_numpy(dtype)
    is_limited = numpy_dtype is not None and numpy_dtype.kind == "M" and np.datetime_data(numpy_dtype)[0] == "ns"
    return NANOSECONDS if is_limited else NO_LIMITS


def is_whole(dtype: str) -> bool:
    """Return True for a dtype of whole numbers or booleans."""
    numpy_dtype = _to_numpy(dtype)
    return numpy_dtype is not None and numpy_dtype.kind in "biu"


@functools.cache
def rounds_to(dtype: str) -> str:
    """Return ``float32`` or ``float16`` for a dtype in which numbers have less than double precision, else nothing."""
    name = str(_to_numpy(dtype)) if dtype else ""
    return name if name in ("float32", "float16") else ""


def holds(dtype: str, value: Any) -> bool:
    """Return False for a number that a column of a dtype would hold as another one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    low, high = number_limits(dtype)
    is_beyond = (low is not None and value < low) or (high is not None and value > high)
    return not (is_beyond or (is_whole(dtype) and value != int(value)))


def _to_numpy(dtype: str) -> Any:
    """Return the dtype of NumPy for one of pandas, also for those with missing values; None if there is none."""
    import numpy as np
    import pandas as pd

    try:
        parsed = pd.api.types.pandas_dtype(dtype)
    except TypeError:  # `Feature.faults` reports it
        return None
    numpy_dtype = getattr(parsed, "numpy_dtype", getattr(parsed, "subtype", parsed))  # of nullable and sparse ones
    return numpy_dtype if isinstance(numpy_dtype, np.dtype) else None
