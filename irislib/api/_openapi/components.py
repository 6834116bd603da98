"""The parts of the OpenAPI document that all models share: errors, headers, the server's own addresses."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from irislib._common.messages.api import TEXTS
from irislib._common.page_states import NOT_READY, PAGE_STATES
from irislib._common.routes import ROUTES, Route
from irislib._modeling.table_files import KINDS
from irislib.api._problem_details import PROBLEM

__all__ = [
    "ERRORS",
    "PROBLEM",
    "SERVER",
    "WARNINGS",
    "Object",
    "array",
    "components",
    "content",
    "described_headers",
    "object_of",
    "operation",
    "ref",
    "response",
    "responses",
]

Object = dict[str, Any]
SERVER = "Server"  # the tag of what is not about one model; the name of a model has no capital
EVERYWHERE = (400, 403, 404, 405, 413, 414, 429, 431, 500, 503)
OF_BODIES = (408, 415, 422, 501)
STATUSES = (*EVERYWHERE, *OF_BODIES, 401, 409, 507)
MORE_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


def ref(kind: str, name: str) -> Object:
    """Make a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def array(items: Object, **more: Any) -> Object:
    """Make the schema of an array."""
    return {"type": "array", "items": items, **more}


def object_of(properties: Mapping[str, Any]) -> Object:
    """Make the schema of an object that has all of these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


WARNINGS = array(ref("schemas", "Warning"))
ERRORS = array(ref("schemas", "FieldError"))
INSIGHT = {"title": TEXTS["insight"]} | object_of({
    "title": {"type": "string"},
    "text": {"type": "string", "description": TEXTS["insight.text"]},
    "rows": array({"type": "object"}, description=TEXTS["insight.rows"]),
})  # fmt: skip


def content(schema: Object, mimetype: str = "application/json", examples: Object | None = None) -> Object:
    """Describe a body of a mimetype, with examples by their names."""
    return {mimetype: {"schema": schema} | ({"examples": examples} if examples else {})}


def response(description: str, body: Object, *headers: str) -> Object:
    """Describe a response with these headers and the one that all have."""
    return {
        "description": description,
        "headers": {name: ref("headers", name) for name in ("X-Request-ID", *headers)},
        "content": body,
    }


def responses(good: Object, secured: bool, *statuses: int) -> Object:
    """Describe the responses of an operation: the good one, and the possible errors."""
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
    statuses = (*OF_BODIES, *((507,) if route.is_batch else ())) if route.method == "POST" else ()
    result: Object = {"operationId": operation_id, "tags": [tag], "summary": summary}
    result["responses"] = responses(good, secured and not route.is_open, *statuses)
    if route.is_page and route.is_of_model and route.method == "GET":  # by the server that has pages
        both = content({"type": "string"}, "text/html") | content(ref("schemas", "Problem"), PROBLEM)
        result["responses"]["500"] = response(TEXTS["page.500"], both)
        result["responses"]["503"] = response(TEXTS["page.503"], both, "Retry-After")
    if secured and route.is_open:
        result["security"] = []
    return result


def components(secured: bool) -> Object:
    """Return the components to which the operations refer."""
    result: Object = {
        "schemas": _schemas(),
        "parameters": _parameters(),
        "headers": described_headers(secured),
        "responses": {
            _name(status): response(
                TEXTS[f"status.{status}"],
                content(ref("schemas", "Invalid" if status == 422 else "Problem"), PROBLEM),
                "X-Model-Version",
                *([MORE_HEADERS[status]] if status in MORE_HEADERS else []),
            )
            for status in STATUSES
            if secured or status not in (401, 409)
        },
        "examples": {},
    }
    if secured:
        scheme = {"type": "http", "scheme": "bearer", "description": TEXTS["token"]}
        result["securitySchemes"] = {"bearer": scheme}
    return result


def _schemas() -> Object:
    feature = {"type": ["string", "null"], "description": TEXTS["error.feature"]}
    problem = {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": TEXTS["problem.title"]},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": TEXTS["problem.detail"]},
        "reference": {"type": "string", "description": TEXTS["problem.reference"]},
    }
    error = {
        "feature": feature,
        "pointer": {"type": ["string", "null"], "description": TEXTS["error.pointer"]},
        "message": {"type": "string"},
        "value": {"description": TEXTS["error.value"]},
    }
    required = ["type", "title", "status", "detail"]
    return {
        "Problem": {"title": TEXTS["problem"], "type": "object", "properties": problem, "required": required},
        "Invalid": {
            "title": TEXTS["problem.values"],
            "allOf": [ref("schemas", "Problem")],
            "properties": {"errors": array(ref("schemas", "FieldError"), minItems=1)},
            "required": ["errors"],
        },
        "FieldError": {"title": TEXTS["error"]} | object_of(error),
        "Insight": INSIGHT,
        "Warning": {"title": TEXTS["warning"]} | object_of({"feature": feature, "message": {"type": "string"}}),
    }


def _parameters() -> Object:
    return {
        "details": {
            "name": "details",
            "in": "query",
            "description": TEXTS["predict.details"],
            "schema": {"type": "integer", "enum": [0, 1], "default": 0},
        },
        "X-Request-ID": {
            "name": "X-Request-ID",
            "in": "header",
            "description": TEXTS["request_id.sent"],
            "schema": {"type": "string"},
        },
    }


def described_headers(secured: bool) -> Object:
    """Return the headers that responses may have, by their names."""
    request_id = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"}
    text = {"type": "string"}
    result: Object = {
        "X-Request-ID": {"description": TEXTS["request_id"], "required": True, "schema": request_id},
        "X-Model-Version": {"description": TEXTS["version"], "schema": text},
        "Allow": {"description": TEXTS["allow"], "schema": text},
        "Retry-After": {"description": TEXTS["retry_after"], "schema": text},
    }
    if any(kind.is_readable for kind in KINDS):
        result["X-Sheet"] = {"description": TEXTS["sheet"], "schema": text}
    if secured:
        result["WWW-Authenticate"] = {"description": TEXTS["authenticate"], "schema": text}
        result["Location"] = {"description": TEXTS["refresh.location"], "schema": text}
    return result


def _store_state() -> Object:
    """Describe the state of a model that follows the store."""
    state = object_of({"reached": {"type": "boolean"}})
    state["properties"] |= {  # as far as they are known
        "number": {"type": "integer"},
        "looked_at": {"type": "string", "format": "date-time"},
        "refused": _refusal(),
    }
    return state


def _refusal() -> Object:
    number, text = {"type": "integer"}, {"type": "string"}
    return object_of({"version": text, "number": number, "reason": text})


def _candidate_state() -> Object:
    """Describe a version that is tried beside the current one, and one that cannot be."""
    properties = {
        "version": {"type": "string"},
        "mode": {"enum": ["shadow", "share"]},
        "share": {"type": "number"},
        "refused": _refusal(),
    }
    return {"type": "object", "properties": properties, "description": TEXTS["readyz.candidate"]}


def server_paths(secured: bool) -> Object:
    """Describe the routes that are not about one model."""
    model = object_of({"version": {"type": "string"}, "trained_at": {"type": "string", "format": "date-time"}})
    model["properties"]["store"] = {**_store_state(), "description": TEXTS["readyz.store"]}  # where it is followed
    model["properties"]["candidate"] = _candidate_state()  # where there is one
    schemas = {
        "openapi": {"type": "object"},
        "healthz": object_of({"status": {"const": "ok"}}),
        "readyz": object_of({
            "status": {"enum": ["ready", *NOT_READY]},
            "models": {"type": "object", "additionalProperties": model}
        }),
    }  # fmt: skip
    schemas["readyz"]["properties"]["pages"] = {  # where there are pages
        "type": "object",
        "additionalProperties": {"enum": [*PAGE_STATES]},
        "description": TEXTS["readyz.pages"],
    }
    paths: Object = {}
    for route in ROUTES:
        if route.is_of_model or route.path == "/":
            continue
        item = paths.setdefault(route.path, {"parameters": [ref("parameters", "X-Request-ID")]})
        described = item[route.method.lower()] = operation(route, route.name, SERVER, secured, schemas.get(route.name))
        if route.name == "readyz":
            both = content(schemas["readyz"]) | content(ref("schemas", "Problem"), PROBLEM)
            described["responses"]["503"] = response(TEXTS["readyz.503"], both)
    return paths
