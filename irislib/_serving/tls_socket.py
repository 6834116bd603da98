"""TLS by Gunicorn itself: clients that stop in the middle hold no thread for good."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from irislib._serving.client_socket import SEND_SECONDS

__all__ = ["TimedSocket", "with_timed_sockets"]

RECORD_BYTES = 16_384  # the most of TLS at once


class TimedSocket(ssl.SSLSocket):
    """A socket whose client has a while for each step: the handshake, the head of a request, a part of an answer.

    Gunicorn would wait for it without an end, in each of its workers.

    Attributes
    ----------
    is_limited : bool
        The caller has set no timeout: that of this class holds, and its end is that of the connection.
    deadline : float
        By which all has to arrive that is received meanwhile.
    """

    seconds = SEND_SECONDS
    is_limited = False
    deadline = 0.0

    def settimeout(self, value: float | None, /) -> None:
        """Set a timeout; where there is to be none, as at the beginning of a request, it is that of this class."""
        self.is_limited = value is None
        self.deadline = monotonic() + self.seconds
        super().settimeout(self.seconds if value is None else value)

    def setblocking(self, flag: bool, /) -> None:
        """Wait or not."""
        self.settimeout(None if flag else 0.0)

    def do_handshake(self, block: bool = False) -> None:
        """Agree on a key."""
        with self._resetting():
            super().do_handshake(block)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive data; one byte now and then does not put off the end."""
        with self._resetting():
            if not self.is_limited:
                return super().recv(buflen, flags)
            remaining = self.deadline - monotonic()
            if remaining <= 0:
                raise TimeoutError
            super().settimeout(remaining)
            try:
                return super().recv(buflen, flags)
            finally:
                super().settimeout(self.seconds)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send the beginning of data: the timeout is that of a call, and a slow client may read on for long."""
        with self._resetting():
            return super().send(memoryview(data)[:RECORD_BYTES], flags)

    @contextmanager
    def _resetting(self) -> Iterator[None]:
        """Raise the timeout of this class as a reset, which Gunicorn ignores; one of the caller's is the caller's."""
        is_limited = self.is_limited
        try:
            yield
        except TimeoutError:
            if is_limited:
                raise ConnectionResetError(errno.ECONNRESET, "The client does not go on.") from None
            raise
        finally:
            self.is_limited = is_limited  # for a handshake sets the time that it has found


def with_timed_sockets(make_context: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    """Return a hook ``ssl_context`` of Gunicorn's that does as another, for sockets with a timeout."""

    def hook(config: Any, default_ssl_context_factory: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        context = make_context(config, default_ssl_context_factory)
        context.sslsocket_class = TimedSocket
        return context

    return hook
