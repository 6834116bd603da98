"""Temporary folders of a server: those of one that was killed are removed by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["claim", "clear_abandoned", "make"]

LOCK = ".irislib-lock"  # a file that its server has locked for as long as it runs

_locks: list[int] = []


def make(prefix: str) -> Path:
    """Make a temporary folder for this process, and remove those of the same prefix that a killed one has left."""
    clear_abandoned(Path(tempfile.gettempdir()), prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    claim(folder)
    return folder


def claim(folder: Path) -> None:
    """Mark a folder as in use until this process and those forked from it have ended."""
    lock, path = tempfile.mkstemp(prefix=f"{LOCK}-", dir=folder)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.rename(path, folder / LOCK)  # only now, for an unlocked one is that of a process which has ended
    _locks.append(lock)


def clear_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders of this user that a process had claimed which has ended."""
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while it is in use
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
