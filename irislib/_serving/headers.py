"""Security headers of every response, and the host names that a request may use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.routing import Matcher
from tornado.web import OutputTransform, RequestHandler

from irislib._common.messages.serving import TEXTS
from irislib._common.security_headers import SELF, headers_for, missing_headers
from irislib._serving import is_local
from irislib._serving.methods import send_problem
from irislib.api._application import request_id_of
from irislib.api._hosts import UNKNOWN_HOST, foreign_name, host_names
from irislib.api._problem_details import problem
from irislib.errors import IrislibError

__all__ = ["SafeHeaders", "ancestors", "refusal_routes", "security_headers", "with_headers"]

# What a policy can hold: neither addresses in IPv6 nor letters beyond ASCII
LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
ORIGIN = re.compile(rf"https?://(\*\.{LABEL}\.)?({LABEL}\.)*{LABEL}(:[1-9][0-9]{{0,4}})?")
SERVER_NAME = "irislib"  # without a version, which would help to find vulnerable servers


def ancestors(text: str) -> str:
    """Return the sites that may show the pages in a frame, as a policy has them: this server, and those of a setting.

    Raises
    ------
    IrislibError
        If one is no origin.
    """
    origins = [part.lower() for part in re.split("[, ]", text) if part]
    for origin in origins:
        if origin not in ("self", SELF) and not ORIGIN.fullmatch(origin):
            raise IrislibError(TEXTS["no_origin"].format(value=origin))
    return " ".join(dict.fromkeys([SELF, *(origin for origin in origins if "://" in origin)]))


def security_headers(server: Any) -> dict[str, str]:
    """Return the headers of every response.

    Raises
    ------
    IrislibError
        If the sites that may frame a page are no origins, or would be overridden by a policy in Voila's settings.
    """
    own = server.tornado_settings.get("headers", {})
    if server.frame_ancestors and any(name.title() == "Content-Security-Policy" for name in own):
        raise IrislibError(TEXTS["two_policies"])
    return headers_for(ancestors(server.frame_ancestors))


class SafeHeaders(OutputTransform):
    """Add the headers to the response of a Tornado handler, unless it has set them."""

    def __init__(self, request: HTTPServerRequest, headers: Mapping[str, str]):
        self.headers = headers

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Complete the headers when they are sent."""
        headers["Server"] = SERVER_NAME
        for name, value in self.headers.items():
            headers.setdefault(name, value)
        return status_code, headers, chunk


def with_headers(wsgi: Callable[..., Any], safe: Mapping[str, str]) -> Callable[..., Any]:
    """Wrap a WSGI application so that its responses have the headers, too."""

    def wrapped(environ: Any, start_response: Callable[..., Any]) -> Any:
        def add_headers(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            added = [*missing_headers(headers, safe), ("Server", SERVER_NAME)]
            return start_response(status, [*headers, *added], *exc_info)

        return wsgi(environ, add_headers)

    return wrapped


class ForeignHost(Matcher):
    """Match a request whose host name is not one of this server; see :func:`irislib.api._hosts.foreign_name`."""

    def __init__(self, names: Iterable[str]):
        self.names = host_names(names)

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return a dict if the host is foreign, else None, as tornado's matchers do."""
        return {} if foreign_name(request.host, self.names) is not None else None


def refusal_routes(server: Any) -> list[tuple[Any, ...]]:
    """Return the rules that precede all others: requests that are refused."""
    is_unguarded = is_local(server.ip) and not server.identity_provider.auth_enabled  # nothing else guards it
    foreign = (ForeignHost(server.public_hosts), ProblemHandler, {"status": 403, "detail": UNKNOWN_HOST})
    missing = {"status": 404, "detail": "There is nothing at this address."}
    return [
        *([foreign] if server.public_hosts or is_unguarded else []),
        (r".*%00.*", ProblemHandler, missing),  # on which the handlers of static files would fail
    ]


class ProblemHandler(RequestHandler):
    """Refuse a request, whatever it asks for."""

    def initialize(self, status: int, detail: str) -> None:
        """Note the refusal; the detail may have the `name` of the host in it."""
        self.status, self.detail = status, detail

    def prepare(self) -> None:
        """Refuse it before its method is looked at."""
        self.refuse()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Refuse a method that Tornado does not know in the same way."""
        self.refuse()

    def refuse(self) -> None:
        """Send the problem."""
        name = foreign_name(self.request.host, frozenset())
        self.set_header("X-Request-ID", request_id_of(self.request.headers.get("X-Request-ID", "")))
        send_problem(self, problem(self.status, self.detail.format(name=name)))
        self.finish()
