"""The body of a request as a stream: unpacked, and either whole or an error that its client reads."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import zlib
from collections.abc import Callable
from typing import Any

from werkzeug import exceptions
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType

__all__ = ["BodyStream"]

MAX_DRAINED_BYTES = 2**28  # of a refused body, which are read so that its client gets to read the refusal
DRAIN_SECONDS = 20
STALL_SECONDS = 30  # for which a client may send nothing
PIECE_BYTES = 65_536
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # as zlib has them: the checksums are those of each format


class UnknownEncodingError(UnsupportedMediaType):
    """A Content-Encoding that cannot be unpacked."""

    def get_headers(self, *args: Any) -> list[tuple[str, str]]:
        """Return the headers of the response, with the encodings that can be."""
        return [*super().get_headers(*args), ("Accept-Encoding", "gzip, deflate")]


class BodyStream:
    """The body of a request in WSGI, in place of the server's own stream.

    Parameters
    ----------
    environ : dict
        The request; afterwards, its ``wsgi.input`` is this.
    limit : int
        The most bytes of it, unpacked.
    """

    def __init__(self, environ: dict[str, Any], limit: int):
        self.limit, self.count = limit, 0
        self.stream, self.socket = environ["wsgi.input"], environ.get("gunicorn.socket")
        length = environ.get("CONTENT_LENGTH") or ""
        self.remaining = int(length) if length.isdecimal() else 0
        self.is_open_ended = not length and bool(environ.get("wsgi.input_terminated"))  # as chunks are
        self.transfer_coding = environ.get("HTTP_TRANSFER_ENCODING", "chunked").strip().lower()
        self.encoding = environ.pop("HTTP_CONTENT_ENCODING", "").strip().lower()
        if self.encoding in ("", "identity"):
            self.read_piece: Callable[[int], bytes] = self.receive
        else:
            self.read_piece = _unpacked(self)
            environ.pop("CONTENT_LENGTH", None)  # it is that of the packed body
        environ["wsgi.input"], environ["wsgi.input_terminated"] = self, True

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, or all for -1; nothing is left if it returns nothing.

        Raises
        ------
        BadRequest, RequestTimeout
            If the body does not come, or not to its end.
        RequestEntityTooLarge
        NotImplemented, UnsupportedMediaType
            If it cannot be unpacked.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE_BYTES), b""))
        data = self.read_piece(size) if size else b""
        self.count += len(data)
        if self.count > self.limit:
            raise RequestEntityTooLarge
        return data

    def receive(self, size: int) -> bytes:
        """Read at most `size` bytes as they were sent."""
        if self.transfer_coding != "chunked":
            raise exceptions.NotImplemented(f"Transfer-Encoding {self.transfer_coding} is not supported: send chunked.")
        if not self.is_open_ended:
            size = min(size, self.remaining)
            if not size:
                return b""
        try:
            data = self._receive(size)
        except HTTPException:
            self.remaining, self.is_open_ended = 0, False  # there is nothing to drain
            raise
        self.remaining -= len(data)
        self.is_open_ended = self.is_open_ended and bool(data)
        return data

    def _receive(self, size: int) -> bytes:
        try:
            if self.socket:
                self.socket.settimeout(STALL_SECONDS)
            data: bytes = self.stream.read(size)
        except TimeoutError:
            raise RequestTimeout("The body did not come in time.") from None
        except Exception as error:  # the servers have exceptions of their own
            raise BadRequest(f"The body cannot be read: {error}") from None
        finally:
            if self.socket:
                self.socket.settimeout(None)
        if not data and not self.is_open_ended:
            raise BadRequest(f"The body is {self.remaining:,} bytes shorter than its Content-Length.")
        return data

    def is_client_gone(self) -> bool:
        """Return True if the client has closed the connection, False where that cannot be seen, as through TLS."""
        if not isinstance(self.socket, socket.socket) or isinstance(self.socket, ssl.SSLSocket):
            return False
        try:
            return not self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def drain(self, heartbeat: Callable[[], None]) -> None:
        """Read the rest of a body, up to a limit: a client that still sends would not read the response."""
        end, count = time.monotonic() + DRAIN_SECONDS, 0
        with contextlib.suppress(HTTPException):
            while count < MAX_DRAINED_BYTES and time.monotonic() < end and (data := self.receive(PIECE_BYTES)):
                count += len(data)
                heartbeat()


def _unpacked(body: BodyStream) -> Callable[[int], bytes]:
    """Return a function that reads at most some bytes of a body in its Content-Encoding."""
    decoder: Any = None
    packed, has_more = b"", False

    def read_piece(size: int) -> bytes:
        nonlocal decoder, packed, has_more
        while True:
            if not packed and not has_more:
                packed = body.receive(PIECE_BYTES)
                if not packed:
                    if decoder is None or not decoder.eof:
                        raise BadRequest(f"The body ends within its Content-Encoding, {body.encoding}.")
                    return b""
            if decoder is None or decoder.eof:  # a body of gzip may have several members
                is_raw = body.encoding == "deflate" and packed[0] & 15 != 8  # as some clients send it
                decoder = zlib.decompressobj(-15 if is_raw else WINDOW_BITS[body.encoding])
            data: bytes = decoder.decompress(packed, size)
            packed, has_more = decoder.unconsumed_tail or decoder.unused_data, len(data) == size
            if decoder.eof:
                has_more = False
            if data:
                return data

    def read(size: int) -> bytes:
        if body.encoding not in WINDOW_BITS:
            raise UnknownEncodingError(
                f"Content-Encoding {body.encoding} is not supported: send gzip, deflate or none."
            )
        try:
            return read_piece(size)
        except zlib.error:
            raise BadRequest(f"The body is not in its Content-Encoding, {body.encoding}.") from None

    return read
