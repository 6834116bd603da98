"""Estimators of every sort, and what users do with one: the doors that each of them goes through.

The tests take every estimator through every door; ``make estimators`` writes what comes of it to docs/estimators.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from conftest import import_booster
from scipy.stats import loguniform
from sklearn import (
    calibration,
    cluster,
    datasets,
    discriminant_analysis,
    dummy,
    ensemble,
    gaussian_process,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, TunedThresholdClassifierCV
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, PolynomialFeatures, SplineTransformer, StandardScaler

import irislib
from irislib import Model, ModelSpec, insights
from irislib._modeling import checkup
from irislib.api import create_app
from irislib.errors import IrislibError, NotApplicableError
from irislib.insights._long_running import LongRunning
from irislib.insights._registry import insight_entries
from irislib.widgets import _pieces

logistic = linear_model.LogisticRegression
encoder = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["colour"]), (SimpleImputer(), ["length", "width"])
)


def table(n: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"length": rng.normal(5, 1, n).round(2), "width": rng.normal(3, 1, n).round(2)})
    data["colour"] = rng.choice(["red", "green"], n)
    return data


def birds(n: int = 200) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table such as that of the penguins: text with accents, a categorical, numbers with gaps, a flag."""
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 3, n)
    frame = pd.DataFrame({
        "Île": np.array(["Île de la Possession", "Dream", "Torgersen"])[(kind + rng.integers(0, 2, n)) % 3],
        "beak length (mm)": (38 + 5 * kind + rng.normal(0, 2, n)).round(1),
        "beak depth (mm)": (15 + 2 * (kind == 1) + rng.normal(0, 1, n)).round(1),
        "mass [g]": (3500 + 600 * kind + rng.normal(0, 300, n)).round(-1),
        "sex": pd.Categorical(rng.choice(["female", "male"], n)),
        "ringed": rng.random(n) < 0.5,
    })  # fmt: skip
    frame.loc[rng.random(n) < 0.1, "mass [g]"] = np.nan
    frame.loc[rng.random(n) < 0.1, "sex"] = np.nan
    return frame, pd.Series(np.array(["Adélie", "Chinstrap", "Gentoo"])[kind], name="species")


def real(load: Callable[..., Any], n: int = 300) -> tuple[pd.DataFrame, pd.Series]:
    """Return rows of a table that scikit-learn has, in random order."""
    data = load(as_frame=True)
    frame = data.frame.sample(n=min(n, len(data.frame)), random_state=0, ignore_index=True)
    return frame[data.feature_names], frame["target"]


mixed = make_pipeline(
    make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
            ["Île", "sex"],
        ),
        (SimpleImputer(), ["beak length (mm)", "beak depth (mm)", "mass [g]"]),
        remainder="passthrough",
    ),
    ensemble.RandomForestClassifier(10),
)
NUMBERS = table()[["length", "width"]]
SIZE = 3 * NUMBERS.length - NUMBERS.width
TWO = np.where(SIZE > 12, "groß & schwer", "klein")
THREE = np.digitize(SIZE, [10, 14])


def booster(module: str, name: str, **options: Any) -> Callable[[], Any]:
    return lambda: getattr(import_booster(module), name)(n_estimators=10, **options)


single = {"verbose": -1, "n_jobs": 1}  # threads of LightGBM that share a core wait for each other in busy loops
CASES: dict[str, tuple[Any, Any, Any]] = {
    # classifiers
    "LogisticRegression": (logistic(), NUMBERS, TWO),
    "LogisticRegression, three integer classes": (logistic(), NUMBERS, THREE),
    "RandomForestClassifier, booleans": (ensemble.RandomForestClassifier(10), NUMBERS, SIZE.to_numpy() > 12),
    "DecisionTreeClassifier, float classes": (tree.DecisionTreeClassifier(max_depth=3), NUMBERS, THREE.astype(float)),
    "SVC": (svm.SVC(), NUMBERS, TWO),
    "SVC, with probabilities": (svm.SVC(probability=True), NUMBERS, TWO),
    "LinearSVC": (svm.LinearSVC(), NUMBERS, THREE),
    "GaussianNB": (naive_bayes.GaussianNB(), NUMBERS, THREE),
    "KNeighborsClassifier": (neighbors.KNeighborsClassifier(), NUMBERS, TWO),
    "RandomForestClassifier": (ensemble.RandomForestClassifier(10), NUMBERS, THREE),
    "ExtraTreesClassifier": (ensemble.ExtraTreesClassifier(10), NUMBERS, TWO),
    "GradientBoostingClassifier": (ensemble.GradientBoostingClassifier(n_estimators=5), NUMBERS, THREE),
    "HistGradientBoostingClassifier": (ensemble.HistGradientBoostingClassifier(max_iter=5), NUMBERS, TWO),
    "HistGradientBoostingClassifier, categories": (
        ensemble.HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype"),
        table().astype({"colour": "category"}), TWO,
    ),
    "AdaBoostClassifier": (ensemble.AdaBoostClassifier(n_estimators=5), NUMBERS, TWO),
    "MLPClassifier": (neural_network.MLPClassifier((4,), max_iter=30), NUMBERS, THREE),
    "LinearDiscriminantAnalysis": (discriminant_analysis.LinearDiscriminantAnalysis(), NUMBERS, THREE),
    "VotingClassifier": (ensemble.VotingClassifier([("a", logistic()), ("b", naive_bayes.GaussianNB())]), NUMBERS, TWO),
    "VotingClassifier, soft": (
        ensemble.VotingClassifier([("a", logistic()), ("b", naive_bayes.GaussianNB())], voting="soft"), NUMBERS, TWO,
    ),
    "StackingClassifier": (ensemble.StackingClassifier([("a", naive_bayes.GaussianNB())], cv=2), NUMBERS, THREE),
    "BaggingClassifier": (ensemble.BaggingClassifier(n_estimators=3), NUMBERS, TWO),
    "CalibratedClassifierCV of LinearSVC": (calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=2), NUMBERS, TWO),
    "TunedThresholdClassifierCV": (TunedThresholdClassifierCV(logistic(), cv=2), NUMBERS, TWO),
    "GridSearchCV": (GridSearchCV(logistic(), {"C": [0.1, 1]}, cv=2), NUMBERS, THREE),
    "RandomizedSearchCV": (RandomizedSearchCV(logistic(), {"C": loguniform(0.1, 1)}, n_iter=2, cv=2), NUMBERS, TWO),
    "OneHotEncoder and RandomForestClassifier": (
        make_pipeline(encoder, ensemble.RandomForestClassifier(10)), table(), TWO,
    ),
    "KBinsDiscretizer and LogisticRegression": (
        make_pipeline(KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), logistic()), NUMBERS, TWO,
    ),
    "TfidfVectorizer and LogisticRegression": (
        make_pipeline(make_column_transformer((TfidfVectorizer(), "colour"), remainder="passthrough"), logistic()),
        table(), TWO,
    ),
    "DummyClassifier": (dummy.DummyClassifier(), NUMBERS, TWO),
    # regressors
    "LinearRegression": (linear_model.LinearRegression(), NUMBERS, SIZE),
    "PolynomialFeatures and Ridge": (make_pipeline(PolynomialFeatures(), linear_model.Ridge()), NUMBERS, SIZE),
    "SplineTransformer and ElasticNet": (
        make_pipeline(SplineTransformer(), linear_model.ElasticNet(0.01)), NUMBERS, SIZE,
    ),
    "SVR": (svm.SVR(), NUMBERS, SIZE),
    "RandomForestRegressor": (ensemble.RandomForestRegressor(10), NUMBERS, SIZE),
    "HistGradientBoostingRegressor": (ensemble.HistGradientBoostingRegressor(max_iter=5), NUMBERS, SIZE),
    "KNeighborsRegressor": (neighbors.KNeighborsRegressor(), NUMBERS, SIZE),
    "GaussianProcessRegressor": (gaussian_process.GaussianProcessRegressor(alpha=0.1), NUMBERS, SIZE),
    "TransformedTargetRegressor": (
        TransformedTargetRegressor(linear_model.LinearRegression(), transformer=StandardScaler()), NUMBERS, SIZE,
    ),
    "OneHotEncoder and LinearRegression": (make_pipeline(encoder, linear_model.LinearRegression()), table(), SIZE),
    # boosters
    "XGBClassifier (XGBoost)": (booster("xgboost", "XGBClassifier"), NUMBERS, THREE),
    "XGBRegressor (XGBoost)": (booster("xgboost", "XGBRegressor"), NUMBERS, SIZE),
    "LGBMClassifier (LightGBM)": (booster("lightgbm", "LGBMClassifier", **single), NUMBERS, TWO),
    "LGBMRegressor (LightGBM)": (booster("lightgbm", "LGBMRegressor", **single), NUMBERS, SIZE),
    "CatBoostClassifier": (
        booster("catboost", "CatBoostClassifier", verbose=False, allow_writing_files=False), NUMBERS, TWO,
    ),
    "CatBoostClassifier, `cat_features`": (
        booster("catboost", "CatBoostClassifier", cat_features=["colour"], verbose=False, allow_writing_files=False),
        table(), TWO,
    ),
    "CatBoostRegressor": (
        booster("catboost", "CatBoostRegressor", verbose=False, allow_writing_files=False), NUMBERS, SIZE,
    ),
    # real tables, and one such as people have
    "LogisticRegression, wine": (make_pipeline(StandardScaler(), logistic()), *real(datasets.load_wine)),
    "RandomForestClassifier, breast cancer": (ensemble.RandomForestClassifier(10), *real(datasets.load_breast_cancer)),
    "SVC, digits": (svm.SVC(gamma=0.001), *real(datasets.load_digits)),
    "LassoCV, diabetes": (linear_model.LassoCV(cv=3), *real(datasets.load_diabetes)),
    "a Pipeline for text, categories and gaps": (mixed, *birds()),
}  # fmt: skip

# What is refused, with the start of its sentence.
REFUSED: dict[str, tuple[Any, Any, Any]] = {
    "IsolationForest": (ensemble.IsolationForest(), NUMBERS, SIZE),
    "KMeans": (cluster.KMeans(2, n_init=1), NUMBERS, SIZE),
    "StandardScaler": (StandardScaler(), NUMBERS, SIZE),
    "MultiOutputRegressor, three numbers (linnerud)": (
        MultiOutputRegressor(linear_model.LinearRegression()), *datasets.load_linnerud(return_X_y=True, as_frame=True),
    ),
    "RandomForestClassifier, two classes at once": (
        ensemble.RandomForestClassifier(3), NUMBERS, np.column_stack([THREE, THREE]),
    ),
    "MultiOutputClassifier": (MultiOutputClassifier(logistic()), NUMBERS, np.column_stack([THREE, THREE])),
    "ClassifierChain": (ClassifierChain(logistic()), NUMBERS, np.column_stack([THREE > 0, THREE > 1])),
    "LinearRegression, two numbers": (linear_model.LinearRegression(), NUMBERS, np.column_stack([SIZE, SIZE])),
}  # fmt: skip


class Visit:
    """One estimator, fitted on the first three quarters of its rows, and what becomes of it at the doors.

    Parameters
    ----------
    make : estimator or callable
        An estimator that is not fitted yet, or what makes it.
    x : DataFrame
    y : array-like
    folder : Path
        Where its file is saved.
    """

    def __init__(self, make: Any, x: pd.DataFrame, y: Any, folder: Path):
        self.x, self.y = x, y
        self.unfitted = clone(make) if hasattr(make, "fit") else make()
        self.file = folder / "thing.irislib"
        n = len(self.x) * 3 // 4
        self.x_train, self.y_train, self.x_test, self.y_test = self.x[:n], self.y[:n], self.x[n:], self.y[n:]
        estimator = clone(make) if hasattr(make, "fit") else make()
        self.estimator = estimator.fit(self.x_train, self.y_train)
        self.expected = np.asarray(self.estimator.predict(self.x_test)).ravel()
        (cells,) = self.x_test.head(1).to_dict("records")
        self.cells = {name: cell for name, cell in cells.items() if cell == cell}

    @cached_property
    def model(self) -> Model:
        rest = {"X_train": self.x_train, "y_train": self.y_train, "name": "thing"}
        return Model.from_estimator(self.estimator, self.x_test, self.y_test, **rest)

    @cached_property
    def row(self) -> dict[str, Any]:
        """The first test row, by the features' names."""
        return {f.name: self.cells[c] for f, c in zip(self.model.spec.features, self.x, strict=True) if c in self.cells}

    @cached_property
    def client(self) -> Any:
        return create_app([self.model]).test_client()

    def train(self) -> None:
        spec = ModelSpec(
            "thing", irislib.infer_features(self.x), "answer", lambda: self.x.assign(answer=self.y), self.unfitted
        )
        model = irislib.train(spec)
        assert model.estimator is not self.unfitted
        assert_equal(model.predict(self.x.head(1)), model.estimator.predict(self.x.head(1)))

    def from_estimator(self) -> None:
        assert self.model.estimator is self.estimator
        assert (self.model.classes is None) is (len(np.unique(self.y)) > 10)

    def save_and_load(self) -> None:
        again = irislib.load(str(self.model.save(self.file)))
        assert_equal(again.predict(self.x_test), self.expected)

    def check(self, with_insights: bool = True) -> None:
        with ExitStack() as stack:
            # not the imports, which are the same for all and take a process of their own
            stack.enter_context(patch.object(checkup, "check_imports", lambda modules: iter(())))
            if not with_insights:
                stack.enter_context(patch.object(checkup, "_make_insight", lambda *_: "can be made"))
            results = list(checkup.check_model([str(self.file)]))
        assert all(is_good for is_good, _ in results), results

    def predict(self) -> None:
        assert_equal(self.model.predict(self.x_test), self.expected)
        prediction = self.model.predict_row(self.row)
        assert_equal([prediction.prediction], self.expected[:1])
        assert str(prediction)

    def insights(self) -> None:
        prediction, sentences = self.model.predict_row(self.row), []
        for entry in insight_entries(insights.default_tabs(self.model).items()).values():
            if isinstance(entry.function, LongRunning) and entry.function.trains:
                continue
            try:
                insight = entry.function(self.model, *([prediction] if entry.needs_row else []))
                assert insight.text
                assert len(insight.frame)
            except NotApplicableError as error:
                sentences.append(str(error))
        if sentences:
            raise NotApplicableError(" ".join(dict.fromkeys(sentences)))

    def card(self) -> None:
        assert irislib.card(self.model)

    def post(self) -> None:
        assert_equal([self.client.post("/thing", json=self.row).json], self.expected[:1])
        for path in ("/thing/schema", "/openapi.json", "/docs"):
            assert self.client.get(path).status_code == 200

    def batch(self) -> None:
        assert_equal([self.client.post("/thing/batch", json=[self.row]).json[0]["prediction"]], self.expected[:1])
        table = self.x_test.head(2).to_csv(index=False)
        assert self.client.post("/thing/batch", data=table, content_type="text/csv").status_code == 200

    def page(self, with_insights: bool = True) -> None:
        page = irislib.app(self.model)
        values = {name: str(value) for name, value in self.row.items()}
        reply, _ = page.reply({"method": "submit", "values": values, "files": [], "id": 0})
        assert reply.get("announcement") == str(self.model.predict_row(self.row)), reply
        if not with_insights:
            return
        # the same charts for all: drawing takes longer than all else, and `check` has drawn each of them
        with patch.object(_pieces, "charts_of", lambda insight: [_pieces.Picture("<svg/>", insight.text)]):
            for index, tab in enumerate(page.facts["tabs"][:-1]):  # the last one takes a CSV file
                reply, _ = page.reply({"method": "draw", "tab": index, "id": index + 1})
                assert "error" not in reply, tab["title"]


DOORS: dict[str, Callable[[Visit], None]] = {
    "train": Visit.train,
    "from_estimator": Visit.from_estimator,
    "save, load": Visit.save_and_load,
    "check": Visit.check,
    "predict": Visit.predict,
    "insights": Visit.insights,
    "card": Visit.card,
    "POST": Visit.post,
    "batch": Visit.batch,
    "page": Visit.page,
}


# One estimator of each kind of output and of data. The insights of all others are computed by the door `insights`
# alone, and neither drawn by `check` nor shown on the page, unless all is wanted (`FUZZ=2`, `make estimators`).
REPRESENTATIVE = {
    "LogisticRegression, three integer classes", "SVC", "RandomForestClassifier, booleans",
    "HistGradientBoostingClassifier, categories", "XGBClassifier (XGBoost)", "TunedThresholdClassifierCV",
    "OneHotEncoder and LinearRegression", "CatBoostRegressor", "a Pipeline for text, categories and gaps",
}  # fmt: skip


def outcomes(name: str, folder: Path, everything: bool = True) -> dict[str, str]:
    """Take an estimator through every door: an empty text for what works, else the sentence that says why not."""
    visit = Visit(*CASES[name], folder)
    doors = DOORS
    if not everything and name not in REPRESENTATIVE:
        doors = {**DOORS, "check": partial(Visit.check, with_insights=False)}
        doors["page"] = partial(Visit.page, with_insights=False)
    result = {}
    for door, enter in doors.items():
        try:
            enter(visit)
            result[door] = ""
        except IrislibError as error:
            result[door] = one_line(error)
    return result


def refusal(name: str) -> str:
    """Return the sentence that refuses an estimator."""
    make, x, y = REFUSED[name]
    try:
        Model.from_estimator(clone(make).fit(x, y), x, y, name="thing")
    except IrislibError as error:
        return one_line(error).rpartition("estimator: ")[2].replace("this ", "This ")
    raise AssertionError(f"{name} is not refused")


def one_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error)).strip()


def assert_equal(actual: Any, expected: Any) -> None:
    actual, expected = np.asarray(actual).ravel(), np.asarray(expected).ravel()
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(actual.astype(float), expected, rtol=1e-5)
    else:
        assert actual.tolist() == expected.tolist()
