"""Estimators of smooth curves: support vectors, normal distributions, neural networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from operator import mul
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Outcome, Row, RowPredictor
from irislib._compiled.predictors import (
    FIRST,
    TIE,
    ComputedPredictor,
    NumberPredictor,
    ScorePredictor,
    Scores,
    expit,
    finite,
    highest,
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
        return np.einsum("ij,ij->i", difference, difference)  # type: ignore[no-any-return]

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
        if estimator.break_ties:
            raise NoFasterFormError(f"this {name} breaks ties.")
        sigmoids = list(zip(estimator._probA.tolist(), estimator._probB.tolist(), strict=True))
        return PairVotes(name, classes, _pair_decisions(estimator, kernel), sigmoids if has_probabilities else None)
    weights, offset = estimator.dual_coef_[0], float(estimator.intercept_[0])

    def score(row: Row) -> Scores:
        return [float(weights @ kernel(row)) + offset]

    if not has_probabilities:
        return ScorePredictor(name, classes, score)
    slope, start = float(estimator._probA[0]), float(estimator._probB[0])
    return ScorePredictor(name, classes, score, lambda scores: _coupled([expit(slope * scores[0] - start)], 2))


def _coupled(shares: Scores, count: int) -> Scores:
    """Return the probabilities of the classes as libsvm approximates them from the shares of the first of each pair.

    Its iteration is meant for several classes and stops early, which two digits of the probabilities show.
    Source: T.-F. Wu, C.-J. Lin, R. C. Weng (2004), Probability estimates for multi-class classification by pairwise
    coupling, Journal of Machine Learning Research 5, 975-1005, algorithm 2.
    """
    r = [[0.0] * count for _ in range(count)]
    for (i, j), share in zip(combinations(range(count), 2), shares, strict=True):
        r[i][j] = min(max(share, 1e-7), 1 - 1e-7)
        r[j][i] = 1 - r[i][j]
    every = range(count)
    q = [[-r[j][t] * r[t][j] for j in every] for t in every]
    for t in every:
        q[t][t] = sum(r[j][t] * r[j][t] for j in every)
    p = [1.0 / count] * count
    for _ in range(max(100, count)):
        qp = [sum(map(mul, row, p)) for row in q]
        pqp = sum(map(mul, p, qp))
        if max(abs(value - pqp) for value in qp) < 0.005 / count:
            break
        for t, row in enumerate(q):
            step = (pqp - qp[t]) / row[t]
            p[t] += step
            pqp = (pqp + step * (step * row[t] + 2 * qp[t])) / (1 + step) / (1 + step)
            qp = [(value + step * other) / (1 + step) for value, other in zip(qp, row, strict=True)]
            p = [value / (1 + step) for value in p]
    return p


@dataclass(frozen=True, slots=True)
class PairVotes(ComputedPredictor):
    """Support vectors of several classes: each pair of them has a vote.

    Attributes
    ----------
    classes : list
    decisions : callable
        From a row to a number for each pair of classes, above 0 for the first of them.
    sigmoids : list of (float, float) or None
        The slope and the start of the curve from a number to a probability, of each pair.
    """

    classes: list[Any]
    decisions: Callable[[Row], Scores]
    sigmoids: list[tuple[float, float]] | None

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        decisions, count = self.decisions(finite(row)), len(self.classes)
        votes = [0.0] * count
        for (i, j), decision in zip(combinations(range(count), 2), decisions, strict=True):
            if not abs(decision) > TIE:
                raise HardRowError
            votes[i if decision > 0 else j] += 1.0
        label = self.classes[highest(votes, tie=FIRST)]
        if self.sigmoids is None:
            return label, None
        curves = zip(decisions, self.sigmoids, strict=True)
        return label, _coupled([expit(-(slope * decision + start)) for decision, (slope, start) in curves], count)

    def decide(self, row: Row) -> Scores:
        """Raise HardRowError: the decision function is not of votes alone."""
        raise HardRowError


def _pair_decisions(estimator: Any, kernel: Callable[[Row], np.ndarray]) -> Callable[[Row], Scores]:
    """Return the function from a row to a number for each pair of classes."""
    import numpy as np

    count, ends = len(estimator.classes_), np.cumsum(estimator.n_support_)
    owned = [slice(end - size, end) for end, size in zip(ends, estimator.n_support_, strict=True)]
    pairs = list(combinations(range(count), 2))
    weights = np.zeros((len(pairs), ends[-1]))
    for k, (i, j) in enumerate(pairs):
        weights[k, owned[i]] = estimator.dual_coef_[j - 1, owned[i]]
        weights[k, owned[j]] = estimator.dual_coef_[i, owned[j]]
    offsets = estimator.intercept_
    return lambda row: (weights @ kernel(row) + offsets).tolist()


def _normal_bayes(estimator: Any) -> RowPredictor:
    """Make the part for a GaussianNB."""
    import numpy as np

    means, variances = estimator.theta_, estimator.var_
    offsets = np.log(estimator.class_prior_) - 0.5 * np.sum(np.log(2.0 * np.pi * variances), axis=1)

    def scores(row: Row) -> Scores:
        difference = np.array(row, dtype=float) - means
        return (offsets - 0.5 * (difference * difference / variances).sum(axis=1)).tolist()  # type: ignore[no-any-return]

    return ScorePredictor(type(estimator).__name__, estimator.classes_.tolist(), scores, softmax, has_decision=False)


def _quadratic(estimator: Any) -> RowPredictor:
    """Make the part for a QuadraticDiscriminantAnalysis."""
    import numpy as np

    name, classes, means = type(estimator).__name__, estimator.classes_.tolist(), estimator.means_
    scalings = list(zip(estimator.rotations_, estimator.scalings_, strict=True))
    matrices = np.stack([rotation * scaling**-0.5 for rotation, scaling in scalings])
    offsets = np.log(estimator.priors_) - 0.5 * np.array([np.log(scaling).sum() for _, scaling in scalings])

    def scores(row: Row) -> Scores:
        distances = ((np.array(row, dtype=float) - means)[:, np.newaxis] @ matrices)[:, 0]
        values = (offsets - 0.5 * (distances * distances).sum(axis=1)).tolist()
        return values if len(values) > 2 else [values[1] - values[0]]

    def link(scores: Scores) -> Scores:
        return softmax(scores if len(scores) > 1 else [0.0, scores[0]])

    return ScorePredictor(name, classes, scores, link)


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
    "QuadraticDiscriminantAnalysis": _quadratic,
    "MLPClassifier": _network_classifier,
    "MLPRegressor": _network_regressor,
}
