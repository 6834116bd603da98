"""The walk of one row, in plain Python, through the steps and the trees of an estimator."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import Outcome

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Boosted", "Mean", "Node", "TreeForm", "Trees"]

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

    def predict(self, totals: list[float]) -> Outcome | None:
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
        scikit-learn's own function from totals to probabilities, or to the unit of the target.
    classes : list or None
        None for a regression.
    """

    inverse: Callable[[np.ndarray], np.ndarray] | None
    classes: list[Any] | None

    def predict(self, totals: list[float]) -> Outcome | None:
        """Return the prediction, and the probability of each class."""
        if self.inverse is None:
            return totals[0], None
        import numpy as np

        if self.classes is None:
            return self.inverse(np.array(totals)).item(), None
        if len(totals) > 1:
            index = totals.index(max(totals))
        elif totals[0]:
            index = int(totals[0] > 0)
        else:
            return None  # at 0 one kind of boosting takes the first class, the other the second
        return self.classes[index], self.inverse(np.array([totals]))[0].tolist()


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
        The type to which values are rounded before they are compared with thresholds, as in `array`.
    takes_missing : bool
        Whether values may be missing. A node whose missing values go to the left then compares the negative of
        the feature, with its children swapped: NaN fails each comparison and so goes to the right.
    """

    roots: list[Node]
    start: list[float]
    ending: Mean | Boosted
    precision: str
    takes_missing: bool

    def predict(self, values: Sequence[Any]) -> Outcome | None:
        """Predict one row; see :meth:`FastForm.predict`."""
        row = self._rounded(values)
        if row is None:
            return None
        totals = self.start.copy()
        for feature, threshold, left_child, right_child in self.roots:
            while left_child is not None:
                feature, threshold, left_child, right_child = left_child if row[feature] <= threshold else right_child
            totals[feature] += threshold
            while right_child is not None:
                feature, threshold, left_child, right_child = right_child
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
class TreeForm:
    """The steps of a Pipeline, then its trees; a :class:`FastForm`.

    Attributes
    ----------
    steps : list of callable
        The steps before the trees. Each takes a row and returns one, or None to leave the row to scikit-learn.
    trees : Trees
    """

    steps: list[Callable[[Any], list[float] | None]]
    trees: Trees

    def predict(self, values: Sequence[Any]) -> Outcome | None:
        """Predict one row; return None if a value exceeds float32 or is missing, or a step refuses the row."""
        row: Any = values
        for step in self.steps:
            row = step(row)
            if row is None:
                return None
        return self.trees.predict(row)
