"""The endpoint: a small Flask application that answers programs.

Run alone under Gunicorn by ``irislib api``, natively by ``flask --app irislib.api run``, and
inside ``irislib serve`` at the same paths as the apps.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound, UnsupportedMediaType

from irislib import catalogue, files
from irislib.api.problems import entries, problem, reply
from irislib.errors import Problem, ValidationError, new_reference
from irislib.model import Answer, Model
from irislib.wording import shown

__all__ = ["create_app", "failing"]

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000  # one row is a few hundred bytes


def create_app(models: str | Iterable[str | Model] | None = None, pages: Iterable[str] | None = None) -> Flask:
    """Make the application.

    Parameters
    ----------
    models : str, or sequence of str or Model, optional
        Trained models or where to find their descriptions (``package.module:name``); what
        ``$IRISLIB_MODEL`` names where left out.
    pages : sequence of str, optional
        Names of pages, where a POST is answered by 405 instead of 404 if there is no model behind
        them; those of irislib's own notebooks where left out and no model was chosen.

    Raises
    ------
    UnknownModelError, SpecError, DataError
        Where a model cannot be had.
    """
    given = [models] if isinstance(models, str) else list(models or catalogue.references())
    loaded = [each if isinstance(each, Model) else catalogue.load(catalogue.resolve(each)) for each in given]
    by_name = {model.spec.name: model for model in loaded}
    for model in loaded:
        _ = model.walk  # made and proved now, not at the first request
    if pages is None:
        chosen = models is not None or "IRISLIB_MODEL" in os.environ
        pages = [] if chosen else [path.stem for path in files.notebooks().glob("*.ipynb")]
    shown_only = frozenset(pages)
    app = Flask("irislib.api", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES

    @app.post("/<name>")
    def predict(name: str) -> Response:
        if name in by_name:
            answer = by_name[name].answer(read_row())
            return reply(details(answer) if request.args.get("details") == "1" else answer.prediction)
        if name in shown_only:
            raise MethodNotAllowed(["GET"], f"{name} is a page for people; there is no model behind it.")
        raise NotFound(f"There is no model {name!r} here. Known: {', '.join(by_name)}.")

    @app.get("/healthz")
    def healthz() -> Response:
        return reply({"status": "ok"})

    app.register_error_handler(ValidationError, refuse)
    app.register_error_handler(HTTPException, explain)
    app.register_error_handler(Exception, fail)
    return app


def failing(detail: str) -> Flask:
    """An application that answers every request by 503 and a sentence."""
    app = Flask("irislib.api", static_folder=None)

    @app.before_request
    def unavailable() -> Response:
        return reply(problem(503, detail), 503)

    return app


def read_row() -> Mapping[str, Any]:
    """The one row of a form or JSON request."""
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        if twice := [name for name, values in request.form.lists() if len(values) > 1]:
            raise ValidationError(
                [Problem(f"{name} was given more than once.", name, request.form.getlist(name)) for name in twice]
            )
        return request.form.to_dict()
    if request.is_json:
        try:
            row = json.loads(request.get_data())
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"The body is not JSON: {error}.") from None
        if not isinstance(row, dict):
            raise BadRequest(f"Expected one JSON object of feature names and values, got {shown(row)}.")
        return row
    raise UnsupportedMediaType(
        "Send a form (application/x-www-form-urlencoded) or JSON (application/json), "
        f"not {request.mimetype or 'a body without a Content-Type'}."
    )


def details(answer: Answer) -> dict[str, Any]:
    """An answer with all that belongs to it."""
    return {
        "prediction": answer.prediction,
        "unit": answer.unit,
        "probabilities": {str(name): p for name, p in (answer.probabilities or {}).items()} or None,
        "warnings": [{"feature": w.feature, "message": w.message} for w in answer.warnings],
        "version": answer.version,
    }


def refuse(error: ValidationError) -> Response:
    """Name every bad field."""
    return reply(
        problem(422, " ".join(found.message for found in error.problems[:5]), errors=entries(error.problems)), 422
    )


def explain(error: HTTPException) -> Response:
    """Any error that HTTP has a status for."""
    status = error.code or 500
    response = reply(problem(status, error.description or ""), status)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def fail(error: Exception) -> Response:
    """An error of ours: the traceback goes to the log, a reference to the caller."""
    reference = new_reference()
    log.error("reference %s: %s %s failed", reference, request.method, request.path, exc_info=error)
    detail = f"Something went wrong on our side. Tell the operator this reference: {reference}."
    return reply(problem(500, detail, reference=reference), 500)
