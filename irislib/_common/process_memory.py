"""The memory of processes: what several of them share, and what one does not need any more."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from contextlib import suppress

__all__ = ["return_free_memory", "shared_out_bytes"]


def return_free_memory() -> None:
    """Return memory that was freed to the system; without it, glibc holds it for what comes next."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def shared_out_bytes(pids: Iterable[int]) -> int:
    """Return the bytes of some processes; what several processes share is divided among them. 0 if it is not known."""
    total = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):  # it has ended, or belongs to another user
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                lines = [line.split() for line in file if line.startswith("Pss:")]
            total += 1024 * int(lines[0][1])
    return total
