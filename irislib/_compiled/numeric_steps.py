"""Transformers of numbers, as functions of one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from irislib._compiled.fast_form import NoFasterFormError, Row, RowTransform
from irislib._compiled.predictors import finite

__all__ = ["NUMERIC_STEPS", "Impute", "Standardize", "Stretch"]


@dataclass(frozen=True, slots=True)
class Impute:
    """SimpleImputer for one row."""

    statistics: Row
    indicated: list[int]

    def __call__(self, row: Row) -> Row:
        filled = [value if value == value else statistic for value, statistic in zip(row, self.statistics, strict=True)]
        return filled + [float(row[i] != row[i]) for i in self.indicated]


@dataclass(frozen=True, slots=True)
class Standardize:
    """StandardScaler, RobustScaler or MaxAbsScaler for one row."""

    means: list[float]
    scales: list[float]

    def __call__(self, row: Row) -> Row:
        return [(value - mean) / scale for value, mean, scale in zip(row, self.means, self.scales, strict=True)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """MinMaxScaler for one row."""

    scales: list[float]
    offsets: list[float]
    low: float
    high: float

    def __call__(self, row: Row) -> Row:
        stretched = [value * scale + begin for value, scale, begin in zip(row, self.scales, self.offsets, strict=True)]
        return [min(max(value, self.low), self.high) for value in stretched]  # NaN stays: it comes first in both


@dataclass(frozen=True, slots=True)
class Multiply:
    """PolynomialFeatures for one row: each product is an earlier one times a value, in scikit-learn's order."""

    factors: list[tuple[int, int]]
    selected: list[int]

    def __call__(self, row: Row) -> Row:
        products = [1.0]
        for earlier, index in self.factors:
            products.append(row[index] * products[earlier])
        return finite([products[i] for i in self.selected])


def _standard(step: Any) -> RowTransform:
    count = step.n_features_in_
    means = step.mean_.tolist() if step.with_mean else [0.0] * count
    return Standardize(means, step.scale_.tolist() if step.with_std else [1.0] * count)


def _robust(step: Any) -> RowTransform:
    count = step.n_features_in_
    centres = step.center_.tolist() if step.with_centering else [0.0] * count
    return Standardize(centres, step.scale_.tolist() if step.with_scaling else [1.0] * count)


def _largest(step: Any) -> RowTransform:
    if getattr(step, "clip", False):
        raise NoFasterFormError("this MaxAbsScaler clips.")
    return Standardize([0.0] * step.n_features_in_, step.scale_.tolist())


def _stretch(step: Any) -> RowTransform:
    low, high = step.feature_range if step.clip else (-inf, inf)
    return Stretch(step.scale_.tolist(), step.min_.tolist(), low, high)


def _impute(step: Any) -> RowTransform:
    statistics = step.statistics_.tolist()
    # a column without a statistic is left out, with a warning each time
    if step.missing_values == step.missing_values or any(statistic != statistic for statistic in statistics):
        raise NoFasterFormError("this SimpleImputer does more than to fill in.")
    return Impute(statistics, step.indicator_.features_.tolist() if step.add_indicator else [])


def _select(step: Any) -> RowTransform:
    indices = step.get_support(indices=True).tolist()
    return lambda row: list(map(finite(row).__getitem__, indices))


def _polynomial(step: Any) -> RowTransform:
    numbers: dict[tuple[int, ...], int] = {(): 0}
    factors = []
    powers = [tuple(i for i, power in enumerate(row) for _ in range(power)) for row in step.powers_.tolist()]

    def number(indices: tuple[int, ...]) -> int:
        if indices not in numbers:
            earlier = number(indices[1:])
            factors.append((earlier, indices[0]))
            numbers[indices] = len(factors)
        return numbers[indices]

    selected = [number(indices) for indices in powers]
    return Multiply(factors, selected)


def _function(step: Any) -> RowTransform:
    import numpy as np

    if step.func is None:
        return lambda row: row
    if not (isinstance(step.func, np.ufunc) and step.func.nin == step.func.nout == 1) or step.kw_args:
        raise NoFasterFormError("its FunctionTransformer is not one of NumPy's functions.")
    function = step.func

    def compute(row: Row) -> Row:
        with np.errstate(all="ignore"):
            return finite(function(np.array(row, dtype=float)).tolist())

    return compute


def _principal(step: Any) -> RowTransform:
    import numpy as np

    components, centre = step.components_.T, np.reshape(step.mean_, (1, -1)) @ step.components_.T
    scale = np.maximum(np.sqrt(step.explained_variance_), np.finfo(float).eps) if step.whiten else None

    def project(row: Row) -> Row:
        projected = np.array([row], dtype=float) @ components - centre  # in scikit-learn's order, to be as exact
        return finite((projected if scale is None else projected / scale)[0].tolist())

    return project


NUMERIC_STEPS: dict[str, Callable[[Any], RowTransform]] = {
    "StandardScaler": _standard,
    "RobustScaler": _robust,
    "MaxAbsScaler": _largest,
    "MinMaxScaler": _stretch,
    "SimpleImputer": _impute,
    "PolynomialFeatures": _polynomial,
    "FunctionTransformer": _function,
    "PCA": _principal,
    **dict.fromkeys(
        (
            *("SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe", "GenericUnivariateSelect"),
            *("SelectFromModel", "SequentialFeatureSelector", "RFE", "RFECV", "VarianceThreshold"),
        ),
        _select,
    ),
}
