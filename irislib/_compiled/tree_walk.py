"""The walk itself: one row, in plain Python, through the steps and the trees of an estimator."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Boosted", "FastForm", "Found", "Mean", "Node", "Trees"]

EXACT = 2**53  # beyond it a whole number is rounded twice on its way to float32, and an infinity is not far

# (feature, threshold, left, right). A leaf is (place of a total, what is added to it, None, the next of
# such leaves or None): shaped alike, both are unpacked by the same fast instruction.
Node = tuple[int, float, Any, Any]
# A prediction and the probability of each class; None instead of all where only scikit-learn can tell.
Found = tuple[Any, list[float] | None] | None


@dataclass(frozen=True, slots=True)
class Mean:
    """What a tree or a forest makes of its totals.

    Attributes
    ----------
    count : int
        The number of trees.
    classes : list or None
        None for a regression.
    """

    count: int
    classes: list[Any] | None

    def predict(self, totals: list[float]) -> Found:
        """The prediction, and the probability of each class."""
        means = [total / self.count for total in totals]
        if self.classes is None:
            return means[0], None
        return self.classes[means.index(max(means))], means


@dataclass(frozen=True, slots=True)
class Boosted:
    """What gradient boosting makes of its totals.

    Attributes
    ----------
    inverse : callable or None
        scikit-learn's own function from totals to probabilities, or to the unit of the target.
    classes : list or None
        None for a regression.
    """

    inverse: Callable[[np.ndarray], np.ndarray] | None
    classes: list[Any] | None

    def predict(self, totals: list[float]) -> Found:
        """The prediction, and the probability of each class."""
        if self.inverse is None:
            return totals[0], None
        import numpy as np

        if self.classes is None:
            return self.inverse(np.array(totals)).item(), None
        if len(totals) > 1:
            place = totals.index(max(totals))
        elif totals[0]:
            place = int(totals[0] > 0)
        else:
            return None  # at 0 one kind of boosting takes the first class, the other the second
        return self.classes[place], self.inverse(np.array([totals]))[0].tolist()


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of one estimator.

    Attributes
    ----------
    roots : list of Node
        In the order in which their leaves are added up.
    start : list of float
        The totals before the first tree.
    ending : Mean or Boosted
    precision : {"f", "d"}
        To what values are rounded before they are compared with thresholds, as `array` has it.
    takes_missing : bool
        Whether values may be missing. The thresholds of a feature then stand for its negative, where
        a missing value goes to the left: NaN fails each comparison and so goes to the right.
    """

    roots: list[Node]
    start: list[float]
    ending: Mean | Boosted
    precision: str
    takes_missing: bool

    def predict(self, values: Sequence[Any]) -> Found:
        """The prediction for one row, and the probability of each class; see :meth:`FastForm.predict`."""
        row = self._rounded(values)
        if row is None:
            return None
        totals = self.start.copy()
        for feature, threshold, left, right in self.roots:
            while left is not None:
                feature, threshold, left, right = left if row[feature] <= threshold else right
            totals[feature] += threshold
            while right is not None:
                feature, threshold, left, right = right
                totals[feature] += threshold
        return self.ending.predict(totals)

    def _rounded(self, values: Sequence[Any]) -> list[float] | None:
        if self.takes_missing:
            row = array(self.precision, [nan if value is None else value for value in values]).tolist()
            if not sum(abs(value) for value in row if value == value) < EXACT:
                return None
            return row + [-value for value in row]
        try:
            row = array(self.precision, values).tolist()
        except TypeError:
            return None
        return row if sum(map(abs, row)) < EXACT else None  # nor is NaN smaller


@dataclass(frozen=True, slots=True)
class FastForm:
    """A fitted estimator in a form that answers one row at once.

    Attributes
    ----------
    steps : list of callable
        What is done to a row before the trees see it. Each takes a row and returns one, or None
        where only scikit-learn can tell.
    trees : Trees
    """

    steps: list[Callable[[Any], list[float] | None]]
    trees: Trees

    def predict(self, values: Sequence[Any]) -> Found:
        """The prediction for one row, and the probability of each class.

        Parameters
        ----------
        values : sequence of shape (n_features,)
            As `check_row` gives them, in the order of the features; None where one is missing.

        Returns
        -------
        tuple or None
            None where only scikit-learn can tell: a value is larger than float32 holds, or missing
            where the trees take none, or a step refuses the row.
        """
        row: Any = values
        for step in self.steps:
            row = step(row)
            if row is None:
                return None
        return self.trees.predict(row)
