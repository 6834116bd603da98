"""The contracts of a fast form and of its parts, and what is needed to prove it equal to scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = [
    "Candidate",
    "Comparison",
    "FastForm",
    "HardCase",
    "HardRowError",
    "NoFasterFormError",
    "Outcome",
    "Row",
    "RowPredictor",
    "RowTransform",
    "rows_to_prove",
]

MANY_TREES = 300
LEAST_ROWS = 100

# The values of one row, NaN where one is missing. After the first steps of an estimator all are numbers.
Row = list[Any]

# A prediction, and the probability of each class in the order of the classes, or None for a regression.
Outcome = tuple[Any, list[float] | None]


class NoFasterFormError(Exception):
    """There is no faster form of an estimator; the message says why, as the end of a sentence."""


class HardRowError(Exception):
    """A row that scikit-learn itself has to answer: its best classes are too close, or a value is out of range."""


class RowTransform(Protocol):
    """The part of a fast form that stands for a fitted transformer."""

    def __call__(self, row: Row) -> Row:
        """Transform one row.

        Raises
        ------
        HardRowError
        """


class RowPredictor(Protocol):
    """The part of a fast form that stands for a fitted classifier or regressor.

    Attributes
    ----------
    tolerance : float
        How far a number may be from scikit-learn's; 0 means equal to the bit.
    text : str
        How it predicts, as in "one row is answered by *walking 100 trees*".
    is_slow : bool
        Whether a prediction takes milliseconds, so that it is proved on fewer rows.
    """

    @property
    def tolerance(self) -> float: ...

    @property
    def text(self) -> str: ...

    @property
    def is_slow(self) -> bool: ...

    def predict(self, row: Row) -> Outcome:
        """Predict one row.

        Raises
        ------
        HardRowError
        """

    def decide(self, row: Row) -> list[float]:
        """Return what ``decision_function`` does: one number for two classes, else one for each.

        Raises
        ------
        HardRowError
            Also if the estimator has no such function.
        """


class FastForm(Protocol):
    """A fitted estimator in a form that predicts one row at once."""

    def predict(self, values: Sequence[Any]) -> Outcome | None:
        """Predict one row.

        Parameters
        ----------
        values : sequence of shape (n_features,)
            The values from `check_row`, in the order of the features; None where one is missing.

        Returns
        -------
        tuple or None
            The prediction as plain Python data, and the probability of each class or None. None instead of
            both leaves the row to scikit-learn: a value is out of the form's range, say.
        """


class Comparison(NamedTuple):
    """Rows for a part of a fast form, and for the part of scikit-learn that it must equal.

    Attributes
    ----------
    predict : callable
        As :meth:`FastForm.predict`.
    rows : DataFrame
        One row for each call of ``predict``.
    estimator : fitted estimator
    frame : DataFrame or ndarray
        The same rows as ``estimator`` takes them.
    """

    predict: Callable[[list[Any]], Outcome | None]
    rows: pd.DataFrame
    estimator: Any
    frame: Any


HardCase = Callable[["np.random.Generator"], Comparison]


@dataclass(frozen=True)
class Candidate:
    """A fast form that has yet to be proved.

    Attributes
    ----------
    form : FastForm
    text : str
        How it predicts, as in "one row is answered by *walking 100 trees*".
    tolerance : float, default 0
        How far a number may be from scikit-learn's; 0 means equal to the bit. Classes are always equal.
    is_slow : bool, default False
        Whether a prediction takes milliseconds, so that it is proved on fewer rows.
    hard_cases : sequence of callable, optional
        Each takes a random generator and returns a :class:`Comparison` on the rows where this kind of form would
        differ first, such as values at the thresholds of trees.
    n_trees : int, default 0
        The number of trees that a row is walked through, by the part that has most.
    """

    form: FastForm
    text: str
    tolerance: float = 0.0
    is_slow: bool = False
    hard_cases: Sequence[HardCase] = ()
    n_trees: int = 0


def rows_to_prove(count: int, n_trees: int) -> int:
    """Return on how many rows to prove a form: fewer with many trees, as each row is compared through all of them."""
    return count if n_trees <= MANY_TREES else min(count, max(LEAST_ROWS, count * MANY_TREES // n_trees))
