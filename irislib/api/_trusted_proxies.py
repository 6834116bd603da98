"""The public address of a server, as trusted proxies send it, for documents and redirects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

__all__ = ["TrustedProxies", "clean_prefix", "clean_scheme"]

PATH = re.compile(r"(?:/[\w.~%-]+)+", re.ASCII)  # it is written into pages


def clean_prefix(text: str) -> str:
    """Return the beginning of a public path, or nothing if it is no path."""
    prefix = text.strip().rstrip("/")
    return prefix if PATH.fullmatch(prefix) else ""


def clean_scheme(text: str) -> str:
    """Return the scheme of a public address, or nothing if it is another one than those of the web."""
    scheme = text.strip().lower()
    return scheme if scheme in ("http", "https") else ""


class TrustedProxies(ProxyFix):
    """Werkzeug's middleware, which would take anything for a prefix or a scheme."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        cleaners: dict[str, Callable[[str], str]] = {"PREFIX": clean_prefix, "PROTO": clean_scheme}
        for name, clean in cleaners.items():
            if values := environ.get(key := f"HTTP_X_FORWARDED_{name}"):
                environ[key] = ",".join(map(clean, values.split(",")))
        return super().__call__(environ, start_response)
