"""The request handler of an app."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import tornado.web
from voila.tornado.handler import TornadoVoilaHandler

from irislib._common import tracing
from irislib._common.language import current_language
from irislib._common.messages import TEXTS
from irislib._common.messages.api import TEXTS as PROBLEM_TEXTS
from irislib._common.page_states import FAILED, NOT_READY, STARTING, UNOPENED
from irislib._serving.endpoint_mixin import RETRY_SECONDS, EndpointMixin, address_without_token
from irislib._serving.kernel_manager import (
    CURRENT_PAGE,
    CURRENT_VISITOR,
    REQUESTED_AT,
    STARTED_KERNEL,
    FullError,
    visitor_address,
)
from irislib._serving.methods import send_problem
from irislib._serving.notebooks import NotebookError
from irislib._serving.page_metrics import OPEN_SECONDS, PAGES_OPENED, PAGES_REFUSED, page_label
from irislib._serving.template_mixin import TemplateMixin
from irislib._serving.visit_renderer import FAILURE_MARK
from irislib.api._problem_details import problem
from irislib.errors import new_reference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from irislib._serving.visit_renderer import VisitRenderer

__all__ = ["AppHandler"]

HEARTBEAT = "<script>window.voila_heartbeat()"  # sent by Voila while a cell runs
WAIT_SECONDS = 2  # seconds after which a program is to ask for a page again that is being prepared


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
            values = {"notebook": self.notebook_path, "reason": str(error)}
            detail = TEXTS["notebook_unopened"].format(name=self.notebook_path, reason=error)
            self.finish_unopened("unopened.html", detail, **values)

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
        text = PROBLEM_TEXTS["page.starting" if state == STARTING else f"model.{state}"]
        detail = text.format(name=app.name, reference=failure.reference if failure else "")
        values = {"app": app, "state": state, "failure": failure, "is_debugged": self.settings["irislib_debug"]}
        self.finish_unopened("starting.html", detail, **values)

    def finish_unopened(self, template: str, detail: str, **values: Any) -> None:
        """Send a page that says why there is no other one, or a problem to a program that asks for JSON."""
        if self.asks_for_json():
            send_problem(self, problem(self.get_status(), detail))
            self.finish()
        else:
            self.finish(self.render_template(template, **values))

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
        detail = f"{error} Try again in {RETRY_SECONDS} seconds."
        self.finish_unopened("full.html", detail, is_visitor_limit=error.is_visitor_limit, seconds=RETRY_SECONDS)

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
