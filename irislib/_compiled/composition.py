"""Estimators that hold one other: Pipelines, searches, thresholds, calibration, transformed targets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

from irislib._compiled.column_steps import chained
from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Outcome, Row, RowPredictor, RowTransform
from irislib._compiled.predictors import (
    TOLERANCE,
    NumberPredictor,
    ScorePredictor,
    Scores,
    as_exact_as,
    expit,
    highest,
    normalized_or_equal,
    softmax,
)

if TYPE_CHECKING:
    from irislib._compiled.parts import Parts

__all__ = ["COMPOSITIONS", "Chain", "Thresholded", "probabilities_of"]


@dataclass(frozen=True, slots=True)
class Chain:
    """A Pipeline.

    Attributes
    ----------
    transform : RowTransform
        All steps but the last.
    last : RowPredictor
    steps_text : str
        How the steps are done, as in "one row is answered by *2 steps in plain Python* and by walking 100 trees".
    has_slow_steps : bool, default False
    """

    transform: RowTransform
    last: RowPredictor
    steps_text: str
    has_slow_steps: bool = False

    @property
    def tolerance(self) -> float:
        """That of the last step."""
        return self.last.tolerance

    @property
    def is_slow(self) -> bool:
        """True if a prediction takes milliseconds."""
        return self.has_slow_steps or self.last.is_slow

    @property
    def text(self) -> str:
        """The method of prediction, as the end of a sentence."""
        return f"{self.steps_text} and by {self.last.text}"

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        return self.last.predict(self.transform(row))

    def decide(self, row: Row) -> Scores:
        """Return the decision function of one row; see :meth:`RowPredictor.decide`."""
        return self.last.decide(self.transform(row))


@dataclass(frozen=True, slots=True)
class Thresholded:
    """A classifier of two classes that decides by a threshold of its own.

    Attributes
    ----------
    inner : RowPredictor
    classes : sequence of length 2
    threshold : float
    uses_probability : bool
        Whether the threshold is one of probabilities, not of the decision function.
    positive : {0, 1}
        The index of the class that is predicted from the threshold on.
    """

    inner: RowPredictor
    classes: Sequence[Any]
    threshold: float
    uses_probability: bool
    positive: int

    @property
    def tolerance(self) -> float:
        """That of the estimator."""
        return self.inner.tolerance

    @property
    def is_slow(self) -> bool:
        """True if the estimator is slow."""
        return self.inner.is_slow

    @property
    def text(self) -> str:
        """The method of prediction, as the end of a sentence."""
        return self.inner.text

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        probabilities = self.inner.predict(row)[1]
        if self.uses_probability:
            score = (probabilities or [])[self.positive]
        else:
            score = self.inner.decide(row)[0] * (1 if self.positive else -1)
        is_positive = highest([score], self.threshold)
        return self.classes[self.positive if is_positive else 1 - self.positive], probabilities

    def decide(self, row: Row) -> Scores:
        """Return the decision function of one row; see :meth:`RowPredictor.decide`."""
        return self.inner.decide(row)


def probabilities_of(part: RowPredictor, row: Row) -> Scores:
    """Return the probabilities that a part gives a row.

    Raises
    ------
    HardRowError
        Also if it has none.
    """
    probabilities = part.predict(row)[1]
    if probabilities is None:
        raise HardRowError
    return probabilities


def _pipeline(estimator: Any, parts: Parts) -> RowPredictor:
    steps = [step for _, step in estimator.steps[:-1] if step not in (None, "passthrough")]
    last = parts.predictor(estimator.steps[-1][1])
    if not steps:
        return last
    before = len(parts.without_form)
    functions, without_form = [parts.transform(step) for step in steps], parts.without_form[before:]
    text = f"{len(steps):,} step{'' if len(steps) == 1 else 's'} in plain Python"
    if without_form:
        text += f" but for {', '.join(dict.fromkeys(without_form))}"
    return Chain(chained(functions), last, text, bool(without_form))


def _search(estimator: Any, parts: Parts) -> RowPredictor:
    return parts.predictor(estimator.best_estimator_)


def _frozen(estimator: Any, parts: Parts) -> RowPredictor:
    return parts.predictor(estimator.estimator)


def _fixed_threshold(estimator: Any, parts: Parts) -> RowPredictor:
    positive = 1 if estimator.pos_label is None else estimator.classes_.tolist().index(estimator.pos_label)
    return _thresholded(estimator, parts, estimator.threshold, positive)


def _tuned_threshold(estimator: Any, parts: Parts) -> RowPredictor:
    return _thresholded(estimator, parts, float(estimator.best_threshold_), 1)


def _thresholded(estimator: Any, parts: Parts, threshold: Any, positive: int) -> RowPredictor:
    inner = getattr(estimator, "estimator_", estimator.estimator)
    method = estimator.response_method
    uses_probability = hasattr(inner, "predict_proba") if method == "auto" else method == "predict_proba"
    if threshold == "auto":
        threshold = 0.5 if uses_probability else 0.0
    classes = estimator.classes_.tolist()
    return Thresholded(parts.predictor(inner), classes, threshold, uses_probability, positive)


def _transformed_target(estimator: Any, parts: Parts) -> RowPredictor:
    import numpy as np

    inner, transformer = parts.predictor(estimator.regressor_), estimator.transformer_
    back = transformer.inverse_transform
    if type(transformer).__name__ == "FunctionTransformer" and transformer.inverse_func is not None:
        back = transformer.inverse_func  # without the checks
    elif type(transformer).__name__ == "StandardScaler" and transformer.with_mean and transformer.with_std:
        scale, mean = transformer.scale_, transformer.mean_
        back = lambda numbers: numbers * scale + mean  # noqa: E731

    def number(row: Row) -> float:
        return float(np.asarray(back(np.array([[inner.predict(row)[0]]], dtype=float))).ravel()[0])

    return NumberPredictor(type(estimator).__name__, number, checks=False, **as_exact_as([inner]))


def _calibrated(estimator: Any, parts: Parts) -> RowPredictor:
    inner = [parts.predictor(member.estimator) for member in estimator.calibrated_classifiers_]
    members = [_calibrated_member(*pair) for pair in zip(estimator.calibrated_classifiers_, inner, strict=True)]
    count = len(members)

    def mean(row: Row) -> Scores:
        return [sum(shares) / count for shares in zip(*[member(row) for member in members], strict=True)]

    classes, exactness = estimator.classes_.tolist(), as_exact_as(inner)
    return ScorePredictor(type(estimator).__name__, classes, mean, list, False, checks=False, **exactness)


def _calibrated_member(member: Any, inner: RowPredictor) -> Callable[[Row], Scores]:
    if member.method not in ("sigmoid", "isotonic", "temperature"):
        raise NoFasterFormError(f"its calibration is by {member.method}.")
    count = len(member.classes)
    if len(member.estimator.classes_) != count:
        raise NoFasterFormError("a part of its CalibratedClassifierCV has not seen every class.")
    has_decision = hasattr(member.estimator, "decision_function")
    if member.method == "temperature":
        return _by_temperature(float(member.calibrators[0].beta_), inner, has_decision)
    curves = [_calibrator(calibrator) for calibrator in member.calibrators]

    def calibrate(row: Row) -> Scores:
        scores = inner.decide(row) if has_decision else probabilities_of(inner, row)
        if count == 2:
            share = min(curves[0](scores[-1]), 1.0)
            return [1.0 - share, share]
        shares = [curve(score) for curve, score in zip(curves, scores, strict=True)]
        return normalized_or_equal(shares)

    return calibrate


def _by_temperature(beta: float, inner: RowPredictor, has_decision: bool) -> Callable[[Row], Scores]:
    """Return the function from a row to probabilities; beta is the inverse of the temperature."""

    def calibrate(row: Row) -> Scores:
        scores = inner.decide(row) if has_decision else probabilities_of(inner, row)
        if len(scores) == 1:
            scores = [-scores[0], scores[0]]
        elif min(scores) >= 0 and abs(sum(scores) - 1) < 1e-4:  # they are taken for probabilities, wherever from
            if abs(sum(scores) - 1) > 1e-6:
                raise HardRowError
            scores = [log(score + 1e-12) for score in scores]
        return softmax([beta * score for score in scores])

    return calibrate


def _calibrator(calibrator: Any) -> Callable[[float], float]:
    """Return the curve from a score to a probability: a sigmoid, or straight lines between thresholds."""
    if hasattr(calibrator, "a_"):
        slope, start = float(calibrator.a_), float(calibrator.b_)
        return lambda score: expit(-(slope * score + start))
    xs, ys = calibrator.X_thresholds_.tolist(), calibrator.y_thresholds_.tolist()

    def interpolate(score: float) -> float:
        i = bisect_right(xs, score)
        if i in (0, len(xs)):
            return ys[min(i, len(xs) - 1)]  # type: ignore[no-any-return]
        return ys[i - 1] + (ys[i] - ys[i - 1]) * ((score - xs[i - 1]) / (xs[i] - xs[i - 1]))  # type: ignore[no-any-return]

    def read(score: float) -> float:
        share, margin = interpolate(score), 1e-13 * abs(score)
        if any(abs(share - interpolate(near)) > TOLERANCE for near in (score - margin, score + margin)):
            raise HardRowError  # the curve is so steep that the last bits of the score matter
        return share

    return read


COMPOSITIONS: dict[str, Callable[[Any, Parts], RowPredictor]] = {
    "Pipeline": _pipeline,
    **dict.fromkeys(("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"), _search),
    "FrozenEstimator": _frozen,
    "FixedThresholdClassifier": _fixed_threshold,
    "TunedThresholdClassifierCV": _tuned_threshold,
    "TransformedTargetRegressor": _transformed_target,
    "CalibratedClassifierCV": _calibrated,
}
