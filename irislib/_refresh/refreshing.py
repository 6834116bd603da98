"""A refresh: new data checked, a version trained, compared with the current one, and served if the gate accepts it."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.messages.refresh import TEXTS
from irislib._comparison.gate import Decision, decide
from irislib._modeling import store, training
from irislib._modeling.data_files import record_reads
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.user_errors import user_errors
from irislib._refresh.data_parts import DataParts, parts_of, read_part, write_part
from irislib._refresh.new_rows import read_new_rows
from irislib._store.entries import Entry, whoami
from irislib.errors import DataError, IrislibError, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model
    from irislib._store.files import Root

__all__ = ["Request", "Result", "refresh"]

log = logging.getLogger(__name__)

MOST_CHANGES = 20  # answers that an entry has


@dataclass(frozen=True)
class Request:
    """The wishes of the one who refreshes a model.

    Attributes
    ----------
    file : Path or None
        New rows; None for what ``load_data`` returns now.
    replaces : bool
        The new rows take the place of all data, instead of being appended.
    skips_bad_rows : bool
        Rows that are not valid are left out, instead of an error.
    note : str
    is_forced : bool
        The version is served even if the gate refuses it.
    """

    file: Path | None = None
    replaces: bool = False
    skips_bad_rows: bool = False
    note: str = ""
    is_forced: bool = False


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


def refresh(spec: ModelSpec, root: Root, request: Request, progress: Callable[[str], Any] = log.info) -> Result:
    """Train a new version of a model on new data, and serve it if the gate accepts it.

    Whatever ends it before its last step leaves the current version as it is.

    Parameters
    ----------
    spec : ModelSpec
    root : Path or str
        The store.
    request : Request
    progress : callable
        Takes a sentence when a step begins.

    Raises
    ------
    IrislibError
        If the request is contradictory, another refresh of the model is running, or its data are not valid.
    """
    if isinstance(spec, FittedSpec):
        raise IrislibError(TEXTS["fitted"].format(title=spec.title))
    if request.is_forced and not request.note.strip():
        raise IrislibError(TEXTS["note"])
    if request.skips_bad_rows and request.file is None:
        raise IrislibError(TEXTS["skip"])
    start = time.monotonic()
    with _alone(spec.name, root):
        if (current := store.current_entry(spec.name, root)) is None:
            raise IrislibError(TEXTS["none"].format(name=spec.name, root=root))
        former = _former(spec, root, current)
        progress(TEXTS["stage.read"].format(title=spec.title))
        parts, data, data_files = _data(spec, root, request, current, former, progress)
        progress(TEXTS["stage.train"].format(title=spec.title, rows=len(data)))
        candidate = training.retrain(spec, data, former, data_files)
        progress(TEXTS["stage.compare"])
        decision = decide(former, candidate)
        progress(TEXTS["stage.publish"])
        return _publish(candidate, root, request, parts, decision, current, time.monotonic() - start)


def _former(spec: ModelSpec, root: Root, entry: Entry) -> Model:
    """Return the current version with the description it was published with, or with that of today."""
    with contextlib.suppress(StoreError):
        if (model := store.load(spec.name, root, f"#{entry.number}")) is not None:
            return model
    return store.load_for(spec, root, entry)


def _data(
    spec: ModelSpec, root: Root, request: Request, current: Entry, former: Model, progress: Callable[[str], Any]
) -> tuple[DataParts, pd.DataFrame, list[dict[str, Any]]]:
    """Return the data of the new version: their parts, all rows, and the local files that load_data has read."""
    import pandas as pd

    before = parts_of(spec.name, root, current)
    if request.file is None:
        if not before.loads and not request.replaces:
            raise DataError(TEXTS["replaced"].format(name=spec.name, version=current.version))
        parts = DataParts() if request.replaces else before
    else:
        features, target, note = read_new_rows(spec, former, request.file, request.skips_bad_rows)
        if note:
            progress(note)
        part = write_part(spec.name, root, features, target)
        if part in before.parts and not request.replaces:
            facts = {"file": request.file, "name": spec.name, "version": current.version}
            raise DataError(TEXTS["again"].format(**facts))
        parts = DataParts(False, (part,)) if request.replaces else DataParts(before.loads, (*before.parts, part))
    tables, data_files = [], []
    if parts.loads:
        with record_reads() as recorded, user_errors(spec):
            table = spec.load_data()
        rows, codes = training.checked(spec, table)
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
    }
    entry = store.publish(
        candidate, root, kind="refresh", serves=serves, compare_files=parts == DataParts(),
        seconds=round(seconds, 3), note=request.note, reason="" if decision.accepted else reason, details=details,
    )  # fmt: skip
    facts = {"version": entry.version, "name": name, "number": entry.number, "before": current.version}
    text = TEXTS["served" if serves else "refused"].format(**facts, reason=reason)
    return Result(entry, decision, text)


@contextlib.contextmanager
def _alone(name: str, root: Root) -> Iterator[None]:
    """Let one process at a time refresh a model; a second one gets an error that names the first.

    Of a store at a URL, the processes of one machine.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    folder = store.local_folder(root) / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / "refresh.lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise IrislibError(TEXTS["running"].format(name=name, owner=file.read() or "another process")) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} of {whoami()} since {time.strftime('%Y-%m-%d %H:%M:%S')}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)  # a process forked meanwhile has the file, too
