"""What answers at each address of ``irislib serve``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated
from voila.handler import BaseVoilaHandler
from voila.tornado.handler import TornadoVoilaHandler

from irislib.api import problem

if TYPE_CHECKING:
    from tornado.wsgi import WSGIContainer

    from irislib.catalogue import App

__all__ = ["AppHandler", "HealthHandler", "IndexHandler", "MissingHandler"]


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


class AppHandler(ProgramMixin, TornadoVoilaHandler):  # type: ignore[misc]
    """An app's address: GET opens the page, POST answers a program."""


class MissingHandler(ProgramMixin, BaseVoilaHandler):  # type: ignore[misc]
    """Any other address: a page for people, problem+json for programs."""

    def get(self, *args: Any) -> None:
        raise tornado.web.HTTPError(404)

    head = get


class IndexHandler(BaseVoilaHandler):  # type: ignore[misc]
    """The list of apps; no kernel behind it."""

    def initialize(self, apps: list[App], **kwargs: Any) -> None:
        self.apps = apps
        super().initialize(**kwargs)

    @tornado.web.authenticated
    def get(self) -> None:
        self.finish(self.render_template("apps.html", apps=self.apps))


class HealthHandler(tornado.web.RequestHandler):
    """Whether the server is alive: cheap, and open to a probe without a token."""

    def get(self) -> None:
        self.finish({"status": "ok"})
