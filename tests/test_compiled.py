"""The fast form of an estimator makes scikit-learn's own predictions, or is not used."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import FUZZ
from invalid_inputs import GOOD
from sklearn import datasets, dummy, ensemble, tree
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    StandardScaler,
)  # fmt: skip
from threadpoolctl import threadpool_limits

import irislib
from irislib import Feature, ModelSpec
from irislib._compiled import (
    column_converters,
    compiled,
    leaf_order,
    one_row_frame,
    parts,
    single_row,
    tree_tables,
    tree_walk,
    tree_walks,
)
from irislib._compiled.fast_form import NoFasterFormError
from irislib._compiled.numeric_steps import Impute, Standardize, Stretch
from irislib._compiled.parts import Parts
from irislib._description.validation import check_row
from irislib.errors import ValidationError

DATA = {"iris": datasets.load_iris, "cancer": datasets.load_breast_cancer, "digits": datasets.load_digits,
        "diabetes": datasets.load_diabetes}  # fmt: skip
CLASSIFIERS = [
    tree.DecisionTreeClassifier(), tree.ExtraTreeClassifier(max_leaf_nodes=9), ensemble.RandomForestClassifier(20),
    ensemble.RandomForestClassifier(20, max_depth=2, min_samples_leaf=3), ensemble.ExtraTreesClassifier(20),
    ensemble.GradientBoostingClassifier(n_estimators=8), ensemble.HistGradientBoostingClassifier(max_iter=6),
    ensemble.GradientBoostingClassifier(n_estimators=4, init="zero", learning_rate=1, max_leaf_nodes=9),
    make_pipeline(StandardScaler(), tree.DecisionTreeClassifier()),
    make_pipeline(MinMaxScaler((-1, 1), clip=True), None, ensemble.HistGradientBoostingClassifier(max_iter=5)),
    make_pipeline(ensemble.RandomForestClassifier(5)),
]  # fmt: skip
REGRESSORS = [
    tree.DecisionTreeRegressor(), tree.ExtraTreeRegressor(), ensemble.RandomForestRegressor(20),
    ensemble.RandomForestRegressor(20, criterion="absolute_error", max_depth=3), ensemble.ExtraTreesRegressor(20),
    *(ensemble.GradientBoostingRegressor(loss=loss, n_estimators=20)
      for loss in ("squared_error", "absolute_error", "quantile")),
    *(ensemble.HistGradientBoostingRegressor(loss=loss, max_iter=20) for loss in ("squared_error", "poisson", "gamma")),
    make_pipeline(StandardScaler(with_mean=False), MinMaxScaler(), ensemble.GradientBoostingRegressor(n_estimators=20)),
    make_pipeline(StandardScaler(with_std=False), ensemble.RandomForestRegressor(5)),
]  # fmt: skip
CASES = [(name, e) for name in DATA for e in (REGRESSORS if name == "diabetes" else CLASSIFIERS)]
CASES += [
    ("cancer", ensemble.GradientBoostingClassifier(loss="exponential", init=dummy.DummyClassifier(strategy="prior"))),
    ("diabetes", ensemble.GradientBoostingRegressor(init=dummy.DummyRegressor(strategy="median"), learning_rate=0.3)),
]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):  # small data are fitted faster so
        yield


def make_spec(name: str, estimator: Any, holes: float = 0) -> ModelSpec:
    bunch = DATA[name](as_frame=True)
    data = bunch.data.rename(columns=lambda column: "".join(c if c.isalnum() else "_" for c in column))
    data = data.mask(np.random.default_rng(4).random(data.shape) < holes)
    features = [Feature(column, required=not holes) for column in data]
    target = bunch.target if name in ("diabetes", "cancer") else bunch.target_names[bunch.target].astype(str)
    return ModelSpec("m", features, "target", lambda: data.assign(target=target), estimator)


def numbers(model: irislib.Model) -> np.ndarray:
    return model.spec.load_data()[model.spec.feature_names].to_numpy(float)


def thresholds(estimator: Any) -> set[tuple[int, float]]:
    if hasattr(estimator, "_predictors"):
        nodes = np.concatenate([predictor.nodes for stage in estimator._predictors for predictor in stage])
        nodes = nodes[nodes["is_leaf"] == 0]
        return set(zip(nodes["feature_idx"].tolist(), nodes["num_threshold"].tolist(), strict=True))
    trees = [member.tree_ for member in np.ravel(getattr(estimator, "estimators_", estimator))]
    pairs = [pair for one in trees for pair in zip(one.feature.tolist(), one.threshold.tolist(), strict=True)]
    return {pair for pair in pairs if pair[0] >= 0 and np.isfinite(pair[1])}


def around(threshold: float) -> list[Any]:
    """Return a threshold, as it is and in single precision, and the next numbers below and above each."""
    both = (np.float64(threshold), np.float32(threshold))
    return [*both, *(np.nextafter(one, type(one)(direction)) for one in both for direction in (-np.inf, np.inf))]


def at_thresholds(model: irislib.Model, most: int | None = None) -> np.ndarray:
    """Every threshold of every tree, and its neighbours, each in a row of its own."""
    before, last = single_row.pipeline_steps(model.estimator)
    rows = numbers(model)
    for step in before:
        rows = step.transform(rows)
    pairs = sorted(thresholds(last))
    order = np.random.default_rng(1).permutation(6 * len(pairs))[:most]
    rows = rows[order % len(rows)]
    for row, number in zip(rows, order.tolist(), strict=True):
        feature, threshold = pairs[number // 6]
        row[feature] = around(threshold)[number % 6]
    for step in reversed(before):
        rows = step.inverse_transform(rows)
    return rows


def assert_equal(model: irislib.Model, rows: np.ndarray) -> None:
    form, why = model.fast_form
    assert form is not None, why
    frame = pd.DataFrame(rows, columns=model.spec.feature_names)
    values_of_rows = [[None if value != value else value for value in row] for row in rows.tolist()]
    outcomes = [form.predict(row) for row in values_of_rows]
    assert [outcome[0] for outcome in outcomes] == model.estimator.predict(frame).tolist()
    if model.classes:
        probabilities, expected = np.array([outcome[1] for outcome in outcomes]), model.estimator.predict_proba(frame)
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=form.predictor.tolerance)


def walk_at_once_if(at_once: bool, monkeypatch) -> None:
    """Let small forests be walked as large ones are."""
    if at_once:
        monkeypatch.setattr(tree_walks, "MAX_NODES", 0)


def walk_jointly_if(jointly: bool, monkeypatch) -> None:
    """Let a few trees be walked as hundreds are."""
    if jointly:
        monkeypatch.setattr(tree_walks, "JOINT_START", -(10**9))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
@pytest.mark.parametrize(("name", "estimator"), CASES, ids=str)
def test_every_estimator_of_trees_predicts_as_scikit_learn_does(name: str, estimator: Any, monkeypatch) -> None:
    walk_at_once_if(name == "cancer", monkeypatch)
    walk_jointly_if(name == "digits", monkeypatch)
    model = irislib.train(make_spec(name, estimator))
    rows = numbers(model)
    random = np.random.default_rng(1).uniform(rows.min(axis=0), rows.max(axis=0), (200 * FUZZ, rows.shape[1]))
    assert_equal(model, np.vstack([rows[: 300 * FUZZ], random, random.round(2), at_thresholds(model, 500 * FUZZ)]))


def test_making_a_fast_form_draws_no_random_number(iris) -> None:
    """A page that does could not be run once for all its visitors."""
    before = str(np.random.get_state())
    form, sentence = replace(iris).fast_form
    assert form is not None, sentence
    assert str(np.random.get_state()) == before


def test_the_iris_wizard_predicts_as_scikit_learn_does_on_many_rows(iris) -> None:
    rows = numbers(iris)
    random = np.random.default_rng(2).uniform(0.01, 30, (10_000 * FUZZ, 4))
    within = np.random.default_rng(3).uniform(rows.min(axis=0), rows.max(axis=0), (10_000 * FUZZ, 4))
    assert_equal(iris, np.vstack([rows, random, within.round(2), at_thresholds(iris)]))


@pytest.mark.parametrize("name", ["iris", "cancer", "diabetes"])
@pytest.mark.parametrize(
    "kind",
    ["DecisionTree", "RandomForest", "ExtraTrees", "HistGradientBoosting", "imputed"],
)
def test_missing_values_go_to_the_same_child_as_in_scikit_learn(name: str, kind: str, monkeypatch) -> None:
    walk_at_once_if(name == "cancer", monkeypatch)
    walk_jointly_if(name == "diabetes", monkeypatch)
    role = "Regressor" if name == "diabetes" else "Classifier"
    if kind == "imputed":
        boosting = getattr(ensemble, f"GradientBoosting{role}")(n_estimators=10)
        estimator = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), boosting)
    else:
        estimator = getattr(tree if kind == "DecisionTree" else ensemble, kind + role)()
        sizes = {"max_iter", "n_estimators"} & set(estimator.get_params())
        estimator.set_params(**dict.fromkeys(sizes, 10))
    model = irislib.train(make_spec(name, estimator, holes=0.2))
    rows = numbers(model)
    more = np.where(np.random.default_rng(5).random(rows.shape) < 0.5, np.nan, rows)
    assert_equal(model, np.vstack([rows, more, np.full_like(rows[:1], np.nan)]))


def test_a_prediction_by_the_walk_is_that_of_scikit_learn(iris, flowers) -> None:
    slow = replace(iris)
    slow.__dict__["fast_form"] = (None, "switched off")
    outside = dict.fromkeys(GOOD, 0.5)
    for row in [*flowers[::10], outside, {name: str(value) for name, value in GOOD.items()}]:
        assert iris.predict_row(row) == slow.predict_row(row)
    assert iris.predict_row(outside).warnings


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize(("name", "kind"), [("iris", KNeighborsClassifier), ("diabetes", KNeighborsRegressor)])
def test_neighbours_too_far_to_be_squared_are_left_to_scikit_learn(name: str, kind: type, weights: str) -> None:
    model = irislib.train(make_spec(name, kind(weights=weights)))
    form, why = model.fast_form
    assert form is not None, why
    row = numbers(model).mean(axis=0).tolist()
    assert form.predict(row) is not None
    for value in (1e160, -1.7e308):
        assert form.predict([value, *row[1:]]) is None


def test_huge_and_unexpected_missing_values_are_left_to_scikit_learn() -> None:
    data = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0] * 9, "b": [1, 2**53 + 2, 3, 4] * 9, "y": ["n", "y"] * 18})
    features = [Feature("a", required=False), Feature("b", "integer")]
    model = irislib.train(ModelSpec("m", features, "y", lambda: data, ensemble.RandomForestClassifier(5)))
    form, why = model.fast_form
    assert form is not None, why
    for row in ({"b": 3}, {"a": 1, "b": 2**53 + 2}, {"a": 2, "b": 2}):
        assert model.predict_row(row).prediction == model.estimator.predict(model.spec.validate(row))[0]
    assert form.predict([None, 3]) is not None
    for values in ([1.0, 2**53], [None, 2**53], [1e300, 1]):
        assert form.predict(values) is None
    strict = irislib.train(make_spec("iris", ensemble.GradientBoostingClassifier(n_estimators=2))).fast_form[0]
    for value in (None, np.nan, -(2.0**53), 1e300):
        assert strict.predict([1.0, 1.0, value, 1.0]) is None
    assert strict.predict([1.0, 1.0, 1.0, 1.0]) is not None


class Contrary(ensemble.RandomForestClassifier):
    def predict(self, X):  # noqa: N803
        return super().predict(X)[::-1]


@pytest.mark.parametrize(
    ("name", "estimator", "why"),
    [
        ("iris", Contrary(5), "there is no faster form of Contrary."),
        ("iris", make_pipeline(StandardScaler(), Contrary(5)), "there is no faster form of Contrary."),
        ("iris", ensemble.VotingClassifier([("a", Contrary(5))]), "there is no faster form of Contrary."),
    ],
    ids=["subclass", "pipeline", "member"],
)
def test_scikit_learn_predicts_if_there_is_no_faster_form(name: str, estimator: Any, why: str) -> None:
    spec = make_spec(name, estimator)
    model = irislib.train(spec)
    assert model.fast_form == (None, f"scikit-learn itself answers: {why}")
    row = dict(zip(spec.feature_names, numbers(model)[7].tolist(), strict=True))
    assert model.predict_row(row).prediction == model.estimator.predict(spec.validate(row))[0]


@pytest.mark.parametrize(
    ("name", "estimator", "why"),
    [
        ("cancer", ensemble.HistGradientBoostingClassifier(categorical_features=[0], max_bins=255), "categorical"),
        ("diabetes", ensemble.GradientBoostingRegressor(init=LinearRegression()), "may differ from row to row"),
    ],
    ids=["categories", "beginning"],
)
def test_trees_that_are_more_than_sums_of_leaves_are_not_walked(name: str, estimator: Any, why: str) -> None:
    rows, target = DATA[name](return_X_y=True)
    rows[:, 0] //= 1
    with pytest.raises(NoFasterFormError, match=why):
        tree_tables.read_trees(estimator.fit(rows, target))


@pytest.mark.parametrize(
    ("estimator", "lost"),
    [
        (ensemble.GradientBoostingClassifier(n_estimators=3), "_loss"),
        (ensemble.HistGradientBoostingClassifier(max_iter=3), "_predictors"),
        (ensemble.HistGradientBoostingClassifier(max_iter=3), "_baseline_prediction"),
    ],
)
def test_an_unknown_structure_of_trees_is_no_error(estimator: Any, lost: str) -> None:
    model = irislib.train(make_spec("iris", estimator))
    delattr(model.estimator, lost)
    assert model.fast_form[0] is None or "asking" in model.fast_form[1]
    with pytest.raises(NoFasterFormError, match=f"of {type(estimator).__name__} in another way.*{lost}"):
        Parts(False)._made(model.estimator, parts.LEAVES, parts.NESTING)


@pytest.mark.parametrize(
    ("estimator", "sentence"),
    [
        (tree.DecisionTreeClassifier(), "one row is answered by walking 1 tree, proved equal on 1,130 rows."),
        (
            ensemble.GradientBoostingClassifier(n_estimators=200, max_depth=1),
            "one row is answered by walking 600 trees at once, proved equal on 580 rows.",
        ),
        (
            ensemble.ExtraTreesClassifier(400, random_state=0),
            "one row is answered by walking 400 trees at once, proved equal on 855 rows.",
        ),
        (make_pipeline(ensemble.RandomForestClassifier(5)), "one row is answered by walking 5 trees, proved equal on"),
        (
            make_pipeline(StandardScaler(), "passthrough", MinMaxScaler(), ensemble.RandomForestClassifier(5)),
            "one row is answered by 2 steps in plain Python and by walking 5 trees, proved equal on 1,130 rows.",
        ),
        (
            make_pipeline(StandardScaler(), PowerTransformer(), ensemble.HistGradientBoostingClassifier(max_iter=5)),
            "one row is answered by 2 steps in plain Python but for PowerTransformer and by walking 15 trees, "
            "proved equal on 625 rows.",
        ),
        (
            make_pipeline(FunctionTransformer(abs), ensemble.HistGradientBoostingClassifier(max_iter=5)),
            "one row is answered by 1 step of scikit-learn's own and by walking 15 trees, proved equal on 625 rows.",
        ),
        (
            KNeighborsClassifier(metric="manhattan"),
            "one row is answered by asking KNeighborsClassifier with an array, "
            "as this KNeighborsClassifier has a metric or weights of its own, proved equal on 25 rows.",
        ),
    ],
    ids=["tree", "many", "deep", "alone", "python", "asked", "half", "array"],
)
def test_the_sentence_about_the_fast_form(estimator: Any, sentence: str, iris, flowers) -> None:
    model = irislib.train(replace(iris.spec, estimator=estimator))
    assert model.fast_form[1].startswith(sentence)
    for flower in flowers[::15]:
        frame = model.spec.validate(flower)
        prediction = model.predict_row(flower)
        assert model.fast_form[0].predict(list(flower.values())) is not None
        assert prediction.prediction == model.estimator.predict(frame)[0]
        expected = model.estimator.predict_proba(frame)[0]
        np.testing.assert_allclose(list(prediction.probabilities.values()), expected, rtol=0, atol=1e-12)


def test_trees_after_a_column_transformer_are_walked(rent) -> None:
    form, why = rent.fast_form
    assert "1 step of scikit-learn's own and by walking 50 trees" in why, why
    rows = rent.spec.load_data()[rent.spec.feature_names].astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")[::6]
    assert any(row["district"] is None for row in rows)
    for row in rows:
        assert form.predict(list(check_row(rent.spec.features, row)[0].values())) is not None
        assert rent.predict_row(row).prediction == rent.estimator.predict(rent.spec.validate(row))[0]


def test_numbers_beside_text_reach_functions_of_ones_own_as_numbers() -> None:
    data = pd.DataFrame({"a": np.arange(1.0, 61), "kind": [*"xy"] * 30, "y": np.arange(60.0)})
    logarithm = FunctionTransformer(lambda rows: np.log(rows))  # of objects NumPy has none
    steps = make_column_transformer((logarithm, ["a"]), (OneHotEncoder(), ["kind"]))
    features = [Feature("a"), Feature("kind", "choice", choices=["x", "y"])]
    estimator = make_pipeline(steps, LinearRegression())
    model = irislib.train(ModelSpec("odd", features, "y", lambda: data, estimator))
    row = {"a": 4.5, "kind": "y"}
    assert model.predict_row(row).prediction == pytest.approx(model.predict(row)[0])
    assert model.fast_form[0] is not None, model.fast_form[1]


def test_a_row_that_a_step_refuses_is_refused_as_scikit_learn_does_it(rent) -> None:
    steps = make_column_transformer((OneHotEncoder(sparse_output=True), ["district"]), sparse_threshold=1)
    data = rent.spec.load_data()
    spec = replace(rent.spec, estimator=make_pipeline(steps, tree.DecisionTreeRegressor()), examples={})
    model = irislib.train(spec, data[data.district != "hill"])
    row = {"area_m2": 40, "balcony": True, "built": "1990-05-01", "district": "centre"}
    assert model.fast_form[0] is not None, model.fast_form[1]
    assert model.predict_row(row).prediction == model.estimator.predict(spec.validate(row))[0]
    with pytest.raises(ValidationError, match="gives no answer") as refusal:
        model.predict_row({**row, "district": "hill"})
    assert "Found unknown categories" in str(refusal.value.__cause__)


@pytest.mark.filterwarnings("ignore:X has feature names")
def test_rows_that_cannot_be_compared_are_named(rent) -> None:
    fitted = tree.DecisionTreeRegressor().fit(np.eye(5), range(5))
    why = compiled(rent.spec, fitted, rent.evaluation.features)[1]
    assert why.startswith("scikit-learn itself answers: it refuses rows that would prove a faster form ("), why


class Doubles(list):
    """Stands for array("f", …) where somebody forgot that scikit-learn rounds to single precision."""

    def __init__(self, _: str, values: list[float]):
        super().__init__(values)

    def tolist(self) -> list[float]:
        return list(self)


def change(**changes: Any) -> Any:
    return lambda form, tables: (form, [t._replace(**{k: make(t) for k, make in changes.items()}) for t in tables])


FOREST = ensemble.RandomForestClassifier(20)
BOOSTING = ensemble.GradientBoostingClassifier(n_estimators=10)
HISTOGRAM = ensemble.HistGradientBoostingClassifier(max_iter=10)
SCALED = make_pipeline(SimpleImputer(), StandardScaler(), MinMaxScaler(clip=True), FOREST)
HALF = make_pipeline(FunctionTransformer(abs), FOREST)
FAULTS = {
    "sides": (
        (FOREST, BOOSTING, HISTOGRAM, HALF),
        change(left_child=lambda t: t.right_child, right_child=lambda t: t.left_child),
    ),
    "a tree left out": ((FOREST, BOOSTING, HISTOGRAM), lambda form, tables: (form, tables[1:])),
    "rate": ((BOOSTING,), change(value=lambda t: t.value / BOOSTING.learning_rate)),
    "place": ((BOOSTING, HISTOGRAM), change(total=lambda t: 0)),
    "baseline": ((BOOSTING, HISTOGRAM), lambda form, tables: (replace(form, start=[0.0]), tables)),
    "rounding": ((HISTOGRAM,), lambda form, tables: (replace(form, precision="f"), tables)),
    "classes": (
        (FOREST, BOOSTING),
        lambda form, tables: (replace(form, ending=replace(form.ending, classes=form.ending.classes[::-1])), tables),
    ),
    "count": ((FOREST,), lambda form, tables: (replace(form, ending=replace(form.ending, count=21)), tables)),
    "link": ((BOOSTING,), lambda form, tables: (replace(form, ending=replace(form.ending, inverse=list)), tables)),
}


@pytest.mark.parametrize(
    ("fault", "estimator"), [(fault, estimator) for fault in FAULTS for estimator in FAULTS[fault][0]], ids=str
)
def test_a_form_that_differs_is_not_used(fault: str, estimator: Any, monkeypatch) -> None:
    walk_at_once_if(estimator is not FOREST, monkeypatch)
    # with as many of each of three classes, the baseline changes nothing
    spec = make_spec("cancer" if fault == "baseline" else "iris", estimator)
    read, spoil = tree_walks.read_trees, FAULTS[fault][1]
    monkeypatch.setattr(tree_walks, "read_trees", lambda estimator: spoil(*read(estimator)))
    assert_not_used(irislib.train(spec))


@pytest.mark.parametrize("estimator", [FOREST, HISTOGRAM], ids=["forest", "histogram"])
def test_a_form_with_misplaced_missing_values_is_not_used(estimator: Any, monkeypatch) -> None:
    model = irislib.train(make_spec("iris", estimator, holes=0.2))
    read, spoil = tree_walks.read_trees, change(missing_go_left=lambda t: ~t.missing_go_left)
    monkeypatch.setattr(tree_walks, "read_trees", lambda estimator: spoil(*read(estimator)))
    assert_not_used(model)


def test_a_form_without_rounding_is_not_used(iris, monkeypatch) -> None:
    walk_at_once_if(True, monkeypatch)  # scikit-learn's own call rounds
    monkeypatch.setattr(tree_walk, "array", Doubles)
    assert_not_used(replace(iris))


@pytest.mark.parametrize(
    ("step", "spoil"),
    [
        (Impute, lambda self, row: [value if value == value else 0.0 for value in row]),
        (Standardize, lambda self, row: [value - mean for value, mean in zip(row, self.means, strict=True)]),
        (Stretch, lambda self, row: [value * scale for value, scale in zip(row, self.scales, strict=True)]),
    ],
)
def test_a_step_that_differs_is_not_used(step: type, spoil: Any, monkeypatch) -> None:
    model = irislib.train(make_spec("iris", SCALED, holes=0.2))
    assert "by 3 steps in plain Python" in replace(model).fast_form[1]
    monkeypatch.setattr(step, "__call__", spoil)
    assert "by 3 steps of scikit-learn's own" in model.fast_form[1]


def assert_not_used(model: irislib.Model) -> None:
    assert model.fast_form[0] is None
    assert "the faster form differs in" in model.fast_form[1]


EVERY_KIND = [
    Feature("a"), Feature("b", "integer"), Feature("c", "boolean"), Feature("d", "date"), Feature("e", "text"),
    Feature("f", "choice", choices=[1, 2]), Feature("g", "time"), Feature("h", "color"), Feature("i", "email"),
]  # fmt: skip
A_ROW = {"a": "1.5", "b": 2**60, "c": "no", "d": "2026-01-31", "e": "so", "f": "2", "g": "12:30", "h": "#772953",
         "i": "ann@example.org"}  # fmt: skip


@pytest.mark.parametrize("kinds", ["abcdefghi", "a", "aa", "ae", "b", "bb", "bf", "cc", "ab", "d", "ef", "acdf"])
@pytest.mark.parametrize("required", [True, False], ids=["required", "optional"])
@pytest.mark.parametrize("has_values", [True, False], ids=["values", "missing"])
def test_a_checked_row_becomes_the_frame_of_validate(kinds: str, required: bool, has_values: bool) -> None:
    features = [feature for feature in EVERY_KIND if feature.name in kinds]
    features += [replace(features[-1], name="z", label="z", column="")] if len(set(kinds)) < len(kinds) else []
    row = {feature.name: A_ROW.get(feature.name, A_ROW[kinds[0]]) for feature in features}
    if not required:
        features = [replace(feature, required=False, control="") for feature in features]
    elif not has_values:
        return
    row = row if has_values else {}
    spec = ModelSpec("m", features, "target", dict, tree.DecisionTreeClassifier())
    values, problems = check_row(features, row)
    assert not problems
    frame, expected = one_row_frame(features, list(values.values())), spec.validate(row)
    pd.testing.assert_frame_equal(frame, expected, check_column_type="exact", check_flags=True)
    assert [type(value) for value in frame.iloc[0]] == [type(value) for value in expected.iloc[0]]
    convert = column_converters(features)
    for name, value in values.items():
        if value is not None:
            converted = convert.get(name, lambda x: x)(value)
            assert (type(converted), converted) == (type(expected[name].tolist()[0]), expected[name].tolist()[0])


class Watched(tree.DecisionTreeClassifier):
    """Record the number of workers over which an estimator would distribute its work."""

    def predict(self, X):  # noqa: N803
        self.workers = joblib.effective_n_jobs(2)
        self.outside = []
        thread = threading.Thread(target=lambda: self.outside.append(joblib.effective_n_jobs(2)))
        thread.start()
        thread.join()
        return super().predict(X)


def test_one_row_is_predicted_in_one_thread_and_others_are_not_limited(iris) -> None:
    model = irislib.train(replace(iris.spec, estimator=Watched()))
    assert model.predict_row(GOOD).prediction == "virginica"
    assert (model.estimator.workers, model.estimator.outside) == (1, [2])
    model.predict(GOOD)
    assert model.estimator.workers == 2
    forest = irislib.train(replace(iris.spec, estimator=ensemble.RandomForestClassifier(5, n_jobs=2)))
    forest.__dict__["fast_form"] = (None, "switched off")
    assert forest.predict_row(GOOD).prediction == "virginica"
    assert forest.estimator.n_jobs == 2


def record_call(rows: pd.DataFrame, calls: list[int]) -> pd.DataFrame:
    calls.append(joblib.effective_n_jobs(2))
    return rows


@pytest.mark.parametrize("last", [LogisticRegression(max_iter=1000), tree.DecisionTreeClassifier()], ids=str)
def test_the_steps_before_the_last_run_once_for_a_prediction(last: Any, iris) -> None:
    model = irislib.train(
        replace(iris.spec, estimator=make_pipeline(FunctionTransformer(record_call, kw_args={"calls": []}), last))
    )
    assert model.fast_form[0] is not None, model.fast_form[1]
    calls = model.estimator[0].kw_args["calls"]
    calls.clear()
    prediction = model.predict_row(GOOD)
    assert calls == [1]
    frame = model.spec.validate(GOOD)
    assert prediction.prediction == model.estimator.predict(frame)[0]
    np.testing.assert_allclose(
        list(prediction.probabilities.values()), model.estimator.predict_proba(frame)[0], rtol=0, atol=1e-12
    )


def test_a_date_outside_the_training_data_gets_the_same_warning(rent) -> None:
    slow = replace(rent)
    slow.__dict__["fast_form"] = (None, "switched off")
    row = {"area_m2": 400, "balcony": True, "built": dt.date(1901, 1, 1), "rooms": 20}
    frame = rent.spec.validate(row)
    assert rent.predict_row(row) == slow.predict_row(row)
    assert rent.predict_row(row).warnings == rent.outside_training(frame)
    assert len(rent.outside_training(frame)) == 3


NO_THREADS = """
import os
from dataclasses import replace
from threadpoolctl import threadpool_limits
import irislib
from irislib.iris import spec
from sklearn import ensemble
for estimator in (ensemble.RandomForestClassifier(9, n_jobs=2), ensemble.HistGradientBoostingClassifier(max_iter=9)):
    with threadpool_limits(1):
        model = irislib.train(replace(spec, estimator=estimator))
    before = set(os.listdir("/proc/self/task"))
    assert model.fast_form[0] is not None
    model.__dict__["fast_form"] = (None, "switched off")
    model.predict_row(spec.examples["A small setosa"])
    print(len(set(os.listdir("/proc/self/task")) - before))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted in /proc")
def test_neither_the_proof_nor_a_prediction_starts_threads_that_a_fork_would_lose() -> None:
    result = subprocess.run([sys.executable, "-c", NO_THREADS], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["0", "0"]


def test_a_yes_or_no_that_may_be_missing_has_a_fast_form(rent) -> None:
    features = [replace(feature, required=False, control="") for feature in rent.spec.features]
    form, why = replace(rent, spec=replace(rent.spec, features=features)).fast_form
    assert form, why


def many_flowers(iris: Any) -> pd.DataFrame:
    """Rows enough to be ordered, no two of which are equal."""
    rows = iris.sample.sample(leaf_order.LEAST_ROWS, replace=True, random_state=0)
    return rows + np.random.default_rng(0).normal(0, 0.2, rows.shape)


@pytest.mark.parametrize(
    "estimator",
    [
        ensemble.RandomForestClassifier(30),
        make_pipeline(PowerTransformer(), ensemble.ExtraTreesClassifier(60, max_depth=4)),
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), ensemble.RandomForestClassifier(30)),  # a sparse matrix
        ensemble.RandomForestRegressor(110),
        make_pipeline("passthrough", ensemble.ExtraTreesRegressor(30)).set_output(transform="pandas"),
    ],
)
def test_a_forest_predicts_a_large_table_as_scikit_learn_does(estimator: Any, iris) -> None:
    rows = many_flowers(iris)
    rows.iloc[::7, 1] = np.nan
    fitted = estimator.fit(iris.sample, np.arange(len(iris.sample)) % 3)
    for method in ("predict", "predict_proba"):
        if hasattr(fitted, method):
            assert np.array_equal(getattr(fitted, method)(rows), leaf_order.predict_many_rows(fitted, method, rows))


def test_rows_with_the_same_way_through_a_tree_become_neighbours(iris) -> None:
    rows = many_flowers(iris)
    order = leaf_order._order(iris.estimator, rows)
    assert order is not None
    assert sorted(order) == [*range(len(rows))]
    leaves = iris.estimator.apply(rows)
    before, after = (np.count_nonzero(np.diff(some, axis=0)) for some in (leaves, leaves[order]))
    assert after < before / 2


def test_a_forest_says_itself_which_rows_it_refuses(iris) -> None:
    rows = many_flowers(iris)
    texts = rows.astype(object)
    texts.iloc[5, 0] = "a"
    wrong = {
        "infinity": rows.replace(rows.iloc[5, 0], np.inf),
        "missing": rows.iloc[:, :3],
        "could not convert": texts,
    }
    for words, frame in wrong.items():
        with pytest.raises(ValueError, match=words) as own:
            iris.estimator.predict(frame)
        with pytest.raises(ValueError, match=words) as received:
            leaf_order.predict_many_rows(iris.estimator, "predict", frame)
        assert str(received.value) == str(own.value)
