"""The views of refreshes: started, looked at and cancelled, with a token alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.exceptions import Forbidden, NotFound, UnsupportedMediaType

from irislib._common.formatting import did_you_mean, short_repr
from irislib._common.messages.api import TEXTS
from irislib._modeling.table_files import table_kind
from irislib._refresh import runs, starting
from irislib._refresh.request import Request
from irislib.api._problem_details import FULL, QueryError, problem, reply
from irislib.api._request_bodies import spooled, take_large_body
from irislib.errors import IrislibError, Problem, StoreError

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._refresh.runs import Run
    from irislib.api._views import Context

__all__ = ["cancel_refresh", "refresh", "refresh_run", "refresh_runs"]

FLAGS = ("replace", "skip_bad_rows", "force")
MAX_NOTE = 1000
TOKEN = "token"  # noqa: S105 - the parameter in which a server with pages takes it


def refresh(context: Context, name: str) -> Response:
    """Start a refresh with the rows in the body, or with what ``load_data`` returns."""
    model = _find_model(context, name)
    values = _read_parameters()
    latest = runs.latest(name)
    if latest is not None and latest.is_running:
        return _refuse(runs.RunningError(name, latest))
    take_large_body(context.app.options.batch_bytes)
    with spooled(request.stream, context.app.heartbeat) as body:
        has_rows = body.read(1) != b""
        wishes = Request(
            None, values["replace"], values["skip_bad_rows"], values["note"], values["force"],
            _file_name() if has_rows else "",
        )  # fmt: skip
        if wishes.skips_bad_rows and not has_rows:
            raise QueryError([Problem(TEXTS["refresh.skip"], "skip_bad_rows")])
        try:
            run = starting.start(model.spec, wishes, file=body if has_rows else None)  # type: ignore[arg-type]
        except IrislibError as error:
            return _refuse(error)
    response = reply(run.to_dict(), 202)
    response.headers["Location"] = f"{request.script_root}/{name}/refresh/{run.id}"
    return response


def refresh_runs(context: Context, name: str) -> Response:
    """Return the last refreshes of a model."""
    _find_model(context, name)
    return reply({"runs": [run.to_dict() for run in runs.recent(name)]})


def refresh_run(context: Context, name: str, run: str) -> Response:
    """Return a refresh of a model."""
    _find_model(context, name)
    return reply(_require(name, run, runs.find(name, run)).to_dict())


def cancel_refresh(context: Context, name: str, run: str) -> Response:
    """Cancel a refresh of a model, unless it has ended."""
    _find_model(context, name)
    return reply(_require(name, run, runs.cancel(name, run)).to_dict())


def _find_model(context: Context, name: str) -> Model:
    """Return a model by its name; raise Forbidden where no token is set, for it costs the machine a training."""
    if not context.app.options.is_secured:
        raise Forbidden(TEXTS["refresh.no_token"])
    return context.find(name)


def _require(name: str, run_id: str, run: Run | None) -> Run:
    if run is None:
        raise NotFound(TEXTS["refresh.no_run"].format(name=name, run=run_id))
    return run


def _read_parameters() -> dict[str, Any]:
    """Read the parameters of the address."""
    problems = []
    known = (*FLAGS, "note")
    values: dict[str, Any] = {**dict.fromkeys(FLAGS, False), "note": ""}
    for key, text in request.args.items():
        if key in FLAGS and text in ("0", "1"):
            values[key] = text == "1"
        elif key in FLAGS:
            problems.append(Problem(f"{key} must be 0 or 1, got {short_repr(text)}.", key, text))
        elif key == "note" and len(text) <= MAX_NOTE:
            values["note"] = text
        elif key == "note":
            problems.append(Problem(TEXTS["refresh.long_note"].format(limit=MAX_NOTE), key))
        elif key != TOKEN:
            problems.append(Problem(TEXTS["refresh.parameter"].format(hint=did_you_mean(key, known)), key))
    if values["force"] and not values["note"].strip():
        problems.append(Problem(TEXTS["refresh.no_note"], "note"))
    if problems:
        raise QueryError(problems)
    return values


def _file_name() -> str:
    """Return a name for the rows in the body; raise UnsupportedMediaType if they are of an unknown type."""
    kind = table_kind(request.mimetype)
    if request.mimetype != "text/csv" and kind is None:
        sent = request.mimetype or "a body without a Content-Type"
        raise UnsupportedMediaType(TEXTS["refresh.type"].format(sent=sent))
    if kind is not None and not kind.is_readable:
        raise UnsupportedMediaType(TEXTS["batch.no_reader"].format(kind=kind.name))
    return TEXTS["refresh.file"]


def _refuse(error: IrislibError) -> Response:
    """Make the response to a refresh that cannot begin."""
    if isinstance(error, StoreError):
        is_full = getattr(error.__cause__, "errno", None) in FULL
        return reply(problem(507 if is_full else 503, str(error)), 507 if is_full else 503)
    run = error.run if isinstance(error, runs.RunningError) else None
    return reply(problem(409, str(error), **({} if run is None else {"run": run.id})), 409)
