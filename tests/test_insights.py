"""Insights hold the right numbers, and draw without pyplot."""

from __future__ import annotations

import datetime as dt
import inspect
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from invalid_inputs import GOOD
from matplotlib.figure import Figure
from scipy.stats import binom
from sklearn.base import is_classifier
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.inspection import partial_dependence as sklearns_dependence
from sklearn.inspection import permutation_importance as permute
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    auc,
    average_precision_score,
    brier_score_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.metrics import confusion_matrix as count
from sklearn.model_selection import (
    FixedThresholdClassifier,
    KFold,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.model_selection import learning_curve as sklearns_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import irislib
from irislib import insights
from irislib._common.language import using_language
from irislib._modeling import novelty, training
from irislib._modeling.novelty import NoveltyDetector
from irislib._modeling.prediction import Prediction, Threshold, near_ties
from irislib.errors import NotApplicableError, ValidationError
from irislib.insights import _conformal, _importance, _partial_dependence, _shapley, _tree_shapley
from irislib.insights._background import mix_rows
from irislib.insights._confidence_intervals import proportion_interval
from irislib.insights._curves import area_interval
from irislib.insights._likely_classes import describe_classes, describe_coverage
from irislib.insights._tree_shapley import tree_shapley


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch) -> None:
    """A store of each test's own: results are stored, and a page would show them."""
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))


def test_importances_are_the_forests_own(iris) -> None:
    frame = insights.feature_importances(iris).frame.set_index("feature")
    expected = dict(zip(iris.spec.feature_names, iris.estimator.feature_importances_, strict=True))
    trees = np.array([tree.feature_importances_ for tree in iris.estimator.estimators_])
    for feature, spread in zip(iris.spec.features, trees.std(axis=0), strict=True):
        assert frame["importance"][feature.label] == pytest.approx(expected[feature.name])
        assert frame["standard deviation"][feature.label] == pytest.approx(spread)
    assert frame["importance"].sum() == pytest.approx(1)
    assert frame["importance"].is_monotonic_decreasing


@pytest.mark.parametrize("name", ["iris", "rent"])
@pytest.mark.parametrize("at_once", [2, 5])
def test_permutation_importances_are_scikit_learns(name: str, at_once: int, request, monkeypatch) -> None:
    model = request.getfixturevalue(name)
    held_out = model.evaluation
    monkeypatch.setattr(_importance, "MAX_CELLS", at_once * held_out.features.size)
    frame = insights.permutation_importance(model).frame
    expected = permute(model.estimator, held_out.features, held_out.y_true, n_repeats=5, random_state=0)
    assert sorted(frame.iloc[:, 1]) == pytest.approx(sorted(expected.importances_mean))
    assert sorted(frame["standard deviation"]) == pytest.approx(sorted(expected.importances_std))


def test_confusion_matrix_counts_every_held_out_row(iris) -> None:
    insight = insights.confusion_matrix(iris)
    np.testing.assert_array_equal(insight.frame, count(iris.evaluation.y_true, iris.evaluation.y_pred))
    assert (insight.frame.index.name, insight.frame.columns.name) == ("true species", "predicted species")
    assert insight.text.startswith("It was right for 29 of 30 test rows: 97%")


def test_class_probabilities_of_a_row(iris) -> None:
    insight = insights.class_probabilities(iris, GOOD)
    expected = dict(zip(iris.classes, iris.predict_proba(GOOD)[0], strict=True))
    assert dict(insight.frame.itertuples(index=False)) == expected
    assert insight.frame["species"][0] == "virginica"
    assert insight.text.startswith("virginica, with a probability of")


def test_predicted_against_true_has_the_mean_error(rent) -> None:
    insight = insights.predicted_against_true(rent)
    assert list(insight.frame) == ["true rent (EUR)", "predicted rent (EUR)"]
    error = (insight.frame.iloc[:, 0] - insight.frame.iloc[:, 1]).abs().mean()
    assert f"off by {error:.3g} EUR on average" in insight.text


@pytest.mark.parametrize(
    "estimator",
    [
        BaggingClassifier(DecisionTreeClassifier()),
        VotingClassifier([("a", DecisionTreeClassifier()), ("b", LogisticRegression(max_iter=500))]),
        GradientBoostingClassifier(n_estimators=5),
        AdaBoostClassifier(n_estimators=5),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_importances_are_for_forests_only(iris, estimator) -> None:
    model = irislib.train(replace(iris.spec, estimator=estimator))
    with pytest.raises(NotApplicableError, match="is no forest"):
        insights.feature_importances(model)
    assert len(insights.permutation_importance(model).frame) == 4


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """Numbers, a category of which one value is rare, a truth value, and gaps."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"size": rng.normal(size=300), "kind": rng.choice(["a", "b", "c"], 300)})
    data = data.assign(new=rng.random(300) < 0.5, rest=rng.normal(size=300))
    data.loc[:1, "kind"] = "rare"
    data.loc[::7, "rest"] = np.nan
    data["class"] = np.digitize(data["size"] + (data["kind"] == "a") + data["new"], [0, 1])
    return data


def of_mixed(data: pd.DataFrame, *steps: Any) -> irislib.Model:
    features = [irislib.Feature("size"), irislib.Feature("kind", "choice", choices=["a", "b", "c", "rare"])]
    features += [irislib.Feature("new", "boolean"), irislib.Feature("rest", required=False)]
    return irislib.train(irislib.ModelSpec("mixed", features, "class", lambda: data, make_pipeline(*steps)))


def test_importances_of_a_features_columns_are_added_up(mixed) -> None:
    encoded = make_column_transformer((OneHotEncoder(), ["kind"]), remainder=SimpleImputer())
    model = of_mixed(mixed, encoded, RandomForestClassifier(20, random_state=0))
    forest, columns = model.estimator[-1], model.estimator[0].get_feature_names_out()
    names = [column.partition("__")[2].partition("_")[0] for column in columns]
    assert len(names) == 7
    frame = insights.feature_importances(model).frame.set_index("feature")
    for feature in model.spec.features:
        is_its = np.array(names) == feature.name
        importances = [tree.feature_importances_[is_its].sum() for tree in forest.estimators_]
        assert frame["importance"][feature.label] == pytest.approx(forest.feature_importances_[is_its].sum())
        assert frame["standard deviation"][feature.label] == pytest.approx(np.std(importances))
    assert insights.feature_importances in insights.default_tabs(model)["Insights"]
    numbers = make_column_transformer((PolynomialFeatures(2), ["size", "new"]))
    model = of_mixed(mixed, numbers, RandomForestClassifier(5, random_state=0))
    with pytest.raises(NotApplicableError, match="mix inputs"):
        insights.feature_importances(model)


def test_classes_that_are_numbers_are_written_as_they_are(mixed) -> None:
    encoded = make_column_transformer((OneHotEncoder(), ["kind"]), remainder=SimpleImputer())
    text = insights.class_metrics(of_mixed(mixed, encoded, DecisionTreeClassifier(max_depth=1))).text
    assert re.match(r"[012] is the hardest to find: it found \d+% of the \d+ test rows of this class\.", text)


def test_the_probability_in_the_text_is_that_of_the_prediction(iris) -> None:
    data = iris.spec.load_data().query("species != 'setosa'").assign(probability=lambda d: d.species)
    shy = FixedThresholdClassifier(LogisticRegression(), threshold=0.99, pos_label="virginica")
    model = irislib.train(replace(iris.spec, estimator=shy, target="probability"), data)
    insight = insights.class_probabilities(model, {**GOOD, "petal_length_cm": 5.0, "petal_width_cm": 1.8})
    assert insight.text == "versicolor, for 58% for virginica is below the threshold of 99%."
    assert insight.frame["class"][0] == "virginica"  # the likelier class, below the threshold


@pytest.mark.parametrize(
    ("function", "name", "why"),
    [
        (insights.feature_importances, "rent", "is no forest"),
        (insights.confusion_matrix, "rent", "there are no classes to confuse"),
        (lambda model: insights.class_probabilities(model, {}), "rent", "no classes and no probabilities"),
        (insights.predicted_against_true, "iris", "predicts a class"),
    ],
)
def test_an_insight_that_does_not_apply_gives_the_reason(function, name: str, why: str, request) -> None:
    with pytest.raises(NotApplicableError, match=why):
        function(request.getfixturevalue(name))


def test_axes_have_the_label_of_the_target_and_frames_its_name(rent) -> None:
    insight = insights.residuals(replace(rent, spec=replace(rent.spec, target_label="Monthly rent")))
    (axes,) = insight.plot().axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted monthly rent (EUR)", "true less predicted (EUR)")
    assert list(insight.frame) == ["predicted rent (EUR)", "true less predicted (EUR)"]


def test_every_insight_draws_a_figure_with_labelled_axes_and_without_pyplot(iris, rent, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # to import it is an error
    monkeypatch.delattr("matplotlib.pyplot", raising=False)
    all_insights = [
        insights.feature_importances(iris),
        insights.permutation_importance(rent),
        insights.confusion_matrix(iris),
        insights.predicted_against_true(rent),
        insights.class_probabilities(iris, GOOD),
    ]
    for insight in all_insights:
        figure = insight.plot()
        assert isinstance(figure, Figure)
        assert figure.axes[0].get_xlabel()
        assert insight.text.endswith(".")
    own = [vars(module) for name, module in sys.modules.items() if name.partition(".")[0] == "irislib"]
    modules = {value.__name__ for names in own for value in names.values() if type(value) is ModuleType}
    assert not [name for name in modules if "pyplot" in name]


# ---- evaluation and calibration


@pytest.fixture(scope="module")
def cancer() -> irislib.Model:
    return sklearns("breast-cancer", load_breast_cancer, LogisticRegression(max_iter=5000))


@pytest.fixture(scope="module")
def digits() -> irislib.Model:
    def every_fourth_pixel(as_frame: bool) -> Any:
        data = load_digits(as_frame=as_frame)
        data.frame = data.frame.iloc[:, ::4].assign(target=data.target)
        return data

    return sklearns("digits", every_fourth_pixel, GaussianNB())


@pytest.fixture(scope="module")
def diabetes() -> irislib.Model:
    return sklearns("diabetes", load_diabetes, LinearRegression())


def sklearns(name: str, load: Callable[..., Any], estimator: Any) -> irislib.Model:
    """A model of one of scikit-learn's own data sets."""
    data = load(as_frame=True).frame.rename(columns=lambda name: name.replace(" ", "_"))
    features = [irislib.Feature(name, required=False) for name in data if name != "target"]
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), estimator)
    return irislib.train(irislib.ModelSpec(name, features, "target", lambda: data, pipeline))


@pytest.fixture(scope="module")
def small_forest(iris) -> irislib.Model:
    """The Iris Wizard with few trees, to be trained many times."""
    return irislib.train(replace(iris.spec, estimator=RandomForestClassifier(5, random_state=0)))


MODELS = ["iris", "cancer", "digits", "diabetes", "rent"]
OF_CLASSES = ["iris", "cancer", "digits"]
NO_INSIGHTS = ("Insight", "default_tabs", "on_demand")
TRAINING = ("cross_validation", "learning_curve")  # insights that train a model many times


@pytest.mark.parametrize("name", ["small_forest", *MODELS[1:]])
def test_every_insight_works_or_gives_a_reason(name: str, request) -> None:
    model = request.getfixturevalue(name)
    row = model.evaluation.features.iloc[0].dropna().to_dict()
    left_out = {*NO_INSIGHTS, *(TRAINING if name in ("cancer", "digits") else ())}  # small_forest has classes, too
    for function in (getattr(insights, insight) for insight in insights.__all__ if insight not in left_out):
        assert re.search(r"Sources?:\s+\w", inspect.getdoc(function) or ""), function
        arguments = (model, *(row for name in ("row", "other") if name in inspect.signature(function).parameters))
        insight: Any = None
        message = ""
        try:
            insight = function(*arguments)
        except NotApplicableError as error:
            message = str(error)
        if insight is None:
            assert re.fullmatch(r"[^.]+\.|.*; see \w+\.", message)
            continue
        assert len(insight.frame)
        assert re.fullmatch(r"\S.*\.", insight.text)
        figure = insight.plot()
        assert figure.axes[0].get_xlabel()
        figure.draw_without_rendering()


@pytest.mark.parametrize("name", OF_CLASSES)
def test_precision_and_recall_are_scikit_learns(name: str, request) -> None:
    model = request.getfixturevalue(name)
    frame = insights.class_metrics(model).frame
    precision, recall, _, support = precision_recall_fscore_support(
        model.evaluation.y_true, model.evaluation.y_pred, labels=model.classes, zero_division=np.nan
    )
    np.testing.assert_allclose(frame["precision"], precision)
    np.testing.assert_allclose(frame["recall"], recall)
    np.testing.assert_array_equal(frame["support"], support)
    for measure in ("precision", "recall"):
        defined = frame.dropna(subset=[measure])
        assert (defined[f"{measure} from"] <= defined[measure]).all()
        assert (defined[measure] <= defined[f"{measure} to"]).all()


def test_the_interval_of_a_share_is_wilsons() -> None:
    # R. G. Newcombe (1998), Two-sided confidence intervals for the single proportion, Statistics in Medicine 17,
    # 857-872, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3
    for right, total, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert proportion_interval(right, total) == pytest.approx((low, high), abs=5e-5)
    assert proportion_interval(0, 0) == (0, 1)


@pytest.mark.parametrize(("ratio", "n_positive", "n_negative"), [(2.0, 20, 40), (8.0, 51, 58), (60.0, 10, 20)])
def test_the_interval_of_an_area_holds_the_true_one(ratio: float, n_positive: int, n_negative: int) -> None:
    """Beside 300 samples of what it was derived for: exponential scores, whose true area is known."""
    rng, true = np.random.default_rng(0), ratio / (1 + ratio)
    n_covered = 0
    for _ in range(300):
        positive, negative = ratio * rng.exponential(size=n_positive), rng.exponential(size=n_negative)
        low, high = area_interval((positive[:, None] > negative).mean(), n_positive, n_negative)
        n_covered += low <= true <= high
    assert n_covered >= 270  # 285, less where samples this small have few rows near the true area
    assert area_interval(1.0, 10, 20)[0] < 0.95
    assert area_interval(1 - 1e-12, 10, 20)[1] == 1  # a sum that is rounded
    assert area_interval(1e-12, 10, 20)[0] == 0


@pytest.mark.parametrize("name", OF_CLASSES)
def test_curves_are_scikit_learns(name: str, request) -> None:
    model = request.getfixturevalue(name)
    roc, pr = insights.roc_curve(model).frame, insights.precision_recall_curve(model).frame
    for i, name_of_class in enumerate(model.classes):
        is_it, probability = model.evaluation.y_true == name_of_class, model.evaluation.y_proba[:, i]
        curve = roc[roc["class"] == name_of_class]
        assert auc(curve["false positive rate"], curve["true positive rate"]) == pytest.approx(
            roc_auc_score(is_it, probability)
        )
        curve = pr[pr["class"] == name_of_class]
        average = -np.sum(np.diff(curve["recall"]) * curve["precision"].to_numpy()[:-1])
        assert average == pytest.approx(average_precision_score(is_it, probability))
    areas = roc_auc_score(pd.get_dummies(model.evaluation.y_true), model.evaluation.y_proba, average=None).round(2)
    hardest = f"{model.classes[areas.argmin()]} is the hardest"
    worst = "No class is harder than another" if np.ptp(areas) == 0 else hardest
    assert insights.roc_curve(model).text.startswith(f"{worst} to tell from the rest: area")


@pytest.mark.parametrize("name", OF_CLASSES)
def test_calibration_counts_every_row(name: str, request) -> None:
    model = request.getfixturevalue(name)
    insight = insights.calibration(model)
    held_out = model.evaluation
    assert insight.frame["rows"].sum() == len(held_out.y_true)
    right = np.asarray(model.classes)[held_out.y_proba.argmax(axis=1)] == held_out.y_true
    assert (insight.frame["share right"] * insight.frame["rows"]).sum() == pytest.approx(right.sum())
    score = brier_score_loss(held_out.y_true, held_out.y_proba, labels=model.classes, scale_by_half=False)
    assert f"The Brier score is {score:.2f}" in insight.text


def test_residuals_add_up_to_the_truth(diabetes) -> None:
    frame = insights.residuals(diabetes).frame
    np.testing.assert_allclose(frame.sum(axis=1), diabetes.evaluation.y_true)


def test_residuals_are_beside_the_median_of_the_training_rows(tmp_path) -> None:
    x, y = pd.DataFrame({"x": np.arange(30.0)}), np.arange(30.0)
    numbers = irislib.Feature("x", low=0, high=30)
    rows = {"X_test": x.tail(10), "y_test": y[-10:]}
    make = partial(irislib.Model.from_estimator, LinearRegression().fit(x, y), **rows, features=[numbers], target="y")
    model, without = make(X_train=x.head(20), y_train=y[:20]), make()
    assert model.evaluation.median == 9.5
    stored = irislib.load(str(model.save(tmp_path / "y.irislib")))
    former = replace(model, evaluation=replace(model.evaluation, median=None))  # one that was stored before
    former = irislib.load(str(former.save(tmp_path / "former.irislib")))
    own = "always answering these rows' own median: 4.5", "immer der Median dieser Zeilen selbst: 4,5"
    for read, baseline, german in (
        (stored, "always answering the median: 19.5", "immer der Median: 19,5"),
        (former, *own),
        (without, *own),
    ):
        assert f"({baseline})" in insights.residuals(read).text
        median = baseline.removeprefix("always answering ").partition(":")[0]
        assert f"always answering {median} would be off by" in insights.predicted_against_true(read).text
        with using_language("de"):
            assert f"({german})" in insights.residuals(read).text


@pytest.mark.parametrize("name", ["iris", "cancer", "diabetes"])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_conformal_sets_have_their_stated_coverage(name: str, coverage: float, request) -> None:
    """200 times: half of the test rows calibrate the limit, which is measured on the other half."""
    model = request.getfixturevalue(name)
    spec = replace(model.spec, test_size=0.6)
    scores = _conformal.nonconformity_scores(irislib.train(spec))
    rng = np.random.default_rng(0)
    half = len(scores) // 2
    within = 0
    for _ in range(200):
        rng.shuffle(scores)
        within += np.sum(scores[half:] <= _conformal.conformal_limit(scores[:half], coverage))
    tested = 200 * (len(scores) - half)
    stated = math.ceil((half + 1) * coverage) / (half + 1)  # a step above what was asked for
    low, high = binom.interval(0.999, tested, stated)
    assert low <= within <= high


@pytest.mark.parametrize("name", ["iris", "cancer", "digits", "diabetes"])
def test_covered_rows_are_counted_by_leave_one_out(name: str, request) -> None:
    scores = _conformal.nonconformity_scores(request.getfixturevalue(name))
    for coverage in (0.5, 0.8, 0.9, 0.95):
        leave_one_out = (np.delete(scores, i) for i in range(len(scores)))
        one_by_one = sum(
            score <= _conformal.conformal_limit(other_scores, coverage)
            for score, other_scores in zip(scores, leave_one_out, strict=True)
        )
        assert _conformal.covered_rows(scores, coverage) == one_by_one


AVERAGE = " is made to contain the true class in 90% of cases on average; it did"
UNCLEAR = " here; for an unclear case like this one, that average promises nothing."
USUAL_ONLY = " it may be another class as well. How often such an answer is right is known for usual values only."
SENTENCES = {  # what they are about, the prediction, the classes in the set, and the sentences
    "sure": ({"b": 0.93, "a": 0.07}, "b", {}, "Most likely b: no other class comes close.", "here b alone," + AVERAGE),
    "one in the list, yet 60%": ({"b": 0.6, "a": 0.4}, "b", {}, "Most likely b, but not certain: a has 40%.", UNCLEAR),
    "near tie": ({"b": 0.52, "a": 0.48}, "ba", {}, "Either b or a: both", "here b and a," + AVERAGE),
    "near tie, one in the list": ({"b": 0.52, "a": 0.48}, "b", {}, "Either b or a: both are nearly", UNCLEAR),
    "near tie of three": (
        {"b": 0.4, "a": 0.35, "c": 0.25}, "bac", {},
        "Either b or a: both are nearly as likely, and c cannot be ruled out.", "here b, a and c," + AVERAGE,
    ),
    "several in the list": (
        {"b": 0.6, "a": 0.3, "c": 0.1}, "ba", {},
        "Most likely b, but a cannot be ruled out.", "here b and a," + AVERAGE,
    ),
    "all in the list": (
        {"b": 0.9, "a": 0.06, "c": 0.04}, "bac", {}, "Most likely b, but none of the other classes can be ruled out.",
        "here b, a and c," + AVERAGE,
    ),
    "both in the list": (
        {"b": 0.95, "a": 0.05}, "ba", {}, "Most likely b, but a cannot be ruled out.", "here b and a," + AVERAGE,
    ),
    "many in the list": (
        {"b": 0.5, **dict.fromkeys("acdefgh", 0.07), "i": 0.01}, "bacdefgh", {},
        "Most likely b, but 7 other classes cannot be ruled out.", "here these 8 classes," + AVERAGE,
    ),
    "unlike the training data": (
        {"b": 0.99, "a": 0.01}, "b", {"is_outside_training": True},
        "The answer is b, but these values are unlike those that the model knows:", USUAL_ONLY,
    ),
    "a threshold against the likeliest": (
        {"a": 0.6, "b": 0.4}, "b", {"threshold": Threshold("b", 0.3)},
        "The answer is b, though a is likelier (60%).", UNCLEAR,
    ),
    "a threshold, near the middle": (
        {"b": 0.52, "a": 0.48}, "ba", {"threshold": Threshold("b", 0.3)},
        "Most likely b, but a cannot be ruled out.", "here b and a," + AVERAGE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTENCES)
def test_the_sentences_about_a_set_of_classes_agree_with_its_probabilities(case: str, monkeypatch) -> None:
    shares, names, facts, first, second = SENTENCES[case]
    prediction = Prediction("b", shares, "", [], "", **facts)
    texts = describe_classes(prediction, names), describe_coverage(prediction, names, "90%", "it did for 29 of 30")
    assert texts[0].startswith(first)
    assert second in " ".join(texts)
    with monkeypatch.context() as patch:
        patch.setenv("IRISLIB_LANGUAGE", "de")
        german = describe_classes(prediction, names), describe_coverage(prediction, names, "90 %", "")
    assert not set(texts) & set(german)
    assert [share for share in ("40", "60") if f"{share}%" in texts[0]] == re.findall(r"\d\d(?=\s%)", german[0])


def test_the_text_of_a_prediction_set(iris, rent, monkeypatch) -> None:
    alone = insights.prediction_set(iris, GOOD)
    assert alone.text.startswith(
        "Most likely virginica: no other class comes close. A list of the likely classes, here virginica alone, is "
        "made to contain the true class in 90%"
    )
    assert list(alone.frame["in the set"]) == ["yes", "no", "no"]
    with monkeypatch.context() as patch:  # one process serves people of several languages
        patch.setenv("IRISLIB_LANGUAGE", "de")
        assert "so war es bei 29 von 30 Testzeilen" in insights.prediction_set(iris, GOOD).text
    near = Prediction("virginica", {"setosa": 0.0, "versicolor": 0.49, "virginica": 0.51}, "", [], "")
    assert insights.prediction_set(iris, near, coverage=0.96).text.startswith(
        "Either virginica or versicolor: both are nearly as likely. A list of the likely classes, here virginica and "
        "versicolor, is made to contain the true class in 96%"
    )
    span = insights.prediction_set(rent, {"area_m2": 40, "balcony": True, "built": "1990-05-01"}).frame
    assert list(span) == ["rent (EUR)", "from", "to"]
    assert span["from"][0] < span["rent (EUR)"][0] < span["to"][0]
    for row in (dict.fromkeys(GOOD, 25), {**GOOD, "sepal_width_cm": 0.1}):  # warned of: nothing is promised
        assert insights.prediction_set(iris, row).text.endswith("is known for usual values only.")
    assert "further off" in insights.prediction_set(rent, {"area_m2": 900, "balcony": True, "built": "1990-05-01"}).text
    with pytest.raises(NotApplicableError, match=r"30 test rows are too few for a coverage of 99%: it takes 99"):
        insights.prediction_set(iris, GOOD, coverage=0.99)
    with pytest.raises(ValueError, match="above 0 and below 1"):
        insights.prediction_set(iris, GOOD, coverage=90)


# ---- novelty and near ties


IMPOSSIBLE = [  # each measurement is one that some iris has; no iris has them together
    {"petal_length_cm": 1.5, "petal_width_cm": 2.0, "sepal_length_cm": 5.8, "sepal_width_cm": 3.0},
    {"petal_length_cm": 5.5, "petal_width_cm": 0.3, "sepal_length_cm": 5.8, "sepal_width_cm": 3.0},
    {"petal_length_cm": 6.5, "petal_width_cm": 2.2, "sepal_length_cm": 4.5, "sepal_width_cm": 3.0},
    {"petal_length_cm": 4.0, "petal_width_cm": 2.3, "sepal_length_cm": 6.0, "sepal_width_cm": 3.0},
]


@pytest.mark.parametrize("row", IMPOSSIBLE)
def test_an_impossible_combination_of_usual_values_is_novel(iris, row) -> None:
    assert not iris.outside_training(iris.spec.validate(row))
    (warning,) = (w for w in iris.predict_row(row).warnings if "all of them together" in w.message)
    assert warning.feature is None
    (same,) = iris.unlike_training(iris.spec.validate(row))
    assert same.message == warning.message


@pytest.mark.parametrize("name", ["iris", "cancer", "digits", "diabetes", "rent"])
def test_test_rows_are_rarely_novel(name: str, request) -> None:
    """In 20 other splits of the data at least 95 % of all test rows are not flagged."""
    spec = request.getfixturevalue(name).spec
    features = spec.validate(spec.load_data()[spec.feature_names], max_rows=10_000)
    flagged = total = 0
    for seed in range(20):
        training_rows, test_rows = train_test_split(features, test_size=0.2, random_state=seed)
        detector = NoveltyDetector(spec.features, training_rows.sample(min(len(training_rows), 1000), random_state=0))
        flagged += detector.is_novel(test_rows).sum()
        total += len(test_rows)
    assert flagged <= 0.05 * total


def test_a_row_is_novel_in_a_frame_if_it_is_novel_alone(rent) -> None:
    frame = rent.spec.validate(rent.spec.load_data()[rent.spec.feature_names][:60])
    novel_row = {"area_m2": 139, "rooms": 1, "district": "hill", "balcony": True, "built": "1951-01-01"}
    frame = pd.concat([frame, rent.spec.validate(novel_row)], ignore_index=True)
    rows = [{k: v for k, v in row.items() if v == v and v is not None} for row in frame.to_dict("records")]
    alone = [i for i, row in enumerate(rows) if any(w.feature is None for w in rent.predict_row(row).warnings)]
    assert alone
    assert [problem.row for problem in rent.unlike_training(frame) if problem.feature is None] == alone
    many = pd.concat([frame] * (1 + novelty.BLOCK // len(frame) // rent.novelty.size), ignore_index=True)
    is_novel = rent.novelty.is_novel(many).reshape(-1, len(frame))
    assert is_novel.any(axis=0).nonzero()[0].tolist() == is_novel.all(axis=0).nonzero()[0].tolist() == alone


def test_a_near_tie_is_a_warning(iris) -> None:
    ties = near_ties(iris.classes, [[0.1, 0.41, 0.49], [0, 0.4, 0.6], [0.5, 0.5, 0]])
    assert ties.rows.tolist() == [0, 2]
    assert ties.problems[ties.codes[0]].message == "It is nearly a tie between virginica (49%) and versicolor (41%)."


# ---- partial dependence, cross-validation and learning curves


def test_partial_dependence_is_scikit_learns(iris, cancer, diabetes) -> None:
    for model in (iris, cancer, diabetes):
        frame = insights.partial_dependence(model, seconds=math.inf).frame
        feature = model.spec.features[0]
        of_feature = frame[frame["feature"] == feature.label]
        grid = _partial_dependence._grid(model, feature)
        held_out = model.evaluation.features
        max_rows = _partial_dependence.MAX_PREDICTIONS * len(model.classes or [1]) // len(frame)
        rows = held_out.sample(min(len(held_out), _partial_dependence.MAX_SAMPLED_ROWS, max_rows), random_state=0)
        expected = sklearns_dependence(
            model.estimator, rows, [feature.name], custom_values={feature.name: grid}, method="brute", kind="both"
        )
        if model.classes is None:
            mean, lines = of_feature["mean target"], expected["individual"][0]
        else:
            mean, lines = (
                of_feature[of_feature["class"] == model.classes[-1]]["probability"],
                expected["individual"][-1],
            )
        np.testing.assert_allclose(mean, lines.mean(axis=0))


def test_partial_dependence_goes_through_categories_dates_and_gaps(rent) -> None:
    insight = insights.partial_dependence(rent)
    assert set(insight.frame["feature"]) == {feature.label for feature in rent.spec.features}
    by_value = insight.frame.set_index(["feature", "value"])["mean rent (EUR)"]
    gap = by_value["District", "centre"] - by_value["District", "hill"]
    assert 150 < gap < 250  # 200 is what the data were made with
    assert {"yes", "no"} == set(by_value["Balcony"].index)
    assert len(insight.plot().axes) == 5


def test_cross_validation_is_scikit_learns(small_forest, diabetes) -> None:
    for model, kind in ((small_forest, StratifiedKFold), (diabetes, KFold)):
        frame = insights.cross_validation(model).frame
        data = model.spec.load_data()
        estimator = training.unfitted(model.spec)
        folds = kind(5, shuffle=True, random_state=1)
        features = model.spec.validate(data[model.spec.feature_names], max_rows=len(data))
        expected = cross_val_score(estimator, features, data[model.spec.target].to_numpy(), cv=folds)
        assert frame[frame["repeat"] == 2].iloc[:, 3].tolist() == pytest.approx(expected)


def test_a_learning_curve_is_scikit_learns(small_forest) -> None:
    spec = small_forest.spec
    data = spec.load_data()
    sizes, _, unseen = sklearns_curve(
        training.unfitted(spec), data[spec.feature_names], data["species"].to_numpy(), shuffle=True,
        train_sizes=[0.1, 0.2, 0.4, 0.7, 1.0], cv=StratifiedKFold(5, shuffle=True, random_state=0), random_state=0,
    )  # fmt: skip
    insight = insights.learning_curve(small_forest)
    assert insight.frame["training rows"].tolist() == sizes.tolist()
    assert insight.frame["accuracy on unseen rows"].tolist() == pytest.approx(unseen.mean(axis=1))
    assert insight.text.startswith(
        "Hardly, if it is like these rows. With 120 training rows its accuracy on other rows is 9"
    )


def test_a_long_running_insight_can_be_cancelled_and_is_stored_for_its_version(iris, tmp_path) -> None:
    trained = []

    def counted(model: Any) -> Any:
        for i in range(4):
            trained.append(i)
            yield (i + 1) / 4
        return [1, 2, 3]

    @insights.on_demand(counted, "A count")
    def counts(model: Any, measured: list[int]) -> insights.Insight:
        frame = pd.DataFrame({"count": measured})
        return insights.Insight("A count", frame, "Three.", lambda axes: None)

    def cancel(done: float) -> None:
        if done == 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        counts(iris, cancel)
    assert trained == [0, 1]
    assert counts.stored(iris) is None
    progress: list[float] = []
    assert counts(iris, progress.append).frame["count"].tolist() == [1, 2, 3]
    assert progress == [0.25, 0.5, 0.75, 1]
    assert counts(iris, pytest.fail).frame["count"].tolist() == [1, 2, 3]  # it is not measured again
    assert counts.stored(replace(iris, version="other")) is None
    (file,) = tmp_path.rglob("counts-*.json")
    file.write_text(file.read_text()[:20])  # as after a crash of the disk
    assert counts.stored(iris) is None
    file.parent.chmod(0o500)
    assert len(counts(iris).frame) == 3
    file.parent.chmod(0o700)


def test_data_that_have_changed_are_not_measured(iris) -> None:
    other = replace(iris, data={**iris.data, "digest": "another"}, version="0123")
    for function in (insights.cross_validation, insights.learning_curve):
        with pytest.raises(NotApplicableError, match="The data have changed since this version of Iris Wizard"):
            function(other)


def test_partial_dependence_says_which_classes_its_charts_show(digits, iris) -> None:
    insight = insights.partial_dependence(digits, seconds=0.1)
    found = re.search(
        r"The charts show the 5 of 10 classes that change most: (.*)\. The numbers are of all 10\.", insight.text
    )
    assert found
    shown = [text.get_text() for text in insight.plot().axes[0].get_legend().get_texts()]
    assert found[1] == f"{', '.join(shown[:-1])} and {shown[-1]}"
    assert "charts show" not in insights.partial_dependence(iris, seconds=0.1).text


# ---- contributions and counterfactuals


@pytest.mark.parametrize("name", MODELS)
def test_contributions_add_up_to_the_difference_from_the_average(name: str, request) -> None:
    model = request.getfixturevalue(name)
    held_out = model.evaluation.features
    for i in (0, 1, 2):
        row = held_out.iloc[i]
        insight = insights.contributions(model, row.dropna().to_dict(), seconds=0.05)
        background = held_out if len(held_out) <= 100 else held_out.sample(100, random_state=0)
        if model.classes is None:
            predictions = model.estimator.predict(pd.concat([held_out.iloc[[i]], background]))
        else:
            position = model.classes.index(model.evaluation.y_pred[i])
            predictions = model.estimator.predict_proba(pd.concat([held_out.iloc[[i]], background]))[:, position]
        (column,) = (name for name in insight.frame if name.startswith("contribution"))
        assert insight.frame[column].sum() == pytest.approx(predictions[0] - predictions[1:].mean(), abs=1e-6)
        is_linear = name == "diabetes"  # all samples agree
        is_sampled = len(model.spec.features) > 9 and not is_linear
        is_sampled = is_sampled and not isinstance(model.estimator, RandomForestClassifier)
        assert ("are exact" in insight.text) == is_linear
        assert ("samples" in insight.text) == ("standard error" in insight.frame) == is_sampled


TREES = [
    DecisionTreeClassifier(),
    RandomForestClassifier(20),
    ExtraTreesRegressor(20),
    GradientBoostingRegressor(n_estimators=20),
    HistGradientBoostingRegressor(max_iter=20),
    make_pipeline(SimpleImputer(), StandardScaler(), RandomForestRegressor(20)),
]


@pytest.mark.parametrize("estimator", TREES, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("missing", [False, True], ids=["", "missing"])
def test_contributions_to_trees_are_those_of_every_combination(estimator, missing: bool) -> None:
    features, target = load_diabetes(as_frame=True, return_X_y=True)
    features = features.iloc[:, :7]
    if missing and not isinstance(estimator, GradientBoostingRegressor):
        features = features.mask(np.random.default_rng(0).random(features.shape) < 0.2)
    is_class = is_classifier(estimator)
    estimator.fit(features, target > 140 if is_class else target)
    background = features[:40]
    predict = (lambda rows: estimator.predict_proba(rows)[:, 1]) if is_class else estimator.predict
    for i in range(50, 55):
        row = features.iloc[[i]]
        shapley_values = tree_shapley(estimator, int(is_class), row, background, predict(pd.concat([row, background])))
        mix = partial(mix_rows, row, background)
        exact = _shapley._exact(lambda *which, mix=mix: predict(mix(*which[:2])), 7, 40)
        assert shapley_values == pytest.approx(exact, abs=1e-9 * target.max())


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(PolynomialFeatures(2, interaction_only=True), DecisionTreeRegressor()),
        make_pipeline(FunctionTransformer(lambda rows: rows.all(axis=1).to_frame()), DecisionTreeRegressor()),
        HistGradientBoostingRegressor(loss="poisson"),
        GradientBoostingClassifier(n_estimators=5),
        LinearRegression(),
    ],
    ids=["products of features", "all of the features", "a logarithm", "a probability", "no trees"],
)
def test_tree_shapley_is_for_sums_of_trees_of_single_features_only(estimator) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.integers(0, 2, (60, 2)), columns=["a", "b"])
    estimator.fit(rows, rows.all(axis=1).astype(int))
    row, background = pd.DataFrame([[1, 1]], columns=["a", "b"]), rows[~rows.all(axis=1)]
    predictions = estimator.predict(pd.concat([row, background]))
    assert tree_shapley(estimator, 0, row, background, predictions) is None


def test_contributions_of_a_linear_model_are_the_textbooks(diabetes) -> None:
    """Štrumbelj and Kononenko (2014), section 3: for a linear model the weight times the distance from the mean."""
    model = irislib.train(replace(diabetes.spec, features=diabetes.spec.features[:6]))
    held_out = model.evaluation.features
    linear = model.estimator[-1]
    scaled = pd.DataFrame(model.estimator[:-1].transform(held_out))
    expected = linear.coef_ * (scaled.iloc[3] - scaled.mean()).to_numpy()
    contributions = insights.contributions(model, held_out.iloc[3].to_dict()).frame.set_index("feature")["contribution"]
    for feature, value in zip(model.spec.features, expected, strict=True):
        assert contributions[feature.label] == pytest.approx(value)


def test_sampled_contributions_are_near_the_exact_ones(rent, monkeypatch) -> None:
    row = rent.evaluation.features.iloc[0].dropna().to_dict()
    exact = insights.contributions(rent, row).frame.set_index("feature")["contribution (EUR)"]
    monkeypatch.setattr(_shapley, "MAX_EXACT_ROWS", 0)
    monkeypatch.setattr(_shapley, "tree_shapley", lambda *_: None)
    sampled = insights.contributions(rent, row, seconds=1).frame.set_index("feature")
    error = (sampled["contribution (EUR)"] - exact).abs()
    assert (error <= 4 * sampled["standard error"] + 1e-9).all()
    assert error.max() < 0.1 * exact.abs().max()


def test_contributions_to_the_answer_of_a_large_forest_are_sampled_trees_and_rows(rent, monkeypatch) -> None:
    row = rent.evaluation.features.iloc[0].dropna().to_dict()
    exact = insights.contributions(rent, row).frame.set_index("feature")["contribution (EUR)"]
    monkeypatch.setattr(_tree_shapley, "MAX_NODES", 0)
    insight = insights.contributions(rent, row, seconds=0)
    sampled = insight.frame.set_index("feature")
    error = (sampled["contribution (EUR)"] - exact).abs()
    assert 0 < error.max() < 0.1 * exact.abs().max()
    assert (error <= 4 * sampled["standard error"] + 1e-9).all()
    assert sampled["contribution (EUR)"].sum() == pytest.approx(exact.sum())
    assert "estimated from samples" in insight.text


def test_the_text_of_contributions(iris, rent) -> None:
    for row in iris.spec.examples.values():  # the sum of contributions to a certain answer may be 1 - 1e-16
        prediction = iris.predict_row(row)
        start = f"The probability of {prediction.prediction} is {prediction.answer.partition(', ')[2]} ("
        assert insights.contributions(iris, prediction).text.startswith(start)
    text = insights.contributions(iris, GOOD).text
    assert re.fullmatch(
        r"The probability of virginica is \d+% \(on average \d+%\), mostly because petal (width|length) is [\d.]+ cm "
        r"\(typical: [\d.]+ cm\)( and petal (width|length) is [\d.]+ cm \(typical: [\d.]+ cm\))?\.",
        text,
    )
    text = insights.contributions(rent, {"area_m2": 120, "balcony": True, "built": "1990-05-01"}).text
    assert re.search(r"EUR \(on average \d+ EUR\), mostly because area is 120 m² \(typical: ", text)
    typical = {name: rows.median() for name, rows in iris.evaluation.features.items()}
    assert "typical" not in insights.contributions(iris, typical).text  # it explains nothing


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_smallest_change_does_change_the_class_and_nothing_smaller_does(name: str, request) -> None:
    model = request.getfixturevalue(name)
    row = model.evaluation.features.iloc[0].to_dict()
    now = model.predict(row)[0]
    insight = insights.smallest_changes(model, row)
    if insight.frame["share of the trained range"].isna().all():
        assert insight.text.startswith(f"It stays {now}")
        return
    assert (insight.frame.iloc[:, 1] != str(now)).all()
    assert insight.frame["share of the trained range"].is_monotonic_increasing


def test_smallest_changes_of_a_flower(iris) -> None:
    row = {"petal_length_cm": 4.9, "petal_width_cm": 1.6, "sepal_length_cm": 6.0, "sepal_width_cm": 2.7}
    now = iris.predict(row)[0]
    insight = insights.smallest_changes(iris, row)
    match = re.match(r"(\D+) ([\d.]+) cm", insight.frame["change"][0])
    (name,) = (f.name for f in iris.spec.features if f.label.lower() == match[1])
    value = float(match[2])
    assert iris.predict({**row, name: value})[0] == insight.frame["then species"][0] != now
    between = np.arange(min(value, row[name]) + 0.1, max(value, row[name]) - 0.05, 0.1).round(1)
    assert all(iris.predict({**row, name: float(number)})[0] == now for number in between)
    assert iris.coverage[name]["low"] <= value <= iris.coverage[name]["high"]
    fixed = insights.smallest_changes(iris, row, fixed=[name])
    assert not any(match[1] in change for change in fixed.frame["change"])
    assert fixed.text.endswith(f"; {match[1]} stays as it is.")
    with pytest.raises(ValidationError, match="there is no feature 'petal'"):
        insights.smallest_changes(iris, row, fixed=["petal"])
    none = insights.smallest_changes(iris, row, fixed=iris.spec.feature_names)
    assert none.text.startswith(f"It stays {now}: no input may change; petal length, petal width, sepal")


@pytest.fixture(scope="module")
def late_mails() -> irislib.Model:
    """A class that depends on the date alone, beside a text, a time of day and a number."""
    days = pd.Series(pd.date_range("2020-01-01", periods=200, freq="5D"))
    data = pd.DataFrame({"mail": "buy cheap", "day": days, "hour": dt.time(8), "size": np.arange(200) % 7})
    data["class"] = np.where(days > pd.Timestamp("2021-06-01"), "late", "early")
    number = FunctionTransformer(lambda column: column.astype("datetime64[us]").astype("int64"))
    steps = (
        make_column_transformer((number, ["day"]), ("passthrough", ["size"])),
        DecisionTreeClassifier(random_state=0),
    )
    features = [
        irislib.Feature("mail", "text"), irislib.Feature("day", "date"), irislib.Feature("hour", "time"),
        irislib.Feature("size", "integer"),
    ]  # fmt: skip
    return irislib.train(irislib.ModelSpec("late", features, "class", lambda: data, make_pipeline(*steps)))


@pytest.mark.parametrize(
    ("fixed", "english", "german"),
    [
        (
            (),
            "It would be late instead of early with day {day}; other values of mail and hour were not tried.",
            "Statt early wäre es late mit Day {day}; andere Werte von Mail und Hour wurden nicht ausprobiert.",
        ),
        (
            ("day", "hour"),
            "It stays early: none of the 6 changes of one or two inputs that were tried leads to another answer; other "
            "values of mail were not tried; day and hour stay as they are.",
            "Es bleibt bei early: Keine der 6 ausprobierten Änderungen von einer oder zwei Eingaben führt zu einer "
            "anderen Antwort; andere Werte von Mail wurden nicht ausprobiert; Day und Hour bleiben, wie sie sind.",
        ),
        (
            ("day", "size"),
            "It stays early: no change was tried; other values of mail and hour were not tried; day and size stay as "
            "they are.",
            "Es bleibt bei early: Keine Änderung wurde ausprobiert; andere Werte von Mail und Hour wurden nicht "
            "ausprobiert; Day und Size bleiben, wie sie sind.",
        ),
    ],
)
def test_dates_are_changed_and_what_is_not_tried_is_named(late_mails, fixed, english: str, german: str) -> None:
    row = {"mail": "buy", "day": "2020-03-01", "hour": "08:00", "size": 3}
    insight = insights.smallest_changes(late_mails, row, fixed)
    day = insight.frame["change"][0].removeprefix("day ")
    assert insight.text == english.format(day=day)
    with using_language("de"):
        text = insights.smallest_changes(late_mails, row, fixed).text
    assert text == german.format(day=".".join(reversed(day.split("-"))))
    if not fixed:
        assert late_mails.predict({**row, "day": day})[0] == "late"
        assert dt.date(2021, 6, 1) < dt.date.fromisoformat(day) < dt.date(2021, 7, 15)  # the nearest of those tried


def test_two_changes_are_found_if_one_is_not_enough() -> None:
    names = [f"x{i}" for i in range(12)]
    data = pd.DataFrame(np.random.default_rng(0).random((600, 12)), columns=names)
    relevant = ("x8", "x11")
    data["class"] = np.where((data[list(relevant)] > 0.5).all(axis=1), "both", "not")
    features = [irislib.Feature(name) for name in names]
    spec = irislib.ModelSpec("two", features, "class", lambda: data, DecisionTreeClassifier(random_state=0))
    model, row = irislib.train(spec), dict.fromkeys(names, 0.3)
    insight = insights.smallest_changes(model, row)
    values = [re.fullmatch(r"X8 ([\d.]+) and X11 ([\d.]+)", change) for change in insight.frame["change"]]
    assert model.predict({**row, **dict(zip(relevant, map(float, values[0].groups()), strict=True))})[0] == "both"
    text = insights.smallest_changes(model, row, fixed=["x8"]).text
    assert re.fullmatch(
        r"It stays not: none of the [\d,]+ changes .* leads to another answer; X8 stays as it is\.", text
    )


@pytest.mark.parametrize("name", ["class_probabilities", "contributions", "prediction_set", "smallest_changes"])
def test_a_row_may_be_a_series_or_a_frame_of_one_row(name: str, iris: irislib.Model) -> None:
    insight = getattr(insights, name)
    expected = insight(iris, GOOD).frame
    for row in (pd.Series(GOOD), pd.DataFrame([GOOD]), [GOOD], iris.predict_row(GOOD)):
        pd.testing.assert_frame_equal(insight(iris, row).frame, expected)
    for rows in ([GOOD, GOOD], pd.DataFrame([GOOD, GOOD])):
        with pytest.raises(ValidationError, match=re.escape("Expected one row, got 2.")):
            insight(iris, rows)
