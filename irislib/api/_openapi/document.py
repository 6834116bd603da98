"""The OpenAPI document: every address of the endpoint with its requests and responses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import irislib
from irislib._common.formatting import within_sentence
from irislib._common.messages.api import TEXTS
from irislib._common.routes import ROUTES
from irislib._modeling import csv_layout, csv_results, many_rows
from irislib._modeling.table_files import KINDS
from irislib._prediction_log.reports import MAX_NOTE, REQUEST_ID_PATTERN
from irislib.api import _insights
from irislib.api._config import ROW_BYTES, Options
from irislib.api._openapi import components, refreshes
from irislib.api._openapi.components import Object, ref, response, responses
from irislib.api._openapi.examples import examples_of
from irislib.api._openapi.schema import schema
from irislib.api._request_bodies import FORM, JSON

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["document", "schema"]


def document(
    models: Sequence[Model],
    root: str = "",
    options: Options | None = None,
) -> Object:
    """Describe the endpoint in OpenAPI 3.1.

    Parameters
    ----------
    models : sequence of Model
    root : str
        The address of the server, to which the paths are relative.
    options : Options, optional
        The token and the limits that the document describes; the defaults if left out.
    """
    options = options or Options()
    secured = options.is_secured
    result: Object = {
        "openapi": "3.1.0",
        "info": {
            "title": ", ".join(model.spec.title for model in models) or "irislib",
            "version": irislib.__version__,
            "description": TEXTS["introduction"],
        },
        "servers": [{"url": root or "/"}],
        "tags": [
            *({"name": model.spec.name, "description": _model_description(model)} for model in models),
            {"name": components.SERVER, "description": TEXTS["server"]},
        ],
        "paths": {},
        "components": components.components(secured),
    }
    if secured:
        result["security"] = [{"bearer": []}]
        result["components"]["schemas"] |= refreshes.schemas()
    for model in models:
        result["components"]["schemas"] |= _request_schemas(model) | _response_schemas(model)
        result["components"]["examples"] |= _examples(model)
        result["paths"] |= _paths(model, options)
    result["paths"] |= components.server_paths(secured)
    return result


def _model_description(model: Model) -> str:
    spec = model.spec
    key = "model.unit" if spec.target_unit else "model"
    sentence = TEXTS[key].format(title=spec.title, target=within_sentence(spec.target_label), unit=spec.target_unit)
    return f"{sentence} {TEXTS['model.source'].format(source=spec.source)}" if spec.source else sentence


def _request_schemas(model: Model) -> Object:
    """Return the schemas of the bodies of requests."""
    spec, prefix = model.spec, f"{model.spec.name}."
    # titles and names that generators of clients make their own of must be unique, and they follow no deep references
    row = schema(spec)
    form, parts = (
        schema(spec, nullable=False) | {"title": title.format(title=spec.title), "description": TEXTS["form"]}
        for title in (TEXTS["form.title"], TEXTS["multipart.title"])
    )
    for body in (row, form, parts):
        del body["$schema"]
    columns = {
        "description": TEXTS["columns"],
        "type": "object",
        "properties": {
            name: components.array(_lenient(value), minItems=1) for name, value in row["properties"].items()
        },
        "required": row["required"],
        "minProperties": 1,
        "additionalProperties": False,
    }
    records = components.array(_lenient(ref("schemas", f"{prefix}row")), minItems=1)
    bodies = {"row": row, "form": form, "multipart": parts, "records": records, "columns": columns}
    return {f"{prefix}{name}": body for name, body in bodies.items()}


def _response_schemas(model: Model) -> Object:
    """Return the schemas of the bodies of responses."""
    spec, prefix = model.spec, f"{model.spec.name}."
    prediction: Object = {"title": spec.target}
    if model.classes is None:
        prediction |= {"type": "number"} | ({"x-unit": spec.target_unit} if spec.target_unit else {})
    else:
        prediction["enum"] = model.classes
    answer = {"prediction": ref("schemas", f"{prefix}prediction"), "unit": {"const": spec.target_unit}}
    answer |= {"probabilities": _probabilities(model, {"type": "number"}), "warnings": components.WARNINGS}
    answer["version"] = {"type": "string"}
    if model.threshold:
        answer["threshold"] = components.object_of({"class": answer["prediction"], "probability": {"type": "number"}})
    entry = {
        "prediction": _nullable(answer["prediction"]),
        "probabilities": _nullable(answer["probabilities"]),
        "warnings": components.WARNINGS,
        "errors": components.ERRORS,
    }
    columns = {name: components.array(values) for name, values in entry.items()}
    columns["probabilities"] = _probabilities(model, components.array(_nullable({"type": "number"})))
    return {
        f"{prefix}prediction": prediction,
        f"{prefix}answer": components.object_of(answer),
        f"{prefix}answers": components.array(components.object_of(entry), minItems=1),
        f"{prefix}answer-columns": components.object_of(columns),
    }


def _nullable(schema: Object) -> Object:
    return schema if schema == {"type": "null"} else {"anyOf": [schema, {"type": "null"}]}


def _lenient(schema: Object) -> Object:
    """Return a schema that takes any value, for one bad row is no reason to refuse a batch."""
    return {"anyOf": [schema, {"description": TEXTS["anything"]}]}


def _probabilities(model: Model, values: Object) -> Object:
    if not (names := many_rows.probability_names(model)):
        return {"type": "null"}
    return {"title": TEXTS["probabilities"]} | components.object_of(dict.fromkeys(names, values))


def _examples(model: Model) -> Object:
    """Return the rows to try, to which several operations refer."""
    examples = examples_of(model)
    rows = examples.rows if examples else {}
    return {
        f"{model.spec.name}.example-{i}": {"summary": name, "value": row}
        for i, (name, row) in enumerate(rows.items(), 1)
    }


def _paths(model: Model, options: Options) -> Object:
    spec, secured = model.spec, options.is_secured
    facts = {
        "title": spec.title,
        "target": spec.target,
        "target_label": spec.target_label,
        "unit": spec.target_unit,
        "classes": model.classes,
        "source": spec.source,
        "version": model.version,
        "trained_at": model.trained_at,
        "fitted_elsewhere": model.is_fitted_elsewhere,
    }
    name, slug = spec.name, spec.name.replace("-", "_")
    predict = _predict(model, secured)
    details = {"predict": predict, "batch": _batch(model, options), "feedback": _feedback(model, secured)}
    details |= refreshes.operations(model, options)
    schemas = {"schema": {"type": "object"}, "insights": _insights.LIST}
    paths: Object = defaultdict(lambda: {"parameters": [ref("parameters", "X-Request-ID")]})
    for route in ROUTES:
        if not route.is_of_model or "<insight>" in route.path or (route.needs_log and not options.log.folder):
            continue
        if route.is_for_people or (route.needs_token and not secured):
            continue
        operation_id, schema = f"{route.name}_{slug}", schemas.get(route.name)
        operation = components.operation(route, operation_id, name, secured, schema, spec.title)
        path = route.path.replace("<name>", name).replace("<run>", "{run}")
        paths[path][route.method.lower()] = operation | details.get(route.name, {})
    paths[f"/{name}"] |= {"summary": spec.title, "description": _model_description(model), "x-model": facts}
    for path, item in _insights.paths(model, secured, predict["requestBody"]).items():
        paths[path] |= item
    return dict(paths)


def _predict(model: Model, secured: bool) -> Object:
    name = model.spec.name
    row, form, parts = (ref("schemas", f"{name}.{kind}") for kind in ("row", "form", "multipart"))
    examples = examples_of(model)
    requests = {key.partition(".")[2]: ref("examples", key) for key in _examples(model)}
    answers: Object = {}
    if examples:
        rows = zip(requests, examples.rows, examples.predictions, examples.details, strict=True)
        for key, title, prediction, details in rows:
            answers |= {key: {"summary": title, "value": prediction}}
            summary = TEXTS["example.details"].format(title=title)
            answers |= {f"{key}-details": {"summary": summary, "value": details}}
    answer = {"oneOf": [ref("schemas", f"{name}.prediction"), ref("schemas", f"{name}.answer")]}
    body = components.content(answer, examples=answers)
    good = response(TEXTS["predict.response"], body, "X-Model-Version")
    return {
        "tags": [name],
        "summary": TEXTS["predict"].format(target=within_sentence(model.spec.target_label)),
        "parameters": [ref("parameters", "details")],
        "requestBody": {
            "description": TEXTS["predict.body"].format(limit=ROW_BYTES),
            "required": True,
            "content": components.content(row, examples=requests)
            | components.content(form, FORM, requests)
            | components.content(parts, "multipart/form-data", requests),
        },
        "responses": responses(good, secured, *components.OF_BODIES) | _invalid(model),
    }


def _invalid(model: Model) -> Object:
    """Return the response to a wrong row, with an example of the model's own."""
    examples = examples_of(model)
    if examples is None:
        return {}
    slip = {"a-slip": {"summary": TEXTS["example.wrong"], "value": examples.invalid}}
    body = components.content(ref("schemas", "Invalid"), components.PROBLEM, slip)
    return {"422": response(TEXTS["status.422"], body, "X-Model-Version")}


def _batch(model: Model, options: Options) -> Object:
    spec, examples = model.spec, examples_of(model)
    requests: Object = {JSON: {}, "text/csv": {}}
    answers: Object = {JSON: {}, "text/csv": {}}
    if examples:
        for form in ("records", "columns", "csv"):
            mimetype = "text/csv" if form == "csv" else JSON
            for side, value in zip((requests, answers), getattr(examples, form), strict=True):
                side[mimetype][form] = {"summary": TEXTS[f"example.{form}"], "value": value}

    def body(kinds: Sequence[str], bodies: Object) -> Object:
        forms = {"oneOf": [ref("schemas", f"{spec.name}.{kind}") for kind in kinds]}
        csv = components.content({"type": "string"}, "text/csv", bodies["text/csv"])
        return components.content(forms, examples=bodies[JSON]) | csv

    kinds = [kind for kind in KINDS if kind.is_readable]
    files: Object = {}
    for kind in kinds:
        files |= components.content({"type": "string", "format": "binary"}, kind.mimetypes[0])
    listed = ", ".join(f"{kind.title} as `{kind.mimetypes[0]}`" for kind in kinds)

    csv_columns = ", ".join(f"`{column}`" for column in _csv_columns(model))
    good = response(
        TEXTS["batch.response"].format(columns=csv_columns),
        body(["answers", "answer-columns"], answers),
        "X-Model-Version",
        *(["X-Sheet"] if kinds else []),
    )
    return {
        "tags": [spec.name],
        "summary": TEXTS["batch"].format(target=within_sentence(spec.target_label)),
        "description": TEXTS["batch.body"].format(
            json_limit=options.json_batch_bytes,
            csv_limit=options.batch_bytes,
            rows=options.batch_rows,
            problem_rows=options.batch_problem_rows,
            tables=TEXTS["batch.tables"].format(kinds=listed) if kinds else "",
        ),
        "requestBody": {"required": True, "content": body(["records", "columns"], requests) | files},
        "responses": responses(good, options.is_secured, *components.OF_BODIES, 507),
    }


def _feedback(model: Model, secured: bool) -> Object:
    text, request_id = {"type": "string"}, {"type": "string", "pattern": f"^{REQUEST_ID_PATTERN.pattern}$"}
    properties = {
        "request_id": request_id | {"description": TEXTS["feedback.request_id"]},
        "right_answer": ref("schemas", f"{model.spec.name}.prediction"),
        "row": {"type": ["integer", "null"], "minimum": 0, "description": TEXTS["feedback.row.about"]},
        "note": text | {"maxLength": MAX_NOTE, "description": TEXTS["feedback.note.about"]},
    }
    body = components.object_of(properties) | {"required": ["request_id", "right_answer"]}
    stored = components.object_of({"time": {**text, "format": "date-time"}, "model": text, **properties})
    good = response(TEXTS["feedback.response"], components.content(stored), "X-Model-Version")
    expected = TEXTS["feedback.expected.number" if model.classes is None else "feedback.expected.class"]
    return {
        "summary": TEXTS["feedback"],
        "description": TEXTS["feedback.about"],
        "requestBody": {
            "description": TEXTS["feedback.body"].format(expected=expected),
            "required": True,
            "content": components.content(body) | components.content(body, FORM),
        },
        "responses": responses(good, secured, *components.OF_BODIES, 507),
    }


def _csv_columns(model: Model) -> list[str]:
    return csv_results.result_columns(
        model, csv_layout.CsvLayout(header=[], columns={}, first_line=2, delimiter=",", bom=b"")
    )
