"""The same data give the same model: every part of an estimator that draws at random is seeded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import import_booster
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_selection import SelectKBest, mutual_info_classif
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, TargetEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from irislib import Feature, ModelSpec, train
from irislib._modeling import checkup
from irislib._modeling.seeding import seeded


class Averaged(ClassifierMixin, BaseEstimator):
    """An ensemble that has its estimators in a plain list, as other libraries' do."""

    def __init__(self, parts: Any) -> None:
        self.parts = parts

    def fit(self, x: Any, y: Any) -> Averaged:
        self.classes_ = np.unique(y)
        self.fitted_ = [clone(part).fit(x, y) for part in self.parts]
        return self

    def predict_proba(self, x: Any) -> Any:
        return np.mean([part.predict_proba(x) for part in self.fitted_], axis=0)

    def predict(self, x: Any) -> Any:
        return self.classes_[self.predict_proba(x).argmax(axis=1)]


def rows() -> pd.DataFrame:
    """Return a table with a category of many values, numbers that tell little, and two targets."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(160, 5)).round(2), columns=list("abcde"))
    frame["town"] = [f"t{n}" for n in rng.integers(0, 30, 160)]
    frame["size"] = frame["a"] + rng.normal(size=160).round(2)
    frame["kind"] = np.where(frame["size"] > 0, "big", "little")
    return frame


def noisy(x: Any) -> Any:
    return x + np.random.normal(size=x.shape)


def encoded(last: Any, **options: Any) -> Any:
    return make_pipeline(make_column_transformer((TargetEncoder(**options), ["town"]), remainder="passthrough"), last)


def numbers(last: Any) -> Any:
    return make_pipeline(make_column_transformer(("passthrough", list("abcde"))), last)


FOREST = RandomForestClassifier(4)
CASES: dict[str, tuple[Any, str]] = {
    "TargetEncoder": (encoded(LogisticRegression()), "kind"),
    "TargetEncoder, cv=None": (encoded(LogisticRegression(), cv=None), "kind"),
    "TargetEncoder of a number": (encoded(RidgeCV(), target_type="continuous"), "size"),
    "TargetEncoder of a number, unsaid": (encoded(RidgeCV()), "size"),
    "TargetEncoder with folds": (encoded(LogisticRegression(), cv=KFold(3, shuffle=True)), "kind"),
    "score function": (numbers(make_pipeline(SelectKBest(mutual_info_classif, k=1), LogisticRegression())), "kind"),
    "folds of a search": (
        numbers(GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2, 3, 4]}, cv=ShuffleSplit(2))), "kind",
    ),
    "estimators in the grid of a search": (
        GridSearchCV(numbers(LogisticRegression()), {"logisticregression": [FOREST]}, cv=2), "kind",
    ),
    "estimators in a random search": (
        RandomizedSearchCV(numbers(FOREST), [{"randomforestclassifier": [FOREST]}], n_iter=1, cv=2), "kind",
    ),
    "estimators of an ensemble": (
        numbers(StackingClassifier([("a", FOREST)], BaggingClassifier(), cv=StratifiedKFold(2, shuffle=True))), "kind",
    ),
    "estimators in a list": (numbers(Averaged([FOREST, {"last": FOREST}["last"]])), "kind"),
    "LightGBM": (lambda: numbers(import_booster("lightgbm").LGBMClassifier(
        n_estimators=5, subsample=0.5, subsample_freq=1, verbose=-1, n_jobs=1)), "kind"),
    "XGBoost": (lambda: numbers(import_booster("xgboost").XGBRegressor(n_estimators=5, subsample=0.5)), "size"),
}  # fmt: skip


def spec_of(estimator: Any, target: str) -> ModelSpec:
    features = [*(Feature(name) for name in "abcde"), Feature("town", "text")]
    return ModelSpec(name="seeds", features=features, target=target, load_data=rows, estimator=estimator)


TAKES_FOLDS = TargetEncoder().get_params()["random_state"] == "deprecated"  # since scikit-learn 1.9


@pytest.mark.parametrize("name", CASES)
def test_the_same_data_give_the_same_model(name: str) -> None:
    if name in ("TargetEncoder, cv=None", "TargetEncoder with folds") and not TAKES_FOLDS:
        pytest.skip("TargetEncoder takes a number of folds alone.")
    estimator, target = CASES[name]
    spec = spec_of(estimator() if callable(estimator) else estimator, target)
    before = repr(spec.estimator.get_params())
    models = []
    for seed in (1, 2):
        np.random.seed(seed)  # of the generator that unseeded parts draw from
        unused = np.random.get_state()
        models.append(train(spec))
        assert repr(np.random.get_state()) == repr(unused)
    x = rows().drop(columns=["size", "kind"])
    for method in ("predict", *(["predict_proba"] if target == "kind" else [])):
        predicted = [getattr(model.estimator, method)(x) for model in models]
        np.testing.assert_array_equal(*predicted)
    assert repr(spec.estimator.get_params()) == before


def defaults() -> Iterator[Any]:
    """Yield an estimator or transformer of each class of scikit-learn."""
    for _, kind in all_estimators():
        for arguments in ((), (DecisionTreeClassifier(),), (DecisionTreeClassifier(), {})):
            try:
                with warnings.catch_warnings(action="ignore"):  # of what is to be left out later
                    yield kind(*arguments)
                break
            except TypeError:
                continue


def test_no_part_of_scikit_learn_is_left_unseeded() -> None:
    """Seeds that have another name or default in a new version of scikit-learn are seen here."""
    left = {}
    count = 0
    for estimator in defaults():
        count += 1
        parameters = seeded(estimator, 7).get_params()
        seeds = {name: value for name, value in parameters.items() if "random_state" in name or "seed" in name}
        if isinstance(estimator, TargetEncoder) and isinstance(estimator.cv, StratifiedKFold | KFold):
            seeds["random_state"] = estimator.cv.random_state
        left |= {f"{type(estimator).__name__}.{k}": v for k, v in seeds.items() if type(v) not in (int, bool)}
    assert count > 180
    assert left == {"MeanShift.seeds": None}  # points to start from, chosen without chance


def test_what_is_seeded_or_fitted_already_stays() -> None:
    folds = KFold(3, shuffle=True, random_state=3)
    forest = RandomForestClassifier(4).fit(rows()[["a"]], rows()["kind"])
    search = seeded(GridSearchCV(FrozenEstimator(forest), {}, cv=folds), 7)
    assert (folds.random_state, forest.random_state) == (3, None)
    assert search.cv is folds
    in_order = KFold(3)
    assert seeded(GridSearchCV(LogisticRegression(random_state=1), {}, cv=in_order), 7).estimator.random_state == 1
    assert in_order.random_state is None


def test_check_names_a_training_that_is_not_reproducible() -> None:
    spec = spec_of(numbers(make_pipeline(FunctionTransformer(noisy), LogisticRegression())), "kind")
    checked = checkup._check_spec(spec, "seeds")
    assert next(checked)[0]
    sentence = "the same data give another model each time: set the random_state of each part of the estimator"
    assert next(checked) == (False, sentence)
