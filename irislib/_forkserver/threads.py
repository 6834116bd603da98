"""Threads that imports start: found by name, and switched off where a library can do without."""

from __future__ import annotations

import builtins
import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

__all__ = [
    "has_threads",
    "importing_single_threaded",
    "single_threaded",
    "thread_names",
    "use_all_threads",
    "use_one_arena",
    "use_one_thread",
    "watch_imports",
]

SINGLE_THREADED = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
     "MALLOC_ARENA_MAX"), "1"
)  # fmt: skip
# The allocators of pyarrow, which pandas imports wherever it is installed, and of libraries in Rust, such as polars.
ALLOCATORS = ("JE_ARROW_MALLOC_CONF", "_RJEM_MALLOC_CONF")
NO_THREAD = "background_thread:false"
BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # which OpenBLAS reads when it is loaded, in this order
ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def single_threaded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which libraries start no threads, as far as they can be asked to."""
    allocators = {name: ",".join(filter(None, (environment.get(name), NO_THREAD))) for name in ALLOCATORS}
    return {**environment, **SINGLE_THREADED, **allocators}


@contextmanager
def importing_single_threaded() -> Iterator[None]:
    """Let libraries that are imported meanwhile start no threads, and as many as they may afterwards.

    OpenMP and other libraries than OpenBLAS start theirs when they need them.
    """
    limits = {name: value for name, value in single_threaded({}).items() if name in (*ALLOCATORS, BLAS_VARIABLES[0])}
    limits |= {name: f"{value},{NO_THREAD}" for name in ALLOCATORS if (value := os.environ.get(name))}
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def use_all_threads() -> None:
    """Let OpenBLAS have the threads that it would have started when it was loaded."""
    from threadpoolctl import ThreadpoolController

    texts = [os.environ.get(name, "") for name in BLAS_VARIABLES]
    numbers = [int(text) for text in texts if text.isdecimal() and int(text)]
    threads = numbers[0] if numbers else len(os.sched_getaffinity(0))
    ThreadpoolController().select(internal_api="openblas").limit(limits=threads)


def use_one_thread() -> None:
    """Let the libraries that are loaded start no threads from this one."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def use_one_arena() -> None:
    """Let the threads that this process starts allocate from the same memory, as MALLOC_ARENA_MAX does at a start."""
    with suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)


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
