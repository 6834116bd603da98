"""The pages in a real browser, as an end user meets them."""

from __future__ import annotations

from typing import Any

import pytest
from cases import GOOD, TYPED
from conftest import PLANTED, Server
from playwright.sync_api import expect


def open_app(page: Any, server: Server, name: str, button: str) -> None:
    page.goto(f"{server.url}/{name}")
    page.get_by_role("button", name=button).wait_for()


def ask(page: Any, iris: Any, row: dict[str, Any]) -> None:
    for feature in iris.spec.features:
        page.get_by_label(feature.label).fill(str(row.get(feature.name, "")))
    page.get_by_role("button", name="Abrakadabra").click()


def test_flowers_typed_and_clicked(page, serve: Server, iris, flowers) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    assert "Fill in the form and press Abrakadabra" in page.inner_text(".irislib-tabs")
    # each answer differs from the one before, so that an old one cannot be taken for a new one
    sample = [GOOD] + [flowers[i + 50 * species] for i in (0, 17, 33, 49) for species in range(3)]
    before = ""
    for flower in sample:
        expected = iris.predict(flower)[0]
        assert expected != before
        ask(page, iris, flower)
        page.locator(".irislib-answer", has_text=expected).wait_for()
        probability = dict(zip(iris.classes, iris.predict_proba(flower)[0], strict=True))[expected]
        row = page.locator(".irislib-table tr", has_text=expected).first
        assert row.inner_text().split() == [expected, f"{probability:.3f}"]
        before = expected
    assert page.locator(".irislib-answer").count() == 1


def test_bad_input_is_told_beside_its_field(page, serve: Server, iris) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    for case in (TYPED[0], TYPED[7], TYPED[-1], TYPED[-3]):
        ask(page, iris, case.row)
        for feature in iris.spec.features:
            field = page.locator(".irislib-field", has=page.get_by_label(feature.label))
            if message := case.messages.get(feature.name):
                field.locator(".irislib-message", has_text=feature.label + message[len(feature.name) :]).wait_for()
            else:
                expect(field.locator(".irislib-message")).to_have_count(0)
        ask(page, iris, GOOD)
        page.locator(".irislib-answer", has_text="virginica").wait_for()
        expect(page.locator(".irislib-message")).to_have_count(0)


def test_enter_submits(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    petal = page.get_by_label("Petal length")
    for value, species in (("1.4", "setosa"), ("6", "virginica"), ("1.5", "setosa")):
        page.get_by_label("Petal width").fill("2.4" if species == "virginica" else "0.2")
        petal.fill(value)
        petal.press("Enter")  # the value it ends must be the one that is answered
        page.locator(".irislib-answer", has_text=species).wait_for()


def test_the_tabs(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    assert page.title() == "Iris Wizard"
    for tab, words in (("Insights", "each line its standard deviation"), ("Performance", "29 of 30 held-out rows")):
        page.get_by_role("tab", name=tab).click()
        page.get_by_text(words).wait_for()
        image = page.locator("img.irislib-figure:visible")
        image.wait_for()
        assert words in image.get_attribute("alt")
        assert image.evaluate("image => image.complete && image.naturalWidth > 100")


def test_a_model_without_a_notebook_gets_its_page(page, serve: Server, rent) -> None:
    open_app(page, serve, "flat-rent", "Predict")
    page.get_by_label("Area").fill("40")
    page.get_by_label("District").select_option("hill")
    page.get_by_label("Balcony").check()
    page.get_by_label("Built on").fill("1990-05-01")
    page.get_by_role("button", name="Predict").click()
    row = {"area_m2": 40, "district": "hill", "balcony": True, "built": "1990-05-01"}
    page.locator(".irislib-answer", has_text=str(rent.answer(row))).wait_for()
    page.get_by_role("tab", name="Performance").click()
    page.get_by_text("the prediction is off by").wait_for()


def test_the_dummy_echoes_every_kind_of_input(page, serve: Server) -> None:
    open_app(page, serve, "dummy", "Submit")
    page.get_by_label("Text", exact=True).fill("<i>text</i>")
    page.get_by_label("Number").fill("4.5")
    page.get_by_label("Date").fill("2026-01-31")
    page.get_by_label("Select list").select_option("two")
    page.get_by_label("List with suggestions").fill("durian")
    page.get_by_label("Checkbox").check()
    page.get_by_label("right").check()
    slider = page.get_by_role("slider")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    page.get_by_label("Comment").fill("two\nlines")
    page.get_by_label("Password").fill(PLANTED)
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-table").wait_for()
    shown = [row.split("\t") for row in page.inner_text(".irislib-table").split("\n") if "\t" in row]
    assert shown == [
        ["input", "value"],
        ["Text", "<i>text</i>"],
        ["Number", "4.5"],
        ["Date", "2026-01-31"],
        ["Select list", "two"],
        ["List with suggestions", "durian"],
        ["Checkbox", "yes"],
        ["Radio buttons", "right"],
        ["Slider", "4"],
        ["Comment", "two"],  # and the second line, which has no tab in it
        ["Password", "(entered)"],
    ]
    assert "two\nlines" in page.inner_text(".irislib-table")
    assert page.get_by_label("Password").input_value() == ""
    assert PLANTED not in page.content()
    page.get_by_role("tab", name="Plot").click()
    page.locator("img.irislib-figure:visible").wait_for()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("path", "button"), [("iris-wizard", "Abrakadabra"), ("dummy", "Submit"), ("", ""), ("x", "")])
def test_no_page_scrolls_sideways(page, serve: Server, path: str, button: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{serve.url}/{path}")
    if button:
        page.get_by_role("button", name=button).click()
        for tab in page.get_by_role("tab").all():
            tab.click()
            page.wait_for_timeout(300)
    wide = "[...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth && "
    wide += "['auto', 'scroll'].includes(getComputedStyle(e).overflowX)).map(e => e.className)"
    assert page.evaluate(wide) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
