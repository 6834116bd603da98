"""`irislib new --estimator`: projects that begin with a fitted estimator, and files that none can begin with."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from conftest import Server, import_booster
from sklearn import __version__ as sklearn_version
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from irislib import Feature, Model
from irislib._modeling.checkup import check_model
from irislib._project import project_files, update
from irislib._project.manifest import read_manifest
from irislib.cli import main

RNG = np.random.default_rng(0)
ROWS = 90
X = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, ROWS),
        "plan": np.array(["basic", "pro", "max"])[np.arange(ROWS) % 3],
        "monthly fee": RNG.normal(40, 9, ROWS).round(2),
    }
)
YES = np.where(X["age"] + RNG.normal(0, 5, ROWS) > 50, "yes", "no")
NUMBERS = X[["age", "monthly fee"]]
TEST = slice(60, ROWS)
TABLE = X.assign(churned=YES)[TEST]
CODES = NUMBERS.assign(churned=(YES == "yes").astype(int))[TEST]
PAID = NUMBERS.assign(paid=(3 * X["age"] + X["monthly fee"]).round(2))[TEST]


def fitted(estimator: Any, table: pd.DataFrame = X, target: Any = YES, names: bool = True) -> Any:
    return estimator.fit(table[:60] if names else table[:60].to_numpy(), np.asarray(target)[:60])


def mixed(last: Any) -> Any:
    encoder = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(make_column_transformer((encoder, ["plan"]), remainder=StandardScaler()), last)


def new(*arguments: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["new", "shop", *arguments])
    return ended.value.code


def module_of(project: Path) -> ModuleType:
    """Return model.py of a project as a module."""
    path = project / "shop" / "model.py"
    module = ModuleType("drafted")
    module.__file__ = str(path)
    exec(path.read_text(), vars(module))  # noqa: S102
    return module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for module in (project_files, update):
        monkeypatch.setattr(module, "pack_wheel", lambda: b"")  # which is tested elsewhere
    return tmp_path


def boosted(name: str, kind: str, **options: Any) -> Any:
    return getattr(import_booster(name), kind)(n_estimators=5, **options)


CODE = (YES == "yes").astype(int)
TREE = fitted(DecisionTreeClassifier(), NUMBERS)
# How the estimator is made, the table that it is tried on, and a part of model.py
GOOD: dict[str, tuple[Callable[[], Any], pd.DataFrame, str]] = {
    "pipeline": (lambda: fitted(mixed(LogisticRegression())), TABLE, 'positive_class="yes",'),
    "categories that the table lacks": (
        lambda: fitted(mixed(LogisticRegression())),
        TABLE[TABLE["plan"] != "max"],
        'choices=["basic", "max", "pro"]',
    ),
    "search": (
        lambda: fitted(GridSearchCV(mixed(LogisticRegression()), {"logisticregression__C": [1, 2]}, cv=2)),
        TABLE,
        "GridSearchCV",
    ),
    "without names": (lambda: fitted(DecisionTreeClassifier(), NUMBERS, CODE, False), CODES, "are taken in their"),
    "codes": (lambda: fitted(DecisionTreeClassifier(), NUMBERS, CODE), CODES, '# classes={0: "…", 1: "…"},'),
    "codes as yes and no": (
        lambda: fitted(DecisionTreeClassifier(), NUMBERS, CODE),
        CODES.assign(churned=CODES["churned"] == 1),
        '["churned"].astype(int)',
    ),
    "columns that it does not know": (
        lambda: fitted(DecisionTreeClassifier(), NUMBERS),
        TABLE.assign(note="…"),
        "plan, note of shop.csv: the estimator was not fitted on these.",
    ),
    "gaps in the target": (
        lambda: fitted(DecisionTreeClassifier(), NUMBERS, CODE),
        CODES.assign(churned=CODES["churned"].astype(float).where(CODES.index > 65)),
        'data.dropna(subset=["churned"])',
    ),
    "no probabilities": (lambda: fitted(mixed(LinearSVC())), TABLE, "LinearSVC"),
    "regressor": (lambda: fitted(LinearRegression(), NUMBERS, 3 * X["age"]), PAID, '"Paid, low: '),
    "an infinite target": (
        lambda: fitted(LinearRegression(), NUMBERS, 3 * X["age"]),
        PAID.assign(paid=PAID["paid"].astype(float).where(PAID.index != PAID.index[3], float("inf"))),
        'data = data[data["paid"].abs() != float("inf")]',
    ),
    "regressor without names": (
        lambda: fitted(DecisionTreeRegressor(max_depth=2), NUMBERS, 3 * X["age"], False),
        PAID,
        "Feature(",
    ),
    "XGBoost": (lambda: fitted(boosted("xgboost", "XGBClassifier"), NUMBERS, CODE), CODES, "XGBClassifier"),
    "LightGBM": (
        lambda: fitted(mixed(boosted("lightgbm", "LGBMRegressor", verbose=-1)), X, 3 * X["age"]),
        X.assign(paid=3 * X["age"])[TEST],
        "LGBMRegressor",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "table", "source"), GOOD.values(), ids=GOOD.keys())
def test_a_project_predicts_as_the_estimator_in_the_file(make, table, source, folder: Path, capsys) -> None:
    estimator = make()
    joblib.dump(estimator, "model.joblib")
    table.to_csv("shop.csv", index=False)
    target = table.columns.intersection(["churned", "paid"])[0]
    assert new("--estimator", "model.joblib", "--data", "shop.csv", "--target", target) == 0, capsys.readouterr()
    project = folder / "shop"
    assert (project / "shop/data/model.joblib").read_bytes() == (folder / "model.joblib").read_bytes()
    module = module_of(project)
    assert source in (project / "shop/model.py").read_text().replace("\n    # ", " ")
    assert f'"scikit-learn=={sklearn_version}",' in (project / "setup.py").read_text()
    model = module.model()
    rows = module.load_data()[[feature.column for feature in module.FEATURES]]
    expected = estimator.predict(rows if hasattr(estimator, "feature_names_in_") else rows.to_numpy())
    assert np.array_equal(model.predict(rows), expected)
    assert len(model.spec.examples) >= 2
    assert model.is_fitted_elsewhere
    assert len(model.evaluation.y_true) == table[target].replace(float("inf"), None).notna().sum()


# The estimator, and parts of model.py
ALONE: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "encoder and scaler": (
        lambda: fitted(mixed(LogisticRegression())),
        ['choices=["basic", "max", "pro"]', "The file has a mean of", '"Made up: yes"'],
    ),
    "trees": (lambda: fitted(DecisionTreeClassifier(max_depth=3), NUMBERS), ["compares age with thresholds from"]),
    "forest behind an encoder": (
        lambda: fitted(
            make_pipeline(
                make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough"),
                RandomForestRegressor(3, random_state=0),
            ),
            X,
            3 * X["age"],
        ),
        ["The file compares monthly fee with thresholds from", 'column="monthly fee"'],
    ),
    "without names": (
        lambda: fitted(DecisionTreeRegressor(), NUMBERS, X["age"], False),
        ['Feature("x0", default=', "Give them names and labels, in the order of the training."],
    ),
    "imputer": (lambda: fitted(make_pipeline(SimpleImputer(), LinearSVC()), NUMBERS), ["required=False"]),
    "network of three classes": (
        lambda: fitted(make_pipeline(StandardScaler(), MLPClassifier((3,), tol=0.1)), NUMBERS, X["plan"]),
        ["The file has a mean of", '"Made up: '],
    ),
    "neighbours": (lambda: fitted(KNeighborsClassifier(), NUMBERS), ["The file has values of age from"]),
    "silent": (lambda: fitted(LinearRegression(), NUMBERS, X["age"]), ["The file does not say what values age has."]),
    "categories": (
        lambda: fitted(
            HistGradientBoostingClassifier(max_iter=2, categorical_features="from_dtype"),
            X.astype({"plan": "category"}),
        ),
        ['dtype="category"'],
    ),
    "words": (
        lambda: fitted(make_pipeline(make_column_transformer((TfidfVectorizer(), "plan")), LinearSVC())),
        ['Feature("plan", "text", control="textarea")'],
    ),
    "XGBoost": (lambda: fitted(boosted("xgboost", "XGBRegressor"), NUMBERS, X["age"]), ["compares age with"]),
    "LightGBM": (
        lambda: fitted(boosted("lightgbm", "LGBMClassifier", verbose=-1), NUMBERS, CODE),
        ["compares age with", '# classes={0: "…", 1: "…"},'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "parts"), ALONE.values(), ids=ALONE.keys())
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_an_estimator_alone_says_what_it_takes(make, parts, folder: Path, capsys) -> None:
    estimator = make()
    joblib.dump(estimator, "model.joblib")
    assert new("--estimator", "model.joblib", "--target", "churned") == 0
    assert "There were no rows to measure it on." in capsys.readouterr().out
    source = (folder / "shop/shop/model.py").read_text()
    for part in parts:
        assert part in source.replace("\n    # ", " "), source
    model = module_of(folder / "shop").model()
    assert not model.is_evaluated
    assert model.spec.target == "churned"
    for row in model.spec.examples.values():
        frame = model.spec.validate(row)
        names = hasattr(estimator, "feature_names_in_")
        expected = estimator.predict(frame if names else frame.to_numpy())[0]
        expected = expected if model.classes else pytest.approx(expected)  # XGBoost's are of single precision
        assert model.predict_row(row).prediction == expected
    assert model.spec.examples
    assert not (folder / "shop/notebooks/data.ipynb").exists()
    assert "baseline" not in (folder / "shop/tests/test_model.py").read_text()


def test_model_py_is_formatted(folder: Path) -> None:
    joblib.dump(fitted(mixed(LogisticRegression())), "a rather long name.joblib")
    TABLE.assign(note="…").to_csv("shop.csv", index=False)
    assert new("--estimator", next(folder.glob("*.joblib")).name, "--data", "shop.csv", "--target", "churned") == 0
    for command in (["format", "--check"], ["check", "--select", "E4,E7,E9,F,I,W,UP,B"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", "88", "shop/shop/model.py"]
        result = subprocess.run(ruff, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout


def test_a_file_of_irislibs_own_has_its_inputs_and_rows(folder: Path, capsys) -> None:
    features = [Feature("age", "integer", label="Years"), Feature("monthly_fee", unit="EUR", column="monthly fee")]
    model = Model.from_estimator(TREE, NUMBERS[TEST], YES[TEST], name="other", features=features, target="churned")
    model.save("a.irislib")
    refused = new("--estimator", "a.irislib", "--target", "age")
    assert "a.irislib has rows of its own, and their target is churned: leave out --target age" in refused
    assert "Say what it is about: --data FILE" in new("--estimator", "a.irislib", "--encoding", "cp1250")
    assert new("--estimator", "a.irislib", "--target", "churned") == 0
    assert "On the 30 rows of a.irislib: " in capsys.readouterr().out
    module = module_of(folder / "shop")
    assert features == module.FEATURES
    assert module.model().evaluation.metrics == model.evaluation.metrics


@pytest.mark.parametrize("kind", ["pickle", "skops", "irislib"])
def test_other_files_of_estimators(kind: str, folder: Path) -> None:
    estimator = fitted(mixed(LogisticRegression()))
    if kind == "pickle":
        Path("a.pickle").write_bytes(pickle.dumps(estimator))
    elif kind == "skops":
        skops.io.dump(estimator, "a.skops")
    else:
        Model.from_estimator(estimator, X[TEST], YES[TEST], name="other").save("a.irislib")
    TABLE.to_csv("shop.csv", index=False)
    assert new("--estimator", f"a.{kind}", "--data", "shop.csv", "--target", "churned") == 0
    model = module_of(folder / "shop").model()
    assert model.spec.name == "shop"
    assert np.array_equal(model.predict(X[TEST]), estimator.predict(X[TEST]))


OWN = "def double(frame):\n    return frame * 2\n"


def own_module(name: str) -> Any:
    """Return an estimator with a function of a module in the current folder."""
    Path(f"{name}.py").write_text(OWN)
    module = ModuleType(name)
    module.__file__ = str(Path(f"{name}.py").absolute())
    exec(OWN, vars(module))  # noqa: S102
    sys.modules[name] = module
    return fitted(make_pipeline(FunctionTransformer(module.double), DecisionTreeClassifier()), NUMBERS)  # type: ignore[attr-defined]


def test_a_module_of_ones_own_comes_into_the_project(folder: Path) -> None:
    joblib.dump(own_module("shop_steps"), "model.joblib")
    del sys.modules["shop_steps"]
    TABLE.to_csv("shop.csv", index=False)
    assert new("--estimator", "model.joblib", "--data", "shop.csv", "--target", "churned") == 0
    assert (folder / "shop/shop_steps.py").read_text() == OWN
    assert 'py_modules=["shop_steps"],' in (folder / "shop/setup.py").read_text()
    assert read_manifest(folder / "shop").project.modules == ("shop_steps.py",)


def lost_module() -> Any:
    joblib.dump(own_module("lost_steps"), "model.joblib")
    del sys.modules["lost_steps"]
    Path("lost_steps.py").unlink()


class Unlike:
    """What predicts without the interface of an estimator."""

    def predict(self, rows: Any) -> Any:
        return rows


def notebook_class() -> None:
    module, name = b"\x8c\x15sklearn.tree._classes", b"\x94\x8c\x16DecisionTreeClassifier"
    content = pickle.dumps(TREE)
    assert module + name in content
    Path("model.joblib").write_bytes(content.replace(module, b"\x8c\x08__main__"))


def older(estimator: Any) -> None:
    content = pickle.dumps(estimator)
    here, there = (b"\x8c" + bytes([len(text)]) + text.encode() for text in (sklearn_version, "0.24.2"))
    assert here in content
    Path("model.joblib").write_bytes(content.replace(here, there))


def shortened() -> None:
    joblib.dump(fitted(mixed(LogisticRegression())), "model.joblib")
    content = Path("model.joblib").read_bytes()
    Path("model.joblib").write_bytes(content[: len(content) // 2])


def dump(value: Any) -> Callable[[], Any]:
    return lambda: joblib.dump(value, "model.joblib")


def other_zip() -> None:
    with zipfile.ZipFile("model.joblib", "w") as file:
        file.writestr("a", "b")


# How model.joblib is made, the table, and what the sentence says
BAD: dict[str, tuple[Callable[[], Any], pd.DataFrame, str]] = {
    "no file": (lambda: None, TABLE, "There is no file model.joblib."),
    "folder": (lambda: Path("model.joblib").mkdir(), TABLE, "model.joblib is a folder"),
    "empty": (lambda: Path("model.joblib").touch(), TABLE, "model.joblib is empty"),
    "text": (lambda: Path("model.joblib").write_text("a,b\n1,2\n"), TABLE, "is damaged, or no file of joblib"),
    "damaged": (shortened, TABLE, "is damaged, or no file of joblib"),
    "other zip": (other_zip, TABLE, "neither of skops nor of irislib"),
    "list": (dump([TREE]), TABLE, "holds a list, and no estimator"),
    "dict": (dump({"model": TREE}), TABLE, "The estimator seems to be its part 'model'"),
    "table": (dump(TABLE), TABLE, "holds a DataFrame, and no estimator"),
    "type": (dump(DecisionTreeClassifier), TABLE, "and no estimator"),
    "other interface": (dump(Unlike()), TABLE, "Give the estimator with scikit-learn's interface"),
    "not fitted": (dump(mixed(LogisticRegression())), TABLE, "holds a Pipeline that is not fitted"),
    "clusters": (dump(KMeans(2, n_init=1).fit(NUMBERS)), TABLE, "KMeans finds clusters"),
    "transformer": (dump(StandardScaler().fit(NUMBERS)), TABLE, "StandardScaler transforms data"),
    "two targets": (dump(fitted(DecisionTreeRegressor(), NUMBERS, NUMBERS)), TABLE, "predicts 2 targets"),
    "older": (lambda: older(TREE), TABLE, "written with scikit-learn 0.24.2, and here is"),
    "lost module": (lost_module, TABLE, "needs the module lost_steps, which is not here."),
    "notebook": (notebook_class, TABLE, "needs DecisionTreeClassifier, which was defined in a notebook or a script"),
    "columns": (dump(fitted(mixed(LogisticRegression()))), CODES, "shop.csv lacks the columns plan, on which"),
    "count": (
        dump(fitted(DecisionTreeClassifier(), NUMBERS, YES, False)),
        TABLE,
        "has 3 columns beside churned, and the estimator in model.joblib was fitted on 2",
    ),
    "classes": (
        dump(TREE),
        TABLE.assign(churned=["maybe", *TABLE["churned"][1:]]),
        "churned in shop.csv has the classes 'maybe', and the estimator in model.joblib knows 'no', 'yes' alone.",
    ),
    "names for codes": (dump(fitted(DecisionTreeClassifier(), NUMBERS, CODE)), TABLE, "knows 0, 1 alone. It was"),
    "codes for names": (dump(TREE), CODES, "has the classes 1, 0, and the"),
    "regressor": (dump(fitted(LinearRegression(), NUMBERS, X["age"])), TABLE, "the LinearRegression in model.joblib"),
    "no target": (dump(TREE), TABLE.assign(churned=None), "has 0 rows with a churned"),
    "other types": (
        dump(fitted(DecisionTreeClassifier(), NUMBERS, CODE)),
        CODES.assign(age="many"),
        "The estimator in model.joblib cannot predict the rows of shop.csv",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "table", "message"), BAD.values(), ids=BAD.keys())
def test_what_no_project_can_begin_with_is_one_sentence(make, table, message, folder: Path) -> None:
    make()
    table.to_csv("shop.csv", index=False)
    before = sorted(folder.iterdir())
    text = str(new("--estimator", "model.joblib", "--data", "shop.csv", "--target", "churned"))
    assert message in text
    assert "Traceback" not in text
    assert sorted(folder.iterdir()) == before


def test_a_project_is_served_checked_and_updated(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    estimator = fitted(mixed(LogisticRegression()))
    joblib.dump(estimator, "model.joblib")
    TABLE.to_csv("shop.csv", index=False)
    command = ("--estimator", "model.joblib", "--data", "shop.csv", "--target", "churned")
    assert new(*command, "--dry-run") == 0
    assert "joblib.load(ESTIMATOR)" in capsys.readouterr().out
    assert not (folder / "shop").exists()
    assert new(*command) == 0
    assert "* The file does not say on which rows the estimator was trained." in capsys.readouterr().out
    assert "is there already, and nothing was changed" in str(new(*command))
    with pytest.raises(SystemExit) as ended:
        main(["update", "shop"])
    assert ended.value.code == 0
    assert "There is nothing to update." in capsys.readouterr().out
    monkeypatch.chdir(folder / "shop")
    monkeypatch.syspath_prepend(folder / "shop")
    assert all(good for good, _ in check_model(["shop.model:model"]))
    row = json.loads(Path("README.md").read_text().partition("curl --json '")[2].partition("'")[0])
    server = Server(folder / "log", "serve", "--model", "shop.model:model", cwd=folder / "shop").wait()
    try:
        assert (
            server.post("/shop", json=row).json()
            == estimator.predict(pd.DataFrame([row]).rename(columns={"monthly_fee": "monthly fee"}))[0]
        )
        assert "<title>Shop</title>" in server.get("/shop").text
        assert server.get("/readyz").json()["models"]["shop"]["version"]
    finally:
        server.stop()
