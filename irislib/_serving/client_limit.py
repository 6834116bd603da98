"""The limit of connections of one client, so that none takes those of all others."""

from __future__ import annotations

import logging
import socket
from collections import Counter
from contextlib import suppress
from typing import Any

from irislib._common.client_addresses import client_of_ip, parse_ip
from irislib._common.messages import TEXTS
from irislib._serving.raw_problems import raw_response

__all__ = ["ClientConnections", "refuse_connection"]

log = logging.getLogger(__name__)

DEFAULT_LIMIT = 500  # a page has about seven connections, and many visitors may have the address of one office
RETRY_SECONDS = 10


class ClientConnections:
    """The open connections of each client.

    Parameters
    ----------
    limit : int, optional
        The most of one client; 0 for no limit. If left out, it is `DEFAULT_LIMIT` for other machines than this one,
        and there is none for this one, which may have a proxy.
    proxies : int, default 0
        The number of trusted proxies. All connections are theirs, if there are any: none is counted.
    """

    def __init__(self, limit: int | None = None, proxies: int = 0):
        self.limit = 0 if proxies else DEFAULT_LIMIT if limit is None else limit
        self.counts_this_machine = limit is not None
        self.counts: Counter[str] = Counter()
        self.reported: set[str] = set()

    def client_of(self, address: Any) -> str:
        """Return the client of a socket's address: an IPv4 address or an IPv6 network; empty if it is not counted."""
        if not self.limit or not isinstance(address, tuple):  # a Unix socket has no addresses
            return ""
        if parse_ip(address[0]).is_loopback and not self.counts_this_machine:
            return ""
        return client_of_ip(address[0])

    def add(self, client: str) -> bool:
        """Count another connection, or return False if the client has as many as it may have."""
        if client and self.counts[client] >= self.limit:
            if client not in self.reported:
                self.reported.add(client)
                log.warning("%s has %d connections, the most that one client may have.", client, self.limit)
            return False
        if client:
            self.counts[client] += 1
        return True

    def remove(self, client: str) -> None:
        """Forget a connection."""
        if client:
            self.counts[client] -= 1
            if not self.counts[client]:
                del self.counts[client]
                self.reported.discard(client)


def refuse_connection(sock: socket.socket) -> None:
    """Respond 503 at once, without a wait for the request; the caller closes the connection."""
    sock.setblocking(False)
    with suppress(OSError):
        sock.recv(65536)  # the request, if it is there: a connection closed before that would be reset
    with suppress(OSError):
        sock.send(raw_response(503, TEXTS["connections"], {"Retry-After": str(RETRY_SECONDS)}))
        sock.shutdown(socket.SHUT_WR)
