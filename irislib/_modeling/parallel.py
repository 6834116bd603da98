"""Parts of one request that several threads work on, in order."""

from __future__ import annotations

import contextvars
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from irislib._compiled import single_threaded
from irislib._modeling.threads import idle_cores

__all__ = ["map_in_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_threads = threading.Lock()  # of one request of the process at a time


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Yield each item with its result, in order.

    If there are several items and several idle cores, a thread for each of these works on the next ones, unless
    another request has such threads.
    """
    items = iter(items)
    first = list(itertools.islice(items, 2))
    items = itertools.chain(first, items)
    cores = idle_cores() if len(first) > 1 else 1
    if cores > 1 and _threads.acquire(blocking=False):
        try:
            yield from _map_ahead(function, items, cores)
        finally:
            _threads.release()
    else:
        for item in items:
            yield item, _work(function, item)


def _work(function: Callable[[Item], Result], item: Item) -> Result:
    with single_threaded():  # an estimator's own threads wait for each other in busy loops where no core is idle
        return function(item)


def _map_ahead(function: Callable[[Item], Result], items: Iterable[Item], cores: int) -> Iterator[tuple[Item, Result]]:
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(cores, "irislib-rows")
    try:
        for item in items:
            waiting.append((item, pool.submit(contextvars.copy_context().run, _work, function, item)))
            if len(waiting) > cores:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
