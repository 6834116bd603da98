"""Methods of the addresses of ``irislib serve``: HEAD wherever there is GET, OPTIONS, and 405 for any other.

And what else all handlers have: cookies and addresses as the trusted proxies made them public.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler

from irislib._serving.forwarded import forwarded_prefix
from irislib.api._problem_details import PROBLEM, problem

__all__ = ["MethodsMixin", "send_problem", "with_methods"]


class MethodsMixin:
    """Answer each method that the address does not take by 405, and OPTIONS by those that it takes."""

    refused_status = 0  # for a visitor who may not come in, though there is nothing to log in with
    may_operate = True  # may change what is served, if a token guards that

    # Tornado refuses other methods before `prepare` is called: nothing that is set there is available.
    def allowed_methods(self) -> list[str]:
        """Return the methods of this address; an empty list if there is no such address."""
        missing = RequestHandler.get  # all methods that a handler does not have are this function
        known = [name for name in RequestHandler.SUPPORTED_METHODS if name in self.SUPPORTED_METHODS]  # type: ignore[attr-defined]
        return [name for name in known if getattr(type(self), name.lower()) is not missing]

    def check_method(self: Any) -> None:
        """Refuse a method that this address does not take, before anything else is asked of the client."""
        if self.request.method not in self.allowed_methods():
            raise HTTPError(405)

    async def prepare(self: Any) -> None:
        """Check the method, then do what the handler does before its method is called."""
        self.check_method()
        if (prepared := super().prepare()) is not None:  # type: ignore[misc]
            await prepared

    @property
    def public_prefix(self: Any) -> str:
        """The beginning of the public path of this server, which its trusted proxies take off."""
        return forwarded_prefix(self.request.headers, self.settings.get("irislib_proxies", 0))

    @property
    def base_url(self: Any) -> str:
        """The path of this server in the browser, with a slash at its end."""
        return f"{self.public_prefix}{self.settings.get('base_url', '/')}"

    def get_login_url(self: Any) -> str:
        """Return the path of the login page in the browser, unless another login would be of no use."""
        if self.refused_status:
            raise HTTPError(self.refused_status)
        return f"{self.public_prefix}{super().get_login_url()}"  # type: ignore[misc]

    def redirect(self: Any, url: str, *args: Any, **kwargs: Any) -> None:
        """Redirect to an address; a path of this server becomes the public one."""
        if url.startswith("/") and not url.startswith(("//", self.base_url)):
            url = self.public_prefix + url
        super().redirect(url, *args, **kwargs)  # type: ignore[misc]

    def set_cookie(self: Any, name: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        """Set a cookie of this server's paths alone; one that was set over TLS is sent over TLS only."""
        if self.request.protocol == "https":
            kwargs.setdefault("secure", True)
        if len(args) < 3:  # the third is the path
            kwargs.setdefault("path", self.base_url)
        super().set_cookie(name, value, *args, **kwargs)  # type: ignore[misc]

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    def options(self: Any, *args: Any, **kwargs: Any) -> None:
        """Return the methods of this address, besides what the handler has to say to other origins."""
        if isinstance(self, APIHandler):
            super().options(*args, **kwargs)  # type: ignore[misc]
        self.set_header("Allow", ", ".join(self.allowed_methods()))
        self.set_status(204)

    def log_exception(self: Any, *exc_info: Any) -> None:
        """Log an error as Tornado does, without the query of the address: it may hold the token, or what was typed."""
        uri, self.request.uri = self.request.uri, self.request.path
        try:
            super().log_exception(*exc_info)  # type: ignore[misc]
        finally:
            self.request.uri = uri

    def write_error(self: Any, status_code: int, **kwargs: Any) -> None:
        """Write the response to an error; to a wrong method, with the methods of the address."""
        if status_code != 405:
            try:
                super().write_error(status_code, **kwargs)  # type: ignore[misc]
            except Exception:  # the page of jupyter_server's own handlers needs files that Voila does not have
                self.set_header("Content-Type", "text/plain; charset=utf-8")
                self.finish(f"{status_code}: {HTTPStatus(status_code).phrase}\n")
            return
        allowed = self.allowed_methods()
        details = problem(405, f"{self.request.path} takes no {self.request.method[:20]}.")
        if allowed:
            self.set_header("Allow", ", ".join(allowed))
        else:
            details = problem(404, f"There is nothing at {self.request.path}.")
        send_problem(self, details)
        self.finish()


def send_problem(handler: Any, details: dict[str, Any]) -> None:
    """Write a problem as the whole response of a Tornado handler."""
    body = json.dumps(details) + "\n"
    handler.set_status(details["status"])
    handler.set_header("Content-Type", PROBLEM)
    handler.set_header("Content-Length", len(body))
    handler.write(body)


def with_methods(handler: type) -> type:
    """Return a handler with the methods that it lacks."""
    if issubclass(handler, MethodsMixin):
        return handler
    attributes = {"__module__": handler.__module__}
    get = getattr(handler, "get", None)
    has_get = get is not RequestHandler.get
    if has_get and getattr(handler, "head", None) is RequestHandler.head and not issubclass(handler, WebSocketHandler):
        attributes["head"] = get  # type: ignore[assignment]
    return type(handler.__name__, (MethodsMixin, handler), attributes)
