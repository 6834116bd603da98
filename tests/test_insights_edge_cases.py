"""Insights of unusual models."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from conftest import import_booster
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import irislib
from irislib import Feature, insights
from irislib._modeling.refusals import is_refusal
from irislib.errors import NotApplicableError, SpecError


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch) -> None:
    """A store of each test's own: results are stored."""
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))


def train_on(data: pd.DataFrame, estimator: Any, *features: Feature) -> irislib.Model:
    """Train a model of ``y``, whose features are plain numbers unless passed."""
    by_name = {feature.name: feature for feature in features}
    all_features = [by_name.get(name, Feature(name)) for name in data if name != "y"]
    return irislib.train(irislib.ModelSpec("odd", all_features, "y", lambda: data, estimator))


def numbers(**columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)} | columns)


@pytest.mark.parametrize(("low", "high", "at"), [(13.38, 13.42, 13.4021), (1005, 1025, 1012.3), (0, 9e6, 4_123_456)])
def test_the_suggested_change_leads_to_the_predicted_class(low: float, high: float, at: float) -> None:
    data = pd.DataFrame({"x": np.random.default_rng(0).uniform(low, high, 800)})
    model = train_on(data.assign(y=np.where(data["x"] < at, "west", "east")), DecisionTreeClassifier())
    for x in np.linspace(low, high, 9)[1:-1].tolist():
        insight = insights.smallest_changes(model, {"x": x})
        changed = float(insight.frame["change"][0].removeprefix("X "))
        assert model.predict({"x": changed})[0] == insight.frame["then y"][0] != model.predict({"x": x})[0]


def test_values_of_large_numbers_have_no_more_decimals_than_their_step() -> None:
    data = pd.DataFrame({"x": np.linspace(12_000, 18_000, 601)})
    model = train_on(data.assign(y=data["x"]), LinearRegression(), Feature("x", step=0.1))
    entries = insights.what_if(model, {"x": 15007.4}).frame["entry"]
    assert len(entries) > 50
    assert entries.str.fullmatch(r"\d+(\.\d)?").all()


def test_a_value_that_was_left_empty_may_become_any() -> None:
    data = pd.DataFrame({"rooms": np.tile([0, 1, np.nan], 100), "a": np.linspace(0, 1, 300)})
    data["y"] = np.where(data["rooms"] == 0, "no", "yes")
    model = train_on(data, DecisionTreeClassifier(), Feature("rooms", "integer", required=False))
    assert insights.smallest_changes(model, {"a": 0.5}).text == "It would be no instead of yes with rooms 0."


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_the_counted_sets_are_those_of_the_insight(coverage: float) -> None:
    data = load_iris(as_frame=True).frame.set_axis([*"abcd", "y"], axis=1)
    model = train_on(data, LogisticRegression(max_iter=500))
    within = 0
    for row, true in zip(model.evaluation.features.to_dict("records"), model.evaluation.y_true, strict=True):
        insight = insights.prediction_set(model, row, coverage)
        within += true in insight.frame[insight.frame["in the set"] == "yes"].iloc[:, 0].tolist()
    assert f"it did for {within} of 30 test rows" in insight.text
    with pytest.raises(NotApplicableError, match=re.escape("for a coverage of 99.6%")):
        insights.prediction_set(model, row, 0.996)


def test_reasons_have_moved_the_prediction_in_its_direction() -> None:
    data = numbers()
    of_numbers = train_on(data.assign(y=100 * data["a"] + 100 * data["b"]), LinearRegression())
    assert "because A is" in insights.contributions(of_numbers, {"a": 2, "b": -1.2}).text
    assert "b is" not in insights.contributions(of_numbers, {"a": 2, "b": -1.2}).text
    mostly = np.where(data["a"] + 2 * data["b"] > -2.5, "no", "yes")
    of_classes = train_on(data.assign(y=mostly), LogisticRegression())
    insight = insights.contributions(of_classes, {"a": 0.5, "b": -1.4})
    reached, average = map(int, re.findall(r"(\d+)%", insight.text))
    assert reached < average
    assert "because B is -1.4" in insight.text
    assert "a is" not in insight.text


def test_a_model_that_uses_no_feature() -> None:
    data = numbers()
    model = train_on(data.assign(y=data["a"]), Lasso(alpha=1e4))
    assert "because" not in insights.contributions(model, {"a": 1, "b": 1}).text
    tried = "None of the inputs that are tried here "
    assert insights.partial_dependence(model).text == f"{tried}affects the answer by itself."
    assert insights.what_if(model, {"a": 1, "b": 1}).text.startswith(f"{tried}moves this answer by itself. ")
    assert insights.permutation_importance(model).text.startswith("None by itself: ")
    forest = train_on(data.assign(y=data["a"] > 0), RandomForestClassifier(5, max_depth=1, min_samples_leaf=200))
    assert insights.feature_importances(forest).text.startswith("The model's trees use no input. ")


def test_permutation_importance_is_of_accuracy_and_r2_whatever_chose_the_estimator() -> None:
    data = numbers()
    data["y"] = data["a"] + 0.1 * data["b"]
    searched = GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, scoring="neg_mean_absolute_error")
    plain = insights.permutation_importance(train_on(data, Ridge(alpha=0.1))).frame
    assert plain["loss of R²"].max() > 0.5
    insight = insights.permutation_importance(train_on(data, searched)).frame
    assert insight["loss of R²"].tolist() == pytest.approx(plain["loss of R²"].tolist(), rel=0.1)


def test_cross_validation_if_some_parts_cannot_be_trained_on() -> None:
    data = numbers(kind=["rare", *"xy" * 100][:200])
    data["y"] = np.where(data["a"] > 0, "p", "q")
    encoded = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    kind = Feature("kind", "choice", choices=["rare", "x", "y"])
    for rows in (data, data.iloc[::-1]):  # one of them has the rare row in what it is trained on, and trains
        try:
            model = train_on(rows.reset_index(drop=True), make_pipeline(encoded, LogisticRegression()), kind)
        except Exception:  # noqa: S112 - which is not what this is about
            continue
        insight = insights.cross_validation(model)
        assert insight.text.startswith(
            "Trained 16 times on different parts of the data (and 4 more times without success)"
        )
        assert insight.frame["accuracy"].count() == 16
        insight.plot()
        return
    pytest.fail("neither trained")


def test_too_few_rows_for_catboost_are_left_out() -> None:
    model = train_on(
        numbers().head(30).assign(y=["rare"] * 2 + ["usual"] * 28),
        import_booster("catboost").CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False),
    )
    assert "With 24 training rows" in insights.learning_curve(model).text
    assert "more times without success" in insights.cross_validation(model).text


@pytest.mark.filterwarnings("ignore:R.2 score")  # of the one row that is held out of three
def test_few_rows_of_numbers_have_an_r2_each_or_none() -> None:
    data = numbers().assign(y=range(200))
    assert "nan" not in insights.cross_validation(train_on(data.head(8), LinearRegression())).text
    with pytest.raises(NotApplicableError, match="too few rows"):
        insights.cross_validation(train_on(data.head(3), LinearRegression()))


def test_calibration_is_of_the_predictions() -> None:
    data = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 4, 30]].set_axis([*"abc", "y"], axis=1)
    shy = FixedThresholdClassifier(make_pipeline(StandardScaler(), LogisticRegression()), threshold=0.95)
    model = train_on(data, shy)
    share = (model.evaluation.y_true == model.evaluation.y_pred).mean()
    assert f"{share:.0%} of them were right" in insights.calibration(model).text
    insights.calibration(model).plot()


def test_a_class_that_no_held_out_row_has_is_not_the_worst() -> None:
    data = pd.DataFrame({"a": [0, *[5] * 10, *[9] * 10]}).assign(y=["one", *["few"] * 10, *["more"] * 10])
    model = train_on(data, DecisionTreeClassifier())
    assert "one" not in model.evaluation.y_true
    assert insights.class_metrics(model).text.startswith("It found 100% of the test rows of each class.")


def test_importances_of_a_feature_that_is_constant_in_the_background() -> None:
    data = numbers(rare=0.0).head(40)
    data["y"] = data["a"] > 0
    data.loc[data.index % 10 == 0, "rare"] = 1.0
    model = train_on(data.assign(y=data["y"] ^ (data["rare"] > 0)), RandomForestClassifier(10, random_state=0))
    assert insights.feature_importances(model).frame["importance"].sum() == pytest.approx(1)
    scaled = make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0))
    insight = insights.feature_importances(train_on(data.assign(y=data["y"] ^ (data["rare"] > 0)), scaled)).frame
    assert insight["importance"].sum() == pytest.approx(1)


def test_as_many_residuals_are_within_the_range_as_stated() -> None:
    data = numbers().head(60)
    model = train_on(data.assign(y=data["a"]), Ridge(alpha=100))
    insight = insights.residuals(model)
    errors = insight.frame.iloc[:, 1].abs()
    limit = float(re.search(r"At least 90% of the 12 test rows .* no more than ([\d.e-]+) ", insight.text)[1])
    assert (errors <= limit * 1.01).mean() >= 0.9


@pytest.mark.parametrize(
    ("feature", "lowest", "highest"),
    [
        (Feature("a", "integer", low=1, step=100), 1, 100_000),
        (Feature("a", low=0, closed="right", step=0.5), 0.03, 3),
        (Feature("a", high=2.9, step=0.7), 0, 2.9),
        (Feature("a"), 1e-13, 9e-13),
    ],
)
def test_values_that_are_tried_are_those_of_the_data(feature: Feature, lowest: float, highest: float) -> None:
    column = np.linspace(lowest, highest, 300)
    data = pd.DataFrame({"a": column.round() if feature.kind == "integer" else column})
    data["y"] = np.log(data["a"].rank())
    model = train_on(data, make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=3)), feature)
    row = {"a": data["a"][160]}
    tried = insights.what_if(model, row).frame
    entries = tried["entry"].astype(float)
    low, high = model.coverage["a"].values()
    assert low * (1 - 1e-9) <= entries.min() < low + 0.1 * (high - low)
    assert high * (1 + 1e-9) >= entries.max() > high - 0.1 * (high - low)
    assert tried["y"].nunique() > 3
    assert np.ptp(insights.partial_dependence(model).frame["mean y"]) > 1
    tree = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=3))
    classes = train_on(data.assign(y=data["y"] > 5), tree, feature)
    assert "with A " in insights.smallest_changes(classes, row).text


@pytest.mark.parametrize("closed", ["both", "right"])
def test_limits_of_a_model_without_rows_are_not_all_values(closed: str) -> None:
    data = numbers().abs().clip(0.1, 9)
    features = [Feature(name, low=0, high=10, closed=closed) for name in "ab"]
    model = irislib.Model.from_estimator(Ridge().fit(data, data["a"]), features=features)
    entries = insights.what_if(model, {"a": 1, "b": 2}).frame["entry"].astype(float)
    assert (entries.min() == 0) == (closed == "both")
    assert entries.max() == 10


@pytest.mark.parametrize(
    "target", ["name", "feature", "value", "entry", "is_choice", "is_entered", "answer", "from", "to", "row", "error"]
)
def test_a_target_may_be_called_as_a_column_of_an_insight(target: str) -> None:
    data = numbers().assign(**{target: numbers()["a"]})
    spec = irislib.ModelSpec("odd", [Feature("a"), Feature("b")], target, lambda: data, LinearRegression())
    row = {"a": 0.25, "b": 1}
    for unit in ("", "m"):
        model = irislib.train(replace(spec, target_unit=unit))
        tried = insights.what_if(model, row)
        own = tried.frame[tried.frame["is_entered"]]
        assert own["name"].tolist() == ["a", "b"]
        assert own["entry"].astype(float).tolist() == [0.25, 1]
        assert own.iloc[:, -2].tolist() == pytest.approx([0.25, 0.25])
        tried.plot()
        interval = insights.prediction_set(model, row)
        low, high = interval.frame.iloc[0, 1:]
        assert low < interval.frame.iloc[0, 0] < high
        interval.plot()
    of_classes = replace(spec, target="in the set", load_data=lambda: numbers().assign(**{"in the set": data["a"] > 0}))
    frame = insights.prediction_set(irislib.train(replace(of_classes, estimator=LogisticRegression())), row).frame
    assert frame["in the set"].tolist() == ["yes", "no"]
    assert frame["class"].tolist() == [True, False]


class Dtypes(RegressorMixin, BaseEstimator):
    """An estimator that notes the dtypes of the frames that it gets."""

    seen: ClassVar[set[tuple[str, ...]]] = set()

    def fit(self, rows: pd.DataFrame, target: np.ndarray) -> Dtypes:
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.seen.add(tuple(map(str, rows.dtypes)))
        return rows["a"].to_numpy() + (rows["kind"] == "x")


def test_estimators_get_text_in_the_dtype_that_they_were_trained_with() -> None:
    data = numbers(kind=[*"xy"] * 100)[["a", "kind"]]
    model = train_on(data.assign(y=data["a"]), Dtypes(), Feature("kind", "choice", choices=["x", "y"]))
    for insight in (insights.what_if, insights.contributions):
        insight(model, {"a": 1, "kind": "x"})
    for insight in (insights.partial_dependence, insights.permutation_importance):
        insight(model)
    assert Dtypes.seen == {("float64", "object")}


class Choosy(ClassifierMixin, BaseEstimator):
    """A classifier that refuses rows with a large sum."""

    def fit(self, rows: pd.DataFrame, target: np.ndarray) -> Choosy:
        self.classes_, self.n_features_in_ = np.unique(target), rows.shape[1]
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        if (rows["a"] + rows["b"] > 1.5).any():
            raise ValueError("a and b are too large")
        share = 0.5 + np.tanh(rows["a"].to_numpy() - 0.3) / 2
        return np.column_stack([1 - share, share])

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.classes_.take(self.predict_proba(rows).argmax(axis=1))


def test_values_that_an_estimator_refuses_are_left_out() -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"a": rng.uniform(0, 1, 600), "b": rng.uniform(0, 1, 600)})
    data = data[data.sum(axis=1) < 1.4].assign(y=lambda rows: rows["a"] > 0.3)
    model, row = train_on(data, Choosy()), {"a": 0.2, "b": 0.9}
    points = insights.what_if(model, row).frame.groupby("name")["entry"].agg(lambda texts: texts.astype(float).max())
    assert 0.55 < points["a"] <= 0.6  # 0.9 and more than that are refused
    assert points["b"] > 0.9
    assert insights.partial_dependence(model).frame["probability"].notna().all()
    text = insights.smallest_changes(model, row).text
    assert text.startswith("It would be True instead of False with A 0.3")
    for insight in (partial(insights.contributions, row=row), insights.permutation_importance):
        with pytest.raises(NotApplicableError, match="rows that are mixed of several others, and Odd gives no answer"):
            insight(model)


class Strict(Choosy):
    """A classifier that refuses each row that is unlike those it was fitted on."""

    calls: ClassVar[int] = 0

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        Strict.calls += 1
        if (abs(rows["a"] + rows["b"] - 1) > 1e-9).any():
            raise ValueError("a and b are parts of a whole")
        return super().predict_proba(rows)


@pytest.mark.parametrize("seconds", [0, 60])
def test_where_an_estimator_refuses_each_change_it_is_not_asked_without_end(seconds: float) -> None:
    data = pd.DataFrame({"a": np.linspace(0, 1, 300)}).assign(b=lambda rows: 1 - rows["a"])
    model, row = train_on(data.assign(y=data["a"] > 0.3), Strict()), {"a": 0.25, "b": 0.75}
    for insight in (partial(insights.what_if, row=row), insights.partial_dependence):
        Strict.calls = 0
        with pytest.raises(NotApplicableError, match="rows that are mixed of several others"):
            insight(model, seconds=seconds)
        assert (Strict.calls < 10) is (seconds == 0)


class Counted(Choosy):
    """A classifier of which each call takes a second."""

    seconds: ClassVar[int] = 0

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        Counted.seconds += 1
        return super().predict_proba(rows)


def test_values_that_were_not_tried_for_want_of_time_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"a": rng.uniform(0, 1, 600), "b": rng.uniform(0, 1, 600)})
    data = data[data.sum(axis=1) < 1.4].assign(
        c=lambda rows: rng.permutation(rows["a"]), y=lambda rows: rows["a"] > 0.3
    )
    model = train_on(data, Counted())
    monkeypatch.setattr("irislib.insights._time_budget.clock", lambda: Counted.seconds)
    assert "There was time for 1 of 3 inputs" in insights.partial_dependence(model, seconds=40).text


def test_a_fault_of_the_contributions_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    data = numbers()
    model = train_on(data.assign(y=data["a"]), Ridge())
    monkeypatch.setattr("irislib.insights._shapley.mix_rows", Mock(side_effect=ValueError("a fault")))
    with pytest.raises(ValueError, match="a fault"):
        insights.contributions(model, {"a": 1, "b": 1})


def test_an_error_of_a_module_is_a_refusal_by_its_estimator() -> None:
    for module in ("__main__", "_own", "own"):
        part = type("Own", (Choosy,), {"__module__": module})()
        error = type("OwnError", (Exception,), {"__module__": module})()
        assert is_refusal(part, error)
    assert not is_refusal(part, KeyError("a"))


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_limits_that_an_estimator_refuses_are_left_out() -> None:
    data = numbers().abs().clip(0.1, 9)
    estimator = make_pipeline(FunctionTransformer(np.log), Ridge()).fit(data, data["a"])
    features = [Feature(name, low=0, high=10) for name in "ab"]
    model = irislib.Model.from_estimator(estimator, features=features)
    entries = insights.what_if(model, {"a": 1, "b": 2}).frame["entry"].astype(float)
    assert 0 < entries.min() < 0.5
    assert entries.max() == 10


def test_the_typical_choice_is_one_of_them() -> None:
    data = numbers(region=[1, 9, 1, 9, 9] * 40)[["a", "region"]]
    region = Feature("region", "choice", choices=[1, 5, 9], dtype="int64")
    model = train_on(data.assign(y=data["region"] + data["a"]), DecisionTreeRegressor(), region)
    model = replace(model, evaluation=replace(model.evaluation, features=data.head(2)))  # 5 is in the middle
    frame = insights.contributions(model, {"a": 0, "region": 9}).frame.set_index("feature")
    assert frame.loc["Region", "typical"] == "1"


def test_sentences_tell_numbers_apart_that_differ_in_their_last_digits() -> None:
    data = numbers()
    spec = irislib.ModelSpec(
        name="air",
        features=[Feature("a"), Feature("b")],
        target="pressure",
        load_data=lambda: data.assign(pressure=1013 + 0.03 * data["a"] + 0.001 * data["b"]),
        estimator=DecisionTreeRegressor(max_depth=3),
        target_unit="hPa",
    )
    model, row = irislib.train(spec), {"a": 1.1, "b": 0}
    sentences = {
        "answer": (str(model.predict_row(row)), r"Pressure: (\S+) hPa, likely (\S+) to (\S+)"),
        "set": (insights.prediction_set(model, row).text, r"likely (\S+) to (\S+) hPa"),
        "what if": (insights.what_if(model, row).text, r"it would be (\S+) hPa, at .* (\S+) hPa"),
        "dependence": (insights.partial_dependence(model).text, r"goes from (\S+) hPa to (\S+) hPa"),
        "contributions": (insights.contributions(model, row).text, r"^(\S+) hPa \(on average (\S+) hPa\)"),
    }
    for text, pattern in sentences.values():
        found = re.search(pattern, text).groups()
        assert len(set(found)) == len(found), text
        assert all(1012 < float(number) < 1014 for number in found), text
    answers = insights.what_if(model, row).frame
    assert answers[answers["name"] == "a"]["answer"].nunique() > 4


@pytest.mark.parametrize(
    ("bases", "keeps_classes", "message"),
    [
        ((ClassifierMixin, BaseEstimator), False, "Halves is a classifier without classes_; set them in its fit"),
        ((BaseEstimator,), True, "Halves has classes_ and does not say that it is a classifier; derive it from"),
    ],
)
def test_half_a_classifier_is_refused_with_a_sentence(bases: tuple[type, ...], keeps_classes: bool, message) -> None:
    def fit(self: Any, rows: pd.DataFrame, target: np.ndarray) -> Any:
        self.fitted_ = True
        if keeps_classes:
            self.classes_ = np.unique(target)
        return self

    halves = type("Halves", bases, {"fit": fit, "predict": lambda self, rows: (rows["a"] > 0).to_numpy(dtype=int)})
    data = numbers()
    target = (data["a"] > 0).astype(int)
    with pytest.raises(SpecError, match=message):
        train_on(data.assign(y=target), halves())
    with pytest.raises(SpecError, match=message):
        irislib.Model.from_estimator(halves().fit(data, target), data, target, target="y")


def test_sentences_do_not_round_a_difference_away() -> None:
    data = numbers()
    model = train_on(data.assign(y=data["a"] > 0), LogisticRegression())
    measured = {"mean": [0.0034, 0.0], "spread": [0.0, 0.0]}
    assert "falls by 0.003. " in insights.permutation_importance._make_insight(model, measured).text
    held_out = replace(
        model.evaluation,
        features=data[["a", "b"]].head(3),
        y_true=np.array([False, True, True]),
        y_pred=np.array([False, False, True]),
        y_proba=np.array([[0.7, 0.3], [0.503, 0.497], [0.2, 0.8]]),
    )
    text = insights.decision_threshold(replace(model, evaluation=held_out)).text
    assert "It answers True from a probability of 50.0%" in text
    assert "49.7% would be cheapest" in text


def test_the_cheapest_threshold_may_be_one_that_nothing_reaches() -> None:
    data = numbers()
    model = train_on(data.assign(y=data["a"] > 0), LogisticRegression())
    held_out = replace(
        model.evaluation,
        features=data[["a", "b"]].head(3),
        y_true=np.array([False, True, False]),
        y_pred=np.array([False, False, True]),
        y_proba=np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]]),
    )
    insight = insights.decision_threshold(replace(model, evaluation=held_out), cost_false_alarm=10)
    assert "0.1 times as much as a false alarm, 90% would be cheapest" in insight.text
    assert insight.frame.iloc[-1][["true positives", "false positives", "cost"]].tolist() == [0, 0, 1]


class Rounded(LinearRegression):
    """A regressor whose predictions are numbers of 8 bits without a sign."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return super().predict(rows).round().clip(0, 255).astype("uint8")


def test_errors_of_small_whole_numbers_have_a_sign() -> None:
    data = numbers()
    model = train_on(data.assign(y=(100 + 20 * data["a"] + 5 * data["b"]).astype("uint8")), Rounded())
    errors = insights.residuals(model).frame["true less predicted"]
    assert -3 < errors.min() < 0 < errors.max() + 1 < 3
    assert model.evaluation.metrics["mean_absolute_error"] == pytest.approx(errors.abs().mean())
    assert model.evaluation.metrics["r2"] > 0.9
    assert model.evaluation.interval_width < 3
