"""Traces by OpenTelemetry, in every process of a server that was started with ``--tracing``.

Nothing of OpenTelemetry is imported without it. Each process sends its own spans, by a thread that begins with the
first one, and so after any fork. Spans have names, versions, ids and times; never a value of a row, nor an answer.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

from irislib.errors import IrislibError

__all__ = [
    "SPAN",
    "Span",
    "begin",
    "current",
    "fail",
    "flush",
    "headers",
    "imports",
    "is_on",
    "note_status",
    "preload",
    "served",
    "span",
    "start",
    "traced_application",
    "wrap",
]

VARIABLE = "IRISLIB_TRACING"  # from a server to the processes that it starts
MISSING = "--tracing needs OpenTelemetry: pip install 'irislib[tracing]'"
FLUSH_MILLISECONDS = 800  # for what a kernel has not sent yet when it ends, which has a second
EXPORT_SECONDS = 2  # for which the end of a process may wait where no collector answers; 10 is OpenTelemetry's own
NOTHING: AbstractContextManager[None] = nullcontext()
SPAN = "irislib.span"  # of a request in its WSGI environment
Span = Any

_is_on = VARIABLE in os.environ


def is_on() -> bool:
    """Return True if this process makes spans."""
    return _is_on


def begin() -> None:
    """Make spans from now on, here and in the processes that this one starts.

    Raises
    ------
    IrislibError
        If OpenTelemetry is not installed.
    """
    global _is_on
    for name in ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        try:
            module = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            module = None
        if module is None:
            raise IrislibError(MISSING)
    os.environ[VARIABLE] = "1"
    _is_on = True


def imports() -> tuple[str, ...]:
    """Return what a template process is to call, so that its kernels need not import it."""
    return (f"{__name__}:preload",) if _is_on else ()


def preload() -> None:
    """Import what the first span needs."""
    import opentelemetry.exporter.otlp.proto.http.trace_exporter
    import opentelemetry.sdk.trace.export  # noqa: F401


def span(name: str, **attributes: Any) -> AbstractContextManager[Any]:
    """Return the context of a part of what is being done; it costs nothing where there are no traces."""
    return _part(name, attributes) if _is_on else NOTHING


@contextmanager
def _part(name: str, attributes: Mapping[str, Any]) -> Iterator[Span]:
    part = start(name, None, "INTERNAL", {f"irislib.{key}": value for key, value in attributes.items()})
    with _use(part):
        yield part


@contextmanager
def _use(current: Span, ends: bool = True) -> Iterator[None]:
    """Make a span the current one; an error is noted by its type alone, for its message may quote a value."""
    from opentelemetry import trace

    try:
        with trace.use_span(current, record_exception=False, set_status_on_exception=False):
            yield
    except Exception as error:
        fail(error, current)
        raise
    finally:
        if ends:
            current.end()


def current(open_span: Span | None) -> AbstractContextManager[None]:
    """Return the context in which a span that has been started is the current one; None is no span."""
    return NOTHING if open_span is None else _use(open_span, ends=False)


def fail(error: BaseException, failed: Span = None) -> None:
    """Note in a span, or the current one, that it has failed."""
    if _is_on:
        from opentelemetry import trace

        failed = trace.get_current_span() if failed is None else failed
        failed.set_attribute("error.type", type(error).__qualname__)
        failed.set_status(trace.StatusCode.ERROR)


def start(name: str, carrier: Mapping[str, str] | None, kind: str, attributes: Mapping[str, Any]) -> Span:
    """Start a span, which its caller ends.

    Parameters
    ----------
    name : str
    carrier : mapping or None
        What has the ``traceparent`` of its parent; None for the current span.
    kind : str
        The name of a `SpanKind`.
    attributes : mapping
    """
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None if carrier is None else TraceContextTextMapPropagator().extract(carrier)
    return _tracer(os.getpid()).start_span(name, context, trace.SpanKind[kind], attributes)


@contextmanager
def served(name: str, carrier: Mapping[str, str], attributes: Mapping[str, Any]) -> Iterator[Span]:
    """Make the span of a request the current one, if there are traces."""
    if not _is_on:
        yield None
        return
    request = start(name, carrier, "SERVER", attributes)
    with _use(request):
        yield request


def headers() -> dict[str, str]:
    """Return the ``traceparent`` of the current span for another process; empty without traces."""
    return carrier_of(None) if _is_on else {}


def carrier_of(parent: Span | None) -> dict[str, str]:
    """Return the ``traceparent`` of a span, or of the current one."""
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    context = None if parent is None else trace.set_span_in_context(parent)
    TraceContextTextMapPropagator().inject(carrier, context)
    return carrier


def flush() -> None:
    """Send what waits to be sent, within a second."""
    if _is_on and _tracer.cache_info().currsize:
        _provider(os.getpid()).force_flush(FLUSH_MILLISECONDS)


@cache
def _provider(pid: int) -> Any:  # one for each process, for a fork has not the thread of its parent's
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"process.pid": pid})  # and what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "irislib"}))
    provider = TracerProvider(resource=resource)  # which reads OTEL_TRACES_SAMPLER, and ends with the process
    has_timeout = any(f"OTEL_EXPORTER_OTLP_{name}TIMEOUT" in os.environ for name in ("", "TRACES_"))
    exporter = OTLPSpanExporter(timeout=None if has_timeout else EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


@cache
def _tracer(pid: int) -> Any:
    return _provider(pid).get_tracer("irislib")


def traced_application(application: Callable[..., Iterable[bytes]], route_of: Callable[[str], str]) -> Any:
    """Wrap a WSGI application so that each request has a span, by the conventions of OpenTelemetry for HTTP.

    Parameters
    ----------
    application : callable
    route_of : callable
        Takes a path, and returns its route; empty if there is none.
    """
    from werkzeug.wsgi import ClosingIterator

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, route = environ["REQUEST_METHOD"], route_of(environ["PATH_INFO"])
        carrier = {name: environ.get(f"HTTP_{name.upper()}", "") for name in ("traceparent", "tracestate")}
        attributes = {
            "http.request.method": method,
            "url.path": environ["PATH_INFO"],
            "url.scheme": environ.get("wsgi.url_scheme", "http"),
            "client.address": environ.get("REMOTE_ADDR", ""),
            **({"http.route": route} if route else {}),
        }
        environ[SPAN] = request = start(f"{method} {route}".strip(), carrier, "SERVER", attributes)

        def start_with_status(status: str, response_headers: list[tuple[str, str]], *more: Any) -> Any:
            note_status(request, int(status[:3]))
            ids = [value for name, value in response_headers if name == "X-Request-ID"]
            request.set_attribute("irislib.request_id", ids[0] if ids else "")
            return start_response(status, response_headers, *more)

        try:
            with current(request):
                body = application(environ, start_with_status)
        except BaseException:
            request.end()
            raise
        return ClosingIterator(body, request.end)

    return call


def note_status(request: Span, status: int) -> None:
    """Note the status of a response."""
    request.set_attribute("http.response.status_code", status)
    if status >= 500:
        from opentelemetry.trace import StatusCode

        request.set_attribute("error.type", str(status))
        request.set_status(StatusCode.ERROR)


def wrap(owner: Any, method: str, name: str, **attributes: Any) -> None:
    """Let a method of one object have a span."""
    function = getattr(owner, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        with span(name, **attributes):
            return function(*args, **kwargs)

    setattr(owner, method, call)
