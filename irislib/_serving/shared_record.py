"""A record that processes share which are forked later."""

from __future__ import annotations

import json
import mmap
import struct
import zlib
from typing import Any

__all__ = ["SharedRecord"]

HEAD = struct.Struct("II")  # the length of the object and its checksum


class SharedRecord:
    """A JSON object in shared memory: one process at a time writes it, any others read it, and nobody waits.

    It is written beside the one that is read, and a single byte says which of the two is valid.

    Parameters
    ----------
    size : int
        The most bytes of the object.
    """

    def __init__(self, size: int):
        self._size = size + HEAD.size
        self._memory = mmap.mmap(-1, 1 + 2 * self._size)

    def write(self, record: dict[str, Any]) -> None:
        """Replace the object."""
        content = json.dumps(record).encode()
        if len(content) + HEAD.size > self._size:
            raise ValueError(f"A record of {len(content)} bytes is too large.")
        side = 1 - self._memory[0]
        start = 1 + side * self._size
        HEAD.pack_into(self._memory, start, len(content), zlib.crc32(content))
        start += HEAD.size
        self._memory[start : start + len(content)] = content
        self._memory[0] = side

    def read(self) -> dict[str, Any]:
        """Return the object; empty before it was written."""
        for _ in range(10):
            start = 1 + self._memory[0] * self._size
            length, checksum = HEAD.unpack_from(self._memory, start)
            start += HEAD.size
            content = self._memory[start : start + length]
            if zlib.crc32(content) == checksum:  # else it was written twice meanwhile
                record: dict[str, Any] = json.loads(content) if content else {}
                return record
        return {}
