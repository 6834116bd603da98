"""A record that processes share which are forked later."""

from __future__ import annotations

import json
import mmap
import struct
from typing import Any

__all__ = ["SharedRecord"]

LENGTH = struct.Struct("I")


class SharedRecord:
    """A JSON object in shared memory: one process at a time writes it, any others read it, and nobody waits.

    It is written beside the one that is read, and a single byte says which of the two is valid.

    Parameters
    ----------
    size : int
        The most bytes of the object.
    """

    def __init__(self, size: int):
        self._size = size + LENGTH.size
        self._memory = mmap.mmap(-1, 1 + 2 * self._size)

    def write(self, record: dict[str, Any]) -> None:
        """Replace the object."""
        content = json.dumps(record).encode()
        if len(content) + LENGTH.size > self._size:
            raise ValueError(f"A record of {len(content)} bytes is too large.")
        side = 1 - self._memory[0]
        start = 1 + side * self._size
        LENGTH.pack_into(self._memory, start, len(content))
        start += LENGTH.size
        self._memory[start : start + len(content)] = content
        self._memory[0] = side

    def read(self) -> dict[str, Any]:
        """Return the object; empty before it was written."""
        for _ in range(10):
            start = 1 + self._memory[0] * self._size
            (length,) = LENGTH.unpack_from(self._memory, start)
            start += LENGTH.size
            content = self._memory[start : start + length]
            try:
                record: dict[str, Any] = json.loads(content) if content else {}
            except ValueError:  # it was written twice meanwhile
                continue
            return record
        return {}
