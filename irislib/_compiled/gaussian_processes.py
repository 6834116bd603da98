"""Gaussian processes: the similarity of a row with each training row, and what follows from it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import erf, pi, sqrt
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Outcome, Row, RowPredictor
from irislib._compiled.predictors import ComputedPredictor, NumberPredictor, Scores, finite, highest

if TYPE_CHECKING:
    import numpy as np

    from irislib._compiled.parts import Parts

__all__ = ["GAUSSIAN_PROCESSES"]

Kernel = Callable[["np.ndarray"], "np.ndarray"]


def _kernel(kernel: Any, rows: np.ndarray) -> Kernel:
    """Return the function from a row to its similarity with each of the training rows."""
    import numpy as np

    name = type(kernel).__name__
    if not type(kernel).__module__.startswith("sklearn."):
        raise NoFasterFormError(f"there is no faster form of {name}.")
    if name in ("Sum", "Product"):
        first, second = _kernel(kernel.k1, rows), _kernel(kernel.k2, rows)
        if name == "Sum":
            return lambda row: first(row) + second(row)
        return lambda row: first(row) * second(row)
    if name == "Exponentiation":
        base, exponent = _kernel(kernel.kernel, rows), kernel.exponent
        return lambda row: base(row) ** exponent
    if name in ("ConstantKernel", "WhiteKernel"):  # noise is none between two different rows
        number = np.full(len(rows), kernel.constant_value if name == "ConstantKernel" else 0.0)
        return lambda row: number
    if name == "DotProduct":
        return lambda row: rows @ row + kernel.sigma_0**2
    if name not in SHAPES or (name == "Matern" and kernel.nu not in MATERN):
        raise NoFasterFormError(f"there is no faster form of this {name}.")
    shape = SHAPES[name](kernel)
    has_own_length = name in ("RationalQuadratic", "ExpSineSquared")  # its shape has it
    length = np.ones(1) if has_own_length else np.asarray(kernel.length_scale, dtype=float)
    scaled = rows / length

    def similarity(row: np.ndarray) -> np.ndarray:
        difference = scaled - row / length
        return shape(np.einsum("ij,ij->i", difference, difference))

    return similarity


def _normal(kernel: Any) -> Kernel:
    import numpy as np

    return lambda squares: np.exp(-0.5 * squares)


def _matern(kernel: Any) -> Kernel:
    import numpy as np

    factor, order = sqrt(2 * kernel.nu), MATERN[kernel.nu]
    if order is None:
        return _normal(kernel)

    def shape(squares: np.ndarray) -> np.ndarray:
        distance = np.sqrt(squares) * factor
        polynomial = (1.0, 1.0 + distance, 1.0 + distance + distance * distance / 3.0)[order]
        return polynomial * np.exp(-distance)  # type: ignore[no-any-return]

    return shape


def _rational(kernel: Any) -> Kernel:
    divisor, exponent = 2 * kernel.alpha * kernel.length_scale**2, -kernel.alpha
    return lambda squares: (1.0 + squares / divisor) ** exponent


def _periodic(kernel: Any) -> Kernel:
    import numpy as np

    period, length = kernel.periodicity, kernel.length_scale
    return lambda squares: np.exp(-2.0 * (np.sin(pi / period * np.sqrt(squares)) / length) ** 2)


MATERN = {0.5: 0, 1.5: 1, 2.5: 2, float("inf"): None}  # the degree of the polynomial before the exponential
SHAPES: dict[str, Callable[[Any], Kernel]] = {
    "RBF": _normal,
    "Matern": _matern,
    "RationalQuadratic": _rational,
    "ExpSineSquared": _periodic,
}


def _regressor(estimator: Any, parts: Parts) -> RowPredictor:
    import numpy as np

    kernel, weights = _kernel(estimator.kernel_, estimator.X_train_), estimator.alpha_.ravel()
    scale, mean = float(np.ravel(estimator._y_train_std).item()), float(np.ravel(estimator._y_train_mean).item())

    def number(row: Row) -> float:
        return scale * float(kernel(np.array(row, dtype=float)) @ weights) + mean

    return NumberPredictor(type(estimator).__name__, number)


@dataclass(frozen=True, slots=True)
class LaplacePredictor(ComputedPredictor):
    """A classifier of two classes by a Gaussian process.

    Attributes
    ----------
    classes : list
    latent : callable
        From a row to the mean and the variance of the latent function.
    lambdas, coefficients : list of float
        Of the error functions that stand for the logistic function.
    """

    classes: list[Any]
    latent: Callable[[Row], tuple[float, float]]
    lambdas: list[float]
    coefficients: list[float]

    def predict(self, row: Row) -> Outcome:
        """Predict one row; see :meth:`RowPredictor.predict`."""
        mean, variance = self.latent(finite(row))
        share = 0.5 * sum(self.coefficients)
        for factor, coefficient in zip(self.lambdas, self.coefficients, strict=True):
            share += coefficient * erf(factor * mean / sqrt(1.0 + 2.0 * variance * factor * factor)) / 2.0
        return self.classes[highest([mean])], [1.0 - share, share]

    def decide(self, row: Row) -> Scores:
        """Raise HardRowError: it has no decision function."""
        raise HardRowError


def _classifier(estimator: Any, parts: Parts) -> RowPredictor:
    base = estimator.base_estimator_
    return _laplace(base) if estimator.n_classes_ == 2 else parts.predictor(base)


def _laplace(estimator: Any) -> RowPredictor:
    """Make the part of two classes: its matrix times a row's similarities is what scikit-learn solves for."""
    import numpy as np

    rows, prior = estimator.X_train_, estimator.kernel_
    kernel, slopes = _kernel(prior, rows), estimator.y_train_ - estimator.pi_
    matrix = np.linalg.solve(estimator.L_, np.diag(estimator.W_sr_))
    constant = float(prior.diag(rows[:1]).item()) if prior.is_stationary() else None

    def latent(row: Row) -> tuple[float, float]:
        values = np.array(row, dtype=float)
        similarity = kernel(values)
        solved = matrix @ similarity
        variance = prior.diag(values[np.newaxis]).item() if constant is None else constant
        return float(similarity @ slopes), variance - float(solved @ solved)

    module = sys.modules[type(estimator).__module__]
    constants = module.LAMBDAS.ravel().tolist(), module.COEFS.ravel().tolist()
    name = "GaussianProcessClassifier"
    return LaplacePredictor(name, estimator.classes_.tolist(), latent, *constants, tolerance=TOLERANCE)


TOLERANCE = 1e-10  # the coefficients are in the thousands, and take the last digits with them

GAUSSIAN_PROCESSES: dict[str, Callable[[Any, Parts], RowPredictor]] = {
    "GaussianProcessRegressor": _regressor,
    "GaussianProcessClassifier": _classifier,
    "_BinaryGaussianProcessClassifierLaplace": lambda estimator, parts: _laplace(estimator),
}
