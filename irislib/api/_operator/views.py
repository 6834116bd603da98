"""The views of the operator's page: what it shows, and what its forms do."""

from __future__ import annotations

import secrets
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Response, request

from irislib import __version__
from irislib._common.language import preferred, using_language
from irislib._common.messages.operator import TEXTS
from irislib._common.templates import package_templates
from irislib._common.theme import css_properties
from irislib._description.translation import translated
from irislib._modeling import store
from irislib._refresh import runs, starting
from irislib._refresh.request import Request
from irislib.api._auth import form_key
from irislib.api._operator.sections import DEFAULT, VIEWS
from irislib.api._refresh_views import MAX_NOTE
from irislib.api._request_bodies import take_large_body
from irislib.errors import IrislibError, UnknownModelError

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.api._views import Context

__all__ = ["operator", "operator_form"]

_templates = cache(package_templates)
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
    "script-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def operator(context: Context, name: str) -> Response:
    """Show the versions of a model, or what the query asks for."""
    model = context.find(name)
    view = request.args.get("view", DEFAULT)
    problem = TEXTS["form_expired"] if "expired" in request.args else ""
    return _page(context, model, view if view in VIEWS else DEFAULT, problem=problem)


def operator_form(context: Context, name: str) -> Response:
    """Do what a form of the page asks for, and lead to the page that shows it."""
    model = context.find(name)
    take_large_body(context.app.options.batch_bytes)
    form = FORMS.get(request.form.get("action", ""))
    if not context.app.options.is_secured or form is None:
        return _page(context, model, DEFAULT, problem=TEXTS["unknown"], status=400)
    view, act = form
    try:
        query = act(model)
    except (IrislibError, OSError) as error:
        is_away = not isinstance(error, IrislibError) or isinstance(error.__cause__, OSError)
        return _page(context, model, view, problem=str(error), status=503 if is_away else 409)
    # By 303 a reload shows the page again and sends nothing twice
    return Response(status=303, headers={"Location": f"operator?{urlencode(query)}", "Cache-Control": "no-store"})


def roll_back(model: Model) -> dict[str, str]:
    """Make the chosen entry current."""
    name, number = model.spec.name, request.form.get("entry", "")
    entry = store.rollback(name, store.default_root(), f"#{number}", _note())
    return {"view": "versions", "entry": str(entry.number)}


def refresh(model: Model) -> dict[str, str]:
    """Start a refresh with the rows of the form."""
    file = request.files.get("rows")
    has_rows = bool(file and file.filename)
    if "force" in request.form and not _note():
        raise IrislibError(TEXTS["refresh.force_note"])
    wishes = Request(
        replaces=request.form.get("use") == "replace",
        skips_bad_rows=has_rows and "skip_bad_rows" in request.form,
        note=_note(),
        is_forced="force" in request.form,
        file_name=str(file.filename)[:200] if file and has_rows else "",
    )
    starting.start(model.spec, wishes, file=file.stream if file and has_rows else None)  # type: ignore[arg-type]
    return {"view": "refresh"}


def cancel(model: Model) -> dict[str, str]:
    """Cancel the refresh that the form is about."""
    run = runs.cancel(model.spec.name, request.form.get("run", ""))
    return {"view": "refresh", **({} if run is None else {"run": run.id})}


# What a form does, by its field `action`, and where it stands
FORMS = {"rollback": ("versions", roll_back), "refresh": ("refresh", refresh), "cancel": ("refresh", cancel)}


def _note() -> str:
    return request.form.get("note", "").strip()[:MAX_NOTE]


def _page(context: Context, model: Model, view: str, problem: str = "", status: int = 200) -> Response:
    language = preferred(request.headers.get("Accept-Language", ""), context.app.options.languages)
    nonce = secrets.token_urlsafe(16)
    with using_language(language):
        html, status = _render(context, model, view, problem, status, nonce, language)
    headers = {
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY.format(nonce=nonce),
    }
    return Response(html, status, headers, "text/html")


def _render(
    context: Context, model: Model, view: str, problem: str, status: int, nonce: str, language: str
) -> tuple[str, int]:
    options, spec = context.app.options, translated(model.spec, language)
    facts: dict[str, Any] = {}
    if not options.is_secured:
        problem, status = TEXTS["no_token"], 403
    else:
        try:
            facts = {"content": VIEWS[view](model, store.default_root(), request.args, options)}
        except (IrislibError, OSError) as error:
            is_unknown = isinstance(error, UnknownModelError)
            text = str(error) if is_unknown else TEXTS["unreadable"].format(error=error)
            problem, status = " ".join(filter(None, (problem, text))), 404 if is_unknown else 503
    html = _templates().get_template("api/_operator/operator.html.j2").render(
        colours=css_properties(changes=spec.theme.palette),
        form=request.form if request.method == "POST" else {},  # what was typed, if it was refused
        form_key=form_key(options.token) if options.token else request.headers.get("X-XSRFToken", ""),
        has_apps=context.has_apps,
        lang=language,
        name=spec.name,
        nonce=nonce,
        problem=problem,
        texts=TEXTS,
        theme=spec.theme,
        title=spec.title,
        version=__version__,
        view=view,
        **facts,
    )  # fmt: skip
    return html, status
