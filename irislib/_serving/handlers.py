"""The request handlers of ``irislib serve`` for all but the apps."""

from __future__ import annotations

from typing import Any

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado.httputil import url_concat
from voila.handler import BaseVoilaHandler

from irislib._common.language import current_language
from irislib._common.page_states import FAILED, NOT_READY, UNOPENED, WAITING
from irislib._common.routes import ROUTES
from irislib._serving.endpoint_mixin import EndpointMixin, RequestIdMixin, address_without_token, has_forms
from irislib._serving.template_mixin import TemplateMixin

__all__ = ["EndpointHandler", "HealthHandler", "IndexHandler", "MissingHandler"]


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
