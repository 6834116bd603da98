"""Requests of `irislib api` as their bytes arrive: where each of them ends, and who is to answer it."""

from __future__ import annotations

from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import SocketUnreader

from irislib._common.routes import ROUTES

__all__ = ["RequestScan", "RequestUnreader"]

MAX_BUFFERED_BYTES = 1_100_000  # of a request: one row, and its head
SHORT_BYTES = 65_536  # of a request that is answered at once: to take a larger one apart may take long by itself
MAX_CHUNK_LINE = 4096  # bytes of a chunk's size and its extensions
MONITORING = frozenset(route.path.encode() for route in ROUTES if route.is_monitoring)


class RequestScan:
    """The bytes of a request as they arrive.

    Attributes
    ----------
    data : bytearray
    is_complete : bool
        The request has arrived, or as much of it as is buffered.
    is_short : bool
        By its head, and its length as far as it is known, it takes no longer than one prediction.
    is_monitoring : bool
        By its head it comes from a probe or a scraper.
    path : bytes
        In lower case, with its query.
    awaits_continue : bool
        Its client waits for 100 Continue.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_complete = self.is_short = self.is_monitoring = self.awaits_continue = False
        # Where the next chunk's size begins; before the first and after the last chunk, from where on to search for the
        # end of the head or of the trailers.
        self.position = 0
        self.path = b""
        self.end: int | None = None  # of a body with a length
        self.has_head = self.is_chunked = self.has_last_chunk = False

    def feed(self, data: bytes) -> None:
        """Add bytes."""
        self.data += data
        if not self.has_head:
            self._find_head()
        if self.has_head:
            self._find_end()
        if len(self.data) > MAX_BUFFERED_BYTES and not self.is_complete:
            self._leave_to_thread()

    def _leave_to_thread(self) -> None:
        self.is_complete, self.is_short, self.is_monitoring = True, False, False

    def _find_head(self) -> None:
        end = self.data.find(b"\r\n\r\n", self.position)
        self.position = max(0, len(self.data) - 3)
        if end < 0:
            return
        self.has_head, self.position = True, end + 4
        head = bytes(self.data[: end + 2]).lower()
        first, second = head.find(b" "), head.find(b"\r\n")
        path = self.path = head[first:second].strip().partition(b" ")[0]
        coding = head.partition(b"\r\ntransfer-encoding:")[2].partition(b"\r\n")[0].strip()
        self.is_chunked = b"\r\ntransfer-encoding" in head
        # an encoded path may be that of a batch
        self.is_short = head.startswith(b"post /") and path.count(b"/") < 2 and b"%" not in path
        self.is_monitoring = path in MONITORING
        self.awaits_continue = b"\r\nexpect:" in head and len(self.data) == self.position
        value = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0].strip()
        value = value.lstrip(b"0") or b"0"  # Gunicorn takes any number of zeros
        is_number = value.isdigit() and len(value) < 20
        self.end = self.position + (int(value) if is_number else 0)
        self.is_short &= self.end <= SHORT_BYTES
        if (
            not is_number
            or head.count(b"\r\ncontent-length") > 1
            or (self.is_chunked and coding != b"chunked")
            or (not self.is_chunked and self.end > MAX_BUFFERED_BYTES)
        ):  # for Gunicorn to refuse
            self._leave_to_thread()

    def _find_end(self) -> None:
        """Find the end of the body; what is no sound chunk is for Gunicorn to refuse."""
        if not self.is_chunked:
            self.is_complete |= len(self.data) >= (self.end or 0)
            return
        if self.has_last_chunk:
            self._find_end_of_trailers()
            return
        while (line_end := self.data.find(b"\r\n", self.position, self.position + MAX_CHUNK_LINE)) >= 0:
            size = bytes(self.data[self.position : line_end]).partition(b";")[0].strip()
            try:
                count = int(size, 16)
            except ValueError:
                count = -1
            if count < 0 or len(size) > 16:
                self._leave_to_thread()
                return
            if count == 0:
                self.has_last_chunk, self.position = True, line_end
                self._find_end_of_trailers()
                return
            if line_end + 2 + count + 2 > len(self.data):
                return
            self.position = line_end + 2 + count + 2
        if len(self.data) - self.position >= MAX_CHUNK_LINE:
            self._leave_to_thread()

    def _find_end_of_trailers(self) -> None:
        self.is_complete |= self.data.find(b"\r\n\r\n", self.position) >= 0
        self.position = max(self.position, len(self.data) - 3)
        self.is_short &= self.position <= SHORT_BYTES


class RequestUnreader(SocketUnreader):  # type: ignore[misc]
    """The bytes of a request for Gunicorn's parser: those that have been received, then the rest from the socket.

    They come in pieces, for the parser copies all that it has for each chunk of a body.

    Parameters
    ----------
    sock : socket
    received : bytes
    is_complete : bool
        The request is among them to its end: nothing is received, for nobody may wait.
    """

    def __init__(self, sock: Any, received: bytes, is_complete: bool = False):
        super().__init__(sock)
        self.received, self.position, self.is_complete = received, 0, is_complete

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece.

        Raises
        ------
        NoMoreData
            If the parser goes on beyond the end of a complete request, which ends the connection.
        """
        start = self.position
        if start >= len(self.received):
            if self.is_complete:
                raise NoMoreData
            return super().chunk(size_hint)  # type: ignore[no-any-return]
        self.position = start + max(self.mxchunk, size_hint or 0)
        return self.received[start : self.position]

    def take_buffered(self) -> bytes:
        """Return what has been received and not read, such as the next request."""
        rest = self.received[self.position :]
        self.received, self.position = b"", 0  # not to be held while the connection is idle
        return super().take_buffered() + rest  # type: ignore[no-any-return]
