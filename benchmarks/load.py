"""Load for the benchmarks: one process with a fixed number of concurrent requests."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

__all__ = ["Round", "form_post", "send"]


@dataclass
class Round:
    """The results of one round of requests: seconds in total, and of each request."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def per_second(self) -> float:
        """Successful requests per second."""
        return len(self.latencies) / self.seconds


def form_post(path: str, row: dict[str, float], token: str = "") -> bytes:
    """Return a complete HTTP request that posts a row as a form."""
    body = urlencode(row)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: close",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def send(port: int, requests: list[bytes], connections: int, ok: Callable[[bytes], bool]) -> Round:
    """Send each request on a connection of its own, so many at a time, and wait for every response."""
    result, remaining = Round(), iter(requests)
    selector = selectors.DefaultSelector()

    def send_next() -> None:
        if request := next(remaining, None):
            sock = socket.socket()
            started = time.perf_counter()
            sock.connect(("127.0.0.1", port))
            sock.send(request)
            selector.register(sock, selectors.EVENT_READ, [started, b""])

    start = time.perf_counter()
    for _ in range(connections):
        send_next()
    while selector.get_map():
        for key, _ in selector.select():
            chunk = key.fileobj.recv(65536)
            key.data[1] += chunk
            if chunk:
                continue
            selector.unregister(key.fileobj)
            key.fileobj.close()
            if key.data[1].startswith(b"HTTP/1.1 200") and ok(key.data[1]):
                result.latencies.append(time.perf_counter() - key.data[0])
            else:
                result.failures += 1
            send_next()
    result.seconds = time.perf_counter() - start
    return result
