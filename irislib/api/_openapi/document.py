"""The OpenAPI document: every address of the endpoint, what can be sent there and what comes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import irislib
from irislib._common.routes import ROUTES
from irislib._modeling import csv_files, many_rows
from irislib.api import _insights
from irislib.api._config import ROW_BYTES, Options
from irislib.api._openapi import components
from irislib.api._openapi.components import ref, response, responses
from irislib.api._openapi.examples import examples
from irislib.api._openapi.schema import schema

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["document", "schema"]

Object = dict[str, Any]
INTRODUCTION = """\
One address for each model: send a row, get its answer.

Every answer has a header `X-Request-ID`, and those of a model `X-Model-Version`. Every error is a
problem in the shape of RFC 9457. Wherever `GET` works, `HEAD` does."""
BATCH = """\
Three forms, each answered in its own: an array of rows; an object with an array for each feature; CSV
whose first line names the columns. At least one row, and at most {json_bytes:,} bytes of JSON or {csv_bytes:,} bytes
of CSV.

A row that is wrong keeps no other from being answered: it has no prediction, and its errors are told at its place.
In CSV they are in the column `problems`. Columns of a CSV file that are no features are kept."""
FORM = "As a form sends it. A value that is not required can be left out or empty."


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
        The token and the limits that the document describes; the defaults where left out.
    """
    options = options or Options()
    secured = options.is_secured
    found: Object = {
        "openapi": "3.1.0",
        "info": {
            "title": ", ".join(model.spec.title for model in models),
            "version": irislib.__version__,
            "description": INTRODUCTION,
        },
        "servers": [{"url": root or "/"}],
        "tags": [
            *({"name": model.spec.name, "description": _about(model)} for model in models),
            {"name": components.SERVER, "description": "What is not about one model."},
        ],
        "paths": {},
        "components": components.components(secured),
    }
    if secured:
        found["security"] = [{"bearer": []}]
    for model in models:
        found["components"]["schemas"] |= _asked(model) | _answered(model)
        found["components"]["examples"] |= _examples(model)
        found["paths"] |= _paths(model, options)
    found["paths"] |= components.server_paths(secured)
    return found


def _about(model: Model) -> str:
    spec = model.spec
    source = f" Source of the data: {spec.source}." if spec.source else ""
    return f"{spec.title} predicts {spec.target}{f' in {spec.target_unit}' if spec.target_unit else ''}.{source}"


def _asked(model: Model) -> Object:
    """The schemas of what is sent to a model."""
    spec, prefix = model.spec, f"{model.spec.name}."
    row, form = schema(spec), schema(spec, nullable=False) | {"description": FORM}
    for each in (row, form):
        del each["$schema"]
    columns = {
        "description": "An array for each feature; all of the same length.",
        "type": "object",
        "properties": {
            name: components.array(_lenient(ref("schemas", f"{prefix}row/properties/{name}")), minItems=1)
            for name in spec.feature_names
        },
        "required": row["required"],
        "minProperties": 1,
        "additionalProperties": False,
    }
    records = components.array(_lenient(ref("schemas", f"{prefix}row")), minItems=1)
    return {f"{prefix}row": row, f"{prefix}form": form, f"{prefix}records": records, f"{prefix}columns": columns}


def _answered(model: Model) -> Object:
    """The schemas of what a model answers."""
    spec, prefix = model.spec, f"{model.spec.name}."
    prediction: Object = {"title": spec.target}
    if model.classes is None:
        prediction |= {"type": "number"} | ({"x-unit": spec.target_unit} if spec.target_unit else {})
    else:
        prediction["enum"] = model.classes
    answer = {"prediction": ref("schemas", f"{prefix}prediction"), "unit": {"const": spec.target_unit}}
    answer |= {"probabilities": _probabilities(model, {"type": "number"}), "warnings": components.WARNINGS}
    answer["version"] = {"type": "string"}
    entry = {
        "prediction": _nullable(answer["prediction"]),
        "probabilities": _nullable(answer["probabilities"]),
        "warnings": components.WARNINGS,
        "errors": components.ERRORS,
    }
    columns = {name: components.array(each) for name, each in entry.items()}
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
    """What is expected, or anything: one bad row is told of in its answer and no reason to refuse a batch."""
    return {"anyOf": [schema, {"description": "Anything else is answered by errors at its place."}]}


def _probabilities(model: Model, each: Object) -> Object:
    if not (names := many_rows.probability_names(model)):
        return {"type": "null"}
    return {"title": "The probability of each class, from 0 to 1"} | components.object_of(dict.fromkeys(names, each))


def _examples(model: Model) -> Object:
    """The rows to try, which several operations refer to."""
    found = examples(model)
    rows = found.rows if found else {}
    return {
        f"{model.spec.name}.example-{i}": {"summary": name, "value": row}
        for i, (name, row) in enumerate(rows.items(), 1)
    }


def _paths(model: Model, options: Options) -> Object:
    spec, secured = model.spec, options.is_secured
    facts = {
        "title": spec.title,
        "target": spec.target,
        "unit": spec.target_unit,
        "classes": model.classes,
        "source": spec.source,
        "version": model.version,
        "trained_at": model.trained_at,
    }
    name, slug = spec.name, spec.name.replace("-", "_")
    predict = _predict(model, secured)
    details = {"predict": predict, "batch": _batch(model, options)}
    schemas = {"schema": {"type": "object"}, "insights": _insights.LIST}
    paths: Object = defaultdict(lambda: {"parameters": [ref("parameters", "X-Request-ID")]})
    for route in ROUTES:
        if not route.is_of_model or "<insight>" in route.path:
            continue
        operation_id, schema = f"{route.name}_{slug}", schemas.get(route.name)
        operation = components.operation(route, operation_id, name, secured, schema, spec.title)
        paths[route.path.replace("<name>", name)][route.method.lower()] = operation | details.get(route.name, {})
    paths[f"/{name}"] |= {"summary": spec.title, "description": _about(model), "x-model": facts}
    for path, item in _insights.paths(model, secured, predict["requestBody"]).items():
        paths[path] |= item
    return dict(paths)


def _predict(model: Model, secured: bool) -> Object:
    name = model.spec.name
    row, form = (ref("schemas", f"{name}.{kind}") for kind in ("row", "form"))
    found = examples(model)
    asked = {key.partition(".")[2]: ref("examples", key) for key in _examples(model)}
    answers: Object = {}
    if found:
        for key, title, short, full in zip(asked, found.rows, found.predictions, found.details, strict=True):
            answers |= {key: {"summary": title, "value": short}}
            answers |= {f"{key}-details": {"summary": f"{title}, with details=1", "value": full}}
    answer = {"oneOf": [ref("schemas", f"{name}.prediction"), ref("schemas", f"{name}.answer")]}
    good = response(
        "The prediction; with `details=1` an object.", components.content(answer, examples=answers), "X-Model-Version"
    )
    return {
        "tags": [name],
        "summary": f"Predict {model.spec.target} for one row",
        "parameters": [ref("parameters", "details")],
        "requestBody": {
            "description": f"The values by the names of the features. At most {ROW_BYTES:,} bytes.",
            "required": True,
            "content": components.content(row, examples=asked)
            | components.content(form, "application/x-www-form-urlencoded", asked)
            | components.content(form, "multipart/form-data", asked),
        },
        "responses": responses(good, secured, 400, 413, 415, 422) | _invalid(model),
    }


def _invalid(model: Model) -> Object:
    """The response to a row that is wrong, with an example of its own."""
    found = examples(model)
    if found is None:
        return {}
    slip = {"a-slip": {"summary": "A name that is not quite right", "value": found.invalid}}
    body = components.content(ref("schemas", "Invalid"), components.PROBLEM, slip)
    return {"422": response(components.STATUSES[422], body, "X-Model-Version")}


def _batch(model: Model, options: Options) -> Object:
    spec, found = model.spec, examples(model)
    asked: Object = {"application/json": {}, "text/csv": {}}
    answers: Object = {"application/json": {}, "text/csv": {}}
    if found:
        told = (("records", "Rows, of which one is wrong"), ("columns", "An array for each feature"), ("csv", "CSV"))
        for form, summary in told:
            mimetype = "text/csv" if form == "csv" else "application/json"
            for side, value in zip((asked, answers), getattr(found, form), strict=True):
                side[mimetype][form] = {"summary": summary, "value": value}

    def body(kinds: Sequence[str], shown: Object) -> Object:
        forms = {"oneOf": [ref("schemas", f"{spec.name}.{kind}") for kind in kinds]}
        csv = components.content({"type": "string"}, "text/csv", shown["text/csv"])
        return components.content(forms, examples=shown["application/json"]) | csv

    good = response(
        "The answers, in the form and order of the request. In CSV they are more columns: "
        + ", ".join(f"`{column}`" for column in _csv_columns(model)),
        body(["answers", "answer-columns"], answers),
        "X-Model-Version",
    )
    return {
        "tags": [spec.name],
        "summary": f"Predict {spec.target} for many rows",
        "description": BATCH.format(json_bytes=options.json_batch_bytes, csv_bytes=options.batch_bytes),
        "requestBody": {"required": True, "content": body(["records", "columns"], asked)},
        "responses": responses(good, options.is_secured, 400, 413, 415, 422),
    }


def _csv_columns(model: Model) -> list[str]:
    return csv_files.result_columns(
        model, csv_files.CsvLayout(header=[], columns={}, first_line=2, delimiter=",", bom=b"")
    )
