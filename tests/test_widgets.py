"""The app's replies to its script; the page itself is tested in a browser."""

from __future__ import annotations

import inspect
import itertools
import json
import re
from dataclasses import replace
from html import unescape
from importlib import import_module
from pkgutil import iter_modules
from urllib.parse import urlencode

import anywidget
import ipywidgets
import numpy as np
import pandas as pd
import pytest
from conftest import PLANTED
from invalid_inputs import GOOD, TYPED, Case
from matplotlib.figure import Figure
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

import irislib
from irislib import Feature, ModelSpec, dummy, insights
from irislib._common import messages, paths
from irislib._common.formatting import format_share
from irislib._common.messages import TEXTS
from irislib._description.feature_types import FEATURE_TYPES
from irislib._description.validation import check_values
from irislib._modeling import csv_results
from irislib._modeling.prediction import near_ties
from irislib.errors import SpecError
from irislib.insights import Insight
from irislib.insights._phrases import format_target
from irislib.widgets import Page, Tab, _fields, _html, _jobs, _live, _page
from irislib.widgets._blocks import DownloadButton, FillButton, Heading, Paragraph
from irislib.widgets._csv_summary import STATISTICS
from irislib.widgets._frontend import FRONTEND
from irislib.widgets._html import render
from irislib.widgets._prediction_tab import draw_prediction
from irislib.widgets._report import page_report
from irislib.widgets._typed_row import typed_row

NUMBERS = itertools.count()
MARKUP = "<img src=x onerror=alert(1)>"


def request(page: Page, method: str, /, buffers: tuple[bytes, ...] = (), **parameters: object) -> dict:
    """Send a request as the script does; return the reply with its part of a file."""
    name = f"q{next(NUMBERS)}"
    reply, parts = page.reply({"method": method, "id": name, **parameters}, buffers)
    assert reply["id"] == name
    reply = {key: value for key, value in reply.items() if key != "id"}
    json.dumps(reply)  # it must be able to travel
    return reply | ({"part": parts[0]} if parts else {})


def submit(page: Page, values: dict, files: dict[str, bytes] | None = None) -> dict:
    entered = {name: str(value) for name, value in values.items()}
    files = files or {}
    return request(page, "submit", tuple(files.values()), values=entered, files=[[name, "a.txt"] for name in files])


def download(page: Page, file: str) -> tuple[str, bytes]:
    """Download a file with all its parts."""
    content = b""
    for part in range(100):
        reply = request(page, "download", file=file, part=part)
        assert "error" not in reply
        content += reply["part"]
        if reply["last"]:
            return reply["name"], content
    raise AssertionError("it has no end")


def test_the_form_is_made_from_the_features(iris) -> None:
    facts = irislib.app(iris).facts
    for feature, field in zip(iris.spec.features, facts["fields"], strict=True):
        for fact in ("name", "control", "label", "unit", "low", "high", "step", "help", "required"):
            assert field[fact] == getattr(feature, fact)
        assert field["value"] == f"{feature.default:g}"
        assert field["limits"] == "Above 0 and at most 30 cm."
    assert facts["action"] == "Abrakadabra"
    assert [tab["title"] for tab in facts["tabs"]] == ["Prediction", "Why", "Insights", "Performance", "Table"]
    assert "press Abrakadabra" in facts["tabs"][0]["empty"]
    assert [name for name, _ in facts["examples"]] == list(iris.spec.examples)
    for _, row in facts["examples"]:
        assert set(iris.spec.feature_names) == set(row)


def test_a_prediction_shows_each_probability_as_a_number_and_as_a_bar(iris) -> None:
    reply = submit(irislib.app(iris), GOOD)
    share = format_share(iris.predict_proba(GOOD)[0][2])
    assert f'<h2 class="irislib-answer">Species: virginica, {share}</h2>' in reply["html"]
    assert reply["announcement"] == f"Species: virginica, {share}"
    for name, probability in zip(iris.classes, iris.predict_proba(GOOD)[0], strict=True):
        row = next(part for part in reply["html"].split("<tr>") if f"<td>{name}</td>" in part)
        assert f"width:{100 * probability:.1f}%" in row
        assert f">{format_share(probability)}</span></td>" in row


def test_charts_wait_until_their_tab_is_opened_and_are_drawn_once(iris, monkeypatch) -> None:
    insights.permutation_importance(iris)  # or the page would work it out step by step
    drawn = []
    monkeypatch.setattr(Insight, "plot", lambda self, plot=Insight.plot: drawn.append(self.title) or plot(self))
    page = irislib.app(iris)
    submit(page, GOOD)
    assert drawn == []
    first = request(page, "draw", tab=2)["html"]
    assert "Petal width" in first
    submit(page, {**GOOD, "petal_length_cm": 5})
    assert request(page, "draw", tab=2)["html"] == first
    assert len(set(drawn)) == 3
    assert "29 of 30 test rows" in request(page, "draw", tab=3)["html"]


def test_why_is_drawn_anew_for_each_prediction(iris) -> None:
    page = irislib.app(iris)
    assert request(page, "draw", tab=1) == {}
    submit(page, GOOD)
    assert "petal width is 2.5 cm" in request(page, "draw", tab=1)["html"]
    submit(page, {**GOOD, "petal_width_cm": 1.9})
    assert "petal width is 1.9 cm" in request(page, "draw", tab=1)["html"]


def test_the_tabs_are_those_of_the_spec(iris) -> None:
    def about(model: irislib.Model) -> Insight:
        """A custom insight."""
        return replace(insights.confusion_matrix(model), title="Mine", text="All mine.")

    tabs = {"How well": [about, insights.predicted_against_true, insights.residuals], "Why": [insights.contributions]}
    page = irislib.app(replace(iris, spec=replace(iris.spec, tabs=tabs)))
    assert [tab["title"] for tab in page.facts["tabs"]] == ["Prediction", "How well", "Why", "Table"]
    html = request(page, "draw", tab=1)["html"]
    assert "All mine." in html
    assert html.count("predicts a class; see") == 2  # what does not apply says so
    submit(page, GOOD)
    assert "on average" in request(page, "draw", tab=2)["html"]
    with pytest.raises(SpecError, match=r"tabs: .Why. must be a list of functions"):
        replace(iris.spec, tabs={"Why": "contributions"})


def test_a_missing_choice_is_asked_for_without_a_list_of_all_choices() -> None:
    feature = Feature("city", "choice", choices=[f"city {i}" for i in range(60)])
    page = Page("Cities", [feature], "Go", str, [Tab("Out", lambda text: [text])])
    assert submit(page, {})["problems"] == {"city": "Please choose: City."}
    assert "got 'city 99'. Did you mean" in submit(page, {"city": "city 99"})["problems"]["city"]


@pytest.mark.parametrize("case", TYPED, ids=lambda case: str(case.changes)[:40])
def test_a_problem_is_shown_beside_its_field(case: Case, iris) -> None:
    page = irislib.app(iris)
    labels = {feature.name: feature.label for feature in iris.spec.features}
    expected = {name: labels[name] + message[len(name) :] for name, message in case.messages.items()}
    assert submit(page, case.row) == {"problems": expected}
    for name, message in expected.items():
        if str(case.row.get(name, "")).strip():
            assert request(page, "validate", name=name, value=str(case.row[name])) == {"message": message}
    assert "virginica" in submit(page, GOOD)["html"]


def test_a_regression_gets_the_same_page(rent) -> None:
    page = irislib.app(rent)
    row = {"area_m2": "40", "balcony": "true", "district": "hill"}
    assert "Built on is missing" in submit(page, row)["problems"]["built"]
    reply = submit(page, {**row, "built": "1999-01-02"})
    assert str(rent.predict_row({**row, "built": "1999-01-02"})) in reply["html"]
    for i, text in ((1, "EUR (on average"), (2, "How does each input affect the answer?"), (3, "off by")):
        assert text in request(page, "draw", tab=i)["html"]


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        (Feature("a", default=1.5), "1.5"),
        (Feature("a", default=3.0), "3"),
        (Feature("a", default=0.1 + 0.2), "0.30000000000000004"),
        (Feature("a", default=1e-7), "1e-07"),
        (Feature("a", "integer", default=4), "4"),
        (Feature("a", "integer", default=2**62), str(2**62)),
        (Feature("a", "boolean", default="no"), "false"),
        (Feature("a", "date", default="2020-01-02"), "2020-01-02"),
        (Feature("a", "time", default="7:05".zfill(5)), "07:05"),
        (Feature("a", "time", default="07:05:09"), "07:05:09"),
        (Feature("a", "choice", choices=[1, 2], default="1"), "1"),
        (Feature("a", "choice", choices=[1.0, 2.5], default=1), "1.0"),
        (Feature("a", "range", low=0, high=9, default=[1, 2.5]), "1 to 2.5"),
        (Feature("a", "color", default="#ABCDEF"), "#abcdef"),
        (Feature("a", "text", default=" as it is "), " as it is "),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_a_value_in_the_form_reads_back_as_itself(feature: Feature, text: str) -> None:
    assert _fields.describe_field(feature)["value"] == feature.to_text(feature.default) == text
    assert feature.parse(text) == feature.default


def test_a_warning_is_shown_with_the_prediction(iris) -> None:
    usual = dict(iris.spec.examples["A large virginica"])
    alone = submit(irislib.app(iris), {**usual, "sepal_length_cm": 1})["html"]
    assert '<p class="irislib-warning">Sepal length is 1, but the model was trained on' in alone
    page = irislib.app(iris)
    several = submit(page, dict.fromkeys(usual, 25))["html"]
    sentence = "4 of 4 values are outside the training data."
    assert f'<details class="irislib-warning"><summary>{sentence}</summary><p>Petal length is 25, but' in several
    assert several.count("but the model was trained on") == 4
    assert f'<details class="irislib-warning" open><summary>{sentence}' in page_report(page)[1].decode()


def test_a_near_tie_is_said_once(iris) -> None:
    shares = [0.0, 0.48, 0.52]
    tie = replace(
        iris.predict_row(GOOD),
        probabilities=dict(zip(iris.classes, shares, strict=True)),
        warnings=near_ties(iris.classes, [shares]).problems,
    )
    _, warning, _, sentence = draw_prediction(iris, tie)
    assert warning.text.startswith("It is nearly a tie between virginica (52%)")
    start = "Either virginica or versicolor: both are nearly as likely. "
    assert insights.prediction_set(iris, tie).text == start + sentence


def test_a_preview_follows_the_form_and_keeps_nothing(rent) -> None:
    page = irislib.app(rent)
    row = {"area_m2": "40", "balcony": "true", "built": "1999-01-02"}
    for area in ("40", "90"):
        reply = request(page, "preview", values={**row, "area_m2": area})
        assert reply["announcement"] == str(rent.predict_row({**row, "area_m2": area}))
        assert f'<h2 class="irislib-answer">{reply["announcement"]}</h2>' in reply["html"]
    assert request(page, "preview", values={**row, "area_m2": "x"}) == {"reason": "Area must be a number, got 'x'."}
    assert request(page, "draw", tab=1) == {}
    assert TEXTS["history"] not in submit(page, row)["html"]


def test_answers_are_live_if_they_are_quick_unless_the_description_decides(iris, rent, monkeypatch) -> None:
    assert not irislib.app(iris).facts["live"]
    assert irislib.app(replace(iris, spec=replace(iris.spec, live=None))).facts["live"]  # it has a fast form
    monkeypatch.setattr(type(rent), "fast_form", (None, ""))
    for seconds, live in ((_live.MAX_SECONDS / 2, True), (_live.MAX_SECONDS * 2, False)):
        monkeypatch.setattr(_live, "clock", iter(i * seconds for i in range(99)).__next__)
        assert _live.is_live(replace(rent, spec=replace(rent.spec, live=None))) == live
        assert _live.is_live(rent)


def test_the_headline_names_the_target_the_answer_and_its_certainty(rent) -> None:
    row = {"area_m2": 40, "balcony": True, "built": "1990-05-01"}
    prediction = rent.predict_row(row)
    ends = insights.prediction_set(rent, row).frame[["from", "to"]].to_numpy().ravel()
    low, high = (f"{end:.0f}" for end in ends)
    assert str(prediction) == f"Rent: {prediction.prediction:.0f} EUR, likely {low} to {high}"
    outside = rent.predict_row({**row, "area_m2": 900})  # the coverage holds for rows like those of the data
    assert str(outside) == f"Rent: {outside.prediction:.0f} EUR"
    named = replace(rent, spec=replace(rent.spec, target_label="Monthly rent"))
    assert str(named.predict_row(row)).startswith("Monthly rent: ")


def test_a_failing_callback_shows_a_message_and_logs_the_traceback(capfd) -> None:
    def fail(_: dict) -> None:
        raise RuntimeError("the secret of the pyramid")

    page = Page("Faulty", [Feature("a")], "Go", fail, [Tab("Out", lambda _: [], "empty")])
    error = submit(page, {"a": 1})["error"]
    assert "Something went wrong on our side" in error
    assert "pyramid" not in error
    reference = error.partition("this reference: ")[2].partition(".")[0]
    logged = capfd.readouterr().err
    assert f"reference {reference}:" in logged
    assert "RuntimeError: the secret of the pyramid" in logged


@pytest.mark.parametrize(
    "message",
    [{}, {"method": "nothing"}, {"method": "submit"}, {"method": "submit", "values": 3}, {"method": "draw", "tab": 99},
     {"method": "download", "file": "/etc/passwd", "part": 0}, {"method": "validate", "name": "x", "value": "1"}, [],
     "text"],
    ids=str,
)  # fmt: skip
def test_every_request_of_a_visitor_gets_a_sentence(message, iris, capfd) -> None:
    page = irislib.app(iris)
    reply, parts = page.reply(message)
    assert "reference" in reply["error"]
    assert not parts
    assert "reference" in capfd.readouterr().err
    assert "virginica" in submit(page, GOOD)["html"]


def test_the_dummy_has_every_kind_of_input_and_every_control() -> None:
    assert {feature.kind for feature in dummy.FEATURES} >= set(FEATURE_TYPES)
    controls = {control for kind in FEATURE_TYPES.values() for control in kind.controls}
    assert {feature.control for feature in dummy.FEATURES} >= controls
    script = (FRONTEND / "fields.js").read_text()
    assert set(re.findall(r"^  (\w+)(?:: |\()", script.partition("const CONTROLS")[2], re.M)) == controls


def test_the_dummy_echoes_only_the_entered_values() -> None:
    html = submit(dummy.app(), {"text": "<b>bold</b>", "number": "4.5", "checkbox": "true", "slider": "0"})["html"]
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    for text in ("4.5 cm", "yes", "0"):
        assert f"<td>{text}</td>" in html
    for label in ("Long text", "E-mail", "Password", "Date", "File"):
        assert label not in html
    assert "Checkbox" not in submit(dummy.app(), {"checkbox": "false"})["html"]


def test_a_link_fills_in_valid_values_and_lists_ignored_ones(iris) -> None:
    page = irislib.app(iris)
    query = {
        "petal_length_cm": "5.1",
        "sepal_width_cm": "130",
        "petal_width_cm": "",
        "colour": MARKUP,
        "voila-theme": "dark",
    }
    reply = request(page, "connect", query="?" + urlencode(query))
    assert reply["values"] == {"petal_length_cm": "5.1", "petal_width_cm": ""}
    assert reply["ignored"] == [
        "Sepal width must be above 0 and at most 30 cm, got 130. It was left at 3.",
        "This form has no field “colour”.",
    ]


@pytest.mark.parametrize(
    ("feature", "text", "filled"),
    [
        (Feature("a", "boolean"), "yes", "true"), (Feature("a", "boolean"), "0", "false"),
        (Feature("a", "date"), "20260131", "2026-01-31"), (Feature("a", "date"), "2026-01-31T10:00", "2026-01-31"),
        (Feature("a", "time"), "14", "14:00"), (Feature("a", "choice", choices=["b", 1]), " b", "b"),
        (Feature("a", "choice", choices=[1, 2]), "1.0", "1"), (Feature("a", "choice", choices=[" c"]), " c", " c"),
        (Feature("a", "range", low=0, high=9), "1.0 to 2", "1 to 2"), (Feature("a", "color"), "#ABCDEF", "#abcdef"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)  # fmt: skip
def test_links_and_examples_reach_the_control_as_it_writes_them(feature: Feature, text: str, filled: str) -> None:
    page = Page("P", [feature], "Go", dict, [Tab("Out", lambda _: [])], examples={"one": {"a": text}})
    assert request(page, "connect", query=urlencode({"a": text}))["values"] == {"a": filled}
    assert page.facts["examples"] == [["one", {"a": filled}]]
    assert csv_results.csv_template([feature], [{"a": text}]).decode().splitlines()[1].strip('"') == filled


def test_another_view_gets_the_drawn_tabs(iris) -> None:
    page = irislib.app(iris)
    assert request(page, "connect")["tabs"] == []
    html = submit(page, GOOD)["html"]
    assert request(page, "connect")["tabs"] == [(0, html)]


FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.0]})


def test_text_tables_figures_and_insights_are_rendered_escaped() -> None:
    pieces = [
        MARKUP,
        pd.DataFrame({MARKUP: [MARKUP]}),
        Figure(),
        Insight(MARKUP, pd.DataFrame({MARKUP: [MARKUP]}), MARKUP, lambda axes: None),
    ]
    pieces += [
        Heading(MARKUP),
        Paragraph(MARKUP),
        FillButton(MARKUP, {MARKUP: MARKUP}, MARKUP),
        DownloadButton(MARKUP, MARKUP),
    ]
    html = _html.render_pieces(pieces)
    assert html.count("onerror") > 10
    assert "<img src=x" not in html
    assert 'alt="A chart."' in html
    with pytest.raises(TypeError, match="a Figure or an Insight, not int"):
        _html.render_pieces([3])


@pytest.mark.parametrize(
    ("frame", "titles", "first_row"),
    [
        (FRAME, ["a", "b", "c"], ["1", "x", "0.500"]),
        (FRAME.set_index("a"), ["a", "b", "c"], ["1", "x", "0.500"]),
        (FRAME.set_index("a", drop=False), ["a", "a", "b", "c"], ["1", "1", "x", "0.500"]),
        (FRAME.set_index(["a", "b"]), ["a", "b", "c"], ["1", "x", "0.500"]),
        (FRAME.groupby(["a", "b"]).mean().rename_axis(columns="n"), ["a", "b \\ n", "c"], ["1", "x", "0.500"]),
        (FRAME.pivot_table(index="a", columns="b", values="c"), ["a \\ b", "x", "y"], ["1", "0.500", "–"]),
        (FRAME.pivot_table(index="a", columns="b", values=["c"]), ["a \\ b", "c, x", "c, y"], ["1", "0.500", "–"]),
    ],
)
def test_no_table_is_shown_without_a_part_of_it(frame: pd.DataFrame, titles: list[str], first_row: list[str]) -> None:
    header, first, *_ = re.findall("<tr>(.*?)</tr>", str(_html.render_pieces([frame])))
    cells = [re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in (header, first)]
    assert cells == [titles, first_row]


def test_the_history_has_the_last_predictions_and_their_differing_inputs(iris) -> None:
    page = irislib.app(iris)
    assert TEXTS["history"] not in submit(page, GOOD)["html"]
    assert TEXTS["history"] not in submit(page, GOOD)["html"]  # the same again
    html = submit(page, {**GOOD, "petal_length_cm": 1.4, "petal_width_cm": 0.2})["html"]
    history = html.partition(TEXTS["history"])[2]
    assert re.findall(r"<td>(setosa|virginica), \d+%</td>", history) == ["setosa", "virginica"]
    assert re.findall(r'<th scope="col".*?>(.*?)</th>', history) == ["Species", "Petal length", "Petal width"]
    filled = [json.loads(unescape(attribute)) for attribute in re.findall(r'data-fill="(.*?)"', history)]
    assert filled[1] == {name: str(value) for name, value in GOOD.items()}
    for length in range(20):
        html = submit(page, {**GOOD, "petal_length_cm": 2 + length / 10})["html"]
    assert html.count("data-fill") == 10


def test_a_repeated_request_gets_the_same_reply_and_is_handled_once() -> None:
    calls = []

    def handle(values: dict) -> str:
        calls.append(values["a"])
        return f"{values['a']} once"

    page = Page("P", [Feature("a", "text")], "Go", handle, [Tab("Out", lambda text: [text], "empty")])
    message = {"method": "submit", "id": "q", "values": {"a": "x"}}
    first = page.reply(message)
    for _ in range(_page.MAX_REPLIES - 1):
        request(page, "validate", name="a", value="1")
    assert page.reply(message) == first
    assert "x once" in first[0]["html"]
    assert calls == ["x"]
    request(page, "validate", name="a", value="1")
    page.reply(message)  # long forgotten
    assert calls == ["x", "x"]


def test_a_report_shows_drawn_tabs_and_a_sentence_for_a_failing_one(capfd) -> None:
    drawn = []

    def draw(_: object) -> list[str]:
        drawn.append(1)
        return [f"drawing {len(drawn)}"]

    def fail(_: object) -> list[str]:
        raise RuntimeError

    page = Page(
        "P", [Feature("a")], "Go", str, [Tab("Out", lambda text: [text], "empty"), Tab("X", draw), Tab("X", fail)]
    )
    submit(page, {"a": 1})
    assert "drawing 1" in request(page, "draw", tab=1)["html"]
    report = download(page, "report")[1].decode()
    assert "drawing 1" in report
    assert "Something went wrong on our side" in report
    assert "RuntimeError" in capfd.readouterr().err
    assert len(drawn) == 1


def test_a_job_that_starts_itself_is_done_in_steps(iris, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    page = irislib.app(iris)
    name = "permutation_importance"
    assert f'data-job="{name}" data-starts-itself' in request(page, "draw", tab=2)["html"]
    done = [request(page, "step_job", name=name, begin=True), *(request(page, "step_job", name=name) for _ in range(4))]
    assert [reply.get("done") for reply in done] == [0.25, 0.5, 0.75, 1, None]
    assert "average over 5 shuffles" in done[-1]["html"]
    assert done[-1]["html"] in request(page, "draw", tab=2)["html"]


def test_a_report_does_not_wait_for_what_takes_long(iris, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))  # where nothing has been measured
    now, title = itertools.count(0, 0.3), insights.permutation_importance.title
    monkeypatch.setattr(_jobs, "clock", lambda: next(now))  # every step takes a while
    long_running = [insights.permutation_importance, insights.cross_validation, insights.learning_curve]
    model = replace(iris, spec=replace(iris.spec, tabs={"Long": long_running}))
    page, other = irislib.app(model), irislib.app(model)
    for visitor in (page, other):
        submit(visitor, GOOD)
    report = unescape(download(page, "report")[1].decode())
    assert f"<h3>{title}</h3><p>This takes a while, so it is not in this report yet. Open this tab" in report
    assert report.count("Press “Calculate” in this tab of the page") == 2  # cross-validation, learning curve
    assert request(page, "step_job", name="permutation_importance", begin=True) == {"done": 0.25}
    download(page, "report")
    assert request(page, "step_job", name="permutation_importance")["done"] == 0.5  # it goes on
    insights.permutation_importance(model)
    for visitor in (other, irislib.app(model)):
        submit(visitor, GOOD)
        assert b"average over 5 shuffles" in download(visitor, "report")[1]


def test_a_report_completes_what_is_short(iris, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    monkeypatch.setattr(_jobs, "clock", lambda: 0.0)
    page = irislib.app(iris)
    submit(page, GOOD)
    assert b"average over 5 shuffles" in download(page, "report")[1]


def test_held_features_stay_held_for_later_predictions(iris) -> None:
    page = irislib.app(iris)
    assert "error" in request(page, "hold", name="smallest_changes", held=["petal_width_cm"])  # there is no answer yet
    submit(page, GOOD)
    assert 'data-hold="smallest_changes" data-held="[]"' in request(page, "draw", tab=1)["html"]
    fixed = ["petal_width_cm", "petal_length_cm"]
    reply = request(page, "hold", name="smallest_changes", held=[*fixed, MARKUP])  # a visitor can send anything
    insight = insights.smallest_changes(iris, GOOD, fixed)
    name = re.compile(" data-card=.card-[0-9]+.")
    assert name.sub("", reply["html"]) == name.sub("", _html.render_pieces([insight]))
    assert reply["announcement"] == insight.text
    assert insight.text.endswith("; petal length and petal width stay as they are.")
    drawn = unescape(request(page, "draw", tab=1)["html"])
    assert unescape(reply["html"]) in drawn
    assert f'data-held="{json.dumps(fixed)}"' in drawn
    assert insight.text in unescape(download(page, "report")[1].decode())
    submit(page, {**GOOD, "sepal_length_cm": "5"})  # it is kept for the next answer
    text = insights.smallest_changes(iris, {**GOOD, "sepal_length_cm": 5}, fixed).text
    assert text in unescape(request(page, "draw", tab=1)["html"])


def test_an_insight_with_held_features_that_does_not_apply_is_a_sentence(rent) -> None:
    page = irislib.app(replace(rent, spec=replace(rent.spec, tabs={"Why": [insights.smallest_changes]})))
    submit(page, {"area_m2": 40, "balcony": "true", "built": "1990-05-01"})
    html = request(page, "draw", tab=1)["html"]
    assert "there is no class to change" in html
    assert "data-hold" not in html


def test_why_a_text_cannot_be_changed_is_said_once() -> None:
    data = pd.DataFrame({"mail": ["buy cheap", "see you"] * 30, "class": ["spam", "ham"] * 30})
    estimator = make_pipeline(make_column_transformer((TfidfVectorizer(), "mail")), LogisticRegression())
    page = irislib.app(irislib.train(ModelSpec("mails", [Feature("mail", "text")], "class", lambda: data, estimator)))
    submit(page, {"mail": "buy cheap"})
    html = request(page, "draw", tab=1)["html"]
    assert html.count("Mails has no input with more than one value to go through.") == 1
    assert "may change" not in html
    assert "data-hold" not in html


def test_a_report_is_one_complete_file(iris, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))  # where nothing has been measured on demand
    monkeypatch.setattr(_jobs, "clock", lambda: 0.0)
    page = irislib.app(iris)
    assert "error" in request(page, "download", file="report", part=0)  # there is no answer yet
    submit(page, GOOD)
    submit(page, {**GOOD, "petal_length_cm": "wrong"})  # a report is of the last answer, not of the form
    name, content = download(page, "report")
    text = content.decode()
    assert name == "iris-wizard-report.html"
    for expected in (
        "virginica",
        "6.0 cm".replace(".0", ""),
        "2.5 cm",
        iris.version,
        iris.trained_at[:10],
        "Fisher",
        "test rows",
    ):
        assert expected in text
    assert text.count("<img") == 15  # one for each panel
    assert "data-job" not in text  # nothing answers a button there
    assert not re.search(r"(src|href)=.(?!data:)|@import|url\(", text)
    assert TEXTS["history"] not in text


def test_secrets_and_files_are_in_no_reply_state_or_log(capfd) -> None:
    page = dummy.app()
    content = f"content {PLANTED}".encode()
    values = {"password": PLANTED, "text": "seen"}
    html = submit(page, values, {"file": content})["html"]
    assert re.search(r"Password</td><td>\(entered\)", html)
    assert f"a file of {len(content)} bytes" in unescape(html)
    submit(page, {**values, "number": "wrong"}, {"file": content})
    submit(page, {**values, "text": "again"})
    link = urlencode({"password": PLANTED, "file": PLANTED, "text": "seen"})
    assert request(page, "connect", query=link)["values"] == {"text": "seen"}
    replies = [
        download(page, "report"),
        html,
        page.reply({"method": "connect", "id": 1, "query": link}),
        render(page.history.to_blocks()),
    ]
    states = [widget.get_state() for widget in ipywidgets.widgets.widget._instances.values()]
    assert "seen" in repr(replies)
    for exposed in (replies, states, vars(page), capfd.readouterr()):
        assert PLANTED not in repr(exposed)
    quoting = Page("P", dummy.FEATURES, "Go", lambda values: int(values["password"] + values["file"].name), [])
    failed = submit(quoting, values, {"file": content})["error"]
    assert PLANTED not in failed
    logged = capfd.readouterr().err
    assert "invalid literal for int() with base 10: '(entered)(entered)'" in logged

    _, problems = check_values([Feature("p", "password"), Feature("f", "file")], {"p": [PLANTED], "f": PLANTED}, 1)
    assert [problem.value for problem in problems] == [None, None]
    assert PLANTED not in repr(problems)


def test_the_area_plot_has_ten_rows_of_four() -> None:
    from matplotlib.collections import PolyCollection

    axes = dummy.area_plot(dummy.random_rows()).axes[0]
    areas = [artist for artist in axes.collections if isinstance(artist, PolyCollection)]
    assert [area.get_label() for area in areas] == list("abcd")
    assert axes.get_xlim() == (0, 9)


def test_every_text_is_used_and_every_used_text_exists() -> None:
    folders = [paths.CHECKOUT / "irislib", paths.jupyter_dir()]
    files = [p for folder in folders for p in folder.rglob("*") if p.suffix in (".py", ".js", ".html", ".j2")]
    sources = [path.read_text() for path in files if "messages" not in path.parts]
    of_page = "\n".join(source for source in sources if "irislib._common.messages." not in source)
    # the model card has texts of its own
    front = "\n".join(p.read_text() for p in files if p.suffix != ".py" and p.parent.name != "_model_card")
    names = set(re.findall(r"""TEXTS\[["'](\w+)["']\]""", of_page)) | set(re.findall(r"\btexts\.(\w+)", front))
    indirect = {
        "callback_failed",
        "callback_failed_in_jupyter",
        "about_fitted",
        "fitted_alone",
        "about_trained",
        "fitted",
        "trained",
        "table_rows",
        "table_rows_first",
        "feedback_full",
        "feedback_unwritable",
        "lost",
        "ended",
        "from",
        "to",
        "table_first",
        "table_these",
        "table_performance_rows",
        "table_performance_sample",
        *(key for key in TEXTS if key.startswith(("table_show_", "table_order_", "unopened_"))),
        *STATISTICS,
        "table_is_right",
        "table_off_by",
        "table_is_wrong",
        "table_yes",
        "outside",
        "outside_given",
        "table_no_true_class",
        "table_no_true_number",
    }  # by a variable
    assert names | indirect == set(TEXTS)
    all_sources = "\n".join(sources)
    for module in iter_modules(messages.__path__, "irislib._common.messages."):
        if module.ispkg:  # another language
            continue
        for key in import_module(module.name).TEXTS:
            start, _, end = key.partition(".")  # either may be in a variable, such as the name of an insight's function
            in_template = re.match(r".*[_.]|", key)[0]
            forms = [f"{before}{mark}" for mark in "\"'" for before in (f"{mark}{key}", f"}}.{end or key}")]
            forms += [f'f"{start}.{{', f"f'{start}.{{", f'texts["{in_template}" ~']
            if not any(form in all_sources for form in forms):
                assert re.search(rf"texts\.{re.escape(key)}\b", all_sources), f"{module.name}: {key}"


def test_no_name_of_ours_hides_one_of_ipywidgets(iris) -> None:
    # a method named `open` once kept every page from ever connecting
    ours = {name for name, value in vars(Page).items() if inspect.isfunction(value) and not name.startswith("__")}
    assert not (ours | (set(vars(irislib.app(iris))) - {"_trait_values"})) & set(dir(anywidget.AnyWidget))


def test_templates_have_no_text_of_their_own() -> None:
    root = paths.jupyter_dir() / "voila" / "templates" / "irislib"
    for template in [*root.glob("*.html"), *root.glob("*.j2"), FRONTEND / "report.html.j2"]:
        source = template.read_text()
        html = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(script|style)\b.*?</\1>", "", source, flags=re.S)
        text = re.sub(r"<[^>]*>", " ", html)
        assert set(re.findall(r"[A-Za-z]{2,}", text)) <= {"irislib", "POST"}, template.name
        assert not re.search(r"\b(?:lang|title|alt|aria-label|placeholder)=\"[^\"{]*[a-z]", html), template.name


def test_rows_to_try_have_no_digits_that_change_nothing() -> None:
    data = load_diabetes(as_frame=True).frame[["age", "bmi", "s5", "target"]]
    features = [Feature("age"), Feature("bmi"), Feature("s5", low=-1, high=1, step=0.00001)]
    examples = {"first": dict(data.drop(columns="target").iloc[0])}
    model = irislib.train(ModelSpec("sugar", features, "target", lambda: data, LinearRegression(), examples=examples))
    page = irislib.app(model)
    (_, example), rows = page.facts["examples"][0], model.evaluation.features.to_dict("records")
    typed = [_fields.form_values(features, typed_row(model, row)) for row in rows]
    for exact, values in zip([examples["first"], *rows], [example, *typed], strict=True):
        assert all(len(values[name].strip("-0.")) <= 6 for name in ("age", "bmi")), values
        assert float(values["s5"]) == pytest.approx(exact["s5"], abs=0.5e-5)
        expected, answer = model.predict_row(exact), model.predict_row(values)
        assert answer.answer == expected.answer
        assert [warning.feature for warning in answer.warnings] == [warning.feature for warning in expected.warnings]
    assert set(request(page, "test_row")["values"].values()) <= {text for values in typed for text in values.values()}


def test_rows_to_try_keep_what_a_hundredth_of_the_range_is() -> None:
    data = pd.DataFrame({"longitude": np.random.default_rng(0).uniform(-118.7, -118.2, 60), "rooms": [1.0, 2, 3] * 20})
    data["rent"] = 100 * data["rooms"]  # so that any longitude keeps the answer
    features = [Feature("longitude"), Feature("rooms")]
    model = irislib.train(ModelSpec("flats", features, "rent", lambda: data, DecisionTreeRegressor()))
    for row in model.evaluation.features.to_dict("records"):
        typed = typed_row(model, row)
        assert typed["longitude"] == pytest.approx(row["longitude"], abs=0.005)
        why = insights.contributions(model, typed).frame.set_index("feature")["value"]
        assert float(why["Longitude"]) == typed["longitude"]  # Why explains what the form shows


def test_a_test_row_comes_with_its_true_answer(iris, rent) -> None:
    for model in (iris, rent):
        page = irislib.app(model)
        values = request(page, "test_row")["values"]
        true = model.evaluation.y_true[
            next(
                i
                for i, row in enumerate(model.evaluation.features.to_dict("records"))
                if model.spec.validate(values).equals(model.spec.validate(row))
            )
        ]
        html = unescape(submit(page, values)["html"])
        if model.classes:
            verdict = "right" if model.predict(values)[0] == true else "wrong"
            assert f"its true answer is {true}, so the model is {verdict}." in html
        else:
            assert f"its true number is {format_target(model, true)}, so the answer is off by " in html
        name = model.spec.feature_names[0]
        assert "This is a test row" not in submit(page, {**values, name: float(values[name]) + 0.1})["html"]
