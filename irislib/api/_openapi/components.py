"""What the OpenAPI document says whatever the models are: errors, headers, the server's own addresses."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from irislib._common.routes import ROUTES, Route
from irislib.api._problem_details import PROBLEM

__all__ = [
    "ERRORS",
    "PROBLEM",
    "SERVER",
    "STATUSES",
    "WARNINGS",
    "array",
    "components",
    "content",
    "object_of",
    "operation",
    "ref",
    "response",
    "responses",
]

Object = dict[str, Any]
SERVER = "Server"  # the tag of what is not about one model; the name of a model has no capital
EVERYWHERE = (404, 405, 429, 500, 503)
STATUSES = {
    400: "The body is no JSON, or no JSON object (for a batch: neither an array nor an object).",
    401: "The token is missing or wrong.",
    404: "There is no model of this name, or no such insight of it; `detail` says why.",
    405: "This address does not take this method.",
    413: "The body is larger than this address takes.",
    415: "The body has a type that this address does not take.",
    422: "The values cannot be used; `errors` names each that is wrong.",
    429: "More requests than this server allows, where its operator has set a limit.",
    500: "Something went wrong on the server; its log has more under the `reference`.",
    503: "The server cannot answer at the moment.",
}
MORE_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}


def ref(kind: str, name: str) -> Object:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def array(items: Object, **more: Any) -> Object:
    """The schema of an array."""
    return {"type": "array", "items": items, **more}


def object_of(properties: Mapping[str, Any]) -> Object:
    """The schema of an object that has all of these and nothing else."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


WARNINGS = array(ref("schemas", "Warning"))
ERRORS = array(ref("schemas", "FieldError"))
INSIGHT = {"title": "An insight"} | object_of({
    "title": {"type": "string"},
    "text": {"type": "string", "description": "What the numbers say, in a sentence."},
    "rows": array({"type": "object"}, description="The numbers; what there is none of is null."),
})  # fmt: skip


def content(schema: Object, mimetype: str = "application/json", examples: Object | None = None) -> Object:
    """What a body of a mimetype is, with examples by their names."""
    return {mimetype: {"schema": schema} | ({"examples": examples} if examples else {})}


def response(description: str, body: Object, *headers: str) -> Object:
    """A response that has these headers and the one that all have."""
    return {
        "description": description,
        "headers": {name: ref("headers", name) for name in ("X-Request-ID", *headers)},
        "content": body,
    }


def responses(good: Object, secured: bool, *statuses: int) -> Object:
    """The responses of an operation: the good one, and the errors that are possible there."""
    bad = sorted({*EVERYWHERE, *statuses, *((401,) if secured else ())})
    return {"200": good} | {str(status): ref("responses", _name(status)) for status in bad}


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")


def operation(
    route: Route, operation_id: str, tag: str, secured: bool, schema: Object | None = None, title: str = ""
) -> Object:
    """Describe a route: its summary, its response, and the errors that are possible there."""
    summary = route.summary.format(title=title)
    default: Object = {"type": "string"} if route.mimetype.startswith("text/") else {}
    headers = ("X-Model-Version",) if route.is_of_model else ()
    good = response(f"{summary}.", content(schema or default, route.mimetype), *headers)
    statuses = (400, 413, 415, 422) if route.method == "POST" else ()
    found: Object = {"operationId": operation_id, "tags": [tag], "summary": summary}
    found["responses"] = responses(good, secured and not route.is_open, *statuses)
    if secured and route.is_open:
        found["security"] = []
    return found


def components(secured: bool) -> Object:
    """What the operations refer to."""
    found: Object = {
        "schemas": _schemas(),
        "parameters": _parameters(),
        "headers": _headers(secured),
        "responses": {
            _name(status): response(
                description,
                content(ref("schemas", "Invalid" if status == 422 else "Problem"), PROBLEM),
                "X-Model-Version",
                *([MORE_HEADERS[status]] if status in MORE_HEADERS else []),
            )
            for status, description in STATUSES.items()
            if secured or status != 401
        },
        "examples": {},
    }
    if secured:
        words = "The token that the operator of the server has set."
        found["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "description": words}}
    return found


def _schemas() -> Object:
    feature = {"type": ["string", "null"], "description": "Its name; null where it concerns the row or the whole."}
    problem = {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, for people."},
        "reference": {"type": "string", "description": "Tell it to the operator of the server, whose log has it."},
    }
    error = {
        "feature": feature,
        "pointer": {"type": "string", "description": "Where the value is in the body (RFC 6901)."},
        "message": {"type": "string"},
        "value": {"description": "What was received."},
    }
    required = ["type", "title", "status", "detail"]
    return {
        "Problem": {"title": "Problem (RFC 9457)", "type": "object", "properties": problem, "required": required},
        "Invalid": {
            "title": "Problem with values",
            "allOf": [ref("schemas", "Problem")],
            "properties": {"errors": array(ref("schemas", "FieldError"), minItems=1)},
            "required": ["errors"],
        },
        "FieldError": {"title": "What is wrong with a value"} | object_of(error),
        "Insight": INSIGHT,
        "Warning": {"title": "What should make you doubt an answer"}
        | object_of({"feature": feature, "message": {"type": "string"}}),
    }


def _parameters() -> Object:
    details = "1 for an answer with its probabilities and warnings, 0 for the prediction alone."
    mark = (
        "A mark for this request, repeated in the answer and in the server's log. Up to 100 letters, digits "
        "and `._:-`; the server makes one of its own where there is none or it is something else."
    )
    return {
        "details": {
            "name": "details",
            "in": "query",
            "description": details,
            "schema": {"type": "integer", "enum": [0, 1], "default": 0},
        },
        "X-Request-ID": {"name": "X-Request-ID", "in": "header", "description": mark, "schema": {"type": "string"}},
    }


def _headers(secured: bool) -> Object:
    mark = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"}
    text = {"type": "string"}
    version = "Which version of the model answered; only at the addresses of a model."
    found: Object = {
        "X-Request-ID": {"description": "The mark of this request.", "required": True, "schema": mark},
        "X-Model-Version": {"description": version, "schema": text},
        "Allow": {"description": "The methods that this address takes.", "schema": text},
        "Retry-After": {"description": "Seconds to wait.", "schema": text},
    }
    if secured:
        found["WWW-Authenticate"] = {"description": "How to send the token.", "schema": text}
    return found


def server_paths(secured: bool) -> Object:
    """Describe the routes that are not about one model."""
    model = object_of({"version": {"type": "string"}, "trained_at": {"type": "string", "format": "date-time"}})
    schemas = {
        "openapi": {"type": "object"},
        "healthz": object_of({"status": {"const": "ok"}}),
        "readyz": object_of({
            "status": {"const": "ready"}, "models": {"type": "object", "additionalProperties": model}
        }),
    }  # fmt: skip
    paths: Object = {}
    for route in ROUTES:
        if route.is_of_model or route.path == "/":
            continue
        item = paths.setdefault(route.path, {"parameters": [ref("parameters", "X-Request-ID")]})
        item[route.method.lower()] = operation(route, route.name, SERVER, secured, schemas.get(route.name))
    return paths
