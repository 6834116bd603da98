"""The upload of a prediction log to a URL: files of this machine's folder that are complete, one by one.

Object stores cannot append, so that processes write to a folder of this machine as to any other log. Every minute what
they have written becomes a segment: a file that gets a name of its own, is uploaded under that name, and deleted here.
A segment that is uploaded twice, such as by a process that was killed before it deleted it, is the same file twice.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from irislib._common import file_locks
from irislib._prediction_log.files import end_of_lines, log_files, open_locked
from irislib._prediction_log.options import LogOptions
from irislib._store.files import files_of

__all__ = ["Uploader", "seal"]

log = logging.getLogger("irislib.prediction_log")

SEGMENT = re.compile(
    r"predictions-(\d{4}-\d\d-\d\d)T\d{12}-[0-9a-f]{16}-(\d+)\.jsonl"
)  # when it was made, and its size
LOCK = ".upload"
MAX_SECONDS = 600  # between two attempts while the store is away
LISTED_SECONDS = 3600  # after which the URL is looked through for what is too old or too much
UNLOCKED_SECONDS = 3600  # after which a file counts as complete where there are no locks


class Uploader:
    """The thread of a process that uploads the segments of a folder, its own and those of ended processes.

    While the store is away the segments wait in the folder, within its limit; the attempts become less frequent.

    Parameters
    ----------
    options : LogOptions
        With a URL.
    release : callable
        Called to close the file that this process writes to.
    """

    def __init__(self, options: LogOptions, release: Callable[[], None]):
        self.options, self.release = options, release
        self.folder = Path(options.folder)
        self.files = files_of(options.url)
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._size, self._next_listing = 0, 0.0  # bytes at the URL, as far as they are known

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="irislib-prediction-log-upload", daemon=True)
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Upload what is there, within some seconds; the rest stays for the next server."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._ends.is_set()
            done = self.turn()
            seconds = self.options.upload_seconds
            self._ends.wait(seconds if done else min(seconds * 2**self._failures, max(MAX_SECONDS, seconds)))

    def turn(self) -> bool:
        """Upload all that is complete, and return whether that has worked."""
        try:
            self.release()
            with _one_process(self.folder):
                for segment in seal(self.folder):
                    self._upload(segment)
                if time.monotonic() >= self._next_listing:
                    self._make_room(0)
        except Exception as error:  # of the network, of a library that uses it, or of the disk
            if not self._failures:
                log.error(
                    "The prediction log cannot be uploaded to %s: %s. It waits in %s, and is tried again.",
                    self.options.url, error, self.folder,
                )  # fmt: skip
            self._failures = min(self._failures + 1, 20)
            return False
        if self._failures:
            log.warning("The prediction log is uploaded to %s again.", self.options.url)
            self._failures = 0
        return True

    def _upload(self, segment: Path) -> None:
        try:
            content = segment.read_bytes()
        except FileNotFoundError:  # deleted to make room in the folder
            return
        self._make_room(len(content))
        self.files.create(segment.name, content)
        self._size += len(content)
        segment.unlink(missing_ok=True)

    def _make_room(self, count: int) -> None:
        """Delete segments at the URL that are too old or too much, the oldest first, of all machines."""
        if time.monotonic() < self._next_listing and self._size + count <= self.options.bytes:
            return
        segments = sorted(filter(None, map(SEGMENT.fullmatch, self.files.names(""))), key=lambda name: name[0])
        self._size = sum(int(segment[2]) for segment in segments)
        oldest = ""
        if self.options.days:
            oldest = (dt.datetime.now(dt.UTC) - dt.timedelta(days=self.options.days)).date().isoformat()
        for segment in segments:
            is_old = segment[1] < oldest
            if not is_old and self._size + count <= self.options.bytes:
                break
            self.files.delete(segment[0])
            self._size -= int(segment[2])
            reason = f"{self.options.days} days old" if is_old else "the oldest, and the log is full"
            log.info("Prediction log: %s at %s is deleted, for it is %s.", segment[0], self.options.url, reason)
        self._next_listing = time.monotonic() + LISTED_SECONDS


def seal(folder: Path) -> list[Path]:
    """Make segments of all files that no process writes to, and return the segments, the oldest first."""
    for path in log_files(folder):
        if SEGMENT.fullmatch(path.name):
            continue
        file, is_locked = open_locked(path)
        if is_locked or (file < 0 and time.time() - path.stat().st_mtime < UNLOCKED_SECONDS):
            continue
        try:
            size = end_of_lines(file) if file >= 0 else path.stat().st_size
            with suppress(FileNotFoundError):
                if size:
                    now = dt.datetime.now(dt.UTC)
                    path.rename(folder / f"predictions-{now:%Y-%m-%dT%H%M%S%f}-{secrets.token_hex(8)}-{size}.jsonl")
                else:
                    path.unlink()
        finally:
            if file >= 0:
                os.close(file)
    return [path for path in log_files(folder) if SEGMENT.fullmatch(path.name)]


@contextmanager
def _one_process(folder: Path) -> Iterator[None]:
    """Let one process at a time upload; where that is not possible, any."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / LOCK).touch(mode=0o600)
    with ExitStack() as stack:
        with suppress(OSError):
            stack.callback(file_locks.free, file_locks.take(folder / LOCK, on_wait=lambda: None))
        yield
