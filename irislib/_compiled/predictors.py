"""The two kinds of predictors: a number, or the class of the highest score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite
from typing import Any

from irislib._compiled.fast_form import HardRowError, Outcome, Row, RowPredictor

__all__ = [
    "FIRST",
    "TIE",
    "TOLERANCE",
    "ComputedPredictor",
    "NumberPredictor",
    "ScorePredictor",
    "Scores",
    "as_exact_as",
    "expit",
    "finite",
    "highest",
    "normalized",
    "normalized_or_equal",
    "sigmoid_of_one",
    "sigmoids",
    "softmax",
]

Scores = list[float]

TOLERANCE = 1e-12  # a sum in another order, or the exponential of another library, differs in the last bits
FIRST = -1.0  # in place of TIE, for scores that are exact: of equal ones the first is highest
TIE = 1e-9  # scores as close as this may be in another order in scikit-learn


@dataclass(frozen=True, slots=True)
class ComputedPredictor:
    """The attributes that predictors which compute share.

    Attributes
    ----------
    name : str
        The name of the estimator.
    checks : bool, default True
        Whether rows with a value that is missing or infinite are left to scikit-learn.
    """

    name: str
    checks: bool = field(default=True, kw_only=True)
    tolerance: float = field(default=TOLERANCE, kw_only=True)
    is_slow: bool = field(default=False, kw_only=True)
    how: str = field(default="", kw_only=True)

    @property
    def text(self) -> str:
        """The method of prediction, as the end of a sentence."""
        return self.how or f"computing {self.name} in Python"


@dataclass(frozen=True, slots=True)
class NumberPredictor(ComputedPredictor):
    """A regressor.

    Attributes
    ----------
    number : callable
        From a row to the prediction.
    """

    number: Callable[[Row], float]

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        if self.checks:
            finite(row)
        number = self.number(row)
        if not isfinite(number):
            raise HardRowError
        return number, None

    def decide(self, row: Row) -> Scores:
        """Raise HardRowError: a regressor has no scores."""
        raise HardRowError


@dataclass(frozen=True, slots=True)
class ScorePredictor(ComputedPredictor):
    """A classifier that predicts the class of the highest score.

    Attributes
    ----------
    classes : list
    scores : callable
        From a row to a score for each class, or to one that is above 0 for the second of two classes.
    link : callable, optional
        From the scores to the probabilities.
    has_decision : bool, default True
        Whether the scores are what ``decision_function`` returns.
    """

    classes: Sequence[Any]
    scores: Callable[[Row], Scores]
    link: Callable[[Scores], Scores] | None = None
    has_decision: bool = True
    tie: float = TIE

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        if self.checks:
            finite(row)
        scores = self.scores(row)
        return self.classes[highest(scores, tie=self.tie)], self.link(scores) if self.link else None

    def decide(self, row: Row) -> Scores:
        """Return the scores of one row; see :meth:`RowPredictor.decide`."""
        if not self.has_decision:
            raise HardRowError
        if self.checks:
            finite(row)
        return self.scores(row)


def as_exact_as(members: Sequence[RowPredictor]) -> dict[str, Any]:
    """Return the tolerance and the slowness of what is made of other predictors."""
    tolerance = max((member.tolerance for member in members), default=0.0)
    return {"tolerance": max(TOLERANCE, tolerance), "is_slow": any(member.is_slow for member in members)}


def finite(row: Row) -> Row:
    """Return a row as it is; raise HardRowError if a value is missing or infinite, which scikit-learn refuses."""
    if not isfinite(sum(row)):
        raise HardRowError
    return row


def highest(scores: Scores, threshold: float = 0.0, tie: float = TIE) -> int:
    """Return the index of the highest score; of one score alone, whether it is above the threshold.

    Raises
    ------
    HardRowError
        If two are too close to tell which one is highest in scikit-learn, or one is not a number.
    """
    if len(scores) == 1:
        scores = [threshold, scores[0]]
    top = max(scores)
    index = scores.index(top)
    for i, score in enumerate(scores):
        if i != index and not top - score > tie * max(1.0, abs(top)):
            raise HardRowError
    return index


def expit(score: float) -> float:
    """Return the logistic function of a score."""
    if score >= 0:
        return 1.0 / (1.0 + exp(-score))
    return (power := exp(score)) / (1.0 + power)


def sigmoid_of_one(scores: Scores) -> Scores:
    """Return the probabilities of two classes from the score of the second."""
    probability = expit(scores[0])
    return [1.0 - probability, probability]


def softmax(scores: Scores) -> Scores:
    """Return the probabilities whose logarithms are the scores but for a constant."""
    top = max(scores)
    powers = [exp(score - top) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def sigmoids(scores: Scores) -> Scores:
    """Return the probabilities of one class against the rest, made to add up to 1."""
    return sigmoid_of_one(scores) if len(scores) == 1 else normalized([expit(score) for score in scores])


def normalized(shares: Scores) -> Scores:
    """Return shares that add up to 1."""
    total = sum(shares)
    return [share / total for share in shares]


def normalized_or_equal(shares: Scores) -> Scores:
    """Return shares that add up to 1; equal ones if all are 0."""
    return normalized(shares) if sum(shares) else [1.0 / len(shares)] * len(shares)
