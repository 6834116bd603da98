"""Estimators that weigh and add up the values of a row."""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from operator import mul
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import NoFasterFormError, Row, RowPredictor
from irislib._compiled.predictors import (
    NumberPredictor,
    ScorePredictor,
    Scores,
    normalized_or_equal,
    sigmoid_of_one,
    sigmoids,
    softmax,
)

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LINEAR", "weighted_sums"]

FEW = 40  # weights: as many are added up faster in Python than in an array


def weighted_sums(weights: np.ndarray, offsets: np.ndarray) -> Callable[[Row], Scores]:
    """Return the function from a row to sums of its values.

    Parameters
    ----------
    weights : ndarray of shape (n_sums, n_features)
    offsets : ndarray of shape (n_sums,)
    """
    import numpy as np

    if weights.size <= FEW:
        pairs = list(zip(weights.tolist(), offsets.tolist(), strict=True))
        count = weights.shape[1]

        def add(row: Row) -> Scores:
            if len(row) != count:
                raise ValueError("the row has another number of values")
            return [sum(map(mul, numbers, row), offset) for numbers, offset in pairs]

        return add

    def multiply(row: Row) -> Scores:
        return (weights @ np.array(row, dtype=float) + offsets).tolist()  # type: ignore[no-any-return]

    return multiply


def _sums_of(estimator: Any) -> Callable[[Row], Scores]:
    import numpy as np

    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=float))
    offsets = np.zeros(len(weights)) + estimator.intercept_
    return weighted_sums(weights, offsets)


def _regressor(estimator: Any) -> RowPredictor:
    sums = _sums_of(estimator)
    return NumberPredictor(type(estimator).__name__, lambda row: sums(row)[0])


def _exponential(estimator: Any) -> RowPredictor:
    sums = _sums_of(estimator)
    return NumberPredictor(type(estimator).__name__, lambda row: exp(sums(row)[0]))


def _tweedie(estimator: Any) -> RowPredictor:
    is_identity = estimator.link == "identity" or (estimator.link == "auto" and estimator.power <= 0)
    return _regressor(estimator) if is_identity else _exponential(estimator)


def _classifier(estimator: Any) -> RowPredictor:
    return ScorePredictor(type(estimator).__name__, estimator.classes_.tolist(), _sums_of(estimator))


def _logistic(estimator: Any) -> RowPredictor:
    classes = estimator.classes_.tolist()
    one_against_rest = getattr(estimator, "multi_class", "") == "ovr" or estimator.solver == "liblinear"
    link = sigmoid_of_one if len(classes) == 2 else sigmoids if one_against_rest else softmax
    return ScorePredictor(type(estimator).__name__, classes, _sums_of(estimator), link)


def _gradient_descent(estimator: Any) -> RowPredictor:
    links = {"log_loss": sigmoids, "modified_huber": _hubers}
    link = links.get(estimator.loss)
    return ScorePredictor(type(estimator).__name__, estimator.classes_.tolist(), _sums_of(estimator), link)


def _hubers(scores: Scores) -> Scores:
    shares = [(min(max(score, -1.0), 1.0) + 1.0) / 2.0 for score in scores]
    if len(shares) == 1:
        return [1.0 - shares[0], shares[0]]
    return normalized_or_equal(shares)


def _multinomial_bayes(estimator: Any) -> RowPredictor:
    sums = weighted_sums(estimator.feature_log_prob_, estimator.class_log_prior_)
    return ScorePredictor(type(estimator).__name__, estimator.classes_.tolist(), sums, softmax, has_decision=False)


def _bernoulli_bayes(estimator: Any) -> RowPredictor:
    import numpy as np

    log_no = np.log(1 - np.exp(estimator.feature_log_prob_))
    offsets = estimator.class_log_prior_ + log_no.sum(axis=1)
    sums = weighted_sums(estimator.feature_log_prob_ - log_no, offsets)
    limit = estimator.binarize
    if limit is None:
        raise NoFasterFormError("this BernoulliNB takes any numbers for yes and no.")
    return ScorePredictor(
        type(estimator).__name__,
        estimator.classes_.tolist(),
        lambda row: sums([float(value > limit) for value in row]),
        softmax,
        has_decision=False,
    )


LINEAR: dict[str, Callable[[Any], RowPredictor]] = {
    **dict.fromkeys(
        (
            *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC"),
            *("Lars", "LarsCV", "ElasticNet", "ElasticNetCV", "BayesianRidge", "ARDRegression", "HuberRegressor"),
            *("TheilSenRegressor", "QuantileRegressor", "SGDRegressor", "LinearSVR", "PassiveAggressiveRegressor"),
            *("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV"),
        ),
        _regressor,
    ),
    **dict.fromkeys(("PoissonRegressor", "GammaRegressor"), _exponential),
    "TweedieRegressor": _tweedie,
    **dict.fromkeys(
        ("LinearSVC", "RidgeClassifier", "RidgeClassifierCV", "Perceptron", "PassiveAggressiveClassifier"), _classifier
    ),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis"), _logistic),
    "SGDClassifier": _gradient_descent,
    "MultinomialNB": _multinomial_bayes,
    "BernoulliNB": _bernoulli_bayes,
}
