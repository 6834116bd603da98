"""Logging: lines of text, or a JSON object for each line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from gunicorn.glogging import Logger
from pythonjsonlogger.json import JsonFormatter as Formatter

__all__ = ["ApiLogger", "JsonApiLogger", "JsonFormatter", "log_to", "request_fields"]


class JsonFormatter(Formatter):
    """Format a record as a JSON object; a request with its method, path, status and request id."""

    def __init__(self, *_: Any, **__: Any):  # a logging configuration passes the format of its text
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        super().__init__(f"%({')s %('.join([*names, 'message'])})s", "%Y-%m-%dT%H:%M:%S%z", rename_fields=names)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Add the fields of a line of Gunicorn's access log."""
        super().add_fields(log_data, record, message_dict)
        if record.name == "gunicorn.access" and isinstance(record.args, Mapping):
            fields: Mapping[str, Any] = record.args
            log_data["message"] = f"{fields['m']} {fields['U']}"
            log_data |= request_fields(fields["m"], fields["U"], int(fields["s"]), float(fields["L"]), fields["h"])
            log_data["request_id"] = fields["{x-request-id}o"]


def request_fields(method: Any, path: Any, status: int, seconds: float, address: Any) -> dict[str, Any]:
    """Return the fields of a line about a request."""
    return {"method": method, "path": path, "status": status, "seconds": seconds, "address": address}


def log_to(handlers: list[logging.Handler], level: int) -> None:
    """Write irislib's own messages by the handlers of a server's log."""
    logger = logging.getLogger("irislib")
    logger.handlers, logger.propagate = handlers, False
    logger.setLevel(level)


class ApiLogger(Logger):  # type: ignore[misc]
    """Gunicorn's logger, which logs irislib's messages as well."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, at the start and whenever Gunicorn reads its configuration."""
        super().setup(cfg)
        log_to(self.error_log.handlers, self.loglevel)


class JsonApiLogger(ApiLogger):
    """Gunicorn's logger, in JSON."""

    def setup(self, cfg: Any) -> None:
        """Set the handlers up, and have them write JSON."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(JsonFormatter())
