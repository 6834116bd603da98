"""What a program reads: answers as JSON, and where something is wrong problem+json, as RFC 9457 has it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response

from irislib._common.formatting import short_repr
from irislib._modeling.prediction import Prediction
from irislib.errors import Problem, ValidationError

__all__ = [
    "MISSING_TOKEN",
    "PROBLEM",
    "details",
    "errors_json",
    "problem",
    "refuse",
    "reply",
    "too_large",
    "warnings_json",
]

PROBLEM = "application/problem+json"
MISSING_TOKEN = "Send the token: Authorization: Bearer <the token>."  # noqa: S105


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The body of an error, in the shape of RFC 9457."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}


def errors_json(problems: Sequence[Problem], columns: bool = False) -> list[dict[str, Any]]:
    """One entry for each bad value: its feature, where it is in the body, what is wrong with it.

    Parameters
    ----------
    problems : sequence of Problem
    columns : bool
        Whether the body holds a list for each feature, instead of an object for each row.
    """
    return [
        {
            "feature": found.feature,
            "pointer": _pointer(found, columns),
            "message": found.message,
            "value": _echo(found.value),
        }
        for found in problems
    ]


def _pointer(found: Problem, columns: bool) -> str:
    """The place of a value in the body, as RFC 6901 has it."""
    parts = [None if found.row is None else str(found.row), found.feature]
    steps = [part.replace("~", "~0").replace("/", "~1") for part in parts if part is not None]
    return "#/" + "/".join(reversed(steps) if columns else steps)


def reply(body: Any, status: int = 200) -> Response:
    """JSON, or problem+json for an error."""
    kind = "application/json" if status < 400 else PROBLEM
    return Response(json.dumps(body, allow_nan=False) + "\n", status, mimetype=kind)


def details(answer: Prediction) -> dict[str, Any]:
    """An answer with all that belongs to it."""
    return {
        "prediction": answer.prediction,
        "unit": answer.unit,
        "probabilities": {str(name): p for name, p in (answer.probabilities or {}).items()} or None,
        "warnings": warnings_json(answer.warnings),
        "version": answer.version,
    }


def warnings_json(warnings: Sequence[Problem]) -> list[dict[str, Any]]:
    """What should make the reader doubt an answer."""
    return [{"feature": each.feature, "message": each.message} for each in warnings]


def too_large(limit: int, many: str = "") -> dict[str, Any]:
    """The problem of a body that is too large, and what could be done about it.

    Parameters
    ----------
    limit : int
        In bytes.
    many : str
        What to do where many rows were sent; one row where empty.
    """
    advice = many or "Send many rows to the model's /batch."
    return problem(413, f"The body is larger than {limit:,} bytes. {advice}")


def refuse(error: ValidationError) -> Response:
    """Name every bad field."""
    detail = " ".join(found.message for found in error.problems[:5])
    return reply(problem(422, detail, errors=errors_json(error.problems)), 422)


def _echo(value: Any) -> Any:
    """A bad value as JSON can hold it, and not longer than a caller needs to recognise it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= 100):
        return value
    return short_repr(value)
