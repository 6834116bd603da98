"""Two classes: from which probability on the positive class is answered, what that costs, and how it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tumours
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from sklearn.svm import LinearSVC
from test_cards import NAME
from test_widgets import request

import irislib
from irislib import insights
from irislib.errors import NotApplicableError, SpecError, ValidationError


@pytest.fixture(scope="module")
def plain() -> irislib.Model:
    return irislib.train(tumours.spec)


@pytest.fixture(scope="module")
def careful() -> irislib.Model:
    return irislib.train(replace(tumours.spec, threshold=0.2))


def test_the_counts_are_those_of_scikit_learn(plain) -> None:
    frame = insights.decision_threshold(plain).frame
    scores = plain.evaluation.y_proba[:, plain.classes.index("malignant")]
    is_positive = plain.evaluation.y_true == "malignant"
    for _, row in frame.iloc[:: max(1, len(frame) // 9)].iterrows():
        predicted = scores >= row["threshold"]
        (tn, fp), (fn, tp) = confusion_matrix(is_positive, predicted)
        names = ["true negatives", "false positives", "false negatives", "true positives"]
        assert row[names].tolist() == [tn, fp, fn, tp]
        assert row["recall"] == recall_score(is_positive, predicted)
        assert row["precision"] == precision_score(is_positive, predicted)


def test_the_cheapest_threshold_depends_on_the_costs(plain) -> None:
    cheapest = []
    for missed, alarm in ((10, 1), (1, 1), (1, 10)):
        frame = insights.decision_threshold(plain, missed, alarm).frame
        assert (frame["cost"] == missed * frame["false negatives"] + alarm * frame["false positives"]).all()
        cheapest.append(frame.loc[frame["cost"].idxmin(), "threshold"])
    assert cheapest == sorted(cheapest)
    assert cheapest[0] < cheapest[-1]
    assert "costs 10 times as much" in insights.decision_threshold(plain, 10).text
    for costs in ((-1, 1), (0, 0), ("a", 1), (float("nan"), 1)):
        with pytest.raises(ValidationError, match="cost_missed"):
            insights.decision_threshold(plain, *costs)


def test_gains_count_the_positive_class_among_the_highest(plain) -> None:
    insight = insights.gains(plain)
    scores = plain.evaluation.y_proba[:, plain.classes.index("malignant")]
    first = np.argsort(-scores, kind="stable")[: round(0.1 * len(scores))]
    found = (plain.evaluation.y_true[first] == "malignant").sum() / (plain.evaluation.y_true == "malignant").sum()
    assert f"hold {found:.0%} of all that are malignant" in insight.text
    assert insight.frame.iloc[-1].tolist() == [1, 1, 1]


def test_the_threshold_of_the_spec_decides_at_every_door(plain, careful, tmp_path) -> None:
    row = next(
        row for row in plain.evaluation.features.to_dict("records") if 0.25 < plain.predict_proba(row)[0][1] < 0.45
    )
    assert plain.predict_row(row).prediction == "benign"
    prediction = careful.predict_row(row)
    assert prediction.prediction == "malignant"
    assert "above its threshold of 20%" in str(prediction)
    assert careful.predict(row)[0] == "malignant"
    assert (careful.evaluation.y_pred == "malignant").sum() > (plain.evaluation.y_pred == "malignant").sum()
    assert insights.decision_threshold(careful).text.startswith("It answers malignant from a probability of 20%")
    assert "20%" in irislib.card(careful)
    careful.save(tmp_path / "tumour.irislib")
    assert irislib.load(tmp_path / "tumour.irislib").predict(row)[0] == "malignant"
    assert careful.spec.digests != plain.spec.digests  # a stored model without it is stale


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positive_class": "malignant", "threshold": 1.2}, "threshold: a probability above 0 and below 1"),
        ({"threshold": 0.2}, "say of which class"),
        ({"positive_class": "malignant", "threshold": 0.2, "estimator": LinearSVC()}, "LinearSVC predicts no prob"),
        ({"positive_class": "malign"}, "'malign' is none of the classes 'benign' and 'malignant'"),
    ],
)
def test_a_threshold_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        irislib.train(replace(tumours.spec, **{"positive_class": None, **changes}))


def test_three_classes_have_no_threshold(iris) -> None:
    with pytest.raises(NotApplicableError, match="has 3 classes; a threshold is for two"):
        insights.decision_threshold(iris)
    with pytest.raises(SpecError, match="it is for two classes"):
        irislib.train(replace(iris.spec, positive_class="setosa"))
    assert insights.decision_threshold not in insights.default_tabs(iris)["Performance"]


def test_a_page_gets_the_table_and_where_to_begin(careful) -> None:
    page = irislib.app(careful)
    html = request(page, "draw", tab=3)["html"]
    (name,) = [name for name in NAME.findall(html) if f'data-card="{name}" data-interactive="threshold"' in html]
    reply = request(page, "columns", name=name)
    assert reply["columns"]["threshold"][reply["start"]] == pytest.approx(0.2)
    assert set(map(len, reply["columns"].values())) == {len(insights.decision_threshold(careful).frame)}
