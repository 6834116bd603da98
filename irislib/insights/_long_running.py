"""Insights that take long: measured step by step when somebody asks, and kept with the version of the model."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from irislib._modeling import store

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.insights._base import Insight

__all__ = ["LongRunning", "on_demand"]

Steps = Generator[float, None, Any]


class LongRunning:
    """An insight that is measured in steps; see :func:`on_demand`."""

    def __init__(
        self, measure: Callable[[Model], Steps], tell: Callable[[Model, Any], Insight], title: str, at_once: bool
    ):
        functools.update_wrapper(self, tell)
        self.name, self.title, self.at_once = tell.__name__, title, at_once
        self._measure, self._tell = measure, tell
        self._place = f"{self.name}-{_mark(measure)}"

    def __call__(self, model: Model, progress: Callable[[float], object] = lambda done: None) -> Insight:
        steps = self.steps(model)
        while True:
            try:
                progress(next(steps))
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    def steps(self, model: Model) -> Generator[float, None, Insight]:
        """Measure a step at a time; leave off and nothing is kept.

        Yields
        ------
        float
            Which part of the work is done, from 0 to 1.

        Returns
        -------
        Insight
        """
        if (found := self.kept(model)) is not None:
            return found
        measured = yield from self._measure(model)
        store.save_result(model, self._place, measured)
        return self._tell(model, measured)

    def kept(self, model: Model) -> Insight | None:
        """What was measured of this version already, if it was."""
        measured = store.load_result(model, self._place)
        return None if measured is None else self._tell(model, measured)


def _mark(measure: Callable[..., Any]) -> str:
    """Changes with the source of a function: what another one has measured is not its own."""
    try:
        source = inspect.getsource(measure)
    except (OSError, TypeError):  # a prompt
        source = ""
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def on_demand(
    measure: Callable[[Model], Steps], title: str, at_once: bool = False
) -> Callable[[Callable[[Model, Any], Insight]], LongRunning]:
    """Make an insight of a function that tells what another one has measured.

    Parameters
    ----------
    measure : generator function
        Takes the model, yields after each step which part of the work is done, and returns what it has measured, as
        JSON has it.
    title : str
        What the app calls it before it is measured.
    at_once : bool, default False
        Whether the app begins with it when its tab is opened, instead of at the press of a button.

    Returns
    -------
    callable
        Decorates the function that takes the model and what was measured and returns the :class:`Insight`. What
        comes of it takes the model, and a function ``progress`` that is told how far it is; it may raise to cancel.

    Examples
    --------
    >>> def every_seed(model):
    ...     scores = []
    ...     for seed in range(20):
    ...         scores.append(...)
    ...         yield (seed + 1) / 20
    ...     return scores
    >>> @on_demand(every_seed, "How much the seed matters")
    ... def seeds(model, scores):
    ...     return Insight("How much the seed matters", pd.DataFrame(...), "…", draw)
    """
    return lambda tell: LongRunning(measure, tell, title, at_once)
