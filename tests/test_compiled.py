"""The fast form of a forest gives scikit-learn's own answers, to the bit, or is not used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cases import GOOD
from sklearn import datasets, ensemble, tree
from sklearn.linear_model import LogisticRegression

import irislib
from irislib import Feature, ModelSpec, compiled

DATA = {"iris": datasets.load_iris, "cancer": datasets.load_breast_cancer, "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes}  # fmt: skip
CLASSIFIERS = [
    tree.DecisionTreeClassifier(), tree.ExtraTreeClassifier(max_leaf_nodes=9), ensemble.RandomForestClassifier(20),
    ensemble.RandomForestClassifier(20, max_depth=2, min_samples_leaf=3), ensemble.ExtraTreesClassifier(20),
]  # fmt: skip
REGRESSORS = [
    tree.DecisionTreeRegressor(), tree.ExtraTreeRegressor(), ensemble.RandomForestRegressor(20),
    ensemble.RandomForestRegressor(20, criterion="absolute_error", max_depth=3), ensemble.ExtraTreesRegressor(20),
]  # fmt: skip
CASES = [(name, e) for name in DATA for e in (REGRESSORS if name == "diabetes" else CLASSIFIERS)]


def fitted(name: str, estimator: Any) -> irislib.Model:
    bunch = DATA[name](as_frame=True)
    data = bunch.data.rename(columns=lambda column: "".join(c if c.isalnum() else "_" for c in column))
    features = [Feature(column) for column in data]
    target = bunch.target if name in ("diabetes", "cancer") else bunch.target_names[bunch.target].astype(str)
    return irislib.train(ModelSpec("m", features, "target", lambda: data.assign(target=target), estimator))


def at_thresholds(model: irislib.Model, rows: np.ndarray) -> np.ndarray:
    """Every threshold of every tree, and its neighbours, each in a row of its own."""
    found = []
    for member in getattr(model.estimator, "estimators_", [model.estimator]):
        for feature, threshold in zip(member.tree_.feature, member.tree_.threshold, strict=True):
            if feature < 0:
                continue
            single = np.float32(threshold)
            near = [
                np.nextafter(each, each.dtype.type(way)) for each in (threshold, single) for way in (-np.inf, np.inf)
            ]
            for value in (threshold, single, *near):
                found.append(rows[len(found) % len(rows)].copy())
                found[-1][feature] = value
    return np.array(found)


def assert_equal(model: irislib.Model, rows: np.ndarray) -> None:
    walk, why = model.walk
    assert walk is not None, why
    frame = pd.DataFrame(rows, columns=model.spec.feature_names)
    answers = [walk.answer(row) for row in rows.tolist()]
    assert [answer[0] for answer in answers] == model.estimator.predict(frame).tolist()
    if model.classes:
        assert [answer[1] for answer in answers] == model.estimator.predict_proba(frame).tolist()


@pytest.mark.parametrize(("name", "estimator"), CASES, ids=str)
def test_every_tree_and_forest_answers_as_scikit_learn_does(name: str, estimator: Any) -> None:
    model = fitted(name, estimator)
    rows = model.spec.load_data()[model.spec.feature_names].to_numpy(float)
    rng = np.random.default_rng(1)
    random = rng.uniform(rows.min(axis=0), rows.max(axis=0), (1000, rows.shape[1]))
    thresholds = at_thresholds(model, rows)
    sample = thresholds[rng.permutation(len(thresholds))[:3000]]
    assert_equal(model, np.vstack([rows, random, random.round(2), sample]))


def test_the_iris_wizard_answers_as_scikit_learn_does_on_many_rows(iris) -> None:
    rows = iris.spec.load_data()[iris.spec.feature_names].to_numpy(float)
    random = np.random.default_rng(2).uniform(0.01, 30, (100_000, 4))
    within = np.random.default_rng(3).uniform(rows.min(axis=0), rows.max(axis=0), (100_000, 4))
    assert_equal(iris, np.vstack([rows, random, within.round(2), at_thresholds(iris, rows)]))


def test_an_answer_by_the_walk_is_the_answer_by_scikit_learn(iris, flowers) -> None:
    slow = replace(iris)
    slow.__dict__["walk"] = (None, "switched off")
    outside = dict.fromkeys(GOOD, 0.5)
    for row in [*flowers[::10], outside, {name: str(value) for name, value in GOOD.items()}]:
        assert iris.answer(row) == slow.answer(row)
    assert iris.answer(outside).warnings


def test_what_is_missing_or_huge_is_left_to_scikit_learn() -> None:
    data = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0] * 9, "b": [1, 2**53 + 2, 3, 4] * 9, "y": ["n", "y"] * 18})
    features = [Feature("a", required=False), Feature("b", "integer")]
    model = irislib.train(ModelSpec("m", features, "y", lambda: data, ensemble.RandomForestClassifier(5)))
    walk, why = model.walk
    assert walk is not None, why
    for row in ({"b": 3}, {"a": 1, "b": 2**53 + 2}, {"a": 2, "b": 2}):
        assert model.answer(row).prediction == model.estimator.predict(model.spec.validate(row))[0]
    assert walk.answer([None, 3.0]) is None
    assert walk.answer([1.0, float(2**53)]) is None


class Contrary(ensemble.RandomForestClassifier):
    def predict(self, X):  # noqa: N803
        return super().predict(X)[::-1]


@pytest.mark.parametrize(
    ("estimator", "why"),
    [
        (LogisticRegression(max_iter=1000), "there is no faster form of LogisticRegression"),
        (Contrary(5), "there is no faster form of Contrary"),
        (ensemble.RandomForestClassifier(5), "more than 10"),
    ],
    ids=["linear", "subclass", "large"],
)
def test_where_there_is_no_faster_form_scikit_learn_answers(estimator: Any, why: str, iris, monkeypatch) -> None:
    monkeypatch.setattr(compiled, "MOST_NODES", 10 if "more" in why else compiled.MOST_NODES)
    model = irislib.train(replace(iris.spec, estimator=estimator))
    assert model.walk[0] is None
    assert why in model.walk[1]
    assert model.answer(GOOD).prediction in iris.classes


def test_a_model_with_categories_says_why(rent) -> None:
    assert rent.walk[0] is None
    assert "district, built cannot be compared with thresholds" in rent.walk[1]


class Doubles(list):
    """Stands for array("f", …) where somebody forgot that scikit-learn rounds to single precision."""

    def __init__(self, _: str, values: list[float]):
        super().__init__(values)

    def tolist(self) -> list[float]:
        return list(self)


@pytest.mark.parametrize("fault", ["precision", "sides", "mean"])
def test_a_form_that_differs_is_found_out_and_not_used(fault: str, iris, monkeypatch) -> None:
    if fault == "precision":
        monkeypatch.setattr(compiled, "array", Doubles)
    elif fault == "sides":
        swap = lambda node: (*node[:2], swap(node[3]), swap(node[2])) if isinstance(node, tuple) else node  # noqa: E731
        monkeypatch.setattr(compiled, "_nested", lambda *args, make=compiled._nested: swap(make(*args)))
    else:
        monkeypatch.setattr(compiled, "_trees", lambda estimator, take=compiled._trees: take(estimator)[1:])
    walk, why = compiled.compiled(iris.spec, iris.estimator, iris.evaluation.features)
    assert walk is None
    assert "the faster form differs in" in why
