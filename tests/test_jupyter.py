"""The same notebooks in JupyterLab and Notebook, where she wrote them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import PATIENCE, ROOT, free_port, is_up, wait_until
from invalid_inputs import GOOD
from playwright.sync_api import Error

# JupyterLab, without a parser that takes more than a second to be built and is not needed
START = "import irislib._common.quick_imports\nfrom jupyterlab.labapp import main\nmain()"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab that serves Notebook too, with copies of the notebooks."""
    folder = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    port = free_port()
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", "--ServerApp.port_retries=0"]
    options += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    environment = {**os.environ, "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", START, *options, f"--port={port}", f"--notebook-dir={folder / 'notebooks'}"],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or is_up(f"{url}/api/status"))
        assert process.poll() is None, (folder / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.parametrize("interface", ["lab/tree", "notebooks"])
def test_the_iris_wizard_works_inline(page: Any, jupyter: str, iris: Any, interface: str) -> None:
    page.goto(f"{jupyter}/{interface}/iris-wizard.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    # a run that is asked for before there is a kernel opens a dialog that asks for one, over all else
    page.locator(".jp-Toolbar-kernelName").get_by_text("Python 3").first.wait_for()
    button = page.get_by_role("button", name="Abrakadabra")
    for _ in range(5):  # a run that is asked for while the kernel starts is lost
        page.locator(".lm-MenuBar-itemLabel").get_by_text("Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
        with contextlib.suppress(Error):
            button.wait_for(timeout=10_000)
            break
    for feature in iris.spec.features:
        page.get_by_label(feature.label).fill(str(GOOD[feature.name]))
    page.get_by_label("Petal length").press("Enter")  # Jupyter's own keys keep out of the app
    page.locator(".irislib-answer", has_text="virginica").wait_for()
    page.get_by_role("tab", name="Prediction").focus()
    for key in ("x", "d", "d", "b"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="Why this answer?").wait_for()
