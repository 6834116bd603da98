"""The memory of the machine or the container."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

__all__ = ["available", "group_folders", "limit_process", "total"]

CGROUPS = Path("/sys/fs/cgroup")
# for each version: its folder, the files of the limit and of the usage, the reclaimable part of the usage
CGROUP_VERSIONS = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
MOMENT = 0.2  # seconds in which kernels that start come to need less than any margin: one reading costs milliseconds

_read_at, _available = float("-inf"), 0


def total() -> int:
    """Return the bytes that this process and its children may use at most."""
    return min(int(psutil.virtual_memory().total), *(limit for limit, _ in _cgroup_limits()))


def available() -> int:
    """Return the bytes that are free, or can be freed at once, as they were read a moment ago at most."""
    global _read_at, _available
    if time.monotonic() - _read_at > MOMENT:
        free = int(psutil.virtual_memory().available)
        _available = min(free, *(limit - used for limit, used in _cgroup_limits()))
        _read_at = time.monotonic()
    return _available


def limit_process(pid: int, limit: int) -> None:
    """Limit the private memory of a process, and let it be killed first if the machine has none left.

    Does nothing if the platform has no such limits, or the process has ended.
    """
    with suppress(OSError, ValueError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("500")
    if limit > 0 and hasattr(resource, "prlimit"):
        with suppress(OSError, ValueError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))


def _cgroup_limits() -> Iterator[tuple[int, int]]:
    """Yield the limits of the control groups of this process, with the usage of each."""
    yield 2**62, 0
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        if names not in ("", "memory"):
            continue
        folder, *files = CGROUP_VERSIONS[bool(names)]
        root = CGROUPS / folder
        for group in group_folders(root, path):
            with suppress(OSError, ValueError):
                yield _read_cgroup(group, *files)


def group_folders(root: Path, path: str) -> list[Path]:
    """Return the folder of a control group and those of the groups around it."""
    folder = root / path.strip("/")
    return [group for group in (folder, *folder.parents) if group.is_relative_to(root)]


def _read_cgroup(group: Path, limit: str, usage: str, spare: str) -> tuple[int, int]:
    maximum = int((group / limit).read_text())  # "max" is no number: no limit
    statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    return maximum, int((group / usage).read_text()) - int(statistics.get(spare, 0))
