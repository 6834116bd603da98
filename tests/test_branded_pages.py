"""A theme and feedback in a real browser: colours in light and dark, an image that runs nothing, a report sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import branded
import pytest
from conftest import Server, open_app
from playwright.sync_api import expect
from test_accessibility import check

from irislib._common.theme import PALETTE

MODELS = ("--model=branded:spec", "--model=irislib.iris:spec", "--model=tumours:spec")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("branded")
    environment = {"IRISLIB_STORE": str(folder / "store"), "TEST_FEEDBACK_FILE": str(folder / "feedback.jsonl")}
    server = Server(folder / "log", "serve", *MODELS, **environment)
    yield server.wait()
    assert server.stop() == 0
    assert "reference " not in server.text()


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def style(page, selector: str, name: str) -> str:
    return page.eval_on_selector(selector, f"element => getComputedStyle(element).{name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_of_an_app_is_on_all_its_pages(page, server: Server, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    index = ("light", "dark").index(scheme)
    palette = {**PALETTE, **branded.spec.theme.palette}
    title, panel = rgb(palette["title"][index]), rgb(palette["panel"][index])
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))

    open_app(page, server, "branded", "Predict")
    assert style(page, "h1", "color") == title
    assert style(page, ".irislib-panel", "backgroundColor") == panel
    assert style(page, ".irislib-top", "backgroundColor") == rgb(palette["top"])
    assert style(page, "h1", "fontFamily").startswith("Georgia")
    assert page.eval_on_selector(".irislib-head img", "image => image.naturalWidth") > 0
    assert page.get_attribute("link[rel=icon]", "href") == branded.spec.theme.favicon
    link = page.get_by_role("link", name="Ask us")
    assert link.get_attribute("href") == "mailto:data@example.org"

    for address in ("branded/card", "docs"):  # the documentation of both models has the colours of neither
        page.goto(f"{server.url}/{address}")
        expected = title if address == "branded/card" else rgb(PALETTE["title"][index])
        assert style(page, "h1", "color") == expected

    page.goto(f"{server.url}/branded/card")
    page.get_by_role("link", name="For programs").click()
    page.wait_for_url("**/docs#branded")
    page.get_by_role("link", name="Apps", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="Model card").first.click()
    page.get_by_role("link", name="Parcel sizes").click()
    expect(page.get_by_role("link", name="For programs")).to_have_attribute("href", "docs#branded")

    page.goto(server.url)
    mark = "li:has(a[href='/{}'])".format
    assert style(page, mark("branded"), "borderLeftColor") == rgb(palette["orange"][index])
    assert style(page, mark("iris-wizard"), "borderLeftColor") == rgb(PALETTE["orange"])
    assert page.eval_on_selector(".irislib-apps img", "image => image.naturalWidth") > 0
    assert alerts == []  # the logo has a script


def test_an_answer_that_looks_wrong_is_reported(page, server: Server) -> None:
    open_app(page, server, "branded", "Predict")
    assert not page.get_by_role("button", name="This looks wrong").is_visible()
    page.get_by_role("textbox", name="Size").fill("3")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("button", name="This looks wrong").click()
    expect(page.get_by_label("What is wrong?")).to_be_focused()
    page.get_by_label("What is wrong?").fill("It did not fit.")
    page.get_by_label("The right answer").select_option("large")
    expect(page.get_by_text("What is stored: your inputs")).to_be_visible()
    page.get_by_role("textbox", name="Size").fill("4")  # the answer that is shown is still for 3
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you. It is stored.").first).to_be_visible()
    [line] = (server.log.parent / "feedback.jsonl").read_text().splitlines()
    report = json.loads(line)
    assert report["inputs"] == {"size": 3}
    assert (report["prediction"], report["right_answer"], report["note"]) == ("small", "large", "It did not fit.")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("button", name="This looks wrong")).to_be_visible()


def test_a_page_can_be_read_in_forced_colours_and_in_print(page, server: Server) -> None:
    page.emulate_media(color_scheme="dark")
    open_app(page, server, "branded", "Predict")
    page.get_by_role("textbox", name="Size").fill("3")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("heading", name="Class: small")).to_be_visible()
    page.emulate_media(forced_colors="active")
    assert style(page, ".irislib-go", "borderTopWidth") == "2px"
    canvas = style(page, "body", "backgroundColor")
    assert style(page, ".irislib-bar > span", "backgroundColor") != canvas
    page.emulate_media(forced_colors="none", media="print", color_scheme="dark")
    assert style(page, ".irislib-panel", "backgroundColor") == "rgba(0, 0, 0, 0)"  # browsers print none
    for selector in (".irislib-panel label", ".irislib-help", ".irislib-pane td"):
        assert style(page, selector, "color") == rgb(PALETTE["ink"][0]), selector
    expect(page.get_by_role("button", name="Predict")).to_be_hidden()


def test_the_form_of_feedback_is_accessible(page, server: Server) -> None:
    open_app(page, server, "branded?size=3", "Predict")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("button", name="This looks wrong").click()
    page.get_by_label("What is wrong?").wait_for()
    check(page, "feedback")


def test_the_threshold_of_two_classes_is_accessible(page, server: Server) -> None:
    open_app(page, server, "tumours", "Predict")
    page.get_by_role("tab", name="Performance").click()
    slider = page.get_by_role("slider", name="Answered from a probability of")
    slider.press("ArrowRight")
    page.get_by_label("Cost of missing one").fill("10")
    check(page, "threshold")
