"""A fitted estimator comes back as it was; a forged file is refused before anything of it is made."""

from __future__ import annotations

import io
import json
import os
import sys
import types
import zipfile
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from conftest import import_booster
from scipy.stats import loguniform, randint
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from irislib._modeling import trusted_types
from irislib._modeling.estimator_file import dump_estimator, load_estimator, read_back
from irislib._modeling.packed_file import is_packed
from irislib._modeling.packing import pack
from irislib.errors import StoreError


def flowers() -> tuple[pd.DataFrame, np.ndarray]:
    frame = load_iris(as_frame=True).frame.set_axis([*"abcd", "kind"], axis=1)
    frame["size"] = np.where(frame.a > 5.5, "big", "small")
    return frame, np.array(["setosa", "versicolor", "virginica"])[frame.pop("kind")]


FRAME, NAMES = flowers()
NUMBERS = FRAME[list("abcd")]
GAPS = NUMBERS.mask(np.arange(600).reshape(150, 4) % 7 == 0)
CATEGORY = FRAME.astype({"size": "category"})
CODES = np.unique(NAMES, return_inverse=True)[1]
BINARY = np.where(NAMES == "setosa", "yes", "no")
AMOUNT = (NUMBERS.a * 2 + NUMBERS.b).to_numpy()


def linear() -> LogisticRegression:
    return LogisticRegression(max_iter=500)


def booster(module: str, name: str, **options: Any) -> Any:
    return getattr(import_booster(module), name)(**options)


def xgboost(**options: Any) -> Any:
    return booster("xgboost", "XGBClassifier", n_estimators=5, **options)


def lightgbm(**options: Any) -> Any:
    return booster("lightgbm", "LGBMClassifier", n_estimators=5, verbose=-1, n_jobs=1, **options)


def catboost(**options: Any) -> Any:
    return booster("catboost", "CatBoostClassifier", iterations=5, verbose=0, allow_writing_files=False, **options)


ESTIMATORS = {
    "imputer": lambda: (make_pipeline(SimpleImputer(add_indicator=True), linear()), GAPS, NAMES),
    "nearest imputer": lambda: (make_pipeline(KNNImputer(), linear()), GAPS, NAMES),
    "bins": lambda: (make_pipeline(KBinsDiscretizer(3, quantile_method="linear"), linear()), NUMBERS, NAMES),
    "splines": lambda: (make_pipeline(SplineTransformer(), linear()), NUMBERS, NAMES),
    "columns": lambda: (
        make_pipeline(
            make_column_transformer(
                (OneHotEncoder(min_frequency=2), ["size"]),
                (StandardScaler(), make_column_selector(dtype_include="number")),
            ),
            linear(),
        ),
        FRAME,
        NAMES,
    ),
    "text": lambda: (make_pipeline(make_column_transformer((TfidfVectorizer(), "size")), linear()), FRAME, NAMES),
    "ufunc": lambda: (make_pipeline(FunctionTransformer(np.log1p), linear()), NUMBERS, NAMES),
    "forest": lambda: (RandomForestClassifier(5), NUMBERS, NAMES),
    "gradient boosting": lambda: (GradientBoostingClassifier(n_estimators=3), NUMBERS, NAMES),
    "histograms": lambda: (HistGradientBoostingRegressor(max_iter=3, loss="poisson"), GAPS, AMOUNT),
    "histograms of categories": lambda: (HistGradientBoostingClassifier(max_iter=3), CATEGORY, NAMES),
    "SVC": lambda: (SVC(), NUMBERS, NAMES),
    "calibrated": lambda: (CalibratedClassifierCV(LinearSVC()), NUMBERS, NAMES),
    "calibrated, frozen": lambda: (
        CalibratedClassifierCV(FrozenEstimator(GaussianNB().fit(NUMBERS, NAMES)), method="isotonic"),
        NUMBERS,
        NAMES,
    ),
    "threshold": lambda: (
        TunedThresholdClassifierCV(linear(), scoring=make_scorer(f1_score, pos_label="yes")),
        NUMBERS,
        BINARY,
    ),
    "stacking": lambda: (StackingClassifier([("a", GaussianNB()), ("b", SVC())], linear()), NUMBERS, NAMES),
    "voting": lambda: (VotingClassifier([("a", GaussianNB()), ("b", linear())], voting="soft"), NUMBERS, NAMES),
    "grid search": lambda: (GridSearchCV(linear(), {"C": [0.1, 1]}, scoring="balanced_accuracy"), NUMBERS, NAMES),
    "random search": lambda: (
        RandomizedSearchCV(SVC(), {"C": loguniform(0.1, 10)}, n_iter=2, random_state=0),
        NUMBERS,
        NAMES,
    ),
    "random search of whole numbers": lambda: (
        RandomizedSearchCV(DecisionTreeClassifier(), [{"max_depth": randint(1, 4)}], n_iter=2, random_state=0),
        NUMBERS,
        NAMES,
    ),
    "neighbours": lambda: (KNeighborsClassifier(algorithm="kd_tree"), NUMBERS, NAMES),
    "network": lambda: (MLPClassifier(max_iter=5), NUMBERS, NAMES),
    "gradient descent": lambda: (SGDClassifier(loss="log_loss"), NUMBERS, NAMES),
    "Gaussian process": lambda: (GaussianProcessRegressor(RBF() + WhiteKernel()), NUMBERS, AMOUNT),
    "kernel ridge": lambda: (KernelRidge(kernel="rbf"), NUMBERS, AMOUNT),
    "transformed target": lambda: (
        TransformedTargetRegressor(LinearRegression(), transformer=QuantileTransformer(n_quantiles=9)),
        NUMBERS,
        AMOUNT,
    ),
    "XGBoost": lambda: (xgboost(), GAPS, CODES),
    "XGBoost of categories": lambda: (xgboost(enable_categorical=True), CATEGORY, CODES),
    "XGBoost in a search": lambda: (
        GridSearchCV(make_pipeline(StandardScaler(), xgboost()), {"xgbclassifier__max_depth": [2, 3]}),
        NUMBERS,
        CODES,
    ),
    "XGBoost, calibrated": lambda: (CalibratedClassifierCV(xgboost()), NUMBERS, CODES),
    "LightGBM": lambda: (lightgbm(), GAPS, NAMES),
    "LightGBM of categories": lambda: (lightgbm(), CATEGORY, NAMES),
    "LightGBM in a pipeline": lambda: (make_pipeline(SimpleImputer(), lightgbm()), GAPS, NAMES),
    "CatBoost": lambda: (catboost(), GAPS, NAMES),
    "CatBoost of categories": lambda: (catboost(cat_features=["size"]), FRAME, NAMES),
    "CatBoost in a pipeline": lambda: (make_pipeline(StandardScaler(), catboost()), NUMBERS, NAMES),
}


@pytest.mark.filterwarnings("ignore")  # five rounds of training do not converge
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_read_back_and_predicts_the_same(name: str) -> None:
    estimator, rows, target = ESTIMATORS[name]()
    estimator.fit(rows, target)
    before = "" if "random search" in name else skops.io.dumps(estimator)  # which counts its predictions
    content = read_back(estimator, rows)
    loaded = load_estimator(content)
    assert type(loaded) is type(estimator)
    if hasattr(estimator, "predict_proba"):
        np.testing.assert_array_equal(loaded.predict_proba(rows), estimator.predict_proba(rows))
    assert is_packed(content)
    if before and "CatBoost" not in name:  # whose format has the time in it
        assert without_numbers(skops.io.dumps(load_estimator(content))) == without_numbers(before)


def without_numbers(content: bytes) -> Any:
    """Return what a skops file holds, whatever the numbers of its nodes and the names of its parts."""
    archive = zipfile.ZipFile(io.BytesIO(content))

    def cleaned(value: Any) -> Any:
        if isinstance(value, list):
            return [cleaned(part) for part in value]
        if not isinstance(value, dict):
            if not str(value).endswith(".npy"):
                return archive.read(value) if value in archive.namelist() else value
            array = np.load(io.BytesIO(archive.read(value)))
            return repr(array.dtype), array.flags.f_contiguous, repr(array.tolist())  # no bytes between fields
        return {key: cleaned(part) for key, part in value.items() if key != "__id__"}

    return cleaned(json.loads(archive.read("schema.json")))


def test_a_file_of_an_earlier_version_is_read_and_a_packed_one_without_skops(monkeypatch: pytest.MonkeyPatch) -> None:
    forest = RandomForestClassifier(50).fit(NUMBERS, NAMES)
    loaded = load_estimator(skops.io.dumps(forest))  # as they were written before
    np.testing.assert_array_equal(loaded.predict_proba(NUMBERS), forest.predict_proba(NUMBERS))

    content = dump_estimator(forest)
    assert len(zipfile.ZipFile(io.BytesIO(content)).namelist()) < 10  # parts; skops writes five for each tree
    monkeypatch.setitem(sys.modules, "skops.io", None)  # it cannot be imported
    packed = load_estimator(content)
    np.testing.assert_array_equal(packed.predict_proba(NUMBERS), forest.predict_proba(NUMBERS))


def test_a_packed_file_makes_nothing_twice_and_reads_no_number_twice() -> None:
    shared = [1.0, 2.0]
    loaded = load_estimator(dump_estimator(FunctionTransformer(kw_args={"a": shared, "b": shared})))
    assert loaded.kw_args["a"] is loaded.kw_args["b"]

    whole = dump_estimator(GaussianNB().fit(NUMBERS, NAMES))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts["nodes.json"])
    arrays = [number for number, (kind, *_) in enumerate(schema["nodes"]) if schema["kinds"][kind][0] == "NdArrayNode"]

    def changed(number: int, *node: Any) -> dict[str, Any]:
        nodes = [*schema["nodes"]]
        nodes[number] = [nodes[number][0], *node]
        return {**schema, "nodes": nodes}

    def file(schema: Any, compression: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in {**parts, "nodes.json": json.dumps(schema), **more}.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    assert load_estimator(file(schema)).predict(NUMBERS).shape == (150,)
    for content, message in (
        (file({**schema, "format": 2}), "another version of irislib"),
        (file(schema, zipfile.ZIP_DEFLATED), "holds files that irislib does not write"),
        (file(schema, **{"x.npy": b""}), "holds files that irislib does not write"),
        (file(changed(arrays[0], 0, [10**9], 0)), "fewer numbers than it needs"),
        (file(changed(arrays[0], 0, [-1, -4], 0)), "fewer numbers than it needs"),
        (file(changed(arrays[-1], 0, [0], 0)), "more numbers than it needs"),
        (file(changed(len(schema["nodes"]) - 1, 10**6)), r"."),
        (file({**schema, "nodes": [[0, len(schema["nodes"])]]}), r"."),
        (file({**schema, "kinds": [*schema["kinds"], ["TypeNode", "posix", 3]]}), "a node has no name"),
        (file({}), r"."),
        (file([]), r"."),
    ):
        with pytest.raises(StoreError, match=rf"The file of the estimator cannot be read: .*{message}"):
            load_estimator(content)


JSON = "JsonNode builtins.str"


def node(kind: str, number: int = 1, **parts: Any) -> dict[str, Any]:
    """Return a node of a skops file: ``loader module.Name``."""
    loader, _, name = kind.partition(" ")
    module, _, name = name.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": number, **parts}


def text(value: Any, number: int) -> dict[str, Any]:
    return node(JSON, number, content=json.dumps(value), is_json=True)


def sequence(kind: str, number: int, *items: dict[str, Any]) -> dict[str, Any]:
    return node(f"{kind.title()}Node builtins.{kind}", number, content=list(items))


def dictionary(number: int, key_type: dict[str, Any] | None = None, **values: dict[str, Any]) -> dict[str, Any]:
    key_type = key_type or node("TypeNode builtins.str", 90)
    key_types = sequence("list", number + 1, *[key_type] * len(values))
    return node("DictNode builtins.dict", number, content=values, key_types=key_types)


def file_of(schema: dict[str, Any], **members: bytes) -> bytes:
    protocol = json.loads(zipfile.ZipFile(io.BytesIO(skops.io.dumps(1))).read("schema.json"))["protocol"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps({"protocol": protocol, "_skops_version": "0", **schema}))
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def command(folder: Path) -> str:
    return f"touch {folder / 'ran'}"


def call(name: str, *values: str) -> dict[str, Any]:
    """Return a node that calls what it names."""
    items = (text(value, number) for number, value in enumerate(values, 10))
    return node(f"ConstructorFromReduceNode {name}", content=sequence("tuple", 3, *items))


def with_state(name: str, **state: Any) -> dict[str, Any]:
    values = {key: text(value, number) for number, (key, value) in enumerate(state.items(), 10)}
    return node(f"ObjectNode {name}", content=dictionary(3, **values))


def renamed_twin(folder: Path) -> dict[str, Any]:
    """Return keys whose types look like texts, but are made as the node of the same number before them."""
    forged = sequence("list", 7, node("TypeNode posix.system", 8))
    values = dictionary(3, x=text(1, 20))
    return sequence("list", 1, forged, {**values, "key_types": {**values["key_types"], "__id__": 7}})


FORGED: dict[str, Callable[[Path], dict[str, Any]]] = {
    "a function of Python": lambda folder: node("FunctionNode os.system"),
    "a function by another module": lambda folder: node("FunctionNode posix.system"),
    "a function as a type": lambda folder: node("TypeNode posix.system"),
    "a call": lambda folder: call("os.system", command(folder)),
    "a call of a process": lambda folder: call("subprocess.Popen", command(folder)),
    "evaluated text": lambda folder: call("builtins.eval", "1"),
    "a module through a library": lambda folder: node("FunctionNode sklearn.os.system"),
    "a module as an attribute": lambda folder: node("ObjectNode sklearn.utils.os"),
    "a function through a library": lambda folder: call("sklearn.datasets._base.load_files", "/"),
    "a type through another module": lambda folder: node("ObjectNode sklearn.svm._classes.BaseEstimator"),
    "a tool of tests": lambda folder: node("ObjectNode sklearn.utils._testing.TempMemmap"),
    "a compiler": lambda folder: node("FunctionNode numpy.f2py.compile"),
    "a program of a library": lambda folder: node("TypeNode numpy.f2py.__main__.main"),
    "a file": lambda folder: call("numpy.memmap", str(folder / "ran")),
    "an allowed function, called": lambda folder: call("sklearn.metrics._classification.f1_score", "1", "2"),
    "an allowed type, called": lambda folder: call("sklearn.svm._classes.SVC", "1"),
    "a folder to delete": lambda folder: with_state(
        "numpy.lib._datasource.DataSource", _istmpdest=True, _destpath=str(folder)
    ),
    "a distribution of code": lambda folder: with_state(
        "scipy.stats._continuous_distns.norm_gen", _parse_arg_template=f"import os; os.system({command(folder)!r})"
    ),
    "a pickle": lambda folder: node("FunctionNode joblib.numpy_pickle.load"),
    "a bound method": lambda folder: node(
        "MethodNode sklearn.svm._classes.SVC", content={"func": "fit", "obj": with_state("sklearn.svm._classes.SVC")}
    ),
    "a method by name": lambda folder: node(
        "OperatorFuncNode operator.methodcaller", attrs=sequence("tuple", 3, text("system", 4))
    ),
    "keys that are called": lambda folder: dictionary(3, node("TypeNode sklearn.svm._classes.SVC", 91), x=text(1, 20)),
    "two nodes of one number": renamed_twin,
    "an unknown loader": lambda folder: node("CachedNode builtins.str"),
    "a notebook's type": lambda folder: node("ObjectNode __main__.Model"),
    "another library": lambda folder: node("ObjectNode flask.app.Flask"),
    "part of a module's name": lambda folder: node("ObjectNode sklearnx.svm.SVC"),
}


NOT_PACKED = {"a bound method", "a method by name", "a call", "a call of a process", "evaluated text", "a file",
              "a function through a library", "an allowed function, called", "an allowed type, called",
              "an unknown loader"}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_is_refused_and_runs_nothing(name: str, tmp_path: Path) -> None:
    content = file_of(FORGED[name](tmp_path))
    packed = pack(content)
    assert (packed is None) == (name in NOT_PACKED)
    for form in filter(None, (content, packed)):
        with pytest.raises(StoreError, match=r"is not loaded|cannot be read"):
            load_estimator(form, ["joblib", "os", "posix", "__main__"])  # no description can allow these
    assert tmp_path.exists()
    assert not (tmp_path / "ran").exists()


FUNCTIONS = r"posix\.system|operator\.methodcaller|builtins\.eval"


@pytest.mark.parametrize("function", [os.system, partial(os.system, "true"), methodcaller("system"), eval])
def test_a_function_that_runs_commands_is_neither_written_nor_read(function: Any) -> None:
    estimator = FunctionTransformer(function)
    with pytest.raises(StoreError, match=rf"cannot be kept: it holds ({FUNCTIONS})"):
        dump_estimator(estimator)
    with pytest.raises(StoreError, match=rf"is not loaded: .*({FUNCTIONS})"):
        load_estimator(skops.io.dumps(estimator), ["os", "posix"])


@pytest.mark.parametrize(
    "member", ["../estimator.npy", "/etc/passwd", "..\\x.npy", "C:\\x.npy", "folder/x.npy", "x.pkl"]
)
def test_a_file_with_another_path_is_refused(member: str) -> None:
    with pytest.raises(StoreError, match="holds files that skops does not write"):
        load_estimator(file_of(text(1, 1), **{member: b""}))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO(skops.io.dumps(GaussianNB().fit(NUMBERS, NAMES)))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.npy", bytes(10**7))
    with pytest.raises(StoreError, match=r"zeros\.npy is compressed"):
        load_estimator(buffer.getvalue())

    monkeypatch.setattr(trusted_types, "MAX_BYTES", 10**6)
    matrix = io.BytesIO()
    with zipfile.ZipFile(matrix, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", bytes(10**7))
    state = node("SparseMatrixNode scipy.sparse._csr.csr_matrix", type="scipy", file="1.npz")
    with pytest.raises(StoreError, match="more than 1,000,000 bytes when unpacked"):
        load_estimator(file_of(state, **{"1.npz": matrix.getvalue()}))

    copies = (node("BytesNode builtins.bytes", number, file="a.bin") for number in range(1, 1000))
    with pytest.raises(StoreError, match="two nodes share a part of the file"):
        load_estimator(file_of(sequence("list", 2000, *copies), **{"a.bin": bytes(1000)}))


def test_what_is_no_file_of_an_estimator_is_refused() -> None:
    nested = '{"content":' * 100_000
    for content in (b"", b"PK", file_of({"protocol": 0}), file_of({}), file_of({"x": nested}), b"\x80\x04N."):
        with pytest.raises(StoreError, match=r"The file of the estimator cannot be read: .+\.$"):
            load_estimator(content)


def local_function() -> Callable[[Any], Any]:
    def triple(rows: Any) -> Any:
        return rows * 3

    return triple


class Selfish(FunctionTransformer):
    """An estimator that refers to itself."""

    def fit(self, X: Any, y: Any = None) -> Any:  # noqa: N803
        self.me_ = self
        return super().fit(X, y)


def test_what_cannot_be_kept_is_named_with_what_to_do() -> None:
    in_notebook = types.FunctionType(local_function().__code__, {}, "scale")
    in_notebook.__module__ = "__main__"
    local = "is defined in a notebook, a script or inside another function. Define it at the top of a module"
    for function, message in (
        (lambda rows: rows, "it holds a lambda, which has no name to read it back by. Write a function with def"),
        (in_notebook, f": scale {local}"),
        (local_function(), f"triple {local}"),
        (np.save, "it holds numpy.save, which cannot be read back safely. Use a function or class of your own module"),
    ):
        with pytest.raises(StoreError, match=f"A FunctionTransformer cannot be kept.*{message}"):
            dump_estimator(FunctionTransformer(function))
    with pytest.raises(StoreError, match="A Selfish cannot be kept: it refers to itself"):
        dump_estimator(Selfish().fit(NUMBERS))


def double(rows: Any) -> Any:
    return rows * 2


def test_a_function_of_the_descriptions_own_module_is_kept() -> None:
    estimator = make_pipeline(FunctionTransformer(double), linear()).fit(NUMBERS, NAMES)
    own = double.__module__.partition(".")[0]
    content = read_back(estimator, NUMBERS, [own])
    with pytest.raises(StoreError, match=f"asks for what is not loaded: {double.__module__}.double"):
        load_estimator(content)


def test_an_estimator_that_predicts_otherwise_once_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = GaussianNB().fit(NUMBERS, NAMES)
    other = dump_estimator(GaussianNB().fit(NUMBERS, NAMES[::-1]))
    monkeypatch.setattr("irislib._modeling.estimator_file.dump_estimator", lambda estimator: other)
    with pytest.raises(StoreError, match="A GaussianNB cannot be kept: once read back, predict differs"):
        read_back(estimator, NUMBERS)


def test_a_distribution_that_is_kept_draws_as_scipys_own() -> None:
    search = RandomizedSearchCV(SVC(), {"C": loguniform(0.1, 10)}, n_iter=2, random_state=0).fit(NUMBERS, NAMES)
    loaded = load_estimator(dump_estimator(search))
    kept = loaded.param_distributions["C"]
    assert repr(kept) == "loguniform(0.1, 10)"
    assert kept.rvs(random_state=0) == loguniform(0.1, 10).rvs(random_state=0)
    assert load_estimator(dump_estimator(loaded)).fit(NUMBERS, NAMES).best_params_ == search.best_params_
    with pytest.raises(TypeError, match="describe is no distribution"):
        type(kept)("describe", (), {}).rvs()
