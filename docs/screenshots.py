"""Renew the pictures of every page in docs/pages/, and docs/pages.md that shows them, by ``make screenshots``."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parent
PORT = 5099
URL = f"http://127.0.0.1:{PORT}"
SIZES = {"wide": (1280, 720), "narrow": (390, 844)}
FLOWERS = "flower,petal_length_cm,petal_width_cm,sepal_length_cm,sepal_width_cm\n" + "".join(
    f"{name},{row}\n" for name, row in {"A": "1.4,0.2,5.1,3.5", "B": "4.7,1.4,7.0,3.2", "C": "60,2.5,6.3,3.3"}.items()
)


def wait() -> None:
    for _ in range(3000):
        try:
            urllib.request.urlopen(f"{URL}/healthz")
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


def dummy(page: Page) -> None:
    page.goto(f"{URL}/dummy")
    page.get_by_role("button", name="A little of each").click()
    page.get_by_role("button", name="Submit").click()
    page.locator(".irislib-table").wait_for()


def apps(page: Page) -> None:
    page.goto(URL)


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "prediction": ("Iris Wizard: Prediction", prediction),
    "kept": ("Iris Wizard: two answers side by side", kept),
    "why": ("Iris Wizard: Why", why),
    "insights": ("Iris Wizard: Insights", insights),
    "performance": ("Iris Wizard: Performance", tab("Performance")),
    "table": ("Iris Wizard: a whole table", table),
    "wrong": ("Iris Wizard: what is wrong is said", wrong),
    "live": ("A regression: a live answer", live),
    "live-waiting": ("A regression: the last answer waits for a valid form", live_waiting),
    "dummy": ("Dummy: every kind of input", dummy),
    "apps": ("The list of apps", apps),
}


def shoot(page: Page, path: Path) -> None:
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    size = page.viewport_size
    # as high as the page, or what stays at the bottom of the window would cover its middle
    height = max(size["height"], page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": size["width"], "height": height})
    page.wait_for_timeout(200)
    picture = Image.open(io.BytesIO(page.screenshot()))
    page.set_viewport_size(size)
    picture.convert("RGB").quantize(128).save(path, optimize=True)


def main() -> None:
    models = ["--model", "irislib.iris:spec", "--model", "rent:spec", "--notebooks", str(DOCS.parent / "notebooks")]
    command = [sys.executable, "-m", "irislib", "serve", "--port", str(PORT), *models]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=DOCS.parent / "tests")  # where rent.py is
    try:
        wait()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for size, (width, height) in SIZES.items():
                page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
                page.set_default_timeout(300_000)
                for name, (_, show) in PAGES.items():
                    show(page)
                    for scheme in ("light", "dark"):
                        page.emulate_media(color_scheme=scheme)
                        shoot(page, DOCS / "pages" / f"{name}-{size}-{scheme}.png")
                page.close()
            browser.close()
    finally:
        server.terminate()
        server.wait()
    (DOCS / "pages.md").write_text(gallery(), encoding="utf-8")


def gallery() -> str:
    lines = ["# Every page", "", "Light and dark, wide and narrow; made by `make screenshots`.", ""]
    for name, (title, _) in PAGES.items():
        lines += [f"## {title}", ""]
        for size in SIZES:
            images = [f"![{title}, {size}, {scheme}](pages/{name}-{size}-{scheme}.png)" for scheme in ("light", "dark")]
            lines += [f"| {' | '.join(images)} |", "|---|---|", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
