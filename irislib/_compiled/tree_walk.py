"""The walk of one row, in plain Python, through the trees of an estimator."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, Outcome, Row
from irislib._compiled.predictors import TOLERANCE

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Boosted", "Mean", "Node", "Trees"]

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
        scikit-learn's own function from totals to probabilities, or to the unit of the target.
    classes : list or None
        None for a regression.
    """

    inverse: Callable[[np.ndarray], np.ndarray] | None
    classes: list[Any] | None

    def predict(self, totals: list[float]) -> Outcome:
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
            raise HardRowError  # at 0 one kind of boosting takes the first class, the other the second
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
        return f"walking {len(self.roots):,} tree{'' if len(self.roots) == 1 else 's'}"

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
        row = self._rounded(row)
        totals = self.start.copy()
        for feature, threshold, left_child, right_child in self.roots:
            while left_child is not None:
                feature, threshold, left_child, right_child = left_child if row[feature] <= threshold else right_child
            totals[feature] += threshold
            while right_child is not None:
                feature, threshold, left_child, right_child = right_child
                totals[feature] += threshold
        return totals

    def _rounded(self, row: Row) -> list[float]:
        rounded = array(self.precision, row).tolist()
        if not self.takes_missing:
            if not sum(map(abs, rounded)) < EXACT:  # nor is NaN smaller
                raise HardRowError
            return rounded
        if not sum(abs(value) for value in rounded if value == value) < EXACT:
            raise HardRowError
        return rounded + [-value for value in rounded]
