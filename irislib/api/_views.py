"""The views: a function for each row of :data:`irislib._common.routes.ROUTES`, by its name there."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import NotFound

from irislib._common.formatting import short_repr
from irislib._common.language import preferred
from irislib._common.messages.api import TEXTS
from irislib._model_card.card import card_page
from irislib._modeling.candidate_following import key_of
from irislib._prediction_log.batches import BatchLog
from irislib._prediction_log.records import record_line
from irislib._prediction_log.reports import parse_report
from irislib.api import _batch, _insights
from irislib.api._batch_limits import BatchLimits
from irislib.api._fast_path import MODEL, REQUEST_ID
from irislib.api._following import describe, describe_candidate
from irislib.api._json_bodies import with_few_unknown_names
from irislib.api._openapi import docs as docs_page
from irislib.api._openapi import document as openapi_document
from irislib.api._operator.views import operator, operator_form  # noqa: F401 - views
from irislib.api._problem_details import FULL, QueryError, details, errors_by_key, problem, reply
from irislib.api._refresh_views import cancel_refresh, refresh, refresh_run, refresh_runs  # noqa: F401 - views
from irislib.api._request_bodies import closing, read_row, spooled, take_large_body
from irislib.errors import Problem

if TYPE_CHECKING:
    from irislib._description.theme import Theme
    from irislib._modeling.model import Model
    from irislib.api._application import Endpoint

__all__ = ["Context"]

server_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """The application that a view belongs to, and the pages without a model."""

    app: Endpoint
    pages: Set[str]

    @property
    def models(self) -> Mapping[str, Model]:
        """The models, by their names."""
        return self.app.models

    def has(self, name: str) -> bool:
        """Return True if there is a model of this name, which may still be trained."""
        return name in self.models or self.app.refusal_of(name) is not None

    def find(self, name: str) -> Model:
        """Return a model by its name.

        Raises
        ------
        NotFound
        HTTPException
            If it is not there yet, or could not be trained.
        """
        model: Model | None = request.environ.get(MODEL) or self.models.get(name)
        if model is not None and model.spec.name == name:
            return model
        if (refusal := self.app.refusal_of(name)) is not None:
            raise refusal
        raise NotFound(f"There is no model {name!r} here. Known: {', '.join(self.models)}.")

    @property
    def theme(self) -> Theme | None:
        """The theme that all models have in common."""
        themes = {model.spec.theme for model in self.models.values()}
        return themes.pop() if len(themes) == 1 else None

    @property
    def has_apps(self) -> bool:
        """True on `irislib serve`, which has a page for each model."""
        return bool(self.app.page_states())

    def document(self) -> dict[str, Any]:
        """Return the OpenAPI document, for the address that this request came to."""
        # request.root_url is no URI if the host has letters beyond ASCII, and fails if it is no valid name
        server = f"{request.scheme}://{request.host}" if request.host else ""
        root = server + quote(request.script_root)
        return openapi_document.document(list(self.models.values()), root, self.app.options)


def index(context: Context) -> Response:
    return Response(status=302, headers={"Location": "docs"})


def page(context: Context, name: str) -> Response:
    model = context.find(name)
    return Response(docs_page.page(context.document(), name, model.spec.theme), mimetype="text/html")


def predict(context: Context, name: str) -> Response:
    model = context.find(name)
    if (text := request.args.get("details", "0")) not in ("0", "1"):
        raise QueryError([Problem(f"details must be 0 or 1, got {short_repr(text)}.", "details", text)])
    row, request_id = with_few_unknown_names(model.spec.features, read_row()), request.environ[REQUEST_ID]
    with errors_by_key(model.spec.features, row):
        prediction = model.predict_row(row)
    if (candidate := context.app.candidate_of(name)) is not None:
        values = [*prediction.values.values()]
        if candidate.share is None:
            candidate.watch(request_id, values, prediction.prediction, model.version)
        elif answer := candidate.answer(values, partial(candidate.model.predict_row, row)):
            prediction, model = answer, candidate.model
            request.environ[MODEL] = model
    route = "json" if request.is_json else "form"
    context.app.log_prediction(model, prediction, route, request_id)
    return reply(details(prediction) if text == "1" else prediction.prediction)


def batch(context: Context, name: str) -> Response:
    model = context.find(name)
    options, heartbeat = context.app.options, context.app.heartbeat
    limit = options.batch_bytes if request.mimetype == "text/csv" else options.json_batch_bytes
    take_large_body(limit)
    is_client_gone = request.environ.get("irislib.is_client_gone") or request.environ["wsgi.input"].is_client_gone
    log = context.app.prediction_log
    rows_log = BatchLog(log, model, request.environ[REQUEST_ID]) if log else None
    count = partial(context.app.metrics.count_batch, name)
    limits = BatchLimits(options, heartbeat, is_client_gone, rows_log, count)
    with contextlib.ExitStack() as stack:
        body = stack.enter_context(spooled(request.stream, heartbeat))
        charset = request.mimetype_params.get("charset", "")
        mimetype, pieces, sheet = _batch.answer(model, body, request.mimetype, limits, charset)
        headers = {"X-Sheet": quote(sheet, safe=" ")} if sheet else {}
        return Response(closing(stack.pop_all(), pieces), mimetype=mimetype, headers=headers)


def feedback(context: Context, name: str) -> Response:
    model, log = context.find(name), context.app.prediction_log
    if log is None:
        raise NotFound(TEXTS["feedback.no_log"])
    report = parse_report(model, read_row())
    try:
        log.write_now(record_line(report))
    except OSError as error:
        server_log.error("%s is not stored: %s", request.path, error.strerror or error)
        status, text = (507, "feedback.full") if error.errno in FULL else (503, "feedback.failed")
        return reply(problem(status, TEXTS[text]), status)
    return reply(report)


def schema(context: Context, name: str) -> Response:
    row = openapi_document.schema(context.find(name).spec)
    return Response(json.dumps(row) + "\n", mimetype="application/schema+json")


def card(context: Context, name: str) -> Response:
    language = preferred(request.headers.get("Accept-Language", ""), context.app.options.languages)
    html = card_page(context.find(name), context.has_apps, language)
    return Response(html, mimetype="text/html", headers={"Content-Language": language, "Vary": "Accept-Language"})


def insights(context: Context, name: str) -> Response:
    return reply(_insights.listed(context.find(name)))


def model_insight(context: Context, name: str, insight: str) -> Response:
    return reply(_insights.about_model(context.find(name), insight, request.args))


def row_insight(context: Context, name: str, insight: str) -> Response:
    return reply(_insights.about_row(context.find(name), insight, read_row, request.args))


def openapi(context: Context) -> Response:
    return reply(context.document())


def docs(context: Context) -> Response:
    return Response(
        docs_page.page(context.document(), theme=context.theme, has_apps=context.has_apps), mimetype="text/html"
    )


def healthz(context: Context) -> Response:
    return reply({"status": "ok"})


def readyz(context: Context) -> Response:
    models: dict[str, Any] = {n: {"version": m.version, "trained_at": m.trained_at} for n, m in context.models.items()}
    for name, state in context.app.following().items():
        if name in models:
            models[name]["store"] = describe(context.models[name], state)
    for name in models:
        candidate_state = context.app.following().get(key_of(name))
        if candidate := describe_candidate(context.app.candidate_of(name), candidate_state):
            models[name]["candidate"] = candidate
    pages, status = context.app.page_states(), context.app.status()
    body = {"status": status, "models": models, **({"pages": pages} if pages else {})}
    return Response(json.dumps(body) + "\n", 200 if status == "ready" else 503, mimetype="application/json")


def metrics(context: Context) -> Response:
    return Response(context.app.metrics.text(), content_type=CONTENT_TYPE_LATEST)
