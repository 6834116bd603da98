"""The limits of the operating system: open files and processes."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress
from pathlib import Path

import psutil

from irislib._serving.memory import CGROUPS, group_folders

__all__ = ["free_files", "has_room_for_pages", "is_exhausted", "raise_file_limit"]

FILES_PER_PAGE = 24  # the sockets of its kernel, of its page and, for a while, of its browser
FILES_IN_RESERVE = 80  # for the endpoint, and for files that are open for a moment
THREADS_PER_PAGE = 20  # of its kernel
MAX_FILES = 65_536  # more would be no use, and some programs go through all of them
UNLIMITED = 2**30
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}


def raise_file_limit() -> None:
    """Let this process have as many open files as the operating system grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (MAX_FILES, 10_240):  # macOS refuses more than this number
        target = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        if 0 <= soft < target:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
                return


def free_files() -> int:
    """Return how many files this process can still open."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if limit == resource.RLIM_INFINITY else limit - _open_files()


def _open_files() -> int:
    with suppress(OSError):  # without Linux's folder of them
        return os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd"))  # Linux counts them since 6.2
    return int(psutil.Process().num_fds())


def free_processes() -> int:
    """Return how many processes and threads can still be started, as far as it is known."""
    free = UNLIMITED
    with suppress(OSError, ValueError):
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        group = next(line for line in lines if line.startswith("0::")).removeprefix("0::")
        for folder in group_folders(CGROUPS, group):
            if (folder / "pids.max").exists():
                limit = (folder / "pids.max").read_text().strip()
                if limit != "max":
                    free = min(free, int(limit) - int((folder / "pids.current").read_text()))
    return min(free, _free_of_user())


def _free_of_user() -> int:
    if os.geteuid() == 0:  # root has no such limit
        return UNLIMITED
    limit, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if limit == resource.RLIM_INFINITY:
        return UNLIMITED
    with suppress(OSError, ValueError):
        running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])  # of all users
        if limit - running > 10 * THREADS_PER_PAGE:
            return limit - running
    user = os.geteuid()
    threads = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            threads += process.num_threads() if process.uids().effective == user else 0
    return limit - threads


def has_room_for_pages(count: int) -> bool:
    """Return True if so many pages more can have their files and processes."""
    return free_files() >= FILES_IN_RESERVE + FILES_PER_PAGE * count and free_processes() >= THREADS_PER_PAGE * count


def is_exhausted(error: BaseException) -> bool:
    """Return True if an error says that the operating system has no more files, processes or memory."""
    return getattr(error, "errno", None) in EXHAUSTED
