"""Visitors of the Iris Wizard in a headless Chromium, for the benchmarks."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from playwright.sync_api import Error as PlaywrightError

__all__ = ["LINK", "NAMES", "Visitor", "launch", "visitor"]

SCRIPT = Path(__file__).with_name("page.js")
NAMES = ("petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm")
# Two of each kind in turn, so that every answer is another than the one before.
FLOWERS = {
    (1.4, 0.2, 5.1, 3.5): "setosa",
    (4.7, 1.4, 7.0, 3.2): "versicolor",
    (6.0, 2.5, 6.3, 3.3): "virginica",
    (1.3, 0.3, 5.0, 3.4): "setosa",
    (4.5, 1.5, 6.4, 3.2): "versicolor",
    (5.9, 2.1, 7.1, 3.0): "virginica",
}
# What a link fills in has another answer than the form has without it.
LINK = urlencode({"sepal_length_cm": 6.3, "sepal_width_cm": 3.3, "petal_length_cm": 6.0, "petal_width_cm": 2.5})
LONGEST = 120_000  # milliseconds after which a page is taken to be stuck: ten plain ones at once take a minute


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium that finds nothing but this machine."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise SystemExit("No browser found: install one, on Debian with `apt-get install chromium`.")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
    # A page that links to a CDN must not wait for it here.
    alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    args = ["--no-sandbox", "--no-first-run", "--disable-gpu", alone, *quiet]
    return playwright.chromium.launch(executable_path=path, args=args)


class Visitor:
    """A tab of the browser with a page in it."""

    def __init__(self, context: BrowserContext):
        self.page: Page = context.new_page()
        self.page.set_default_timeout(LONGEST)
        self.flowers = itertools.cycle(FLOWERS.items())

    def start(self, url: str) -> None:
        """Begin to open a page, and do not wait for it."""
        self.started = time.monotonic()
        self.page.evaluate("url => void setTimeout(() => (location.href = url))", url)

    def reached(self, fact: str) -> Any:
        """What the page measured, as soon as it has; None where that takes too long since it was started."""
        left = max(1.0, LONGEST - 1e3 * (time.monotonic() - self.started))
        with contextlib.suppress(PlaywrightError):
            self.page.wait_for_function(f"window.bench?.{fact} !== undefined", polling=50, timeout=left)
            return self.page.evaluate(f"bench.{fact}")
        return None

    def visit(self, url: str) -> tuple[float | None, float | None, str | None]:
        """Open a page whose script presses the button; seconds until the button, until the answer, and the answer."""
        self.start(url)
        answered = self.reached("answered")
        ready, answer = self.page.evaluate("[window.bench?.ready, window.bench?.answer]")
        return ready and ready / 1e3, answered and answered / 1e3, answer

    def ask(self, row: Mapping[str, float] | None = None) -> tuple[float, str]:
        """Ask for another flower; seconds until its answer was on screen, and the answer.

        Raises
        ------
        SystemExit
            Where the answer is not that flower's kind. A row that is given may have any.
        """
        kind = None
        if row is None:
            values, kind = next(self.flowers)
            if self.page.evaluate("document.querySelector('.irislib-answer')?.textContent") == kind:
                values, kind = next(self.flowers)
            row = dict(zip(NAMES, values, strict=True))
        ms, answer = self.page.evaluate("row => bench.ask(row)", row)
        if kind and answer != kind:
            raise SystemExit(f"The answer to {row} was {answer!r}, not {kind!r}.")
        return ms / 1e3, answer

    def open_tabs(self) -> None:
        """Open every tab of the page."""
        self.page.evaluate("bench.openTabs()")

    def close(self) -> None:
        """Close it as a person does: the page is told of it."""
        with self.page.expect_event("close"):
            self.page.close(run_before_unload=True)


@contextlib.contextmanager
def visitor(browser: Browser, click: bool = True) -> Iterator[BrowserContext]:
    """A browser's memory of its own: nothing cached, no cookie."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    settings = json.dumps({"action": "Abrakadabra", "click": click, "longest": LONGEST})
    context.add_init_script(SCRIPT.read_text().replace("SETTINGS", settings, 1))
    try:
        yield context
    finally:
        context.close()
