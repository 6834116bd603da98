"""The trees of an estimator as a part of a fast form, and the walk of one row through them in plain Python."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from irislib._compiled.fast_form import HardRowError, Outcome, Row
from irislib._compiled.predictors import TOLERANCE

__all__ = ["Boosted", "Mean", "NestedWalk", "Node", "Trees", "Walk"]

EXACT = 2**53  # beyond it a whole number is rounded twice on its way to float32, and an infinity is not far

# (feature, threshold, left child, right child). A leaf is (index of a total, the number to add to it, None, the next
# leaf of this kind or None): shaped alike, both are unpacked by the same fast instruction.
Node = tuple[int, float, Any, Any]


@dataclass(frozen=True, slots=True)
class Mean:
    """The prediction of a tree or a forest from its totals.

    Attributes
    ----------
    count : int
        The number of trees.
    classes : list or None
        None for a regression.
    """

    count: int
    classes: list[Any] | None

    def predict(self, totals: list[float]) -> Outcome:
        """Return the prediction, and the probability of each class."""
        means = [total / self.count for total in totals]
        if self.classes is None:
            return means[0], None
        return self.classes[means.index(max(means))], means


@dataclass(frozen=True, slots=True)
class Boosted:
    """The prediction of gradient boosting from its totals.

    Attributes
    ----------
    inverse : callable or None
        From totals to probabilities; for a regression, scikit-learn's own from an array to the unit of the target.
    classes : list or None
        None for a regression.
    """

    inverse: Callable[[Any], Any] | None
    classes: list[Any] | None

    def predict(self, totals: list[float]) -> Outcome:
        """Return the prediction, and the probability of each class."""
        if self.inverse is None:
            return totals[0], None
        if self.classes is None:
            import numpy as np

            return self.inverse(np.array(totals)).item(), None
        if len(totals) > 1:
            index = totals.index(max(totals))
        elif totals[0]:
            index = int(totals[0] > 0)
        else:
            raise HardRowError  # at 0 one kind of boosting takes the first class, the other the second
        return self.classes[index], self.inverse(totals)


class Walk(Protocol):
    """The walk of one row through trees.

    Attributes
    ----------
    text : str
        How it is done, as the end of a sentence.
    """

    @property
    def text(self) -> str: ...

    def totals(self, row: Row, start: list[float]) -> list[float]:
        """Add up the leaves to which a row comes, in the order of the trees.

        Parameters
        ----------
        row : list of float
            The rounded values, followed by their negatives if they may be missing.
        start : list of float
            The totals before the first tree.
        """


@dataclass(frozen=True, slots=True)
class NestedWalk:
    """The walk through nested tuples, one tree after the other: the fastest through up to some hundred trees.

    Attributes
    ----------
    roots : list of Node
    """

    roots: list[Node]

    @property
    def text(self) -> str:
        """The way it is done, as the end of a sentence."""
        return f"walking {len(self.roots):,} tree{'' if len(self.roots) == 1 else 's'}"

    def totals(self, row: Row, start: list[float]) -> list[float]:
        """Add up the leaves; see :meth:`Walk.totals`."""
        totals = start.copy()
        for feature, threshold, left_child, right_child in self.roots:
            while left_child is not None:
                feature, threshold, left_child, right_child = left_child if row[feature] <= threshold else right_child
            totals[feature] += threshold
            while right_child is not None:
                feature, threshold, left_child, right_child = right_child
                totals[feature] += threshold
        return totals


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of one estimator.

    Attributes
    ----------
    walk : Walk
    start : list of float
        The totals before the first tree.
    ending : Mean or Boosted
    precision : {"f", "d"}
        The type to which values are rounded before they are compared with thresholds, as in `array`.
    takes_missing : bool
        Whether values may be missing. A node whose missing values go to the left then compares the negative of
        the feature, with its children swapped: NaN fails each comparison and so goes to the right.
    """

    walk: Walk
    start: list[float]
    ending: Mean | Boosted
    precision: str
    takes_missing: bool

    @property
    def tolerance(self) -> float:
        """0, but for what has gone through exponentials."""
        return TOLERANCE if isinstance(self.ending, Boosted) else 0.0

    @property
    def is_slow(self) -> bool:
        """False."""
        return False

    @property
    def text(self) -> str:
        """The method of prediction, as the end of a sentence."""
        return self.walk.text

    def predict(self, row: Row) -> Outcome:
        """Predict one row; raise HardRowError if a value exceeds float32 or is missing."""
        return self.ending.predict(self.totals(row))

    def decide(self, row: Row) -> list[float]:
        """Return the decision function of one row; see :meth:`RowPredictor.decide`."""
        if isinstance(self.ending, Mean):
            raise HardRowError
        return self.totals(row)

    def totals(self, row: Row) -> list[float]:
        """Add up the leaves to which a row comes."""
        return self.walk.totals(self._rounded(row), self.start)

    def _rounded(self, row: Row) -> list[float]:
        rounded = array(self.precision, row).tolist()
        if not self.takes_missing:
            if not sum(map(abs, rounded)) < EXACT:  # nor is NaN smaller
                raise HardRowError
            return rounded
        if not sum(abs(value) for value in rounded if value == value) < EXACT:
            raise HardRowError
        return rounded + [-value for value in rounded]
