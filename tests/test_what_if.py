"""The answer to one row as each of its values alone changes."""

from __future__ import annotations

import re
from unittest.mock import Mock

import pytest
from conftest import Server, open_app, submit_row
from playwright.sync_api import expect
from test_accessibility import check
from test_widgets import request

import irislib
from irislib import insights
from irislib._modeling.refusals import no_prediction

FLOWER = {"petal_length_cm": 5.1, "petal_width_cm": 1.9, "sepal_length_cm": 5.8, "sepal_width_cm": 2.7}
FLAT = {"area_m2": 40, "rooms": 2, "district": "hill", "balcony": True, "built": "1990-05-01"}


def test_each_point_is_the_answer_there(iris) -> None:
    insight = insights.what_if(iris, FLOWER)
    for point in insight.frame.sample(20, random_state=1).itertuples():
        prediction = iris.predict_row(FLOWER | {point.name: float(point.entry)})
        assert point.answer == prediction.answer
        assert point.probability == pytest.approx(prediction.probabilities["virginica"])
    assert insight.text.endswith("Each line shows the probability of virginica.")
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


def test_no_choice_is_marked_where_none_was_entered(rent) -> None:
    for district, marked in ((None, 0), ("hill", 1)):
        panels = {
            panel.get_ylabel(): panel for panel in insights.what_if(rent, FLAT | {"district": district}).plot().axes
        }
        colours = [bar.get_facecolor() for bar in panels["District"].patches]
        assert len(set(colours)) == 1 + marked


def test_several_changes_at_once_are_calculated_together(iris) -> None:
    page = irislib.app(iris)
    request(page, "submit", values={name: str(value) for name, value in FLOWER.items()})
    changes = {"petal_length_cm": "1.4", "petal_width_cm": "0.2"}
    answer = request(page, "what_if", values=changes)["announcement"]
    assert iris.predict_row(FLOWER | changes).answer in answer
    assert "must be" in request(page, "what_if", values={"petal_length_cm": "-4"})["error"]
    page.on_submit = Mock(side_effect=no_prediction())
    assert request(page, "what_if", values=changes)["error"] == "The model gives no answer for these values."


def test_two_sliders_moved_on_the_page_give_one_answer_and_fill_the_form(page, serve: Server, iris) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    submit_row(page, iris, FLOWER)
    page.get_by_role("tab", name="Why").click()
    together = page.locator(".irislib-whatif [role=status]")
    ends = insights.what_if(iris, FLOWER).frame.groupby("name")["entry"].first()
    changes = {name: float(ends[name]) for name in ("petal_length_cm", "petal_width_cm")}
    page.get_by_role("slider", name="Petal length").press("Home")
    expect(page.get_by_role("slider", name="Petal length")).to_have_attribute("aria-valuetext", re.compile("At 1 cm: "))
    expect(together).to_have_text("")  # a single change is on its curve
    page.get_by_role("slider", name="Petal width").press("Home")
    expect(together).to_have_text(f"With all changes: {iris.predict_row(FLOWER | changes).answer}")
    check(page, "two sliders moved")
    page.get_by_role("button", name="Use these values", exact=True).click()
    for label, value in {"Petal length": 1, "Petal width": 0.1, "Sepal length": 5.8, "Sepal width": 2.7}.items():
        expect(page.get_by_role("textbox", name=label)).to_have_value(f"{value:g}")
    page.get_by_role("button", name="Back to the entered values").click()
    expect(together).to_have_text("")
    expect(page.get_by_role("slider", name="Petal width")).to_have_attribute("aria-valuetext", re.compile("At 1.9 cm"))
