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
FORM = """
from irislib import Feature
from irislib.widgets import Page, Tab

Page("Form", [Feature("first"), Feature("second")], "Go", lambda values: sorted(values.items()),
     [Tab("Out", lambda items: [str(items)], "Press Go."), Tab("Still", lambda _: ["here"])])
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


def test_a_cell_that_fails_gives_our_error_page(page, faulty: Server) -> None:
    page.goto(f"{faulty.url}/cell")
    page.get_by_text("This page could not be opened").wait_for()
    reference = reference_in(page.inner_text("#irislib-failed"))
    page.wait_for_timeout(1500)  # Voila's own script is at work meanwhile
    expect(page.locator("#loading")).to_have_count(0)
    assert not find_violations(page)
    expect(page.get_by_text("half a page")).to_be_hidden()
    for text in ("secret of", "Traceback", "Error:"):
        assert text not in page.content()
    expect(page.get_by_role("link", name="Try again")).to_be_visible()
    assert_logged(faulty, "cell", "the secret of the cell", reference, 1)
    assert_logged(faulty, "cell", "the secret of the cell", reference_in(faulty.get("/cell").text), 2)
    open_app(page, faulty, "iris-wizard", "Abrakadabra")


def test_a_kernel_that_ends_gives_our_error_page(faulty: Server) -> None:
    for failures in (1, 2):
        text = faulty.get("/dies").text
        assert "This page could not be opened" in text
        assert not [secret for secret in ("Traceback", "Error:") if secret in text.partition('id="rendered_cells"')[2]]
        assert_logged(faulty, "dies", "DeadKernelError", reference_in(text), failures)
    assert faulty.get("/iris-wizard").ok


def assert_logged(server: Server, name: str, why: str, reference: str, failures: int) -> None:
    line = f"reference {reference}: the page {name}.ipynb failed (failure {failures})"
    assert line in server.text()
    assert why in server.text().partition(line)[0]


def test_a_page_of_the_pool_that_failed_is_a_500(folder: Path, tmp_path: Path) -> None:
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    for name in ("cell", "faulty"):
        (notebooks / f"{name}.ipynb").write_text((folder / f"{name}.ipynb").read_text())
    options = ["--model", "tiny:spec", "--notebooks", str(notebooks), "--preheat_kernel=True", "--pool_size=1"]
    server = Server(tmp_path / "log", "serve", *options).wait()
    try:
        wait_until(lambda: server.text().count("is filled with 1 kernel") == 2)
        wait_until(lambda: "the secret of the cell" in server.text())  # it has been run ahead
        responses = {}

        def is_rendered_ahead() -> bool:
            responses["cell"] = server.get("/cell")
            return responses["cell"].status_code == 500

        wait_until(is_rendered_ahead)  # before that, the status is sent before the cell has failed
        responses["faulty"] = server.get("/faulty")
        assert responses["faulty"].status_code == 200
        assert [is_failed(responses[name].text) for name in ("cell", "faulty")] == [True, False]
        assert f"reference {reference_in(responses['cell'].text)}" in server.text()
    finally:
        server.stop()


def test_a_killed_kernel_is_a_message_and_reload_keeps_the_form(page, faulty: Server, iris) -> None:
    open_app(page, faulty, "iris-wizard", "Abrakadabra")
    os.kill(kernel_of(page, faulty), signal.SIGKILL)
    expect(page.get_by_text("Your session has ended.")).to_be_in_viewport()
    page.get_by_label("Petal length").fill("6")
    page.get_by_label("Petal width").fill("as typed")
    page.route("**/healthz", lambda route: route.fulfill(status=502), times=1)  # it is asked again, without a click
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


def test_a_lost_server_is_said_once_and_the_page_comes_back_by_itself(page, neighbour, tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    for name, run in (("light", "once"), ("lab", "each visit")):  # with our connection to the kernel, and JupyterLab's
        content = notebook(FORM)
        content.metadata["irislib"] = {"run": run}
        nbformat.write(content, tmp_path / "notebooks" / f"{name}.ipynb")
    options = ["--model", "tiny:spec", "--notebooks", str(tmp_path / "notebooks")]
    server = Server(tmp_path / "log", "serve", *options).wait()
    pages = {"light": page, "lab": neighbour}
    for name, tab in pages.items():
        open_app(tab, server, name, "Go")
        assert (tab.locator("#irislib-page").count() == 1) is (name == "light")
        tab.get_by_label("First").fill("6.5")
        expect(tab.locator(".irislib-banner")).to_be_hidden()
        tab.context.set_offline(True)
        tab.get_by_text("The connection to the server was lost.").wait_for()
        tab.context.set_offline(False)
        expect(tab.locator(".irislib-banner")).to_be_hidden()
    server.stop(signal.SIGKILL)
    for tab in pages.values():
        tab.get_by_text("The connection to the server was lost. This page tries again by itself.").wait_for()
    check(page, "lost")
    for tab in pages.values():
        tab.get_by_role("tab", name="Still").click()
        tab.get_by_role("tab", name="Out").click()
        tab.get_by_label("Second").fill("2.25")
        expect(tab.get_by_text("server was lost")).to_have_count(1)
        tab.get_by_role("button", name="Reload").click()
        tab.get_by_text("The server does not answer yet.").wait_for()
        tab.evaluate("dispatchEvent(new Event('offline'))")  # as each attempt to connect says that it is lost
        tab.get_by_text("The server does not answer yet.").wait_for()
        assert tab.url.startswith(server.url)
        # the server that comes back is gone again when it is asked whether the page can be loaded
        tab.route("**/healthz", lambda route: route.fulfill(status=503), times=1)
    again = Server(tmp_path / "log2", "serve", *options, port=server.port).wait()
    try:
        for tab in pages.values():
            expect(tab.locator(".irislib-banner")).to_be_hidden()
            expect(tab.get_by_label("First")).to_have_value("6.5")
            expect(tab.get_by_label("Second")).to_have_value("2.25")
            tab.get_by_role("button", name="Go").click()
            tab.get_by_text("('second', 2.25)").wait_for()
    finally:
        again.stop()
