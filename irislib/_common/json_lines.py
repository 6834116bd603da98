"""Logs whose lines are JSON objects, in every process of a server that was started with ``--json-logs``."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

__all__ = ["FIELDS", "OF_PROCESS", "REQUEST_ID", "begin", "is_on", "make_formatter", "report"]

VARIABLE = "IRISLIB_JSON_LOGS"  # from a server to the processes that it starts
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

FIELDS = {
    "time": "when, with the offset of the time zone",
    "level": "`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`",
    "logger": "the part of the program",
    "message": "the text; one of several lines is one string",
    "exc_info": "the traceback of an error that nobody expected",
    "request_id": "of the request that is being answered, as in the `X-Request-ID` of its response; of a page's own "
    "requests, such as a click, the `msg_id` of its message",
    "reference": "the number that a visitor or a program was told",
    "trace_id": "with traces: the one that the line belongs to",
    "page": "the notebook of a page's kernel",
    "method, path, status, seconds, address": "of a line about a request",
}

OF_PROCESS: dict[str, Any] = {}  # the fields of each line of this process


def is_on() -> bool:
    """Return True if this process writes JSON."""
    return VARIABLE in os.environ


def begin() -> None:
    """Write JSON from now on: messages of `logging`, warnings, and errors that end a thread or the process.

    The first process of a server has another one make objects of all that is written in other ways.
    """
    if not is_on() and sys.platform == "linux":
        from irislib._common.plain_output import wrap  # here, for most processes write no JSON

        wrap()
    os.environ[VARIABLE] = "1"
    root = logging.getLogger()
    if getattr(root, "irislib_json", False):
        return
    root.irislib_json = True  # type: ignore[attr-defined]
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(make_formatter())
    names = [old.name for old in root.handlers]
    handler.name = names[0] if names else None
    root.handlers = [handler]
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, _: root.critical("An error has ended the process.", exc_info=error)
    threading.excepthook = lambda args: root.critical("An error has ended a thread.", exc_info=args.exc_value)
    sys.unraisablehook = lambda args: root.error("%s: %r", args.err_msg or "An error is ignored", args.object,
                                                 exc_info=args.exc_value)  # fmt: skip


def report(text: str, level: int = logging.ERROR, error: str = "", **fields: Any) -> None:
    """Write a text to the server's log from wherever it is: as a JSON object, or as it is.

    Parameters
    ----------
    text : str
    level : int
        One of `logging`'s.
    error : str
        A traceback.
    fields
        Further fields of the object.
    """
    if (log := sys.__stderr__) is None:  # sys.stderr of a kernel is the visitor's page
        return
    if is_on():
        more = {**fields, "exc_info": error} if error else fields
        record = logging.LogRecord("irislib", level, "", 0, "%s", (text,), None)
        record.__dict__.update(more, exc_info=None)
        line = make_formatter(**({"exc_info": error} if error else {})).format(record)
        print(f"{line}\n", end="", file=log, flush=True)  # at once, for other processes write there, too
    else:
        print(text, *filter(None, [error]), sep="\n", file=log, flush=True)


def make_formatter(**fields: Any) -> logging.Formatter:
    """Return a formatter whose objects have these fields besides."""
    from irislib._common.json_formatter import JsonFormatter  # here, for most processes write no JSON

    return JsonFormatter({**OF_PROCESS, **fields})


def trace_id(span: Any = None) -> str:
    """Return the id of the trace of a span, or of the current one; empty if there is none."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    context = trace and (span or trace.get_current_span()).get_span_context()
    return trace.format_trace_id(context.trace_id) if context and context.is_valid else ""


def request_fields(log_data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids of what is being done, as far as a line has none of its own."""
    ids = {"request_id": REQUEST_ID.get(), "trace_id": trace_id()}
    return {name: value for name, value in ids.items() if value and not log_data.get(name)}
