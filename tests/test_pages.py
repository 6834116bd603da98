"""The pages in a real browser, as end users use them."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import nbformat
import pytest
from conftest import PLANTED, Server, new_page, notebook, open_app, submit_row, wait_until
from invalid_inputs import GOOD, TYPED
from playwright.sync_api import expect
from test_accessibility import show_all_tabs

from irislib import insights
from irislib._common.formatting import format_share
from irislib._common.messages import TEXTS
from irislib._prediction_log.reading import read_records
from irislib.widgets._frontend import read_frontend

CONTROLS = """
import time
from pathlib import Path
from irislib import Feature
from irislib.widgets import Page, Tab

def answer(values):
    while values.get("line") == "slow" and not Path("GATE").exists():
        time.sleep(0.02)
    return sorted(values.items())

features = [
    Feature("opt", default=2, required=False),
    Feature("slide", "integer", control="slider", low=0, high=10, step=2, default=4),
    Feature("line", "text", required=False),
    Feature("day", "date", required=False),
    Feature("pair", "range", required=False),
]
tabs = [Tab("Out", lambda items: [str(items)], "Press Go."), Tab("Still", lambda _: ["here"])]
Page("Controls", features, "Go", answer, tabs)
"""
TWO = """
from IPython.display import display
from irislib import Feature
from irislib.widgets import Page, Tab

for label in ("First", "Second"):
    display(Page(label + " page", [Feature("a", label=label)], "Go", str, [Tab("Out", lambda text: [text], "Empty.")]))
"""

LONG = """
from irislib import Feature
from irislib.widgets import Page, Tab
features = [Feature(f"gene_{i}", group=f"Chromosome {i // 30}") for i in range(300)]
Page("Long", features, "Go", str, [Tab("Out", lambda text: [text], "nothing yet")])
"""

MANY = """
import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
import irislib
from irislib.widgets import app

names = [f"size_{i}" for i in range(30)]
data = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 30)), columns=names)
data["kind"] = np.where(data["size_29"] > 0, "big", "small")
features = [irislib.Feature(name, default=None if i == 28 else 0) for i, name in enumerate(names)]
examples = {"All ones": dict.fromkeys(names, 1)}
spec = irislib.ModelSpec("many", features, "kind", lambda: data, DecisionTreeClassifier(), examples=examples)
app(irislib.train(spec))
"""

WORDY = """
import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
import irislib

word = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenabzeichen"
data = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 2)), columns=["a", "b"])
data["kind"] = np.where(data["a"] > 0, word, "a class of many words that nobody would want to read on a phone")
features = [irislib.Feature("a", label=word, help=word, unit="of a unit in words"),
            irislib.Feature("b", label="A label that takes more than one line wherever it may stand " * 2)]
spec = irislib.ModelSpec("wordy", features, "kind", lambda: data, DecisionTreeClassifier(), title=word)
spec.examples["An example of a long name, which goes on and on"] = {"a": 1, "b": 2}
irislib.app(irislib.train(spec))
"""


@pytest.fixture(scope="module")
def controls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("controls")
    for name, cell in (
        ("controls", CONTROLS.replace("GATE", str(folder / "gate"))),
        ("two", TWO),
        ("long", LONG),
        ("many", MANY),
        ("wordy", WORDY),
    ):
        content = notebook(cell)
        content.metadata["irislib"] = {"run": "once"}  # a page with JupyterLab's scripts takes 2 s of CPU more
        nbformat.write(content, folder / f"{name}.ipynb")
    environment = {"IRISLIB_STORE": str(folder / "store")}
    options = ("--model=slow:spec", "--notebooks", str(folder))
    server = Server(folder / "log", "serve", *options, **environment)
    yield server.wait()
    assert server.stop() == 0
    assert "reference " not in server.text()


def test_flowers_typed_and_clicked(page, serve: Server, iris, flowers) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    assert page.title() == "Iris Wizard"
    assert "Fill in the form and press Abrakadabra" in page.inner_text(".irislib-pane:visible")
    # each answer differs from the one before, so that an old one cannot be taken for a new one
    sample = [GOOD] + [flowers[i + 50 * species] for i in (0, 17, 33, 49) for species in range(3)]
    before = ""
    for flower in sample:
        expected = iris.predict(flower)[0]
        assert expected != before
        submit_row(page, iris, flower)
        page.locator(".irislib-answer", has_text=expected).wait_for()
        probability = dict(zip(iris.classes, iris.predict_proba(flower)[0], strict=True))[expected]
        row = page.locator(".irislib-table tr", has_text=expected).first
        assert row.inner_text().split() == [expected, format_share(probability)]
        bar = row.locator(".irislib-bar > span")
        whole = row.locator(".irislib-bar").bounding_box()["width"]
        assert bar.bounding_box()["width"] == pytest.approx(probability * whole, abs=1)
        before = expected
    assert page.locator(".irislib-answer").count() == 1
    asked = [record["inputs"] for record in read_records(serve.predictions) if record["route"] == "page"]
    assert all(flower in asked for flower in sample)
    assert page.locator(".irislib-history tbody tr").count() == 10
    page.locator(".irislib-history tbody tr").nth(2).get_by_role("button").click()
    assert page.get_by_label("Petal length").input_value() == f"{sample[-3]['petal_length_cm']:g}"


def test_the_button_and_the_answer_are_on_one_screen(page, serve: Server, iris) -> None:
    button, answer = page.get_by_role("button", name="Abrakadabra"), page.locator(".irislib-answer")
    for width, height in ((1280, 720), (1366, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        open_app(page, serve, "iris-wizard", "Abrakadabra")
        expect(button).to_be_in_viewport(ratio=1)
        button.click()
        expect(answer).to_be_in_viewport(ratio=1)
        expect(button).to_be_focused()
        if width > 390:
            for row in page.locator(".irislib-result tr").all():
                expect(row).to_be_in_viewport(ratio=1)
            assert page.evaluate("scrollY") == 0
    submit_row(page, iris, dict.fromkeys(GOOD, 25))
    page.get_by_text("4 of 4 values are outside the training data.").wait_for()
    for row in page.locator(".irislib-result tr").all():
        expect(row).to_be_in_viewport(ratio=1)


def test_an_opened_tab_begins_in_view(page, serve: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    page.get_by_role("tab", name="Performance").click()  # below the form
    title = page.get_by_role("heading", name="How often is it right?")
    expect(title).to_be_in_viewport()
    page.get_by_role("button", name="Save as CSV").last.scroll_into_view_if_needed()
    expect(title).not_to_be_in_viewport()
    page.get_by_role("tab", name="Insights").click()  # at the top of the window
    expect(page.get_by_role("heading", name="What matters most?")).to_be_in_viewport()


def test_the_button_stays_in_reach_and_covers_no_field(page, serve: Server) -> None:
    covered = """() => {
        const bar = document.querySelector('.irislib-actions'), focused = document.activeElement;
        if (bar.contains(focused) || !focused.closest('.irislib-fields')) return null;
        const field = focused.getBoundingClientRect();
        return [field.top < 0, field.bottom > bar.getBoundingClientRect().top + 1];
    }"""
    for width, height in ((1280, 720), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        open_app(page, serve, "dummy", "Submit")
        page.get_by_role("button", name="A little of each").click()
        count = 0
        while (state := page.evaluate(covered)) is not None or not count:
            assert state in (None, [False, False])
            expect(page.get_by_role("button", name="Submit")).to_be_in_viewport(ratio=1)
            page.keyboard.press("Tab")
            count += 1
        assert count > 17
        page.get_by_role("button", name="Submit").click()
        expect(page.locator(".irislib-table tr").first).to_be_in_viewport(ratio=1)


def test_a_live_answer_follows_the_form(page, serve: Server, rent) -> None:
    previews: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: previews.append(frame)))
    open_app(page, serve, "flat-rent", "Predict")
    page.get_by_text("The answer follows your changes.").wait_for()
    answer, area = page.locator(".irislib-answer"), page.get_by_label("Area")
    row = {"area_m2": 40, "balcony": False, "built": "1990-05-01"}
    page.get_by_label("Built on").fill("1990-05-01")
    area.fill("40")
    expect(answer).to_have_text(str(rent.predict_row(row)))
    before, start = len(previews), time.monotonic()
    area.fill("")
    area.press_sequentially("1234567890123456789012345678901234567890", delay=5)
    page.get_by_text("This answer is for the values before. Area must be").wait_for()
    assert len(previews) - before <= 4 + 10 * (time.monotonic() - start)  # at most ten a second
    expect(page.locator(".irislib-old")).to_have_text(re.compile("Rent: "))  # of 40 m², or of 1, 12 or 123
    expect(area).to_be_focused()
    area.fill("")
    page.get_by_text("This answer is for the values before. Please fill in: Area.").wait_for()
    area.fill("90")
    expect(answer).to_have_text(str(rent.predict_row({**row, "area_m2": 90})))
    expect(page.locator(".irislib-old")).to_have_count(0)
    expect(page.get_by_role("status").last).to_have_text(str(rent.predict_row({**row, "area_m2": 90})))
    expect(page.locator(".irislib-history")).to_have_count(0)
    for value in (50, 60):
        area.fill(str(value))
        page.get_by_role("button", name="Predict").click()
        expect(page.get_by_role("button", name="Download report")).to_be_visible()
    expect(page.locator(".irislib-history tbody tr")).to_have_count(2)
    area.fill("70")
    expect(answer).to_have_text(str(rent.predict_row({**row, "area_m2": 70})))
    expect(page.get_by_role("button", name="Download report")).to_be_hidden()  # it would be of another answer
    expect(page.locator(".irislib-history tbody tr")).to_have_count(2)


def test_a_problem_is_shown_beside_its_field_and_below_the_button(page, serve: Server, iris) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    for case in (TYPED[0], TYPED[7], TYPED[-1], TYPED[-3]):
        submit_row(page, iris, case.row)
        for feature in iris.spec.features:
            field = page.locator(".irislib-field", has=page.get_by_label(feature.label))
            if message := case.messages.get(feature.name):
                field.locator(".irislib-message", has_text=feature.label + message[len(feature.name) :]).wait_for()
                assert feature.label in page.inner_text(".irislib-why")
                assert field.locator("input").input_value() == str(case.row.get(feature.name, ""))  # as it was typed
            else:
                expect(field.locator(".irislib-message")).to_be_hidden()
        submit_row(page, iris, GOOD)
        expect(page.locator(".irislib-answer")).to_contain_text("Species: virginica, ")
        expect(page.locator(".irislib-message:visible")).to_have_count(0)
        assert page.inner_text(".irislib-why") == ""


def test_a_field_is_checked_when_it_is_left(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    petal = page.get_by_label("Petal length")
    petal.fill("abc")
    petal.press("Tab")
    page.locator(".irislib-panel").get_by_text("Petal length must be a number, got 'abc'.").wait_for()
    expect(petal).to_have_attribute("aria-invalid", "true")
    assert page.inner_text(".irislib-why") == "Please correct: Petal length."
    petal.fill("")
    assert page.inner_text(".irislib-why") == "Please fill in: Petal length."
    petal.press("ArrowUp")  # by its step, and never beyond its limits
    assert petal.input_value() == "0.1"
    petal.press("ArrowDown")
    assert petal.input_value() == "0"
    petal.fill("30")
    petal.press("ArrowUp")
    assert petal.input_value() == "30"


def test_a_reader_whose_language_has_a_decimal_comma_types_one(chromium, serve: Server) -> None:
    with new_page(chromium, locale="fr-FR") as page:
        type_with_commas(page, serve)


def type_with_commas(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    fields = [page.get_by_label(label) for label in ("Petal length", "Petal width", "Sepal length", "Sepal width")]
    for field, text in zip(fields, ("6,0", "2,5", "6.3", "3.300"), strict=True):
        field.fill(text)
    fields[-1].press("Tab")
    page.locator(".irislib-panel").get_by_text("Sepal width could be 3300 or 3,300: write the one that").wait_for()
    fields[-1].fill("3,300")
    page.get_by_role("button", name="Abrakadabra").click()
    expect(page.locator(".irislib-answer")).to_contain_text("Species: virginica, ")
    assert [field.input_value() for field in fields] == ["6,0", "2,5", "6.3", "3,300"]  # as they were typed
    fields[0].press("ArrowUp")
    assert fields[0].input_value() == "6,1"


PARTS = """
const [low, high, step] = [-0.5, 9.5, 0.5];
const field = createField({ name: "a", label: "A", control: "slider", low, high, step, unit: "cm" }, {}, "a", () => {});
document.body.append(field.element, h("button", {}, "Start"), h("button", {}, "Other"));
field.setValue("2.5");
window.begin = () => (window.progress = new Progress(document.querySelector("button"), 1, { cancel: "Cancel" }));
// A browser takes the focus from a disabled button with the next frame.
const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
const fail = () => frame().then(() => ({ error: "Not stored." }));
const feedback = new Feedback(fail, { feedback_send: "Send", feedback: "Wrong" }, {}, "b", () => ({}), () => {});
document.body.append(feedback.element);
"""


def test_a_slider_has_the_readers_decimal_sign_and_a_failure_keeps_the_focus(chromium) -> None:
    scripts = read_frontend("logic.js", "dom.js", "fields.js", "feedback.js")
    with new_page(chromium, locale="de-DE") as page:
        page.set_content("<!DOCTYPE html><html lang=de><body></body></html>")
        page.add_script_tag(content=f"{scripts}\n{PARTS}", type="module")
        page.wait_for_function("() => window.begin")
        assert page.locator(".irislib-reading").inner_text() == "2,5 cm"
        assert page.locator(".irislib-ends > span").all_inner_texts() == ["-0,5", "9,5"]
        assert page.evaluate("document.querySelector('input').value") == "2.5"  # what Python gets
        start, other = (page.get_by_role("button", name=name) for name in ("Start", "Other"))
        page.evaluate("begin()")
        expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        page.evaluate("progress.fail('No.')")
        expect(start).to_be_focused()
        page.evaluate("begin()")
        other.focus()
        page.evaluate("progress.fail('No.')")
        expect(start).to_be_visible()
        expect(other).to_be_focused()
        page.get_by_role("button", name="Wrong").click()
        page.get_by_role("button", name="Send").press("Enter")
        page.get_by_text("Not stored.").wait_for()
        expect(page.get_by_role("button", name="Send")).to_be_focused()


def test_a_prediction_is_stale_once_the_form_has_changed(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    stale = page.get_by_text("The form has changed since this answer.").first
    for example, species in (("A small setosa", "setosa"), ("A large virginica", "virginica")):
        page.get_by_role("button", name=example).click()
        page.get_by_role("button", name="Abrakadabra").click()
        expect(page.locator(".irislib-answer")).to_contain_text(f"Species: {species}, ")
        expect(page.get_by_role("status").last).to_contain_text(f"Species: {species}, ")
        expect(stale).to_be_hidden()
        page.get_by_label("Sepal width").press("5")
        expect(stale).to_be_visible()


def test_enter_submits(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    petal = page.get_by_label("Petal length")
    for value, species in (("1.4", "setosa"), ("6", "virginica"), ("1.5", "setosa")):
        page.get_by_label("Petal width").fill("2.4" if species == "virginica" else "0.2")
        petal.fill(value)
        petal.press("Enter")
        page.locator(".irislib-answer", has_text=species).wait_for()


def test_the_tabs(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    page.get_by_role("tab", name="Prediction").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".irislib-pane:visible")).to_contain_text("press Abrakadabra")
    for tab, text in (
        ("Insights", "how much the trees differ"),
        ("Performance", "29 of 30 test rows"),
    ):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=tab)).to_be_focused()
        page.get_by_text(text).first.wait_for()
        image = page.locator("img.irislib-figure:visible").first
        image.wait_for()
        assert text in image.get_attribute("alt")
        assert image.evaluate("image => image.complete && image.naturalWidth > 100")


def test_cards_and_rows_have_the_room_that_there_is(page, serve: Server, rent, tmp_path: Path) -> None:
    open_app(page, serve, "flat-rent", "Predict")
    page.get_by_role("button", name="A small flat").click()
    page.get_by_role("button", name="Predict").click()
    page.locator(".irislib-pane .irislib-answer").wait_for()
    page.get_by_role("tab", name="Why").click()
    page.get_by_role("heading", name="How far off can it be?").wait_for()
    widths = "(cards) => cards.map((card) => card.getBoundingClientRect().width)"
    wait_until(lambda: len({*page.locator(".irislib-pane:visible > div > *").evaluate_all(widths)}) == 1)
    page.get_by_role("tab", name="Performance").click()
    page.get_by_role("heading", name="Would more data help?").wait_for()
    cards = page.locator(".irislib-pane:visible > div > *")
    assert max(cards.evaluate_all(widths)) < 450  # two in each row
    page.locator(".irislib-body").evaluate("(body) => (body.style.maxWidth = 'none')")
    page.set_viewport_size({"width": 2400, "height": 800})
    assert min(cards.evaluate_all(widths)) > 800  # no more of them, also where there is room
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("tab", name="Table").click()
    rows = rent.spec.load_data().head(10).drop(columns="rent")
    rows["what was said of it"], rows["a name of several long words"] = "a remark of some words", 1
    file = tmp_path / "rows.csv"
    rows.to_csv(file, index=False)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Predict all rows").click()
    table = page.locator("table[data-sortable]")
    table.wait_for()
    heights = "(rows) => rows.map((row) => row.getBoundingClientRect().height)"
    assert max(table.locator("tbody tr").evaluate_all(heights)) < 45  # each is on one line
    beyond = "(names) => names.map((name) => name.scrollWidth - name.clientWidth)"
    assert set(table.locator("thead th").evaluate_all(beyond)) == {0}
    page.get_by_role("tab", name="Prediction").click()
    live = page.locator(".irislib-pane .irislib-live")
    expect(live).to_be_visible()
    page.emulate_media(media="print")
    expect(live).to_be_hidden()


def test_a_chart_shows_the_value_under_the_pointer_until_that_leaves(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    page.get_by_role("tab", name="Insights").click()
    chart = page.locator(".irislib-pane:visible .irislib-chart").first
    value = chart.locator(".irislib-value")
    chart.press("ArrowRight")
    expect(value).to_be_visible()
    move = """(chart, types) => {
        const [x, y] = window.point ??= ["left", "top"].map((side) => parseFloat(chart.lastChild.style[side]) / 100);
        const { left, top, width, height } = chart.firstChild.getBoundingClientRect();
        const place = { clientX: left + x * width, clientY: top + y * height };
        for (const type of types) chart.dispatchEvent(new PointerEvent(type, place));
        return new Promise((resolve) => setTimeout(() => resolve(chart.lastChild.hidden)));
    }"""
    assert chart.evaluate(move, ["pointermove"]) is False
    assert chart.evaluate(move, ["pointermove", "pointerleave"]) is True
    chart.press("ArrowRight")
    expect(value).to_be_visible()
    chart.press("Escape")
    expect(value).to_be_hidden()


def test_features_can_be_held(page, serve: Server, iris) -> None:
    open_app(page, serve, "iris-wizard?" + urlencode(GOOD), "Abrakadabra")
    page.get_by_role("button", name="Abrakadabra").click()
    page.locator(".irislib-answer").wait_for()
    page.get_by_role("tab", name="Why").click()
    summary = page.get_by_text(TEXTS["fix"])
    summary.focus()
    page.keyboard.press("Enter")
    group = page.get_by_role("group", name=TEXTS["fix"])
    box = group.get_by_role("checkbox", name="Petal length")
    box.focus()
    page.keyboard.press("Space")
    page.get_by_text(insights.smallest_changes(iris, GOOD, ["petal_length_cm"]).text).last.wait_for()
    expect(box).to_be_focused()
    group.get_by_label("Petal width").check()
    both = insights.smallest_changes(iris, GOOD, ["petal_length_cm", "petal_width_cm"]).text
    page.locator(".irislib-pane:visible").get_by_text(both).wait_for()
    expect(page.get_by_role("status").last).to_have_text(both)
    page.get_by_role("button", name="Abrakadabra").click()
    expect(page.get_by_role("tab", name="Prediction")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Why").click()
    page.locator(".irislib-pane:visible").get_by_text(both).wait_for()
    expect(box).to_be_checked()
    box.uncheck()
    page.locator(".irislib-pane:visible").get_by_text("; petal width stays as it is.").wait_for()


def test_a_long_running_insight_is_computed_once_on_demand(page, neighbour, controls: Server) -> None:
    store = controls.log.parent / "store"
    for tab in (neighbour, page):  # both before it is calculated
        open_app(tab, controls, "slow", "Predict")
        tab.get_by_role("tab", name="Performance").click()
    section = page.locator("[data-job=learning_curve]")
    section.get_by_role("button", name="Calculate").click()
    bar = section.get_by_role("progressbar")
    bar.wait_for()
    page.wait_for_function("bar => bar.value > 0", arg=bar.element_handle())
    section.get_by_role("button", name="Cancel").click()
    section.get_by_role("button", name="Calculate").wait_for()
    assert not list(store.rglob("learning_curve-*.json"))
    section.get_by_role("button", name="Calculate").press("Enter")
    page.get_by_text("With 48 training rows its accuracy on other rows is").wait_for()
    assert not section.count()
    (measured,) = store.rglob("learning_curve-*.json")
    written = measured.stat().st_mtime_ns
    page.get_by_role("tab", name="Prediction").click()
    page.get_by_role("button", name="Predict").click()  # the kernel is there for other things as before
    page.locator(".irislib-answer").wait_for()
    neighbour.locator("[data-job=learning_curve]").get_by_role("button", name="Calculate").click()
    neighbour.get_by_text("With 48 training rows its accuracy").wait_for()
    assert measured.stat().st_mtime_ns == written


def test_the_button_and_the_tabs_of_hundreds_of_fields_stay_in_reach(page, controls: Server) -> None:
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        open_app(page, controls, "long", "Go")
        assert page.evaluate("document.documentElement.scrollHeight") < 2 * 800
        names = ", ".join(f"Gene {i}" for i in range(8))
        assert page.inner_text(".irislib-why") == f"Please fill in: {names} and 292 more."
        page.get_by_label("Gene 299").fill("1")  # scrolls to it
        expect(page.get_by_role("button", name="Go")).to_be_in_viewport()
        expect(page.get_by_label("Gene 299")).to_be_in_viewport()
        expect(page.get_by_role("group", name="Chromosome 9").get_by_label("Gene 299")).to_be_visible()
        search = page.get_by_label("Find a field")
        search.fill("gene_29")
        expect(page.locator(".irislib-field:visible")).to_have_count(11)
        search.press("Enter")
        expect(page.get_by_role("textbox", name="Gene 29", exact=True)).to_be_focused()
        page.get_by_role("button", name="Go").click()
        expect(page.get_by_role("textbox", name="Gene 0", exact=True)).to_be_focused()  # the first that is missing
        expect(search).to_have_value("")


def test_a_long_form_begins_with_what_matters_most_and_hides_nothing_that_is_missing(page, controls: Server) -> None:
    open_app(page, controls, "many", "Predict")
    fields = page.locator(".irislib-field:visible")
    expect(fields).to_have_count(30)  # one has no value yet
    assert fields.first.inner_text().startswith("Size 29")
    page.get_by_role("button", name="All ones").click()
    expect(fields).to_have_count(12)
    page.emulate_media(media="print")
    expect(fields).to_have_count(30)
    page.emulate_media(media="screen")
    expect(fields).to_have_count(12)
    page.get_by_label("Find a field").fill("size_28")
    page.get_by_label("Size 28").fill("")
    page.get_by_label("Find a field").fill("")
    expect(fields).to_have_count(12)
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_label("Size 28")).to_be_focused()
    expect(fields).to_have_count(30)
    shorter = page.get_by_role("button", name="Show only what matters most")
    expect(shorter).to_be_hidden()
    page.get_by_label("Size 28").fill("2")
    expect(fields).to_have_count(30)
    shorter.click()
    expect(fields).to_have_count(12)
    page.get_by_role("button", name="Predict", exact=True).click()
    page.locator(".irislib-answer").wait_for()


def test_long_words_and_names_have_room(page, controls: Server) -> None:
    open_app(page, controls, "wordy", "Predict")
    page.get_by_role("button", name="An example of a long name").click()
    page.get_by_role("button", name="Predict").click()
    page.locator(".irislib-pane .irislib-answer").wait_for()
    show_all_tabs(page)
    for width, part in ((1280, ".irislib-pane"), (390, ".irislib-result")):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        tables = page.locator(f"{part} .irislib-wide")
        hidden = tables.evaluate_all("(tables) => tables.map((table) => table.scrollWidth - table.clientWidth)")
        assert set(hidden) == {0}, width
        panel = page.locator(".irislib-panel")
        texts = panel.locator("label, .irislib-help, button")
        right = panel.evaluate("(panel) => panel.getBoundingClientRect().right")
        assert max(texts.evaluate_all("(texts) => texts.map((text) => text.getBoundingClientRect().right)")) <= right


def test_a_model_without_a_notebook_gets_its_page(page, serve: Server, rent) -> None:
    open_app(page, serve, "flat-rent", "Predict")
    assert page.inner_text(".irislib-why") == "Please fill in: Area, Built on."
    page.get_by_label("Area").fill("40")
    page.get_by_label("District").select_option("hill")
    page.get_by_label("Balcony").check()
    page.get_by_label("Built on").fill("1990-05-01")
    page.get_by_role("button", name="Predict").click()
    row = {"area_m2": 40, "district": "hill", "balcony": True, "built": "1990-05-01"}
    page.locator(".irislib-answer", has_text=str(rent.predict_row(row))).wait_for()
    page.get_by_role("tab", name="Performance").click()
    page.get_by_text("its answers are off by").wait_for()


def fill_dummy(page: Any, tmp_path: Path) -> None:
    page.get_by_label("Text", exact=True).fill("<i>text</i>")
    page.get_by_label("Number (cm)").fill("4.5")
    page.get_by_label("Whole number").press("ArrowUp")
    page.get_by_label("Whole number").press("ArrowUp")
    page.get_by_label("Date").fill("2026-01-31")
    page.get_by_label("Time").fill("14:30")
    page.get_by_label("Select list").select_option("two")
    page.get_by_label("List with suggestions").fill("durian")
    page.get_by_label("Checkbox").check()
    page.get_by_label("Yes, no, or nothing").select_option("no")
    page.get_by_label("right").check()
    slider = page.get_by_role("slider")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    page.get_by_label("from").fill("20")
    page.get_by_label("to", exact=True).fill("60")
    page.get_by_label("Colour", exact=True).fill("#e95420")
    page.get_by_label("Long text").fill("two\nlines")
    page.get_by_label("E-mail").fill("ann@example.org")
    page.get_by_label("Password").fill(PLANTED)
    (tmp_path / f"{PLANTED}.txt").write_text(PLANTED)
    page.get_by_label("File").set_input_files(tmp_path / f"{PLANTED}.txt")


ECHO = """input\tvalue
Text\t<i>text</i>
Number\t4.5 cm
Whole number\t1
Date\t2026-01-31
Time\t14:30
Select list\ttwo
List with suggestions\tdurian
Checkbox\tyes
Yes, no, or nothing\tno
Radio buttons\tright
Slider\t4
Range\t20 to 60
Colour\t#e95420
Long text\ttwo
lines
E-mail\tann@example.org
Password\t(entered)
File\ta file of 16 bytes"""


def test_the_dummy_echoes_every_kind_of_input_and_keeps_secrets(page, serve: Server, tmp_path: Path) -> None:
    open_app(page, serve, "dummy", "Submit")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fill_dummy(page, tmp_path)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("has been copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-table").wait_for()
    assert page.inner_text(".irislib-table") == ECHO
    assert page.get_by_label("Password").input_value() == ""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download report").click()
    report = Path(download.value.path()).read_text()
    assert "durian" in report
    page.get_by_label("Number (cm)").fill("wrong")
    page.get_by_label("Password").fill(PLANTED)
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-panel").get_by_text("Number must be a number, got 'wrong'.").wait_for()
    stores = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])")
    for content in (link, report, page.content(), stores, serve.text()):
        assert PLANTED not in content
    page.get_by_role("tab", name="Plot").click()
    page.locator("img.irislib-figure:visible").wait_for()

    assert set(parse_qs(urlsplit(link).query)) == {
        "text", "number", "whole", "date", "time", "list", "suggestions", "checkbox", "answer", "radio", "slider",
        "range", "color", "comment", "email",
    }  # fmt: skip
    page.goto(link)
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-table").wait_for()
    assert page.inner_text(".irislib-table") == ECHO.partition("\nPassword")[0]


def test_a_link_lists_what_it_could_not_fill_in(page, serve: Server) -> None:
    page.goto(f"{serve.url}/iris-wizard?petal_length_cm=5.1&sepal_width_cm=wide&colour=red")
    page.get_by_text("The link could not fill in everything").wait_for()
    page.get_by_text("Sepal width must be a number, got 'wide'.").wait_for()
    page.get_by_text("This form has no field “colour”.").wait_for()
    assert page.get_by_label("Petal length").input_value() == "5.1"
    assert page.get_by_label("Sepal width").input_value() == "3"
    page.get_by_role("button", name="A small setosa").click()
    expect(page.get_by_text("The link could not fill in everything")).to_have_count(0)


def test_a_link_keeps_empty_values_and_lists_those_that_a_control_cannot_hold(page, controls: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_app(page, controls, "controls", "Go")
    page.get_by_label("Opt", exact=True).fill("")
    page.get_by_label("Day").press("3")  # a date of which only a part is typed
    page.get_by_label("Line").focus()
    page.locator(".irislib-panel").get_by_text("Day is only partly filled in.").wait_for()
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_label("Day")).to_be_focused()
    expect(page.get_by_text("Press Go.")).to_be_visible()
    page.get_by_label("Day").fill("")
    page.get_by_label("Line").fill(" as typed")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("has been copied").wait_for()
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    page.get_by_role("button", name="Go").click()
    page.get_by_text("[('line', ' as typed'), ('slide', 4)]").wait_for()
    page.goto(f"{controls.url}/controls?slide=3&line=two%0Alines&day=20260131&opt=&pair=1+to+2")
    page.locator(".irislib-panel").get_by_text("Slide: the field cannot hold “3”.").wait_for()
    page.locator(".irislib-panel").get_by_text("Line: the field cannot hold “two").wait_for()
    page.get_by_role("button", name="Go").click()
    page.get_by_text("[('day', datetime.date(2026, 1, 31)), ('pair', (1.0, 2.0)), ('slide', 0)]").wait_for()


# Python hears nothing of the page until then.
HOLD = """
const { send } = WebSocket.prototype;
const held = [];
WebSocket.prototype.send = function (message) { held.push([this, message]); };
window.release = () => {
  WebSocket.prototype.send = send;
  for (const [socket, message] of held) send.call(socket, message);
};
"""


@pytest.mark.parametrize("is_connected", [True, False])
def test_a_change_during_a_prediction_makes_it_stale(page, controls: Server, is_connected: bool) -> None:
    gate = controls.log.with_name("gate")  # a slow prediction ends when there is such a file
    gate.unlink(missing_ok=True)
    page.add_init_script("window.release = () => {}" if is_connected else HOLD)
    open_app(page, controls, "controls", "Go")
    page.get_by_label("Line").fill("slow")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Working…").wait_for()
    page.get_by_label("Line").fill("slow, and more")
    page.evaluate("release()")
    gate.touch()
    page.get_by_text("[('line', 'slow'), ").wait_for()
    stale = page.get_by_text("The form has changed since this answer.").first
    expect(stale).to_be_visible()
    page.get_by_label("Line").fill("slow")  # as it was
    expect(stale).to_be_hidden()
    gate.unlink()
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="Working…").wait_for()
    page.get_by_role("tab", name="Still").click()
    gate.touch()
    expect(page.get_by_role("button", name="Go")).to_be_visible()
    expect(page.get_by_role("tab", name="Still")).to_have_attribute("aria-selected", "true")  # the visitor stays there


def test_the_form_is_restored_after_a_reload_and_a_return(page, controls: Server) -> None:
    open_app(page, controls, "controls", "Go")
    page.get_by_label("Line").fill("kept")
    page.reload()
    expect(page.get_by_label("Line")).to_have_value("kept")
    page.goto(controls.url)
    page.go_back()
    expect(page.get_by_label("Line")).to_have_value("kept")
    open_app(page, controls, "controls", "Go")  # a visit of its own begins anew
    expect(page.get_by_label("Line")).to_have_value("")


def test_what_a_form_can_no_longer_hold_after_a_reload_is_said_of_no_link(page, controls: Server) -> None:
    open_app(page, controls, "controls", "Go")
    page.evaluate("""() => addEventListener("pagehide", () => {
        const key = Object.keys(sessionStorage).find((name) => name.startsWith("irislib-form:"));
        sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(sessionStorage.getItem(key)), slide: "3" }));
    })""")
    page.reload()
    page.get_by_text("Slide: the field cannot hold “3”.").wait_for()
    assert page.get_by_text("The link could not").count() == 0


def test_two_apps_on_one_page_do_not_interfere(page, controls: Server) -> None:
    page.goto(f"{controls.url}/two")
    expect(page.get_by_role("button", name="Go")).to_have_count(2)
    page.get_by_text("Second *").click()
    expect(page.get_by_role("textbox", name="Second")).to_be_focused()
    ids = page.locator("[id]").evaluate_all("elements => elements.map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_a_report_needs_no_connection(page, chromium, serve: Server, iris, tmp_path: Path) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    submit_row(page, iris, GOOD)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download report").click()
    download.value.save_as(tmp_path / "report.html")
    with new_page(chromium, offline=True) as report:
        report.goto((tmp_path / "report.html").as_uri())
        assert report.inner_text(".irislib-answer").startswith("Species: virginica, ")
        assert iris.version in report.inner_text("main")
        assert all(report.locator("img").evaluate_all("images => images.map(i => i.complete && i.naturalWidth > 100)"))


def test_a_table_of_100000_rows_does_not_block_the_page(page, serve: Server, iris, tmp_path: Path) -> None:
    data = iris.spec.load_data().sample(100_000, replace=True, random_state=0)
    lines = data.to_csv(index=False).splitlines()
    lines[5] = "1,2,3"
    lines[99_000] = lines[99_000].replace(".", ",x.", 1)
    (tmp_path / "flowers.csv").write_text("\n".join(lines))
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    page.get_by_role("tab", name="Table").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "flowers.csv")
    page.locator(".irislib-pane").get_by_text("Rows in flowers.csv: 100,000. These are the first 5:").wait_for()
    page.get_by_text("True answers, to compare with: species.").wait_for()
    page.get_by_role("button", name="Predict all rows").click()
    page.get_by_text("of 100,000 rows").wait_for()
    submit_row(page, iris, GOOD)  # in between
    expect(page.locator(".irislib-answer")).to_contain_text("Species: virginica, ")
    page.get_by_role("tab", name="Table").click()
    page.locator(".irislib-pane").get_by_text("Rows predicted: 99,998 of 100,000.").wait_for()
    page.locator(".irislib-pane").get_by_text("This line has 3 values, but the first line names 5 columns.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the result").click()
    assert download.value.suggested_filename == "flowers-predicted.csv"
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(rows) == 100_000
    bad = [i for i, row in enumerate(rows) if row["problems"]]
    assert bad == [4, 98_999]
    expected = iris.predict(data[iris.spec.feature_names])
    assert [row["predicted_species"] for i, row in enumerate(rows) if i not in bad] == [
        name for i, name in enumerate(expected) if i not in bad
    ]


def test_a_table_dropped_cancelled_or_too_big(page, serve: Server, iris, tmp_path: Path) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    page.get_by_role("tab", name="Table").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a template").click()
    template = Path(download.value.path()).read_text()
    drop = """([name, text, times = 1]) => {
        const data = new DataTransfer();
        data.items.add(new File(Array(times).fill(text), name));
        const event = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        document.querySelector(".irislib-drop").dispatchEvent(event);
    }"""
    page.evaluate(drop, ["dropped.csv", template])
    page.get_by_role("button", name="Predict all rows").click()
    page.locator(".irislib-pane").get_by_text("Rows predicted: 3 of 3.").wait_for()
    page.evaluate(drop, ["many.csv", template + "1,2,3,4\n" * 90_000])
    page.get_by_role("button", name="Predict all rows").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Predict all rows")).to_be_visible()
    expect(page.locator("progress")).to_have_count(0)
    page.get_by_role("button", name="Predict all rows").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.evaluate(drop, ["huge.csv", "x" * 1001, 20_000])
    message = page.locator(".irislib-pane").get_by_text("huge.csv has 20.1 MB; at most 20 MB are taken.")
    expect(message).to_be_focused()  # and not the top of the page
    page.evaluate(drop, ["dropped.csv", template])
    expect(page.get_by_role("button", name="Predict all rows")).to_be_focused()
    page.evaluate(drop, ["odd.csv", "a,b\n1,2\n"])
    page.locator(".irislib-pane").get_by_text("The file lacks the column petal_length_cm").wait_for()


def test_light_or_dark_is_the_browsers_setting_or_the_readers_choice(chromium, serve: Server) -> None:
    ground = "getComputedStyle(document.querySelector('{}')).backgroundColor"

    def is_light(colour: str) -> bool:
        return sum(map(int, re.findall(r"\d+", colour)[:3])) > 600

    for scheme, other in (("light", "dark"), ("dark", "light")):
        with new_page(chromium, color_scheme=scheme) as page:
            page.goto(serve.url)
            before = page.evaluate(ground.format("body"))
            page.get_by_label("Colours").select_option(other)
            after = page.evaluate(ground.format("body"))
            assert (is_light(before), is_light(after)) == (scheme == "light", other == "light")
            open_app(page, serve, "iris-wizard", "Abrakadabra")  # it is kept
            assert page.evaluate(ground.format(".irislib")) == after
            page.get_by_label("Colours").select_option("")
            assert page.evaluate(ground.format(".irislib")) == before


def test_the_navigation_works_while_an_app_starts(page, serve: Server) -> None:
    page.route("**/light.js*", lambda route: None)  # it never comes
    page.goto(f"{serve.url}/iris-wizard", wait_until="commit")
    page.get_by_text("Iris Wizard is starting…").wait_for()
    page.unroute("**/light.js*")
    bar = page.get_by_role("navigation")
    assert bar.get_by_role("link").all_inner_texts() == ["Apps", "Iris Wizard", "Flat rent", "Dummy"]
    expect(bar.get_by_role("link", name="Iris Wizard")).to_have_attribute("aria-current", "page")
    bar.get_by_role("link", name="Dummy").click()
    page.get_by_role("button", name="Submit").wait_for()
