"""A fitted estimator comes back as it was; a forged file is refused before anything of it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
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

from irislib._modeling.estimator_file import load_estimator, read_back


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
    return getattr(pytest.importorskip(module), name)(**options)


def xgboost(**options: Any) -> Any:
    return booster("xgboost", "XGBClassifier", n_estimators=5, **options)


def lightgbm(**options: Any) -> Any:
    return booster("lightgbm", "LGBMClassifier", n_estimators=5, verbose=-1, **options)


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
    loaded = load_estimator(read_back(estimator, rows))
    assert type(loaded) is type(estimator)
    if hasattr(estimator, "predict_proba"):
        np.testing.assert_array_equal(loaded.predict_proba(rows), estimator.predict_proba(rows))
