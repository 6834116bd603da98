"""The parts for CatBoost: its trees compare alike in all nodes of a level, so that comparisons are a leaf's number."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from irislib._compiled.catboost_categories import Categories
from irislib._compiled.fast_form import Comparison, HardRowError, NoFasterFormError, Row, RowPredictor
from irislib._compiled.predictors import NumberPredictor, ScorePredictor, Scores, sigmoid_of_one, softmax
from irislib._compiled.row_form import ComposedForm
from irislib._compiled.tree_form import near_thresholds, threshold_case

if TYPE_CHECKING:
    import numpy as np

    from irislib._compiled.parts import Parts

__all__ = ["CATBOOST"]

NUMBERS = ("RMSE", "MAE", "Quantile", "MAPE", "Huber", "Expectile", "LogCosh")  # predicted as they are
LINKS: dict[str, Callable[[Scores], Scores]] = {"Logloss": sigmoid_of_one, "MultiClass": softmax}
MAX_LEAVES = 2_000_000  # above it reading them would take seconds
MAX_BYTES = 200_000_000  # of JSON: the tables of categories with many values
KINDS = {"float_features", "categorical_features", "ctrs"}
MISSING = {"AsFalse": float("-inf"), "AsTrue": float("inf")}  # what a missing value compares as


@dataclass(frozen=True, slots=True)
class Numbers:
    """The values that trees compare: a row's numbers in single precision, and those that stand for its categories.

    Attributes
    ----------
    columns : list of int
        The positions of the numbers in a row.
    missing : list
        For each number, what a missing one compares as, or None if CatBoost has to answer it.
    categories : Categories or None
    """

    columns: list[int]
    missing: list[float | None]
    categories: Categories | None

    def of_row(self, row: Row) -> np.ndarray:
        """Return the numbers of a row."""
        import numpy as np

        rounded = array("f", [row[i] for i in self.columns] if self.categories else row)
        for i, value in enumerate(rounded):
            if value != value:
                if (compared := self.missing[i]) is None:
                    raise HardRowError
                rounded[i] = compared
        numbers = np.frombuffer(rounded, dtype=np.float32)
        return self.categories.after(numbers, row) if self.categories else numbers


def _make(estimator: Any, parts: Parts) -> RowPredictor:
    model = _read(estimator)
    if not KINDS.issuperset(model["features_info"]) or "oblivious_trees" not in model:
        raise NoFasterFormError("its features are not all numbers or categories, or its trees not symmetric.")
    loss = model["model_info"]["params"]["loss_function"]["type"]
    numbers, splits = _numbers(model), _splits(model)
    scores = _scores(model, numbers, splits)
    name, how = type(estimator).__name__, f"walking {len(model['oblivious_trees']):,} trees at once"
    predictor: RowPredictor
    if loss in NUMBERS:
        predictor = NumberPredictor(name, lambda row: scores(row)[0], checks=False, how=how)
    elif loss in LINKS:
        classes = [getattr(label, "item", lambda label=label: label)() for label in estimator.classes_]
        predictor = ScorePredictor(name, classes, scores, LINKS[loss], has_decision=False, checks=False, how=how)
    else:
        raise NoFasterFormError(f"its loss is {loss}.")
    borders = _borders(splits, numbers)
    if numbers.categories:
        parts.hard_cases.append(partial(_compare_with_categories, estimator, predictor, borders, numbers))
    else:  # a model that was read from a file says that it has no features
        parts.hard_cases.append(threshold_case(estimator, predictor, [borders], False, len(numbers.columns)))
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
        if path.stat().st_size > MAX_BYTES:
            raise NoFasterFormError(f"its JSON has more than {MAX_BYTES:,} bytes.")
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def _numbers(model: dict[str, Any]) -> Numbers:
    features = model["features_info"].get("float_features") or []
    position = {feature["feature_index"]: i for i, feature in enumerate(features)}
    categories = Categories.of(model, position) if model["features_info"].get("categorical_features") else None
    columns = [feature["flat_feature_index"] for feature in features]
    return Numbers(columns, [MISSING.get(feature["nan_value_treatment"]) for feature in features], categories)


def _splits(model: dict[str, Any]) -> list[list[tuple[int, float]]]:
    """Return for each tree the positions of the numbers that it compares, and with what."""
    info = model["features_info"]
    floats, categories = info.get("float_features") or [], info.get("categorical_features") or []
    position = {feature["feature_index"]: i for i, feature in enumerate(floats)}
    # a split on a statistic has no more than its number among all splits, in the order of the numbers
    questions = [(feature["feature_index"], value) for feature in categories for value in feature.get("values", ())]
    first = sum(len(feature["borders"] or ()) for feature in floats) + len(questions)
    of_statistics = [
        (len(floats) + len(questions) + i, border)
        for i, statistic in enumerate(info.get("ctrs") or [])
        for border in statistic["borders"]
    ]

    def compared(split: Any) -> tuple[int, float]:
        if split["split_type"] == "FloatFeature":
            return position[split["float_feature_index"]], split["border"]
        if split["split_type"] == "OneHotFeature":
            return len(floats) + questions.index((split["cat_feature_index"], split["value"])), 0.5
        return of_statistics[int(split["split_index"]) - first]

    return [[compared(split) for split in tree["splits"] or ()] for tree in model["oblivious_trees"]]


def _scores(model: dict[str, Any], numbers: Numbers, splits: list[list[tuple[int, float]]]) -> Callable[[Row], Scores]:
    """Return the function from a row to the sums of the leaves to which it comes."""
    import numpy as np

    scale, bias = model["scale_and_bias"]
    depth = max(map(len, splits))
    # a tree that is less deep has comparisons in the end that are never true
    index = np.zeros((len(splits), depth), dtype=np.intp)
    border = np.full((len(splits), depth), np.inf, dtype=np.float32)
    for i, tree in enumerate(splits):
        for j, split in enumerate(tree):
            index[i, j], border[i, j] = split
    leaves = np.concatenate([np.reshape(tree["leaf_values"], (-1, len(bias))) for tree in model["oblivious_trees"]])
    first = np.cumsum([0, *(1 << len(tree) for tree in splits[:-1])])
    powers, start = 1 << np.arange(depth), np.array(bias, dtype=float)

    def scores(row: Row) -> Scores:
        leaf = (numbers.of_row(row).take(index) > border) @ powers + first
        return (leaves.take(leaf, axis=0).sum(axis=0) * scale + start).tolist()  # type: ignore[no-any-return]

    return scores


def _borders(splits: list[list[tuple[int, float]]], numbers: Numbers) -> Any:
    """Return all comparisons of numbers, as a table of trees has them."""
    import numpy as np

    pairs = [pair for tree in splits for pair in tree if pair[0] < len(numbers.columns)]
    feature, border = np.array([i for i, _ in pairs], np.intp), np.array([at for _, at in pairs], np.float32)
    return SimpleNamespace(feature=feature, threshold=border.astype(float))


def _compare_with_categories(
    estimator: Any, predictor: RowPredictor, borders: Any, numbers: Numbers, rng: np.random.Generator
) -> Comparison:
    """Compare rows at the thresholds of the numbers, with categories that are digits or unknown."""
    import numpy as np
    import pandas as pd

    near = near_thresholds([borders], len(numbers.columns), rng)
    columns = (numbers.categories or numbers).columns
    frame = pd.DataFrame(near, columns=numbers.columns)
    for i in columns:
        frame[i] = np.where(rng.random(len(near)) < 0.5, rng.integers(0, 9, len(near)).astype(str), "unknown")
    frame = frame[sorted(frame)]
    return Comparison(
        ComposedForm(predictor).predict, frame, estimator, frame.set_axis(estimator.feature_names_, axis=1)
    )


CATBOOST: dict[str, Callable[[Any, Parts], RowPredictor]] = dict.fromkeys(
    ("CatBoostClassifier", "CatBoostRegressor"), _make
)
