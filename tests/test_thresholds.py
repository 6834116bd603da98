"""Two classes: from which probability on the positive class is answered, what that costs, and how it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tumours
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import confusion_matrix, precision_score, recall_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from test_cards import NAME
from test_widgets import request

import irislib
from irislib import insights
from irislib.errors import NotApplicableError, SpecError, ValidationError


class DecidesByAnotherRule(KNeighborsClassifier):
    """Like an SVC whose probabilities are calibrated, it does not always answer the likeliest class."""

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803 - scikit-learn's name
        return np.where(np.asarray(X)[:, 0] > 15, *reversed(self.classes_))


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


@pytest.mark.parametrize("positive_class", ["benign", "malignant"])
@pytest.mark.parametrize(
    ("estimator", "has_threshold"),
    [
        (KNeighborsClassifier(4), True),  # a tie goes to the first class
        (RandomForestClassifier(4, random_state=0), True),
        (ExtraTreesClassifier(6, min_samples_leaf=4, random_state=0), True),  # its shares are rounded
        (DecidesByAnotherRule(4), False),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "fit") else "",
)
def test_the_sentence_counts_the_answers_of_the_model(estimator: Any, has_threshold: bool, positive_class: str) -> None:
    model = irislib.train(replace(tumours.spec, estimator=estimator, positive_class=positive_class))
    held_out = model.evaluation
    insight = insights.decision_threshold(model, 1, 1000)
    counts = confusion_matrix(held_out.y_true == positive_class, held_out.y_pred == positive_class)
    (_, fp), (fn, tp) = counts
    assert f"finds {tp / (tp + fn):.0%}" in insight.text.replace("find ", "finds ")
    assert f"the {tp + fn} test rows" in insight.text
    assert f"and {fp} of its {fp + tp} answers" in insight.text
    assert insight.text.startswith("It answers") is has_threshold
    row = insight.frame.iloc[insight.start]
    names = ["true negatives", "false positives", "false negatives", "true positives"]
    assert (row[names].tolist() == counts.ravel().tolist()) is has_threshold
    assert row["threshold"] == pytest.approx(0.5)
    insight.plot()
    assert ("nothing is cheaper" in insight.text) is bool(insight.frame["cost"].min() >= fn + 1000 * fp)


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
