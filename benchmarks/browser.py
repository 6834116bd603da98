"""Visitors of the Iris Wizard in a headless Chromium, for the benchmarks."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from playwright.sync_api import Error as PlaywrightError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import chromium

__all__ = ["LINK", "NAMES", "Visitor", "launch", "visitor"]

SCRIPT = Path(__file__).with_name("page.js")
NAMES = ("petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm")
# Two of each species in turn, so that every prediction differs from the one before.
FLOWERS = {
    (1.4, 0.2, 5.1, 3.5): "setosa",
    (4.7, 1.4, 7.0, 3.2): "versicolor",
    (6.0, 2.5, 6.3, 3.3): "virginica",
    (1.3, 0.3, 5.0, 3.4): "setosa",
    (4.5, 1.5, 6.4, 3.2): "versicolor",
    (5.9, 2.1, 7.1, 3.0): "virginica",
}
# The prediction for this link differs from that for the form without it.
LINK = urlencode({"sepal_length_cm": 6.3, "sepal_width_cm": 3.3, "petal_length_cm": 6.0, "petal_width_cm": 2.5})
TIMEOUT_MS = 120_000  # after which a page is considered stuck: ten pages of plain Voila at once take a minute


def launch(playwright: Playwright) -> Browser:
    """Launch a headless Chromium that can connect to this machine only."""
    # A page that links to a CDN must not wait for it here.
    return chromium.launch(playwright, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


class Visitor:
    """A tab of the browser with a page in it."""

    def __init__(self, context: BrowserContext):
        self.page: Page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.flowers = itertools.cycle(FLOWERS.items())

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
        """Submit another flower; return the seconds until its prediction was on screen, and the prediction.

        Raises
        ------
        SystemExit
            If the prediction is not the species of that flower. A row of the caller may have any.
        """
        species = None
        if row is None:
            values, species = next(self.flowers)
            if species in self.page.evaluate("document.querySelector('.irislib-answer')?.textContent ?? ''"):
                values, species = next(self.flowers)
            row = dict(zip(NAMES, values, strict=True))
        ms, prediction = self.page.evaluate("row => bench.submitRow(row)", row)
        if species and species not in prediction:
            raise SystemExit(f"The prediction for {row} was {prediction!r}, not {species!r}.")
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
    browser: Browser, click: bool = True, answer: str = ".irislib-answer", fields: str = "", button: str = "button"
) -> Iterator[BrowserContext]:
    """Return a new browser context, without cache and cookies.

    The page of another tool has its answer, its four fields in the order of `NAMES` and its working button at these
    CSS selectors.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = {"answer": answer, "fields": fields, "button": button, "names": dict.fromkeys(NAMES)}
    settings = json.dumps({"action": "Abrakadabra", "click": click, "longest": TIMEOUT_MS, **page})
    context.add_init_script(SCRIPT.read_text().replace("SETTINGS", settings, 1))
    try:
        yield context
    finally:
        context.close()
