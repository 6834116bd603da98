"""Failures: the message on the page, the traceback in the log, and that the rest still works."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from conftest import PLANTED, ROOT, Server, kernel_of, notebook, open_app, submit_row, wait_until
from invalid_inputs import GOOD
from playwright.sync_api import expect
from test_accessibility import check, find_violations

FAULTY = """
from irislib import Feature
from irislib.widgets import Page, Tab

def answer(values):
    if "wrong" in values:
        raise RuntimeError("the secret of the pyramid")
    return "all is well"

def draw(_):
    raise RuntimeError("the secret of the chart")

Page("Faulty", [Feature("wrong", "text", required=False)], "Go", answer,
     [Tab("Out", lambda text: [text], "Press Go."), Tab("Chart", draw)])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    notebooks_folder = tmp_path_factory.mktemp("notebooks")
    shown_output = "import ipywidgets\nipywidgets.HTML('half a page')"
    nbformat.write(notebook(FAULTY), notebooks_folder / "faulty.ipynb")
    nbformat.write(
        notebook(shown_output, "raise RuntimeError('the secret of the cell')", shown_output),
        notebooks_folder / "cell.ipynb",
    )
    nbformat.write(notebook(shown_output, "import os\nos._exit(1)"), notebooks_folder / "dies.ipynb")
    for name in ("iris-wizard.ipynb", "dummy.ipynb"):
        (notebooks_folder / name).write_text((ROOT / "notebooks" / name).read_text())
    return notebooks_folder


@pytest.fixture(scope="module")
def faulty(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("faulty") / "log"
    server = Server(log, "serve", "--model", "irislib.iris:spec", "--notebooks", str(folder)).wait()
    yield server
    server.stop()


def is_failed(text: str) -> bool:
    return bool(re.search(r"this reference: \w{8}\.", text))


def reference_in(text: str) -> str:
    return re.search(r"this reference: (\w{8})\.", text)[1]


def test_a_failing_callback_shows_a_message_and_the_app_goes_on(page, faulty: Server) -> None:
    open_app(page, faulty, "faulty", "Go")
    page.get_by_label("Wrong").fill("yes")
    page.get_by_role("button", name="Go").click()
    message = page.get_by_text("Something went wrong on our side").first
    message.wait_for()
    reference = reference_in(message.inner_text())
    page.get_by_role("tab", name="Chart").click()
    page.locator(".irislib-pane .irislib-message").wait_for()
    chart = reference_in(page.inner_text(".irislib-pane:visible"))
    for text in ("secret of", "Traceback", "RuntimeError"):
        assert text not in page.content()
    log = faulty.text()
    assert "RuntimeError: the secret of the pyramid" in log.partition(f"reference {reference}:")[2]
    assert "RuntimeError: the secret of the chart" in log.partition(f"reference {chart}:")[2]
    page.get_by_label("Wrong").fill("")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("all is well").wait_for()
    expect(page.locator(".irislib-panel .irislib-message:visible")).to_have_count(0)


@pytest.mark.parametrize(("name", "why"), [("cell", "the secret of the cell"), ("dies", "DeadKernelError")])
def test_a_cell_that_fails_gives_our_error_page(page, faulty: Server, name: str, why: str) -> None:
    page.goto(f"{faulty.url}/{name}")
    page.get_by_text("This page could not be opened").wait_for()
    reference = reference_in(page.inner_text("#irislib-failed"))
    page.wait_for_timeout(1500)  # Voila's own script is at work meanwhile
    expect(page.locator("#loading")).to_have_count(0)
    assert not find_violations(page)
    expect(page.get_by_text("half a page")).to_be_hidden()
    for text in ("secret of", "Traceback", "Error:"):
        assert text not in page.content()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    log = faulty.text()
    assert why in log.partition(f"reference {reference}: the page {name}.ipynb failed (failure 1)")[0]
    page.reload()
    page.get_by_text("This page could not be opened").wait_for()
    assert f"the page {name}.ipynb failed (failure 2)" in faulty.text()
    open_app(page, faulty, "iris-wizard", "Abrakadabra")


def test_a_page_of_the_pool_that_failed_is_a_500(folder: Path, tmp_path: Path) -> None:
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for name in ("cell", "faulty"):
        (notebooks / f"{name}.ipynb").write_text((folder / f"{name}.ipynb").read_text())
    options = ["--model", "irislib.iris:spec", "--notebooks", str(notebooks), "--preheat_kernel=True", "--pool_size=1"]
    server = Server(tmp_path / "log", "serve", *options).wait()
    try:
        wait_until(lambda: server.text().count("is filled with 1 kernel") == 2)
        responses = {}

        def is_rendered_ahead() -> bool:
            responses["cell"] = server.get("/cell")
            return responses["cell"].status_code == 500

        wait_until(is_rendered_ahead)  # before that, the status is sent before the cell has failed
        responses["faulty"] = server.get("/faulty")
        assert responses["faulty"].status_code == 200
        assert [is_failed(responses[name].text) for name in ("cell", "faulty")] == [True, False]
        assert f"reference {reference_in(server.get('/cell').text)}" in server.text()
    finally:
        server.stop()


def test_a_killed_kernel_is_a_message_and_reload_keeps_the_form(page, faulty: Server, iris) -> None:
    open_app(page, faulty, "iris-wizard", "Abrakadabra")
    os.kill(kernel_of(page, faulty), signal.SIGKILL)
    expect(page.get_by_text("Your session has ended.")).to_be_in_viewport()
    page.get_by_label("Petal length").fill("6")
    page.get_by_label("Petal width").fill("as typed")
    with page.expect_navigation():
        page.get_by_role("button", name="Reload").click()
    expect(page.get_by_label("Petal length")).to_have_value("6")
    expect(page.get_by_label("Petal width")).to_have_value("as typed")
    submit_row(page, iris, GOOD)
    expect(page.locator(".irislib-answer")).to_contain_text("Species: virginica, ")


def test_reload_keeps_no_secret(page, faulty: Server, tmp_path: Path) -> None:
    open_app(page, faulty, f"dummy?password={PLANTED}", "Submit")
    page.get_by_text("Password never comes with a link.").wait_for()
    page.get_by_label("Text", exact=True).fill("kept")
    page.get_by_label("Password").fill(PLANTED)
    (tmp_path / f"{PLANTED}.txt").write_text(PLANTED)
    page.get_by_label("File").set_input_files(tmp_path / f"{PLANTED}.txt")
    os.kill(kernel_of(page, faulty), signal.SIGKILL)
    expect(page.get_by_text("Your session has ended.")).to_be_in_viewport()
    assert not find_violations(page)
    page.get_by_role("button", name="Submit").click()  # nothing hangs
    page.get_by_text("The connection to the server was lost.").wait_for()
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    page.get_by_role("tab", name="Plot").click()
    expect(page.locator(".irislib-pane:visible")).to_contain_text("The connection to the server was lost.")
    with page.expect_navigation():  # which follows once the server has answered
        page.get_by_role("button", name="Reload").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value("kept")
    expect(page.get_by_label("Password")).to_have_value("")
    stored = page.evaluate("JSON.stringify({...sessionStorage})")
    assert "kept" in stored
    assert PLANTED not in stored
    assert PLANTED not in faulty.text()


@pytest.mark.parametrize("way", ["warm", "cold"])  # with irislib's own connection to the kernel, and with JupyterLab's
def test_a_lost_server_is_said_once_and_the_page_comes_back_by_itself(page, tmp_path: Path, way: str) -> None:
    options = [] if way == "warm" else ["--Pages.warm=False"]
    server = Server(tmp_path / "log", "serve", *options).wait()
    open_app(page, server, "iris-wizard", "Abrakadabra")
    page.get_by_label("Petal length").fill("6.5")
    expect(page.locator(".irislib-banner")).to_be_hidden()
    page.context.set_offline(True)
    page.get_by_text("The connection to the server was lost.").wait_for()
    page.context.set_offline(False)
    expect(page.locator(".irislib-banner")).to_be_hidden()
    server.stop(signal.SIGKILL)
    message = page.get_by_text("The connection to the server was lost. This page tries again by itself.")
    message.wait_for()
    if way == "warm":
        check(page, "lost")
    page.get_by_role("tab", name="Insights").click()
    page.get_by_role("tab", name="Prediction").click()
    page.get_by_label("Petal width").fill("2.25")
    expect(page.get_by_text("server was lost")).to_have_count(1)
    page.get_by_role("button", name="Reload").click()
    page.get_by_text("The server does not answer yet.").wait_for()
    assert page.url.startswith(server.url)
    again = Server(tmp_path / "log2", "serve", *options, port=server.port).wait()
    try:
        expect(page.locator(".irislib-banner")).to_be_hidden()
        expect(page.get_by_label("Petal length")).to_have_value("6.5")
        expect(page.get_by_label("Petal width")).to_have_value("2.25")
        page.get_by_role("button", name="Abrakadabra").click()
        page.locator(".irislib-answer").wait_for()
    finally:
        again.stop()
