"""Messages between the server and its template processes: JSON, with open file descriptors."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

__all__ = ["pair", "receive", "send"]


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a channel."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(channel: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """Send a message of any length, in a memory file, since the length of a datagram is limited."""
    content = os.memfd_create("irislib-message")
    try:
        with open(content, "wb", closefd=False) as file:
            file.write(json.dumps(message).encode())
        socket.send_fds(channel, [b"."], [content, *files])
    finally:
        os.close(content)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its file descriptors.

    Raises
    ------
    EOFError
        If the other end is closed.
    """
    data, files, _, _ = socket.recv_fds(channel, 1, 8, socket.MSG_CMSG_CLOEXEC)
    if not data:
        raise EOFError("the other end is closed")
    content, *descriptors = files
    with open(content, "rb") as file:
        file.seek(0)
        return json.loads(file.read()), descriptors
