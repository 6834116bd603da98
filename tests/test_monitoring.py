"""What a server tells its operator, read by the programs that operators use: metrics, traces and logs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, ROOT, Server, notebook, open_app, submit_row, wait_until
from invalid_inputs import GOOD
from programs import program
from prometheus_client.parser import text_string_to_metric_families

from irislib._common.metrics import METRICS, reference_table

CSV = ",".join(GOOD) + "\n" + ",".join(map(str, GOOD.values())) + "\n" + "x" + "," * (len(GOOD) - 1) + "\n"
FAULTY = """
from irislib import Feature
from irislib.widgets import Page, Tab
def calculate(values):
    return 1 / values["amount"]
features = [Feature("amount", low=0)]
Page("Faulty", features, "Divide", calculate, [Tab("Result", lambda x: [str(x)], empty="Press.")])
"""


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Apps and endpoint: a page of a model, and one whose button fails."""
    import nbformat

    folder = tmp_path_factory.mktemp("watched")
    (folder / "notebooks").mkdir()
    nbformat.write(notebook(FAULTY), folder / "notebooks" / "faulty.ipynb")
    args = ("--notebooks", str(folder / "notebooks"), "--model", "irislib.iris:spec")
    server = Server(folder / "log", "serve", *args).wait()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An endpoint of two workers."""
    server = Server(tmp_path_factory.mktemp("watched") / "log", "api", "--workers", "2").wait()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def traffic(apps: Server, endpoint: Server, chromium: Any, iris: Any) -> None:
    """A visitor of both pages, and requests to both servers."""
    from conftest import new_page

    for server in (apps, endpoint):
        assert server.post("/iris-wizard", data=GOOD).json() == "virginica"
        assert server.post("/iris-wizard", data={"petal_width_cm": "x"}).status_code == 422
        batch = server.post("/iris-wizard/batch", data=CSV, headers={"Content-Type": "text/csv"})
        assert batch.status_code == 200
    with new_page(chromium) as page:
        open_app(page, apps, "iris-wizard", "Abrakadabra")
        submit_row(page, iris, GOOD)
        page.get_by_text("virginica").first.wait_for()
        open_app(page, apps, "faulty", "Divide")
        page.get_by_role("textbox", name="amount").fill("0")
        page.get_by_role("button", name="Divide").click()
        page.get_by_text("reference").first.wait_for()
        wait_until(lambda: value(apps, "irislib_page_request_seconds_count", page="faulty") > 0)


def value(server: Server, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    families = text_string_to_metric_families(server.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_each_server_has_the_metrics_of_the_table_and_no_others(apps: Server, endpoint: Server, traffic: None) -> None:
    promtool = program("promtool")
    for server, kind in ((apps, "serve"), (endpoint, "api")):
        text = server.get("/metrics").text
        lint = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE
        )
        assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")
        known = {metric.name.removesuffix("_total"): metric for metric in METRICS.values() if kind in metric.servers}
        families = {family.name: family for family in text_string_to_metric_families(text)}
        names = {name for name in families if not name.endswith("_created")}
        rare = ("prediction_log", "candidate", "refresh", "store_read", "model_refused")  # only where there are some
        assert {name for name in known.keys() - names if not any(part in name for part in rare)} == set()
        assert names <= known.keys()
        for name in names:
            assert families[name].type == known[name].kind
            labels = {label for sample in families[name].samples for label in sample.labels} - {"le"}
            assert labels <= {*known[name].labels}, name


def test_pages_kernels_and_rows_are_counted(apps: Server, endpoint: Server, traffic: None) -> None:
    for server in (apps, endpoint):
        assert value(server, "irislib_ready") == 1
        for outcome in ("predicted", "refused"):
            assert value(server, "irislib_batch_rows_total", model="iris-wizard", outcome=outcome) == 1
        assert value(server, "irislib_requests_total", endpoint="predict", status="422") == 1
        assert value(server, "irislib_queue_seconds_count") > 0
        assert value(server, "irislib_queue_requests") >= 0
        assert value(server, "irislib_memory_bytes", process="server") > 10_000_000
    for page in ("iris-wizard", "faulty"):
        assert value(apps, "irislib_pages_opened_total", page=page) == 1
        assert value(apps, "irislib_page_ready_seconds_count", page=page) == 1
    assert value(apps, "irislib_kernels_started_total", way="forked") >= 2
    assert value(apps, "irislib_templates") >= 3
    assert value(apps, "irislib_callback_failures_total") == 1
    assert value(apps, "irislib_kernels_lost_total") == 0


def test_the_page_has_the_table_of_the_metrics() -> None:
    page = Path(ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert reference_table() in page, "run `make settings`"
