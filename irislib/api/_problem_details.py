"""Responses for programs: JSON, and for errors problem+json after RFC 9457."""

from __future__ import annotations

import errno
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Response

from irislib._common.formatting import short_repr
from irislib._common.routes import OPERATOR_SCOPE
from irislib._description.validation import names_of
from irislib._modeling.prediction import Prediction
from irislib.errors import Problem, ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = [
    "FULL",
    "HUB_SILENT",
    "MISSING_TOKEN",
    "NOT_AN_OPERATOR",
    "PROBLEM",
    "TOKEN_WITHOUT_ACCESS",
    "BodyError",
    "QueryError",
    "details",
    "errors_by_key",
    "errors_json",
    "keys_of",
    "not_found",
    "problem",
    "refuse",
    "reply",
    "too_large",
    "warnings_json",
]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the errors of a disk, or a folder, without room
PROBLEM = "application/problem+json"
IN_FRAGMENTS = "!$&'()*+,;=:@?"  # characters of a URI's fragment besides those that quote leaves anyway (RFC 3986)
MISSING_TOKEN = "Send the token: Authorization: Bearer <the token>."  # noqa: S105
TOKEN_WITHOUT_ACCESS = "Whose token this is may not use these apps: in JupyterHub they lack the scope of this service."  # noqa: S105
NOT_AN_OPERATOR = f"This changes what is served: in JupyterHub it needs the scope {OPERATOR_SCOPE}."
HUB_SILENT = "JupyterHub cannot be asked whose token this is. Try again."


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """Make the body of an error, in the shape of RFC 9457."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}


class BodyError(ValidationError):
    """Wrong values in a body.

    Attributes
    ----------
    keys : mapping of str to str
        As :func:`keys_of` returns them.
    """

    def __init__(self, problems: Sequence[Problem], keys: Mapping[str, str]):
        super().__init__(problems)
        self.keys = keys


class QueryError(ValidationError):
    """Wrong values in the query of an address, which have no position in a body."""


@contextmanager
def errors_by_key(features: Sequence[Feature], body: Mapping[str, Any]) -> Iterator[None]:
    """Make a :class:`BodyError` of a ValidationError."""
    try:
        yield
    except ValidationError as error:
        raise BodyError(error.problems, keys_of(features, body)) from error


def keys_of(features: Sequence[Feature], body: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys that an object has for features, by their names, where they are not these names."""
    return {name: key for key, name in names_of(features, body).items() if key != name}


def errors_json(
    problems: Sequence[Problem], columns: bool = False, keys: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Convert the problems of a body to JSON: feature, position in the body, message, and value of each.

    Parameters
    ----------
    problems : sequence of Problem
    columns : bool
        True if the body holds a list for each feature, instead of an object for each row.
    keys : mapping of str to str
        Of the row or the body, as :func:`keys_of` returns them.
    """
    return [
        {
            "feature": problem.feature,
            "pointer": _pointer(problem, columns, keys),
            "message": problem.message,
            "value": _echo(problem.value),
        }
        for problem in problems
    ]


def _pointer(problem: Problem, columns: bool, keys: Mapping[str, str]) -> str:
    """Return the position of a value in the body, as RFC 6901 has it in the fragment of a URI."""
    key = None if problem.feature is None else keys.get(problem.feature, problem.feature)
    parts = [None if problem.row is None else str(problem.row), key]
    steps = [part.replace("~", "~0").replace("/", "~1") for part in parts if part is not None]
    # JSON may have half a character
    quoted = [f"/{quote(step, safe=IN_FRAGMENTS, errors='surrogatepass')}" for step in steps]
    return "#" + "".join(reversed(quoted) if columns else quoted)


def reply(body: Any, status: int = 200) -> Response:
    """Make a response of JSON, or of problem+json for an error."""
    mimetype = "application/json" if status < 400 else PROBLEM
    return Response(json.dumps(body, allow_nan=False) + "\n", status, mimetype=mimetype)


def details(prediction: Prediction) -> dict[str, Any]:
    """Convert a prediction to JSON, with its probabilities and warnings, and its threshold if there is one."""
    threshold = prediction.threshold
    return {
        "prediction": prediction.prediction,
        "unit": prediction.unit,
        "probabilities": {str(name): p for name, p in (prediction.probabilities or {}).items()} or None,
        "warnings": warnings_json(prediction.warnings),
        "version": prediction.version,
        **({"threshold": {"class": threshold.label, "probability": threshold.probability}} if threshold else {}),
    }


def warnings_json(warnings: Sequence[Problem]) -> list[dict[str, Any]]:
    """Convert warnings to JSON."""
    return [{"feature": warning.feature, "message": warning.message} for warning in warnings]


def too_large(limit: int, batch_advice: str = "") -> dict[str, Any]:
    """Make the problem of a body that is too large, with advice.

    Parameters
    ----------
    limit : int
        In bytes.
    batch_advice : str
        For a batch; if empty, the body was to be a single row.
    """
    advice = batch_advice or "Send many rows to the model's /batch."
    return problem(413, f"The body is larger than {limit:,} bytes. {advice}")


def refuse(error: ValidationError) -> Response:
    """Make the response to wrong values, which names each of them."""
    detail = " ".join(problem.message for problem in error.problems[:5])
    keys = error.keys if isinstance(error, BodyError) else {}
    errors = errors_json(error.problems, keys=keys)
    if isinstance(error, QueryError):
        errors = [{**entry, "pointer": None} for entry in errors]
    return reply(problem(422, detail, errors=errors), 422)


def not_found(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer any request by 404, as WSGI has it."""
    response = reply(problem(404, "There is nothing at this address."), 404)
    response.headers["X-Request-ID"] = environ["HTTP_X_REQUEST_ID"]
    return response(environ, start_response)


def _echo(value: Any) -> Any:
    """Convert a bad value to JSON, cut to what a caller needs to recognise it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 100):
        return value
    return short_repr(value)
