"""The steps of a Pipeline before its trees: in plain Python where that is simple, else scikit-learn's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import TYPE_CHECKING, Any

from irislib._compiled.single_row import one_row_frame, single_threaded

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["Impute", "Standardize", "Stretch", "Transformers", "as_floats", "in_python", "transformed"]

FloatRow = list[float]


def as_floats(values: Sequence[Any]) -> FloatRow:
    """Convert checked values as scikit-learn's transformers take them: NaN where one is missing."""
    return [nan if value is None else float(value) for value in values]


@dataclass(frozen=True, slots=True)
class Impute:
    """SimpleImputer for one row."""

    statistics: FloatRow

    def __call__(self, row: FloatRow) -> FloatRow:
        return [value if value == value else statistic for value, statistic in zip(row, self.statistics, strict=True)]


@dataclass(frozen=True, slots=True)
class Standardize:
    """StandardScaler for one row."""

    means: FloatRow
    scales: FloatRow

    def __call__(self, row: FloatRow) -> FloatRow:
        return [(value - mean) / scale for value, mean, scale in zip(row, self.means, self.scales, strict=True)]


@dataclass(frozen=True, slots=True)
class Stretch:
    """MinMaxScaler for one row."""

    scales: FloatRow
    offsets: FloatRow
    low: float
    high: float

    def __call__(self, row: FloatRow) -> FloatRow:
        stretched = [value * scale + begin for value, scale, begin in zip(row, self.scales, self.offsets, strict=True)]
        return [min(max(value, self.low), self.high) for value in stretched]  # NaN stays: it comes first in both


@dataclass(frozen=True, slots=True)
class Transformers:
    """Steps that scikit-learn does itself, on one named row."""

    features: Sequence[Feature]
    steps: list[Any]

    def __call__(self, values: Sequence[Any]) -> FloatRow | None:
        try:
            with single_threaded():
                return transformed(self.steps, one_row_frame(self.features, values))[0].tolist()  # type: ignore[no-any-return]
        except Exception:  # scikit-learn's own prediction will say what is wrong
            return None


def transformed(steps: Sequence[Any], rows: pd.DataFrame) -> np.ndarray:
    """Transform rows by scikit-learn's steps, into an array of floats."""
    import numpy as np

    output: Any = rows
    for step in steps:
        output = step.transform(output)
    return np.asarray(output.toarray() if hasattr(output, "toarray") else output, dtype=float)


def in_python(steps: Sequence[Any]) -> list[Callable[[FloatRow], FloatRow]] | None:
    """Return the steps in plain Python, or None if one of them is not that simple."""
    functions = [_in_python(step) for step in steps]
    return None if None in functions else functions  # type: ignore[return-value]


def _in_python(step: Any) -> Callable[[FloatRow], FloatRow] | None:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    count = step.n_features_in_ if hasattr(step, "n_features_in_") else 0
    if type(step) is StandardScaler:
        means = step.mean_.tolist() if step.with_mean else [0.0] * count
        return Standardize(means, step.scale_.tolist() if step.with_std else [1.0] * count)
    if type(step) is MinMaxScaler:
        low, high = step.feature_range if step.clip else (-inf, inf)
        return Stretch(step.scale_.tolist(), step.min_.tolist(), low, high)
    if type(step) is SimpleImputer and not step.add_indicator and step.missing_values is not None:
        statistics = step.statistics_.tolist()
        # a column without a statistic is left out, with a warning each time
        if step.missing_values != step.missing_values and all(isinstance(s, float) and s == s for s in statistics):
            return Impute(statistics)
    return None
