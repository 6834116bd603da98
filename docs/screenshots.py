"""Renew the pictures in docs/, by ``make screenshots``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parent
PORT = 5099
URL = f"http://127.0.0.1:{PORT}"
FLOWER = {"Petal length": "5.1", "Petal width": "1.9", "Sepal length": "5.8", "Sepal width": "2.7"}


def wait() -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{URL}/healthz")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def iris_wizard(page: Page) -> None:
    page.goto(f"{URL}/iris-wizard")
    page.get_by_role("button", name="Abrakadabra").wait_for()
    for label, value in FLOWER.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Abrakadabra").click()
    page.locator(".irislib-answer").wait_for()


def main() -> None:
    command = [sys.executable, "-m", "irislib", "serve", "--port", str(PORT)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, width, height in (("iris-wizard", 1280, 700), ("iris-wizard-narrow", 390, 1000)):
                page = browser.new_page(viewport={"width": width, "height": height})
                iris_wizard(page)
                page.mouse.move(0, 0)
                page.screenshot(path=DOCS / f"{name}.png")
                page.close()
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
