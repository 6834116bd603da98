"""The log of the requests that ``irislib serve`` answers."""

from __future__ import annotations

import logging
from typing import Any

from jupyter_server.log import log_request

from irislib._common.json_lines import REQUEST_ID
from irislib._serving.logs import request_fields

__all__ = ["log_as_json", "log_fields", "log_without_queries"]


def log_without_queries(handler: Any) -> None:
    """Log a request as jupyter_server does, without its query, which holds the values of a form."""
    handler.request.uri = handler.request.path
    handler.request.headers.pop("Referer", None)
    if handler.get_status() == 503:  # no fault of ours, and there may be many
        level = logging.DEBUG if getattr(handler, "is_unopened", False) else logging.WARNING
        handler.log.log(level, "503 %s", handler.request.path)
    else:
        log_request(handler)


def log_as_json(handler: Any) -> None:
    """Log a request as fields, with the request id of its response."""
    log_fields(handler.settings["irislib_log"], handler.request, handler.get_status())
    REQUEST_ID.set("")  # the connection may go on with a request that has none


def log_fields(log: logging.Logger, request: Any, status: int) -> None:
    """Log a request of Tornado's as fields."""
    level = logging.DEBUG if status < 400 else logging.WARNING
    fields = request_fields(request.method, request.path, status, request.request_time(), request.remote_ip)
    fields["request_id"] = request.headers.get("X-Request-ID")
    log.log(level, "%s %s", request.method, request.path, extra=fields)
