"""The routes of the endpoint, and what it says when it cannot answer."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from irislib._common import paths
from irislib._common.formatting import short_repr
from irislib._model_card.card import card_html
from irislib._modeling import registry
from irislib._modeling.model import Model
from irislib.api import _batch, _insights
from irislib.api._application import REQUEST_ID, Endpoint
from irislib.api._config import ROW_BYTES, Options
from irislib.api._openapi import docs
from irislib.api._openapi import document as openapi
from irislib.api._problem_details import details, problem, refuse, reply, too_large
from irislib.api._request_bodies import closing, read_row, spooled
from irislib.errors import Problem, ValidationError

__all__ = ["create_app", "failing"]

log = logging.getLogger(__name__)

ADDRESSES = ("docs", "healthz", "metrics", "openapi.json", "readyz")  # of the server itself


def create_app(
    models: str | Iterable[str | Model] | None = None,
    pages: Iterable[str] | None = None,
    options: Options | None = None,
) -> Endpoint:
    """Make the application.

    Parameters
    ----------
    models : str, or sequence of str or Model, optional
        Trained models or where to find their descriptions (``package.module:name``); what
        ``$IRISLIB_MODEL`` names where left out.
    pages : sequence of str, optional
        Names of pages, where a POST is answered by 405 instead of 404 if there is no model behind
        them; those of irislib's own notebooks where left out and no model was chosen.
    options : Options, optional
        What the environment says where left out.

    Raises
    ------
    UnknownModelError, SpecError, DataError
        Where a model cannot be had.
    """
    given = [models] if isinstance(models, str) else list(models or registry.references())
    loaded = [each if isinstance(each, Model) else registry.load(registry.resolve(each)) for each in given]
    by_name = {model.spec.name: model for model in loaded}
    if pages is None:
        chosen = models is not None or "IRISLIB_MODEL" in os.environ
        pages = [] if chosen else [path.stem for path in paths.notebooks_dir().glob("*.ipynb")]
    app = Endpoint(loaded, options or Options.from_environment())
    app.config["MAX_CONTENT_LENGTH"] = ROW_BYTES
    _add_models(app, by_name, frozenset(pages))
    _add_others(app, by_name)
    app.register_error_handler(ValidationError, refuse)
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(Exception, fail)
    if app.options.cors or app.options.rate_limit or app.options.proxies:
        from irislib.api import _extensions

        _extensions.add(app)
    return app


def _add_models(app: Endpoint, models: Mapping[str, Model], pages: frozenset[str]) -> None:
    def find(name: str) -> Model:
        if name in models:
            return models[name]
        if name in pages and request.method == "POST":
            raise MethodNotAllowed(["GET"], f"{name} is a page for people; there is no model behind it.")
        if name in ADDRESSES:
            raise MethodNotAllowed(["GET"], f"/{name} takes no {request.method}.")
        raise NotFound(f"There is no model {name!r} here. Known: {', '.join(models)}.")

    @app.post("/<name>")
    def predict(name: str) -> Response:
        model = find(name)
        if (wanted := request.args.get("details", "0")) not in ("0", "1"):
            raise ValidationError([Problem(f"details must be 0 or 1, got {short_repr(wanted)}.", "details", wanted)])
        answer = model.predict_row(read_row())
        return reply(details(answer) if wanted == "1" else answer.prediction)

    @app.post("/<name>/batch")
    def answer_batch(name: str) -> Response:
        model = find(name)
        request.max_content_length = app.options.batch_bytes
        with contextlib.ExitStack() as stack:
            body = stack.enter_context(spooled(request.stream, app.alive))
            mimetype, parts = _batch.answer(model, body, request.mimetype, app.alive)
            return Response(closing(stack.pop_all(), parts), mimetype=mimetype)

    @app.get("/<name>")
    def page(name: str) -> Response:
        find(name)
        return Response(docs.page(document(app, models), name), mimetype="text/html")

    @app.get("/<name>/card")
    def card(name: str) -> Response:
        return Response(card_html(find(name)), mimetype="text/html")

    @app.get("/<name>/insights")
    def list_insights(name: str) -> Response:
        return reply(_insights.listed(find(name)))

    @app.get("/<name>/insights/<insight>")
    def about_model(name: str, insight: str) -> Response:
        return reply(_insights.about_model(find(name), insight, request.args))

    @app.post("/<name>/insights/<insight>")
    def about_row(name: str, insight: str) -> Response:
        return reply(_insights.about_row(find(name), insight, read_row, request.args))

    @app.get("/<name>/schema")
    def schema(name: str) -> Response:
        return Response(json.dumps(openapi.schema(find(name).spec)) + "\n", mimetype="application/schema+json")


def _add_others(app: Endpoint, models: Mapping[str, Model]) -> None:
    ready = {name: {"version": model.version, "trained_at": model.trained_at} for name, model in models.items()}

    @app.get("/")
    def index() -> Response:
        return Response(status=302, headers={"Location": "docs"})

    app.add_url_rule("/healthz", "healthz", lambda: reply({"status": "ok"}))
    app.add_url_rule("/readyz", "readyz", lambda: reply({"status": "ready", "models": ready}))
    app.add_url_rule("/openapi.json", "openapi", lambda: reply(document(app, models)))
    app.add_url_rule("/docs", "docs", lambda: Response(docs.page(document(app, models)), mimetype="text/html"))
    app.add_url_rule("/metrics", "metrics", lambda: Response(app.metrics.text(), content_type=CONTENT_TYPE_LATEST))


def document(app: Endpoint, models: Mapping[str, Model]) -> dict[str, Any]:
    """The OpenAPI document, for the address that this request came to."""
    root = request.root_url.rstrip("/")
    limits = {"batch_bytes": app.options.batch_bytes, "row_bytes": ROW_BYTES}
    return openapi.document(list(models.values()), root, bool(app.options.token), **limits)


def failing(detail: str) -> Flask:
    """An application that answers every request by 503 and a sentence."""
    app = Flask("irislib.api", static_folder=None)

    @app.before_request
    def unavailable() -> Response:
        return reply(problem(503, detail), 503)

    return app


def explain(error: HTTPException) -> Response:
    """Any error that HTTP has a status for."""
    status = error.code or 500
    told = oversized() if status == 413 else problem(status, error.description or "")
    response = reply(told, status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers.add(name, value)
    return response


def oversized() -> dict[str, Any]:
    """The problem of a body that is too large for where it was sent."""
    options: Options = current_app.options  # type: ignore[attr-defined]
    if request.endpoint == "answer_batch":
        return too_large(options.batch_bytes, "Send it in parts.")
    return too_large(ROW_BYTES)


def fail(error: Exception) -> Response:
    """An error of ours: the traceback goes to the log, a reference to the caller."""
    reference = request.environ[REQUEST_ID]
    log.error(
        "reference %s: %s %s failed",
        reference,
        request.method,
        request.path,
        exc_info=error,
        extra={"request_id": reference},
    )
    detail = f"Something went wrong on our side. Tell the operator this reference: {reference}."
    return reply(problem(500, detail, reference=reference), 500)
