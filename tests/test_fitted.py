"""A model of an estimator that was fitted elsewhere: served as it is, and described as what it is."""

from __future__ import annotations

import copy
import json
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
import pytest
import skops.io
from conftest import run_irislib
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier, StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import irislib
from irislib import Feature, Model, ModelSpec, insights
from irislib._modeling import model_record, registry, store
from irislib._modeling.model_file import join_parts, read_parts
from irislib.api import create_app
from irislib.errors import DataError, IrislibError, NotApplicableError, SpecError, StoreError, UnknownModelError
from irislib.insights._registry import insight_entries

X, Y = load_wine(as_frame=True, return_X_y=True)
X_TRAIN, X_TEST, Y_TRAIN, Y_TEST = train_test_split(X, Y, random_state=0)
WINE = irislib.infer_features(X)
TEXT_CLASSES = DecisionTreeClassifier().fit(X_TRAIN, Y_TRAIN.map({0: "a", 1: "b", 2: "c"}))


@pytest.fixture(scope="module")
def forest():
    return RandomForestClassifier(30, random_state=0).fit(X_TRAIN, Y_TRAIN)


@pytest.fixture(scope="module")
def wine(forest):
    return Model.from_estimator(forest, X_TEST, Y_TEST, name="wine", target="cultivar")


@pytest.mark.parametrize("dtype", ["Int64", "boolean"])
def test_whole_numbers_and_booleans_with_gaps_reach_the_estimator_as_missing(dtype) -> None:
    column = pd.Series(np.where(np.arange(60) % 7 == 0, np.nan, np.arange(60) % 2)).astype(dtype)
    frame = pd.DataFrame({"flag": column, "x": np.arange(60.0)})
    clf = HistGradientBoostingClassifier(max_iter=3).fit(frame, np.arange(60) % 2)
    model = Model.from_estimator(clf, frame, np.arange(60) % 2, name="gaps")
    assert not model.spec.features[0].required
    np.testing.assert_array_equal(model.predict_proba(frame), clf.predict_proba(frame))


def test_the_estimator_is_the_very_one(forest, wine) -> None:
    assert wine.estimator is forest
    assert wine.evaluation.y_true.tolist() == Y_TEST.tolist()
    np.testing.assert_array_equal(wine.predict_proba(X_TEST), forest.predict_proba(X_TEST))
    row = X_TEST.iloc[0]
    expected = forest.predict_proba(X_TEST.iloc[[0]])[0].tolist()
    assert list(wine.predict_row(row).probabilities.values()) == expected
    assert list(wine.predict_row(row.to_dict()).probabilities.values()) == expected
    assert wine.fast_form[0] is not None


def test_the_target_is_that_of_the_values(forest) -> None:
    assert Model.from_estimator(forest, X_TEST, Y_TEST, name="wine").spec.target == "target"
    assert Model.from_estimator(forest, X_TEST, Y_TEST.to_numpy(), name="wine").spec.target == "target"


@pytest.mark.parametrize("with_training_rows", [False, True])
def test_it_is_described_as_what_it_is(forest, with_training_rows: bool) -> None:
    rows = {"X_train": X_TRAIN, "y_train": Y_TRAIN} if with_training_rows else {}
    model = Model.from_estimator(forest, X_TEST, Y_TEST, name="wine", **rows)
    card = irislib.card(model)
    assert "It was fitted elsewhere" in card
    assert ("on 133 rows" in card) is with_training_rows
    assert ("Training data cover" in card) is with_training_rows
    assert ("The rows that came with it cover" in card) is not with_training_rows
    assert model.coverage["alcohol"]["low"] == (X_TRAIN if with_training_rows else X_TEST).alcohol.min()
    (warning,) = model.predict_row({**X_TEST.iloc[0], "alcohol": 99}).warnings
    assert ("trained on" in warning.message) is with_training_rows
    assert ("came with the model" in warning.message) is not with_training_rows
    assert "fitted elsewhere" in repr(model)
    assert "fitted elsewhere" in model._repr_html_()
    assert "elsewhere; evaluated on 45 rows" in str(irislib.app(model).facts["about"])


def test_insights_that_train_say_that_they_cannot(wine) -> None:
    row = X_TEST.iloc[0]
    for entry in insight_entries(insights.default_tabs(wine).items()).values():
        if entry.name in ("cross_validation", "learning_curve"):
            with pytest.raises(NotApplicableError, match="fitted elsewhere, so that it cannot be trained again"):
                entry.function(wine)
        else:
            assert (entry.function(wine, row) if entry.needs_row else entry.function(wine)).text
    client = create_app([wine]).test_client()
    assert "cannot be trained again" in client.get("/wine/insights/learning_curve").json["detail"]


def test_a_file_of_a_trained_model_cannot_be_trained_again(iris, tmp_path) -> None:
    model = irislib.load(iris.save(tmp_path / "iris.irislib"))
    model = replace(model, version="nowhere stored")
    for insight in (insights.cross_validation, insights.learning_curve):
        with pytest.raises(NotApplicableError, match="came in a file, without the function that loads its data"):
            insight(model)


def test_the_endpoint_answers(wine) -> None:
    client = create_app([wine]).test_client()
    row = X_TEST.iloc[0].to_dict()
    assert client.post("/wine", json=row).json == int(Y_TEST.iloc[0])
    assert client.post("/wine/batch", json=[row]).json[0]["prediction"] == int(Y_TEST.iloc[0])
    for path in ("/docs", "/openapi.json", "/wine/schema", "/wine/card"):
        assert client.get(path).status_code == 200
    assert "fitted elsewhere" in client.get("/docs").text


def test_arrays_have_no_names_and_no_warnings() -> None:
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_TRAIN.to_numpy(), Y_TRAIN.to_numpy())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = Model.from_estimator(estimator, X_TEST.to_numpy(), Y_TEST.to_numpy(), name="wine")
        assert model.spec.feature_names[:2] == ["x0", "x1"]
        assert model.predict(X_TEST.set_axis(model.spec.columns, axis=1)).tolist() == estimator.predict(X_TEST).tolist()
    assert not [warning for warning in caught if "feature names" in str(warning.message) and "x0" in str(warning)]


def test_columns_keep_their_names_and_dtypes() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "Größe (cm)": rng.normal(170, 10, 200).astype("float32"),
            "flag": rng.integers(0, 2, 200),
            "class": pd.Categorical(rng.choice(["z", "a"], 200), categories=["z", "a"]),
        }
    )
    target = np.where((table["class"] == "z") & (table.flag == 1), "yes", "no")
    estimator = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=10).fit(table, target)
    model = Model.from_estimator(estimator, table, target, name="people")
    assert model.evaluation.features.columns.tolist() == table.columns.tolist()
    assert model.evaluation.features["class"].cat.categories.tolist() == ["z", "a"]
    assert model.evaluation.features.dtypes.astype(str)["Größe (cm)"] == "float32"
    assert model.predict_row(table.iloc[0]).prediction == target[0]


@pytest.mark.parametrize("columns", [[0, 1], [1.0, 2.5], [True, False]], ids=str)
def test_columns_without_text_names_are_read_back(columns, tmp_path) -> None:
    rows = pd.DataFrame(X.to_numpy()[:, :2], columns=columns)  # JSON has text alone for names
    features = [Feature(name, column=column) for name, column in zip("ab", np.array(columns), strict=True)]
    for drafted in (None, features):
        model = Model.from_estimator(LinearRegression().fit(rows.to_numpy(), Y), rows, Y, name="w", features=drafted)
        for back in (irislib.load(model.save(tmp_path / "w.irislib")), _published(model, tmp_path)):
            assert back.spec.columns == columns
            pd.testing.assert_frame_equal(back.sample, model.sample)
            assert back.predict(rows).tolist() == model.predict(rows).tolist()
            row = dict(zip(map(str, columns), rows.loc[0], strict=True))  # as the endpoint and CSV files have it
            assert back.predict_row(row).prediction == pytest.approx(model.predict(rows)[0])


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, cv=2),
        StackingClassifier([("a", DecisionTreeClassifier(random_state=0))], cv=2),
        make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["alcohol"]), remainder="passthrough"),
            RandomForestClassifier(5),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_estimators_made_of_others(estimator) -> None:
    estimator.fit(X_TRAIN, Y_TRAIN)
    model = Model.from_estimator(estimator, X_TEST, Y_TEST, name="wine")
    assert model.predict(X_TEST).tolist() == estimator.predict(X_TEST).tolist()
    frozen = Model.from_estimator(FrozenEstimator(estimator), X_TEST, Y_TEST, name="wine")
    assert frozen.predict(X_TEST).tolist() == estimator.predict(X_TEST).tolist()


def test_a_regression(tmp_path) -> None:
    x, y = load_diabetes(as_frame=True, return_X_y=True)
    model = Model.from_estimator(LinearRegression().fit(x[:300], y[:300]), x[300:], y[300:], name="diabetes")
    assert model.evaluation.metrics["r2"] > 0.4
    assert model.predict_row(x.iloc[0]).prediction == pytest.approx(model.estimator.predict(x.iloc[[0]])[0])
    back = irislib.load(str(model.save(tmp_path / "d.irislib")))
    assert back.predict(x[300:]).tolist() == model.predict(x[300:]).tolist()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimator": RandomForestClassifier()}, SpecError, "is not fitted"),
        ({"estimator": KMeans(2).fit(X_TRAIN)}, SpecError, "KMeans finds clusters"),
        ({"estimator": StandardScaler().fit(X_TRAIN)}, SpecError, "StandardScaler transforms data"),
        ({"estimator": IsolationForest().fit(X_TRAIN)}, SpecError, "IsolationForest finds outliers"),
        ({"estimator": RandomForestClassifier}, SpecError, "give a scikit-learn estimator"),
        ({"y_test": Y_TEST[:3]}, DataError, "y_test has 3 values for 45 rows"),
        (
            {"y_test": Y_TEST.astype(str)},
            DataError,
            "unknown classes: '0', '1', '2'; .* Name its classes: classes={0: '0', …}",
        ),
        ({"y_test": Y_TEST.astype(str), "estimator": TEXT_CLASSES}, DataError, r"knows 'a', 'b', 'c'\.$"),
        ({"y_test": None}, DataError, "Give y_test as well as X_test"),
        ({"X_test": None}, DataError, "Give X_test as well as y_test"),
        ({"y_train": Y_TRAIN}, DataError, "Give X_train as well as y_train"),
        ({"target_units": "EUR"}, TypeError, "no parameter 'target_units'. Did you mean 'target_unit'?"),
        ({"X_test": X_TEST[:1], "y_test": Y_TEST[:1]}, DataError, "y_test has fewer than two values"),
        ({"y_test": np.column_stack([Y_TEST, Y_TEST])}, DataError, "y_test has 2 columns"),
        ({"y_test": Y_TEST.astype(float).where(Y_TEST > 0)}, DataError, "is missing in 16 rows"),
        ({"X_test": X_TEST.drop(columns="alcohol")}, DataError, "X_test lacks the columns alcohol"),
        ({"X_test": X_TEST.to_numpy()[:, :3]}, DataError, "X_test has 3 columns; the estimator was fitted on 13"),
        ({"features": [Feature("alcohol")]}, DataError, "The features lack the columns malic_acid, ash, "),
        (
            {"features": WINE[::-1]},
            DataError,
            r"are in another order than .*\. Give them in that .*: alcohol, malic_acid, ash, ",
        ),
        ({"features": [*WINE, Feature("colour")]}, DataError, "have the columns colour, on which .* was not fitted"),
        (
            {"features": [replace(WINE[0], high=12, default=None), *WINE[1:]]},
            DataError,
            "X_test does not fit the features",
        ),
        ({"name": "Wine!"}, SpecError, "use lower case"),
    ],
)
def test_what_cannot_be_a_model_is_refused_with_a_sentence(forest, change, error, message: str) -> None:
    arguments = {"estimator": forest, "X_test": X_TEST, "y_test": Y_TEST, "name": "wine"} | change
    with pytest.raises(error, match=message):
        Model.from_estimator(**arguments)


def test_a_file_that_has_null_for_a_text_is_read(wine, tmp_path) -> None:
    path = wine.save(tmp_path / "wine.irislib")
    record, content = read_parts(path, path)
    record["spec"] |= {"license": None, "contact": None}
    path.write_bytes(join_parts(json.dumps(record), content))
    assert irislib.load(str(path)).spec.license == ""


@pytest.mark.parametrize("frozen", [False, True])
def test_a_fitted_estimator_is_not_trained_again_in_silence(forest, frozen: bool) -> None:
    estimator = FrozenEstimator(forest) if frozen else forest
    with pytest.raises(SpecError, match=r"fitted already, and would be trained anew. .*Model.from_estimator"):
        ModelSpec("wine", [Feature("alcohol")], "target", lambda: X, estimator)


def test_a_file_holds_the_whole_model(wine, tmp_path) -> None:
    path = wine.save(tmp_path / "my wine.irislib")
    back = irislib.load(str(path))
    assert (back.version, back.trained_at, back.data) == (wine.version, wine.trained_at, wine.data)
    assert back.coverage == wine.coverage
    assert back.spec.features == wine.spec.features
    pd.testing.assert_frame_equal(back.evaluation.features, wine.evaluation.features)
    np.testing.assert_array_equal(back.predict_proba(X_TEST), wine.predict_proba(X_TEST))
    assert irislib.load(str(path)) is back
    replace(wine, trained_at="later").save(path)
    assert irislib.load(str(path)).trained_at == "later"
    assert not [name for name in zipfile.ZipFile(path).namelist() if name.endswith((".pkl", ".pickle", ".joblib"))]


def test_a_trained_model_has_a_file_too(rent, tmp_path) -> None:
    back = irislib.load(str(rent.save(tmp_path / "rent.irislib")))
    rows = rent.evaluation.features[:5]
    assert back.predict(rows).tolist() == rent.predict(rows).tolist()
    assert [feature.expected for feature in back.spec.features] == [f.expected for f in rent.spec.features]
    assert "Trained" in irislib.card(back)


def write_parts(path: Path, record: object, estimator: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.json", json.dumps(record))
        file.writestr("estimator.skops", estimator)


def test_the_numbers_in_a_file_have_to_fit_its_estimator(wine, tmp_path) -> None:
    path = wine.save(tmp_path / "wine.irislib")
    with zipfile.ZipFile(path) as file:
        record, estimator = json.loads(file.read("model.json")), file.read("estimator.skops")
    model, held_out = record["model"], record["model"]["evaluation"]

    def with_part(**part: object) -> dict:
        return record | {"model": model | part}

    def with_evaluation(**part: object) -> dict:
        return with_part(evaluation=held_out | part)

    broken = tmp_path / "broken.irislib"
    for content, message in (
        ([], "its description is a list"),
        (record | {"model": None}, "its record is a NoneType"),
        (with_part(version=3), "version of its record is a int"),
        (with_part(data=None), "data of its record is a NoneType"),
        (with_part(data=model["data"] | {"rows": "45"}), "rows of its data is a str"),
        (with_part(coverage=[]), "coverage of its record is a list"),
        (with_part(coverage={"alcohol": 3}), "alcohol of its coverage is a int"),
        (with_part(sample={"alcohol": [1.0]}), "no model's file"),
        (with_evaluation(metrics=[]), "metrics of its evaluation is a list"),
        (with_evaluation(metrics={"accuracy": "good"}), "accuracy of its metrics is a str"),
        (with_evaluation(y_true=held_out["y_true"][:3]), "one true value and one prediction for each row"),
        (with_evaluation(y_pred=[[value] for value in held_out["y_pred"]]), "one true value and one prediction"),
        (with_evaluation(y_pred=[7, *held_out["y_pred"][1:]]), "has the class 7, which the estimator lacks"),
        (with_evaluation(y_proba=held_out["y_proba"][:3]), "a probability for each row and class"),
        (with_evaluation(y_proba=[row[:2] for row in held_out["y_proba"]]), "a probability for each row and class"),
        (with_evaluation(y_proba=[[2, -1, 0]] * len(Y_TEST)), "a probability for each row and class"),
        (with_evaluation(y_proba=[["a", "b", "c"]] * len(Y_TEST)), "could not convert string to float"),
    ):
        write_parts(broken, content, estimator)
        with pytest.raises(StoreError, match=message):
            irislib.load(str(broken))
    for content, part in ((record, estimator), (record | {"format": 1}, skops.io.dumps(wine.estimator))):
        write_parts(broken, content, part)  # as irislib writes it, and as it did at first
        assert irislib.load(str(broken)).predict(X_TEST).tolist() == wine.predict(X_TEST).tolist()


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns")
def test_sparse_columns_are_kept(tmp_path) -> None:
    codes = np.arange(60)
    frame = pd.DataFrame({"counts": pd.arrays.SparseArray(codes % 3, fill_value=0), "x": codes * 0.5})
    clf = LogisticRegression().fit(frame, codes % 2)
    model = Model.from_estimator(clf, frame, codes % 2, name="sparse")
    again = irislib.load(str(model.save(tmp_path / "sparse.irislib")))
    assert again.predict_proba(frame).tolist() == model.predict_proba(frame).tolist()


def test_an_estimator_is_no_model_to_serve(forest) -> None:
    with pytest.raises(NotApplicableError, match="Pipeline is an estimator"):
        create_app(make_pipeline(StandardScaler(), forest))


def test_what_is_no_models_file_is_refused(wine, tmp_path) -> None:
    with pytest.raises(StoreError, match=r"no-folder/wine\.irislib: No such file or directory$"):
        wine.save(tmp_path / "no-folder" / "wine.irislib")
    with pytest.raises(StoreError, match=r"ends in \.irislib"):
        wine.save(tmp_path / "wine.joblib")
    with pytest.raises(StoreError, match="There is no file"):
        irislib.load(str(tmp_path / "none.irislib"))
    path = wine.save(tmp_path / "wine.irislib")
    whole = path.read_bytes()
    broken = tmp_path / "broken.irislib"
    for content in (b"", b"text", whole[: len(whole) // 2]):
        broken.write_bytes(content)
        with pytest.raises(StoreError, match="is no model's file"):
            irislib.load(str(broken))
    with zipfile.ZipFile(path) as file:
        record = json.loads(file.read("model.json"))
        estimator = file.read("estimator.skops")
    for change in (
        {"format": 99},
        {"tabs": [["T", ["os.system"]]]},
        {"modules": ["joblib"]},
        {"modules": ["os"]},
        {"features": [{"name": "not a name"}]},
    ):
        write_parts(broken, record | change, estimator)
        with pytest.raises(StoreError):
            irislib.load(str(broken))
    mine = replace_tabs(wine, {"Mine": [lambda model: None]})
    with pytest.raises(StoreError, match="a function of your own"):
        mine.save(tmp_path / "mine.irislib")
    assert not (tmp_path / "mine.irislib").exists()


TRANSFORMER = """
from sklearn.base import BaseEstimator, TransformerMixin


class Halve(TransformerMixin, BaseEstimator):
    def fit(self, x, y=None):
        self.fitted_ = True
        return self

    def transform(self, x):
        return x / 2
"""


def test_parts_of_the_authors_own_module(tmp_path) -> None:
    (tmp_path / "shop.py").write_text(TRANSFORMER)
    code = (
        "import irislib, shop\n"
        "from sklearn.datasets import load_wine\n"
        "from sklearn.linear_model import LinearRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "X, y = load_wine(as_frame=True, return_X_y=True)\n"
        "estimator = make_pipeline(shop.Halve(), LinearRegression()).fit(X, y)\n"
        "irislib.Model.from_estimator(estimator, X, y, name='wine').save('wine.irislib')\n"
    )
    assert run_irislib("--version", code=code, cwd=tmp_path).returncode == 0
    values = [f"{name}={value}" for name, value in X_TEST.iloc[0].items()]
    here = run_irislib("predict", "--model", "wine.irislib", *values, cwd=tmp_path)
    assert here.returncode == 0, here.stderr
    (tmp_path / "shop.py").unlink()
    away = run_irislib("predict", "--model", "wine.irislib", *values, cwd=tmp_path)
    assert "parts of the module 'shop', which is not here" in away.stderr


def with_function(function: Callable) -> Model:
    estimator = make_pipeline(FunctionTransformer(function), LinearRegression()).fit(X_TRAIN, Y_TRAIN)
    return Model.from_estimator(estimator, X_TEST, Y_TEST, name="wine")


def test_what_cannot_be_read_again_is_not_written(tmp_path) -> None:
    model = with_function(partial(np.clip, a_min=0, a_max=100))
    back = irislib.load(str(model.save(tmp_path / "clip.irislib")))
    np.testing.assert_array_equal(back.predict(X_TEST), model.predict(X_TEST))
    for function, message in (
        (jinja2.pass_context, "has parts of 'jinja2', which is an installed library that irislib does not trust"),
        (copy.copy, "it holds copy.copy, which cannot be read back safely"),
    ):
        with pytest.raises(StoreError, match=message):
            with_function(function).save(tmp_path / "refused.irislib")
    assert not (tmp_path / "refused.irislib").exists()


def test_a_description_that_cannot_be_read_again_is_not_written(wine, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(model_record, "frame_to_json", lambda frame: {"lost": [1] * len(frame)})
    for write in (lambda: wine.save(tmp_path / "lost.irislib"), lambda: wine.publish(tmp_path)):
        with pytest.raises(StoreError, match="wine cannot be kept: once read back, its description fails"):
            write()
    assert not list(tmp_path.rglob("*.irislib"))
    assert store.current("wine", tmp_path) is None


def replace_tabs(model: Model, tabs) -> Model:
    return replace(model, spec=replace(model.spec, tabs=tabs))


def test_references_to_models_and_functions(wine, tmp_path, monkeypatch) -> None:
    wine.save(tmp_path / "wine.irislib")
    (tmp_path / "shop.py").write_text(
        "import irislib\n"
        "calls = []\n"
        "def make_model():\n    calls.append(1)\n    return irislib.load('wine.irislib')\n"
        "def make_spec():\n    from irislib.iris import spec\n    return spec\n"
        "def other():\n    return 3\n"
        "model = make_model()\n"
        "number = 4\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    registry.clear([])
    assert irislib.load("shop:make_model").spec.name == "wine"
    assert irislib.load("shop:model").version == wine.version
    assert registry.resolve("shop:make_spec").name == "iris-wizard"
    import shop

    calls = len(shop.calls)
    assert irislib.load("shop:make_model") is irislib.load("shop:make_model")
    assert len(shop.calls) == calls
    with pytest.raises(UnknownModelError, match="returned a int, not a ModelSpec or a Model"):
        irislib.load("shop:other")
    with pytest.raises(UnknownModelError, match="is a int, not a ModelSpec or a Model"):
        irislib.load("shop:number")


def test_the_commands_take_a_file(wine, tmp_path) -> None:
    wine.save(tmp_path / "my wine.irislib")
    option = ("--model", "my wine.irislib")
    values = [f"{name}={value}" for name, value in zip(wine.spec.feature_names, X_TEST.iloc[0], strict=True)]
    assert run_irislib("predict", *option, *values, cwd=tmp_path).stdout.startswith(f"Cultivar: {Y_TEST.iloc[0]}, ")
    check = run_irislib("check", *option, cwd=tmp_path)
    assert check.returncode == 0
    assert "it was fitted elsewhere, and evaluated on 45 rows" in check.stdout
    assert "FAULT" not in check.stdout
    assert "cross_validation in the tab 'Performance': Wine was fitted elsewhere, so that it cannot be" in check.stdout
    assert "# Wine" in run_irislib("card", *option, cwd=tmp_path).stdout
    assert "there is nothing to train. If a module" in run_irislib("train", *option, cwd=tmp_path).stderr


AMOUNT = {"alcohol": 13.0, "kind": "red"}


@pytest.fixture(scope="module")
def alone():
    """A model of an estimator whose rows are gone."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"alcohol": rng.uniform(11, 15, 60), "kind": np.array(["red", "white"])[np.arange(60) % 2]})
    encoder = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    estimator = make_pipeline(encoder, DecisionTreeRegressor(max_depth=3)).fit(rows, rows["alcohol"].round())
    features = [Feature("alcohol", low=11, high=15), Feature("kind", "choice", choices=["red", "white"])]
    return Model.from_estimator(estimator, name="alone", features=features, target="amount")


def test_a_model_without_rows_predicts_and_is_kept(alone, tmp_path) -> None:
    assert not alone.is_evaluated
    assert "never evaluated here" in repr(alone)
    assert alone.predict_row(AMOUNT).answer == "13"
    assert alone.fast_form[0] is not None
    assert not alone.warnings_by_row(alone.spec.validate([AMOUNT]))
    for kept in (irislib.load(alone.save(tmp_path / "alone.irislib")), _published(alone, tmp_path / "store")):
        assert kept.predict_row(AMOUNT).prediction == alone.predict_row(AMOUNT).prediction
        assert (kept.version, kept.is_evaluated) == (alone.version, False)
    frame = alone.evaluation.trial_rows
    measured = alone.evaluated_on(frame, alone.predict(frame))
    assert measured.is_evaluated
    assert measured.evaluation.metrics["r2"] == 1


def _published(model: Model, folder: Path) -> Model | None:
    model.publish(folder)
    return store.load(model.spec.name, folder)


def test_what_needs_rows_says_that_there_are_none(alone) -> None:
    assert [*irislib.insights.default_tabs(alone).values()] == [[irislib.insights.what_if]]
    assert "moves this answer most" in irislib.insights.what_if(alone, AMOUNT).text
    for insight in (irislib.insights.residuals, irislib.insights.predicted_against_true):
        with pytest.raises(NotApplicableError, match="came without rows"):
            insight(alone)
    for insight in (irislib.insights.contributions, irislib.insights.prediction_set):
        with pytest.raises(NotApplicableError, match="came without rows"):
            insight(alone, AMOUNT)
    assert "nothing is known of how well it does" in irislib.card(alone)
    assert "nothing is known of how well it does" in alone._repr_html_()
    page = irislib.app(alone)
    assert page.test_rows is None
    assert "never evaluated here" in page.about["Fitted"]
    client = create_app([alone]).test_client()
    assert client.post("/alone", json=AMOUNT).json == 13
    assert client.get("/openapi.json").status_code == client.get("/alone/card").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "without any rows give features="),
        ({"features": [Feature("alcohol")]}, "The features lack the columns kind, on which"),
        ({"features": [Feature("alcohol"), Feature("kind")]}, "could not be safely coerced"),
        ({"features": [Feature("kind"), Feature("alcohol")]}, "are in another order than the columns"),
    ],
)
def test_features_stand_for_rows(alone, arguments, message: str) -> None:
    with pytest.raises(IrislibError, match=message):
        Model.from_estimator(alone.estimator, **arguments)


def test_features_of_an_estimator_that_selects_columns_by_name_may_have_any_order(alone) -> None:
    rows = alone.evaluation.trial_rows
    target = alone.estimator.predict(rows)
    model = Model.from_estimator(alone.estimator, rows, target, features=alone.spec.features[::-1])
    assert model.spec.columns == ["kind", "alcohol"]
    assert model.predict_row(AMOUNT).prediction == alone.predict_row(AMOUNT).prediction
    assert model.evaluation.metrics["r2"] == 1


class Positional(DecisionTreeClassifier):
    """A classifier that takes columns by their positions, whatever their names are."""

    def predict(self, rows):
        return super().predict(rows.to_numpy())

    def predict_proba(self, rows):
        return super().predict_proba(rows.to_numpy())


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_an_order_that_an_estimator_ignores_is_refused() -> None:
    rows = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0)[::-1]})
    target = np.where(np.arange(40) % 3 == 0, "p", "q")
    fitted = Positional(max_depth=1, min_samples_leaf=9).fit(rows, target)
    with pytest.raises(DataError, match="are in another order than the columns"):
        Model.from_estimator(fitted, rows, target, features=[Feature("b"), Feature("a")])


def test_several_targets_are_refused_without_rows_too() -> None:
    rows = np.random.default_rng(0).random((40, 2))
    fitted = DecisionTreeRegressor().fit(rows, rows)
    with pytest.raises(SpecError, match="this DecisionTreeRegressor predicts 2 targets"):
        Model.from_estimator(fitted, features=[Feature("a", low=0, high=1), Feature("b", low=0, high=1)])
