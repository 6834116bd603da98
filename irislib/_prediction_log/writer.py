"""The writer of the prediction log: requests leave their entries in a queue, and one thread writes them."""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache

from threadpoolctl import ThreadpoolController

from irislib._common.gathering_thread import GatheringThread
from irislib._modeling.model import Model
from irislib._prediction_log.files import LogFolder
from irislib._prediction_log.options import LogOptions
from irislib._prediction_log.records import Entry, ModelRecords, lines_of
from irislib._prediction_log.uploads import Uploader

__all__ = ["LEFT_OUT", "LOST", "WRITTEN", "PredictionLog"]

log = logging.getLogger("irislib.prediction_log")

MAX_VERSIONS = 100  # whose constant parts are kept
MAX_WAITING = 20_000  # entries; those that come when there are as many are lost
SECONDS = 0.25  # in which entries gather
CHUNK = 256  # entries that are written at once
END_SECONDS = 10  # for what still waits when the process ends
WRITTEN, LOST, LEFT_OUT = "written", "lost", "left_out"  # what becomes of an entry


class PredictionLog:
    """The prediction log of one process.

    An entry takes a request no longer than to append to a list. Nothing that happens to the log reaches a request:
    what cannot be written is lost, counted, and told once in the server's log. The thread begins with the first entry,
    and so in the process that answers, whatever it was forked from.

    Parameters
    ----------
    options : LogOptions
    count : callable
        Called with what became of some entries, and their number.
    """

    def __init__(self, options: LogOptions, count: Callable[[str, int], None] = lambda outcome, number: None):
        self.options, self.count = options, count
        self.folder = LogFolder(options)
        self._waiting: deque[Entry] = deque()
        self._starts, self._writes = threading.Lock(), threading.Lock()
        self._thread = GatheringThread("irislib-prediction-log", SECONDS, self.flush, self._begin, self._finish)
        self._uploader: Uploader | None = None
        self._overflow = 0  # entries for which there was no room
        self._lost = 0  # entries since the log could not be written any more
        self._records: dict[tuple[str, str], ModelRecords] = {}

    def records_of(self, model: Model) -> ModelRecords:
        """Return what is the same in all records of a model."""
        key = model.spec.name, model.version  # a model may have a candidate besides
        records = self._records.get(key)
        if records is None or records.model is not model:
            if len(self._records) >= MAX_VERSIONS:
                self._records.clear()
            records = self._records[key] = ModelRecords(model)
        return records

    def start(self) -> None:
        """Upload to a URL from now on, also what earlier processes have left; to be called after a fork."""
        with self._starts:
            if self.options.url and self._uploader is None:
                self._uploader = Uploader(self.options, self._release)
                self._uploader.start()
                atexit.register(self.close)

    def add(self, entry: Entry) -> None:
        """Have an entry written soon; it neither waits nor fails."""
        if len(self._waiting) >= MAX_WAITING:
            self._overflow += 1
            return
        self._waiting.append(entry)
        if not self._thread.wakes.is_set():
            self._wake()

    def write_now(self, line: bytes) -> None:
        """Write a line, and return when it is written.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        with self._writes:
            self.folder.append(line)

    def flush(self) -> None:
        """Write all entries that wait."""
        with self._writes:
            self._write_waiting()

    def close(self) -> None:
        """Write what waits, close the file and upload it; to be called when the process ends."""
        self._thread.end(END_SECONDS)
        if self._uploader is not None:
            self._uploader.end(END_SECONDS)

    def _release(self) -> None:
        with self._writes:
            self.folder.close()

    def _wake(self) -> None:
        try:
            self._thread.wake()
        except RuntimeError:  # it is tried again for the next entry
            log.exception("The prediction log has no thread.")

    def _begin(self) -> None:
        atexit.register(self.close)
        self.start()

    def _finish(self) -> None:
        self.flush()
        self._release()

    def _write_waiting(self) -> None:
        with _blas().limit(limits=1):  # its threads would wait for each other where the cores have other work
            while self._waiting:
                entries = [self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))]
                self._write(entries)
        overflow, self._overflow = self._overflow, 0
        if overflow:
            self._lose(overflow, f"more than {MAX_WAITING:,} entries wait to be written")

    def _write(self, entries: Sequence[Entry]) -> None:
        try:
            lines, lost = lines_of(entries)
            if lines:
                self.folder.append(lines)
        except Exception as error:
            self._lose(len(entries), str(getattr(error, "strerror", "") or error))
            return
        if lost:
            self._lose(lost, "their values have no JSON")
        elif self._lost:
            log.warning("The prediction log is written again; %d entries were lost.", self._lost)
            self._lost = 0
        self._count(WRITTEN, len(entries) - lost)

    def _lose(self, number: int, reason: str) -> None:
        if not self._lost:
            log.error(
                "Entries of the prediction log in %s are lost: %s. Predictions are answered as before.",
                self.options.folder,
                reason,
            )
        self._lost += number
        self._count(LOST, number)

    def _count(self, outcome: str, number: int) -> None:
        try:
            self.count(outcome, number)
        except Exception:
            log.exception("Entries of the prediction log could not be counted.")


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")
