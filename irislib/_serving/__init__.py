"""The two servers: apps and endpoint in one process, and the endpoint alone under Gunicorn."""

from __future__ import annotations

import os
from pathlib import Path

from irislib.errors import IrislibError

__all__ = ["announce_health", "default_address", "is_local", "url"]


def default_address() -> tuple[str, int]:
    """Host and port where none are given: ``IRISLIB_HOST`` and ``IRISLIB_PORT``, else 127.0.0.1:5000."""
    port = os.environ.get("IRISLIB_PORT") or "5000"
    if not port.isdecimal():
        raise IrislibError(f"IRISLIB_PORT must be a number, got {port!r}.")
    return os.environ.get("IRISLIB_HOST") or "127.0.0.1", int(port)


def is_local(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    return host in ("localhost", "::1") or host.startswith("127.")


def url(host: str, port: int, path: str = "/") -> str:
    """Where someone on this machine reaches a server that listens there."""
    here = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{here}]' if ':' in here else here}:{port}{path}"


def announce_health(address: str) -> None:
    """Tell a container's health check where to look (``python -m irislib.healthcheck``)."""
    if place := os.environ.get("IRISLIB_HEALTH_FILE"):
        Path(place).write_text(address, encoding="utf-8")
