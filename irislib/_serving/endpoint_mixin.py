"""Requests to ``irislib serve`` that its endpoint answers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated

from irislib._common.json_lines import REQUEST_ID
from irislib._common.page_states import WAITING
from irislib._common.routes import ROUTES
from irislib._serving.methods import MethodsMixin, send_problem
from irislib.api._application import request_id_of
from irislib.api._body_stream import MAX_DRAINED_BYTES
from irislib.api._config import ROW_BYTES
from irislib.api._problem_details import HUB_SILENT, MISSING_TOKEN, TOKEN_WITHOUT_ACCESS, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.httputil import HTTPServerRequest

    from irislib._serving.endpoint_container import EndpointContainer

__all__ = ["RETRY_SECONDS", "EndpointMixin", "RequestIdMixin", "address_without_token", "has_forms"]

ERRORS = {404: "There is nothing at this address."}
REFUSALS = {401: MISSING_TOKEN, 403: TOKEN_WITHOUT_ACCESS, 503: HUB_SILENT}
RETRY_SECONDS = 10  # seconds after which a page that was refused tries again
START_SECONDS = 10.0  # seconds that a program is kept waiting, rather than refused, for what is being prepared
LOOK_SECONDS = 0.05


class RequestIdMixin:
    """Responses with the id of their request, errors included."""

    def set_default_headers(self: Any) -> None:
        """Set it in the request, too, for the endpoint and the log."""
        super().set_default_headers()  # type: ignore[misc]
        request_id = self.request.headers["X-Request-ID"] = request_id_of(self.request.headers.get("X-Request-ID", ""))
        self.set_header("X-Request-ID", request_id)
        REQUEST_ID.set(request_id)


class EndpointMixin(RequestIdMixin, MethodsMixin):
    """Forward every request but GET and HEAD to the endpoint.

    A body is received in chunks, so that one that is too large is refused before it is read.
    """

    prepared, is_answered, is_read_only, size = False, True, False, 0  # of a method that Tornado refuses by itself
    chunks = bytearray()  # of such a method, too

    def initialize(self, endpoint: EndpointContainer, **kwargs: Any) -> None:
        self.endpoint = endpoint
        super().initialize(**kwargs)  # type: ignore[misc]

    def allowed_methods(self: Any) -> list[str]:
        """Return the methods of an address of the endpoint, or of a page."""
        return list(self.settings["irislib_allowed_methods"](self.request.path))

    def check_method(self) -> None:
        """Leave that to the endpoint, which says more about it."""

    async def prepare(self: Any) -> None:
        self.chunks = bytearray()
        self.size, self.is_answered = 0, False
        self.awaits_continue = "Expect" in self.request.headers  # it sends its body when it is asked to
        self.is_read_only = self.request.method in ("GET", "HEAD")
        is_batch = any(route.is_batch and self.request.path.endswith(route.suffix) for route in ROUTES)
        self.limit = self.settings["irislib_batch_bytes"] if is_batch else ROW_BYTES
        # a refused body is read to its end, or the client would see a broken connection instead of the response
        self.request.connection.set_max_body_size(MAX_DRAINED_BYTES)
        self.prepared = False
        await super().prepare()
        self.prepared = True
        if not self._finished and not self.is_read_only:
            await self.answer_early()

    async def answer_early(self: Any) -> None:
        """Answer a request whose body need not be read; `post` ends the response when it was."""
        is_authenticated = self.token_authenticated or self.request.method == "OPTIONS"
        length = self.request.headers.get("Content-Length", "")
        if self.identity_provider.auth_enabled and not is_authenticated and not self.is_own_form():
            self.is_answered = True
            if has_forms(self.request.path) and "text/html" in self.request.headers.get("Accept", ""):
                self.set_status(303)
                self.set_header("Location", "operator?expired=1")  # the page, or the login before it
                self.set_header("Content-Length", 0)
            else:
                self.send_refusal()
            if not self.awaits_continue:
                await self.flush()
        elif length.isdecimal() and int(length) > self.limit:
            await self.forward(int(length))
        if self.is_answered and self.awaits_continue:
            self.prepared = False
            self.end_response()

    def is_own_form(self: Any) -> bool:
        """Return True for a form of a page for the operator, sent from that page by somebody who has logged in."""
        if not self.current_user or self.request.method != "POST" or not has_forms(self.request.path):
            return False
        if self.settings.get("disable_check_xsrf", False):  # then the cookie alone would be enough
            return False
        try:
            super().check_xsrf_cookie()  # type: ignore[misc]
        except tornado.web.HTTPError:
            return False
        return True

    def finish(self: Any, *args: Any) -> Any:
        if not self.prepared and not self._headers_written:
            # Tornado closes a connection whose body it has not read yet; the client must be notified
            self.set_header("Connection", "close")
        return super().finish(*args)  # type: ignore[misc]

    async def data_received(self: Any, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.is_answered or self.is_read_only:
            return
        self.chunks += chunk
        if self.size > self.limit:
            await self.forward(self.size)

    def on_connection_close(self: Any) -> None:
        """Forget the body of a client that leaves before its end: the handler itself may stay in memory for long."""
        super().on_connection_close()  # type: ignore[misc]
        self.chunks.clear()

    def check_xsrf_cookie(self: Any) -> None:
        # A program has no XSRF cookie to repeat. If a token is set, `post` requires the token itself, so that a
        # visitor's cookie authorises nothing but the forms of the operator's page, for which it is checked there.
        if self.request.method in ("GET", "HEAD"):
            super().check_xsrf_cookie()  # type: ignore[misc]

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # it checks that itself: a program needs 401, not a login page
    async def post(self: Any, *args: Any) -> None:
        if not self.is_answered:
            await self.forward(self.size)
        self.end_response()

    put = patch = delete = options = post

    async def forward(self: Any, length: int) -> None:
        """Have the endpoint answer, and send all but the end of its response.

        Parameters
        ----------
        length : int
            Of the body. One beyond the limit is not handed over: the endpoint refuses it by its length, after
            whatever else is wrong.
        """
        self.is_answered, self._auto_finish = True, False
        states = self.settings["irislib_models"].states  # none once all models are served
        if states and length <= self.limit and self.request.method in ("GET", "POST"):
            parts = unquote(self.request.path).split("/")
            await self.wait_while(lambda: any(states.get(part) in WAITING for part in parts))
            if self.request.connection.stream.closed():  # its body has been forgotten
                return
        self.request.body = b"" if length > self.limit else bytes(self.chunks)
        self.chunks.clear()
        self.request.headers = self.request.headers.copy()  # the connection has yet to read the body by its own
        self.request.headers.pop("Transfer-Encoding", None)
        self.request.headers["Content-Length"] = str(length)
        closes = self.awaits_continue and length > self.limit
        await self.endpoint.respond(self.request, closes, self.may_operate)

    async def wait_while(self: Any, is_missing: Callable[[], bool]) -> None:
        """Wait for what the server prepares, so that nobody has to repeat a request just after its start."""
        end = time.monotonic() + START_SECONDS
        ended = self.settings["irislib_models"].ended
        while is_missing() and time.monotonic() < end and not ended.is_set():
            if self.request.connection.stream.closed():
                return
            await asyncio.sleep(LOOK_SECONDS)

    def end_response(self: Any) -> None:
        """End a response that was sent before the request had been read."""
        if self._auto_finish:
            self.finish()
        elif not self.request.connection.stream.closed():
            self.request.connection.finish()

    def refuse_unauthenticated(self: Any) -> None:
        self.send_refusal()
        self.finish()

    def send_refusal(self: Any) -> None:
        """Tell a program that it needs a token, or why its token does not help."""
        status = self.refused_status or 401
        if status == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        elif status == 503:
            self.set_header("Retry-After", RETRY_SECONDS)
        send_problem(self, problem(status, REFUSALS[status]))
        request = self.request
        self.settings["irislib_count"](request.path, request.method, str(status), request.request_time())

    def asks_for_json(self: Any) -> bool:
        """Return True for a program that asks for JSON, and not for a page."""
        accepted = self.request.headers.get("Accept", "")
        return "json" in accepted and "html" not in accepted

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:
        """Send a page, or a problem to a program that asks for JSON."""
        if self.asks_for_json():
            send_problem(self, problem(status_code, ERRORS.get(status_code, "The server cannot answer this request.")))
            self.finish()
        else:
            if not isinstance(kwargs.get("exc_info", (None, None))[1], tornado.web.HTTPError):
                kwargs.pop("exc_info", None)  # some errors have a reason, too, which is none of the visitor's business
            super().write_error(status_code, **kwargs)


def address_without_token(request: HTTPServerRequest, **more: str) -> str:
    """Return the address of a request without the token in its query, and with more in it."""
    arguments = {name: values for name, values in request.query_arguments.items() if name != "token"}
    query = urlencode(arguments | more, doseq=True)
    return request.path + (f"?{query}" if query else "")


def has_forms(path: str) -> bool:
    """Return True if an address is that of a page with forms."""
    return any(route.is_for_people and path.endswith(route.suffix) for route in ROUTES)
