"""The OpenAPI document as a page for people who call a model from a program."""

from __future__ import annotations

import functools
import json
import re
from http import HTTPStatus
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape

from irislib._common.formatting import MAX_WORDS, within_sentence
from irislib._common.messages.api import TEXTS
from irislib._common.templates import package_templates
from irislib._common.theme import css_properties
from irislib._description.theme import Theme
from irislib.api._openapi import code_samples
from irislib.api._openapi.components import PROBLEM, SERVER, Object

__all__ = ["page"]

SOMEWHERE = "http://localhost:5000"  # stands for the server where the document does not say which it is
TOKEN = "YOUR_TOKEN"  # noqa: S105 - a placeholder


def page(document: Object, name: str | None = None, theme: Theme | None = None, has_apps: bool = False) -> str:
    """Make the page of an OpenAPI document.

    Parameters
    ----------
    document : dict
        What :func:`irislib.api._openapi.document.document` returns.
    name : str, optional
        The model that it is about; all of them if left out.
    theme : Theme, optional
        That of the model, or of all of them.
    has_apps : bool, optional
        The server has a page for each model, too.
    """
    paths = document["paths"]
    titles = {path[1:]: item["x-model"]["title"] for path, item in paths.items() if "x-model" in item}
    gets = {path[1:]: item["get"] for path, item in paths.items() if "get" in item}
    template = _environment().get_template("api/_openapi/docs.html.j2")
    return template.render(
        info=document["info"],
        has_apps=has_apps,
        theme=theme or Theme(),
        colours=css_properties(changes=theme.palette if theme else None),
        titles=titles,
        models=[_model(document, title) for title in titles if name in (None, title)],
        single=name is not None,
        token=_token(document),
        errors=_error_meanings(document),
        server={path: get for path, get in gets.items() if SERVER in get["tags"] or _is_more(path, name, titles)},
    )


def _is_more(path: str, name: str | None, titles: Object) -> bool:
    """Tell whether a path is about a model on this page, other than its page and its single insights."""
    model, *more = path.split("/")
    return len(more) == 1 and model in titles and name in (None, model)


@functools.cache
def _environment() -> Environment:
    environment = package_templates()
    environment.filters |= {"prose": _prose, "json": lambda value: json.dumps(value, indent=2, ensure_ascii=False)}
    environment.filters["within_sentence"] = within_sentence
    environment.globals["text"] = _html_text
    return environment


def _prose(text: str) -> Markup:
    """Convert a text with `code` between backticks to HTML."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _html_text(key: str, **values: Any) -> Markup:
    """Return a text as HTML, with values that are escaped unless they are HTML already."""
    return _prose(TEXTS[key]).format(**values)


def _at(document: Object, thing: Object) -> Object:
    """Follow a reference; return anything else as it is."""
    if "$ref" not in thing:
        return thing
    return functools.reduce(lambda part, key: part[key], thing["$ref"][2:].split("/"), document)


def _token(document: Object) -> str:
    return TOKEN if document.get("security") else ""


def _model(document: Object, name: str) -> Object:
    """Return the facts about one model."""
    item, many = document["paths"][f"/{name}"], document["paths"][f"/{name}/batch"]["post"]
    one = item["post"]
    body = one["requestBody"]["content"]["application/json"]
    root = document["servers"][0]["url"].rstrip("/")
    url = f"{root if '://' in root else SOMEWHERE + root}/{name}"
    row = _at(document, body["schema"])
    return {
        "name": name,
        "facts": item["x-model"],
        "url": url,
        "one": one,
        "many": many,
        "row": row,
        "fields": [_field(key, value, row["required"]) for key, value in row["properties"].items()],
        "samples": _samples(document, name, url) if "examples" in body else None,
        "insights": _insights(document, name),
    }


def _insights(document: Object, name: str) -> list[Object]:
    """Return the address of each insight, below that of the model, with its description."""
    start = f"/{name}/insights/"
    return [
        {"name": path.removeprefix(start), "method": method.upper(), "about": item[method]["summary"]}
        | {"options": [option["name"] for option in item[method].get("parameters", ())]}
        for path, item in document["paths"].items()
        for method in item.keys() & {"get", "post"}
        if path.startswith(start)
    ]


def _field(name: str, schema: Object, required: list[str]) -> Object:
    unit = schema.get("x-unit", "")
    choices = [json.dumps(value, ensure_ascii=False) for value in schema.get("enum", ()) if value is not None]
    return {
        "name": name,
        "title": schema["title"],
        "help": schema.get("description", "").removesuffix(TEXTS["row.unit"].format(unit=unit)).strip(),
        "unit": unit,
        "expected": schema["x-expected"],
        "choices": choices if len(choices) <= MAX_WORDS + 2 else [],  # the others are cut in what is expected
        "required": name in required,
    }


def _samples(document: Object, name: str, url: str) -> Object:
    """Return the first example in several languages, and the answers to it."""
    one, many = document["paths"][f"/{name}"]["post"], document["paths"][f"/{name}/batch"]["post"]
    key, example = next(iter(one["requestBody"]["content"]["application/json"]["examples"].items()))
    row = _at(document, example)["value"]
    answers = one["responses"]["200"]["content"]["application/json"]["examples"]
    token = _token(document)
    of_row = next(entry["name"] for entry in _insights(document, name) if entry["method"] == "POST")
    return {
        "insight": code_samples.curl(f"{url}/insights/{of_row}", row, token),
        "title": _at(document, example)["summary"],
        "requests": {
            "curl": code_samples.curl(url, row, token),
            "Python": code_samples.python(url, row, token),
            "R": code_samples.r(url, row, token),
        },
        "answer": answers[key]["value"],
        "details": answers[f"{key}-details"]["value"],
        "invalid": next(iter(one["responses"]["422"]["content"][PROBLEM]["examples"].values()))["value"],
        "csv": {
            "request": code_samples.curl_csv(f"{url}/batch", token),
            "rows": many["requestBody"]["content"]["text/csv"]["examples"]["csv"]["value"],
            "answers": many["responses"]["200"]["content"]["text/csv"]["examples"]["csv"]["value"],
        },
    }


def _error_meanings(document: Object) -> dict[str, tuple[str, str]]:
    """Return the name and the meaning of each error by its status."""
    errors = {}
    for item in document["paths"].values():
        for method in item.keys() & {"get", "post"}:
            for status, response in item[method]["responses"].items():
                if status >= "400":
                    errors[status] = (HTTPStatus(int(status)).phrase, _at(document, response)["description"])
    return dict(sorted(errors.items()))
