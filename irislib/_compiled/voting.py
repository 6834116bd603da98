"""Estimators that hold several others: voting, stacking, bagging, AdaBoost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._compiled.composition import probabilities_of
from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Outcome, Row, RowPredictor
from irislib._compiled.predictors import FIRST, TIE, NumberPredictor, ScorePredictor, Scores, as_exact_as, softmax
from irislib._compiled.tree_ensembles import bagged_forest, forest_of_votes, separate_forest

if TYPE_CHECKING:
    from irislib._compiled.parts import Parts

__all__ = ["VOTING"]


@dataclass(frozen=True, slots=True)
class Stack:
    """A StackingClassifier or StackingRegressor.

    Attributes
    ----------
    columns : sequence of callable
        From a row to the columns that the final estimator gets.
    final : RowPredictor
    classes : list or None
        What the final estimator's classes stand for; None for a regression.
    passes_row : bool
        Whether the final estimator gets the row, too.
    text : str
    tolerance : float
    is_slow : bool
    """

    columns: Sequence[Callable[[Row], Scores]]
    final: RowPredictor
    classes: list[Any] | None
    passes_row: bool
    text: str
    tolerance: float
    is_slow: bool

    def _transform(self, row: Row) -> Row:
        output = [value for column in self.columns for value in column(row)]
        return output + row if self.passes_row else output

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        prediction, probabilities = self.final.predict(self._transform(row))
        return (prediction if self.classes is None else self.classes[prediction]), probabilities

    def decide(self, row: Row) -> Scores:
        """Return the decision function of one row; see :meth:`RowPredictor.decide`."""
        return self.final.decide(self._transform(row))


def _stacking(estimator: Any, parts: Parts) -> RowPredictor:
    classes = estimator.classes_.tolist() if hasattr(estimator, "classes_") else None
    members = [parts.predictor(member) for member in estimator.estimators_]
    columns = [
        _column(member, method, len(classes or ()))
        for member, method in zip(members, estimator.stack_method_, strict=True)
    ]
    final = parts.predictor(estimator.final_estimator_)
    text = f"stacking {len(members):,} estimator{'' if len(members) == 1 else 's'} in Python"
    return Stack(columns, final, classes, estimator.passthrough, text, **as_exact_as([*members, final]))


def _column(member: RowPredictor, method: str, n_classes: int) -> Callable[[Row], Scores]:
    """Return the function from a row to what a member tells the final estimator."""
    if method == "decision_function":
        return member.decide
    if method == "predict":
        return lambda row: [member.predict(row)[0]]
    start = 1 if n_classes == 2 else 0
    return lambda row: probabilities_of(member, row)[start:]


def _voting_classifier(estimator: Any, parts: Parts) -> RowPredictor:
    members = [parts.predictor(member) for member in estimator.estimators_]
    weights = _weights(estimator)
    classes, total = estimator.classes_.tolist(), sum(weights)

    def average(row: Row) -> Scores:
        shares = [probabilities_of(member, row) for member in members]
        return [
            sum(weight * share for weight, share in zip(weights, column, strict=True)) / total
            for column in zip(*shares, strict=True)
        ]

    def count(row: Row) -> Scores:
        votes = [0.0] * len(classes)
        for member, weight in zip(members, weights, strict=True):
            votes[member.predict(row)[0]] += weight
        return votes

    is_soft = estimator.voting == "soft"
    return ScorePredictor(
        type(estimator).__name__,
        classes,
        average if is_soft else count,
        list if is_soft else None,
        has_decision=False,
        checks=False,
        tie=TIE if is_soft else FIRST,
        **as_exact_as(members),
    )


def _voting_regressor(estimator: Any, parts: Parts) -> RowPredictor:
    members = [parts.predictor(member) for member in estimator.estimators_]
    pairs = list(zip(members, _weights(estimator), strict=True))
    total = sum(weight for _, weight in pairs)
    return NumberPredictor(
        type(estimator).__name__,
        lambda row: sum(member.predict(row)[0] * weight for member, weight in pairs) / total,
        checks=False,
        **as_exact_as(members),
    )


def _weights(estimator: Any) -> list[float]:
    names = [member for _, member in estimator.estimators]
    weights = [1.0] * len(names) if estimator.weights is None else [float(weight) for weight in estimator.weights]
    return [weight for member, weight in zip(names, weights, strict=True) if not isinstance(member, str)]


def _bagging_members(estimator: Any, parts: Parts) -> list[tuple[RowPredictor, list[int] | None, Any]]:
    """Return the part of each member, the features it takes (None for all), and its classes' numbers."""
    every = list(range(estimator.n_features_in_))
    members = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        indices = features.tolist()
        numbers = getattr(member, "classes_", None)
        members.append((parts.predictor(member), None if indices == every else indices, numbers))
    return members


def _as_forest(make: Callable[[Any], Any], estimator: Any, parts: Parts) -> RowPredictor | None:
    """Return the part for the forest that is made of an ensemble, or None if none can be."""
    try:
        forest = make(estimator)
    except NoFasterFormError:
        return None
    return parts.predictor(forest)


def _bagging_classifier(estimator: Any, parts: Parts) -> RowPredictor:
    if estimator.n_jobs in (None, 1) and (forest := _as_forest(bagged_forest, estimator, parts)):
        return forest
    members = _bagging_members(estimator, parts)
    classes = estimator.classes_.tolist()
    members = [(part, indices, numbers.tolist()) for part, indices, numbers in members]

    def average(row: Row) -> Scores:
        totals = [0.0] * len(classes)
        for part, indices, numbers in members:
            label, probabilities = part.predict(row if indices is None else [row[i] for i in indices])
            if probabilities is None:
                totals[label] += 1.0
                continue
            for number, probability in zip(numbers, probabilities, strict=True):
                totals[number] += probability
        return [total / len(members) for total in totals]

    exactness = as_exact_as([part for part, _, _ in members])
    is_exact = estimator.n_jobs in (None, 1) and all(part.tolerance == 0 for part, _, _ in members)
    tie = FIRST if is_exact else TIE
    return ScorePredictor(type(estimator).__name__, classes, average, list, False, checks=False, tie=tie, **exactness)


def _bagging_regressor(estimator: Any, parts: Parts) -> RowPredictor:
    if estimator.n_jobs in (None, 1) and (forest := _as_forest(bagged_forest, estimator, parts)):
        return forest
    members = _bagging_members(estimator, parts)

    def average(row: Row) -> float:
        numbers = [part.predict(row if ii is None else [row[i] for i in ii])[0] for part, ii, _ in members]
        return sum(numbers) / len(numbers)  # type: ignore[no-any-return]

    exactness = as_exact_as([part for part, _, _ in members])
    return NumberPredictor(type(estimator).__name__, average, checks=False, **exactness)


def _boosted_classifier(estimator: Any, parts: Parts) -> RowPredictor:
    """Make the part for an AdaBoostClassifier."""
    classes = estimator.classes_.tolist()
    total, count = float(estimator.estimator_weights_.sum()), len(classes)
    votes, exactness = _weighted_votes(estimator, parts)

    def decide(row: Row) -> Scores:
        weights = votes(row)
        others = sum(weights)
        scores = [(weight - (others - weight) / (count - 1)) / total for weight in weights]
        return [scores[1] - scores[0]] if count == 2 else scores

    def link(scores: Scores) -> Scores:
        if count == 2:
            return softmax([-scores[0] / 2, scores[0] / 2])
        return softmax([score / (count - 1) for score in scores])

    return ScorePredictor(type(estimator).__name__, classes, decide, link, **exactness)


def _weighted_votes(estimator: Any, parts: Parts) -> tuple[Callable[[Row], Scores], dict[str, Any]]:
    """Return the function from a row to the weight of the votes for each class, and how exact it is."""
    if forest := _as_forest(forest_of_votes, estimator, parts):
        n_trees = len(estimator.estimators_)
        return lambda row: [n_trees * mean for mean in probabilities_of(forest, row)], as_exact_as([forest])
    pairs = list(zip(map(parts.predictor, estimator.estimators_), estimator.estimator_weights_.tolist(), strict=False))
    numbers = {label: i for i, label in enumerate(estimator.classes_.tolist())}

    def count(row: Row) -> Scores:
        weights = [0.0] * len(numbers)
        for part, weight in pairs:
            weights[numbers[part.predict(row)[0]]] += weight
        return weights

    return count, {**as_exact_as([part for part, _ in pairs]), "checks": False}


def _boosted_regressor(estimator: Any, parts: Parts) -> RowPredictor:
    """Make the part for an AdaBoostRegressor: the weighted median."""
    weights = estimator.estimator_weights_.tolist()[: len(estimator.estimators_)]
    half = sum(weights) / 2
    numbers, exactness = _numbers_of_members(estimator, parts)

    def median(row: Row) -> float:
        total = 0.0
        for number, weight in sorted(zip(numbers(row), weights, strict=True)):
            total += weight
            if abs(total - half) <= 1e-9 * half:
                raise HardRowError  # the order of a sum would decide
            if total > half:
                return number
        raise HardRowError

    return NumberPredictor(type(estimator).__name__, median, **exactness)


def _numbers_of_members(estimator: Any, parts: Parts) -> tuple[Callable[[Row], list[float]], dict[str, Any]]:
    """Return the function from a row to the prediction of each member, and how exact it is."""
    if forest := _as_forest(separate_forest, estimator, parts):
        n_trees = len(estimator.estimators_)
        return lambda row: [n_trees * mean for mean in probabilities_of(forest, row)], as_exact_as([forest])
    members = [parts.predictor(member) for member in estimator.estimators_]
    return lambda row: [member.predict(row)[0] for member in members], {**as_exact_as(members), "checks": False}


VOTING: dict[str, Callable[[Any, Parts], RowPredictor]] = {
    "VotingClassifier": _voting_classifier,
    "VotingRegressor": _voting_regressor,
    "StackingClassifier": _stacking,
    "StackingRegressor": _stacking,
    "BaggingClassifier": _bagging_classifier,
    "BaggingRegressor": _bagging_regressor,
    "AdaBoostClassifier": _boosted_classifier,
    "AdaBoostRegressor": _boosted_regressor,
}
