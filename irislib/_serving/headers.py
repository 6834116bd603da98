"""Security headers of every response, and the host names that a request may use."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, split_host_and_port
from tornado.routing import Matcher
from tornado.web import ErrorHandler, OutputTransform, RequestHandler

from irislib._serving import is_local

__all__ = ["HEADERS", "SafeHeaders", "refusal_routes", "with_headers"]

# Widgets' scripts are made on the fly, and other libraries' widgets may load from anywhere, so no
# more than this can be said for all of them.
POLICY = "frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # the address of a page can hold what is in its form
    "X-Content-Type-Options": "nosniff",
}
SERVER = "irislib"  # no version, for whoever looks for old ones
UNKNOWN_HOST = (
    "This server is not known by the name {name}. Behind a proxy, start it with a token, or with --public-host {name}."
)


class SafeHeaders(OutputTransform):
    """Add the headers to the response of a Tornado handler, unless it has set them."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Complete the headers when they are sent."""
        headers["Server"] = SERVER
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        return status_code, headers, chunk


def with_headers(wsgi: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a WSGI application so that its answers have them, too."""

    def answer(environ: Any, start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            present = {name.title() for name, _ in headers}
            missing = [(name, value) for name, value in HEADERS.items() if name.title() not in present]
            return start_response(status, [*headers, *missing, ("Server", SERVER)], *more)

        return wsgi(environ, start)

    return answer


class ForeignHost(Matcher):
    """Match a request whose host name is not one of this server.

    Where it needs no token, any page on the web could otherwise have its own name resolve to
    127.0.0.1, and its visitor's browser, for which it is then that page's own server, ask this one.
    An address in numbers cannot be had in this way.
    """

    def __init__(self, names: Iterable[str]):
        self.names = {"localhost", *(name.lower() for name in names)}

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Match as tornado's rules do: a dict where it is foreign, else None."""
        name = split_host_and_port(request.host.lower())[0].strip("[]").rstrip(".")
        if name in self.names:
            return None
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return {"path_kwargs": {"name": name}}
        return None


def refusal_routes(server: Any) -> list[tuple[Any, ...]]:
    """Make the rules that come before all others: what is not asked of this server at all."""
    is_unguarded = is_local(server.ip) and not server.identity_provider.auth_enabled  # nothing else guards it
    return [
        *([(ForeignHost(server.public_hosts), ForeignHostHandler)] if server.public_hosts or is_unguarded else []),
        (r".*%00.*", ErrorHandler, {"status_code": 404}),  # on which those of files would fail
    ]


class ForeignHostHandler(RequestHandler):
    """Refuse such a request, with advice for the operator of a proxy."""

    def prepare(self) -> None:
        """Refuse it, whatever it asks for."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(UNKNOWN_HOST.format(name=self.path_kwargs["name"]) + "\n")
