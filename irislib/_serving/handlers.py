"""The request handlers of ``irislib serve``."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

import tornado.web
import voila.handler
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.httputil import HTTPServerRequest, url_concat
from voila.handler import BaseVoilaHandler
from voila.notebook_renderer import NotebookRenderer
from voila.tornado.handler import TornadoVoilaHandler
from voila.utils import make_url

from irislib._common import tracing
from irislib._common.json_lines import REQUEST_ID
from irislib._common.language import REQUESTED, current_language, preferred
from irislib._common.messages import TEXTS
from irislib._common.page_states import FAILED, NOT_READY, UNOPENED, WAITING
from irislib._common.routes import ROUTES
from irislib._serving.kernel_manager import (
    CURRENT_PAGE,
    CURRENT_VISITOR,
    REQUESTED_AT,
    STARTED_KERNEL,
    FullError,
    visitor_address,
)
from irislib._serving.methods import MethodsMixin, send_problem
from irislib._serving.notebooks import NotebookError
from irislib._serving.page_metrics import OPEN_SECONDS, PAGES_OPENED, PAGES_REFUSED, page_label
from irislib._serving.preprocessors import remove_outputs
from irislib.api._application import request_id_of
from irislib.api._body_stream import MAX_DRAINED_BYTES
from irislib.api._config import ROW_BYTES
from irislib.api._problem_details import HUB_SILENT, MISSING_TOKEN, TOKEN_WITHOUT_ACCESS, problem
from irislib.errors import new_reference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from jinja2 import Environment

    from irislib._serving.endpoint_container import EndpointContainer

__all__ = [
    "FAILURE_MARK",
    "SERVER_ERROR",
    "AppHandler",
    "EndpointHandler",
    "HealthHandler",
    "IndexHandler",
    "MissingHandler",
]


ERRORS = {404: "There is nothing at this address."}
REFUSALS = {401: MISSING_TOKEN, 403: TOKEN_WITHOUT_ACCESS, 503: HUB_SILENT}

# Voila's text in place of a cell if not the notebook failed but the connection to its kernel.
SERVER_ERROR = "An exception occurred at the server (not the notebook). {}"
FAILURE_MARK = "irislib-failure-reference"  # written by the template in place of a failed cell
HEARTBEAT = "<script>window.voila_heartbeat()"  # sent by Voila while a cell runs
WAIT_SECONDS = 2  # seconds after which a program is to ask for a page again that is being prepared
RETRY_SECONDS = 10  # seconds after which a page that was refused tries again
START_SECONDS = 10.0  # seconds that a program is kept waiting, rather than refused, for what is being prepared
LOOK_SECONDS = 0.05


class VisitRenderer(NotebookRenderer):  # type: ignore[misc]
    """Voila's renderer, which reports any failure: Voila waits for the rest of the page forever."""

    kernel_id = ""

    async def generate_content_generator(
        self, kernel_id: str = "", kernel: Any = None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield the page in pieces, and the error in place of those that cannot be rendered."""
        if kernel_id:
            self.kernel_id, self.request_handler.renderer = kernel_id, self
            if self.request_handler.has_left:
                self.abandon()
                return
        try:
            async for piece in super().generate_content_generator(kernel_id, kernel):
                yield piece
        except Exception:
            self.log.exception("%s could not be rendered.", self.notebook_path)
            try:
                yield self.request_handler.render_failure(), {}
            except Exception:  # as when the templates were renewed under a running server
                self.log.exception("%s could not be rendered.", "The error's page")
                yield FAILURE_MARK, {}

    async def _jinja_cell_generator(self, nb: Any, kernel_id: Any) -> AsyncIterator[Any]:
        """Yield the cells as they are run, without the outputs that tags remove."""
        async for cell in super()._jinja_cell_generator(nb, kernel_id):
            remove_outputs(cell, self.traitlet_config)
            yield cell

    def abandon(self) -> None:
        """End the kernel, whose visitor has left; that it ends within a cell is no failure to be logged."""
        self.log = logging.getLogger(f"{__name__}.abandoned")
        self.log.disabled = True
        self.request_handler.kernel_manager.end_kernel(self.kernel_id)


voila.handler.NotebookRenderer = VisitRenderer  # Voila has no option for it


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

    def initialize(self, endpoint: EndpointContainer, **kwargs: Any) -> None:
        self.endpoint = endpoint
        super().initialize(**kwargs)  # type: ignore[misc]

    def allowed_methods(self: Any) -> list[str]:
        """Return the methods of an address of the endpoint, or of a page."""
        return list(self.settings["irislib_allowed_methods"](self.request.path))

    def check_method(self) -> None:
        """Leave that to the endpoint, which says more about it."""

    async def prepare(self: Any) -> None:
        self.chunks: list[bytes] = []
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
        self.chunks.append(chunk)
        if self.size > self.limit:
            await self.forward(self.size)

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
        self.request.body = b"" if length > self.limit else b"".join(self.chunks)
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

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:
        """Send a page, or a problem to a program that asks for JSON."""
        accepted = self.request.headers.get("Accept", "")
        if "json" in accepted and "html" not in accepted:
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


class TemplateMixin:
    """Pages in the visitor's language, and of irislib's own template, whichever template the notebooks have."""

    def set_default_headers(self: Any) -> None:
        """Choose the language; an error's page has it, too."""
        super().set_default_headers()  # type: ignore[misc]
        REQUESTED.set(preferred(self.request.headers.get("Accept-Language", ""), self.settings["irislib_languages"]))
        self.set_header("Vary", "Accept-Language")

    def render_template(self: Any, name: str, **values: Any) -> str:
        environment: Environment = self.settings["irislib_pages"]
        static = partial(make_url, "irislib", self.base_url)
        self.set_header("Content-Language", current_language())
        if self.refused_status:  # the names of the apps are for those who may come in
            values["apps"] = []
        return environment.get_template(name).render(
            base_url=self.base_url, static=static, texts=TEXTS, look=self.settings["irislib_look"](), **values
        )


@tornado.web.stream_request_body
class AppHandler(TemplateMixin, EndpointMixin, TornadoVoilaHandler):  # type: ignore[misc]
    """The URL of an app: GET opens the page, POST predicts."""

    has_left = False  # before the page was sent
    is_unopened = False  # it said why it is not there
    renderer: VisitRenderer | None = None  # of a page that is not warm

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        route = f"/{page_label(self.notebook_path)}"
        attributes = {"http.request.method": "GET", "http.route": route, "url.path": self.request.path}
        with tracing.served(f"GET {route}", self.request.headers, attributes) as request:
            await self.open_page(path)
            if request is not None:
                request.set_attribute("irislib.request_id", self.request.headers["X-Request-ID"])
                tracing.note_status(request, self.get_status())

    async def open_page(self, path: str | None) -> None:
        """Send the page, or why there is none."""
        if "token" in self.request.query_arguments:
            # It is a cookie now; in the URL it would reach the visitor's kernel and the history.
            self.redirect(address_without_token(self.request))
            return
        self.xsrf_token  # noqa: B018 - sets the cookie without which the page may not end its kernel when it is closed
        CURRENT_VISITOR.set(visitor_address(self.request))
        CURRENT_PAGE.set(self.notebook_path)
        begin = time.perf_counter()
        REQUESTED_AT.set(begin)
        self.set_header("Content-Language", current_language())
        try:
            pages = self.settings["irislib_page_pool"]
            if "text/html" not in self.request.headers.get("Accept", ""):  # a browser has a page that waits
                await self.wait_while(lambda: pages.state(self.notebook_path) in NOT_READY)
            if (state := pages.state(self.notebook_path)) in UNOPENED:
                self.send_unopened(state)
                return
            self.kernel_manager.check_room()
            html = None if self.chooses_template() else await pages.open(self.notebook_path, self.base_url)
            if self.has_left:
                self.kernel_manager.end_kernel(STARTED_KERNEL.get())
                return
            if html is None:
                await self.send(self.get_generator(path=path))
                self.count_opened("visit", begin)
                return
            self.set_header("Cache-Control", "no-store")
            self.finish(html)
            self.count_opened("warm", begin)
        except FullError as error:
            self.refuse_page(error)
        except NotebookError as error:
            self.set_status(500)
            self.set_header("Cache-Control", "no-store")
            self.finish(self.render_template("unopened.html", notebook=self.notebook_path, reason=str(error)))

    def count_opened(self, kind: str, begin: float) -> None:
        """Count a page that was sent."""
        page = page_label(self.notebook_path)
        PAGES_OPENED.labels(page, kind).inc()
        OPEN_SECONDS.labels(page).observe(time.perf_counter() - begin)

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Send a part of the page, without what no text can contain: a notebook may print half a character."""
        super().write(chunk.encode("utf-8", "replace") if isinstance(chunk, str) else chunk)

    def on_connection_close(self) -> None:
        """End the kernel of a visitor who leaves before the page is sent: no page will ever connect to it."""
        super().on_connection_close()
        self.has_left = True
        if self.renderer is not None:
            self.renderer.abandon()

    @tornado.web.authenticated
    def head(self, path: str | None = None) -> None:
        """Respond as to a GET, as far as that is known without a kernel."""
        self.set_header("Cache-Control", "no-store")
        if (state := self.settings["irislib_page_pool"].state(self.notebook_path)) in UNOPENED:
            self.set_unopened_status(state)

    def set_unopened_status(self, state: str) -> None:
        """Set the status of a page whose model is not there, or that is being prepared."""
        self.is_unopened = True
        self.set_status(500 if state == FAILED else 503)
        self.set_header("Cache-Control", "no-store")
        if state != FAILED:
            self.set_header("Retry-After", WAIT_SECONDS)

    def send_unopened(self, state: str) -> None:
        """Send a page that says what is being done, and becomes the app by itself; or that its model failed."""
        self.set_unopened_status(state)
        app = self.settings["irislib_app_of"](self.notebook_path)
        failure = self.settings["irislib_models"].failures.get(app.name) if state == FAILED else None
        self.finish(
            self.render_template(
                "starting.html", app=app, state=state, failure=failure, is_debugged=self.settings["irislib_debug"]
            )
        )

    def chooses_template(self) -> bool:
        """Return True if the address names a template or a theme, where visitors may choose one."""
        options = self.voila_configuration
        permissions = {"template": options.allow_template_override, "theme": options.allow_theme_override}
        return any(value == "YES" and self.get_argument(name, "") for name, value in permissions.items())

    async def send(self, chunks: AsyncIterator[str]) -> None:
        """Send a page in chunks, until its kernel has ended."""
        heartbeats = 0
        async for html in chunks:
            if self.has_left:
                return
            if html.startswith(HEARTBEAT) and STARTED_KERNEL.get() not in self.kernel_manager:
                heartbeats += 1
                if heartbeats == 2:  # Voila itself waits forever for a kernel that ended before its first cell
                    self.write(self.with_reference(self.render_failure()))
                    return
                continue
            self.write(self.with_reference(html))
            self.flush()

    def render_failure(self) -> str:
        """Render the error: a page, or the end of one that has begun."""
        return self.render_template("failed.html.j2" if self._headers_written else "failed.html", mark=FAILURE_MARK)

    def refuse_page(self, error: FullError) -> None:
        """Respond that there is no room, and when to try again."""
        PAGES_REFUSED.labels("visitor" if error.is_visitor_limit else "full").inc()
        self.set_status(503)
        self.set_header("Retry-After", RETRY_SECONDS)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.render_template("full.html", is_visitor_limit=error.is_visitor_limit, seconds=RETRY_SECONDS))

    def with_reference(self, html: str) -> str:
        """Write a reference number for a failure into the page and the log, which has its traceback already.

        The status of a warm page can still become 500, since nothing was sent before it was rendered.
        """
        if FAILURE_MARK not in html:
            return html
        reference = new_reference()
        failures = self.settings["irislib_failures"]
        failures[self.notebook_path] += 1
        self.log.error(
            "reference %s: the page %s failed (failure %d); see the traceback above.",
            reference,
            self.notebook_path,
            failures[self.notebook_path],
        )
        if not self._headers_written:
            self.set_status(500)
        return html.replace(FAILURE_MARK, reference)


@tornado.web.stream_request_body
class EndpointHandler(TemplateMixin, EndpointMixin, BaseVoilaHandler):  # type: ignore[misc]
    """The paths of the endpoint that take a GET, such as its documents and metrics."""

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # as `post` does
    async def get(self, path: str) -> None:
        if self.current_user or any(route.is_open and route.path == f"/{path}" for route in ROUTES):
            if has_forms(f"/{path}") and not self.may_operate and "text/html" in self.request.headers.get("Accept", ""):
                raise tornado.web.HTTPError(403)
            if self.identity_provider.auth_enabled and has_forms(f"/{path}") and self.give_form_key():
                return
            await self.forward(0)
            self.end_response()
        elif "text/html" in self.request.headers.get("Accept", ""):
            self.redirect(url_concat(self.get_login_url(), {"next": self.request.uri}))
        else:
            self.refuse_unauthenticated()

    head = get

    def give_form_key(self) -> bool:
        """Let the page know what its forms have to send; return True if the browser has to come again with its cookie.

        The endpoint sends its responses itself, so that they cannot set the cookie.
        """
        arguments = self.request.query_arguments
        lacks_cookie = "_xsrf" not in self.request.cookies and "Authorization" not in self.request.headers
        if "token" in arguments or (lacks_cookie and "again" not in arguments):
            self.xsrf_token  # noqa: B018 - sets the cookie
            # and no third time, for a browser that takes no cookie
            self.redirect(address_without_token(self.request, again="1"))
            return True
        self.request.headers["X-XSRFToken"] = self.xsrf_token.decode()
        return False


@tornado.web.stream_request_body
class MissingHandler(TemplateMixin, EndpointMixin, BaseVoilaHandler):  # type: ignore[misc]
    """Any other path: 404 with a page for people, with problem+json for programs."""

    def get(self, *args: Any) -> None:
        raise tornado.web.HTTPError(404)

    head = get


@tornado.web.stream_request_body
class IndexHandler(TemplateMixin, EndpointMixin, BaseVoilaHandler):  # type: ignore[misc]
    """The list of apps, for which no kernel is started."""

    @tornado.web.authenticated
    def get(self) -> None:
        states = self.settings["irislib_page_pool"].states()
        waiting = {name: state for name, state in states.items() if state in NOT_READY}
        values = {"states": states, "waiting": waiting, "unopened": UNOPENED, "no_model": (*WAITING, FAILED)}
        self.finish(self.render_template("apps.html", is_index=True, **values))
        self.settings["irislib_page_pool"].expect_language(current_language())

    head = get


class HealthHandler(RequestIdMixin, tornado.web.RequestHandler):
    """The health check: cheap, and open to a probe without a token."""

    def get(self) -> None:
        self.finish({"status": "ok"})

    head = get
