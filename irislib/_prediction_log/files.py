"""The files of the prediction log: one for each process that writes, bounded, of whole lines."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import itertools
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from irislib._prediction_log.options import LogOptions

__all__ = ["LogFolder", "end_of_lines", "log_files", "open_locked"]

log = logging.getLogger("irislib.prediction_log")

PATTERN = "predictions-*.jsonl"
FILES = 20  # of full size fit into the folder
MAX_FILE_BYTES = 50_000_000
CHECKS = 100  # of the folder's size, while as much is written as it may hold
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)


def log_files(folder: Path) -> list[Path]:
    """Return the files of a prediction log, the oldest day first."""
    return sorted(folder.glob(PATTERN))


class LogFolder:
    """The folder of the prediction log, for one process that writes to it.

    A process writes to a file that it has locked, so that no two write to the same, and a new process goes on with
    the file of one that has ended. There is a new file for each day, and when one is full. Before more is written
    than the folder may hold, files that no process has locked are deleted, the oldest first.

    Parameters
    ----------
    options : LogOptions
    """

    def __init__(self, options: LogOptions):
        self.path = Path(options.folder)
        self.limit, self.days = options.bytes, options.days
        self.file_bytes = min(self.limit // FILES, MAX_FILE_BYTES)
        self._file = -1
        self._day = ""
        self._size = self._unchecked = 0

    def append(self, lines: bytes) -> None:
        """Append whole lines, all of them or none.

        Raises
        ------
        OSError
            If they cannot be written; what was there before stays as it was.
        """
        day = dt.datetime.now(dt.UTC).date().isoformat()
        if self._file < 0 or day != self._day or self._size + len(lines) > self.file_bytes or self._is_deleted():
            self.close()
            self._open(day, len(lines))
        self._unchecked += len(lines)
        if self._unchecked > self.limit // CHECKS:
            self._make_room(len(lines))
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Close the file, which another process may go on with."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _is_deleted(self) -> bool:
        return os.fstat(self._file).st_nlink == 0

    def _open(self, day: str, count: int) -> None:
        """Open the first file of a day that no process writes to and that has room for so many bytes."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = itertools.chain((f"{number:04}" for number in range(1, 10_000)), iter(lambda: secrets.token_hex(8), ""))
        for name in names:
            path = self.path / f"predictions-{day}-{name}.jsonl"
            if _is_full(path, self.file_bytes - count):
                continue
            file, is_locked = open_locked(path)
            if file < 0 and not is_locked:  # there are no locks here: a file of its own
                path = self.path / f"predictions-{day}-{secrets.token_hex(8)}.jsonl"
                file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            if file >= 0:
                break
        self._file, self._day, self._size = file, day, end_of_lines(file)
        self._make_room(count)

    def _make_room(self, count: int) -> None:
        """Delete what is too old or too much.

        Raises
        ------
        OSError
            If the folder is full of files that other processes write to.
        """
        self._unchecked = self.limit  # if it fails: checked again before anything is written
        oldest = time.time() - self.days * 86_400
        files = sorted(_statuses(self.path), key=lambda entry: entry[1].st_mtime)
        total = sum(status.st_size for _, status in files)
        for path, status in files:
            is_old = self.days and status.st_mtime < oldest
            if not is_old and total + self._reserve(count) <= self.limit:
                break
            if self._delete(path, status):
                total -= status.st_size
                reason = f"{self.days} days old" if is_old else f"the oldest, and {self.path} is full"
                log.info("Prediction log: %s is deleted, for it is %s.", path.name, reason)
        if total + count > self.limit:
            raise OSError(errno.EFBIG, f"{self.path} has {total:,} of at most {self.limit:,} bytes")
        self._unchecked = count

    def _reserve(self, count: int) -> int:
        """Return how much may be written until the next check, by this process and a few others."""
        return count + 4 * (self.limit // CHECKS)

    def _delete(self, path: Path, status: os.stat_result) -> bool:
        """Delete a file unless a process writes to it."""
        own = os.fstat(self._file)
        if (status.st_ino, status.st_dev) == (own.st_ino, own.st_dev):
            return False
        file, is_locked = open_locked(path)
        if is_locked:
            return False
        try:
            path.unlink()
        except OSError:
            return False
        finally:
            if file >= 0:
                os.close(file)
        return True


def _statuses(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in log_files(folder):
        with suppress(OSError):  # deleted by another process
            yield path, path.stat()


def _is_full(path: Path, limit: int) -> bool:
    try:
        return path.stat().st_size > max(limit, 0)
    except FileNotFoundError:
        return False


def open_locked(path: Path) -> tuple[int, bool]:
    """Open and lock a file, which is made if need be.

    Returns
    -------
    file : int
        -1 if it cannot be locked.
    is_locked : bool
        True if another process has locked it; without a file and without that there are no locks on this system.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file, False
        except FileNotFoundError:
            pass  # another process has deleted it before it was locked
        except BlockingIOError:
            os.close(file)
            return -1, True
        except OSError as error:
            os.close(file)
            if error.errno in NO_LOCKS:
                return -1, False
            raise
        os.close(file)


def end_of_lines(file: int) -> int:
    """Return the size of a file, without the part of a line at its end that a killed process has left."""
    size = os.fstat(file).st_size
    end = size
    while end and (block := os.pread(file, min(end, 65_536), max(0, end - 65_536))):
        if (position := block.rfind(b"\n")) >= 0:
            end = end - len(block) + position + 1
            break
        end -= len(block)
    if end < size:
        os.ftruncate(file, end)
    return end
