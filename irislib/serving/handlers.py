"""What answers at each address of ``irislib serve``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.log import log_request
from voila.handler import BaseVoilaHandler
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from irislib.api.problems import problem
from irislib.errors import new_reference
from irislib.texts import TEXTS

if TYPE_CHECKING:
    from jinja2 import Environment
    from tornado.wsgi import WSGIContainer

__all__ = ["AppHandler", "HealthHandler", "IndexHandler", "MissingHandler", "TemplateFilesHandler"]


FAILED = "irislib-failure-reference"  # what the template writes where a cell failed


def log_without_queries(handler: Any) -> None:
    """jupyter_server's log, without what visitors have in their forms: that is in the query of a link."""
    handler.request.uri = handler.request.path
    handler.request.headers.pop("Referer", None)
    log_request(handler)


class ProgramMixin:
    """Hands whatever changes nothing on a page, and is no GET, to the endpoint."""

    def initialize(self, endpoint: WSGIContainer, **kwargs: Any) -> None:
        self.endpoint = endpoint
        super().initialize(**kwargs)  # type: ignore[misc]

    def check_xsrf_cookie(self: Any) -> None:
        # A program has no cookie of ours to repeat. A POST changes nothing here, and where a token
        # is set, `post` asks for the token itself, so that a visitor's cookie authorises nothing.
        if self.request.method in ("GET", "HEAD"):
            super().check_xsrf_cookie()  # type: ignore[misc]

    @allow_unauthenticated  # type: ignore[untyped-decorator]  # it sees to that itself: a program wants 401, not a login page
    async def post(self: Any, *args: Any) -> None:
        self._auto_finish = False
        if self.identity_provider.auth_enabled and not self.token_authenticated:
            self.set_status(401)
            self.set_header("WWW-Authenticate", "token")
            self.set_header("Content-Type", "application/problem+json")
            self.finish(json.dumps(problem(401, "Send the token: Authorization: token <the token>.")))
            return
        await self.endpoint.handle_request(self.request)

    put = patch = delete = post


class OwnPages:
    """Pages of our own template, whichever template the notebooks have."""

    def render_template(self: Any, name: str, **facts: Any) -> str:
        environment: Environment = self.settings["irislib_pages"]
        return environment.get_template(name).render(base_url=self.base_url, texts=TEXTS, **facts)


class AppHandler(OwnPages, ProgramMixin, TornadoVoilaHandler):  # type: ignore[misc]
    """An app's address: GET opens the page, POST answers a program."""

    @tornado.web.authenticated
    async def get(self, path: str | None = None) -> None:
        if "token" in self.request.query_arguments:
            # It has become a cookie; in the address it would reach the visitor's kernel, and the history.
            rest = {name: values for name, values in self.request.query_arguments.items() if name != "token"}
            query = urlencode(rest, doseq=True)
            self.redirect(self.request.path + (f"?{query}" if query else ""))
            return
        self.xsrf_token  # noqa: B018 - sets the cookie without which the page may not end its kernel when it is closed
        async for html in self.get_generator(path=path):
            self.write(self.referenced(html))
            self.flush()

    def referenced(self, html: str) -> str:
        """Give a failure its number, here and in the log, which holds its traceback already.

        A page of the pool was rendered before anything was sent of it, and can still be a 500.
        """
        if FAILED not in html:
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
        return html.replace(FAILED, reference)


class MissingHandler(OwnPages, ProgramMixin, BaseVoilaHandler):  # type: ignore[misc]
    """Any other address: a page for people, problem+json for programs."""

    def get(self, *args: Any) -> None:
        raise tornado.web.HTTPError(404)

    head = get


class IndexHandler(OwnPages, ProgramMixin, BaseVoilaHandler):  # type: ignore[misc]
    """The list of apps; no kernel behind it."""

    @tornado.web.authenticated
    def get(self) -> None:
        self.finish(self.render_template("apps.html", is_index=True))


class TemplateFilesHandler(TemplateStaticFileHandler):  # type: ignore[misc]
    """Voila's, which takes a path that is none of its own for a fault of the server."""

    def parse_url_path(self, url_path: str) -> str:
        try:
            return str(super().parse_url_path(url_path))
        except (AssertionError, ValueError) as error:
            raise tornado.web.HTTPError(404) from error

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        try:
            return str(super().get_absolute_path(root, path))
        except (AssertionError, ValueError) as error:
            raise tornado.web.HTTPError(404) from error


class HealthHandler(tornado.web.RequestHandler):
    """Whether the server is alive: cheap, and open to a probe without a token."""

    def get(self) -> None:
        self.finish({"status": "ok"})

    head = get
