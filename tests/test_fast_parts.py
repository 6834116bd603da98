"""The parts of a fast form: whatever is made of them predicts as scikit-learn does, or is not used."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import import_booster
from sklearn import (
    calibration,
    datasets,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_selection,
    gaussian_process,
    impute,
    linear_model,
    model_selection,
    multiclass,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)  # fmt: skip
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_extraction import text
from threadpoolctl import threadpool_limits

import irislib
from irislib import Feature, Model, ModelSpec
from irislib._compiled import (
    catboost_categories,
    category_steps,
    column_steps,
    linear,
    numeric_steps,
    smooth,
    tree_walk,
)
from irislib._description.validation import check_row

make_pipeline, logistic = pipeline.make_pipeline, linear_model.LogisticRegression
scaler, one_hot = preprocessing.StandardScaler, preprocessing.OneHotEncoder
kernels = gaussian_process.kernels
NUMERIC = {"iris": datasets.load_iris, "cancer": datasets.load_breast_cancer, "diabetes": datasets.load_diabetes}
TEXTS, NUMBERS = ["district", "heating"], ["area", "rooms"]


def columns(*encoders: Any, remainder: str = "passthrough") -> Any:
    numbers = make_pipeline(impute.SimpleImputer(strategy="median", add_indicator=True), scaler())
    return make_column_transformer(*encoders, (numbers, NUMBERS), remainder=remainder)


def filled(encoder: Any) -> Any:
    return make_pipeline(impute.SimpleImputer(strategy="most_frequent"), encoder), TEXTS


ignoring = filled(one_hot(handle_unknown="ignore"))
CLASSIFIERS: dict[str, Any] = {
    "logistic": make_pipeline(scaler(), logistic()),
    "logistic, cross-validated": make_pipeline(preprocessing.MinMaxScaler(), logistic(C=0.1)),
    "ridge": linear_model.RidgeClassifier(),
    "linear support vectors": make_pipeline(preprocessing.RobustScaler(), svm.LinearSVC()),
    "gradient descent": make_pipeline(scaler(), linear_model.SGDClassifier(loss="log_loss", random_state=0)),
    "gradient descent, Huber": make_pipeline(scaler(), linear_model.SGDClassifier(loss="modified_huber")),
    "discriminant": discriminant_analysis.LinearDiscriminantAnalysis(),
    "quadratic discriminant": discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1),
    "commonest": dummy.DummyClassifier(strategy="most_frequent"),
    "shares": dummy.DummyClassifier(),
    "always the same": dummy.DummyClassifier(strategy="constant", constant=1),
    "Gaussian process": make_pipeline(
        scaler(),
        gaussian_process.GaussianProcessClassifier(1.0 * kernels.RBF() + kernels.WhiteKernel(), optimizer=None),
    ),
    "one against the rest": multiclass.OneVsRestClassifier(logistic()),
    "trees against the rest": multiclass.OneVsRestClassifier(tree.DecisionTreeClassifier(max_depth=3)),
    "pairs": multiclass.OneVsOneClassifier(svm.LinearSVC()),
    "pairs with probabilities": multiclass.OneVsOneClassifier(naive_bayes.GaussianNB()),
    "normal": naive_bayes.GaussianNB(),
    "multinomial": naive_bayes.MultinomialNB(),
    "Bernoulli": naive_bayes.BernoulliNB(binarize=2.0),
    "support vectors": make_pipeline(scaler(), svm.SVC()),
    "support vectors with probabilities": make_pipeline(scaler(), svm.SVC(probability=True)),
    "polynomial kernel": make_pipeline(scaler(), svm.SVC(kernel="poly", coef0=1)),
    "neighbours": neighbors.KNeighborsClassifier(),
    "near neighbours": make_pipeline(scaler(), neighbors.KNeighborsClassifier(7, weights="distance")),
    "network": make_pipeline(scaler(), neural_network.MLPClassifier((8, 5), max_iter=60, random_state=0)),
    "largest": make_pipeline(preprocessing.MaxAbsScaler(), logistic()),
    "polynomial": make_pipeline(scaler(), preprocessing.PolynomialFeatures(3), feature_selection.SelectKBest(k=9),
                                logistic(max_iter=1000)),
    "trees of polynomials": make_pipeline(preprocessing.PolynomialFeatures(3), ensemble.RandomForestClassifier(8)),
    "components": make_pipeline(scaler(), decomposition.PCA(3, whiten=True), svm.SVC()),
    "logarithms": make_pipeline(preprocessing.FunctionTransformer(np.log1p), scaler(), logistic()),
    "union": make_pipeline(pipeline.make_union(scaler(), decomposition.PCA(2)), logistic(max_iter=1000)),
    "bins": make_pipeline(preprocessing.KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), logistic()),
    "targets of bins": make_pipeline(
        preprocessing.KBinsDiscretizer(4, encode="ordinal", strategy="uniform"),
        preprocessing.TargetEncoder(random_state=0), logistic(),
    ),
    "ordinal bins": make_pipeline(
        preprocessing.KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), tree.DecisionTreeClassifier()
    ),
    "soft votes": ensemble.VotingClassifier(
        [("a", make_pipeline(scaler(), logistic())), ("b", naive_bayes.GaussianNB()), ("c", "drop")], voting="soft",
        weights=[1, 2, 3],
    ),
    "hard votes": ensemble.VotingClassifier(
        [("a", tree.DecisionTreeClassifier(max_depth=1)), ("b", naive_bayes.GaussianNB())]
    ),
    "stack": ensemble.StackingClassifier(
        [("a", make_pipeline(scaler(), svm.LinearSVC())), ("b", naive_bayes.GaussianNB()), ("c", logistic(C=1e-3))],
        final_estimator=logistic(max_iter=1000), cv=2,
    ),
    "stack beside the row": ensemble.StackingClassifier(
        [("a", tree.DecisionTreeClassifier(max_depth=2))], ensemble.RandomForestClassifier(5), passthrough=True, cv=2
    ),
    "bags of trees": ensemble.BaggingClassifier(n_estimators=6, max_features=3, random_state=0),
    "bags of all features": ensemble.BaggingClassifier(tree.ExtraTreeClassifier(), n_estimators=6, random_state=0),
    "bags of votes": ensemble.BaggingClassifier(svm.LinearSVC(), n_estimators=4, random_state=0),
    "AdaBoost": ensemble.AdaBoostClassifier(n_estimators=8, random_state=0),
    "AdaBoost of weighted sums": ensemble.AdaBoostClassifier(logistic(), n_estimators=4, random_state=0),
    "calibrated": calibration.CalibratedClassifierCV(make_pipeline(scaler(), svm.LinearSVC()), cv=2),
    **{
        f"calibrated, temperature, {name}": calibration.CalibratedClassifierCV(estimator, method="temperature", cv=2)
        for name, estimator in {"scores": svm.LinearSVC(), "shares": naive_bayes.GaussianNB()}.items()
        if "temperature" in str(calibration.CalibratedClassifierCV._parameter_constraints["method"])
    },
    "calibrated, isotonic": calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", cv=2),
    "search": model_selection.GridSearchCV(
        make_pipeline(scaler(), logistic()), {"logisticregression__C": [1, 9]}, cv=2
    ),
}  # fmt: skip
TWO_CLASSES: dict[str, Any] = {
    **CLASSIFIERS,
    "tuned threshold": model_selection.TunedThresholdClassifierCV(make_pipeline(scaler(), logistic()), cv=2),
    "fixed threshold": model_selection.FixedThresholdClassifier(
        make_pipeline(scaler(), svm.LinearSVC()), threshold=0.5, pos_label=0
    ),
}
REGRESSORS: dict[str, Any] = {
    "linear": linear_model.LinearRegression(),
    "polynomial": make_pipeline(preprocessing.PolynomialFeatures(), linear_model.Ridge()),
    "splines": make_pipeline(preprocessing.SplineTransformer(extrapolation="linear"), linear_model.Ridge()),
    "splines to the ends": make_pipeline(
        preprocessing.SplineTransformer(knots="quantile", degree=2, include_bias=False), linear_model.Ridge()
    ),
    "splines that go on": make_pipeline(
        preprocessing.SplineTransformer(extrapolation="continue"), linear_model.Ridge()
    ),
    "splines that repeat": make_pipeline(
        preprocessing.SplineTransformer(extrapolation="periodic"), linear_model.Ridge()
    ),
    "median": dummy.DummyRegressor(strategy="median"),
    **{
        f"Gaussian process, {name}": make_pipeline(
            scaler(), gaussian_process.GaussianProcessRegressor(kernel, alpha=0.1, optimizer=None, normalize_y=True)
        )
        for name, kernel in {
            "default": None,
            "Matern": 2.0 * kernels.Matern([1.0, 2.0, 3.0, 1.0, 2.0, 3.0], nu=1.5) + kernels.WhiteKernel(0.1),
            "rough Matern": kernels.Matern(nu=0.5) * kernels.DotProduct(),
            "smooth Matern": kernels.Matern(nu=2.5) ** 2 + kernels.Matern(nu=np.inf),
            "rational, periodic": kernels.RationalQuadratic() + 0.001 * kernels.ExpSineSquared(periodicity=2.0),
        }.items()
    },
    "elastic net": make_pipeline(scaler(), linear_model.ElasticNet()),
    "Poisson": make_pipeline(scaler(), linear_model.PoissonRegressor()),
    "Tweedie": make_pipeline(scaler(), linear_model.TweedieRegressor(power=0)),
    "support vectors": make_pipeline(scaler(), svm.SVR(C=9)),
    "network": make_pipeline(scaler(), neural_network.MLPRegressor(hidden_layer_sizes=(6,), max_iter=50)),
    "logarithm of the target": TransformedTargetRegressor(
        make_pipeline(scaler(), linear_model.Ridge()), func=np.log1p, inverse_func=np.expm1
    ),
    "scaled target": TransformedTargetRegressor(linear_model.Ridge(), transformer=scaler()),
    "votes": ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())]),
    "stack": ensemble.StackingRegressor([("a", linear_model.Ridge()), ("b", svm.SVR())], cv=2),
    "neighbours": neighbors.KNeighborsRegressor(weights="distance"),
    "bags": ensemble.BaggingRegressor(n_estimators=5),
    "AdaBoost": ensemble.AdaBoostRegressor(n_estimators=5),
    "AdaBoost of weighted sums": ensemble.AdaBoostRegressor(linear_model.Ridge(), n_estimators=5),
}
MIXED: dict[str, Any] = {
    "one-hot, logistic": make_pipeline(columns(ignoring), logistic(max_iter=1000)),
    "one-hot, trees": make_pipeline(columns(ignoring, remainder="drop"), ensemble.RandomForestClassifier(8)),
    "rare categories": make_pipeline(
        columns(filled(one_hot(handle_unknown="infrequent_if_exist", min_frequency=20))), logistic(max_iter=1000)
    ),
    "dropped categories": make_pipeline(columns(filled(one_hot(drop="first"))), logistic(max_iter=1000)),
    "missing as a category": make_pipeline(
        columns((one_hot(handle_unknown="ignore", sparse_output=False), TEXTS)), logistic(max_iter=1000)
    ),
    "ordinal": make_pipeline(
        columns((preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1,
                                              encoded_missing_value=-2), TEXTS)),
        ensemble.HistGradientBoostingClassifier(max_iter=8),
    ),
    "strict": make_pipeline(columns(filled(preprocessing.OrdinalEncoder())), tree.DecisionTreeClassifier(max_depth=5)),
    "words": make_pipeline(columns((text.TfidfVectorizer(sublinear_tf=True), "heating"), remainder="drop"), logistic()),
    "letters": make_pipeline(
        columns((text.CountVectorizer(analyzer="char", ngram_range=(1, 2)), "heating"), remainder="drop"), logistic()
    ),
    "target": make_pipeline(
        columns((preprocessing.TargetEncoder(random_state=0), TEXTS)), logistic(max_iter=1000)
    ),
    "votes": ensemble.VotingClassifier(
        [("a", make_pipeline(columns(ignoring), logistic(max_iter=1000))),
         ("b", make_pipeline(columns(ignoring), tree.DecisionTreeClassifier(max_depth=3)))], voting="soft"
    ),
}  # fmt: skip
BOOSTERS = {
    "XGBClassifier": ("xgboost", {}),
    "XGBRegressor": ("xgboost", {}),
    "LGBMClassifier": ("lightgbm", {"verbose": -1, "n_jobs": 1}),
    "LGBMRegressor": ("lightgbm", {"verbose": -1, "n_jobs": 1}),
    "CatBoostClassifier": ("catboost", {"verbose": False, "allow_writing_files": False}),
    "CatBoostRegressor": ("catboost", {"verbose": False, "allow_writing_files": False}),
}


@cache
def table(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    rows, target = NUMERIC[name](return_X_y=True, as_frame=True)
    rows, target = rows.iloc[:300, :6], target[:300]
    rows.columns = [f"x{i}" for i in range(rows.shape[1])]
    return rows - rows.min(), target.to_numpy()


@cache
def flats() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "area": rng.normal(80, 20, 300).round(1),
        "rooms": rng.integers(1, 6, 300),
        "district": rng.choice(["hill", "centre", "river", "port"], 300, p=[0.5, 0.3, 0.18, 0.02]),
        "heating": rng.choice(["gas", "wood"], 300),
        "balcony": rng.random(300) < 0.4,
    })  # fmt: skip
    target = np.where(frame.area + 15 * (frame.district == "hill") + rng.normal(0, 9, 300) > 85, "dear", "cheap")
    frame["district"] = frame["district"].astype(object).mask(rng.random(300) < 0.1)
    frame["area"] = frame["area"].mask(rng.random(300) < 0.1)
    return frame, target


HEATED = [
    Feature("area", required=False), Feature("rooms", "integer"),
    Feature("district", "choice", choices=["hill", "centre", "river", "port", "moon"], required=False,
            dtype="category"),
    Feature("heating", "choice", choices=["gas", "wood", "electricity"], dtype="category"),
    Feature("balcony", "boolean"),
]  # fmt: skip
FLATS = [
    Feature("area", required=False), Feature("rooms", "integer"), Feature("district", "text", required=False),
    Feature("heating", "choice", choices=["gas", "wood", "electricity"]), Feature("balcony", "boolean"),
]  # fmt: skip


def fitted(name: str, estimator: Any, features: list[Feature] | None = None) -> Model:
    rows, target = flats() if name == "flats" else table(name)
    features = features or (FLATS if name == "flats" else [Feature(column) for column in rows])
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return irislib.train(ModelSpec("m", features, "y", lambda: rows.assign(y=target), estimator))


def rows_like(model: Model, seed: int = 9, count: int = 300) -> pd.DataFrame:
    """Rows with decimals, the ends of the range, and for flats missing values and texts that are nowhere else."""
    data = model.spec.load_data()[model.spec.columns]
    rng = np.random.default_rng(seed)
    frame = data.sample(count, replace=True, random_state=seed, ignore_index=True)
    for name, column in data.items():
        if column.dtype.kind == "f":
            numbers = rng.uniform(column.min(), column.max(), count).round(2)
            frame[name] = np.where(rng.random(count) < 0.5, frame[name], numbers)
    if "district" in frame:
        frame.loc[::7, "district"] = "moon"
        frame.loc[::11, "heating"] = "electricity"
        frame.loc[::5, "area"] = np.nan
    return frame


def assert_equal(model: Model, least: float = 0.9) -> None:
    """Compare the fast form with scikit-learn on new rows, of which it answers at least a share."""
    form, why = model.fast_form
    assert form is not None, why
    assert "asking" not in why, why
    assert "scikit-learn's own" not in why, why
    rows = rows_like(model).to_dict("records")
    rows = [{name: cell for name, cell in row.items() if cell == cell} for row in rows]
    checked = [check_row(model.spec.features, row) for row in rows]
    assert not any(problems for _, problems in checked)
    outcomes = [form.predict(list(values.values())) for values, _ in checked]
    answered = [i for i, outcome in enumerate(outcomes) if outcome is not None]
    assert len(answered) >= least * len(rows)
    frame, tolerance = model.spec.validate([rows[i] for i in answered]), max(form.predictor.tolerance, 1e-12)
    predictions = [outcomes[i][0] for i in answered]
    expected = np.ravel(model.estimator.predict(frame))  # CatBoost has a column for the class
    if model.classes is None:
        np.testing.assert_allclose(predictions, expected, rtol=0, atol=tolerance * np.abs(expected).max())
    else:
        assert predictions == expected.tolist()
    if model.has_probabilities:
        probabilities = [outcomes[i][1] for i in answered]
        np.testing.assert_allclose(probabilities, model.estimator.predict_proba(frame), rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifiers_of_three_classes(kind: str) -> None:
    assert_equal(fitted("iris", CLASSIFIERS[kind]))


@pytest.mark.parametrize("kind", TWO_CLASSES)
def test_classifiers_of_two_classes(kind: str) -> None:
    assert_equal(fitted("cancer", TWO_CLASSES[kind]))


@pytest.mark.parametrize("kind", REGRESSORS)
def test_regressors(kind: str) -> None:
    assert_equal(fitted("diabetes", REGRESSORS[kind]))


@pytest.mark.parametrize("kind", MIXED)
def test_mixed_tables_with_missing_and_unseen_values(kind: str) -> None:
    assert_equal(fitted("flats", MIXED[kind]), 0.7 if kind in ("strict", "dropped categories") else 0.9)


@pytest.mark.parametrize("kind", ["bags of trees", "bags of all features", "AdaBoost"])
def test_members_that_are_trees_are_walked_at_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    walks, walk = [], tree_walk.Trees.totals
    model = fitted("iris", CLASSIFIERS[kind])
    assert model.fast_form[0] is not None
    monkeypatch.setattr(tree_walk.Trees, "totals", lambda trees, row: walks.append(row) or walk(trees, row))
    model.predict_values([5.1, 3.5, 1.4, 0.2])
    assert len(walks) == 1


def test_nodes_that_split_categories() -> None:
    model = fitted("flats", ensemble.HistGradientBoostingClassifier(max_iter=30, min_samples_leaf=3), HEATED)
    assert model.estimator._predictors[0][0].nodes["is_categorical"].any()
    assert_equal(model)


@pytest.mark.parametrize("name", ["iris", "cancer", "diabetes"])
@pytest.mark.parametrize("booster", BOOSTERS)
def test_boosters(booster: str, name: str) -> None:
    package, options = BOOSTERS[booster]
    if booster.endswith("Regressor") != (name == "diabetes"):
        return
    make: Callable[..., Any] = getattr(import_booster(package), booster)
    assert_equal(fitted(name, make(n_estimators=12, **options)))


CATEGORIES = ["district", "heating", "rooms", "balcony"]
STATISTICS = {
    "combinations of categories": {"iterations": 60},  # and of sides of thresholds
    "one-hot": {"iterations": 20, "one_hot_max_size": 9},
    "other statistics": {
        "iterations": 20, "simple_ctr": ["Buckets", "Counter:Prior=0.7"], "combinations_ctr": "BinarizedTargetMeanValue"
    },
}  # fmt: skip


def of_categories(kind: str) -> Model:
    rows, _ = flats()
    rows = rows.assign(district=rows.district.fillna("a district with a long name"))
    sizes = np.where(rows.heating == "gas", rows.area.fillna(9) * rows.rooms, rows.area.fillna(0))
    target = sizes if kind == "other statistics" else np.digitize(sizes, [60, 120])
    features = [replace(feature, required=feature.name != "area") for feature in FLATS]
    name, options = (
        "CatBoost" + ("Regressor" if kind == "other statistics" else "Classifier"),
        BOOSTERS["CatBoostRegressor"],
    )
    make: Callable[..., Any] = getattr(import_booster("catboost"), name)
    estimator = make(cat_features=CATEGORIES, depth=3, **options[1], **STATISTICS[kind])
    return irislib.train(ModelSpec("m", features, "y", lambda: rows.assign(y=target), estimator))


@pytest.mark.parametrize("kind", STATISTICS)
def test_categories_of_catboost(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = of_categories(kind)
    assert_equal(model)
    form = model.fast_form[0]
    known, unseen = [80.0, 3, "hill", "gas", True], [80.0, 3, "9" * 17, "gas", True]
    assert form.predict(known) is not None
    assert form.predict(unseen) is None  # of numbers in texts only CatBoost knows the hash
    assert form.predict([80.0, 3, None, "gas", True]) is None
    if kind != "one-hot":
        calculate = catboost_categories._statistic
        monkeypatch.setattr(catboost_categories, "_statistic", lambda *args: calculate(*args) + 1)
        other = replace(model)
        assert other.fast_form[0] is None, other.fast_form[1]
        row = dict(zip(model.spec.feature_names, known, strict=True))
        assert other.predict_row(row).prediction == pytest.approx(model.predict_row(row).prediction)


def spoiled(row: list[Any]) -> list[Any]:
    return [value + 1e-9 for value in row]


look_up = category_steps._look_up
FAULTS: dict[str, tuple[str, Any, Any, str, Any]] = {
    "another link": ("iris", CLASSIFIERS["logistic"], linear, "softmax", linear.sigmoids),
    "another kernel": ("iris", CLASSIFIERS["support vectors"], smooth, "_kernel", lambda e: lambda row: e.support_),
    "classes in another order": ("iris", CLASSIFIERS["normal"], smooth, "softmax", lambda scores: scores[::-1]),
    "unseen accepted": (
        "flats",
        MIXED["strict"],
        category_steps,
        "_look_up",
        lambda codes, _: look_up(codes, [[0.0]] * len(codes)),
    ),
    "unseen as the first": (
        "flats",
        MIXED["one-hot, logistic"],
        category_steps,
        "_unknown_code",
        lambda _, codes, *__: next(iter(codes.values())),
    ),
    "columns in another order": (
        "flats",
        MIXED["one-hot, logistic"],
        column_steps,
        "_indices",
        lambda step, _, columns: list(range(len(columns))),
    ),
    "products a little off": ("diabetes", REGRESSORS["polynomial"], numeric_steps, "finite", spoiled),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_part_that_differs_is_not_used(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, estimator, module, function, spoil = FAULTS[fault]
    model = fitted(name, estimator)
    monkeypatch.setattr(module, function, spoil)
    form, why = model.fast_form
    assert form is None or "scikit-learn's own" in why, why


def test_a_tie_is_left_to_scikit_learn() -> None:
    rows = pd.DataFrame({"a": [-2.0, -1.0, 1.0, 2.0] * 9, "b": [0.0, 1.0] * 18})
    target = np.where(rows.a > 0, "up", "down")
    features = [Feature("a"), Feature("b")]
    model = irislib.train(ModelSpec("m", features, "y", lambda: rows.assign(y=target), svm.LinearSVC()))
    form, why = model.fast_form
    assert form is not None, why
    (weight, other), offset = model.estimator.coef_[0], model.estimator.intercept_[0]
    at = -(offset + other) / weight
    assert form.predict([at, 1.0]) is None
    assert form.predict([at + 0.1, 1.0]) is not None
    assert model.predict_row({"a": at, "b": 1.0}).prediction in ("up", "down")


def test_missing_and_infinite_values_are_left_to_scikit_learn() -> None:
    form = fitted("iris", CLASSIFIERS["network"]).fast_form[0]
    assert form.predict([1.0, 1.0, 1.0, 1.0]) is not None
    for value in (None, float("inf"), 1e308, "text"):
        assert form.predict([1.0, value, 1.0, 1.0]) is None


def test_a_date_is_read_by_no_part(rent: Model) -> None:
    encoder = make_column_transformer((one_hot(handle_unknown="ignore"), ["built"]), remainder="drop")
    data = rent.spec.load_data()
    model = irislib.train(replace(rent.spec, estimator=make_pipeline(encoder, linear_model.Ridge()), examples={}), data)
    assert "scikit-learn's own" in model.fast_form[1]
    rows = data[rent.spec.feature_names].head(3)
    assert model.predict(rows).tolist() == pytest.approx(model.estimator.predict(model.spec.validate(rows)).tolist())
