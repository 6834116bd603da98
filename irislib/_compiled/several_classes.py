"""Classifiers of several classes that are made of classifiers of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from irislib._compiled.composition import probabilities_of
from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Outcome, Row, RowPredictor
from irislib._compiled.predictors import ComputedPredictor, ScorePredictor, Scores, as_exact_as, highest, normalized

if TYPE_CHECKING:
    from irislib._compiled.parts import Parts

__all__ = ["SEVERAL_CLASSES"]


def _score(member: Any, part: RowPredictor) -> Callable[[Row], float]:
    """Return the function from a row to how much speaks for the second class of a member."""
    if hasattr(member, "decision_function"):
        return lambda row: part.decide(row)[0]
    if hasattr(member, "predict_proba"):
        return lambda row: probabilities_of(part, row)[1]
    raise NoFasterFormError("a member has no scores.")


@dataclass(frozen=True, slots=True)
class OneVsRest(ComputedPredictor):
    """A OneVsRestClassifier.

    Attributes
    ----------
    classes : list
    functions : list of callable
        For each class from a row to its score; of two classes, for the second alone.
    members : list of RowPredictor
    threshold : float
        From which on the second of two classes is predicted.
    has_probabilities, has_decision : bool
    """

    classes: list[Any]
    functions: list[Callable[[Row], float]]
    members: list[RowPredictor]
    threshold: float
    has_probabilities: bool
    has_decision: bool

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        scores = [function(row) for function in self.functions]
        label = self.classes[highest(scores, self.threshold)]
        if not self.has_probabilities:
            return label, None
        shares = [probabilities_of(member, row)[1] for member in self.members] if self.has_decision else scores
        if len(shares) == 1:
            return label, [1.0 - shares[0], shares[0]]
        return label, normalized(shares) if sum(shares) else shares

    def decide(self, row: Row) -> Scores:
        """Return the decision function of one row; see :meth:`RowPredictor.decide`."""
        if not self.has_decision:
            raise HardRowError
        return [function(row) for function in self.functions]


def _one_vs_rest(estimator: Any, parts: Parts) -> RowPredictor:
    if estimator.multilabel_:
        raise NoFasterFormError("this OneVsRestClassifier has several labels.")
    members = [parts.predictor(member) for member in estimator.estimators_]
    functions = [_score(*pair) for pair in zip(estimator.estimators_, members, strict=True)]
    has_decision = hasattr(estimator, "decision_function")
    return OneVsRest(
        type(estimator).__name__,
        estimator.classes_.tolist(),
        functions,
        members,
        0.0 if has_decision else 0.5,
        hasattr(estimator, "predict_proba"),
        has_decision,
        **as_exact_as(members),
    )


def _one_vs_one(estimator: Any, parts: Parts) -> RowPredictor:
    if estimator.pairwise_indices_ is not None:
        raise NoFasterFormError("this OneVsOneClassifier has a kernel for each pair.")
    count = estimator.n_classes_
    members = [parts.predictor(member) for member in estimator.estimators_]
    functions = [_score(*pair) for pair in zip(estimator.estimators_, members, strict=True)]
    pairs = list(zip(combinations(range(count), 2), members, functions, strict=True))
    start = 0.0 if hasattr(estimator.estimators_[0], "decision_function") else 0.5

    def scores(row: Row) -> Scores:
        votes, confidences = [0.0] * count, [0.0] * count
        for (i, j), part, function in pairs:
            confidence = function(row)
            confidences[i] -= confidence
            confidences[j] += confidence
            votes[j if part.predict(row)[0] else i] += 1.0
        decisions = [vote + one / (3 * (abs(one) + 1)) for vote, one in zip(votes, confidences, strict=True)]
        return [decisions[1] - start] if count == 2 else decisions

    name, classes, exactness = type(estimator).__name__, estimator.classes_.tolist(), as_exact_as(members)
    has_decision = count > 2 or not start
    return ScorePredictor(name, classes, scores, None, has_decision, checks=False, **exactness)


SEVERAL_CLASSES: dict[str, Callable[[Any, Parts], RowPredictor]] = {
    "OneVsRestClassifier": _one_vs_rest,
    "OneVsOneClassifier": _one_vs_one,
}
