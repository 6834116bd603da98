"""Visitors of the Iris Wizard in a headless Chromium, for the benchmarks."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from playwright.sync_api import Error as PlaywrightError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import chromium

__all__ = ["NAMES", "Visitor", "launch", "visitor"]

SCRIPT = Path(__file__).with_name("page.js")
NAMES = ("petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm")
FLOWERS = [
    ({"petal_length_cm": 4.7, "petal_width_cm": 1.4, "sepal_length_cm": 7.0, "sepal_width_cm": 3.2}, "versicolor"),
    ({"petal_length_cm": 6.0, "petal_width_cm": 2.5, "sepal_length_cm": 6.3, "sepal_width_cm": 3.3}, "virginica"),
]
TIMEOUT_MS = 120_000  # after which a page is considered stuck: ten pages of plain Voila at once take a minute


def launch(playwright: Playwright) -> Browser:
    """Launch a headless Chromium that can connect to this machine only."""
    # A page that links to a CDN must not wait for it here.
    return chromium.launch(playwright, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


class Visitor:
    """A tab of the browser with a page in it, and rows to submit with their predictions: two, which differ."""

    def __init__(self, context: BrowserContext, rows: Sequence[tuple[Mapping[str, float], str]] = FLOWERS):
        self.page: Page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.rows = itertools.cycle(rows)

    def start(self, url: str) -> None:
        """Start to open a page, without waiting for it."""
        self.started = time.monotonic()
        self.page.evaluate("url => void setTimeout(() => (location.href = url))", url)

    def wait_for_fact(self, fact: str) -> Any:
        """Wait for a measurement of the page, and return it, or None after a time limit since its start."""
        remaining = max(1.0, TIMEOUT_MS - 1e3 * (time.monotonic() - self.started))
        with contextlib.suppress(PlaywrightError):
            self.page.wait_for_function(f"window.bench?.{fact} !== undefined", polling=50, timeout=remaining)
            return self.page.evaluate(f"bench.{fact}")
        return None

    def visit(self, url: str) -> tuple[float | None, float | None, str | None]:
        """Open a page whose script presses the button; return the seconds until both, and the prediction."""
        self.start(url)
        predicted = self.wait_for_fact("predicted")
        ready, prediction = self.page.evaluate("[window.bench?.ready, window.bench?.prediction]")
        return ready and ready / 1e3, predicted and predicted / 1e3, prediction

    def submit_row(self, row: Mapping[str, float] | None = None) -> tuple[float, str]:
        """Submit another row; return the seconds until its prediction was on screen, and the prediction.

        Raises
        ------
        SystemExit
            If it is not the prediction for that row. A row of the caller may have any.
        """
        expected = ""
        if row is None:
            row, expected = next(self.rows)
            if expected in self.page.evaluate("document.querySelector(bench.settings.answer)?.textContent ?? ''"):
                row, expected = next(self.rows)
        ms, prediction = self.page.evaluate("row => bench.submitRow(row)", row)
        if expected not in prediction:
            raise SystemExit(f"The prediction for {row} was {prediction!r}, not {expected!r}.")
        return ms / 1e3, prediction

    def change_value(self, index: int, value: float) -> float:
        """Change one field of a form without a button; return the seconds until another answer was on screen."""
        return self.page.evaluate("([i, value]) => bench.changeValue(i, value)", [index, value])[0] / 1e3

    def open_tabs(self) -> None:
        """Open every tab of the page."""
        self.page.evaluate("bench.openTabs()")

    def close(self) -> None:
        """Close the page as a person does, so that its unload handlers run."""
        with self.page.expect_event("close"):
            self.page.close(run_before_unload=True)


@contextlib.contextmanager
def visitor(
    browser: Browser,
    click: bool = True,
    answer: str = ".irislib-answer",
    fields: str = "",
    button: str = "button",
    names: Sequence[str] = NAMES,
) -> Iterator[BrowserContext]:
    """Return a new browser context, without cache and cookies.

    The page of another tool has its answer, its fields in the order of ``names`` and its working button at these CSS
    selectors.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = {"answer": answer, "fields": fields, "button": button, "names": dict.fromkeys(names)}
    settings = json.dumps({"action": "Abrakadabra", "click": click, "longest": TIMEOUT_MS, **page})
    context.add_init_script(SCRIPT.read_text().replace("SETTINGS", settings, 1))
    try:
        yield context
    finally:
        context.close()
