"""The progress of a training, as far as it can be seen: of what joblib runs in parts, such as the trees of a forest."""

from __future__ import annotations

import functools
import itertools
import operator
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import GeneratorType
from typing import Any, NamedTuple

__all__ = ["TrainingProgress", "reported_training"]


class TrainingProgress(NamedTuple):
    """Progress of the outermost work in parts.

    Attributes
    ----------
    done, total : int
        Parts: the fits of a search, the trees of a forest.
    step : int
        The number of this work, from 1: a search by halving does several, one after the other.
    seconds : float
        Since it began.
    """

    done: int
    total: int
    step: int
    seconds: float

    @property
    def fraction(self) -> float:
        """The part that is done."""
        return min(self.done / self.total, 1.0)

    @property
    def seconds_left(self) -> float:
        """The time that is left if the rest is as fast."""
        return self.seconds / self.fraction - self.seconds if self.done else float("inf")


@contextmanager
def reported_training(report: Callable[[TrainingProgress], Any]) -> Iterator[None]:
    """Call a function with the progress of a training, after each part of the outermost work in parts.

    An estimator that does several such works one after the other, as a stack of others does, reports each from 0 to 1.

    Parameters
    ----------
    report : callable
    """
    import joblib

    call, print_progress = joblib.Parallel.__call__, joblib.Parallel.print_progress
    outermost: list[Any] = []
    total, step, start = 0, 0, 0.0

    @functools.wraps(call)
    def counted_call(self: Any, iterable: Any) -> Any:
        nonlocal total, step, start
        if outermost:
            return call(self, iterable)
        outermost.append(self)
        total, start = count_of(iterable), time.monotonic()
        step += 1 if total else 0
        try:
            return call(self, iterable)
        finally:
            outermost.clear()

    @functools.wraps(print_progress)
    def counted_progress(self: Any) -> None:
        print_progress(self)
        if total and outermost and outermost[0] is self:
            report(TrainingProgress(self.n_completed_tasks, total, step, time.monotonic() - start))

    joblib.Parallel.__call__, joblib.Parallel.print_progress = counted_call, counted_progress
    try:
        yield
    finally:
        joblib.Parallel.__call__, joblib.Parallel.print_progress = call, print_progress


def count_of(iterable: Any) -> int:
    """Return how many items an iterable has, without taking any of them; 0 if that cannot be seen."""
    with suppress(Exception):  # it is a matter of display
        if isinstance(iterable, GeneratorType):
            frame = iterable.gi_frame
            if frame is None or iterable.gi_code.co_name != "<genexpr>":
                return 0
            return count_of(frame.f_locals[".0"])  # what the expression goes through
        if (count := operator.length_hint(iterable, -1)) >= 0:
            return count
        if isinstance(iterable, enumerate):
            return count_of(iterable.__reduce__()[1][0])
        if isinstance(iterable, zip):
            return min(map(count_of, iterable.__reduce__()[1]), default=0)
        if isinstance(iterable, itertools.product):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.14 has it no more
                pools: Any = iterable.__reduce__()[1]
            count = 1
            for pool in pools:
                count *= len(pool)
            return count
    return 0
