"""The answer to one row as each of its values alone changes."""

from __future__ import annotations

import pytest
from test_widgets import request

import irislib
from irislib import insights

FLOWER = {"petal_length_cm": 5.1, "petal_width_cm": 1.9, "sepal_length_cm": 5.8, "sepal_width_cm": 2.7}
FLAT = {"area_m2": 40, "rooms": 2, "district": "hill", "balcony": True, "built": "1990-05-01"}


def test_each_point_is_the_answer_there(iris) -> None:
    insight = insights.what_if(iris, FLOWER)
    for point in insight.frame.sample(20, random_state=1).itertuples():
        prediction = iris.predict_row(FLOWER | {point.name: float(point.entry)})
        assert point.answer == prediction.answer
        assert point.probability == pytest.approx(prediction.probabilities["virginica"])
    insight.plot()


def test_the_entered_value_is_one_of_at_least_fifty(iris) -> None:
    frame = insights.what_if(iris, FLOWER).frame
    assert frame.groupby("name").size().min() >= 50
    assert dict(frame[frame["is_entered"]].set_index("name")["entry"].astype(float)) == pytest.approx(FLOWER)


def test_choices_and_numbers_of_a_regression(rent) -> None:
    insight = insights.what_if(rent, FLAT)
    frame = insight.frame
    districts = frame[frame["name"] == "district"]
    assert set(districts["entry"]) == {"centre", "harbour", "hill"}
    assert districts["is_choice"].all()
    for point in frame.sample(20, random_state=1).to_dict("records"):
        there = rent.predict_row(FLAT | {point["name"]: point["entry"]}).prediction
        assert point["rent (EUR)"] == pytest.approx(there)
    insight.plot()


def test_several_changes_at_once_are_calculated_together(iris) -> None:
    page = irislib.app(iris)
    request(page, "submit", values={name: str(value) for name, value in FLOWER.items()})
    changes = {"petal_length_cm": "1.4", "petal_width_cm": "0.2"}
    answer = request(page, "what_if", values=changes)["announcement"]
    assert iris.predict_row(FLOWER | changes).answer in answer
    assert "must be" in request(page, "what_if", values={"petal_length_cm": "-4"})["error"]
