"""Estimators of every sort, through every door: each answers, or says in one sentence why it does not."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import estimators
import numpy as np
import pandas as pd
import pytest
from conftest import FUZZ, ROOT
from estimators import NUMBERS, SIZE, THREE, TWO, booster, logistic, table
from sklearn import dummy, ensemble, gaussian_process, linear_model, metrics, naive_bayes, svm
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from test_widgets import submit

import irislib
from irislib import Model, ModelSpec, insights
from irislib._model_card.card import card_html
from irislib.api import create_app
from irislib.errors import DataError, NotApplicableError, SpecError

SENTENCES = {
    "IsolationForest": "IsolationForest finds outliers",
    "KMeans": "KMeans finds clusters",
    "StandardScaler": "StandardScaler transforms data",
    "MultiOutputRegressor, three numbers (linnerud)": "one target",
    "RandomForestClassifier, two classes at once": "one target",
    "MultiOutputClassifier": "predicts several targets at once",
    "ClassifierChain": "predicts several targets at once",
    "LinearRegression, two numbers": "LinearRegression predicts 2 targets",
}


def read_page() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return what docs/estimators.md says: the outcomes of each estimator, and the sentences of what is refused."""
    page = (ROOT / "docs" / "estimators.md").read_text(encoding="utf-8")
    sentences = dict(re.findall(r"^(\d+)\. (.+)$", page, re.M))
    answered, refused = re.findall(r"(?:^\|.+\n)+", page, re.M)
    (_, *doors), _, *rows = [line.strip("| ").split(" | ") for line in answered.splitlines()]
    cells = {name: [sentences.get(cell, cell.strip("✓")) for cell in row] for name, *row in rows}
    rows_of_refused = [line.strip("| ").split(" | ") for line in refused.splitlines()[2:]]
    return {name: dict(zip(doors, row, strict=True)) for name, row in cells.items()}, dict(rows_of_refused)


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")
@pytest.mark.parametrize("name", estimators.CASES)
def test_an_estimator_goes_through_every_door_as_the_documentation_has_it(name: str, tmp_path: Path) -> None:
    outcomes = estimators.outcomes(name, tmp_path, everything=FUZZ > 1)
    assert outcomes == read_page()[0][name], "`make estimators` renews the page"


@pytest.mark.parametrize("name", estimators.REFUSED)
def test_what_predicts_no_single_target_is_refused_with_a_sentence(name: str) -> None:
    assert SENTENCES[name] in estimators.refusal(name)
    assert estimators.refusal(name) == read_page()[1][name], "`make estimators` renews the page"


def test_the_documentation_has_every_estimator() -> None:
    answered, refused = read_page()
    assert list(answered) == list(estimators.CASES)
    assert list(refused) == list(estimators.REFUSED)


NAMES = {0: "klein", 1: "groß & schwer", 2: "très grand"}
NAMED = np.array([NAMES[code] for code in THREE.tolist()])


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.parametrize(
    ("make", "y_test"),
    [
        (booster("xgboost", "XGBClassifier"), THREE),
        (svm.SVC, NAMED),
        (partial(ensemble.RandomForestClassifier, 10), pd.Series(NAMED, dtype="category")),
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
    visit = estimators.Visit(make(), NUMBERS, THREE, tmp_path)
    visit.model, visit.expected = model, np.array(expected)
    for door in [*estimators.DOORS.values()][2:]:  # it is made already
        with suppress(NotApplicableError):  # such as insights of probabilities
            door(visit)


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
    assert {str(model.predict_row(NUMBERS.iloc[i]).prediction) for i in range(9)} == {"True", "False"}


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
        assert (prediction.answer, str(prediction)) == (expected, f"Target: {expected}")
        assert insights.class_probabilities(model, prediction).text == f"{expected}."
        row = NUMBERS.iloc[i].to_dict()
        assert submit(irislib.app(model), row)["announcement"] == f"Target: {expected}"
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
    assert model.predict_row(NUMBERS.iloc[0]).prediction in {"groß & schwer", "klein"}
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


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.parametrize("vectorizer", [TfidfVectorizer, CountVectorizer])
def test_text_goes_through_every_door(vectorizer: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = np.array(["gut", "schlecht", "schön", "übel", "très", "bien", "mauvais", "ok"])
    x = pd.DataFrame({"review": [" ".join(rng.choice(words, 5)) for _ in range(160)], "length": NUMBERS.length})
    y = x.review.str.contains("gut|schön").map({True: "gefällt sehr", False: "ne plaît pas"}).to_numpy()
    estimator = make_pipeline(make_column_transformer((vectorizer(), "review"), remainder="passthrough"), logistic())
    visit = estimators.Visit(estimator, x, y, tmp_path)
    for door in estimators.DOORS.values():
        door(visit)
    assert visit.model.spec.features[0].kind == "text"
    features = irislib.infer_features(x)
    trained = irislib.train(ModelSpec("thing", features, "liked", lambda: x.assign(liked=y), estimator))
    assert trained.classes == sorted({*y})
    assert trained.predict(x[:5]).tolist() == trained.estimator.predict(x[:5]).tolist()


@pytest.mark.parametrize("make", [MultiOutputClassifier, ClassifierChain])
@pytest.mark.parametrize("search", [False, True])
def test_an_estimator_of_several_targets_is_refused_by_its_description(make: Any, search: bool) -> None:
    estimator = make_pipeline(StandardScaler(), make(logistic()))
    if search:
        estimator = GridSearchCV(estimator, {})
    with pytest.raises(SpecError, match="predicts several targets at once; irislib shows models with one target"):
        ModelSpec("thing", irislib.infer_features(NUMBERS), "size", table, estimator)


@pytest.mark.parametrize(
    "make",
    [
        lambda forest: GridSearchCV(forest, {"max_depth": [2]}),
        lambda forest: FixedThresholdClassifier(forest),
        lambda forest: CalibratedClassifierCV(forest),
        lambda forest: ensemble.BaggingClassifier(forest),
        lambda forest: ensemble.AdaBoostClassifier(forest),
        lambda forest: ensemble.AdaBoostClassifier(),
    ],
)
def test_an_estimator_around_an_ensemble_that_is_not_fitted_is_taken(make: Any) -> None:
    estimator = make(ensemble.RandomForestClassifier(3))
    spec = ModelSpec("thing", irislib.infer_features(NUMBERS), "size", table, estimator)
    assert spec.estimator is estimator
    assert Model.from_estimator(estimator.fit(NUMBERS, TWO), NUMBERS, TWO, name="thing").classes == sorted({*TWO})


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
