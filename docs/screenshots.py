"""Renew the pictures of every page in docs/pages/, and docs/pages.md that shows them, by ``make screenshots``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import chromium

DOCS = Path(__file__).parent
TESTS = DOCS.parent / "tests"  # where models are, too
PORT = 5099
URL = f"http://127.0.0.1:{PORT}"
FULL = f"http://127.0.0.1:{PORT + 1}"  # a server with a single seat
OTHERS = f"http://127.0.0.1:{PORT + 2}"  # which are in no picture of the list of apps
LIMITS = ("--AppKernelManager.max_kernels=1", "--AppKernelManager.max_kernels_per_visitor=1")
SIZES = {"wide": (1280, 720), "narrow": (390, 844), "laptop": (1366, 768), "paper": (794, 1123)}
TIMEOUT_MS = 120_000
FLOWERS = "flower,petal_length_cm,petal_width_cm,sepal_length_cm,sepal_width_cm\n" + "".join(
    f"{name},{row}\n" for name, row in {"A": "1.4,0.2,5.1,3.5", "B": "4.7,1.4,7.0,3.2", "C": "60,2.5,6.3,3.3"}.items()
)


def wait(url: str) -> None:
    for _ in range(3000):
        try:
            urllib.request.urlopen(f"{url}/healthz")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def iris_wizard(page: Page) -> None:
    page.goto(f"{URL}/iris-wizard?petal_length_cm=5.1&petal_width_cm=1.9&sepal_length_cm=5.8&sepal_width_cm=2.7")
    page.get_by_role("button", name="Abrakadabra").click()
    page.locator(".irislib-answer").wait_for()


def prediction(page: Page) -> None:
    iris_wizard(page)
    page.get_by_role("button", name="A small setosa").click()
    page.get_by_role("button", name="Abrakadabra").click()
    page.locator(".irislib-history").wait_for()


def kept(page: Page) -> None:
    iris_wizard(page)
    page.get_by_role("button", name="Keep this answer to compare").click()
    page.get_by_role("button", name="A small setosa").click()
    page.get_by_role("button", name="Abrakadabra").click()
    page.get_by_role("button", name="Compare contributions").wait_for()


def tab(name: str) -> Callable[[Page], None]:
    def show(page: Page) -> None:
        iris_wizard(page)
        page.get_by_role("tab", name=name).click()
        page.locator(".irislib-insight:visible").first.wait_for()

    return show


def why(page: Page) -> None:
    tab("Why")(page)
    page.get_by_text("Keep some values as they are").click()
    page.get_by_role("checkbox", name="Petal width").check()
    page.get_by_text("petal width stays as it is").first.wait_for()


def what_if(page: Page) -> Locator:
    tab("Why")(page)
    for name in ("Petal length", "Petal width"):
        slider = page.get_by_role("slider", name=name)
        for _ in range(12):
            slider.press("ArrowLeft")
    page.get_by_text("With all changes:").wait_for()
    return page.locator(".irislib-insight", has=page.get_by_role("slider"))


def insights(page: Page) -> None:
    tab("Insights")(page)
    page.get_by_text("average over 5 shuffles").first.wait_for()


def table(page: Page) -> None:
    iris_wizard(page)
    page.get_by_role("tab", name="Table").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "flowers.csv", "mimeType": "text/csv", "buffer": FLOWERS.encode()}
    )
    page.get_by_role("button", name="Predict all rows").click()
    page.get_by_role("button", name="Download the result").wait_for()


def wrong(page: Page) -> None:
    page.goto(f"{URL}/iris-wizard")
    page.get_by_role("textbox", name="Petal length").fill("53")
    page.get_by_role("textbox", name="Sepal width").fill("")
    page.get_by_role("button", name="Abrakadabra").click()
    page.get_by_text("Sepal width is missing").wait_for()


def live(page: Page) -> None:
    page.goto(f"{URL}/flat-rent")
    page.get_by_role("button", name="A small flat").click()
    page.locator(".irislib-answer").wait_for()


def live_waiting(page: Page) -> None:
    live(page)
    page.get_by_role("textbox", name="Area").fill("forty")
    page.locator(".irislib-old").wait_for()


def threshold(page: Page) -> Locator:
    page.goto(f"{OTHERS}/tumours")
    page.get_by_role("tab", name="Performance").click()
    page.get_by_label("Cost of missing one").fill("10")
    page.get_by_role("button", name="Use the cheapest").click()
    return page.locator(".irislib-insight", has=page.locator(".irislib-threshold"))


def long_form(page: Page) -> None:
    page.goto(f"{OTHERS}/tumours-in-detail")
    page.locator(".irislib-answer").wait_for()


def feedback(page: Page) -> None:
    page.goto(f"{OTHERS}/branded?size=3")
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("button", name="This looks wrong").click()
    page.get_by_label("What is wrong?").fill("It fits into the small box.")


def german_why(page: Page) -> None:
    iris_wizard(page)
    page.get_by_role("tab", name="Warum").click()
    page.get_by_role("slider").first.wait_for()


def lost(page: Page) -> None:
    iris_wizard(page)
    page.context.set_offline(True)
    page.get_by_text("The connection to the server was lost.").wait_for()


def full(page: Page) -> None:
    page.goto(f"{FULL}/iris-wizard")
    page.get_by_text("All seats are busy").first.wait_for()


def dummy(page: Page) -> None:
    page.goto(f"{URL}/dummy")
    page.get_by_role("button", name="A little of each").click()
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-table").wait_for()


def parts(page: Page) -> None:
    page.goto(f"{OTHERS}/parts")
    page.get_by_label("Petal width").fill("1.8")
    page.get_by_label("Petal width").press("Tab")
    page.get_by_text("Species: virginica").first.wait_for()


def apps(page: Page) -> None:
    page.goto(URL)


@dataclass(frozen=True)
class State:
    """A state of a page: what shows it, and returns the part to take a picture of if that is not the whole page."""

    title: str
    show: Callable[[Page], Locator | None]
    sizes: tuple[str, ...] = ("wide", "narrow")
    schemes: tuple[str, ...] = ("light", "dark")
    locale: str = "en-US"
    is_whole: bool = True  # and not only what the window shows


ALL = {
    "prediction": State("Iris Wizard: Prediction", prediction),
    "laptop": State("Iris Wizard: what a small laptop shows at once", iris_wizard, ("laptop",), is_whole=False),
    "kept": State("Iris Wizard: two answers side by side", kept),
    "why": State("Iris Wizard: Why", why),
    "what-if": State("Iris Wizard: what if two values were others", what_if),
    "insights": State("Iris Wizard: Insights", insights),
    "performance": State("Iris Wizard: Performance", tab("Performance")),
    "table": State("Iris Wizard: a whole table", table),
    "wrong": State("Iris Wizard: what is wrong is said", wrong),
    "german": State("Iris Wizard: in German", iris_wizard, locale="de-DE"),
    "german-why": State("Iris Wizard: Why in German", german_why, locale="de-DE"),
    "print": State("Iris Wizard: on paper", iris_wizard, ("paper",), ("light",)),
    "live": State("A regression: a live answer", live),
    "live-waiting": State("A regression: the last answer waits for a valid form", live_waiting),
    "threshold": State("Two classes: from which probability on", threshold),
    "long": State("Thirty inputs in groups", long_form),
    "feedback": State("Its own colours, and feedback", feedback),
    "lost": State("The connection is lost", lost),
    "full": State("All seats are busy", full),
    "dummy": State("Dummy: every kind of input", dummy),
    "parts": State("The form and an insight beside other widgets", parts),
    "apps": State("The list of apps", apps),
}


def shoot(page: Page, path: Path, part: Locator | None, is_whole: bool) -> None:
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    size = page.viewport_size
    if is_whole:
        # as high as the page, or what stays at the bottom of the window would cover its middle
        height = max(size["height"], page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": size["width"], "height": height})
    page.wait_for_timeout(200)
    picture = Image.open(io.BytesIO((part or page).screenshot()))
    page.set_viewport_size(size)
    picture.convert("RGB").quantize(128).save(path, optimize=True)


def shoot_state(browser: Browser, name: str, state: State, size: str) -> None:
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    context = browser.new_context(viewport=viewport, reduced_motion="reduce", locale=state.locale)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    part = state.show(page)
    if size == "paper":
        page.emulate_media(media="print")
    for scheme in state.schemes:
        page.emulate_media(color_scheme=scheme)
        shoot(page, DOCS / "pages" / f"{name}-{size}-{scheme}.png", part, state.is_whole)
    context.close()


@contextmanager
def serve(url: str, *arguments: str) -> Iterator[None]:
    """Serve apps while the pictures are taken; feedback goes into a file that is not kept."""
    port = url.rpartition(":")[2]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "irislib", "serve", "--port", port, *arguments]
        environment = {**os.environ, "TEST_FEEDBACK_FILE": f"{folder}/feedback.jsonl"}
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=TESTS, env=environment)
        try:
            wait(url)
            yield
        finally:
            server.terminate()
            server.wait()


def main(names: list[str]) -> None:
    """Renew the pictures of some states, or of all."""
    expect.set_options(timeout=TIMEOUT_MS)
    apps = ("--model=irislib.iris:spec", "--model=rent:spec", f"--notebooks={DOCS.parent / 'notebooks'}")
    others = [f"--model={name}:spec" for name in ("tumours", "thirty", "branded", "irislib.iris")]
    others.append(f"--notebooks={DOCS / 'parts'}")
    single = ("--model=irislib.iris:spec", *LIMITS)
    with serve(URL, *apps), serve(FULL, *single), serve(OTHERS, *others), sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        visitor = browser.new_page()
        visitor.goto(f"{FULL}/iris-wizard", timeout=TIMEOUT_MS)  # takes the only seat
        visitor.get_by_role("button", name="Abrakadabra").wait_for(timeout=TIMEOUT_MS)
        for name, state in ALL.items():
            for size in state.sizes if not names or name in names else ():
                shoot_state(browser, name, state, size)
        browser.close()
    (DOCS / "pages.md").write_text(gallery(), encoding="utf-8")


def gallery() -> str:
    lines = ["# Every page", "", "Light and dark, wide and narrow; made by `make screenshots`.", ""]
    for name, state in ALL.items():
        lines += [f"## {state.title}", ""]
        for size in state.sizes:
            images = [
                f"![{state.title}, {size}, {scheme}](pages/{name}-{size}-{scheme}.png)" for scheme in state.schemes
            ]
            lines += [f"| {' | '.join(images)} |", "|---" * len(images) + "|", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
