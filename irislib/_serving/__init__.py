"""The two servers: apps and endpoint in one process, and the endpoint alone under Gunicorn."""

from __future__ import annotations

from pathlib import Path

from irislib._common.settings import environment_value

__all__ = ["announce_health", "is_local", "url", "withdraw_health"]


def is_local(host: str) -> bool:
    """Return True if only this machine reaches a server that listens on this host."""
    return host in ("localhost", "::1") or host.startswith("127.")


def url(host: str, port: int, path: str = "/", scheme: str = "http") -> str:
    """Return the URL at which a program on this machine reaches a server that listens on this host."""
    local = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"{scheme}://{f'[{local}]' if ':' in local else local}:{port}{path}"


def withdraw_health() -> None:
    """Remove the file that an earlier server of the same container has written."""
    if path := environment_value("health_file"):
        Path(path).unlink(missing_ok=True)


def announce_health(address: str) -> None:
    """Write the health URL for a container's health check (``python -m irislib.healthcheck``)."""
    if path := environment_value("health_file"):
        Path(path).write_text(address, encoding="utf-8")
