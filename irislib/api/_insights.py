"""The insights of a model at the endpoint, by the names of their functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from irislib import insights
from irislib._common import messages
from irislib._common.formatting import did_you_mean, short_repr
from irislib._common.messages.api import TEXTS
from irislib.api._json_bodies import with_few_unknown_names
from irislib.api._openapi import components
from irislib.api._openapi.components import Object, ref, response, responses
from irislib.api._problem_details import QueryError, errors_by_key
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import InsightEntry, Option, choices, insight_entries

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.insights import Insight

__all__ = ["about_model", "about_row", "insight_json", "insights_of", "listed", "method_of", "paths"]

UNMEASURED = "{} has not been measured for this version of {}. The app does it, and so does irislib.insights.{}(model)."


def insights_of(model: Model) -> dict[str, InsightEntry]:
    """Return the insights of a model by name."""
    tabs = model.spec.tabs or insights.default_tabs(model)
    # the tab of the prediction always shows this one; a tab of the model may have the same title
    return insight_entries([*tabs.items(), (messages.TEXTS["prediction"], [insights.prediction_set])])


def listed(model: Model) -> list[Object]:
    """Return the insights of a model as JSON has them."""
    return [
        {"name": entry.name, "tab": entry.tab, "method": method_of(entry), "about": _description(entry)}
        for entry in insights_of(model).values()
    ]


def _description(entry: InsightEntry) -> str:
    """Return a sentence about an insight; about one of a model's own, the first line of its docstring."""
    is_ours = entry.function is getattr(insights, entry.name, None)
    return TEXTS.get(f"insight.{entry.name}", entry.about) if is_ours else entry.about


def method_of(entry: InsightEntry) -> str:
    """Return the method that the address of an insight takes."""
    return "POST" if entry.needs_row else "GET"


def about_model(model: Model, name: str, args: MultiDict[str, str]) -> Object:
    """Return an insight about the model.

    Parameters
    ----------
    model : Model
    name : str
        That of its function.
    args : MultiDict
        Its options, as an address has them.

    Raises
    ------
    ValidationError
        Naming every wrong option.
    NotFound
    """
    entry = _find(model, name)
    values = _read_options(entry, args)
    if not isinstance(entry.function, LongRunning):
        return insight_json(_call(entry.function, model, **values))
    insight = _call(entry.function.stored, model)  # measuring it may take longer than a client waits
    if insight is None:
        raise NotFound(UNMEASURED.format(entry.function.title, model.spec.title, name))
    return insight_json(insight)


def about_row(model: Model, name: str, read: Callable[[], Mapping[str, Any]], args: MultiDict[str, str]) -> Object:
    """Return an insight about one row, which is read if there is such an insight; see :func:`about_model`."""
    entry = _find(model, name)
    values, row = _read_options(entry, args), with_few_unknown_names(model.spec.features, read())
    with errors_by_key(model.spec.features, row):
        prediction = model.predict_row(row)
    return insight_json(_call(entry.function, model, prediction, **values))


def _find(model: Model, name: str) -> InsightEntry:
    known = insights_of(model)
    if name not in known:
        raise NotFound(f"There is no insight {name!r} of {model.spec.title}. {did_you_mean(name, list(known))}")
    return known[name]


def _call(function: Callable[..., Any], *args: Any, **values: Any) -> Any:
    try:
        return function(*args, **values)
    except NotApplicableError as error:
        raise NotFound(str(error)) from None
    except ValidationError as error:  # the row has been checked: it is about an option
        raise QueryError(error.problems) from error


def _read_options(entry: InsightEntry, args: MultiDict[str, str]) -> Object:
    """Read the options of an address."""
    known, result, problems = entry.options, {}, []
    for name, values in args.lists():
        try:
            if name not in known:
                also = did_you_mean(name, list(known)) if known else "It has none."
                raise ValueError(f"is no option of {entry.name}. {also}")
            result[name] = _option_value(known[name], values)
        except ValueError as error:
            problems.append(Problem(f"{name} {error}", name, values[-1]))
    if problems:
        raise QueryError(problems)
    return result


def _option_value(option: Option, values: list[str]) -> Any:
    kind = type(option.default)
    if kind is tuple and option.enum is None:
        return tuple(values)
    if len(values) > 1:
        raise ValueError("was given more than once.")
    if option.enum is not None:
        members = {str(value): member for value, member in zip(choices(option), option.enum, strict=True)}
        if values[0] not in members:
            raise ValueError(f"must be one of {', '.join(members)}, got {short_repr(values[0])}.")
        return members[values[0]]
    if kind is bool:
        if values[0] not in ("0", "1"):
            raise ValueError(f"must be 0 or 1, got {short_repr(values[0])}.")
        return values[0] == "1"
    try:
        return kind(values[0])
    except ValueError:
        raise ValueError(f"must be a {'whole ' if kind is int else ''}number, got {short_repr(values[0])}.") from None


def insight_json(insight: Insight) -> Object:
    """Convert an insight to JSON: its title, its sentence, and its numbers as a list of rows.

    Parameters
    ----------
    insight : Insight
    """
    frame = insight.frame
    if frame.index.name is not None:
        frame = frame.rename_axis(columns=None).reset_index()
    rows = frame.to_json(orient="records", date_format="iso", double_precision=15, default_handler=str)
    return {"title": insight.title, "text": insight.text, "rows": json.loads(rows)}


LIST = components.array(
    components.object_of({
        "name": {"type": "string"},
        "tab": {"type": "string", "description": TEXTS["insight.tab"]},
        "method": {"enum": ["GET", "POST"], "description": TEXTS["insight.method"]},
        "about": {"type": "string"},
    })
)  # fmt: skip


def paths(model: Model, secured: bool, row: Object) -> Object:
    """Return the paths of a model's insights for the OpenAPI document.

    Parameters
    ----------
    model : Model
    secured : bool
    row : dict
        The ``requestBody`` of one row.
    """
    name, slug = model.spec.name, model.spec.name.replace("-", "_")
    result: Object = {}
    good = response(TEXTS["insight.response"], components.content(ref("schemas", "Insight")), "X-Model-Version")
    for entry in insights_of(model).values():
        known = [_parameter(key, option) for key, option in entry.options.items()]
        operation: Object = {"operationId": f"{entry.name}_{slug}", "tags": [name], "summary": _description(entry)}
        if known:
            operation["parameters"] = known
        if entry.needs_row:
            operation |= {"requestBody": row, "responses": responses(good, secured, *components.OF_BODIES)}
        else:
            operation["responses"] = responses(good, secured, 422)
        result[f"/{name}/insights/{entry.name}"] = {method_of(entry).lower(): operation}
    return result


def _parameter(name: str, option: Option) -> Object:
    kinds: dict[type, Object] = {
        bool: {"enum": [0, 1]},
        int: {"type": "integer"},
        float: {"type": "number"},
        str: {"type": "string"},
    }
    schema: Object = {"type": "array", "items": {"type": "string"}}
    if option.enum is not None:
        schema = {"enum": choices(option), "default": option.default}
    elif type(option.default) is not tuple:
        default = int(option.default) if isinstance(option.default, bool) else option.default
        schema = kinds[type(option.default)] | {"default": default}
    return {"name": name, "in": "query", "description": option.description, "schema": schema}
