"""The socket of a client of `irislib api`, whose answers wait for it without a thread."""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import suppress
from typing import Any

__all__ = ["SEND_SECONDS", "ClientSocket"]

SEND_SECONDS = 30  # for which a client may read nothing of its answer
SEND_TIMEOUT = struct.pack("ll", SEND_SECONDS, 0)  # as a timeval


class ClientSocket(socket.socket):
    """The socket of a client, which may read its answers slowly or never.

    Attributes
    ----------
    unsent : bytearray or None
        Takes what cannot be sent at once; None if a thread sends, which waits.
    """

    unsent: bytearray | None = None

    @classmethod
    def of(cls, sock: socket.socket) -> ClientSocket:
        """Take over a socket that has been accepted."""
        client = cls(sock.family, sock.type, sock.proto, sock.detach())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        return client

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send data, or as much as can be sent without a wait."""
        if self.unsent is None:
            try:
                super().sendall(data, flags)
            except BlockingIOError:
                raise ConnectionResetError(errno.ECONNRESET, "The client does not read its answer.") from None
            return
        sent = 0
        if not self.unsent:
            if self.gettimeout():  # with which even MSG_DONTWAIT would wait
                self.setblocking(True)
            with suppress(BlockingIOError):
                sent = super().send(data, flags | socket.MSG_DONTWAIT)
        if sent < len(data):
            self.unsent += memoryview(data)[sent:]

    def send_more(self) -> None:
        """Send more of what is unsent."""
        if self.unsent:
            del self.unsent[: super().send(self.unsent)]

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send data, for Gunicorn's 100 Continue as `sendall`."""
        if self.unsent is None:
            return super().send(data, flags)
        self.sendall(data, flags)
        return len(data)
