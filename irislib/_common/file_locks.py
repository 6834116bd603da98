"""Locks of files between processes: taken, handed over to a child, and looked at."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["free", "is_taken", "take"]


def take(path: Path, on_wait: Callable[[], None] | None = None) -> int:
    """Lock a file, which is made if need be, and return its descriptor.

    The lock ends with the processes that have the descriptor, whatever ends them. A child that gets it has the lock,
    too, so that it can be handed over.

    Parameters
    ----------
    path : Path
    on_wait : callable, optional
        Called once if another process has the lock, before this one waits for it.

    Raises
    ------
    BlockingIOError
        If another process has it, and this one is not to wait.
    """
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is None:
                raise
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
    except BaseException:
        os.close(file)
        raise
    return file


def free(file: int) -> None:
    """Free a lock by its descriptor, and close that."""
    fcntl.flock(file, fcntl.LOCK_UN)  # a process forked meanwhile has the file, too
    os.close(file)


def is_taken(path: Path) -> bool:
    """Return True if a process has the lock; who looks is in the way of nobody else who does."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(file)
