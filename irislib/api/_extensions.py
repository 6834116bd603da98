"""CORS, rate limits and proxies, by Flask's own extensions; off unless an operator asks for them."""

from __future__ import annotations

from flask import request

from irislib._common.client_addresses import client_of_ip
from irislib._common.messages.serving import TEXTS
from irislib._common.origins import cors_origins
from irislib._common.routes import ROUTES
from irislib._common.settings import SETTINGS, environment_value
from irislib.api._application import Endpoint
from irislib.api._trusted_proxies import TrustedProxies
from irislib.errors import IrislibError

__all__ = ["add"]


def add(app: Endpoint) -> None:
    """Add what the options ask for.

    Raises
    ------
    IrislibError
        If a package is not installed, or the limit or an origin cannot be read.
    """
    options = app.options
    try:
        if options.cors:
            from flask_cors import CORS

            from irislib.api._openapi.components import described_headers

            CORS(app, origins=cors_origins(options.cors), expose_headers=sorted(described_headers(secured=True)))
        if options.rate_limit:
            _limit(app, options.rate_limit)
    except ModuleNotFoundError as error:
        raise IrislibError(f"{error.name} is not installed: pip install 'irislib[limits]'.") from None
    if options.proxies:
        n = options.proxies
        app.wsgi_app = TrustedProxies(app.wsgi_app, n, n, n, 0, n)  # type: ignore[method-assign]


def _limit(app: Endpoint, rate: str) -> None:
    from flask_limiter import Limiter
    from limits import parse_many
    from limits.errors import ConfigurationError

    try:
        parse_many(rate)
    except ValueError:
        raise IrislibError(f"The rate limit must be such as 100/minute or 5/second;1000/hour, got {rate!r}.") from None
    # each worker has a memory of its own; the storage of several is one more server, such as Redis
    storage = environment_value("rate_limit_storage") or SETTINGS["rate_limit_storage"].default
    try:
        limiter = Limiter(
            _client, app=app, default_limits=[rate], storage_uri=storage, headers_enabled=True,
            in_memory_fallback_enabled=True,  # a storage that is away must not be an error of every request
        )  # fmt: skip
    except ConfigurationError as error:
        reason = str(error).replace(storage, storage.partition("://")[0])  # its address may have a password
        raise IrislibError(TEXTS["rate_limit_storage"].format(reason=reason)) from None
    for route in ROUTES:
        if route.is_monitoring:
            limiter.exempt(app.view_functions[route.name])


def _client() -> str:
    """Return whose requests count together."""
    try:
        return client_of_ip(request.remote_addr or "")
    except ValueError:  # of a Unix socket
        return request.remote_addr or "127.0.0.1"
