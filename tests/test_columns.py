"""Columns whose names are no identifiers, and the dtypes in which values arrive at the estimator."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import irislib
from irislib import Feature, Model, ModelSpec, insights
from irislib._description.plain_rows import PlainRows
from irislib._description.validation import check_columns, check_row, check_values, with_own_dtypes
from irislib._modeling import store
from irislib._prediction_log.records import ModelRecords
from irislib.api import create_app
from irislib.errors import DataError, SpecError, ValidationError
from irislib.insights._registry import insight_entries

DECOMPOSED = "Gro\u0308ße"
ROW = {"alcohol": 13, "groesse": 2, "od": 3}
OWN = {"alcohol (%)": 13, "Größe": 2, "od280/od315": 3}
SPELLINGS = [ROW, OWN, {"alcohol (%)": 13, DECOMPOSED: 2, "od": 3}]


def load_data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal([13, 2, 3], size=(150, 3)), columns=["alcohol (%)", DECOMPOSED, "od280/od315"])
    data["class"] = np.where(data["alcohol (%)"] > 13, "strong", "light")
    return data


@pytest.fixture(scope="module")
def wine():
    features = [
        Feature("alcohol", column="alcohol (%)"),
        Feature("groesse", column="Größe"),
        Feature("od", column="od280/od315"),
    ]
    return irislib.train(ModelSpec("wine", features, "class", load_data, RandomForestClassifier(20)))


@pytest.mark.parametrize("row", SPELLINGS, ids=["names", "columns", "mixed"])
def test_a_row_has_names_or_columns(wine, row) -> None:
    assert list(wine.estimator.feature_names_in_) == list(OWN)
    expected = wine.predict_row(ROW)
    for form in (row, pd.Series(row), pd.DataFrame([row]), [row]):
        assert wine.predict_row(form).probabilities == expected.probabilities
    assert wine.predict(pd.DataFrame([row, row])).tolist() == [expected.prediction] * 2


def test_every_door_takes_either(wine, tmp_path) -> None:
    client = create_app([wine]).test_client()
    expected = client.post("/wine", json=ROW).json
    by_column = {column: [value] for column, value in OWN.items()}
    table = f"alcohol (%),{DECOMPOSED},od280/od315\n13,2,3\n".encode()
    assert client.post("/wine", json=OWN).json == expected
    assert client.post("/wine", data=OWN).json == expected
    assert client.post("/wine/batch", json=[OWN]).json[0]["prediction"] == expected
    assert client.post("/wine/batch", json=by_column).json["prediction"] == [expected]
    assert expected in client.post("/wine/batch", data=table, content_type="text/csv").text
    assert client.get("/wine/schema").json["properties"]["groesse"]["x-column"] == "Größe"
    store.save(wine, tmp_path)
    assert store.read(wine.spec, tmp_path).predict_row(OWN).probabilities == wine.predict_row(ROW).probabilities
    for entry in insight_entries(insights.default_tabs(wine).items()).values():
        assert (entry.function(wine, OWN) if entry.needs_row else entry.function(wine)).text


def test_a_value_given_by_name_and_by_column_is_an_error(wine) -> None:
    for rows in ({**ROW, **OWN}, [{**ROW, **OWN}], pd.DataFrame([{**ROW, **OWN}])):
        with pytest.raises(ValidationError) as error:
            wine.predict(rows)
        assert {problem.feature for problem in error.value.problems} == set(ROW)
    client = create_app([wine]).test_client()
    by_column = {name: [1] for name in (*ROW, *OWN)}
    for body in ({**ROW, **OWN}, by_column):
        assert client.post("/wine/batch" if body is by_column else "/wine", json=body).status_code == 422


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([Feature("a", column="x"), Feature("b", column="x")], "'x': two features have this column."),
        ([Feature("a", column=DECOMPOSED), Feature("b", column="Größe")], "two features have this column"),
        ([Feature("a", column="b"), Feature("b", column="c")], "its column 'b' is the name of another feature"),
        ([Feature("a", column="t")], "'t' is also a feature"),
        ([Feature("a", dtype="no dtype")], "dtype must be one of pandas' dtypes"),
        ([Feature("a", dtype="int32", required=False)], "has no missing values"),
        ([Feature("a", dtype="int32")], "a: a column of int32 has no decimals; use kind='integer'"),
        (
            [Feature("a", "integer", high=300, dtype="uint8")],
            "a: high must be at most 255, the most uint8 can hold, got 3",
        ),
        (
            [Feature("a", "integer", low=-300, dtype="Int8")],
            "a: low must be at least -128, the least Int8 can hold, got -3",
        ),
        ([Feature("a", "date", low="1600-01-01", dtype="datetime64[ns]")], "a: low must be at least 1677-09-22"),
        (
            [Feature("a", "choice", choices=[1, 300], dtype="uint8")],
            "a: a column of uint8 cannot hold the choices 300.",
        ),
    ],
)
def test_a_faulty_column_is_refused_at_once(features, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        ModelSpec("m", features, "t", load_data, RandomForestClassifier())


def test_a_missing_column_is_named_as_the_data_have_it(wine) -> None:
    with pytest.raises(DataError, match="lack the columns od280/od315"):
        irislib.train(wine.spec, load_data().drop(columns="od280/od315"))


def test_values_arrive_in_the_dtype_of_the_description() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"c": rng.choice(["x", "y", "z"], 200), "v": rng.random(200)})
    data["t"] = np.where((data.c == "x") & (data.v > 0.5), "yes", "no")
    data.loc[rng.random(200) < 0.1, "c"] = None
    features = [
        Feature("c", "choice", choices=["z", "y", "x"], dtype="category", required=False),
        Feature("v", dtype="float32"),
    ]
    estimator = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=20)
    model = irislib.train(ModelSpec("m", features, "t", lambda: data, estimator))
    row = {"c": "x", "v": 0.9}
    for frame in (model.evaluation.features, model.predict_row(row).frame, model.spec.validate([row, {"v": 1}])):
        assert list(frame["c"].cat.categories) == ["z", "y", "x"]
        assert frame["v"].dtype == "float32"
    assert model.predict_row(row).prediction == model.predict([row, row])[0] == "yes"
    for entry in insight_entries(insights.default_tabs(model).items()).values():
        assert (entry.function(model, row) if entry.needs_row else entry.function(model)).text


# kind, dtype, values that the dtype can hold, those that it cannot, and what a value must be
NARROW = [
    ("integer", "uint8", [0, 255], [-1, 256, 300], "at least 0 and at most 255"),
    ("integer", "int16", [-32768, 32767], [-32769, 40000], "at least -32768 and at most 32767"),
    ("integer", "UInt32", [0, 2**32 - 1], [-1, 2**32], "at least 0 and at most 4294967295"),
    ("integer", "uint64", [0, 2**40], [-1], "at least 0"),
    ("number", "float16", [-65504, 65504], [65505, 1e9], "at least -65504 and at most 65504"),
    ("number", "float32", [3.4028234663852886e38], [3.5e38, -1e300], "at least -3.40282346639e+38 and at most 3.4028"),
    ("date", "datetime64[ns]", ["1677-09-22", "2262-04-11"], ["1600-01-01", "2262-04-12"], "at least 1677-09-22 and"),
    ("integer", "int64", [-(2**60), 2**52], [], ""),
]


@pytest.mark.parametrize(("kind", "dtype", "good", "bad", "limits"), NARROW, ids=[case[1] for case in NARROW])
def test_a_value_that_a_dtype_cannot_hold_is_refused(kind: str, dtype: str, good: list, bad: list, limits: str) -> None:
    feature = Feature("x", kind, dtype=dtype)
    assert not feature.faults()
    assert feature.type.hint(feature) == feature.limits == ""  # the form does not show them
    schema, plain = Draft202012Validator(feature.type.json_schema(feature)), PlainRows([feature])
    frame, problems = check_columns([feature], {"x": good}, len(good))
    assert not problems
    assert frame["x"].dtype == dtype
    for value, column_value in zip(good, frame["x"], strict=True):
        held = check_row([feature], {"x": value})[0]["x"]
        assert held == (column_value.date() if kind == "date" else column_value)
        assert schema.is_valid(value)
        assert plain.values({"x": value}) in ([held], None)
    _, column_problems = check_columns([feature], {"x": bad}, len(bad))
    assert [problem.row for problem in column_problems] == [*range(len(bad))]
    for value, column_problem in zip(bad, column_problems, strict=True):
        assert f"x must be {limits}" in column_problem.message
        assert [problem.message for problem in check_row([feature], {"x": value})[1]] == [column_problem.message]
        assert not schema.is_valid(value)
        assert plain.values({"x": value}) is None or kind == "date"
        assert plain.form_values(f"x={value}".encode()) is None or kind == "date"
    own = Feature("x", kind, low=good[0], closed="right", dtype=dtype)
    assert own.bounds[2] == "right"
    assert check_row([own], {"x": good[0]})[1]
    assert not check_row([own], {"x": good[-1]})[1] or len(good) == 1


def test_a_column_of_an_estimators_own_dtype_has_its_limits() -> None:
    data = pd.DataFrame({"n": np.random.default_rng(0).integers(0, 200, 60).astype("uint8")})
    twice = (data.n * 2.0).to_numpy()
    model = Model.from_estimator(LinearRegression().fit(data, twice), data, twice, name="m")
    client = create_app([model]).test_client()
    assert client.post("/m", json={"n": 250}).json == pytest.approx(500)
    assert client.post("/m", json={"n": 300}).json["detail"] == "n must be at least 0 and at most 255, got 300."
    rows = client.post("/m/batch", json=[{"n": 250}, {"n": 300}, {"n": -1}]).json
    assert [row["prediction"] is None for row in rows] == [False, True, True]
    assert client.get("/m/schema").json["properties"]["n"]["maximum"] == 255
    whole = pd.DataFrame({"n": np.arange(60, dtype="int8")})
    target = np.arange(60.0)
    linear = LinearRegression().fit(whole, target)
    mixed = Model.from_estimator(linear, whole, target, name="m", X_train=whole + 0.5, y_train=target)
    assert mixed.predict([{"n": 1.5}, {"n": 1.5}])[0] == pytest.approx(mixed.predict_row({"n": 1.5}).prediction)
    assert mixed.predict_row({"n": 1.5}).prediction == pytest.approx(1.5)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_value_at_the_end_of_the_training_data_is_within_them(dtype: str) -> None:
    data = pd.DataFrame({"w": np.linspace(0.1, 5, 99).astype(dtype), "n": np.arange(99)})
    target = data.w.to_numpy().astype(float)
    model = Model.from_estimator(LinearRegression().fit(data, target), data, target, name="m")
    client = create_app([model]).test_client()
    for row, is_outside in (({"w": 0.1, "n": 5}, False), ({"w": 0.09, "n": 5}, True), ({"w": 5, "n": 90}, False)):
        alone = client.post("/m?details=1", json=row).json
        beside_a_bad_one = client.post("/m/batch", json=[row, {"w": "x", "n": 1}]).json[0]
        for answer in (alone, client.post("/m/batch", json=[row]).json[0], beside_a_bad_one):
            assert [warning["feature"] == "w" for warning in answer["warnings"]].count(True) == is_outside
        assert beside_a_bad_one["prediction"] == pytest.approx(alone["prediction"], rel=1e-12)
        records = ModelRecords(model)
        entry = records.entry("json", "id", [row["w"], row["n"]], alone["prediction"], None)
        assert ("outside" in records.warning_kinds([entry])[0]) is is_outside
        assert json.loads(records.lines([entry]))["inputs"] == row


def test_good_rows_beside_a_bad_one_have_their_dtypes() -> None:
    features = [
        Feature("f", dtype="float32"),
        Feature("i", "integer"),
        Feature("b", "boolean"),
        Feature("c", "choice", choices=["x", "y"], dtype="category"),
        Feature("o", "integer", required=False),
        Feature("d", "date", dtype="datetime64[ns]"),
    ]
    good = {"f": 0.1, "i": 3, "b": True, "c": "y", "o": 1, "d": "2020-01-31"}
    bad = {"f": "?", "i": "?", "b": "?", "c": "?", "o": "?", "d": "?"}
    alone, beside = check_values(features, [good])[0], check_values(features, [good, bad])[0]
    pd.testing.assert_frame_equal(with_own_dtypes(features, beside.head(1)), alone)
    assert with_own_dtypes(features, check_values(features, [], 0)[0]).empty  # where no row is an object


SCALED = {
    "one step": (make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)), "float32"),
    "in a part": (
        VotingClassifier([("t", make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0)))]),
        "float32",
    ),
    "of some columns": (
        make_pipeline(make_column_transformer((StandardScaler(), ["a", "b"])), DecisionTreeClassifier(random_state=0)),
        "float32",
    ),
    "no step": (DecisionTreeClassifier(random_state=0), "float16"),
}


@pytest.mark.filterwarnings("ignore::irislib.errors.OutsideTrainingDataWarning")
@pytest.mark.parametrize(("estimator", "dtype"), SCALED.values(), ids=[*SCALED])
def test_one_row_of_single_or_half_precision_is_answered_as_scikit_learn_does(estimator, dtype: str) -> None:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"a": rng.integers(0, 40, 400) * 0.2, "b": rng.integers(0, 60, 400) * 2.0})
    if dtype == "float16":
        data["b"] += 2000  # beyond 2048 a step of 1 is lost
    target = data.a * 3 + data.b / 7 + rng.normal(size=400) > data.eval("a * 3 + b / 7").median()
    data = data.astype(dtype)
    model = Model.from_estimator(clone(estimator).fit(data, target), data, target.to_numpy(), name="m")
    between = np.array(np.meshgrid(np.arange(39) * 0.2 + 0.1, np.arange(20) * 6 + 1.0)).reshape(2, -1).round(1).T
    rows = pd.DataFrame(between, columns=["a", "b"])
    rows["b"] += 2000 if dtype == "float16" else 0
    values = np.array([model.predict_values(row)[0] for row in rows.to_numpy().tolist()])
    assert (values != model.estimator.predict(rows.astype(dtype))).sum() == 0
    assert (values != model.predict(rows)).sum() == 0
