"""Logging: lines of text, or a JSON object for each line."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from irislib._common import json_lines

__all__ = ["ApiLogger", "JsonApiLogger", "log_to", "request_fields"]


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
            handler.setFormatter(json_lines.make_formatter())
