"""Problems as bytes, for requests that are refused before there is a handler or a view."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus

from irislib._common.security_headers import headers_for
from irislib.api._problem_details import PROBLEM, problem

__all__ = ["MAX_REQUEST_LINE", "problem_response", "raw_response"]

MAX_REQUEST_LINE = 8190  # bytes, in both servers, so that they take the same requests


def problem_response(status: int, detail: str) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers of a problem."""
    body = (json.dumps(problem(status, detail)) + "\n").encode()
    headers = {"Content-Type": PROBLEM, "Content-Length": str(len(body)), "X-Request-ID": secrets.token_hex(8)}
    return body, {**headers, **headers_for()}


def raw_response(status: int, detail: str, more_headers: Mapping[str, str] | None = None) -> bytes:
    """Return a problem as it is sent, with the end of the connection announced."""
    body, headers = problem_response(status, detail)
    lines = [f"{name}: {value}" for name, value in {**headers, **(more_headers or {}), "Connection": "close"}.items()]
    return "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *lines, "", ""]).encode() + body
