"""The commonest request answered ahead of Flask's machinery, all others by Flask.

A form or a JSON object of sound values, posted to a model that can be walked: that is nearly every
request, and Flask's and Werkzeug's own work on it takes longer than the answer. Whatever is not
that plain goes on to Flask, and so does everything where an extension, a hook or a signal wants to
see requests. Both ways give the same bytes; tests hold them to it.
"""

from __future__ import annotations

import io
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, request, signals
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized
from werkzeug.wsgi import ClosingIterator

from irislib._common.routes import ROUTES
from irislib._description.validation import check_row
from irislib._modeling.model import Model
from irislib.api._config import Options, is_token
from irislib.api._metrics import Metrics
from irislib.api._problem_details import MISSING_TOKEN

__all__ = ["FORM", "JSON", "REQUEST_ID", "Endpoint", "request_id_of"]

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
REQUEST_ID = "irislib.request_id"  # in the WSGI environment
PLAIN_BYTES = 10_000
SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
SIGNALS = [signal for signal in vars(signals).values() if isinstance(signal, signals.request_started.__class__)]

# Addresses of a model with a count of their own in the metrics; the rest count as "predict" or "page" by method.
COUNTED = frozenset(route.name for route in ROUTES if route.is_batch or route.name == "insights")

Environ = dict[str, Any]
Answer = tuple[bytes, list[tuple[str, str]]]


def request_id_of(header: str) -> str:
    """Return the id that was sent with a request if it is sane, else a new one."""
    return header if SANE_ID.fullmatch(header) else secrets.token_hex(8)


class Endpoint(Flask):
    """A Flask application that answers the commonest request itself.

    Parameters
    ----------
    models : sequence of Model
    options : Options
    """

    def __init__(self, models: Sequence[Model], options: Options):
        super().__init__("irislib.api", static_folder=None)
        self.url_map.merge_slashes = False  # it would answer a program by a page that leads elsewhere
        self.options = options
        self.metrics = Metrics(models)
        self.open_paths = frozenset(route.path for route in ROUTES if route.is_open)
        self.model_endpoints = {f"/{model.spec.name}": ModelEndpoint(model, self.metrics) for model in models}
        self.heartbeat: Callable[[], None] = lambda: None  # tells Gunicorn that a long answer goes on

    def wsgi_app(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request, as WSGI has it."""
        begun = perf_counter()
        request_id = environ[REQUEST_ID] = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        endpoint = self.model_endpoints.get(environ["PATH_INFO"])
        if endpoint is not None and self.is_plain(environ) and (answer := endpoint.answer(environ)):
            start_response("200 OK", [*answer[1], ("X-Request-ID", request_id)])
            endpoint.count(perf_counter() - begun)
            return [answer[0]]
        return self._by_flask(environ, start_response, begun)

    def is_plain(self, environ: Environ) -> bool:
        """Return True if a request needs nothing that Flask adds to a response."""
        length = environ.get("CONTENT_LENGTH") or ""
        return (
            environ["REQUEST_METHOD"] == "POST"
            and not environ.get("QUERY_STRING")
            and length.isdecimal()
            and int(length) <= PLAIN_BYTES
            and self.admits(environ)
            and not (self.before_request_funcs or self.after_request_funcs or self.teardown_request_funcs)
            and not (self.url_value_preprocessors or self.teardown_appcontext_funcs or self.config["TRUSTED_HOSTS"])
            and not any(signal.receivers for signal in SIGNALS)
        )

    def admits(self, environ: Environ) -> bool:
        """Return True if a request has the token, or needs none."""
        if not self.options.token or environ["PATH_INFO"] in self.open_paths or environ["REQUEST_METHOD"] == "OPTIONS":
            return True
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return scheme.lower() in ("bearer", "token") and is_token(token.strip(), self.options.token)

    def preprocess_request(self) -> Any:
        """Ask for the token, then do what Flask does before a view is called."""
        if not self.admits(request.environ):
            looks = request.method in ("GET", "HEAD")
            typed = request.authorization
            if not (looks and typed and typed.type == "basic" and is_token(typed.password or "", self.options.token)):
                # A browser asks its user for the password then. It sends it with every request from then
                # on, whoever caused that, so that it is never enough for a POST.
                ways = [WWWAuthenticate("bearer"), *([WWWAuthenticate("basic", {"realm": "token"})] if looks else [])]
                raise Unauthorized(MISSING_TOKEN, www_authenticate=ways)
        return super().preprocess_request()

    def _by_flask(self, environ: Environ, start_response: Any, begun: float) -> Iterable[bytes]:
        _, name, *rest = f"{environ['PATH_INFO']}/".split("/")
        endpoint = self.model_endpoints.get(f"/{name}")
        status_code = "500"

        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            nonlocal status_code
            status_code = status[:3]
            more = [] if endpoint is None else [("X-Model-Version", endpoint.model.version)]
            return start_response(status, [*headers, *more, ("X-Request-ID", environ[REQUEST_ID])], *failure)

        def count() -> None:
            label = _endpoint_label(rest[0], environ["REQUEST_METHOD"]) if endpoint else "other"
            self.metrics.count(name if endpoint else "", label, status_code, perf_counter() - begun)

        return ClosingIterator(super().wsgi_app(environ, start), count)


class ModelEndpoint:
    """One model, and its answers ready to be sent."""

    def __init__(self, model: Model, metrics: Metrics):
        self.model = model
        _ = model.fast_form  # made and proved now, not at the first request
        self.features = model.spec.features
        self.answers = {label: self.written(label) for label in model.classes or ()}
        self.requests = metrics.requests.labels(model.spec.name, "predict", "200")
        self.seconds = metrics.seconds.labels(model.spec.name, "predict")

    def count(self, seconds: float) -> None:
        """Count one answer."""
        self.requests.inc()
        self.seconds.observe(seconds)

    def answer(self, environ: Environ) -> Answer | None:
        """Return the response to a request, or None if Flask has to answer it."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)  # for Flask, where it has to read it again
        row = _read(environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower(), body)
        if row is None:
            return None
        try:
            values, problems = check_row(self.features, row)
            if problems:
                return None
            prediction, _ = self.model.predict_values(list(values.values()))
            return self.answers[prediction] if self.answers else self.written(prediction)
        except Exception:  # Flask meets it again, and reports it
            return None

    def written(self, prediction: Any) -> Answer:
        """Return the body and the headers of a response."""
        body = f"{json.dumps(prediction, allow_nan=False)}\n".encode()
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body))), ("X-Model-Version", self.model.version)]
        return body, headers


def _endpoint_label(segment: str, method: str) -> str:
    """Return the name that an address of a model has in the metrics.

    Parameters
    ----------
    segment : str
        What follows the model's name in the path; empty for the model's own address.
    method : str
    """
    if segment in COUNTED:
        return segment
    return "predict" if method == "POST" else "page"


def _read(kind: str, body: bytes) -> Mapping[str, Any] | None:
    """Return the row of a body, or None if Flask has to read it."""
    try:
        if kind == JSON:
            row = json.loads(body)
            return row if isinstance(row, dict) else None
        if kind == FORM:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
            row = dict(pairs)
            return row if len(row) == len(pairs) else None
    except (ValueError, RecursionError):
        pass
    return None
