"""The endpoint: an application that has a view for each route, and an error handler for each error."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Collection, Iterable, Sequence, Set
from functools import partial, update_wrapper
from typing import Any

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from irislib._common import paths, tracing
from irislib._common.messages.api import TEXTS
from irislib._common.routes import ROUTES
from irislib._description.spec import ModelSpec
from irislib._modeling import registry
from irislib._modeling.model import Model
from irislib._modeling.references import list_references
from irislib._modeling.user_errors import log_error
from irislib._refresh.starting import end_with_this_process
from irislib.api import _views
from irislib.api._application import REQUEST_ID, Endpoint
from irislib.api._batch_limits import TooManyRowsError
from irislib.api._config import ROW_BYTES, Options
from irislib.api._methods import allowed_methods, check_method
from irislib.api._problem_details import problem, refuse, reply, too_large
from irislib.errors import ValidationError, without_exit

__all__ = ["create_app", "failing", "make_app"]

log = logging.getLogger(__name__)


def create_app(
    models: str | Model | ModelSpec | Iterable[str | Model | ModelSpec] | None = None,
    pages: Collection[str] | None = None,
    options: Options | None = None,
) -> Endpoint:
    """Make the application.

    Parameters
    ----------
    models : str, Model or ModelSpec, or sequence of them, optional
        Trained models, descriptions, or references to one of them (``package.module:name``); those in
        ``$IRISLIB_MODEL`` if left out.
    pages : collection of str, optional
        Names of pages, where a POST is answered by 405 instead of 404 if there is no model behind
        them; those of irislib's own notebooks if left out and no model was chosen. A set may change later.
    options : Options, optional
        Those of the environment if left out.

    Raises
    ------
    UnknownModelError, SpecError, DataError
        If a model cannot be loaded.
    """
    is_one = isinstance(models, str | Model | ModelSpec) or hasattr(models, "get_params")  # which is refused below
    sources: list[Any] = [models] if is_one else list(models or list_references())  # type: ignore[arg-type]
    loaded = [_load(source) for source in sources]
    if pages is None:
        chosen = models is not None or "IRISLIB_MODEL" in os.environ
        pages = [] if chosen else [path.stem for path in paths.notebooks_dir().glob("*.ipynb")]
    return make_app(loaded, pages, options or Options.from_environment())


def _load(source: str | Model | ModelSpec) -> Model:
    if isinstance(source, Model):
        return source
    return registry.load(registry.resolve(source) if isinstance(source, str) else source)


def make_app(models: Sequence[Model], pages: Collection[str], options: Options) -> Endpoint:
    """Make the application of models that are loaded, to which others can be added later."""
    app = Endpoint(models, options)
    end_with_this_process()  # before a server forks its workers, which end and start again
    app.config["MAX_CONTENT_LENGTH"] = ROW_BYTES + 1  # Werkzeug would cut off a body of no stated length at its limit
    context = _views.Context(app, pages if isinstance(pages, Set) else frozenset(pages))
    app.check_method = partial(check_method, context)
    app.allowed_methods = partial(allowed_methods, context, hide_names=app.options.is_secured)
    _add_routes(app, context)
    app.register_error_handler(ValidationError, refuse)
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(OSError, explain_full_disk)
    app.register_error_handler(Exception, fail)
    if app.options.cors or app.options.rate_limit or app.options.proxies:
        from irislib.api import _extensions

        _extensions.add(app)
    if tracing.is_on():
        app.wsgi_app = tracing.traced_application(app.wsgi_app, partial(_route_of, app))  # type: ignore[method-assign]
    return app


def _route_of(app: Endpoint, path: str) -> str:
    """Return the route of an address as spans have it: with the model's name, and with nothing else of the path."""
    _, name, *rest = f"{path}/".split("/")
    if f"/{name}" in app.model_endpoints:
        known = rest[0] if any(route.suffix == f"/{rest[0]}" for route in ROUTES) else ""
        return f"/{name}/{known}".rstrip("/")
    return path if any(route.path == path for route in ROUTES) else ""


def _add_routes(app: Endpoint, context: _views.Context) -> None:
    for route in ROUTES:
        view = getattr(_views, route.view) if isinstance(route.view, str) else route.view
        # a model's own code that exits would end the worker
        guarded = update_wrapper(partial(without_exit()(view), context), view)
        app.add_url_rule(route.path, route.name, guarded, methods=[route.method])


def failing(detail: str) -> Flask:
    """Make an application that answers every request by 503 and a sentence."""
    app = Flask("irislib.api", static_folder=None)

    @app.before_request
    def unavailable() -> Response:
        return reply(problem(503, detail), 503)

    return app


def explain(error: HTTPException) -> Response:
    """Make the response to an error that has a status in HTTP."""
    status = error.code or 500
    is_oversized = status == 413 and not isinstance(error, TooManyRowsError)
    body = oversized() if is_oversized else problem(status, error.description or "")
    response = reply(body, status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers.add(name, value)
    return response


def oversized() -> dict[str, Any]:
    """Make the problem of a body that is too large for its address."""
    options: Options = current_app.options  # type: ignore[attr-defined]
    if not any(route.is_batch and route.name == request.endpoint for route in ROUTES):
        return too_large(ROW_BYTES)
    if request.mimetype == "application/json" and options.json_batch_bytes < options.batch_bytes:
        advice = f"Send it in parts, or as CSV, of which {options.batch_bytes:,} bytes are taken."
        return too_large(options.json_batch_bytes, advice)
    return too_large(options.batch_bytes, options.batch_advice)


def explain_full_disk(error: OSError) -> Response:
    """Make the response to a body that no temporary file has room for; any other error is one of ours."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return fail(error)
    log.error("%s %s: the temporary folder is full.", request.method, request.path)
    return reply(problem(507, TEXTS["full_disk"]), 507)


def fail(error: Exception) -> Response:
    """Make the response to an exception: the traceback goes to the log, a reference to the caller."""
    tracing.fail(error)
    reference = request.environ[REQUEST_ID]
    message = f"reference {reference}: {request.method} {request.path} failed"
    log_error(log, message, error, {"request_id": reference})
    detail = f"Something went wrong on our side. Tell the operator this reference: {reference}."
    return reply(problem(500, detail, reference=reference), 500)
