"""The Flask application: the fast path and the token before the views, metrics and headers after them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wsgi import ClosingIterator

from irislib._common import json_lines
from irislib._common.page_states import NOT_READY
from irislib._common.routes import ROUTES
from irislib._common.security_headers import missing_headers
from irislib._modeling.model import Model
from irislib._modeling.prediction import Prediction
from irislib._prediction_log.reports import REQUEST_ID_PATTERN
from irislib._prediction_log.writer import LEFT_OUT, LOST, WRITTEN, PredictionLog
from irislib.api._auth import TokenCheck
from irislib.api._body_stream import BodyStream
from irislib.api._candidate import Candidate, check_fits
from irislib.api._config import ROW_BYTES, Options
from irislib.api._fast_path import MODEL, REQUEST_ID, Environ, ModelEndpoint, has_hooks, is_plain
from irislib.api._hosts import UNKNOWN_HOST, foreign_name
from irislib.api._metrics import Metrics

__all__ = ["REQUEST_ID", "Endpoint", "request_id_of"]


# Addresses of a model with a count of their own in the metrics; the rest count as "predict" or "page" by method.
COUNTED = frozenset(route.suffix[1:] for route in ROUTES if route.is_batch or route.name == "insights")


def request_id_of(header: str) -> str:
    """Return the id that was sent with a request if it is valid, else a new one."""
    return header if REQUEST_ID_PATTERN.fullmatch(header) else secrets.token_hex(8)


class Endpoint(Flask):
    """A Flask application that answers plain requests ahead of Flask.

    Parameters
    ----------
    models : sequence of Model
    options : Options
    """

    def __init__(self, models: Sequence[Model], options: Options):
        super().__init__("irislib.api", static_folder=None)
        self.url_map.merge_slashes = False  # it would answer a program by a page that leads elsewhere
        self.options = options
        self.models: dict[str, Model] = {}
        self.metrics = Metrics(self)
        self.prediction_log = PredictionLog(options.log, self.metrics.count_log) if options.log.folder else None
        for outcome in (WRITTEN, LOST, LEFT_OUT) if self.prediction_log else ():
            self.metrics.count_log(outcome, 0)  # only what is there can increase, and raise an alert
        self.token_check = TokenCheck(options.token)
        self.model_endpoints: dict[str, ModelEndpoint] = {}
        for model in models:
            self.add_model(model)
        self.check_method: Callable[[], Response | None] = lambda: None
        self.allowed_methods: Callable[[str], list[str]] = lambda path: []
        self.page_states: Callable[[], Mapping[str, str]] = dict  # of the pages that a server has besides
        self.refusal_of: Callable[[str], HTTPException | None] = lambda name: None  # of a model that is not there yet
        self.following: Callable[[], Mapping[str, Mapping[str, Any]]] = dict  # the state of what follows the store
        self.processes: Callable[[], Mapping[str, Iterable[int]]] = lambda: {"server": [os.getpid()]}
        self.safe_headers: Mapping[str, str] = {}  # of what Flask answers, unless the response has them
        self.heartbeat: Callable[[], None] = lambda: None  # tells Gunicorn that a long answer goes on

    def add_model(self, model: Model) -> None:
        """Answer by another model from now on; requests that are being answered go on with the one before."""
        endpoint = ModelEndpoint(model, self.metrics, self.prediction_log)  # may fail, before anything has changed
        self.models = {**self.models, model.spec.name: model}  # a new one: other threads go through it
        self.model_endpoints[f"/{model.spec.name}"] = endpoint

    def use_candidate(self, model: Model, share: float | None) -> None:
        """Try a model beside the one of its name from now on, for a share of its rows or as a shadow.

        Raises
        ------
        StoreError
            If it does not fit the current one.
        """
        current = self.model_endpoints[f"/{model.spec.name}"]
        check_fits(model, current.model)
        endpoint = ModelEndpoint(model, self.metrics, self.prediction_log)
        current.candidate = Candidate(endpoint, share, self.metrics, self.prediction_log)

    def candidate_of(self, name: str) -> Candidate | None:
        """Return what is tried beside a model, or None if nothing is."""
        endpoint = self.model_endpoints.get(f"/{name}")
        return None if endpoint is None else endpoint.candidate

    def end_candidate(self, name: str) -> None:
        """Try nothing beside a model any more."""
        if (endpoint := self.model_endpoints.get(f"/{name}")) is not None:
            endpoint.candidate = None

    def status(self) -> str:
        """Return ``ready``, or the state of the pages that are not."""
        states = self.page_states().values()
        return next((state for state in NOT_READY if state in states), "ready")

    def begin(self) -> None:
        """Start what works beside the requests, in the process that answers them."""
        self.metrics.begin()
        if self.prediction_log is not None:
            self.prediction_log.start()

    def end(self) -> None:
        """Compare what waits for a candidate, and write what waits to be written to the prediction log."""
        for endpoint in self.model_endpoints.values():
            if endpoint.candidate is not None:
                endpoint.candidate.close()
        if self.prediction_log is not None:
            self.prediction_log.close()

    def log_prediction(self, model: Model, prediction: Prediction, route: str, request_id: str) -> None:
        """Write a prediction to the log, if there is one."""
        if self.prediction_log is not None:
            records = self.prediction_log.records_of(model)
            shares = None if prediction.probabilities is None else [*prediction.probabilities.values()]
            entry = records.entry(route, request_id, [*prediction.values.values()], prediction.prediction, shares)
            self.prediction_log.add(entry)

    def count(self, path: str, method: str, status: str, seconds: float) -> None:
        """Count one answer, whoever has given it.

        Parameters
        ----------
        path : str
            Without the base URL of the server.
        method, status : str
        seconds : float
        """
        _, name, *rest = f"{path}/".split("/")
        if f"/{name}" in self.model_endpoints:
            self.metrics.count(name, _endpoint_label(rest[0], method), status, seconds)
        else:
            self.metrics.count("", "other", status, seconds)

    def wsgi_app(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request, as WSGI has it."""
        start = perf_counter()
        request_id = environ[REQUEST_ID] = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        if self.options.hosts is not None and foreign_name(environ.get("HTTP_HOST", ""), self.options.hosts):
            return self._call_flask(environ, start_response, start)
        endpoint = self.model_endpoints.get(environ["PATH_INFO"])
        if (
            endpoint is not None
            and is_plain(environ)
            and self.token_check.admits(environ)
            and not has_hooks(self)
            and (response := endpoint.respond(environ))
        ):
            body, headers = response
            start_response("200 OK", [*headers, ("X-Request-ID", request_id)])
            endpoint.count(perf_counter() - start)
            return [body]
        return self._call_flask(environ, start_response, start)

    def preprocess_request(self) -> Any:
        """Check the host and the token, do what Flask does before a view is called, and check the method."""
        hosts = self.options.hosts
        if hosts is not None and (name := foreign_name(request.host, hosts)):
            raise Forbidden(UNKNOWN_HOST.format(name=name))
        self.token_check.require()
        return super().preprocess_request() or self.check_method()

    def _call_flask(self, environ: Environ, start_response: Any, start: float) -> Iterable[bytes]:
        json_lines.REQUEST_ID.set(environ[REQUEST_ID])
        endpoint = self.model_endpoints.get("/" + f"{environ['PATH_INFO']}/".split("/", 2)[1])
        environ[MODEL] = endpoint and endpoint.model  # until its end, whatever is served from then on
        status_code = "500"
        body = BodyStream(environ, ROW_BYTES)

        def start_with_ids(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            nonlocal status_code
            status_code = status[:3]
            more = [] if endpoint is None else [("X-Model-Version", environ[MODEL].version)]
            more += missing_headers(headers, self.safe_headers)
            return start_response(status, [*headers, *more, ("X-Request-ID", environ[REQUEST_ID])], *failure)

        def finish() -> None:
            body.drain(self.heartbeat)
            json_lines.REQUEST_ID.set("")
            self.count(environ["PATH_INFO"], environ["REQUEST_METHOD"], status_code, perf_counter() - start)

        return ClosingIterator(super().wsgi_app(environ, start_with_ids), finish)


def _endpoint_label(segment: str, method: str) -> str:
    """Return the name of an address of a model in the metrics.

    Parameters
    ----------
    segment : str
        The part of the path after the model's name; empty for the model's own address.
    method : str
    """
    if segment in COUNTED:
        return segment
    return "predict" if method == "POST" else "page"
