"""TLS by Gunicorn itself: clients that stop in the middle hold no thread for good."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from irislib._serving.client_socket import SEND_SECONDS

__all__ = ["TimedSocket", "with_timed_sockets"]


class TimedSocket(ssl.SSLSocket):
    """A socket whose client has a while for each step: a part of the handshake, of a request or of an answer.

    Gunicorn would wait for it without an end, in each of its workers.
    """

    seconds = SEND_SECONDS
    is_limited = False

    def settimeout(self, value: float | None, /) -> None:
        """Set a timeout; where there is to be none, it is that of this class."""
        self.is_limited = value is None
        super().settimeout(self.seconds if value is None else value)

    def setblocking(self, flag: bool, /) -> None:
        """Wait or not."""
        self.settimeout(None if flag else 0.0)

    def do_handshake(self, block: bool = False) -> None:
        """Agree on a key."""
        with self._ending():
            super().do_handshake(block)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Receive data."""
        with self._ending():
            return super().recv(buflen, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send data, or some of it."""
        with self._ending():
            return super().send(data, flags)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Treat a client whose time is over as one that has gone, unless the caller has set the time."""
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
