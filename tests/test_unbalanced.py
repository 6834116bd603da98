"""Models of very unequal classes: a high accuracy does not lead, and 99.7 % is not 100 %."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier

import irislib
from irislib import Model, insights
from irislib._common.formatting import format_apart, format_score, format_share
from irislib.cli import report
from irislib.widgets._blocks import Table
from irislib.widgets._html import render

X = pd.DataFrame({"amount": np.arange(1000.0)})
RARE = np.where(X.amount >= 990, "fraud", "fine")
HALF = np.where(X.amount >= 500, "fraud", "fine")


@pytest.fixture(scope="module")
def rare() -> Model:
    """A model that finds 7 of 10 rare rows, and is right in 99.7 % of all."""
    labels = np.where(X.amount >= 993, "fraud", "fine")
    return Model.from_estimator(DecisionTreeClassifier().fit(X, labels), X, RARE, name="fraud")


def test_balanced_accuracy_leads_with_its_baseline_everywhere(rare: Model) -> None:
    lines = [line.split() for line in report(rare).splitlines()[2:]]
    assert [" ".join(line[:-1]) for line in lines] == [
        "balanced accuracy", "accuracy", "baseline balanced accuracy", "baseline accuracy"
    ]  # fmt: skip
    assert [line[-1] for line in lines] == ["0.85", "0.997", "0.5", "0.99"]
    table = re.findall(
        r"^\| ((?:balanced )?accuracy) \| ([\d.]+) \|.*\| ([\d.]+) \|$", irislib.card(rare), re.MULTILINE
    )
    assert table == [("balanced accuracy", "0.850", "0.500"), ("accuracy", "0.997", "0.990")]
    text = insights.confusion_matrix(rare).text
    assert text.startswith("On average over the classes, it found 85% of the test rows of a class (balanced accuracy)")
    assert text.index("would find 50%") < text.index("997 of 1000 test rows")
    assert text in irislib.card(rare)
    html = rare._repr_html_()
    assert html.index("85% are found") < html.index("would find 50%") < html.index("99.7% are predicted correctly")


def test_nothing_that_is_not_whole_is_called_100_percent(rare: Model) -> None:
    texts = [report(rare), rare._repr_html_()]
    texts += [function(rare).text for function in (insights.confusion_matrix, insights.class_metrics)]
    assert not [text for text in texts if "100%" in text]
    assert "99.7% (95% interval 99% to 99.9%)" in insights.confusion_matrix(rare).text


def test_accuracy_leads_where_classes_are_about_equal() -> None:
    model = Model.from_estimator(DummyClassifier().fit(X, HALF), X, HALF, name="even")
    assert not model.evaluation.is_unbalanced
    assert next(iter(model.evaluation.measures)) == "accuracy"
    assert "balanced" not in insights.confusion_matrix(model).text
    assert "balanced" not in model._repr_html_()


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.5, "50%"),
        (0.994, "99%"),
        (0.995, "99.5%"),
        (0.997, "99.7%"),
        (0.99999, "99.9%"),
        (1, "100%"),
        (0, "0%"),
        (0.004, "0.4%"),
        (0.005, "0.5%"),
        (1e-9, "0.1%"),
    ],
)
def test_only_a_whole_share_is_100_percent_and_only_none_is_0_percent(share: float, text: str) -> None:
    assert format_share(share) == text


def test_a_score_below_1_is_not_shown_as_1() -> None:
    assert [format_score(score) for score in (0.5, 0.9997, 1, -2.5)] == ["0.500", "0.999", "1.000", "-2.500"]


def test_a_probability_below_1_is_not_shown_as_1_on_the_page() -> None:
    table = Table(pd.DataFrame({"class": ["a", "b", "c"], "probability": [0.9997, 1.0, 0.5]}), "probability")
    assert re.findall(r">([\d.]+%)<", render([table])) == ["99.9%", "100%", "50%"]


def test_two_shares_are_told_apart() -> None:
    assert format_apart(0.4, 0.32) == ("40%", "32%")
    assert format_apart(0.3204, 0.3201) == ("32.04%", "32.01%")
    assert format_apart(0.5, 0.5) == ("50%", "50%")
