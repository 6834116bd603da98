"""The memory that is freed while a worker predicts, kept by the C library for the next arrays."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from irislib._common.process_memory import return_free_memory

__all__ = ["keep_freed_memory"]

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
VARIABLE = "MALLOC_TRIM_THRESHOLD_"  # Dask's nannies set it
DEFAULT_MMAP = 1 << 17
KEPT = {TRIM_THRESHOLD: 1 << 26, MMAP_THRESHOLD: 1 << 25}  # to which glibc goes by itself where nothing is set


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keep freed memory for the next arrays, if Dask has it returned to the system.

    To fetch the memory of each array of a forest's prediction from the system takes more time than the prediction.
    """
    before = os.environ.get(VARIABLE, "")
    if not before.isdecimal():
        yield
        return
    _set(KEPT)
    try:
        yield
    finally:
        _set({TRIM_THRESHOLD: int(before), MMAP_THRESHOLD: DEFAULT_MMAP})
        return_free_memory()


def _set(thresholds: dict[int, int]) -> None:
    with suppress(OSError, AttributeError):  # another C library than glibc
        for name, value in thresholds.items():
            ctypes.CDLL(None).mallopt(name, value)
