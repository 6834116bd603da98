"""Estimators of smooth curves: support vectors, normal distributions, neural networks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Row, RowPredictor
from irislib._compiled.predictors import (
    FIRST,
    TIE,
    NumberPredictor,
    ScorePredictor,
    Scores,
    expit,
    sigmoid_of_one,
    softmax,
)

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SMOOTH"]


def _kernel(estimator: Any) -> Callable[[Row], np.ndarray]:
    """Return the function from a row to its similarity with each support vector."""
    import numpy as np

    vectors, gamma, start, degree = estimator.support_vectors_, estimator._gamma, estimator.coef0, estimator.degree
    if not isinstance(vectors, np.ndarray):
        raise NoFasterFormError("its support vectors are sparse.")

    def distances(row: Row) -> np.ndarray:
        difference = vectors - np.array(row, dtype=float)
        return (difference * difference).sum(axis=1)  # type: ignore[no-any-return]

    functions: dict[Any, Callable[[Row], np.ndarray]] = {
        "linear": lambda row: vectors @ np.array(row, dtype=float),
        "poly": lambda row: (gamma * (vectors @ np.array(row, dtype=float)) + start) ** degree,
        "rbf": lambda row: np.exp(-gamma * distances(row)),
        "sigmoid": lambda row: np.tanh(gamma * (vectors @ np.array(row, dtype=float)) + start),
    }
    if not isinstance(estimator.kernel, str) or estimator.kernel not in functions:
        raise NoFasterFormError(f"the kernel of this {type(estimator).__name__} is not one of scikit-learn's.")
    return functions[estimator.kernel]


def _support_regressor(estimator: Any) -> RowPredictor:
    kernel, weights, offset = _kernel(estimator), estimator.dual_coef_[0], float(estimator.intercept_[0])
    return NumberPredictor(type(estimator).__name__, lambda row: float(weights @ kernel(row)) + offset)


def _support_classifier(estimator: Any) -> RowPredictor:
    name, classes, kernel = type(estimator).__name__, estimator.classes_.tolist(), _kernel(estimator)
    has_probabilities = hasattr(estimator, "predict_proba")
    if len(classes) > 2:
        if has_probabilities or estimator.break_ties:
            raise NoFasterFormError(f"this {name} has probabilities of several classes or breaks ties.")
        return ScorePredictor(name, classes, _votes(estimator, kernel), has_decision=False, tie=FIRST)
    weights, offset = estimator.dual_coef_[0], float(estimator.intercept_[0])

    def score(row: Row) -> Scores:
        return [float(weights @ kernel(row)) + offset]

    if not has_probabilities:
        return ScorePredictor(name, classes, score)
    slope, start = float(estimator._probA[0]), float(estimator._probB[0])
    return ScorePredictor(name, classes, score, lambda scores: _coupled(expit(slope * scores[0] - start)))


def _coupled(share: float) -> Scores:
    """Return the probabilities of two classes as libsvm approximates them from the share of the first.

    Its iteration is meant for several classes and stops early, which two digits of the probabilities show.
    Source: T.-F. Wu, C.-J. Lin, R. C. Weng (2004), Probability estimates for multi-class classification by pairwise
    coupling, Journal of Machine Learning Research 5, 975-1005, algorithm 2.
    """
    share = min(max(share, 1e-7), 1 - 1e-7)
    rest = 1 - share
    q = [[rest * rest, -rest * share], [-share * rest, share * share]]
    p = [0.5, 0.5]
    for _ in range(100):
        qp = [q[t][0] * p[0] + q[t][1] * p[1] for t in (0, 1)]
        pqp = p[0] * qp[0] + p[1] * qp[1]
        if max(abs(value - pqp) for value in qp) < 0.005 / 2:
            break
        for t in (0, 1):
            step = (pqp - qp[t]) / q[t][t]
            p[t] += step
            pqp = (pqp + step * (step * q[t][t] + 2 * qp[t])) / (1 + step) / (1 + step)
            qp = [(value + step * q[t][j]) / (1 + step) for j, value in enumerate(qp)]
            p = [value / (1 + step) for value in p]
    return p


def _votes(estimator: Any, kernel: Callable[[Row], np.ndarray]) -> Callable[[Row], Scores]:
    """Return the function from a row to the votes for each class: one for each pair of classes."""
    import numpy as np

    count, ends = len(estimator.classes_), np.cumsum(estimator.n_support_)
    owned = [slice(end - size, end) for end, size in zip(ends, estimator.n_support_, strict=True)]
    pairs = list(combinations(range(count), 2))
    weights = np.zeros((len(pairs), ends[-1]))
    for k, (i, j) in enumerate(pairs):
        weights[k, owned[i]] = estimator.dual_coef_[j - 1, owned[i]]
        weights[k, owned[j]] = estimator.dual_coef_[i, owned[j]]
    offsets = estimator.intercept_

    def vote(row: Row) -> Scores:
        votes = [0.0] * count
        for (i, j), decision in zip(pairs, (weights @ kernel(row) + offsets).tolist(), strict=True):
            if not abs(decision) > TIE:
                raise HardRowError
            votes[i if decision > 0 else j] += 1.0
        return votes

    return vote


def _normal_bayes(estimator: Any) -> RowPredictor:
    """Make the part for a GaussianNB."""
    import numpy as np

    means, variances = estimator.theta_, estimator.var_
    offsets = np.log(estimator.class_prior_) - 0.5 * np.sum(np.log(2.0 * np.pi * variances), axis=1)

    def scores(row: Row) -> Scores:
        difference = np.array(row, dtype=float) - means
        return (offsets - 0.5 * (difference * difference / variances).sum(axis=1)).tolist()  # type: ignore[no-any-return]

    return ScorePredictor(type(estimator).__name__, estimator.classes_.tolist(), scores, softmax, has_decision=False)


def _forward(estimator: Any) -> Callable[[Row], Scores]:
    """Return the function from a row to what the last layer of a neural network gets."""
    import numpy as np

    activations: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "identity": lambda x: x,
        "relu": lambda x: np.maximum(x, 0.0),
        "tanh": np.tanh,
        "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
    }
    activate = activations[estimator.activation]
    *hidden, (weights, offsets) = zip(estimator.coefs_, estimator.intercepts_, strict=True)

    def forward(row: Row) -> Scores:
        values = np.array(row, dtype=float)
        for layer, layer_offsets in hidden:
            values = activate(values @ layer + layer_offsets)
        return (values @ weights + offsets).tolist()  # type: ignore[no-any-return]

    return forward


def _network_classifier(estimator: Any) -> RowPredictor:
    links = {"logistic": sigmoid_of_one, "softmax": softmax}
    link = links[estimator.out_activation_]
    name, classes = type(estimator).__name__, estimator.classes_.tolist()
    return ScorePredictor(name, classes, _forward(estimator), link, has_decision=False)


def _network_regressor(estimator: Any) -> RowPredictor:
    if estimator.out_activation_ != "identity":
        raise NoFasterFormError(f"this MLPRegressor ends with {estimator.out_activation_}.")
    forward = _forward(estimator)
    return NumberPredictor(type(estimator).__name__, lambda row: forward(row)[0])


SMOOTH: dict[str, Callable[[Any], RowPredictor]] = {
    **dict.fromkeys(("SVR", "NuSVR"), _support_regressor),
    **dict.fromkeys(("SVC", "NuSVC"), _support_classifier),
    "GaussianNB": _normal_bayes,
    "MLPClassifier": _network_classifier,
    "MLPRegressor": _network_regressor,
}
