"""Insights of models with hundreds of features, and of slow estimators."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import irislib
from irislib import Feature, insights
from irislib.errors import NotApplicableError
from irislib.insights import _importance, _time_budget
from irislib.widgets._main_fields import order_fields
from irislib.widgets._pieces import numbers_of

STRONG = 217  # the feature that decides


class Clock:
    """A clock that only the estimator moves on."""

    def __init__(self) -> None:
        self.now, self.seconds_per_row, self.calls, self.rows = 0.0, 0.0, 0, 0

    def __call__(self) -> float:
        return self.now

    def work(self, rows: int) -> None:
        self.calls, self.rows, self.now = self.calls + 1, self.rows + rows, self.now + rows * self.seconds_per_row


CLOCK = Clock()


class Logistic(ClassifierMixin, BaseEstimator):
    """Decides by one column, a little by the first one, and takes its time."""

    def fit(self, x: pd.DataFrame, y: np.ndarray) -> Logistic:
        self.classes_, self.n_features_in_ = np.unique(y), x.shape[1]
        return self

    def predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        CLOCK.work(len(x))
        share = 1 / (1 + np.exp(-3 * x.iloc[:, STRONG % x.shape[1]] - 0.3 * x.iloc[:, 0])).to_numpy()
        return np.stack([1 - share, share], axis=1)

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        return self.classes_[self.predict_proba(x).argmax(axis=1)]


class Linear(RegressorMixin, BaseEstimator):
    """The same for a number."""

    def fit(self, x: pd.DataFrame, y: np.ndarray) -> Linear:
        self.n_features_in_ = x.shape[1]
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        CLOCK.work(len(x))
        return (3 * x.iloc[:, STRONG % x.shape[1]] + 0.3 * x.iloc[:, 0]).to_numpy()


class Product(Linear):
    """The product of three columns: what each adds depends on the order."""

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        CLOCK.work(len(x))
        return x.iloc[:, :3].prod(axis=1).to_numpy()


def trained(estimator: Any, n_features: int = 300) -> irislib.Model:
    names = [f"gene_{i}" for i in range(n_features)]
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(80, n_features)), columns=names)
    score = data[names[STRONG % n_features]]
    data["y"] = score if isinstance(estimator, Linear) else np.where(score > 0, "ill", "well")
    return irislib.train(irislib.ModelSpec("wide", [Feature(name) for name in names], "y", lambda: data, estimator))


@pytest.fixture
def clock(tmp_path, monkeypatch) -> Clock:
    """The clock of the time budgets, at 0; results are stored in a store of the test's own."""
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    monkeypatch.setattr(_time_budget, "clock", CLOCK)
    return CLOCK


@pytest.fixture
def slow(clock) -> Callable[..., irislib.Model]:
    """Train a model that takes so many seconds to predict a row from then on."""

    def train(estimator: Any, seconds_per_row: float, n_features: int = 300) -> irislib.Model:
        clock.seconds_per_row = 0.0
        model = trained(estimator, n_features)
        clock.now, clock.calls, clock.rows, clock.seconds_per_row = 0.0, 0, 0, seconds_per_row
        return model

    return train


@pytest.mark.parametrize("estimator", [Logistic(), Linear()])
def test_partial_dependence_of_a_fast_estimator_has_every_feature(slow, estimator) -> None:
    insight = insights.partial_dependence(slow(estimator, 0))
    assert insight.frame["feature"].nunique() == 300
    assert insight.frame["feature"][0] == f"Gene {STRONG}"
    assert insight.text.startswith(f"Gene {STRONG} affects the answer most")
    assert "There was time" not in insight.text
    assert len(insight.plot().axes) == 6


@pytest.mark.parametrize("estimator", [Logistic(), Linear()])
def test_partial_dependence_of_a_slow_estimator_has_the_strongest_features(slow, clock, estimator) -> None:
    insight = insights.partial_dependence(slow(estimator, 1e-4), seconds=2)
    features = insight.frame["feature"].unique()
    assert features[0] == f"Gene {STRONG}"
    assert features[1] == "Gene 0"
    assert 6 <= len(features) < 300
    assert insight.text.endswith(
        f" There was time for {len(features)} of 300 inputs; those that seem to matter most came first."
    )
    assert clock.now < 2.2
    assert len(insight.plot().axes) == 6


def test_partial_dependence_ends_however_slow_the_estimator_is(slow, clock) -> None:
    insight = insights.partial_dependence(slow(Linear(), 1.0), seconds=2)
    assert insight.frame["feature"].nunique() == 1
    assert "There was time for 1 of 300 inputs" in insight.text
    assert clock.rows < 100
    assert len(insight.plot().axes) == 1


def test_partial_dependence_is_the_same_in_one_batch_and_in_many(slow, monkeypatch) -> None:
    model = slow(Logistic(), 0, n_features=7)
    at_once = insights.partial_dependence(model, seconds=math.inf).frame
    monkeypatch.setattr(_time_budget, "MAX_CELLS", 7 * 13)
    pd.testing.assert_frame_equal(insights.partial_dependence(model, seconds=math.inf).frame, at_once)


def test_batches_of_wide_rows_are_small(slow, clock, monkeypatch) -> None:
    monkeypatch.setattr(_time_budget, "MAX_CELLS", 30 * 100)
    model = slow(Linear(), 0, n_features=30)
    insights.partial_dependence(model, seconds=math.inf)
    assert clock.rows / clock.calls <= 100


ROW = {f"gene_{i}": 1.0 if i == STRONG else 0.1 for i in range(300)}


def test_changes_of_a_slow_estimator_are_the_smallest(slow, clock) -> None:
    model = slow(Logistic(), 1e-3)
    all_of_them = insights.smallest_changes(model, ROW, seconds=math.inf)
    assert all_of_them.frame["change"][0].startswith(f"gene {STRONG} ")
    assert "there was time" not in all_of_them.text
    clock.now = clock.rows = 0.0
    insight = insights.smallest_changes(model, ROW, seconds=6)
    assert clock.now < 6.6
    number = re.search(r"; there was time for ([\d,]+) of 11,966 changes, the smallest first\.$", insight.text)
    assert number, insight.text
    assert clock.rows - 2 == int(number[1].replace(",", ""))  # two are the class and probability of the row itself
    assert insight.text.startswith(all_of_them.text.removesuffix("."))


def test_changes_that_were_not_tried_are_not_counted(slow) -> None:
    insight = insights.smallest_changes(slow(Logistic(), 1e-3), ROW, seconds=0.1)
    tried = re.fullmatch(
        r"It stays well: none of the (\d+) changes of one or two inputs that were tried leads to another answer; "
        r"there was time for (\d+) of 11,966 changes, the smallest first\.",
        insight.text,
    )
    assert tried
    assert tried[1] == tried[2]


def test_many_fixed_features_are_a_number_in_the_sentence(slow) -> None:
    insight = insights.smallest_changes(slow(Logistic(), 0), ROW, fixed=[f"gene_{i}" for i in range(200)])
    assert insight.text.endswith("; 200 inputs stay as they are.")


@pytest.mark.parametrize("estimator", [Logistic(), Linear()])
@pytest.mark.parametrize("seconds_per_row", [1e-5, 1e-4, 1e-3])
def test_contributions_of_hundreds_of_features_end_and_add_up(slow, clock, estimator, seconds_per_row) -> None:
    model = slow(estimator, seconds_per_row)
    insight = insights.contributions(model, ROW)
    assert clock.now < 3.5
    assert insight.frame["feature"][0] == f"Gene {STRONG}"
    if seconds_per_row < 1e-3:  # there is time for all held-out rows, and of two features every sample says the same
        assert insight.text.endswith("; the contributions are exact.")
        assert "standard error" not in insight.frame
    else:
        assert "samples" in insight.text
    contributions = insight.frame.iloc[:, 3]
    if isinstance(estimator, Linear):
        background = model.evaluation.features
        assert contributions.sum() == pytest.approx(
            model.predict(ROW)[0] - model.estimator.predict(background).mean(), abs=1e-9
        )
        exact = 3 * (ROW[f"gene_{STRONG}"] - background[f"gene_{STRONG}"].mean())
        assert abs(contributions[0] - exact) <= 4 * insight.frame.get("standard error", [0])[0] + 1e-9


def test_contributions_are_sampled_where_every_combination_would_take_too_long(slow, clock) -> None:
    row = {f"gene_{i}": 1.0 for i in range(9)}
    assert "samples" not in insights.contributions(slow(Product(), 0, n_features=9), row).text
    assert "samples" in insights.contributions(slow(Product(), 1e-3, n_features=9), row).text
    assert clock.now < 3.5


def test_contributions_end_however_slow_the_estimator_is(slow, clock) -> None:
    insights.contributions(slow(Logistic(), 1.0), ROW)
    assert clock.rows < 1500


@pytest.mark.parametrize("estimator", [Logistic(), Linear()])
def test_a_long_form_begins_with_what_moves_the_answer_most(slow, estimator) -> None:
    model = slow(estimator, 1e-5)  # no importances of it are known
    features, main = order_fields(model.spec.features, model)
    assert [feature.name for feature in features[:2]] == [f"gene_{STRONG}", "gene_0"]
    assert main == 12
    assert sorted(features, key=lambda feature: feature.name) == sorted(model.spec.features, key=lambda f: f.name)


def test_a_long_form_of_a_model_without_rows_keeps_its_order(clock) -> None:
    names = [f"gene_{i}" for i in range(300)]
    estimator = Linear().fit(pd.DataFrame(np.zeros((2, 300)), columns=names), np.zeros(2))
    features = [Feature(name, "choice", choices=["0", "1"], dtype="float64") for name in names]
    model = irislib.Model.from_estimator(estimator, features=features)
    assert order_fields(features, model) == (features, 0)


def test_a_slow_estimator_delays_no_form(slow, clock) -> None:
    model = slow(Linear(), 0.05)
    assert order_fields(model.spec.features, model) == (model.spec.features, 0)
    assert clock.now < 5


# ---- what people see


@pytest.fixture(scope="module")
def forest() -> irislib.Model:
    return trained(make_pipeline(StandardScaler(), RandomForestClassifier(5)))


def bars(insight: insights.Insight) -> list[str]:
    (axes,) = insight.plot().axes
    return [label.get_text() for label in axes.get_yticklabels()]


def test_importances_of_hundreds_of_features_are_a_readable_picture(forest, clock) -> None:
    for insight in (insights.feature_importances(forest), insights.permutation_importance(forest)):
        assert len(insight.frame) == 300
        assert bars(insight) == insight.frame["feature"][:12].tolist()
        assert insight.height < 15
        assert insight.text.endswith(" The chart shows the 12 strongest of 300 inputs.")


def test_importances_of_a_pipeline_take_few_rows(forest, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(_importance, "columns", lambda estimator, row, rows: seen.append(len(rows)))
    with pytest.raises(NotApplicableError):
        insights.feature_importances(forest)
    assert seen == [len(forest.evaluation.features) + 2]


def test_contributions_of_the_other_features_are_added_up(forest) -> None:
    insight = insights.contributions(forest, ROW)
    assert len(bars(insight)) == 11
    assert bars(insight)[-1] == "the other 290 inputs"
    (axes,) = insight.plot().axes
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(100 * insight.frame.iloc[:, 3].sum())


def test_a_table_of_thousands_of_rows_is_cut_off_on_the_page(forest) -> None:
    insight = insights.partial_dependence(forest, seconds=math.inf)
    sentence, table = numbers_of(insight)
    assert sentence.text == f"The first 1,000 of {len(insight.frame):,} rows:"
    assert len(table.frame) == 1000
