"""Seeds for every part of an estimator that was left unseeded, so that the same data give the same model."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

__all__ = ["seeded"]

NAMES = ("random_state", "random_seed", "seed")


def seeded(estimator: Any, random_state: int) -> Any:
    """Seed every part of an estimator that was left unseeded, in place, and return the estimator.

    Parts are estimators and transformers, also in lists and in the grid of a search, splitters that shuffle, and
    functions that take a ``random_state``.
    """
    _seed(estimator, estimator, random_state)
    return estimator


def _seed(part: Any, whole: Any, random_state: int) -> None:
    from sklearn.frozen import FrozenEstimator

    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, list | tuple | set):
        for one in part:
            _seed(one, whole, random_state)
    elif isinstance(part, type | FrozenEstimator):  # the estimator in the latter is no copy
        return
    elif hasattr(part, "get_params"):
        parameters = part.get_params(deep=False)
        _seed(parameters, whole, random_state)
        if changed := _seeds(part, parameters, whole, random_state):
            part.set_params(**changed)
    elif hasattr(part, "split") and getattr(part, "random_state", 0) is None and getattr(part, "shuffle", True):
        part.random_state = random_state


def _seeds(part: Any, parameters: Mapping[str, Any], whole: Any, random_state: int) -> dict[str, Any]:
    """Return the parameters of an estimator that have to change."""
    from sklearn.preprocessing import TargetEncoder

    seeds: dict[str, Any] = {}
    for name, value in parameters.items():
        if name in NAMES and value is None:
            seeds[name] = random_state
        elif _takes_seed(value):
            seeds[name] = functools.partial(value, random_state=random_state)
    if isinstance(part, TargetEncoder) and parameters.get("random_state", "deprecated") == "deprecated":
        seeds |= _folds(parameters, whole, random_state)
    return seeds


def _takes_seed(value: Any) -> bool:
    """Return True for a function such as ``mutual_info_classif``."""
    if not isinstance(value, FunctionType | functools.partial):
        return False
    parameter = inspect.signature(value).parameters.get("random_state")
    return parameter is not None and parameter.default is None


def _folds(parameters: Mapping[str, Any], whole: Any, random_state: int) -> dict[str, Any]:
    """Return the folds of a TargetEncoder of scikit-learn 1.9 or later, which takes no other seed."""
    from sklearn.base import is_classifier
    from sklearn.model_selection import KFold, StratifiedKFold

    count, kind = parameters["cv"], parameters["target_type"]
    if not isinstance(count, int | None) or parameters.get("shuffle", True) is False:
        return {}
    is_class = is_classifier(whole) if kind == "auto" else kind != "continuous"
    splitter = StratifiedKFold if is_class else KFold
    return {"cv": splitter(5 if count is None else count, shuffle=True, random_state=random_state)}
