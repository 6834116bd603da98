"""The thresholds of a fitted estimator's trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

__all__ = ["thresholds_by_position"]


def thresholds_by_position(estimator: Any) -> dict[int, list[float]]:
    """Return the different thresholds that an estimator's trees compare its columns with, by their positions."""
    thresholds: dict[int, set[float]] = defaultdict(set)
    for position, threshold in _splits(estimator):
        thresholds[int(position)].add(float(threshold))
    return {position: sorted(values) for position, values in thresholds.items()}


def _splits(estimator: Any) -> Iterator[tuple[int, float]]:
    if hasattr(estimator, "tree_"):
        for position, threshold in zip(estimator.tree_.feature, estimator.tree_.threshold, strict=True):
            if position >= 0:
                yield position, threshold
    elif hasattr(estimator, "_predictors"):
        for predictor in (predictor for several in estimator._predictors for predictor in several):
            nodes = predictor.nodes
            is_number = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
            yield from zip(nodes["feature_idx"][is_number], nodes["num_threshold"][is_number], strict=True)
    elif hasattr(estimator, "get_booster"):
        yield from _booster_splits(estimator.get_booster().trees_to_dataframe(), "Feature", "Split", estimator)
    elif hasattr(estimator, "booster_"):
        table = estimator.booster_.trees_to_dataframe()
        table = table[table["decision_type"] == "<="]
        yield from _booster_splits(table, "split_feature", "threshold", estimator)
    elif hasattr(estimator, "estimators_"):
        import numpy as np

        for part in np.asarray(estimator.estimators_, dtype=object).ravel():
            if hasattr(part, "tree_"):
                yield from _splits(part)


def _booster_splits(table: Any, feature: str, threshold: str, estimator: Any) -> Iterator[tuple[int, float]]:
    """Yield the splits of a table of nodes, whose columns have their names, or ``f0`` and ``Column_0``."""
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    own = [str(name) for name in getattr(estimator, "feature_name_", ())]  # LightGBM's, without spaces
    for name, value in zip(table[feature], table[threshold], strict=True):
        if name is None or value is None or value != value or str(name) == "Leaf":
            continue
        known = next((list_ for list_ in (names, own) if str(name) in list_), None)
        digits = str(name).lstrip("fColumn_")
        if known is not None:
            yield known.index(str(name)), float(value)
        elif digits.isdigit():
            yield int(digits), float(value)
