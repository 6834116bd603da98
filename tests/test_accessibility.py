"""Accessibility: WCAG 2.2 A and AA by axe-core, the keyboard, and no page that scrolls sideways."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe, AxeResults
from conftest import Server, open_app, submit_row
from invalid_inputs import GOOD
from playwright.sync_api import expect

AXE = Axe()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
# What scrolls by itself inside the page, and how wide the page is.
WIDE = """() => [document.documentElement.scrollWidth, ...[...document.querySelectorAll('*')].filter(
    e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !e.matches('.irislib-wide')
    && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX)).map(e => e.className)]"""

# What has the focus, by its label, and whether that can be seen.
FOCUSED = """() => {
    const e = document.activeElement, style = getComputedStyle(e);
    const group = e.closest('fieldset')?.querySelector('legend').textContent;
    const seen = parseFloat(style.outlineWidth) > 1 && style.outlineStyle !== 'none';
    return [group, e.labels?.[0]?.innerText, e.innerText, seen ? 'seen' : 'UNSEEN'].join(' ');
}"""


def find_violations(page: Any, part: str = "html") -> str:
    """Return axe's report of the violations on a page or in a part of it; "" if there are none."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    # of a long table's rows, which are alike, the first: the contrast of thousands of cells takes seconds
    context = {"include": [[part]], "exclude": [["tbody tr:nth-child(n+5)"]]}
    results = AxeResults(page.evaluate("([context, rules]) => axe.run(context, rules)", [context, RULES]))
    return results.generate_report() if results.violations_count else ""


def check(page: Any, state: str, part: str = "html") -> None:
    """Check that there is no violation and no sideways scrolling, in a narrow window with dark colours, too."""
    for width, scheme in ((1280, "light"), (390, "dark")):
        # so high that the button, which stays at the bottom of the window, covers nothing: axe does not scroll
        page.set_viewport_size({"width": width, "height": 6000})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(100)
        assert page.evaluate(WIDE) == [width], state
        violations = find_violations(page, part)
        assert not violations, f"{state}, {width}, {scheme}:\n{violations}"


def show_all_tabs(page: Any) -> None:
    """Open every tab, and show all of them below each other: they are checked at once."""
    for tab in page.get_by_role("tab").all():
        tab.click()
        expect(page.get_by_text("Working…")).to_have_count(0)
    page.evaluate("for (const pane of document.querySelectorAll('.irislib-pane')) pane.hidden = false")
    expect(page.locator(".irislib-pane:visible")).to_have_count(page.get_by_role("tab").count())


def test_the_iris_wizard(page, serve: Server, iris, tmp_path: Path) -> None:
    open_app(page, serve, "iris-wizard?petal_length_cm=x", "Abrakadabra")
    page.get_by_text("The link could not").wait_for()
    check(page, "empty")
    submit_row(page, iris, {**GOOD, "petal_length_cm": 0.5})
    page.get_by_text("the model was trained on").wait_for()
    submit_row(page, iris, GOOD)
    page.locator(".irislib-history").wait_for()
    page.get_by_role("button", name="Keep this answer to compare").click()
    submit_row(page, iris, {**GOOD, "petal_length_cm": 1.5})
    page.get_by_role("button", name="Compare contributions").click()
    page.locator(".irislib-compared .irislib-chart, .irislib-compared table").last.wait_for()
    page.get_by_role("tab", name="Table").click()
    rows = ",".join(map(str, GOOD.values()))
    (tmp_path / "a.csv").write_text(f"{','.join(GOOD)}\n{rows}\nx,,,\n")
    page.locator("input[type=file]").set_input_files(tmp_path / "a.csv")
    page.get_by_role("button", name="Predict all rows").wait_for()
    check(page, "preview", ".irislib-pane:not([hidden])")
    page.get_by_role("button", name="Predict all rows").click()
    page.get_by_role("button", name="Download the result").wait_for()
    show_all_tabs(page)
    check(page, "all tabs")
    submit_row(page, iris, {**GOOD, "petal_length_cm": "", "petal_width_cm": "wide"})
    page.get_by_role("tab", name="Prediction").click()
    page.locator(".irislib-panel").get_by_text("Petal width must be").wait_for()
    check(page, "wrong and stale")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download report").click()
    download.value.save_as(tmp_path / "report.html")
    report = page.context.new_page()
    report.goto((tmp_path / "report.html").as_uri())
    check(report, "report")


def test_the_dummy(page, serve: Server) -> None:
    open_app(page, serve, "dummy", "Submit")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as without https
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_label("Copy this link:")).to_have_value(re.compile(r"^http://127.0.0.1:\d+/dummy\?"))
    check(page, "empty")
    page.get_by_role("button", name="A little of each").click()
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-table").wait_for()
    show_all_tabs(page)
    check(page, "all tabs")


def test_the_other_model(page, serve: Server) -> None:
    open_app(page, serve, "flat-rent", "Predict")
    page.get_by_role("button", name="A small flat").click()
    page.get_by_role("button", name="Predict").click()
    page.locator(".irislib-answer").wait_for()
    show_all_tabs(page)
    check(page, "all tabs")


@pytest.mark.parametrize("path", ["", "nothing"])
def test_the_pages_around(page, serve: Server, path: str) -> None:
    page.goto(f"{serve.url}/{path}")
    check(page, path)


def test_the_page_that_is_starting(page, serve: Server) -> None:
    page.route("**/light.js*", lambda route: None)  # it never comes
    page.goto(f"{serve.url}/iris-wizard", wait_until="commit")
    page.get_by_text("is starting").wait_for()
    assert not find_violations(page)


def test_every_control_has_its_label_and_is_reached_by_the_keyboard(page, serve: Server) -> None:
    from irislib.dummy import FEATURES

    open_app(page, serve, "dummy", "Submit")
    page.get_by_role("button", name="A little of each").focus()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        reached.append(page.evaluate(FOCUSED))
    assert not [name for name in reached if "UNSEEN" in name]
    for feature in FEATURES:
        assert any(feature.label in name for name in reached), feature.label
    for text in ("Submit", "Copy link", "Table"):
        assert any(text in name for name in reached)
    snapshot = page.locator(".irislib-panel").aria_snapshot()
    for feature in FEATURES:
        assert f'"{feature.label}' in snapshot, feature.label


def test_the_keyboard_alone_gets_an_answer_and_a_report(page, serve: Server) -> None:
    open_app(page, serve, "iris-wizard", "Abrakadabra")
    page.get_by_label("Petal length").focus()
    page.keyboard.type("6")
    page.keyboard.press("Enter")
    page.locator(".irislib-answer").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "Download report":
            break
    with page.expect_download():
        page.keyboard.press("Enter")
