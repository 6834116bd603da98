"""Insights that take long: measured step by step on request, and stored with the version of the model."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from irislib._common.messages.insights import TEXTS as INSIGHTS
from irislib._modeling import store
from irislib._modeling.arguments import require_model
from irislib._modeling.threads import idle_cores_only
from irislib._modeling.training_data import require_trainable

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.insights._base import Insight

__all__ = ["LongRunning", "on_demand"]

Steps = Generator[float, None, Any]


class LongRunning:
    """An insight that is measured in steps; see :func:`on_demand`."""

    def __init__(
        self,
        measure: Callable[[Model], Steps],
        make_insight: Callable[[Model, Any], Insight],
        title: str,
        at_once: bool,
        trains: bool,
    ):
        functools.update_wrapper(self, make_insight)
        self.name, self.at_once, self.trains = make_insight.__name__, at_once, trains
        self._title = title
        self._measure, self._make_insight = measure, make_insight
        self._key = f"{self.name}-{_source_digest(measure)}"

    @property
    def title(self) -> str:
        """Its title in the current language if it is one of the library's, else that of its author."""
        return INSIGHTS.get(f"{self.name}.title", self._title)

    def __call__(self, model: Model, progress: Callable[[float], object] = lambda done: None) -> Insight:
        steps = self.steps(model)
        while True:
            try:
                progress(next(steps))
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]

    def steps(self, model: Model) -> Generator[float, None, Insight]:
        """Measure one step at a time; an interrupted measurement is not stored.

        Yields
        ------
        float
            The part of the work that is done, from 0 to 1.

        Returns
        -------
        Insight
        """
        require_model(model)
        if (insight := self.stored(model)) is not None:
            return insight
        measuring = self._measure(model)
        while True:
            with idle_cores_only():
                try:
                    share = next(measuring)
                except StopIteration as end:
                    measured = end.value
                    break
            yield share
        store.save_result(model, self._key, measured)
        return self._make_insight(model, measured)

    def stored(self, model: Model) -> Insight | None:
        """Return the stored insight of this version of the model, or None if it was not measured yet.

        Raises
        ------
        NotApplicableError
            If it trains models, and the estimator was fitted elsewhere or came in a file.
        """
        measured = store.load_result(model, self._key)
        if measured is None and self.trains:
            require_trainable(model)
        return None if measured is None else self._make_insight(model, measured)


def _source_digest(measure: Callable[..., Any]) -> str:
    """Return a digest of a function's source, so that a changed function does not reuse old results."""
    try:
        source = inspect.getsource(measure)
    except (OSError, TypeError):  # a prompt
        source = ""
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def on_demand(
    measure: Callable[[Model], Steps], title: str, at_once: bool = False, trains: bool = False
) -> Callable[[Callable[[Model, Any], Insight]], LongRunning]:
    """Make a long-running insight from a function that presents what another one has measured.

    Parameters
    ----------
    measure : generator function
        Takes the model, yields after each step the part of the work that is done, and returns what it has measured, as
        JSON has it.
    title : str
        Its title in the app before it is measured.
    at_once : bool, default False
        True to start the measurement when its tab is opened, instead of at the press of a button.

    trains : bool, default False
        True if it trains the model's estimator again, which cannot be done with one that was fitted elsewhere.

    Returns
    -------
    callable
        Decorates a function that takes the model and what was measured and returns the :class:`Insight`. The result
        takes the model, and a function ``progress`` that is called with the part of the work that is done and may
        raise to cancel.

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
    return lambda make_insight: LongRunning(measure, make_insight, title, at_once, trains)
