"""The methods that each address takes: what OPTIONS answers, and what 405 says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from irislib._common.routes import ROUTES
from irislib.api._insights import insights_of, method_of

if TYPE_CHECKING:
    from irislib.api._views import Context

__all__ = ["allowed_methods", "check_method"]


def allowed_methods(context: Context, path: str, hide_names: bool = False) -> list[str]:
    """Return the methods that an address takes; an empty list if there is no such address.

    Parameters
    ----------
    context : Context
    path : str
        Without the base URL of the server.
    hide_names : bool
        True to answer as if every name were that of a model, for a request without a token.
    """
    name, *rest = path[1:].split("/")
    methods = {route.method for route in ROUTES if route.path == path and not route.is_of_model}
    if not methods and (context.has(name) or hide_names):
        routes = [route for route in ROUTES if route.is_of_model and _matches(route.suffix.split("/")[1:], rest)]
        methods = {route.method for route in routes}
        if len(rest) == 2 and rest[0] == "insights" and name in context.models and not hide_names:
            entry = insights_of(context.models[name]).get(rest[1])
            methods &= {method_of(entry)} if entry else set()
    elif not methods and name in context.pages and not rest:
        methods = {"GET"}
    if not methods:
        return []
    return [*(["GET", "HEAD"] if "GET" in methods else []), "OPTIONS", *(["POST"] if "POST" in methods else [])]


def _matches(pattern: list[str], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        expected.startswith("<") or expected == segment for expected, segment in zip(pattern, segments, strict=True)
    )


def check_method(context: Context) -> Response | None:
    """Answer OPTIONS, and refuse a method that the address does not take; return None for any other request.

    Raises
    ------
    NotFound, MethodNotAllowed
    """
    is_preflight = request.method == "OPTIONS"
    allowed = allowed_methods(context, request.path, is_preflight and context.app.options.is_secured)
    if not allowed:
        if isinstance(request.routing_exception, NotFound) or (request.url_rule is not None and not is_preflight):
            return None  # Flask, or the view, says what is wrong
        raise NotFound(f"There is nothing at {request.path}.")
    if is_preflight:
        return Response(headers={"Allow": ", ".join(allowed)})
    if request.method not in allowed:
        raise MethodNotAllowed(allowed, _detail(context, allowed))
    return None


def _detail(context: Context, allowed: list[str]) -> str:
    name, *rest = request.path[1:].split("/")
    if not rest and name in context.pages and not context.has(name):
        return f"{name} is a page for people; there is no model behind it."
    if len(rest) == 2 and rest[0] == "insights" and name in context.models:
        return f"{rest[1]} is about {'one row: POST it' if 'POST' in allowed else 'the model: GET it'}."
    return f"{request.path} takes no {request.method}."
