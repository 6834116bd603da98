"""Two answers side by side, in the library and on the page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from test_widgets import request

import irislib
from irislib import insights

SETOSA = {"petal_length_cm": 1.4, "petal_width_cm": 0.2, "sepal_length_cm": 5.1, "sepal_width_cm": 3.5}
VIRGINICA = SETOSA | {"petal_length_cm": 6, "petal_width_cm": 2.5}
FLAT = {"area_m2": 40, "balcony": True, "built": "1990-05-01"}


def as_entries(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}


def text_of(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def test_inputs_that_differ_come_first(iris) -> None:
    insight = insights.comparison(iris, SETOSA, VIRGINICA)
    inputs = insight.frame[insight.frame["part"] == "input"]
    assert inputs["differs"].tolist() == [True, True, False, False]
    assert set(inputs["name"][:2]) == {"Petal length", "Petal width"}
    assert inputs["second"].tolist()[:2] == ["6 cm", "2.5 cm"]
    assert "differ in petal length and petal width" in insight.text
    insight.plot()


def test_probabilities_are_those_of_the_two_rows(iris) -> None:
    frame = insights.comparison(iris, SETOSA, VIRGINICA).frame
    shares = frame[frame["part"] == "probability"].set_index("name")
    assert dict(shares["first"]) == pytest.approx(iris.predict_row(SETOSA).probabilities)
    assert dict(shares["second"]) == pytest.approx(iris.predict_row(VIRGINICA).probabilities)


def test_numbers_are_compared_too(rent) -> None:
    insight = insights.comparison(rent, FLAT, FLAT | {"district": "hill"})
    assert "part" in insight.frame
    assert "left empty" in insight.frame["first"].tolist()
    assert "district" in insight.text
    insight.plot()


def test_equal_rows_differ_in_nothing(iris) -> None:
    insight = insights.comparison(iris, SETOSA, SETOSA)
    assert "No input differs" in insight.text
    assert not insight.frame["differs"].any()


def test_a_kept_answer_stands_beside_the_next_one(iris) -> None:
    page = irislib.app(iris)
    assert request(page, "submit", values=as_entries(SETOSA))["compared"] == ""
    assert "Kept: setosa" in text_of(request(page, "keep_answer")["html"])
    html = request(page, "submit", values=as_entries(VIRGINICA))["compared"]
    differing, _, equal = str(html).partition("<details>")
    assert "setosa" in differing
    assert "virginica" in differing
    assert "Petal length" in differing
    assert "Sepal length" not in differing
    assert "Equal inputs: 2" in equal
    assert request(page, "end_comparison")["html"] == ""
    assert request(page, "submit", values=as_entries(SETOSA))["compared"] == ""


def test_live_answers_are_compared(rent) -> None:
    page = irislib.app(rent)
    assert (
        request(page, "preview", values={"area_m2": "40", "balcony": "false", "built": "1990-05-01"})["compared"] == ""
    )
    request(page, "keep_answer")
    html = request(page, "preview", values={"area_m2": "90", "balcony": "false", "built": "1990-05-01"})["compared"]
    assert "40 m²" in html
    assert "90 m²" in html


def test_contributions_to_both_answers_come_on_demand(iris) -> None:
    page = irislib.app(iris)
    request(page, "submit", values=as_entries(SETOSA))
    request(page, "keep_answer")
    request(page, "submit", values=as_entries(VIRGINICA))
    assert "Petal length" in request(page, "compare_contributions")["html"]


def test_the_contributions_are_to_the_same_class(iris) -> None:
    first, second = iris.predict_row(SETOSA), iris.predict_row(VIRGINICA)
    frame = insights._comparison.compare_contributions(iris, first, second)
    change = second.probabilities["virginica"] - first.probabilities["virginica"]
    assert frame["second"].sum() - frame["first"].sum() == pytest.approx(change)
