"""Training is reproducible, honest about held-out rows, and columns never get mixed up."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from invalid_inputs import GOOD
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_info, threadpool_limits

import irislib
from irislib._compiled import one_row_frame
from irislib._description.validation import check_columns, check_row
from irislib._modeling.prediction import Prediction
from irislib.errors import DataError, NotApplicableError, OutsideTrainingDataWarning, SpecError, ValidationError


def test_a_virginica_of_four_different_values(iris) -> None:
    assert iris.predict(GOOD).tolist() == ["virginica"]
    assert iris.predict(dict(reversed(GOOD.items()))).tolist() == ["virginica"]


def test_all_flowers_one_by_one_and_together(iris, flowers) -> None:
    together = iris.estimator.predict(pd.DataFrame(flowers)[iris.spec.feature_names])
    assert (iris.predict(flowers) == together).all()
    assert [iris.predict_row(flower).prediction for flower in flowers] == together.tolist()
    truth = iris.spec.load_data()["species"]
    assert (together == truth).mean() > 0.97


def test_training_again_gives_the_same_model(iris) -> None:
    again = irislib.train(iris.spec)
    assert again is not iris
    assert again.version == iris.version
    assert again.evaluation.metrics == iris.evaluation.metrics
    np.testing.assert_array_equal(again.predict_proba(GOOD), iris.predict_proba(GOOD))


def test_other_data_or_another_spec_is_another_version(iris) -> None:
    data = iris.spec.load_data()
    assert irislib.train(iris.spec, data.iloc[::-1]).version != iris.version
    assert irislib.train(replace(iris.spec, random_state=1)).version != iris.version


def test_the_model_that_predicts_is_the_one_that_was_measured(iris) -> None:
    held_out = iris.evaluation
    assert len(held_out.features) == 30
    assert iris.data["training_rows"] == 120
    np.testing.assert_array_equal(iris.estimator.predict(held_out.features), held_out.y_pred)
    assert held_out.metrics["accuracy"] == (held_out.y_true == held_out.y_pred).mean() > 0.9
    memory = irislib.train(replace(iris.spec, estimator=KNeighborsClassifier(1)))
    assert memory.estimator.n_samples_fit_ == 120
    assert memory.evaluation.metrics["accuracy"] < 1  # it would be 1, had it seen the held-out rows
    assert pd.Series(held_out.y_true).value_counts().tolist() == [10, 10, 10]


def test_the_library_takes_any_number_of_rows(iris) -> None:
    model = replace(iris, spec=replace(iris.spec, max_rows=10))
    rows = iris.spec.load_data()[iris.spec.feature_names]
    assert model.predict(rows).tolist() == iris.predict(rows).tolist()
    assert len(model.predict_proba(rows)) == len(model.spec.validate(rows.to_dict("records"))) == 150
    with pytest.raises(ValidationError, match=re.escape("At most 10 rows at once, got 150.")):
        model.spec.validate(rows, max_rows=10)
    with pytest.raises(ValidationError, match=re.escape("At most 0 rows at once, got 150.")):
        model.spec.validate(rows, max_rows=0)


class OpenMPThreads(ClassifierMixin, BaseEstimator):
    """Takes note of how many threads it may use."""

    def fit(self, x: pd.DataFrame, y: np.ndarray) -> OpenMPThreads:
        self.classes_, self.threads_ = np.unique(y), openmp_threads()
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        return np.repeat(self.classes_[:1], len(x))


def openmp_threads() -> int:
    return min(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp")


@pytest.mark.parametrize(("load", "threads"), [(0.2, 8), (2.9, 5), (7.9, 1), (30, 1)])
def test_training_takes_the_cores_that_are_idle(iris, monkeypatch, load: float, threads: int) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    with threadpool_limits(8, user_api="openmp"):
        model = irislib.train(replace(iris.spec, estimator=OpenMPThreads()))
        assert openmp_threads() == 8
    assert model.estimator.threads_ == threads


def test_training_takes_no_more_threads_than_it_may(iris, monkeypatch) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    with threadpool_limits(1, user_api="openmp"):
        assert irislib.train(replace(iris.spec, estimator=OpenMPThreads())).estimator.threads_ == 1


def test_a_prediction_beyond_the_training_data_has_a_warning(iris) -> None:
    ones = dict.fromkeys(iris.spec.feature_names, 1)
    with pytest.warns(OutsideTrainingDataWarning, match="sepal_length_cm is 1, but the model was trained on"):
        assert iris.predict(ones)[0] in iris.classes
    warnings_of_row = iris.predict_row(ones).warnings
    assert [w.feature for w in warnings_of_row] == ["sepal_length_cm", "sepal_width_cm", None]
    assert re.fullmatch(r"It is nearly a tie between \w+ \(\d\d%\) and \w+ \(\d\d%\)\.", warnings_of_row[2].message)
    assert iris.predict_row(GOOD).warnings == []


def test_a_prediction_is_plain_data(iris, rent) -> None:
    answer = iris.predict_row(GOOD)
    assert type(answer.prediction) is str
    assert list(answer.probabilities) == iris.classes
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    flat = rent.predict_row(rent.spec.examples["A small flat"])
    assert type(flat.prediction) is float
    assert (flat.probabilities, flat.unit) == (None, "EUR")
    assert str(flat).startswith(f"Rent: {flat.prediction:.3g} EUR, likely ")


def test_a_quite_different_model(rent) -> None:
    assert rent.evaluation.metrics["r2"] > 0.9
    assert rent.evaluation.metrics["mean_absolute_error"] < rent.evaluation.metrics["baseline_mean_absolute_error"] / 3
    assert rent.predict({"area_m2": "40", "balcony": "no", "built": "2001-02-03"}).shape == (1,)
    warnings = rent.predict_row({"area_m2": 400, "balcony": True, "built": "1901-01-01", "rooms": None}).warnings
    assert [w.feature for w in warnings] == ["area_m2", "built"]
    with pytest.raises(NotApplicableError, match="predicts a number"):
        rent.predict_proba({"area_m2": 40, "balcony": True, "built": "2001-02-03"})


@pytest.mark.parametrize("estimator", [LogisticRegression(max_iter=500), LinearSVC()])
def test_any_classifier(iris, estimator) -> None:
    model = irislib.train(replace(iris.spec, estimator=estimator))
    assert model.predict_row(GOOD).prediction == "virginica"
    assert (model.predict_row(GOOD).probabilities is None) == isinstance(estimator, LinearSVC)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: d.drop(columns="petal_width_cm"), "lack the columns petal_width_cm; they have petal_length_cm"),
        (lambda d: d.assign(petal_width_cm=-1.0), "row 0: petal_width_cm must be above 0"),
        (lambda d: d.assign(species=d.species.where(d.index > 3)), "'species' is missing in 4 rows"),
        (lambda d: d.head(1), "have 1 rows: too few"),
        (lambda d: pd.concat([d, d.species], axis=1), "have the columns species more than once"),
        (lambda d: d.assign(species=d.species.astype(object).where(d.index > 0, 0)), "numbers or text, got int 0"),
        (lambda d: d.assign(species=pd.cut(d.petal_width_cm, 3)), "must hold numbers or text, got Interval"),
        (lambda d: d.to_numpy(), "must be a DataFrame, got ndarray"),
    ],
)
def test_data_that_do_not_fit_are_refused(iris, spoil, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        irislib.train(iris.spec, spoil(iris.spec.load_data()[[*iris.spec.feature_names, "species"]]))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "rows", [slice(0, 150, 17), [0, 1, 2, 50, 51, 52, 100], [*range(60), 100]], ids=["9", "7", "rare"]
)
def test_few_rows_and_rare_classes(iris, rows) -> None:
    model = irislib.train(iris.spec, iris.spec.load_data().iloc[rows])
    frame = irislib.insights.confusion_matrix(model).frame
    assert frame.to_numpy().sum() == len(model.evaluation.y_true)
    assert frame.to_numpy().trace() / len(model.evaluation.y_true) == model.evaluation.metrics["accuracy"]


def test_an_estimator_that_cannot_do_without_an_optional_feature_is_refused(iris) -> None:
    features = [replace(feature, required=feature.name != "petal_width_cm") for feature in iris.spec.features]
    spec = replace(iris.spec, features=features, estimator=LogisticRegression(max_iter=500))
    with pytest.raises(SpecError, match=r"petal_width_cm may be left empty .* SimpleImputer\(\)"):
        irislib.train(spec)
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=500))
    model = irislib.train(replace(spec, estimator=pipeline))
    assert model.predict_row({name: value for name, value in GOOD.items() if name != "petal_width_cm"}).prediction

    optional = replace(spec, features=[replace(feature, required=False) for feature in features])
    imputed = [name for name in spec.feature_names if name != "petal_width_cm"]
    partly = make_column_transformer((SimpleImputer(), imputed), remainder="passthrough")
    with pytest.raises(SpecError) as caught:
        irislib.train(replace(optional, estimator=make_pipeline(partly, LogisticRegression(max_iter=500))))
    assert re.findall(r"(\w+) may be left empty", str(caught.value)) == ["petal_width_cm"]
    assert irislib.train(replace(optional, estimator=pipeline)).predict_row({}).prediction


@pytest.mark.parametrize("kind", [int, bool, object])
def test_targets_of_numbers(iris, kind) -> None:
    data = iris.spec.load_data()
    model = irislib.train(iris.spec, data.assign(species=(data.species == "virginica").astype(int).astype(kind)))
    assert model.predict_row(GOOD).prediction == 1
    assert type(model.predict_row(GOOD).prediction) is (bool if kind is bool else int)


REFUSED = [
    {}, {"area_m2": "large", "x": 1}, {**GOOD, "petal_width_cm": 300, "petal_widht_cm": 1}, {"built": "1.1.2020"},
    {**GOOD, "sepal_length_cm": float("nan")}, None, 3, [], "text", [3], [GOOD, {}],
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_a_row_is_refused_with_the_messages_of_validate(row, iris, rent) -> None:
    for model in (iris, rent, irislib.train(replace(iris.spec, estimator=KNeighborsClassifier()))):
        with pytest.raises(ValidationError) as expected:
            model.spec.validate(row)
        with pytest.raises(ValidationError) as caught:
            model.predict_row(row)
        assert repr(caught.value.problems) == repr(expected.value.problems)


def test_a_frame_of_one_row_is_predicted_like_the_row(iris) -> None:
    ones = dict.fromkeys(iris.spec.feature_names, 1)
    for row in (GOOD, ones):
        assert iris.predict_row([row]) == iris.predict_row(pd.DataFrame([row])) == iris.predict_row(row)


def counted(monkeypatch, *functions) -> Counter:
    """Count the calls of functions, in whatever module of irislib they are used."""
    calls: Counter = Counter()
    for function in functions:

        def wrapper(*args, function=function, **kwargs):
            calls[function.__name__] += 1
            return function(*args, **kwargs)

        for name, module in list(sys.modules.items()):
            if name.startswith("irislib") and vars(module).get(function.__name__) is function:
                monkeypatch.setattr(module, function.__name__, wrapper)
    return calls


def test_a_click_on_the_page_checks_the_row_once_and_builds_its_frame_once(iris, monkeypatch) -> None:
    page = irislib.app(iris)
    page.warm_up()
    calls = counted(monkeypatch, check_row, check_columns, one_row_frame)
    page.reply({"method": "submit", "id": "a", "values": {name: str(value) for name, value in GOOD.items()}})
    assert calls == {"check_row": 1}
    for i in range(len(page.tabs)):
        page.reply({"method": "draw", "id": i, "tab": i})
    assert calls == {"check_row": 1, "one_row_frame": 1}


def test_a_prediction_has_the_frame_that_the_estimator_took(iris, rent) -> None:
    pd.testing.assert_frame_equal(iris.predict_row(GOOD).frame, iris.spec.validate(GOOD))
    row = {"area_m2": "40", "balcony": "no", "built": "2001-02-03"}
    for flat in (row, [row], pd.DataFrame([row]), pd.Series(row)):
        pd.testing.assert_frame_equal(rent.predict_row(flat).frame, rent.spec.validate(row))


def test_predict_row_refuses_two_rows(iris) -> None:
    for rows in ([GOOD, GOOD], pd.DataFrame([GOOD] * 2)):
        with pytest.raises(ValidationError, match=r"Expected one row, got 2\. For several, use predict\."):
            iris.predict_row(rows)


def test_a_notebook_shows_a_spec_and_a_model_as_a_table(iris, rent) -> None:
    for displayed in (iris, iris.spec):
        html = displayed._repr_html_()
        assert "<h3>Iris Wizard</h3>" in html
        assert "<td>Petal width</td><td>cm</td><td>a number above 0 and at most 30 cm</td><td>yes</td>" in html
    html = iris._repr_html_()
    assert "Predicts species: setosa, versicolor, virginica." in html
    assert f"{iris.evaluation.metrics['accuracy']:.0%} of 30 test rows are predicted correctly" in html
    assert f"Version {iris.version}, trained on {iris.trained_at[:10]} with 120 rows." in html
    html = rent._repr_html_()
    assert re.search(r"Off by [\d.]+ EUR on average for \d+ test rows", html)
    assert html.count("<tr>") == 1 + len(rent.spec.features)


def test_a_notebook_shows_names_with_markup_in_them_as_text(iris) -> None:
    script = "<script>alert(1)</script>"
    features = [replace(feature, label=f"{feature.name} {script}", unit=script) for feature in iris.spec.features]
    spec = replace(iris.spec, title=script, features=features, examples={})
    for displayed in (spec, replace(iris, spec=spec)):
        html = displayed._repr_html_()
        assert "<script" not in html
        assert html.count("&lt;script&gt;") == 1 + 3 * len(features)


def test_numbers_are_written_as_people_read_them() -> None:
    written = [str(Prediction(x, None, "EUR", [], "")) for x in (1234567.8, 236612.0, 3.14159, 0.00001234)]
    assert written == ["1234568 EUR", "236612 EUR", "3.14 EUR", "1.23e-05 EUR"]


def test_importing_irislib_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'pandas', 'sklearn', 'matplotlib', 'flask', 'voila', 'ipywidgets', 'logging', 'platformdirs'}"
    code = f"import sys, irislib; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
