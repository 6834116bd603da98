"""The formatter of JSON logs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pythonjsonlogger.json import JsonFormatter as Formatter

from irislib._common.json_lines import request_fields, trace_id
from irislib._common.tracing import SPAN

__all__ = ["JsonFormatter"]


class JsonFormatter(Formatter):
    """Format a record as a JSON object; a request with its method, path, status and request id."""

    def __init__(self, fields: Any = None, *_: Any, **__: Any):
        """Take further fields of each object, or what a logging configuration passes: the format of its text."""
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        super().__init__(f"%({')s %('.join([*names, 'message'])})s", "%Y-%m-%dT%H:%M:%S%z", rename_fields=names)
        self.more = dict(fields) if isinstance(fields, Mapping) else {}

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Add the ids of what is being done, and the fields of a line of Gunicorn's access log."""
        super().add_fields(log_data, record, message_dict)
        log_data |= self.more
        if record.name == "gunicorn.access" and isinstance(record.args, Mapping):
            fields: Mapping[str, Any] = record.args
            log_data["message"] = f"{fields['m']} {fields['U']}"
            log_data |= {"method": fields["m"], "path": fields["U"], "status": int(fields["s"])}
            log_data |= {"seconds": float(fields["L"]), "address": fields["h"]}
            log_data["request_id"] = fields["{x-request-id}o"]
            if span := fields.get(f"{{{SPAN}}}e"):  # of its WSGI environment
                log_data["trace_id"] = trace_id(span)
        log_data |= request_fields(log_data)
