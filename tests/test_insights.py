"""Insights hold the right numbers, and draw without pyplot."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from cases import GOOD
from matplotlib.figure import Figure
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, GradientBoostingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance as permute
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix as count
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.tree import DecisionTreeClassifier

import irislib
from irislib import insights
from irislib.errors import NotApplicableError


def test_importances_are_the_forests_own(iris) -> None:
    frame = insights.feature_importances(iris).frame.set_index("feature")
    expected = dict(zip(iris.spec.feature_names, iris.estimator.feature_importances_, strict=True))
    trees = np.array([tree.feature_importances_ for tree in iris.estimator.estimators_])
    for feature, spread in zip(iris.spec.features, trees.std(axis=0), strict=True):
        assert frame["importance"][feature.label] == pytest.approx(expected[feature.name])
        assert frame["SD"][feature.label] == pytest.approx(spread)
    assert frame["importance"].sum() == pytest.approx(1)
    assert frame["importance"].is_monotonic_decreasing


@pytest.mark.parametrize("name", ["iris", "rent"])
def test_permutation_importances_are_scikit_learns(name: str, request) -> None:
    model = request.getfixturevalue(name)
    found = insights.permutation_importance(model, n_repeats=3).frame
    held_out = model.evaluation
    expected = permute(model.estimator, held_out.features, held_out.y_true, n_repeats=3, random_state=0)
    assert sorted(found.iloc[:, 1]) == pytest.approx(sorted(expected.importances_mean))
    assert sorted(found["SD"]) == pytest.approx(sorted(expected.importances_std))


def test_confusion_matrix_counts_every_held_out_row(iris) -> None:
    found = insights.confusion_matrix(iris)
    np.testing.assert_array_equal(found.frame, count(iris.evaluation.y_true, iris.evaluation.y_pred))
    assert (found.frame.index.name, found.frame.columns.name) == ("true species", "predicted species")
    assert found.text.startswith("29 of 30 held-out rows")


def test_class_probabilities_of_a_row(iris) -> None:
    found = insights.class_probabilities(iris, GOOD)
    expected = dict(zip(iris.classes, iris.predict_proba(GOOD)[0], strict=True))
    assert dict(found.frame.itertuples(index=False)) == expected
    assert found.frame["species"][0] == "virginica"
    assert found.text.startswith("virginica with a probability of")


def test_a_regression_is_shown_by_its_errors(rent) -> None:
    found = insights.predicted_against_true(rent)
    assert list(found.frame) == ["true rent (EUR)", "predicted rent (EUR)"]
    error = (found.frame.iloc[:, 0] - found.frame.iloc[:, 1]).abs().mean()
    assert f"off by {error:.3g} EUR on average" in found.text


@pytest.mark.parametrize(
    "estimator",
    [
        BaggingClassifier(DecisionTreeClassifier()),
        VotingClassifier([("a", DecisionTreeClassifier()), ("b", LogisticRegression(max_iter=500))]),
        GradientBoostingClassifier(n_estimators=5),
        AdaBoostClassifier(n_estimators=5),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_importances_are_for_forests_only(iris, estimator) -> None:
    model = irislib.train(replace(iris.spec, estimator=estimator))
    with pytest.raises(NotApplicableError, match="is no forest"):
        insights.feature_importances(model)
    assert len(insights.permutation_importance(model, n_repeats=2).frame) == 4


def test_the_probability_that_is_told_is_that_of_the_prediction(iris) -> None:
    data = iris.spec.load_data().query("species != 'setosa'").assign(probability=lambda d: d.species)
    shy = FixedThresholdClassifier(LogisticRegression(), threshold=0.99, pos_label="virginica")
    model = irislib.train(replace(iris.spec, estimator=shy, target="probability"), data)
    found = insights.class_probabilities(model, {**GOOD, "petal_length_cm": 5.0, "petal_width_cm": 1.8})
    assert found.text.startswith("versicolor with a probability of")
    assert found.frame["class"][0] == "virginica"  # the likelier class, below the threshold


@pytest.mark.parametrize(
    ("function", "name", "why"),
    [
        (insights.feature_importances, "rent", "is no forest to take importances from"),
        (insights.confusion_matrix, "rent", "there are no classes to confuse"),
        (lambda model: insights.class_probabilities(model, {}), "rent", "no classes and no probabilities"),
        (insights.predicted_against_true, "iris", "predicts a class"),
    ],
)
def test_what_does_not_apply_says_so(function, name: str, why: str, request) -> None:
    with pytest.raises(NotApplicableError, match=why):
        function(request.getfixturevalue(name))


def test_every_insight_draws_a_figure_with_labelled_axes_and_without_pyplot(iris, rent) -> None:
    found = [
        insights.feature_importances(iris),
        insights.permutation_importance(rent, n_repeats=2),
        insights.confusion_matrix(iris),
        insights.predicted_against_true(rent),
        insights.class_probabilities(iris, GOOD),
    ]
    for insight in found:
        figure = insight.plot()
        assert isinstance(figure, Figure)
        assert figure.axes[0].get_xlabel()
        assert insight.text.endswith(".")
    code = (
        "import irislib, sys; model = irislib.load('iris-wizard');"
        "irislib.insights.confusion_matrix(model).plot(); print('matplotlib.pyplot' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
