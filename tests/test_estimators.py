"""Estimators of every sort, through every door: each answers, or says in one sentence why it does not."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import import_booster
from scipy.stats import loguniform
from sklearn import (
    calibration,
    cluster,
    discriminant_analysis,
    dummy,
    ensemble,
    gaussian_process,
    linear_model,
    metrics,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, PolynomialFeatures, SplineTransformer, StandardScaler
from test_widgets import request, submit

import irislib
from irislib import Model, ModelSpec, insights
from irislib._model_card.card import card_html
from irislib.api import create_app
from irislib.errors import DataError, NotApplicableError, SpecError
from irislib.insights._registry import insight_entries

logistic = linear_model.LogisticRegression
encoder = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["colour"]), (SimpleImputer(), ["length", "width"])
)


def table(n: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"length": rng.normal(5, 1, n).round(2), "width": rng.normal(3, 1, n).round(2)})
    data["colour"] = rng.choice(["red", "green"], n)
    return data


NUMBERS = table()[["length", "width"]]
SIZE = 3 * NUMBERS.length - NUMBERS.width
TWO = np.where(SIZE > 12, "groß & schwer", "klein")
THREE = np.digitize(SIZE, [10, 14])


def booster(module: str, name: str, **options: Any) -> Callable[[], Any]:
    return lambda: getattr(import_booster(module), name)(n_estimators=10, **options)


CASES: dict[str, tuple[Any, Any, Any]] = {
    # classifiers
    "logistic regression": (logistic(), NUMBERS, TWO),
    "three integer classes": (logistic(), NUMBERS, THREE),
    "booleans": (ensemble.RandomForestClassifier(10), NUMBERS, SIZE.to_numpy() > 12),
    "float classes": (tree.DecisionTreeClassifier(max_depth=3), NUMBERS, THREE.astype(float)),
    "SVC without probabilities": (svm.SVC(), NUMBERS, TWO),
    "SVC with probabilities": (svm.SVC(probability=True), NUMBERS, TWO),
    "linear SVC": (svm.LinearSVC(), NUMBERS, THREE),
    "naive Bayes": (naive_bayes.GaussianNB(), NUMBERS, THREE),
    "neighbours": (neighbors.KNeighborsClassifier(), NUMBERS, TWO),
    "forest": (ensemble.RandomForestClassifier(10), NUMBERS, THREE),
    "extra trees": (ensemble.ExtraTreesClassifier(10), NUMBERS, TWO),
    "gradient boosting": (ensemble.GradientBoostingClassifier(n_estimators=5), NUMBERS, THREE),
    "histograms": (ensemble.HistGradientBoostingClassifier(max_iter=5), NUMBERS, TWO),
    "histograms of categories": (
        ensemble.HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
        table().astype({"colour": "category"}), TWO,
    ),
    "AdaBoost": (ensemble.AdaBoostClassifier(n_estimators=5), NUMBERS, TWO),
    "perceptron": (neural_network.MLPClassifier((4,), max_iter=30), NUMBERS, THREE),
    "discriminant analysis": (discriminant_analysis.LinearDiscriminantAnalysis(), NUMBERS, THREE),
    "voting": (ensemble.VotingClassifier([("a", logistic()), ("b", naive_bayes.GaussianNB())]), NUMBERS, TWO),
    "soft voting": (
        ensemble.VotingClassifier([("a", logistic()), ("b", naive_bayes.GaussianNB())], voting="soft"), NUMBERS, TWO,
    ),
    "stacking": (ensemble.StackingClassifier([("a", naive_bayes.GaussianNB())], cv=2), NUMBERS, THREE),
    "bagging": (ensemble.BaggingClassifier(n_estimators=3), NUMBERS, TWO),
    "calibrated": (calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=2), NUMBERS, TWO),
    "tuned threshold": (TunedThresholdClassifierCV(logistic(), cv=2), NUMBERS, TWO),
    "grid search": (GridSearchCV(logistic(), {"C": [0.1, 1]}, cv=2), NUMBERS, THREE),
    "random search": (RandomizedSearchCV(logistic(), {"C": loguniform(0.1, 1)}, n_iter=2, cv=2), NUMBERS, TWO),
    "encoder and forest": (make_pipeline(encoder, ensemble.RandomForestClassifier(10)), table(), TWO),
    "bins and logistic": (
        make_pipeline(KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), logistic()), NUMBERS, TWO,
    ),
    "words": (
        make_pipeline(make_column_transformer((TfidfVectorizer(), "colour"), remainder="passthrough"), logistic()),
        table(), TWO,
    ),
    "most frequent": (dummy.DummyClassifier(), NUMBERS, TWO),
    # regressors
    "linear": (linear_model.LinearRegression(), NUMBERS, SIZE),
    "ridge of polynomials": (make_pipeline(PolynomialFeatures(), linear_model.Ridge()), NUMBERS, SIZE),
    "splines": (make_pipeline(SplineTransformer(), linear_model.ElasticNet(0.01)), NUMBERS, SIZE),
    "SVR": (svm.SVR(), NUMBERS, SIZE),
    "forest of numbers": (ensemble.RandomForestRegressor(10), NUMBERS, SIZE),
    "histograms of numbers": (ensemble.HistGradientBoostingRegressor(max_iter=5), NUMBERS, SIZE),
    "neighbours of numbers": (neighbors.KNeighborsRegressor(), NUMBERS, SIZE),
    "Gaussian process": (gaussian_process.GaussianProcessRegressor(alpha=0.1), NUMBERS, SIZE),
    "transformed target": (
        TransformedTargetRegressor(linear_model.LinearRegression(), transformer=StandardScaler()), NUMBERS, SIZE,
    ),
    "encoder and linear": (make_pipeline(encoder, linear_model.LinearRegression()), table(), SIZE),
    # boosters
    "XGBoost": (booster("xgboost", "XGBClassifier"), NUMBERS, THREE),
    "XGBoost of numbers": (booster("xgboost", "XGBRegressor"), NUMBERS, SIZE),
    "LightGBM": (booster("lightgbm", "LGBMClassifier", verbose=-1), NUMBERS, TWO),
    "LightGBM of numbers": (booster("lightgbm", "LGBMRegressor", verbose=-1), NUMBERS, SIZE),
    "CatBoost": (booster("catboost", "CatBoostClassifier", verbose=False, allow_writing_files=False), NUMBERS, TWO),
    "CatBoost of categories": (
        booster("catboost", "CatBoostClassifier", cat_features=["colour"], verbose=False, allow_writing_files=False),
        table(), TWO,
    ),
    "CatBoost of numbers": (
        booster("catboost", "CatBoostRegressor", verbose=False, allow_writing_files=False), NUMBERS, SIZE,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
@pytest.mark.parametrize("name", CASES)
def test_an_estimator_goes_through_every_door(name: str, tmp_path: Path) -> None:
    make, x, y = CASES[name]
    estimator = clone(make) if hasattr(make, "fit") else make()
    estimator.fit(x[:120], y[:120])
    x_test, y_test = x[120:], y[120:]
    expected = np.asarray(estimator.predict(x_test)).ravel()
    model = Model.from_estimator(estimator, x_test, y_test, name="thing", X_train=x[:120], y_train=y[:120])
    assert model.estimator is estimator
    assert (model.classes is None) is (y is SIZE)
    assert_every_door(model, x_test, expected, tmp_path)


def assert_every_door(model: Model, x_test: pd.DataFrame, expected: np.ndarray, tmp_path: Path) -> None:
    """Assert that a model predicts what is expected in the library, at the endpoint, on the page and from a file."""
    # library
    assert_equal(model.predict(x_test), expected)
    prediction = model.predict_row(x_test.iloc[0])
    assert_equal([prediction.prediction], expected[:1])
    assert str(prediction)
    for entry in insight_entries(insights.default_tabs(model).items()).values():
        try:
            insight = entry.function(model, prediction) if entry.needs_row else entry.function(model)
            assert insight.text
            insight.plot()
        except NotApplicableError as error:
            assert str(error).endswith(".")  # noqa: PT017 - a sentence
    assert irislib.card(model)
    # endpoint
    client = create_app([model]).test_client()
    row = {feature.name: value for feature, value in zip(model.spec.features, x_test.iloc[0].tolist(), strict=True)}
    assert_equal([client.post("/thing", json=row).json], expected[:1])
    assert_equal([client.post("/thing/batch", json=[row]).json[0]["prediction"]], expected[:1])
    table = x_test.head(2).to_csv(index=False)
    assert client.post("/thing/batch", data=table, content_type="text/csv").status_code == 200
    for path in ("/thing/schema", "/openapi.json", "/docs"):
        assert client.get(path).status_code == 200
    # page
    app = irislib.app(model)
    assert submit(app, row)["announcement"] == f"Answer: {prediction}"
    for position, tab in enumerate(app.facts["tabs"][:-1]):  # the last one takes a CSV file
        assert "error" not in request(app, "draw", tab=position), tab["title"]
    # file
    again = irislib.load(str(model.save(tmp_path / "thing.irislib")))
    assert_equal(again.predict(x_test), expected)


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
@pytest.mark.parametrize("name", CASES)
def test_an_estimator_is_trained_from_a_description(name: str) -> None:
    make, x, y = CASES[name]
    estimator = clone(make) if hasattr(make, "fit") else make()
    spec = ModelSpec("thing", irislib.infer_features(x), "answer", lambda: x.assign(answer=y), estimator)
    model = irislib.train(spec)
    assert model.estimator is not estimator
    assert_equal([model.predict_row(x.iloc[0]).prediction], model.estimator.predict(x.head(1)))


NAMES = {0: "klein", 1: "groß & schwer", 2: "très grand"}
NAMED = np.array([NAMES[code] for code in THREE.tolist()])


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.parametrize(
    ("make", "y_test"),
    [
        (booster("xgboost", "XGBClassifier"), THREE),
        (svm.SVC, NAMED),
        (ensemble.RandomForestClassifier, pd.Series(NAMED, dtype="category")),
        (booster("catboost", "CatBoostClassifier", verbose=False, allow_writing_files=False), NAMED),
    ],
    ids=["XGBoost", "SVC", "forest", "CatBoost"],
)
def test_names_take_the_place_of_codes_at_every_door(make: Callable[[], Any], y_test: Any, tmp_path: Path) -> None:
    estimator = make().fit(NUMBERS[:120], THREE[:120])
    expected = [NAMES[code] for code in np.asarray(estimator.predict(NUMBERS[120:])).ravel().tolist()]
    model = Model.from_estimator(estimator, NUMBERS[120:], y_test[120:], name="thing", classes=NAMES, target="size")
    assert model.classes == [*NAMES.values()]
    assert model.evaluation.y_true.tolist() == NAMED[120:].tolist()
    assert insights.confusion_matrix(model).frame.to_numpy().sum() == 40
    changed = insights.smallest_changes(model, NUMBERS.iloc[120]).frame
    assert {*changed["then size"]} <= {*NAMES.values()} - {expected[0]}
    assert "klein, groß & schwer or très grand" in html.unescape(card_html(model))
    assert "klein, groß &amp; schwer, très grand" in model._repr_html_()
    enum = json.dumps([*NAMES.values()])
    assert f'"enum": {enum}' in create_app([model]).test_client().get("/openapi.json").text
    assert_every_door(model, NUMBERS[120:], np.array(expected), tmp_path)


@pytest.mark.parametrize("target", [THREE, NAMED], ids=["codes", "names"])
@pytest.mark.parametrize(
    "make",
    [booster("xgboost", "XGBClassifier"), lambda: ensemble.RandomForestClassifier(10)],
    ids=["XGBoost", "forest"],
)
def test_a_target_of_names_or_of_codes_trains_the_same(make: Callable[[], Any], target: Any) -> None:
    spec = ModelSpec(
        "thing", irislib.infer_features(NUMBERS), "size", lambda: NUMBERS.assign(size=target), make(), classes=NAMES
    )
    model = irislib.train(spec)
    assert model.estimator.classes_.tolist() == [0, 1, 2]
    assert set(model.predict(NUMBERS)) <= {*NAMES.values()}
    assert model.evaluation.metrics["accuracy"] > 0.7
    assert insights.cross_validation(model).frame["accuracy"].mean() > 0.6
    assert spec.digest != replace(spec, classes={**NAMES, 2: "sehr groß"}).digest


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({0: "no", 1: "yes"}, r"classes: 2 has no name; the estimator predicts it, and there are 0, 1\."),
        ({0: "no", 1: "no", 2: "yes"}, r"classes: two codes have the name 'no'\."),
        ({0: "no", 1: 7, 2: "yes"}, r"classes: the name of 1 must be text, got 7\."),
        ({0: "no", 1: " ", 2: "yes"}, r"classes: the name of 1 must be text, got ' '\."),
        (["no", "yes", "maybe"], r"classes: give names by the codes .* got list; .* dict\(enumerate\(names\)\)\."),
    ],
)
def test_names_that_do_not_fit_the_codes_are_refused(classes: Any, message: str) -> None:
    estimator = logistic().fit(NUMBERS, THREE)
    with pytest.raises(SpecError, match=message):
        Model.from_estimator(estimator, NUMBERS, THREE, name="thing", classes=classes)


def test_names_of_a_regressor_or_of_swapped_codes_are_refused() -> None:
    features = irislib.infer_features(NUMBERS)
    with pytest.raises(SpecError, match="LinearRegression predicts numbers, which have no names"):
        ModelSpec("thing", features, "size", table, linear_model.LinearRegression(), classes={0: "no"})
    with pytest.raises(SpecError, match="'b' is the name of 'a', and a code itself"):
        ModelSpec("thing", features, "size", table, logistic(), classes={"a": "b", "b": "a"})


def test_values_that_are_neither_names_nor_codes_are_refused() -> None:
    estimator = logistic().fit(NUMBERS, THREE)
    make = partial(Model.from_estimator, estimator, NUMBERS, name="thing", classes=NAMES)
    with pytest.raises(DataError, match=r"y_test has unknown classes: 7; classes names 0 \(klein\), 1"):
        make(np.where(THREE == 2, 7, THREE))
    with pytest.raises(DataError, match="y_test holds both names of classes and codes; give either"):
        make(np.array([NAMES[0], *THREE[1:].tolist()], dtype=object))


def test_a_boolean_is_read_as_one() -> None:
    answer = SIZE.to_numpy() > 12
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(NUMBERS, answer)
    model = Model.from_estimator(forest, NUMBERS, answer, name="thing")
    assert {str(model.predict_row(NUMBERS.iloc[i])) for i in range(9)} == {"True", "False"}


@pytest.mark.parametrize("threshold", [0.2, None])
def test_no_tie_is_claimed_where_a_threshold_decides(threshold: float | None) -> None:
    estimator = dummy.DummyClassifier(strategy="prior")  # one half for each of two classes
    answer = np.arange(len(NUMBERS)) % 2
    if threshold is not None:
        estimator = make_pipeline(StandardScaler(), FixedThresholdClassifier(estimator, threshold=threshold))
    model = Model.from_estimator(estimator.fit(NUMBERS, answer), NUMBERS, answer, name="thing")
    row = NUMBERS.median().to_dict()
    alone = " ".join(str(problem) for problem in model.predict_row(row).warnings)
    many = create_app([model]).test_client().post("/thing/batch", json=[row]).text
    assert ["nearly a tie" in text for text in (alone, many)] == [threshold is None] * 2


@pytest.mark.parametrize("positive", ["groß & schwer", "klein"])
def test_a_threshold_is_said_where_it_decides(positive: str) -> None:
    other = next(iter({"groß & schwer", "klein"} - {positive}))
    estimator = FixedThresholdClassifier(logistic(), threshold=0.2, pos_label=positive).fit(NUMBERS, TWO)
    model = Model.from_estimator(make_pipeline(estimator), NUMBERS, TWO, name="thing")
    shares = model.predict_proba(NUMBERS)[:, model.classes.index(positive)]
    client = create_app([model]).test_client()
    seen = set()
    for i, share in enumerate(shares.tolist()):
        prediction = model.predict_row(NUMBERS.iloc[i])
        if share >= 0.2:
            expected = f"{positive}, for {share:.0%} is above its threshold of 20%"
        else:
            expected = f"{other}, for {share:.0%} for {positive} is below the threshold of 20%"
        if f"{share:.0%}" == "20%" or prediction.prediction in seen:
            continue
        seen.add(prediction.prediction)
        assert str(prediction) == expected
        assert insights.class_probabilities(model, prediction).text == f"{expected}."
        row = NUMBERS.iloc[i].to_dict()
        assert submit(irislib.app(model), row)["announcement"] == f"Answer: {expected}"
        details = client.post("/thing?details=1", json=row).json
        assert (details["prediction"], details["threshold"]) == (
            prediction.prediction, {"class": positive, "probability": 0.2}
        )  # fmt: skip
    assert len(seen) == 2
    assert f"It answers {positive} from a probability of 20% on" in html.unescape(card_html(model))
    answer = client.get("/openapi.json").json["components"]["schemas"]["thing.answer"]
    assert {*answer["required"]} == {*details}


@pytest.mark.parametrize(
    "estimator",
    [
        logistic(),
        FixedThresholdClassifier(svm.LinearSVC(), threshold=0.5),
        FixedThresholdClassifier(logistic(), threshold=0.5, response_method="decision_function"),
    ],
    ids=["none", "of scores alone", "of scores"],
)
def test_no_threshold_is_said_where_none_of_a_probability_decides(estimator: Any) -> None:
    model = Model.from_estimator(estimator.fit(NUMBERS, TWO), NUMBERS, TWO, name="thing")
    assert str(model.predict_row(NUMBERS.iloc[0])) in {"groß & schwer", "klein"}
    document = create_app([model]).test_client().post("/thing?details=1", json=NUMBERS.iloc[0].to_dict()).json
    assert "threshold" not in document


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize(
    "estimator", [svm.SVC(), svm.LinearSVC(), linear_model.RidgeClassifier(), linear_model.SGDClassifier()], ids=repr
)
def test_curves_follow_the_decision_function_where_there_are_no_probabilities(estimator: Any, y: Any) -> None:
    steps = make_pipeline(PolynomialFeatures(), StandardScaler(), estimator).fit(NUMBERS, y)
    model = Model.from_estimator(steps, NUMBERS, y, name="thing")
    scores = steps.decision_function(NUMBERS)
    last = scores if scores.ndim == 1 else scores[:, -1]
    roc, costs = insights.roc_curve(model), insights.precision_recall_curve(model)
    false, true, _ = metrics.roc_curve(y == model.classes[-1], last)
    points = roc.frame[roc.frame["class"] == model.classes[-1]]
    np.testing.assert_array_equal(points.iloc[:, 1:], np.column_stack([false, true]))
    for insight in (roc, costs):
        assert insight.text.endswith("It has no probabilities: the curves follow the scores of its decision function.")
        insight.plot()


def test_scores_of_pairs_of_classes_are_no_scores_of_classes() -> None:
    estimator = svm.SVC(decision_function_shape="ovo").fit(NUMBERS, THREE)  # three pairs of three classes
    model = Model.from_estimator(estimator, NUMBERS, THREE, name="thing")
    with pytest.raises(NotApplicableError, match="SVC has no probabilities, and no score for each class to follow"):
        insights.roc_curve(model)


@pytest.mark.parametrize("vectorizer", [TfidfVectorizer, CountVectorizer])
def test_text_goes_through_every_door(vectorizer: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = np.array(["gut", "schlecht", "schön", "übel", "très", "bien", "mauvais", "ok"])
    x = pd.DataFrame({"review": [" ".join(rng.choice(words, 5)) for _ in range(160)], "length": NUMBERS.length})
    y = x.review.str.contains("gut|schön").map({True: "gefällt sehr", False: "ne plaît pas"}).to_numpy()
    estimator = make_pipeline(make_column_transformer((vectorizer(), "review"), remainder="passthrough"), logistic())
    model = Model.from_estimator(clone(estimator).fit(x[:120], y[:120]), x[120:], y[120:], name="thing")
    assert model.spec.features[0].kind == "text"
    assert_every_door(model, x[120:], model.estimator.predict(x[120:]), tmp_path)
    features = irislib.infer_features(x)
    trained = irislib.train(ModelSpec("thing", features, "liked", lambda: x.assign(liked=y), estimator))
    assert trained.classes == sorted({*y})
    assert trained.predict(x[:5]).tolist() == trained.estimator.predict(x[:5]).tolist()


def assert_equal(actual: Any, expected: Any) -> None:
    actual, expected = np.asarray(actual).ravel(), np.asarray(expected).ravel()
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(actual.astype(float), expected, rtol=1e-5)
    else:
        assert actual.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("estimator", "y", "message"),
    [
        (ensemble.IsolationForest(), SIZE, "IsolationForest finds outliers"),
        (cluster.KMeans(2, n_init=1), SIZE, "KMeans finds clusters"),
        (StandardScaler(), SIZE, "StandardScaler transforms data"),
        (MultiOutputRegressor(linear_model.LinearRegression()), np.column_stack([SIZE, SIZE]), "one target"),
        (ensemble.RandomForestClassifier(3), np.column_stack([THREE, THREE]), "one target"),
        (MultiOutputClassifier(logistic()), np.column_stack([THREE, THREE]), "predicts several targets at once"),
        (ClassifierChain(logistic()), np.column_stack([THREE > 0, THREE > 1]), "predicts several targets at once"),
        (linear_model.LinearRegression(), np.column_stack([SIZE, SIZE]), "LinearRegression predicts 2 targets"),
    ],
)
def test_what_predicts_no_single_target_is_refused_with_a_sentence(estimator: Any, y: Any, message: str) -> None:
    estimator.fit(NUMBERS, y)
    for y_test in (y, y.reshape(len(y), -1)[:, 0]):
        with pytest.raises(irislib.errors.IrislibError, match=message):
            Model.from_estimator(estimator, NUMBERS, y_test, name="thing")


@pytest.mark.parametrize("make", [MultiOutputClassifier, ClassifierChain])
@pytest.mark.parametrize("search", [False, True])
def test_an_estimator_of_several_targets_is_refused_by_its_description(make: Any, search: bool) -> None:
    estimator = make_pipeline(StandardScaler(), make(logistic()))
    if search:
        estimator = GridSearchCV(estimator, {})
    with pytest.raises(SpecError, match="predicts several targets at once; irislib shows models with one target"):
        ModelSpec("thing", irislib.infer_features(NUMBERS), "size", table, estimator)


def test_true_values_of_several_targets_are_refused() -> None:
    with pytest.raises(DataError, match="y_test has 2 columns; irislib shows models with one target"):
        Model.from_estimator(logistic().fit(NUMBERS, TWO), NUMBERS, np.column_stack([TWO, TWO]), name="thing")


@pytest.mark.parametrize(
    "estimator",
    [
        logistic(),
        gaussian_process.GaussianProcessRegressor(),
        make_pipeline(StandardScaler(), gaussian_process.GaussianProcessRegressor()),
        GridSearchCV(logistic(), {"C": [0.1, 1]}),
        ensemble.StackingClassifier([("a", naive_bayes.GaussianNB())]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_unfitted_estimator_is_refused_with_a_sentence(estimator: Any) -> None:
    with pytest.raises(irislib.errors.SpecError, match="is not fitted; call its fit first"):
        Model.from_estimator(estimator, NUMBERS, THREE, name="thing")
