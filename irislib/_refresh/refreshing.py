"""A refresh: new data checked, a version trained, compared with the current one, and served if the gate accepts it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._common.messages.refresh import TEXTS
from irislib._comparison.gate import Decision, decide
from irislib._modeling import store, training, training_data
from irislib._modeling.data_files import record_reads
from irislib._modeling.user_errors import user_errors
from irislib._refresh.data_parts import DataParts, parts_of, read_part, write_part
from irislib._refresh.new_rows import read_new_rows
from irislib._refresh.own_run import SHARES, OwnRun
from irislib._refresh.request import Request, check_request
from irislib._refresh.runs import ACCEPTED, REFUSED
from irislib._refresh.training_progress import reported_training
from irislib._store.entries import Entry
from irislib.errors import DataError, IrislibError, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model
    from irislib._refresh.runs import Run
    from irislib._store.files import Root

__all__ = ["Result", "refresh", "work"]

log = logging.getLogger(__name__)

MOST_CHANGES = 20  # answers that an entry has


@dataclass(frozen=True, eq=False)
class Result:
    """The new version and the decision about it.

    Attributes
    ----------
    entry : Entry
        The new one in the store.
    decision : Decision
    text : str
        What became of it, and why.
    """

    entry: Entry
    decision: Decision
    text: str


def refresh(spec: ModelSpec, root: Root, request: Request, on_step: Callable[[Run], Any] = lambda run: None) -> Result:
    """Train a new version of a model on new data, and serve it if the gate accepts it.

    Whatever ends it before its last step leaves the current version as it is.

    Parameters
    ----------
    spec : ModelSpec
    root : Path or str
        The store.
    request : Request
    on_step : callable
        Called with the record whenever it is further.

    Raises
    ------
    IrislibError
        If the request is contradictory, another refresh of the model is running, or its data are not valid.
    """
    check_request(spec, request)
    with OwnRun.begin(spec.name, root, request) as run:
        run.on_step = on_step
        return work(spec, root, request, run)


def work(spec: ModelSpec, root: Root, request: Request, run: OwnRun) -> Result:
    """Do what a run is for; see :func:`refresh`."""
    start = time.monotonic()
    if (current := store.current_entry(spec.name, root)) is None:
        raise IrislibError(TEXTS["none"].format(name=spec.name, root=root))
    run.step("read", SHARES["read"], TEXTS["stage.read"].format(title=spec.title))
    former = _former(spec, root, current)
    parts, data, data_files = _data(spec, root, request, current, former, run)
    run.step("train", SHARES["train"], TEXTS["stage.train"].format(title=spec.title, rows=len(data)))
    note = run.part_of("train", "compare")
    with reported_training(lambda progress: note(progress.fraction)):
        candidate = training.retrain(spec, data, former, data_files)
    run.step("compare", SHARES["compare"], TEXTS["stage.compare"])
    decision = decide(former, candidate)
    run.step("publish", SHARES["publish"], TEXTS["stage.publish"])
    result = _publish(candidate, root, request, parts, decision, current, time.monotonic() - start, run.run.id)
    entry = result.entry
    run.finish(ACCEPTED if entry.serves else REFUSED, result.text, entry=entry.number, version=entry.version)
    return result


def _former(spec: ModelSpec, root: Root, entry: Entry) -> Model:
    """Return the current version with the description it was published with, or with that of today."""
    with contextlib.suppress(StoreError):
        if (model := store.load(spec.name, root, f"#{entry.number}")) is not None:
            return model
    return store.load_for(spec, root, entry)


def _data(
    spec: ModelSpec, root: Root, request: Request, current: Entry, former: Model, run: OwnRun
) -> tuple[DataParts, pd.DataFrame, list[dict[str, Any]]]:
    """Return the data of the new version: their parts, all rows, and the local files that load_data has read."""
    import pandas as pd

    before = parts_of(spec.name, root, current)
    if request.file is None:
        if not before.loads and not request.replaces:
            raise DataError(TEXTS["replaced"].format(name=spec.name, version=current.version))
        parts = DataParts() if request.replaces else before
    else:
        features, target, note = read_new_rows(
            spec, former, request.file, request.skips_bad_rows, request.file_name, run.part_of("read", "load")
        )
        if note:
            run.remark(note)
        part = write_part(spec.name, root, features, target)
        if part in before.parts and not request.replaces:
            facts = {"file": request.file_name or request.file, "name": spec.name, "version": current.version}
            raise DataError(TEXTS["again"].format(**facts))
        parts = DataParts(False, (part,)) if request.replaces else DataParts(before.loads, (*before.parts, part))
    tables, data_files = [], []
    run.step("read", SHARES["load"])
    if parts.loads:
        with record_reads() as recorded, user_errors(spec):
            table = spec.load_data()
        rows, codes = training_data.checked(spec, table)
        tables.append(rows.assign(**{spec.target: codes}))
        data_files = recorded()
    for part in parts.parts:
        rows, labels = read_part(spec, root, part)
        tables.append(rows.assign(**{spec.target: pd.Series(labels, index=rows.index)}))
    return parts, pd.concat(tables, ignore_index=True), data_files


def _publish(
    candidate: Model,
    root: Root,
    request: Request,
    parts: DataParts,
    decision: Decision,
    current: Entry,
    seconds: float,
    run_id: str,
) -> Result:
    name, reason = candidate.spec.name, decision.reason
    serves = decision.accepted or request.is_forced
    if serves and not decision.accepted:
        reason = TEXTS["forced"].format(note=request.note, reason=reason)
        log.warning("%s %s: %s", name, candidate.version, reason)
    details = {
        "data": parts.to_details(),
        "accepted": decision.accepted,
        "forced": serves and not decision.accepted,
        "comparison": decision.comparison.to_dict(MOST_CHANGES),
        "run": run_id,
    }
    entry = store.publish(
        candidate, root, kind="refresh", serves=serves, compare_files=parts == DataParts(),
        seconds=round(seconds, 3), note=request.note, reason="" if decision.accepted else reason, details=details,
    )  # fmt: skip
    facts = {"version": entry.version, "name": name, "number": entry.number, "before": current.version}
    text = TEXTS["served" if serves else "refused"].format(**facts, reason=reason)
    return Result(entry, decision, text)
