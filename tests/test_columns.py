"""Columns whose names are no identifiers, and the dtypes in which values arrive at the estimator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

import irislib
from irislib import Feature, ModelSpec, insights
from irislib._modeling import store
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
