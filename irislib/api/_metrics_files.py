"""The files of the metrics, which the workers share: a full disk costs metrics, never a response."""

from __future__ import annotations

import itertools
import logging
import mmap
import os
import tempfile
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

__all__ = ["FOLDER", "AllocatedDict", "slot"]

log = logging.getLogger("irislib.api")

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name for where processes leave their numbers
INITIAL_BYTES = 2**16


class AllocatedDict(MmapedDict):
    """prometheus_client's file of numbers, with all of its blocks allocated before they are written.

    In a sparse file on a full disk the first write to a block ends the process by SIGBUS. If there is no room, the
    numbers are in this process's memory instead, where no other process adds them up.
    """

    def __init__(self, filename: str, read_mode: bool = False):
        self._is_in_memory = not read_mode and not _allocate_file(filename)
        if self._is_in_memory:
            filename = _memory_file()
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        needed = self._used + len(key.encode()) + 32  # its length, padding, value and time
        capacity = self._capacity
        while needed > capacity:
            capacity *= 2
        if capacity > self._capacity and not self._is_in_memory and not _allocate(self._f.fileno(), capacity):
            self._move_to_memory()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _move_to_memory(self) -> None:
        content, self._is_in_memory = bytes(self._m), True
        self._m.close()
        self._f.close()
        self._f = open(_memory_file(), "a+b")  # noqa: SIM115 - as long as this process
        self._f.write(content)
        self._f.flush()
        self._m = mmap.mmap(self._f.fileno(), self._capacity)


def _allocate_file(filename: str) -> bool:
    """Allocate the blocks of a file, of a new one before it has its name: others read it from then on."""
    new = f"{filename}.new"
    try:
        if os.path.exists(filename):
            with open(filename, "r+b") as file:
                return _allocate(file.fileno(), max(INITIAL_BYTES, os.fstat(file.fileno()).st_size))
        with open(new, "wb") as file:
            is_allocated = _allocate(file.fileno(), INITIAL_BYTES)
        os.replace(new, filename) if is_allocated else os.unlink(new)
    except OSError as error:
        _warn(error)
        return False
    return is_allocated


def _allocate(file: int, size: int) -> bool:
    """Allocate the blocks of a file; return False if there is no room."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
        else:  # macOS
            os.ftruncate(file, size)
    except OSError as error:
        _warn(error)
        return False
    return True


def _warn(error: OSError) -> None:
    log.warning("The metrics of this process are not added to those of the others: %s.", error.strerror)


def _memory_file() -> str:
    """Return the path of a new file in memory."""
    if hasattr(os, "memfd_create"):
        return f"/proc/self/fd/{os.memfd_create('irislib-metrics')}"
    return tempfile.mkstemp(prefix="irislib-metrics-")[1]


_held: dict[str, int] = {"pid": 0, "slot": 0}


def slot() -> int:
    """Return a number of this process's own, among those that run.

    prometheus_client names a file by each process's id, so that there are ever more of them while
    workers come and go. A new worker takes over the files of one that has ended instead, and counts on in them.
    """
    # mark_process_dead is no way out: it deletes the files of live gauges only, for those of counters and
    # histograms still count, and we have no live gauge.
    if _held["pid"] == os.getpid():
        return _held["slot"]
    try:
        number = _lock_slot()
    except OSError as error:
        _warn(error)
        number = os.getpid()
    _held.update(pid=os.getpid(), slot=number)
    return number


def _lock_slot() -> int:
    import fcntl

    for number in itertools.count():
        path = Path(os.environ[FOLDER]) / f"slot-{number}"
        try:
            # never closed: the lock is given back when the process ends, however it does
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except PermissionError:
            if not path.exists():
                raise
            continue  # that of a master which runs as another user than its workers
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            continue
        return number
    raise AssertionError  # there are numbers enough
