"""`irislib serve` follows the store: its endpoint and the pages opened from then on; open ones keep their version."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
import requests
from conftest import PATIENCE, Server, descendants, notebook, wait_until
from playwright.sync_api import expect
from sklearn.tree import DecisionTreeClassifier

from irislib import Feature, Model
from irislib._modeling import store

NAME = "sizes"
ROWS = 200_000  # a version has 20 MB in memory, so that one that stays in memory is noticed
N_SPARES = 2  # kernels that wait for the next visitors of the page, in two languages
SWAPS = 3
LEAK = 42_000_000  # bytes: fewer than so many versions have, and more than what other objects take
EACH_VISIT = f"import irislib, random\nprint('it', 'is', irislib.load('{NAME}').version, random.random() < 2)"
NEWER, EARLIER = "A newer model is there.", "An earlier model is back."


def make_model(number: int) -> Model:
    """Make a version of a model: an even one is right, an odd one calls large what is small."""
    sizes = pd.DataFrame({"size": np.linspace(0, 100, ROWS)})
    chance = np.random.default_rng(number).random(ROWS) < 0.5  # a tree of 50,000 leaves learns it by heart
    is_small = (sizes["size"] < 50) | chance
    truth, opposite = np.where(is_small, "small", "large"), np.where(is_small, "large", "small")
    estimator = DecisionTreeClassifier(random_state=0).fit(sizes, truth if number % 2 == 0 else opposite)
    part = slice(100 + number, None, ROWS // 100)
    features = [Feature("size", low=0, high=100)]
    model = Model.from_estimator(
        estimator, sizes[part], truth[part], name=NAME, features=features, target="class", live=False
    )
    return replace(model, trained_at=f"2026-01-{number + 1:02}T00:00:00+00:00")


@pytest.fixture(scope="module")
def models() -> list[Model]:
    return [make_model(number) for number in range(2)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, models: list[Model]) -> Path:
    """A store with one version."""
    root = tmp_path_factory.mktemp("followed") / "store"
    store.publish(models[0], root)
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    notebooks = root.parent / "notebooks"
    notebooks.mkdir()
    nbformat.write(notebook(EACH_VISIT), notebooks / "each-visit.ipynb")
    options = (f"--model={NAME}", f"--notebooks={notebooks}", "--languages", "en,de", "--follow=0.2")
    server = Server(root.parent / "log", "serve", *options, IRISLIB_STORE=str(root)).wait()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def served(server: Server) -> str:
    """Return the version that answers programs."""
    return server.post(f"/{NAME}", data={"size": 10}).headers["X-Model-Version"]


def publish(model: Model, root: Path) -> None:
    """Make a version current, which may be in the store already."""
    if any(entry.version == model.version for entry in store.entries(NAME, root)):
        store.rollback(NAME, root, model.version)
    else:
        store.publish(model, root)


def visit(server: Server, path: str, language: str = "en") -> str:
    """Return a page that is opened now, and leave it."""
    with requests.Session() as visitor:
        page = visitor.get(f"{server.url}/{path}", headers={"Accept-Language": language}, timeout=PATIENCE)
        assert page.status_code == 200
        kernel = re.search(r'"kernel(?:Id)?": ?"([^"]+)"', page.text)
        assert kernel
        token = {"X-XSRFToken": visitor.cookies["_xsrf"]}
        visitor.post(f"{server.url}/voila/api/shutdown/{kernel[1]}", headers=token, timeout=PATIENCE).raise_for_status()
    return page.text


def press(page: Any, answer: str) -> None:
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("heading", name=f"Class: {answer}")).to_be_visible()


def n_pages(server: Server) -> int:
    """Return how often the page was made anew."""
    return server.text().count(f"{NAME}.ipynb has changed, and so has its page.")


def at_rest(server: Server) -> tuple[int, int] | None:
    """Return how many processes a server has, and the bytes of the two that stay; None while a visitor has a kernel."""
    log, process = server.text(), psutil.Process(server.process.pid)
    if log.count("Kernel started: ") - log.count("Kernel shutdown: ") != N_SPARES:
        return None
    return len(descendants(process.pid)), process.memory_info().rss + template_of(server).memory_info().rss


def template_of(server: Server) -> psutil.Process:
    """Return the main template process of a server, the only one of its processes that has some."""
    (template,) = [child for child in psutil.Process(server.process.pid).children() if child.children()]
    return template


def test_requests_see_one_version_and_nothing_is_left_of_those_before(
    server: Server, root: Path, models: list[Model]
) -> None:
    answers = {models[0].version: "small", models[1].version: "large"}
    publish(models[1], root)
    wait_until(lambda: models[1].version in visit(server, NAME))
    visit(server, NAME, "de")  # whose page has its own processes
    is_over = threading.Event()

    def ask() -> Counter[str]:
        seen: Counter[str] = Counter()
        with requests.Session() as session:
            while not is_over.wait(0.05):
                row = session.post(f"{server.url}/{NAME}?details=1", data={"size": 10}, timeout=PATIENCE)
                insight = session.post(f"{server.url}/{NAME}/insights/contributions", data={"size": 10})
                assert {row.status_code, insight.status_code} == {200}
                versions = [answer.headers["X-Model-Version"] for answer in (row, insight)]
                assert (row.json()["version"], row.json()["prediction"]) == (versions[0], answers[versions[0]])
                assert f"probability of {answers[versions[1]]} is 100%" in insight.json()["text"]
                seen[versions[0]] += 1
        return seen

    before, pages = wait_until(lambda: at_rest(server)), n_pages(server)
    with ThreadPoolExecutor(2) as threads:
        counts = [threads.submit(ask) for _ in range(2)]
        try:
            for number in range(pages + 1, pages + SWAPS + 1):
                store.rollback(NAME, root)
                wait_until(lambda number=number: n_pages(server) == number or any(count.done() for count in counts))
        finally:
            is_over.set()
        assert {version for count in counts for version in count.result()} == set(answers)
    # processes of pages that were replaced end soon
    after = wait_until(lambda: (now := at_rest(server)) and now[0] <= before[0] and now)
    assert after[1] < before[1] + LEAK


def test_an_open_page_keeps_its_version_and_is_told_of_another(
    page, neighbour, server: Server, root: Path, models: list[Model]
) -> None:
    first, second = (model.version for model in models)
    if served(server) != first:  # in whatever order the tests are run
        publish(models[0], root)
        wait_until(lambda: first in visit(server, NAME))
    news, size, about = (page.locator(f".irislib-{part}") for part in ("news", "panel input", "about"))
    page.goto(f"{server.url}/{NAME}")
    size.fill("10")
    press(page, "small")
    assert first in visit(server, NAME, "de")
    expect(news).to_be_empty()

    size.focus()
    publish(models[1], root)
    expect(news).to_contain_text(NEWER)
    expect(size).to_be_focused()
    assert news.get_attribute("role") == "status"
    answer = server.post(f"/{NAME}", data={"size": 20})
    assert (answer.json(), answer.headers["X-Model-Version"]) == ("large", second)
    assert second in visit(server, NAME, "en")
    assert second in visit(server, NAME, "de")
    wait_until(lambda: f"it is {second}" in visit(server, "each-visit"))

    size.fill("20")
    press(page, "small")  # by the version that it began with, as are the insights
    page.get_by_role("tab", name="Performance").click()
    expect(page.get_by_text("right for 100 of 100 test rows")).to_be_visible()
    expect(about).to_contain_text(first)
    neighbour.goto(f"{server.url}/{NAME}")
    expect(neighbour.locator(".irislib-about")).to_contain_text(second)

    desktop = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 600})
    about.scroll_into_view_if_needed()
    expect(news).to_be_in_viewport()  # of who reads the result on a phone
    page.set_viewport_size(desktop)
    size.fill("30")
    news.get_by_role("button", name="Reload").click()
    expect(about).to_contain_text(second)
    expect(news).to_be_empty()
    expect(size).to_have_value("30")
    expect(page.get_by_role("tab", name="Performance")).to_have_attribute("aria-selected", "true")
    press(page, "large")

    store.rollback(NAME, root)  # in a page that was told of nothing yet, and in one that is told for the second time
    for open_page in (page, neighbour):
        expect(open_page.locator(".irislib-news")).to_contain_text(EARLIER)
    news.get_by_role("button", name="Reload").click()
    expect(about).to_contain_text(first)
    press(page, "small")
    store.rollback(NAME, root)
    expect(news).to_contain_text(NEWER)
    expect(neighbour.locator(".irislib-news")).to_be_empty()  # it has this version


def test_a_version_that_cannot_be_loaded_is_not_taken(
    page, server: Server, root: Path, models: list[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = served(server)
    page.goto(f"{server.url}/{NAME}")
    with monkeypatch.context() as patch:
        patch.setattr(store, "_content", lambda *args, **kwargs: b"no model")
        entry = store.publish(make_model(7), root)
    wait_until(lambda: f"version {entry.version} (number {entry.number}) cannot be served here" in server.text())
    assert served(server) == before
    assert before in visit(server, NAME)
    expect(page.locator(".irislib-news")).to_be_empty()
    ready = server.get("/readyz")
    assert (ready.status_code, ready.json()["models"][NAME]["version"]) == (200, before)
    assert ready.json()["models"][NAME]["store"]["refused"]["version"] == entry.version
    assert f'irislib_model_refused{{model="{NAME}",version="{entry.version}"}} 1.0' in server.get("/metrics").text
