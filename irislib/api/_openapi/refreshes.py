"""The operations of refreshes in the OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from irislib._common.messages.api import TEXTS
from irislib._modeling.table_files import KINDS
from irislib._refresh import runs
from irislib.api._openapi import components
from irislib.api._openapi.components import Object, array, object_of, ref, response, responses
from irislib.api._refresh_views import FLAGS, MAX_NOTE

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.api._config import Options

__all__ = ["operations", "schemas"]

STATES = (runs.RUNNING, runs.ACCEPTED, runs.REFUSED, runs.FAILED, runs.CANCELLED)


def schemas() -> Object:
    """Describe the record of a refresh."""
    text, flag, count = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
    problem = {"row": count, "feature": {"type": ["string", "null"]}, "message": text}
    properties = {
        "id": text, "model": text, "state": {"enum": [*STATES]}, "stage": {"enum": [*runs.STAGES]},
        "fraction": {"type": "number", "minimum": 0, "maximum": 1}, "text": text, "remarks": array(text),
        "result": text, "started": text, "ended": text, "by": text, "pid": count, "file": text, "replace": flag,
        "skip_bad_rows": flag, "force": flag, "note": text, "entry": {"type": ["integer", "null"]}, "version": text,
        "problems": array({"title": TEXTS["refresh.problem"]} | object_of(problem)), "problem_rows": count,
    }  # fmt: skip
    return {"Refresh": {"title": TEXTS["refresh.title"]} | object_of(properties)}


def operations(model: Model, options: Options) -> Object:
    """Describe the operations of refreshes of a model, by the names of their views."""
    secured = options.is_secured
    parameters = [_parameter(name, {"type": "integer", "enum": [0, 1], "default": 0}) for name in FLAGS]
    parameters.append(_parameter("note", {"type": "string", "maxLength": MAX_NOTE}))
    of_run = [{**_parameter("run", {"type": "string"}), "in": "path", "required": True}]
    rows = components.content({"type": "string"}, "text/csv")
    for kind in KINDS:
        if kind.is_readable:
            rows |= components.content({"type": "string", "format": "binary"}, kind.mimetypes[0])
    record, name = ref("schemas", "Refresh"), f"{TEXTS['refresh.title']}."
    started = response(TEXTS["refresh.accepted"], components.content(record), "X-Model-Version", "Location")
    one = response(name, components.content(record), "X-Model-Version")
    listed = response(name, components.content(object_of({"runs": array(record)})), "X-Model-Version")
    answers = responses(started, secured, *components.OF_BODIES, 409, 507)
    return {
        "refresh": {
            "description": TEXTS["refresh.about"],
            "parameters": parameters,
            "requestBody": {"required": False, "content": rows},
            "responses": {"202": answers.pop("200"), **answers},
        },
        "refresh_runs": {"responses": responses(listed, secured)},
        "refresh_run": {"parameters": of_run, "responses": responses(one, secured)},
        "cancel_refresh": {"parameters": of_run, "responses": responses(one, secured)},
    }


def _parameter(name: str, schema: Object) -> Object:
    return {"name": name, "in": "query", "description": TEXTS[f"refresh.{name}"], "schema": schema}
