"""The insights of a model at the endpoint: the functions that its app shows, asked for by their names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import MethodNotAllowed, NotFound

from irislib import insights
from irislib._common.formatting import did_you_mean, short_repr
from irislib._common.messages import TEXTS
from irislib.api._openapi import components
from irislib.api._openapi.components import ref, response, responses
from irislib.errors import NotApplicableError, Problem, ValidationError
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import InsightEntry, Option, insight_entries

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.insights import Insight

__all__ = ["about_model", "about_row", "listed", "offered", "paths", "told"]

Object = dict[str, Any]
UNMEASURED = "{} has not been measured for this version of {}. The app does it, and so does irislib.insights.{}(model)."


def offered(model: Model) -> dict[str, InsightEntry]:
    """What can be asked for, by name."""
    tabs = model.spec.tabs or insights.default_tabs(model)
    return insight_entries({**tabs, TEXTS["prediction"]: [insights.prediction_set]})  # which that tab always shows


def listed(model: Model) -> list[Object]:
    """What there is, for a program."""
    return [
        {"name": each.name, "tab": each.tab, "method": _method(each), "about": each.about}
        for each in offered(model).values()
    ]


def _method(offer: InsightEntry) -> str:
    return "POST" if offer.needs_row else "GET"


def about_model(model: Model, name: str, given: MultiDict[str, str]) -> Object:
    """An insight about the model.

    Parameters
    ----------
    model : Model
    name : str
        That of its function.
    given : MultiDict
        Its options, as an address has them.

    Raises
    ------
    ValidationError
        Naming every wrong option.
    NotFound, MethodNotAllowed
    """
    offer = _find(model, name, "GET")
    wanted = _read(offer, given)
    if not isinstance(offer.function, LongRunning):
        return told(_ask(offer, model, **wanted))
    found = offer.function.kept(model)  # measuring it may take longer than a client waits
    if found is None:
        raise NotFound(UNMEASURED.format(offer.function.title, model.spec.title, name))
    return told(found)


def about_row(model: Model, name: str, read: Callable[[], Mapping[str, Any]], given: MultiDict[str, str]) -> Object:
    """An insight about one row, which is read where there is such an insight; as for :func:`about_model`."""
    offer = _find(model, name, "POST")
    found = _read(offer, given)
    return told(_ask(offer, model, model.predict_row(read()), **found))


def _find(model: Model, name: str, method: str) -> InsightEntry:
    known = offered(model)
    if name not in known:
        raise NotFound(f"There is no insight {name!r} of {model.spec.title}. {did_you_mean(name, list(known))}")
    if _method(known[name]) != method:
        needed = "one row: POST it" if known[name].needs_row else "the model: GET it"
        raise MethodNotAllowed([_method(known[name])], f"{name} is about {needed}.")
    return known[name]


def _ask(offer: InsightEntry, *about: Any, **given: Any) -> Insight:
    try:
        return offer.function(*about, **given)
    except NotApplicableError as error:
        raise NotFound(str(error)) from None


def _read(offer: InsightEntry, given: MultiDict[str, str]) -> Object:
    """The options of an address, read."""
    known, found, problems = offer.options, {}, []
    for name, values in given.lists():
        try:
            if name not in known:
                also = did_you_mean(name, list(known)) if known else "It has none."
                raise ValueError(f"is no option of {offer.name}. {also}")
            found[name] = _value(known[name], values)
        except ValueError as error:
            problems.append(Problem(f"{name} {error}", name, values[-1]))
    if problems:
        raise ValidationError(problems)
    return found


def _value(option: Option, values: list[str]) -> Any:
    kind = type(option.default)
    if kind is tuple:
        return tuple(values)
    if len(values) > 1:
        raise ValueError("was given more than once.")
    if kind is bool:
        if values[0] not in ("0", "1"):
            raise ValueError(f"must be 0 or 1, got {short_repr(values[0])}.")
        return values[0] == "1"
    try:
        return kind(values[0])
    except ValueError:
        raise ValueError(f"must be a {'whole ' if kind is int else ''}number, got {short_repr(values[0])}.") from None


def told(insight: Insight) -> Object:
    """An insight as JSON: what it says, and its numbers as a list of rows.

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
        "tab": {"type": "string", "description": "Where the app shows it."},
        "method": {"enum": ["GET", "POST"], "description": "POST where it is about a row."},
        "about": {"type": "string"},
    })
)  # fmt: skip


def paths(model: Model, secured: bool, row: Object) -> Object:
    """What the OpenAPI document says of them.

    Parameters
    ----------
    model : Model
    secured : bool
    row : dict
        The ``requestBody`` of one row.
    """
    name, slug = model.spec.name, model.spec.name.replace("-", "_")
    listing = response("What there is.", components.content(LIST), "X-Model-Version")
    summary = f"Which insights of {model.spec.title} there are"
    found: Object = {f"/{name}/insights": {"get": components.get(f"insights_{slug}", name, summary, listing, secured)}}
    good = response("The insight.", components.content(ref("schemas", "Insight")), "X-Model-Version")
    for offer in offered(model).values():
        known = [_parameter(key, option) for key, option in offer.options.items()]
        operation: Object = {"operationId": f"{offer.name}_{slug}", "tags": [name], "summary": offer.about}
        if known:
            operation["parameters"] = known
        if offer.needs_row:
            operation |= {"requestBody": row, "responses": responses(good, secured, 400, 413, 415, 422)}
        else:
            operation["responses"] = responses(good, secured, 422)
        found[f"/{name}/insights/{offer.name}"] = {_method(offer).lower(): operation}
    return found


def _parameter(name: str, option: Option) -> Object:
    kinds: dict[type, Object] = {
        bool: {"enum": [0, 1]},
        int: {"type": "integer"},
        float: {"type": "number"},
        str: {"type": "string"},
    }
    schema: Object = {"type": "array", "items": {"type": "string"}}
    if type(option.default) is not tuple:
        default = int(option.default) if isinstance(option.default, bool) else option.default
        schema = kinds[type(option.default)] | {"default": default}
    return {"name": name, "in": "query", "description": option.about, "schema": schema}
