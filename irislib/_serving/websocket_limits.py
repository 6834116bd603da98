"""Limits of a page's websocket: the layout of its messages, their rate, and the bytes that wait to be read."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from itertools import pairwise
from typing import Any

from tornado.websocket import WebSocketProtocol13

__all__ = [
    "MAX_CONNECTIONS",
    "MAX_HEADER_BYTES",
    "MAX_PENDING_BYTES",
    "MAX_UNREAD_BYTES",
    "MAX_UNREAD_BYTES_OPEN",
    "PacedProtocol",
    "PendingMessages",
    "RateLimit",
    "check_json",
    "check_offsets",
]

MAX_PARTS = 1000  # of a binary message: the headers, the content, and a buffer for each file or array
MAX_CONTAINERS = 200_000  # objects and lists in the JSON of a message: each takes some 30 times its bytes in memory
MAX_HEADER_BYTES = 10_000  # of each header: the kernel repeats it in all messages that it sends for this one
MAX_CONNECTIONS = 8  # of the pages of one kernel: a page has one, or some more while its network is unreliable
FRAMES_PER_SECOND, BURST_OF_FRAMES = 100, 1000  # a slider that is dragged sends about 20 messages a second
BYTES_PER_SECOND, BURST_OF_BYTES = 2_000_000, 50_000_000
MESSAGE_BYTES = 1000  # that a message takes besides its own
MAX_PENDING_BYTES = 20_000_000  # bytes that wait for a busy kernel before no more of its page is read
MAX_UNREAD_BYTES = 4_000_000  # bytes that wait for a slow page before no more of it is read
MAX_UNREAD_BYTES_OPEN = 20_000_000  # and before its connection is closed
PAUSE = 0.05  # seconds


def check_json(*texts: str | bytes) -> None:
    """Refuse JSON with so many objects and lists that it would take far more memory than its bytes.

    Raises
    ------
    ValueError
    """
    brackets = [("{", "[") if isinstance(text, str) else (b"{", b"[") for text in texts]
    counts = [text.count(one) for text, pair in zip(texts, brackets, strict=True) for one in pair]  # type: ignore[arg-type]
    if sum(counts) > MAX_CONTAINERS:
        raise ValueError("its objects and lists are too many")


def check_offsets(message: bytes, width: int, order: Any) -> list[int]:
    """Refuse a binary message whose parts overlap, lie outside of it or are too many.

    jupyter_server trusts the table. Parts that overlap are copied each for itself, so that a message would take
    memory and time with the square of its size.

    Parameters
    ----------
    message : bytes
        Begins with the number of its offsets, followed by them.
    width : int
        The bytes of a number.
    order : str
        The order of these bytes, as ``int.from_bytes`` has it.

    Returns
    -------
    list of int
        The offsets, and the length of the message.

    Raises
    ------
    ValueError
        If the table is not sound.
    """
    count = int.from_bytes(message[:width], order)
    if not 1 <= count <= MAX_PARTS:
        raise ValueError("its parts are none or too many")
    table = [
        int.from_bytes(message[start : start + width], order) for start in range(width, width * (count + 1), width)
    ]
    bounds = [width * (count + 1), *table, len(message)]
    if any(this > following for this, following in pairwise(bounds)):
        raise ValueError("its parts overlap or lie outside of it")
    return bounds[1:]


class RateLimit:
    """A token bucket for the frames and the bytes that the pages of a kernel send."""

    def __init__(self) -> None:
        self.frames, self.bytes = float(BURST_OF_FRAMES), float(BURST_OF_BYTES)
        self.updated = time.monotonic()

    def take(self, size: int) -> float:
        """Count a frame, and return the seconds to wait before the next one is read."""
        now = time.monotonic()
        elapsed, self.updated = now - self.updated, now
        self.frames = min(BURST_OF_FRAMES, self.frames + elapsed * FRAMES_PER_SECOND) - 1
        self.bytes = min(BURST_OF_BYTES, self.bytes + elapsed * BYTES_PER_SECOND) - size
        return max(0.0, -self.frames / FRAMES_PER_SECOND, -self.bytes / BYTES_PER_SECOND)


class PendingMessages:
    """The messages of a page that its kernel has not handled yet."""

    def __init__(self) -> None:
        self.messages: deque[tuple[str, int, float]] = deque()
        self.ids: Counter[str] = Counter()
        self.size = 0

    def add(self, msg_id: str, size: int) -> None:
        """Add a message that is sent to the kernel."""
        self.messages.append((msg_id, size + MESSAGE_BYTES, time.perf_counter()))
        self.ids[msg_id] += 1
        self.size += size + MESSAGE_BYTES

    def remove(self, msg_id: str) -> float:
        """Remove a message that the kernel has handled, and those before it: a kernel handles them in order.

        Returns
        -------
        float
            The seconds since it was added; 0 if it is not there.
        """
        while msg_id in self.ids:
            pending, size, begin = self.messages.popleft()
            self.size -= size
            self.ids[pending] -= 1
            if not self.ids[pending]:
                del self.ids[pending]
            if pending == msg_id:
                return time.perf_counter() - begin
        return 0.0


class PacedProtocol(WebSocketProtocol13):
    """Tornado's protocol, which reads no faster than the limits allow.

    What is not read yet waits on the sender's side, and nothing is lost.
    """

    def __init__(self, handler: Any, params: Any, rate: RateLimit):
        super().__init__(handler, mask_outgoing=False, params=params)
        self.rate = rate

    async def _receive_frame(self) -> None:
        before = self._wire_bytes_in
        await super()._receive_frame()
        wait = self.rate.take(self._wire_bytes_in - before)
        if wait:
            await asyncio.sleep(wait)
        while self.handler.is_congested() and not self.is_closing():  # type: ignore[attr-defined]  # ChannelsHandler
            await asyncio.sleep(PAUSE)
