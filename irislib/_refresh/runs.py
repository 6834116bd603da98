"""The records of refreshes, for every process of this machine: what runs, how far it is, and what became of it.

``<name>/refreshes/<id>/`` is a run, in the folder of this machine for what belongs to a store. ``run.json`` is its
record, which is replaced in one step; its process has locked the file ``lock``, so that one that was killed is known to
have ended; ``cancelled`` says that it is to end, and why; ``log`` is what it printed.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common import file_locks
from irislib._common.messages.refresh import TEXTS
from irislib._common.paths import write_atomically
from irislib._modeling import store
from irislib._store.entries import whoami
from irislib.errors import IrislibError, StoreError

if TYPE_CHECKING:
    from irislib._store.files import Root

__all__ = [
    "ACCEPTED",
    "CANCELLED",
    "FAILED",
    "REFUSED",
    "RUNNING",
    "STAGES",
    "Run",
    "RunningError",
    "cancel",
    "find",
    "latest",
    "recent",
    "runs_folder",
]

RUNNING, ACCEPTED, REFUSED, FAILED, CANCELLED = "running", "accepted", "refused", "failed", "cancelled"
STAGES = ("start", "read", "train", "compare", "publish", "end")  # in their order
RECORD, LOCK, MARK, PROCESS, LOG = "run.json", "lock", "cancelled", "process", "log"  # the files of a run

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_END_SECONDS = 3.0  # in which a process that is ended has let go of its files


class RunningError(IrislibError):
    """Another refresh of the model is running.

    Attributes
    ----------
    run : Run or None
        The other one, if it has a record.
    """

    def __init__(self, name: str, run: Run | None):
        owner = TEXTS["another"] if run is None else TEXTS["owner"].format(process=run.pid, by=run.by, at=run.started)
        super().__init__(TEXTS["running"].format(name=name, owner=owner))
        self.run = run


@dataclass(frozen=True)
class Run:
    """A refresh of a model: its request, how far it is, and what became of it.

    Attributes
    ----------
    id : str
        In the order of their beginnings.
    model : str
    state : str
        ``running``, ``accepted`` (a version was made and serves), ``refused`` (one was made and does not serve),
        ``failed`` or ``cancelled``.
    stage : str
        One of `STAGES`.
    fraction : float
        The part of the work that is done.
    text : str
        What is being done, in a sentence.
    remarks : tuple of str
        What is worth knowing, such as the rows that were left out.
    result : str
        What became of it, in a sentence, and of a failure in several lines; empty while it runs.
    started, ended : str
        ISO 8601, UTC; `ended` is empty while it runs.
    by : str
        User and machine.
    pid : int
        Its process; 0 until that has been started.
    file : str
        The name of the file with the new rows; empty if they are what ``load_data`` returns.
    replace, skip_bad_rows, force : bool
    note : str
    entry : int or None
        The number of its entry in the store.
    version : str
        The model's new version.
    problems : list of dict
        Rows of the file that are not valid: ``row``, as a spreadsheet numbers it, ``feature`` and ``message``. Of many
        the first ones.
    problem_rows : int
        How many rows are not valid.
    """

    id: str
    model: str
    state: str = RUNNING
    stage: str = STAGES[0]
    fraction: float = 0.0
    text: str = ""
    remarks: tuple[str, ...] = ()
    result: str = ""
    started: str = ""
    ended: str = ""
    by: str = ""
    pid: int = 0
    file: str = ""
    replace: bool = False
    skip_bad_rows: bool = False
    force: bool = False
    note: str = ""
    entry: int | None = None
    version: str = ""
    problems: tuple[dict[str, Any], ...] = ()
    problem_rows: int = 0

    @property
    def is_running(self) -> bool:
        """True until it has ended."""
        return self.state == RUNNING

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON has it."""
        return {**asdict(self), "remarks": list(self.remarks), "problems": list(self.problems)}


def runs_folder(name: str, root: Root) -> Path:
    """Return the folder of the runs of a model."""
    return store.local_folder(root) / name / "refreshes"


def find(name: str, run_id: str, root: Root | None = None) -> Run | None:
    """Return a run of a model, or None if there is no record of it.

    Parameters
    ----------
    name, run_id : str
    root : Path or str, optional
        The store; the default one if left out.
    """
    root = store.default_root() if root is None else root
    folder = runs_folder(name, root) / run_id
    if not _ID.fullmatch(run_id) or (run := read(folder)) is None:
        return None
    if run.is_running and not file_locks.is_taken(folder / LOCK):
        run = read(folder) or run  # it may have ended just then
        if run.is_running:
            run = _settled(run, folder, root)
            with suppress(OSError):
                write(folder, run)
    return run


def recent(name: str, root: Root | None = None) -> list[Run]:
    """Return the last runs of a model, the newest first; see :func:`find`."""
    root = store.default_root() if root is None else root
    return list(_newest_first(name, root))


def latest(name: str, root: Root | None = None) -> Run | None:
    """Return the newest run of a model, or None if there is none; see :func:`find`."""
    return next(_newest_first(name, store.default_root() if root is None else root), None)


def cancel(name: str, run_id: str, root: Root | None = None) -> Run | None:
    """End a run, unless it has ended, and return what became of it; the current version stays as it is.

    Of one on another machine, or in another container, it says that it is to end; its process does so within a second.
    """
    run = find(name, run_id, root)
    if run is None or not run.is_running:
        return run
    folder = runs_folder(name, store.default_root() if root is None else root) / run_id
    write_atomically(folder / MARK, TEXTS["cancelled"].format(by=whoami()))
    process = _process(folder)
    with suppress(OSError):
        if process.get("namespace") == process_namespace() and file_locks.is_taken(folder / LOCK):
            os.kill(-process["pid"] if process["is_group"] else process["pid"], signal.SIGTERM)
    end = time.monotonic() + _END_SECONDS
    while file_locks.is_taken(folder / LOCK) and time.monotonic() < end:
        time.sleep(0.01)
    return find(name, run_id, root)


def _newest_first(name: str, root: Root) -> Iterator[Run]:
    runs = (find(name, run_id, root) for run_id in sorted(names(runs_folder(name, root)), reverse=True))
    return (run for run in runs if run is not None)


def names(folder: Path) -> list[str]:
    """Return the ids of the runs in a folder."""
    with suppress(FileNotFoundError):
        return [name for name in os.listdir(folder) if _ID.fullmatch(name)]
    return []


def now() -> str:
    """Return the time as a record has it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def process_namespace() -> str:
    """Return where process ids mean the same: the machine, and the container on it."""
    with suppress(OSError):
        return f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def read(folder: Path) -> Run | None:
    """Return the record in a run's folder, or None if it cannot be read."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        known = {part.name for part in fields(Run)}  # a later version of irislib may write more
        record = {key: value for key, value in record.items() if key in known}
        more = {name: tuple(record.get(name, ())) for name in ("remarks", "problems")}
        more["pid"] = _process(folder).get("pid", 0)
        return Run(**record | more)
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def write(folder: Path, run: Run) -> None:
    """Write a record into a run's folder."""
    write_atomically(folder / RECORD, json.dumps(run.to_dict(), indent=1), is_durable=not run.is_running)


def note_process(folder: Path, pid: int) -> None:
    """Note which process does a run, and whether it is the first of a group, which is ended with it."""
    process = {"pid": pid, "is_group": os.getpgid(pid) == pid, "namespace": process_namespace()}
    write_atomically(folder / PROCESS, json.dumps(process))


def _process(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / PROCESS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _settled(run: Run, folder: Path, root: Root) -> Run:
    """Return the record of a run whose process has ended without writing one."""
    run = replace(run, ended=now(), state=FAILED, text="", result=TEXTS["no_result"])
    with suppress(OSError):
        run = replace(run, state=CANCELLED, result=(folder / MARK).read_text(encoding="utf-8"))
    with suppress(StoreError, OSError):  # its last step may have been the one that makes a version current
        for entry in store.entries(run.model, root):
            if entry.details.get("run") == run.id:
                state = ACCEPTED if entry.serves else REFUSED
                text = TEXTS["published"].format(version=entry.version, number=entry.number, reason=entry.reason)
                return replace(run, state=state, result=text.strip(), entry=entry.number, version=entry.version)
            if entry.at < run.started:
                break
    return run
