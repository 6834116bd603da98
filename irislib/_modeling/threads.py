"""Threads of native code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

__all__ = ["idle_cores_only"]


@contextlib.contextmanager
def idle_cores_only() -> Iterator[None]:
    """Limit OpenMP, in the thread that enters, to about as many threads as there are idle cores.

    Threads that share a core wait for each other in a busy loop at every step: on a busy machine, boosted trees then
    take dozens of times as long.
    """
    import joblib
    from threadpoolctl import ThreadpoolController

    pools = ThreadpoolController().select(user_api="openmp")
    threads = min((pool["num_threads"] for pool in pools.info()), default=1)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    idle = max(1, round(joblib.cpu_count() - load))
    if threads <= idle:
        yield
    else:
        with pools.limit(limits=idle):
            yield
