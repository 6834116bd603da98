"""`irislib serve` listens at once, says which models it trains, and serves each app as soon as it is there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from conftest import PATIENCE, ROOT, Server, run_in_thread, run_irislib, wait_until

from irislib._serving import page_pool

MODULE = """
import time
from dataclasses import replace
from pathlib import Path

from irislib.iris import spec as iris

GATE = Path(__file__).parent / "gate"


def load_late():
    while not GATE.exists():
        time.sleep(0.02)
    return iris.load_data()


def load_never():
    raise ValueError("no database here")


late = replace(iris, name="late-wizard", title="Late Wizard", load_data=load_late)
broken = replace(iris, name="broken-wizard", title="Broken Wizard", load_data=load_never)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Start a server with models of the module above, which waits for its data."""
    (tmp_path / "slow.py").write_text(MODULE)
    servers: list[Server] = []

    def run(*names: str, path: str = "/healthz", code: str = "") -> Server:
        models = [f"--model=slow:{name}" for name in names]
        options = ("--notebooks", str(ROOT / "notebooks" / "dummy.ipynb"))
        store = {"IRISLIB_STORE": str(tmp_path / "models")}
        servers.append(Server(tmp_path / "log", "serve", *models, *options, cwd=tmp_path, code=code, **store))
        return servers[-1].wait(path)

    yield run
    for server in servers:
        if server.process.poll() is None:
            server.stop()


def pages(server: Server) -> dict[str, str]:
    return server.get("/readyz").json()["pages"]


def test_the_server_answers_while_it_trains_and_each_page_opens_by_itself(start, tmp_path: Path, page) -> None:
    from playwright.sync_api import expect

    impatient = "from irislib._serving import endpoint_mixin; endpoint_mixin.START_SECONDS = 1.0"
    server = start("late", "broken", code=impatient)
    wait_until(lambda: pages(server)["dummy"] == "warm")
    ready = server.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (503, "training")
    assert pages(server)["late-wizard"] == "training"

    with ThreadPoolExecutor() as threads:  # both wait for the model, for a while
        card = threads.submit(server.get, "/late-wizard/card")
        unopened = threads.submit(server.get, "/late-wizard", headers={"Accept": "application/json"})
        refused = server.post("/late-wizard", data={"petal_length_cm": 1})
    assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["detail"] == "The model late-wizard is being trained. Try again in a moment."
    assert card.result().status_code == 503
    assert unopened.result().json() == refused.json()
    assert set(requests.options(f"{server.url}/late-wizard", timeout=PATIENCE).headers["Allow"].split(", ")) >= {
        "GET",
        "POST",
    }
    assert requests.head(f"{server.url}/late-wizard", timeout=PATIENCE).status_code == 503
    assert server.get("/dummy").status_code == 200

    page.goto(server.url)
    expect(page.get_by_text("Its model is being trained.").first).to_be_visible()
    app = page.context.new_page()
    assert app.goto(f"{server.url}/late-wizard").status == 503
    expect(app.get_by_text("This page opens by itself as soon as that is done.")).to_be_visible()
    (tmp_path / "gate").write_text("")
    expect(app.get_by_role("button", name="Abrakadabra")).to_be_visible()
    expect(page.get_by_text("Broken Wizard is not available")).to_be_visible()
    expect(page.get_by_text("Its model is being trained.")).to_have_count(0)
    expect(page.get_by_text("Its page is being prepared.")).to_have_count(0)
    assert server.get("/readyz").status_code == 200

    failed = server.get("/broken-wizard")
    assert failed.status_code == 500
    (reference,) = re.findall(r"reference: (\w+)\.", failed.text)
    assert "no database here" not in failed.text
    problem = server.post("/broken-wizard", data={}).json()
    assert reference in problem["detail"]
    assert server.get("/broken-wizard", headers={"Accept": "application/json"}).json()["detail"] == problem["detail"]
    log = server.text()
    assert log.count(f"reference {reference}: Broken Wizard could not be trained") == 1
    assert log.count("ValueError: no database here (") == 1
    assert "Late Wizard and Dummy are ready: http" in log
    assert "503 /" not in log


def test_a_program_that_comes_just_after_the_start_is_answered_when_the_model_and_the_page_are_there(
    start, tmp_path: Path
) -> None:
    server = start("late")
    row = {"petal_length_cm": 1, "petal_width_cm": 1, "sepal_length_cm": 1, "sepal_width_cm": 1}
    with ThreadPoolExecutor() as threads:
        calls = (
            lambda: server.post("/late-wizard", data=row),
            lambda: server.get("/late-wizard/schema"),
            lambda: server.get("/late-wizard"),
        )
        answers = [threads.submit(call) for call in calls]
        wait_until(lambda: pages(server)["late-wizard"] == "training")
        assert not any(answer.done() for answer in answers)
        (tmp_path / "gate").write_text("")
        prediction, schema, app = (answer.result() for answer in answers)
    assert (prediction.status_code, prediction.json()) == (200, "versicolor")
    assert (schema.status_code, schema.json()["title"]) == (200, "A row for Late Wizard")
    assert (app.status_code, "Abrakadabra" in app.text) == (200, True)


def test_a_server_ends_while_it_trains(start) -> None:
    server = start("late")
    wait_until(lambda: "Starting at" in server.text())
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(server.get, "/late-wizard")
        wait_until(lambda: pages(server)["late-wizard"] == "training")
        assert server.stop() == 0
        waiting.exception()  # it is answered, or its connection is closed


def test_a_server_ends_if_no_app_is_left(start, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(MODULE)
    server = Server(
        tmp_path / "log", "serve", "--model=slow:broken", cwd=tmp_path, IRISLIB_STORE=str(tmp_path / "models")
    )
    assert server.process.wait() == 1
    assert server.text().count("ValueError: no database here") == 2  # as the message, and in its traceback
    assert "irislib serve: ValueError: no database here (" in server.text()


def test_what_the_main_thread_reads_is_not_the_data_of_a_model_trained_in_another(tmp_path: Path) -> None:
    import threading

    from irislib._modeling.data_files import record_reads

    for name in ("ours", "theirs"):
        (tmp_path / name).write_text("1")
    started, ended, results = threading.Event(), threading.Event(), []

    def train() -> None:
        with record_reads() as reads:
            started.set()
            ended.wait()
            (tmp_path / "ours").read_text()
        results.extend(reads())

    thread = threading.Thread(target=train)
    thread.start()
    started.wait()
    (tmp_path / "theirs").read_text()
    ended.set()
    thread.join()
    assert [Path(record["path"]).name for record in results] == ["ours"]


@pytest.mark.parametrize(
    ("sources", "own", "needed"),
    [
        (["from irislib import dummy", "dummy.app()"], None, set()),
        (['import irislib\nirislib.app(irislib.load("rent"))'], "rent", {"rent"}),
        (['import irislib\nirislib.load("rent"); irislib.load("iris")'], "iris", {"rent", "iris"}),
        (["import irislib\nirislib.load(name)"], None, {"rent", "iris"}),
        (["import helpers\nhelpers.show()"], None, {"rent", "iris"}),
        (["print(1)"], "rent", {"rent"}),
    ],
)
def test_a_page_waits_for_the_models_that_its_notebook_needs(sources: list[str], own: str, needed: set[str]) -> None:
    from irislib._serving.page_models import needed_models

    notebook = {"cells": [{"cell_type": "code", "source": source} for source in sources]}
    assert needed_models(notebook, own, {"rent", "iris"}) == needed


def test_nothing_is_drawn_ahead_before_every_page_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_pool, "OPENING_SECONDS", 0)
    looks = iter(({"a": "warm", "b": "loading"}, {"a": "warm", "b": "starting"}, {"a": "warm", "b": "training"}))
    seen: list[dict[str, str]] = []

    def states() -> dict[str, str]:
        seen.append(next(looks))
        return seen[-1]

    def warm_up(*_: Any) -> bool:
        assert [state["b"] for state in seen] == ["loading", "starting", "training"]  # and no training is waited for
        seen.clear()
        return False

    pages: Any = SimpleNamespace(
        working_ahead=asyncio.Lock(), states=states, fork_server=SimpleNamespace(warm_up=warm_up)
    )
    run_in_thread(page_pool.Pages.work_ahead(pages, SimpleNamespace(is_retired=False, is_resting=False, name="a")))
    assert not seen


def test_a_page_that_is_drawn_imports_nothing_after_the_rehearsal_which_draws_nothing() -> None:
    code = """
import sys
import irislib.widgets._report
from irislib._forkserver import rehearsal
from irislib._forkserver.kernel import shell
from irislib.widgets import _warm_up
from matplotlib.figure import Figure
shell()
drawn = []
_warm_up.call_in_child = lambda draw: draw()
Figure.draw, draw = (lambda *args: drawn.append(draw(*args))), Figure.draw
rehearsal.rehearse()
before = {*sys.modules}, len(drawn)
rehearsal.app(rehearsal.small_model()).warm_up()
print({*sys.modules} - before[0], before[1], len(drawn) > 3)
raise SystemExit
"""
    result = run_irislib(code=code)
    assert result.stdout == "set() 0 True\n", result.stderr
