"""The contents of the operator's page, as plain values for its template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from irislib._common.formatting import format_value
from irislib._common.messages import refresh
from irislib._common.messages.operator import TEXTS
from irislib._comparison.command import read_entry
from irislib._comparison.comparison import compare
from irislib._comparison.real_requests import describe, read_real_requests
from irislib._modeling import store
from irislib._modeling.evaluation import main_metric
from irislib._modeling.fitted import FittedSpec
from irislib._prediction_log.command import parse_since
from irislib._prediction_log.drift import drift
from irislib._refresh import runs
from irislib._store import versions as version_files
from irislib._store.files import files_of, parse_root
from irislib.insights._base import picture_source

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._refresh.runs import Run
    from irislib._store.entries import Entry
    from irislib._store.files import Root
    from irislib.api._config import Options

__all__ = ["DEFAULT", "VIEWS"]

MOST_ENTRIES = 50
DEFAULT = "versions"
PERIODS = ("24h", "7d", "30d", "all")

Query = Mapping[str, str]


def show_versions(model: Model, root: Root, query: Query, options: Options) -> dict[str, Any]:
    """Return the log of a model; ``entry`` in the query is one that has just become current."""
    entries, current = _log(model.spec.name, root)
    files = files_of(root).names(version_files.folder(model.spec.name)) if entries else []
    done = next((e for e in entries if str(e.number) == query.get("entry") and e == current), None)
    rows = [_row(entry, entry == current, entry.file in files) for entry in entries[:MOST_ENTRIES]]
    facts = {"name": model.spec.name, "count": len(entries) - MOST_ENTRIES}
    return {
        "rows": rows,
        "older": TEXTS["older"].format(**facts) if len(entries) > MOST_ENTRIES else "",
        "served": _served(model, current, root),
        "done": TEXTS["done"].format(version=done.version, number=done.number) if done else "",
    }


def show_rollback(model: Model, root: Root, query: Query, options: Options) -> dict[str, Any]:
    """Return what would change if the entry in the query became current."""
    name = model.spec.name
    entry, current = store.find_entry(name, root, f"#{query.get('entry', '')}"), store.find_entry(name, root)
    before, after = read_entry(model.spec, current), read_entry(model.spec, entry)
    return {
        "entry": entry,
        "title": TEXTS["rollback"].format(version=entry.version),
        "about": TEXTS["rollback.about"].format(number=entry.number, when=_when(entry.at)),
        "refused": "" if entry.serves else TEXTS["rollback.refused"].format(reason=entry.reason),
        "comparison": _comparison_html(before, after),
    }


def show_comparison(model: Model, root: Root, query: Query, options: Options) -> dict[str, Any]:
    """Return the versions to choose from, and the comparison of those in the query."""
    entries, current = _log(model.spec.name, root)
    stored = set(files_of(root).names(version_files.folder(model.spec.name))) if entries else set()
    choices = [entry for entry in entries if entry.file in stored]
    other = next((entry for entry in choices if current and entry.file != current.file), current)
    chosen = [query.get("before") or _number(other), query.get("after") or _number(current)]
    result = Markup("")
    if "before" in query and chosen[0] == chosen[1]:
        result = Markup("<p>{}</p>").format(TEXTS["compare.same"])
    elif "before" in query:
        known = {_number(entry): entry for entry in entries}
        before, after = (
            read_entry(model.spec, known.get(number) or store.find_entry(model.spec.name, root, f"#{number}"))
            for number in chosen
        )
        result = _comparison_html(before, after)
        if options.log.folder:
            requests = read_real_requests(before, after, parse_root(options.log.source))
            result += Markup("<p>{}</p>").format(describe(before, after, requests))
    return {"options": [_option(entry, entry == current) for entry in choices], "chosen": chosen, "result": result}


def show_refresh(model: Model, root: Root, query: Query, options: Options) -> dict[str, Any]:
    """Return the running refresh, or the form for one; and the last ones."""
    spec = model.spec
    if isinstance(spec, FittedSpec):
        return {"off": refresh.TEXTS["fitted"].format(title=spec.title)}
    recent = runs.recent(spec.name, root)
    ended = next((run for run in recent if run.id == query.get("run") and not run.is_running), None)
    return {
        "intro": TEXTS["refresh.intro"].format(title=spec.title),
        "running": next((_run(run) for run in recent if run.is_running), None),
        "ended": ended and _run(ended),
        "recent": [_run(run) for run in recent if not run.is_running],
        "help": TEXTS["refresh.data.help"].format(limit=f"{options.batch_bytes / 1e6:g}", target=spec.target),
    }


def show_drift(model: Model, root: Root, query: Query, options: Options) -> dict[str, Any]:
    """Return the comparison of the prediction log with the training data, for the period in the query."""
    if not options.log.folder:
        return {"off": TEXTS["drift.off"]}
    since = query["since"] if query.get("since") in PERIODS else "7d"
    report = drift(model, options.log.source, None if since == "all" else parse_since(since))
    columns = ("name", "measure", "before", "now", "psi", "p", "mark")
    return {
        "periods": [(period, TEXTS[f"drift.{period}"], period == since) for period in PERIODS],
        "text": report.text,
        "columns": [TEXTS[f"drift.{column}"] for column in columns],
        "rows": [
            (*row[:2], *(_number_text(value) for value in row[2:6]), TEXTS["drift.yes"] if row[6] else "")
            for row in report.frame[
                ["compared", "measure", "before", "now", "PSI", "adjusted p", "drifted"]
            ].itertuples(index=False, name=None)
        ],
        "picture": picture_source(report, follows_page=True) if len(report.frame) else "",
    }


VIEWS: dict[str, Callable[[Model, Root, Query, Options], dict[str, Any]]] = {
    "versions": show_versions,
    "compare": show_comparison,
    "refresh": show_refresh,
    "drift": show_drift,
    "rollback": show_rollback,
}


def _log(name: str, root: Root) -> tuple[list[Entry], Entry | None]:
    """Return the entries of a model, the newest first, and the current one."""
    entries = store.entries(name, root)
    return entries, next((entry for entry in entries if entry.serves), None)


def _served(model: Model, current: Entry | None, root: Root) -> str:
    if current is None:
        return TEXTS["none"].format(name=model.spec.name, root=root)
    key = "served" if current.version == model.version else "served.other"
    return TEXTS[key].format(version=model.version, current=current.version)


def _row(entry: Entry, is_current: bool, is_kept: bool) -> dict[str, Any]:
    name, value, baseline = main_metric(entry.metrics)
    facts = {"kind": TEXTS.get(f"kind.{entry.kind}", entry.kind), "when": _when(entry.at), "by": entry.by}
    sentences = [TEXTS["entry.made"].format(**facts)]
    if value is not None:
        key = "entry.metric" if baseline is None else "entry.metric.baseline"
        scores = {"value": _number_text(value), "baseline": _number_text(baseline)}
        sentences.append(TEXTS[key].format(name=TEXTS[f"metric.{name}"], **scores))
    return {
        "number": entry.number,
        "title": TEXTS["entry"].format(number=entry.number),
        "version": entry.version,
        "facts": " ".join(sentences),
        "note": entry.note,
        "reason": "" if entry.serves else entry.reason,
        "state": TEXTS["current"] if is_current else "" if entry.serves else TEXTS["not_served"],
        "is_current": is_current,
        "can_be_chosen": is_kept and not is_current,
    }


def _option(entry: Entry, is_current: bool) -> tuple[str, str]:
    mark = f", {TEXTS['current']}" if is_current else "" if entry.serves else f", {TEXTS['not_served']}"
    facts = {"number": entry.number, "version": entry.version, "when": _when(entry.at)}
    return str(entry.number), TEXTS["compare.option"].format(**facts, mark=mark)


def _number(entry: Entry | None) -> str:
    return "" if entry is None else str(entry.number)


def _run(run: Run) -> dict[str, Any]:
    return {
        **run.to_dict(),
        "state_text": TEXTS[f"state.{run.state}"],
        "when": _when(run.started),
        "about": TEXTS["refresh.about"].format(when=_when(run.started), by=run.by),
    }


def _comparison_html(before: Model, after: Model) -> Markup:
    return Markup(compare(before, after)._repr_html_())  # noqa: S704 - escaped there


def _when(at: str) -> str:
    return at[:16].replace("T", " ")


def _number_text(value: Any) -> str:
    return "" if value is None or value != value else format_value(value, 3)
