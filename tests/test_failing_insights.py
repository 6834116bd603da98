"""An insight that fails takes nothing else down: not its tab, the report, the card or the endpoint's list."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from test_widgets import download, request, submit

import irislib
from irislib import Feature, ModelSpec, insights
from irislib._forkserver.child import ChildError
from irislib._model_card.card import card
from irislib._modeling.model import Model
from irislib.api import create_app
from irislib.insights import Insight
from irislib.widgets import _prediction_tab, _warm_up
from irislib.widgets._blocks import Job

ROW = dict.fromkeys(["petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm"], 2)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("the secret of the cell")


def raises(model: Model) -> Insight:
    raise RuntimeError("the secret of the insight")


def exits(model: Model) -> Insight:
    raise SystemExit("the secret of the exit")


def draws_badly(model: Model) -> Insight:
    return Insight("Badly drawn", pd.DataFrame({"a": [1]}), "A sentence.", lambda axes: axes.no_such_method())


def prints_badly(model: Model) -> Insight:
    return Insight("Badly printed", pd.DataFrame({"a": [Unprintable()]}), "A sentence.", lambda axes: None)


def has_no_bar(model: Model) -> Insight:
    return Insight("No bar", pd.DataFrame({"a": [1]}), "A sentence.", lambda axes: None, bar="nowhere")


def returns_something_else(model: Model) -> Any:
    return object()


def held(model: Model, prediction: object, fixed: tuple[str, ...] = ()) -> Insight:
    raise RuntimeError("the secret of the held features")


def good(model: Model) -> Insight:
    return Insight("All is well", pd.DataFrame({"a": [1]}), "A sentence.", lambda axes: None)


def half(model: Model) -> Insight:
    return replace(good(model), title="Half \ud800 a character")


def good_row(model: Model, prediction: object) -> Insight:
    return good(model)


@insights.on_demand(lambda model: iter([0.5, 1 / 0]), "Long and bad", at_once=True)
def long_and_bad(model: Model, measured: object) -> Insight:
    raise RuntimeError("the secret of the job")


TITLES = {raises: "Raises", exits: "Exits", draws_badly: "Badly drawn", prints_badly: "Badly printed",
          has_no_bar: "No bar", held: "Held"}  # fmt: skip
BAD = [*TITLES, returns_something_else]
MODEL_TABS: dict[str, list[Callable[..., Any]]] = {
    "Of the model": [raises, exits, draws_badly, prints_badly, has_no_bar, returns_something_else, good, max, half],
    "Of the row": [held, good_row, long_and_bad],
}


@pytest.fixture(scope="module")
def failing(iris: Model) -> Model:
    return irislib.train(replace(iris.spec, name="failing", tabs=MODEL_TABS, estimator=RandomForestClassifier(5)))


def references(html: str) -> list[str]:
    return re.findall(r"this reference: (\w{8})\.", html)


def test_each_fails_alone_under_its_title_with_its_reference(failing: Model, capfd: pytest.CaptureFixture) -> None:
    page = irislib.app(failing)
    assert "setosa" in submit(page, ROW)["html"]
    html = "".join(request(page, "draw", tab=index)["html"] for index in (1, 2))
    assert html.count("<h3>All is well</h3>") == 2
    for title in set(TITLES.values()) - {"Badly printed"}:
        assert re.search(f"<h3>{title}</h3><p class=.irislib-message.>Something went wrong on our side", html), title
    (card,) = re.findall(r'data-card="([^"]+)"><h3>Badly printed', html)
    html += request(page, "numbers", name=card)["html"]
    log = capfd.readouterr().err
    assert len(set(references(html))) == len(BAD) + 1  # and the function without a signature
    for reference in references(html):
        assert f"reference {reference}:" in log
    for secret in ("insight", "exit", "cell", "held features"):
        assert f"the secret of the {secret}" in log
    assert "secret" not in html


def test_the_report_has_what_did_not_fail(failing: Model) -> None:
    page = irislib.app(failing)
    submit(page, ROW)
    report = download(page, "report")[1].decode()
    assert report.count("<h3>All is well</h3>") == 2
    assert "<h3>Half ? a character</h3>" in report
    for title in (*TITLES.values(), "Long and bad"):
        assert re.search(f"<h3>{title}</h3><p class=.irislib-message.>Something went wrong", report), title


def test_a_failed_tab_is_drawn_again_when_it_is_next_opened(iris: Model) -> None:
    calls: list[Model] = []

    def fails_once(model: Model) -> Insight:
        calls.append(model)
        if len(calls) == 1:
            raise RuntimeError
        return good(model)

    page = irislib.app(irislib.train(replace(iris.spec, name="once", tabs={"T": [fails_once]})))
    assert len(references(request(page, "draw", tab=1)["html"])) == 1
    assert "All is well" in request(page, "draw", tab=1)["html"]
    calls.clear()
    page = irislib.app(page.csv_tab.model)
    page.warm_up()  # for all later visitors, who shall not have its failure
    assert "All is well" in request(page, "draw", tab=1)["html"]


def refuse(draw: Callable[[], object]) -> object:
    raise ChildError


@pytest.mark.parametrize("call_in_child", [lambda draw: json.loads(json.dumps(draw())), refuse])
def test_charts_drawn_ahead_are_there_wherever_they_were_drawn(
    iris: Model, monkeypatch: pytest.MonkeyPatch, call_in_child: Callable[..., object]
) -> None:
    monkeypatch.setattr(_warm_up, "call_in_child", call_in_child)
    computed = []

    def counted(model: Model) -> Insight:
        computed.append(model)
        return good(model)

    page = irislib.app(replace(iris, spec=replace(iris.spec, tabs={"T": [counted, insights.confusion_matrix]})))
    page.warm_up()
    assert page.warm_contents
    assert len(computed) == (2 if call_in_child is refuse else 1)
    images = re.findall(
        r'<img [^>]*alt="([^"]+)" src="data:image/svg\+xml;base64,([^"]+)"', request(page, "draw", tab=1)["html"]
    )
    assert len(images) == 2
    assert images[0][0] == "A sentence."
    assert all(b64decode(svg).startswith(b"<?xml") for _, svg in images)


def test_the_prediction_is_there_if_what_is_below_it_fails(iris: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    for name in ("ranked_classes", "set_sentence"):
        monkeypatch.setattr(_prediction_tab, name, fail)
    html = submit(irislib.app(iris), ROW)["html"]
    assert re.search(r'<h2 class="irislib-answer">\w+: [^<]+</h2>', html)
    assert len(references(html)) == 2


def test_the_endpoint_lists_all_and_answers_for_the_good_ones(failing: Model) -> None:
    client = create_app([failing]).test_client()
    listed = client.get("/failing/insights").get_json()
    assert {row["name"] for row in listed} >= {function.__name__ for function in (*BAD, good, good_row)}
    assert client.get("/failing/insights/good").get_json()["title"] == "All is well"
    for function in (raises, exits, prints_badly, returns_something_else):
        answer = client.get(f"/failing/insights/{function.__name__}")
        assert (answer.status_code, bool(answer.get_json()["reference"])) == (500, True), function
    assert client.get("/openapi.json").status_code == client.get("/docs").status_code == 200


def test_a_card_lacks_only_what_failed(iris: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Model) -> Insight:
        raise RuntimeError

    monkeypatch.setattr(insights, "class_metrics", fail)
    monkeypatch.setattr(insights, "calibration", fail)
    text = card(replace_version(iris))
    assert len(references(text)) == 2
    assert "accuracy" in text
    assert iris.version in text


def replace_version(model: Model) -> Model:
    """Return another model that is the same, for cards are kept."""
    return irislib.train(replace(model.spec, name="carded"))


def test_a_plain_forest_with_constant_columns_has_all_its_insights() -> None:
    frame = load_digits(as_frame=True).frame.head(250)
    names = [name for name in frame if name != "target"]
    spec = ModelSpec(
        "digits", [Feature(name) for name in names], "target", lambda: frame, RandomForestClassifier(20), random_state=0
    )
    model = irislib.train(spec)
    page = irislib.app(model)
    assert len(insights.feature_importances(model).frame) == len(names)
    assert 0.9 < float(re.search(r"(\d\.\d+)", insights.roc_curve(model).text)[1]) <= 1
    jobs = 0
    for index in range(1, len(page.tabs)):
        blocks = page.draw_tab(index) if not page.tabs[index].empty else []
        jobs += sum(isinstance(block, Job) for block in blocks)
        assert references(json.dumps([str(block) for block in blocks])) == []
    assert jobs


class Exiting(RandomForestClassifier):
    """A forest whose predictions can be made to exit."""

    is_armed = False

    def predict(self, X: Any) -> Any:  # noqa: N803 - as scikit-learn has it
        return exit("the secret of the estimator") if self.is_armed else super().predict(X)

    def predict_proba(self, X: Any) -> Any:  # noqa: N803 - as above
        return exit("the secret of the estimator") if self.is_armed else super().predict_proba(X)


def test_an_estimator_that_exits_fails_alone(iris: Model) -> None:
    model = irislib.train(replace(iris.spec, name="exiting", estimator=Exiting(5)))
    page, client = irislib.app(model), create_app([model]).test_client()
    model.estimator.is_armed = True
    assert len(references(submit(page, ROW)["error"])) == 1
    assert client.post("/exiting", json=ROW).status_code == 500
    assert client.get("/healthz").status_code == 200
