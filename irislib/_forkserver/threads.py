"""Threads that imports start: found by name, and switched off where a library can do without."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = ["has_threads", "single_threaded", "thread_names", "watch_imports"]

SINGLE_THREADED = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
     "MALLOC_ARENA_MAX"), "1"
)  # fmt: skip
# The allocators of pyarrow, which pandas imports wherever it is installed, and of libraries in Rust, such as polars.
ALLOCATORS = ("JE_ARROW_MALLOC_CONF", "_RJEM_MALLOC_CONF")
NO_THREAD = "background_thread:false"


def single_threaded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which libraries start no threads, as far as they can be asked to."""
    allocators = {name: ",".join(filter(None, (environment.get(name), NO_THREAD))) for name in ALLOCATORS}
    return {**environment, **SINGLE_THREADED, **allocators}


def has_threads() -> bool:
    """Return True if this process has more than one thread: a forked one would lack the others."""
    return len(os.listdir("/proc/self/task")) > 1


def thread_names() -> list[str]:
    """Return the names of all threads but the main one."""
    names = []
    for path in Path("/proc/self/task").iterdir():
        if path.name != str(os.getpid()):
            with suppress(OSError):  # it has ended meanwhile
                names.append((path / "comm").read_text().strip())
    return sorted(names)


@contextmanager
def watch_imports() -> Iterator[list[str]]:
    """Yield a list that comes to hold the module whose import has started the first thread."""
    original: Any = builtins.__import__
    names: list[str] = []

    def watched(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        n_modules = len(sys.modules)
        module = original(name, globals, locals, fromlist, level)
        if not names and len(sys.modules) != n_modules:
            is_builtin = not level and name.partition(".")[0] in sys.stdlib_module_names
            if has_threads() and not is_builtin:  # the innermost import ends first
                package = (globals or {}).get("__package__") or ""
                parent = package.rsplit(".", level - 1)[0] if level else ""
                names.append(".".join(filter(None, (parent, name))))
        return module

    builtins.__import__ = watched
    try:
        yield names
    finally:
        builtins.__import__ = original
