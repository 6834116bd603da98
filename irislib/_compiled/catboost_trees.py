"""The parts for CatBoost: its trees compare alike in all nodes of a level, so that comparisons are a leaf's number."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import HardRowError, NoFasterFormError, Row, RowPredictor
from irislib._compiled.predictors import NumberPredictor, ScorePredictor, Scores, sigmoid_of_one, softmax
from irislib._compiled.tree_form import threshold_case

if TYPE_CHECKING:
    from irislib._compiled.parts import Parts

__all__ = ["CATBOOST"]

NUMBERS = ("RMSE", "MAE", "Quantile", "MAPE", "Huber", "Expectile", "LogCosh")  # predicted as they are
LINKS: dict[str, Callable[[Scores], Scores]] = {"Logloss": sigmoid_of_one, "MultiClass": softmax}
MAX_LEAVES = 2_000_000  # above it reading them would take seconds
MISSING = {"AsFalse": float("-inf"), "AsTrue": float("inf")}  # what a missing value compares as


def _make(estimator: Any, parts: Parts) -> RowPredictor:
    model = _read(estimator)
    if set(model["features_info"]) != {"float_features"} or "oblivious_trees" not in model:
        raise NoFasterFormError("its features are not all numbers, or its trees not symmetric.")
    loss = model["model_info"]["params"]["loss_function"]["type"]
    scores, splits = _scores(model)
    name, how = type(estimator).__name__, f"walking {len(model['oblivious_trees']):,} trees at once"
    predictor: RowPredictor
    if loss in NUMBERS:
        predictor = NumberPredictor(name, lambda row: scores(row)[0], checks=False, how=how)
    elif loss in LINKS:
        classes = [getattr(label, "item", lambda label=label: label)() for label in estimator.classes_]
        predictor = ScorePredictor(name, classes, scores, LINKS[loss], has_decision=False, checks=False, how=how)
    else:
        raise NoFasterFormError(f"its loss is {loss}.")
    n_features = len(model["features_info"]["float_features"])  # one that was read from a file says that it has none
    parts.hard_cases.append(threshold_case(estimator, predictor, [splits], False, n_features))
    return predictor


def _read(estimator: Any) -> dict[str, Any]:
    """Return a model as CatBoost writes it."""
    if len(estimator.get_leaf_values()) > MAX_LEAVES:
        raise NoFasterFormError(f"it has more than {MAX_LEAVES:,} leaves.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        try:
            estimator.save_model(str(path), format="json")
        except Exception as error:  # CatBoost has one of its own
            raise NoFasterFormError(f"CatBoost does not write it as JSON ({error}).") from error
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _scores(model: dict[str, Any]) -> tuple[Callable[[Row], Scores], Any]:
    """Return the function from a row to the sums of the leaves to which it comes, and all comparisons."""
    import numpy as np

    features = model["features_info"]["float_features"]
    column = {feature["feature_index"]: feature["flat_feature_index"] for feature in features}
    missing = {feature["flat_feature_index"]: MISSING.get(feature["nan_value_treatment"]) for feature in features}
    trees = model["oblivious_trees"]
    scale, bias = model["scale_and_bias"]
    depth = max(len(tree["splits"]) for tree in trees)
    # a tree that is less deep has comparisons in the end that are never true
    index = np.zeros((len(trees), depth), dtype=np.intp)
    border = np.full((len(trees), depth), np.inf, dtype=np.float32)
    for i, tree in enumerate(trees):
        for j, split in enumerate(tree["splits"]):
            index[i, j], border[i, j] = column[split["float_feature_index"]], split["border"]
    leaves = np.concatenate([np.reshape(tree["leaf_values"], (-1, len(bias))) for tree in trees])
    first = np.cumsum([0, *(1 << len(tree["splits"]) for tree in trees[:-1])])
    powers, start = 1 << np.arange(depth), np.array(bias, dtype=float)

    def scores(row: Row) -> Scores:
        rounded = array("f", row)
        for i, value in enumerate(rounded):
            if value != value:
                if (compared := missing.get(i)) is None:
                    raise HardRowError
                rounded[i] = compared
        values = np.frombuffer(rounded, dtype=np.float32)
        leaf = (values.take(index) > border) @ powers + first
        return (leaves.take(leaf, axis=0).sum(axis=0) * scale + start).tolist()  # type: ignore[no-any-return]

    is_split = np.isfinite(border)
    return scores, SimpleNamespace(feature=index[is_split], threshold=border[is_split].astype(float))


CATBOOST: dict[str, Callable[[Any, Parts], RowPredictor]] = dict.fromkeys(
    ("CatBoostClassifier", "CatBoostRegressor"), _make
)
