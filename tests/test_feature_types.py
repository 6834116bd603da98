"""A kind of feature is one class: whatever is added goes through every door."""

from __future__ import annotations

import datetime as dt

import jsonschema
import pytest
from conftest import Server, open_app

import irislib
from irislib import insights
from irislib._description.feature_types import FEATURE_TYPES
from irislib._modeling import store
from irislib.api import create_app
from irislib.errors import ValidationError
from irislib.insights._registry import insight_entries

ROW = {"postcode": "ab123", "load": "90 %"}
BAD = {"postcode": "x", "load": "much"}
MESSAGES = ["postcode must be a postcode such as AB123, got 'x'.", "load must be a percentage, got 'much'."]


@pytest.fixture(scope="module")
def model():
    kinds = dict(FEATURE_TYPES)
    from own_kinds import spec

    yield irislib.train(spec)
    FEATURE_TYPES.clear()
    FEATURE_TYPES.update(kinds)


@pytest.mark.parametrize("kind", FEATURE_TYPES)
def test_every_kind_can_be_described(kind: str) -> None:
    choices = ["a", "b"] if kind == "choice" else []
    assert irislib.Feature("x", kind, choices=choices).faults() == []
    assert irislib.Feature("x", kind, choices=choices).expected


def test_a_model_is_trained_stored_and_read(model, tmp_path) -> None:
    store.save(model, tmp_path)
    for other in (model, store.read(model.spec, tmp_path)):
        assert other.predict_row(ROW).prediction == "late"
        assert other.predict_row({"postcode": "CD456", "load": 10}).prediction == "in time"
        assert other.coverage.keys() == {"load"}
        with pytest.raises(ValidationError) as error:
            other.predict_row(BAD)
        assert [problem.message for problem in error.value.problems] == MESSAGES


def test_every_insight_takes_it(model) -> None:
    for entry in insight_entries(insights.default_tabs(model).items()).values():
        insight = entry.function(model, ROW) if entry.needs_row else entry.function(model)
        assert insight.text
        insight.plot()


def test_the_endpoint_takes_it_and_says_so(model) -> None:
    client = create_app([model]).test_client()
    assert client.post("/delivery", json=ROW).json == "late"
    assert [problem["message"] for problem in client.post("/delivery", json=BAD).json["errors"]] == MESSAGES
    assert [row["prediction"] for row in client.post("/delivery/batch", json=[ROW, ROW]).json] == ["late", "late"]
    csv = client.post("/delivery/batch", data=b"postcode,load\nab123,90%\n", content_type="text/csv")
    assert b"late" in csv.data
    schema = client.get("/delivery/schema").json
    jsonschema.validate({"postcode": "AB123", "load": 90}, schema)
    assert schema["properties"]["load"]["x-expected"] == "a percentage at least 0 and at most 100"
    for path in ("/openapi.json", "/docs", "/delivery/card"):
        assert "a percentage" in client.get(path).get_data(as_text=True)


def test_a_page_has_a_text_box_for_a_control_that_it_does_not_have(page, tmp_path) -> None:
    server = Server(tmp_path / "log", "serve", "--model", "own_kinds:spec").wait()
    try:
        open_app(page, server, "delivery", "Predict")
        page.get_by_label("Postcode").fill("ab123")
        page.get_by_label("Load").fill("much")
        page.get_by_role("button", name="Predict").click()
        page.get_by_role("form").get_by_text("must be a percentage, got 'much'.").wait_for()
        page.get_by_label("Load").fill("90%")
        page.get_by_role("button", name="Predict").click()
        page.get_by_role("tabpanel").get_by_text("late", exact=True).first.wait_for()
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text()


def test_a_day_of_a_year_with_three_digits_goes_there_and_back() -> None:
    feature = irislib.Feature("day", kind="date")
    assert feature.parse(feature.to_text(dt.date(587, 12, 10))) == dt.date(587, 12, 10)
