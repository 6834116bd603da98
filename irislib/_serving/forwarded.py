"""Requests as trusted proxies forwarded them: the client's address, the public scheme, name and path of the server."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Any

from tornado.httputil import HTTPHeaders

from irislib.api._trusted_proxies import clean_prefix, clean_scheme

__all__ = ["apply_forwarded", "forwarded_prefix"]


def forwarded_value(headers: HTTPHeaders, name: str, proxies: int) -> str:
    """Return a value of the trusted proxies, each of which has added one; empty if one of them has not."""
    values = [value.strip() for value in headers.get(f"X-Forwarded-{name}", "").split(",")]
    return values[-proxies] if len(values) >= proxies > 0 else ""


def forwarded_prefix(headers: HTTPHeaders, proxies: int) -> str:
    """Return the beginning of the public path that the trusted proxies took off; empty if they took off none."""
    return clean_prefix(forwarded_value(headers, "Prefix", proxies))


def apply_forwarded(headers: HTTPHeaders, context: Any, proxies: int) -> None:
    """Read the headers of the trusted proxies, as Werkzeug's ProxyFix does.

    Parameters
    ----------
    headers : HTTPHeaders
        Of the request; loses those that were read. The prefix is left for the handlers.
    context : object
        Gets the address of the client and the scheme of the request.
    proxies : int
        The number of trusted proxies.
    """
    client, scheme, host = (forwarded_value(headers, name, proxies) for name in ("For", "Proto", "Host"))
    for name in ("For", "Proto", "Host"):
        headers.pop(f"X-Forwarded-{name}", None)
    with suppress(ValueError):
        context.remote_ip = str(ipaddress.ip_address(client))
    if scheme := clean_scheme(scheme):
        context.protocol = scheme
    if host:
        headers["Host"] = host
