"""The parts for the trees of XGBoost and LightGBM.

XGBoost computes in single precision: probabilities and numbers are equal to 1e-5 of it, and rows whose best classes
are as close are left to it. LightGBM's leaves are added up as it does it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import NoFasterFormError, RowPredictor
from irislib._compiled.predictors import (
    TIE,
    TOLERANCE,
    NumberPredictor,
    ScorePredictor,
    Scores,
    expit,
    sigmoid_of_one,
    sigmoids,
    softmax,
)
from irislib._compiled.tree_form import threshold_case
from irislib._compiled.tree_tables import NO_WALK, TreeTable
from irislib._compiled.tree_walk import Mean, Trees
from irislib._compiled.tree_walks import with_walk

if TYPE_CHECKING:
    from irislib._compiled.parts import Parts

__all__ = ["BOOSTERS"]

SINGLE = 1e-5  # relative: sums in single precision

Link = Callable[[float], float]
LINKS: dict[str, Link] = {  # of regressions
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie", "poisson", "gamma", "tweedie"), exp),
    **dict.fromkeys(("reg:logistic", "cross_entropy"), expit),
    **dict.fromkeys(
        (
            *("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror"),
            *("regression", "regression_l1", "huber", "fair", "quantile", "mape"),
        ),
        float,
    ),
}
CLASS_LINKS: dict[str, Callable[[Scores], Scores]] = {
    **dict.fromkeys(("binary:logistic", "binary"), sigmoid_of_one),
    **dict.fromkeys(("multi:softprob", "multi:softmax", "multiclass"), softmax),
    "multiclassova": sigmoids,
}


def _xgboost(estimator: Any, parts: Parts) -> RowPredictor:
    import numpy as np

    if estimator.missing == estimator.missing:
        raise NoFasterFormError(f"this {type(estimator).__name__} takes {estimator.missing} for a missing value.")
    booster = estimator.get_booster()
    if booster.attr("best_iteration") is not None:
        booster = booster[: int(booster.attr("best_iteration")) + 1]
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    model = learner["gradient_booster"]
    if model["name"] != "gbtree":
        raise NoFasterFormError(f"this {type(estimator).__name__} is a {model['name']}.")
    pairs = zip(model["model"]["trees"], model["model"]["tree_info"], strict=True)
    tables = [_xgboost_table(tree, total) for tree, total in pairs]
    walk = _walk(tables, "f", parts.may_be_missing, estimator.n_features_in_)
    origin = np.zeros((1, estimator.n_features_in_), np.float32)
    margins = estimator.predict(origin, output_margin=True).ravel().astype(float)
    start = margins - np.array(walk.totals(origin[0].tolist()))
    objective = learner["objective"]["name"]
    return _predictor(estimator, parts, replace(walk, start=start.tolist()), tables, objective, SINGLE)


def _xgboost_table(tree: dict[str, Any], total: int) -> TreeTable:
    import numpy as np

    if any(tree["split_type"]):
        raise NoFasterFormError("it splits categories.")
    left_child = np.array(tree["left_children"])
    at = np.array(tree["split_conditions"], dtype=np.float32)
    threshold = np.nextafter(at, np.float32(-np.inf)).astype(float)  # x < t is true just where x <= the one before t
    feature = np.where(left_child < 0, -1, np.array(tree["split_indices"]))
    value = at.astype(float)[:, np.newaxis]
    right_child, missing_go_left = np.array(tree["right_children"]), np.array(tree["default_left"], dtype=bool)
    return TreeTable(feature, threshold, left_child, right_child, missing_go_left, value, total)


def _lightgbm(estimator: Any, parts: Parts) -> RowPredictor:
    model = estimator.booster_.dump_model()
    if model["average_output"]:
        raise NoFasterFormError(f"this {type(estimator).__name__} is a forest.")
    count = model["num_tree_per_iteration"]
    tables = [_lightgbm_table(tree["tree_structure"], i % count) for i, tree in enumerate(model["tree_info"])]
    walk = _walk(tables, "d", parts.may_be_missing, estimator.n_features_in_)
    objective = model["objective"]
    if objective.startswith("binary") and "sigmoid:1" not in objective.split():
        raise NoFasterFormError(f"its objective is {objective}.")
    if "sqrt" not in objective.split():
        objective = objective.partition(" ")[0]
    return _predictor(estimator, parts, walk, tables, objective, TOLERANCE)


def _lightgbm_table(root: dict[str, Any], total: int) -> TreeTable:
    import numpy as np

    nodes, rows = [root], []
    for node in nodes:  # children are added behind their parents
        if "leaf_value" in node:
            if "leaf_const" in node:
                raise NoFasterFormError("its leaves are linear.")
            rows.append((-1, 0.0, -1, -1, False, node["leaf_value"]))
            continue
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise NoFasterFormError("it splits categories, or takes 0 for missing.")
        first = len(nodes)
        nodes += [node["left_child"], node["right_child"]]
        missing_go_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        rows.append((node["split_feature"], node["threshold"], first, first + 1, missing_go_left, 0.0))
    feature, threshold, left_child, right_child, missing, value = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    return TreeTable(feature, threshold, left_child, right_child, missing, value[:, np.newaxis], total)


def _walk(tables: list[TreeTable], precision: str, takes_missing: bool, n_features: int) -> Trees:
    totals = [0.0] * (1 + max(table.total for table in tables))
    trees = Trees(NO_WALK, totals, Mean(1, None), precision, takes_missing)
    return with_walk(trees, tables, n_features if takes_missing else 0)


def _predictor(
    estimator: Any, parts: Parts, walk: Trees, tables: list[TreeTable], objective: str, tolerance: float
) -> RowPredictor:
    """Make the predictor of the totals of a walk, and let it be proved at the thresholds."""
    name = type(estimator).__name__
    predictor: RowPredictor | None = None
    if hasattr(estimator, "classes_") and objective in CLASS_LINKS:
        predictor = ScorePredictor(
            name,
            estimator.classes_.tolist(),
            walk.totals,
            CLASS_LINKS[objective],
            has_decision=False,
            checks=False,
            tolerance=tolerance,
            how=walk.text,
            tie=max(tolerance, TIE),
        )
    elif objective in LINKS:
        link = LINKS[objective]
        predictor = NumberPredictor(
            name, lambda row: link(walk.totals(row)[0]), checks=False, tolerance=tolerance, how=walk.text
        )
    if predictor is None:
        raise NoFasterFormError(f"the objective of {name} is {objective}.")
    parts.hard_cases.append(threshold_case(estimator, predictor, tables, walk.takes_missing))
    return predictor


BOOSTERS: dict[str, Callable[[Any, Parts], RowPredictor]] = {
    **dict.fromkeys(("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"), _xgboost),
    **dict.fromkeys(("LGBMClassifier", "LGBMRegressor"), _lightgbm),
}
