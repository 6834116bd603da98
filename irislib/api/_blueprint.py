"""The endpoint as a part of somebody's own Flask application: a blueprint that hands requests to it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from irislib._common.routes import ROUTES
from irislib.api._config import ROW_BYTES, Options
from irislib.api._problem_details import problem, reply, too_large
from irislib.api._request_bodies import FORM
from irislib.api._routes import create_app

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState
    from werkzeug.wrappers import Response as BaseResponse

    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model
    from irislib.api._application import Endpoint

__all__ = ["blueprint"]

METHODS = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")  # what an address does not take is refused by ours


def blueprint(
    models: str | Model | ModelSpec | Iterable[str | Model | ModelSpec],
    name: str = "irislib",
    options: Options | None = None,
) -> Blueprint:
    """Make a blueprint that answers for models in a Flask application of your own.

    It has all addresses of ``irislib api`` below its prefix, with the same answers and errors. What the application
    does before and after each request, such as its login, is done for them, too; error handlers are not shared, in
    either direction.

    Parameters
    ----------
    models : str, Model or ModelSpec, or sequence of them
        Trained models, descriptions, or references to one of them (``package.module:name``).
    name : str, default "irislib"
        The name of the blueprint, which :func:`flask.url_for` takes; two in one application have different ones.
    options : Options, optional
        Those of the environment if left out. No batch is larger than the application's ``MAX_CONTENT_LENGTH``.

    Returns
    -------
    Blueprint

    Raises
    ------
    UnknownModelError, SpecError, DataError
        If a model cannot be loaded.

    Examples
    --------
    >>> app = Flask("shop")
    >>> app.register_blueprint(irislib.api.blueprint("shop.model:spec"), url_prefix="/models")
    """
    endpoint = create_app(models, pages=(), options=options)
    result = Blueprint(name, __name__)
    result.record(partial(_add_routes, endpoint))
    return result


def _add_routes(endpoint: Endpoint, state: BlueprintSetupState) -> None:
    """Add a rule for each address, by the name of its view, and rules for what is refused."""
    limit = state.app.config["MAX_CONTENT_LENGTH"]
    if limit is not None:
        endpoint.options = replace(endpoint.options, batch_bytes=min(limit, endpoint.options.batch_bytes))
    prefix = (state.url_prefix or "").rstrip("/")
    view = partial(_answer, endpoint, prefix.count("/"))
    add = partial(state.add_url_rule, view_func=view, provide_automatic_options=False)
    names = ",".join(f'"{name}"' for name in endpoint.models)
    model = f"/<any({names}):name>"
    for route in ROUTES:
        if route.path != "/" or prefix:  # the page at the root of an application is its own
            add(route.path.replace("/<name>", model), route.name, methods=[route.method])
            if not route.is_of_model:
                add(route.path, "refused", methods=METHODS)
    for rule in (model, f"{model}/<path:path>", *(["/<path:path>"] if prefix else [])):
        add(rule, "refused", methods=METHODS)


def _answer(endpoint: Endpoint, depth: int, **_: Any) -> BaseResponse:
    """Answer the current request by the endpoint, as if it were mounted below the first segments of the path."""
    environ = {**request.environ}
    try:
        _provide_body(environ)
    except HTTPException as error:
        too_much = error.code == 413 and request.max_content_length is not None
        body = too_large(request.max_content_length or 0) if too_much else None
        return reply(body or problem(error.code or 400, error.description or ""), error.code or 400)
    segments = environ["PATH_INFO"].split("/")
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/".join(segments[: depth + 1])
    environ["PATH_INFO"] = f"/{'/'.join(segments[depth + 1 :])}"
    return Response.from_app(endpoint, environ)


def _provide_body(environ: dict[str, Any]) -> None:
    """Let the endpoint read a body that the application has read, too, as far as Flask has kept it.

    Raises
    ------
    HTTPException
        If it is too large for the application, or cannot be read.
    """
    length, limit = request.content_length or 0, request.max_content_length
    if limit is not None and length > limit:
        request.stream.read()  # raises
    if not 0 < length <= ROW_BYTES:
        return  # a batch goes through as a stream
    content = request.get_data()
    if not content and request.form:  # which is all that Flask keeps of a form that it has taken apart
        content = urlencode(list(request.form.items(multi=True))).encode()
        environ |= {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(content))}
    environ["wsgi.input"] = io.BytesIO(content)
