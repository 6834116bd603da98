"""Threads of native code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

__all__ = ["idle_cores", "idle_cores_only"]


@contextlib.contextmanager
def idle_cores_only() -> Iterator[None]:
    """Limit OpenMP, in the thread that enters, to about as many threads as there are idle cores.

    Threads that share a core wait for each other in a busy loop at every step: on a busy machine, boosted trees then
    take dozens of times as long.
    """
    pools = _openmp_pools(len(sys.modules))
    threads = min((pool["num_threads"] for pool in pools.info()), default=1)
    idle = idle_cores()
    if threads <= idle:
        yield
    else:
        with pools.limit(limits=idle):
            yield


def idle_cores() -> int:
    """Return about how many of the cores that this process may use are idle, at least 1."""
    import joblib

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, round(int(joblib.cpu_count()) - load))


@lru_cache(maxsize=1)  # it reads the list of all loaded libraries, which takes as long as a prediction
def _openmp_pools(n_modules: int) -> Any:
    """Return the controller of the OpenMP libraries; another import may have loaded one more."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="openmp")
