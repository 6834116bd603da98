"""The fast path: one row posted to a model, answered ahead of Flask.

Nearly every request is a form or a JSON object of sound values, and Flask's and Werkzeug's own work on it takes
longer than the prediction. Any other request goes on to Flask, and so does every request where an extension, a hook
or a signal handler wants to see it. Both ways give the same bytes; tests hold them to it.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import Any
from urllib.parse import unquote

from flask import Flask, signals

from irislib._common import tracing
from irislib._description.plain_rows import PlainRows
from irislib._description.validation import check_row
from irislib._modeling.model import Model
from irislib._prediction_log.writer import PredictionLog
from irislib.api._candidate import Candidate
from irislib.api._json_bodies import parse_json
from irislib.api._metrics import Metrics
from irislib.api._request_bodies import FORM, JSON

__all__ = ["MODEL", "REQUEST_ID", "Environ", "ModelEndpoint", "has_hooks", "is_plain"]

log = logging.getLogger(__name__)

MAX_BYTES = 50_000
REQUEST_ID = "irislib.request_id"  # in the WSGI environment
MODEL = "irislib.model"  # there, too: the model of the request's address, or None
SIGNALS = [signal for signal in vars(signals).values() if isinstance(signal, signals.request_started.__class__)]
RECEIVERS = attrgetter("receivers")

Environ = dict[str, Any]
BodyAndHeaders = tuple[bytes, list[tuple[str, str]]]


def is_plain(environ: Environ) -> bool:
    """Return True for a short POST without a query whose body is not packed."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and not environ.get("QUERY_STRING")
        and "HTTP_CONTENT_ENCODING" not in environ
        and length.isdecimal()
        and int(length) <= MAX_BYTES
    )


def has_hooks(app: Flask) -> bool:
    """Return True if something besides the views has to see every request."""
    return bool(
        app.before_request_funcs
        or app.after_request_funcs
        or app.teardown_request_funcs
        or app.url_value_preprocessors
        or app.teardown_appcontext_funcs
        or app.config["TRUSTED_HOSTS"]
        or any(map(RECEIVERS, SIGNALS))
    )


class ModelEndpoint:
    """The address of one model, with the responses for its classes ready to be sent.

    Parameters
    ----------
    model : Model
    metrics : Metrics
    log : PredictionLog, optional
    """

    def __init__(self, model: Model, metrics: Metrics, log: PredictionLog | None = None):
        self.model, self.log = model, log
        self.candidate: Candidate | None = None
        self.records = log.records_of(model) if log else None
        _ = model.fast_form  # made and proved now, not at the first request
        self.features, self.plain_rows = model.spec.features, PlainRows(model.spec.features)
        self.responses = {label: self.make_response(label) for label in model.classes or ()}
        self.requests = metrics.requests.labels(model.spec.name, "predict", "200")
        for address in ("predict", "batch", "insights"):
            metrics.requests.labels(model.spec.name, address, "500")  # 0: only what is there can increase
        if tracing.is_on():
            tracing.wrap(self, "answer", "irislib.predict", model=model.spec.name, version=model.version)
            tracing.wrap(self, "_checked_values", "irislib.validate", model=model.spec.name)
            tracing.wrap(self.plain_rows, "form_values", "irislib.validate", model=model.spec.name)
        self.seconds = metrics.seconds.labels(model.spec.name, "predict")

    def count(self, seconds: float) -> None:
        """Count one response."""
        try:  # and no context manager, which would take longer than both
            self.requests.inc()
            self.seconds.observe(seconds)
        except Exception:
            log.exception("A request could not be counted.")

    def respond(self, environ: Environ) -> BodyAndHeaders | None:
        """Return the response to a request, or None if Flask has to answer it."""
        length = int(environ["CONTENT_LENGTH"])
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)  # for Flask, where it has to read it again
        if len(body) < length:
            return None
        mimetype = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        try:
            values = self.plain_rows.form_values(body) if mimetype == FORM else None
            if values is None:
                values = self._checked_values(_read_row(mimetype, body))
            if values is None:
                return None
            route = "json" if mimetype == JSON else "form"
            if (candidate := self.candidate) is None:
                return self.answer(values, route, environ[REQUEST_ID])[0]
            if candidate.share is not None:
                answer = partial(candidate.endpoint.answer, values, route, environ[REQUEST_ID])
                return (candidate.answer(values, answer) or self.answer(values, route, environ[REQUEST_ID]))[0]
            response, prediction = self.answer(values, route, environ[REQUEST_ID])
            candidate.watch(environ[REQUEST_ID], values, prediction, self.model.version)
            return response
        except KeyboardInterrupt:
            raise
        except BaseException:  # Flask meets it again, and reports it
            return None

    def answer(self, values: list[Any], route: str, request_id: str) -> tuple[BodyAndHeaders, Any]:
        """Return the response to a row, and its prediction, which is written to the log."""
        prediction, shares = self.model.predict_values(values)
        response = self.responses[prediction] if self.responses else self.make_response(prediction)
        if self.log and self.records:
            self.log.add(self.records.entry(route, request_id, values, prediction, shares))
        return response, prediction

    def _checked_values(self, row: Mapping[str, Any] | None) -> list[Any] | None:
        if row is None:
            return None
        values = self.plain_rows.values(row)
        if values is None:
            checked, problems = check_row(self.features, row)
            return None if problems else list(checked.values())
        return values

    def make_response(self, prediction: Any) -> BodyAndHeaders:
        """Make the body and the headers of a response."""
        body = f"{json.dumps(prediction, allow_nan=False)}\n".encode()
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body))), ("X-Model-Version", self.model.version)]
        return body, headers


def _decode(text: str) -> str:
    """Decode a name or a value of a form, as `parse_qsl` does."""
    if "%" not in text and "+" not in text:
        return text
    return unquote(text.replace("+", " "), errors="werkzeug.url_quote")


def _read_row(mimetype: str, body: bytes) -> Mapping[str, Any] | None:
    """Return the row in a body, or None if Flask has to read it."""
    try:
        if mimetype == JSON:
            row = parse_json(body.decode())
            return row if row.__class__ is dict else None
        if mimetype == FORM:
            pairs = [pair.split("=", 1) for pair in body.decode().split("&")]
            if b"%" in body or b"+" in body:
                pairs = [[_decode(text) for text in pair] for pair in pairs]
            row = dict(pairs)
            return row if len(row) == len(pairs) else None
    except (ValueError, RecursionError):
        pass
    return None
