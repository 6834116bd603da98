"""The bodies of requests: one row, or a batch that becomes a file."""

from __future__ import annotations

import contextlib
import errno
import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from flask import request
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType

from irislib._common.formatting import short_repr
from irislib.api._config import ROW_BYTES
from irislib.api._json_bodies import MAX_NAMES, RepeatedNames, decode_json, repeated_problems
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib.api._body_stream import BodyStream

__all__ = ["FORM", "JSON", "closing", "read_row", "spooled", "take_large_body"]

log = logging.getLogger(__name__)

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MANY = " Send many rows to the model's /batch."


def read_row() -> Mapping[str, Any]:
    """Read the row of a form or JSON request."""
    if request.mimetype in (FORM, "multipart/form-data"):
        # Flask's own limits are less than the body may have: 1,000 fields, and 500,000 bytes in all
        request.max_form_parts = request.max_form_memory_size = ROW_BYTES
        if repeated := [name for name, values in request.form.lists() if len(values) > 1]:
            raise ValidationError([
                Problem(f"{name} was given more than once.", name, request.form.getlist(name))
                for name in repeated[:MAX_NAMES]
            ])  # fmt: skip
        return request.form.to_dict()
    if request.is_json:
        row = decode_json(request.get_data())
        if not isinstance(row, dict):
            hint = MANY if isinstance(row, list) else ""
            raise BadRequest(f"Expected one JSON object of feature names and values, got {short_repr(row)}.{hint}")
        if isinstance(row, RepeatedNames):
            raise ValidationError(repeated_problems(row))
        return row
    hint = MANY if request.mimetype == "text/csv" else ""
    received = request.mimetype or "a body without a Content-Type"
    raise UnsupportedMediaType(f"Send a form ({FORM}) or JSON (application/json), not {received}.{hint}")


def take_large_body(limit: int) -> None:
    """Let the body of this request have more bytes than a row."""
    stream: BodyStream = request.environ["wsgi.input"]
    stream.limit, request.max_content_length = limit, limit + 1  # the stream says what is wrong, before Werkzeug cuts


@contextlib.contextmanager
def spooled(stream: IO[bytes], heartbeat: Callable[[], None]) -> Iterator[IO[bytes]]:
    """Write a body to a file: a client reads no answer while it still sends, so that all of it comes first."""
    with tempfile.TemporaryFile() as body:
        while piece := stream.read(1_000_000):
            body.write(piece)
            heartbeat()
        body.seek(0)
        yield body


def closing(sources: contextlib.ExitStack, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of an answer, and close its sources after the last or when the client is gone.

    Raises
    ------
    BrokenPipeError
        If the answer has to be broken off, for it has begun: servers close the connection then, and its client
        does not take it for complete.
    """
    with sources:
        try:
            yield from pieces
        except HTTPException as error:
            log.warning("The answer to a batch was broken off: %s", error.description)
            raise BrokenPipeError(errno.EPIPE, error.description) from None
