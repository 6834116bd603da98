"""The run of a refresh in the process that does it: its locks, its record, and whatever ends it."""

from __future__ import annotations

import logging
import os
import secrets
import select
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from irislib._common import file_locks
from irislib._common.messages.refresh import TEXTS
from irislib._modeling.user_errors import explain
from irislib._refresh import runs
from irislib._refresh.runs import CANCELLED, FAILED, LOCK, MARK, Run, RunningError
from irislib._store.entries import whoami
from irislib.errors import StoreError

if TYPE_CHECKING:
    from irislib._refresh.request import Request
    from irislib._store.files import Root

__all__ = ["SHARES", "OwnRun"]

log = logging.getLogger(__name__)

# Of the work, before each stage; "load" is the end of a file of new rows, after which the other data are read
SHARES = {"read": 0.02, "load": 0.15, "train": 0.2, "compare": 0.8, "publish": 0.95}
KEPT = 20  # runs of a model whose records are kept
WRITE_SECONDS = 0.3  # between two records of the progress
WATCH_SECONDS = 0.5


class OwnRun:
    """A run of this process, which has its locks until it ends.

    As a context it writes what became of the run: an exception is a failure, Ctrl-C cancels it.

    Parameters
    ----------
    run : Run
    folder : Path
        Of the run.
    locks : sequence of int
        The descriptors of the locks of the model and of the run.

    Attributes
    ----------
    on_step : callable
        Called with the run whenever it is further.
    """

    def __init__(self, run: Run, folder: Path, locks: Sequence[int]):
        self.run, self.folder, self.locks = run, folder, list(locks)
        self.on_step: Callable[[Run], Any] = lambda run: None
        self._written_at, self._changing = float("-inf"), threading.RLock()

    @classmethod
    def begin(cls, name: str, root: Root, request: Request, is_own: bool = True) -> OwnRun:
        """Begin a run of a model, in this process or for one that adopts it.

        Raises
        ------
        RunningError
            If another one has not ended, on this machine or on one that shares the store's folder.
        StoreError
            If its record cannot be written.
        """
        folder = runs.runs_folder(name, root)
        locks: list[int] = []
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                locks.append(file_locks.take(folder.parent / "refresh.lock"))
            except BlockingIOError:
                running = (run for run in runs.recent(name, root) if run.is_running)
                raise RunningError(name, next(running, None)) from None
            for old in _outdated(folder):
                shutil.rmtree(folder / old, ignore_errors=True)
            seconds, thousandths = divmod(time.time_ns() // 1_000_000, 1000)
            moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(seconds))
            run_id = f"{moment}-{thousandths:03}{secrets.token_hex(2)[:3]}"
            run = Run(
                run_id, name, started=runs.now(), by=whoami(), file=request.title, replace=request.replaces,
                skip_bad_rows=request.skips_bad_rows, force=request.is_forced, note=request.note,
            )  # fmt: skip
            folder /= run_id
            folder.mkdir(mode=0o700)
            locks.append(file_locks.take(folder / LOCK))
            if is_own:
                runs.note_process(folder, os.getpid())
            runs.write(folder, run)
        except OSError as error:
            _free(locks)
            raise StoreError(TEXTS["record"].format(name=name, folder=folder, error=error.strerror)) from error
        except BaseException:
            _free(locks)
            raise
        return cls(run, folder, locks)

    @classmethod
    def adopt(cls, folder: Path, locks: Sequence[int], lifeline: int) -> OwnRun:
        """Take over a run that another process has begun, with its locks; it ends with the lifeline."""
        for file in (*locks, lifeline):
            os.set_inheritable(file, False)  # processes that the estimator starts may outlive this one
        run = runs.read(folder)
        if run is None:
            raise StoreError(TEXTS["record"].format(name=folder.parts[-3], folder=folder, error=""))
        own = cls(run, folder, locks)
        own.watch(lifeline)
        return own

    def __enter__(self) -> OwnRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None and self.run.is_running:
            from irislib._refresh.new_rows import RowsError  # here, for a server that starts has no need of it

            cancelled = isinstance(error, KeyboardInterrupt)
            text = TEXTS["cancelled"].format(by=whoami()) if cancelled else explain(error)
            more = {"problems": error.listed, "problem_rows": error.count} if isinstance(error, RowsError) else {}
            self.finish(CANCELLED if cancelled else FAILED, text, **more)
        self.let_go()

    def step(self, stage: str, fraction: float, text: str = "") -> None:
        """Note how far it is."""
        with self._changing:  # parts of a training end in several threads
            begins = stage != self.run.stage
            text = text or ("" if begins else self.run.text)
            self.run = replace(self.run, stage=stage, fraction=round(max(fraction, self.run.fraction), 4), text=text)
            if begins or time.monotonic() - self._written_at > WRITE_SECONDS:
                self._write()
            self.on_step(self.run)

    def part_of(self, begin: str, end: str) -> Callable[[float], None]:
        """Return a function that notes which part of the work between two shares is done."""
        low, high = SHARES[begin], SHARES[end]
        return lambda done: self.step(self.run.stage, low + done * (high - low))

    def remark(self, text: str) -> None:
        """Note what is worth knowing."""
        self.run = replace(self.run, remarks=(*self.run.remarks, text))
        self._write()
        self.on_step(self.run)

    def finish(self, state: str, result: str, **more: Any) -> None:
        """Note what became of it."""
        done = {"stage": "end", "fraction": 1.0, "text": ""} if state in (runs.ACCEPTED, runs.REFUSED) else {"text": ""}
        self.run = replace(self.run, state=state, result=result, ended=runs.now(), **{**done, **more})
        self._write()

    def watch(self, lifeline: int | None = None) -> None:
        """End this process when the run is cancelled, or with the lifeline, whatever it is doing."""
        threading.Thread(target=self._watch, args=(lifeline,), name="refresh", daemon=True).start()

    def let_go(self, is_handed_over: bool = False) -> None:
        """Free the locks, unless another process has them by now."""
        if is_handed_over:
            for lock in self.locks:
                os.close(lock)
            self.locks.clear()
        _free(self.locks)

    def _write(self) -> None:
        self._written_at = time.monotonic()
        try:
            runs.write(self.folder, self.run)
        except OSError:  # a full disk; the store says so where that matters
            if not self.run.is_running:
                log.error("%s", TEXTS["unwritten"].format(folder=self.folder))

    def _watch(self, lifeline: int | None) -> None:
        poll = select.poll()
        if lifeline is not None:
            poll.register(lifeline, select.POLLIN)
        while self.locks:
            if poll.poll(WATCH_SECONDS * 1000):
                with suppress(OSError):
                    (self.folder / MARK).write_text(TEXTS["server_ended"], encoding="utf-8")
                break
            if (self.folder / MARK).exists():
                break
        else:
            return
        is_group = os.getpgrp() == os.getpid()
        (os.killpg if is_group else os.kill)(os.getpid(), signal.SIGTERM)
        time.sleep(WATCH_SECONDS)
        os._exit(128 + signal.SIGTERM)  # the first process of a container gets no signal from itself


def _outdated(folder: Path) -> list[str]:
    """Return the ids of the runs whose records make room for another one: the oldest.

    The last one that was accepted stays: monitoring has its time, and must not forget it while all later ones fail.
    """
    ids = sorted(runs.names(folder))
    records = ((run_id, runs.read(folder / run_id)) for run_id in reversed(ids))
    accepted = next((run_id for run_id, run in records if run is not None and run.state == runs.ACCEPTED), None)
    return sorted(ids, key=lambda run_id: (run_id == accepted, run_id))[: 1 - KEPT]


def _free(locks: list[int]) -> None:
    while locks:
        file_locks.free(locks.pop())
