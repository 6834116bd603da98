"""Many visitors, and pages that go wrong: what they get, and that nothing is left of it.

Nothing here knows how a kernel is made: a page's own process is known by what the page says of it.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import requests
from conftest import PATIENCE, Server, alive, descendants, notebook, process_of, wait_until
from playwright.sync_api import expect
from test_accessibility import check
from test_security import Visitor

APP = """
import os
import joblib
from irislib import Feature
from irislib.widgets import Page, Tab

def answer(values):
    what = values.get("what")
    if what == "memory":
        bytearray(4 * 10**9)
    if what == "print":
        for _ in range(100):
            print("x" * 10**6)
    if what == "jobs":
        return sum(joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(-i) for i in range(4)))
    while what == "loop":
        pass
    return os.getpid()

Page("App", [Feature("what", "text", required=False)], "Go", answer,
     [Tab("Out", lambda result: [f"Result: {result}."], "Press Go.")])
"""
WIDGET = "import ipywidgets\nipywidgets.HTML('the page is there')"
NOTEBOOKS = {
    "app": [APP],
    "exits": ["import os\nos._exit(1)", WIDGET],
    "crashes": ["import ctypes\nctypes.string_at(0)", WIDGET],
    "memory": ["bytearray(4 * 10**9)", WIDGET],
    "prints": ["for _ in range(100):\n    print('x' * 10**6)", WIDGET],
    "prints-at-once": ["print('x' * 10**8)", WIDGET],
    "loops": ["while True:\n    pass"],
}
ENDED = "This page has ended on the server."
KERNEL = "--AppKernelManager"
COLD = "--Pages.warm=False"  # for what has nothing to do with it: a template takes a while
# Gone soon, but not before a browser on a busy machine has opened the page.
QUICK = ("--MappingKernelManager.cull_interval=1", f"{KERNEL}.disconnected_timeout=15")


def serve_notebooks(folder: Path, *names: str, options: tuple[str, ...] = QUICK) -> Server:
    place = folder / "notebooks"
    place.mkdir()
    for name in names:
        nbformat.write(notebook(*NOTEBOOKS[name]), place / f"{name}.ipynb")
    args = ("serve", "--model", "irislib.iris:spec", "--notebooks", str(place), *options)
    return Server(folder / "log", *args).wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("load")
    names = ("app", "exits", "crashes", "memory", "prints", "prints-at-once")
    server = serve_notebooks(folder, *names, options=(*QUICK, f"{KERNEL}.kernel_memory=2000000000"))
    yield server
    assert server.stop() == 0


def connection_files(server: Server) -> list[Path]:
    return list(Path(re.search(r"Storing connection files in (\S+)\.\n", server.text())[1]).iterdir())


def held(server: Server) -> tuple[int, int, int]:
    """How many processes, connection files and open files it has."""
    process = psutil.Process(server.process.pid)
    browsers = len(process.net_connections("tcp"))  # which keep theirs open for a while
    return len(process.children(recursive=True)), len(connection_files(server)), process.num_fds() - browsers


def wait_until_it_holds(server: Server, before: tuple[int, int, int]) -> None:
    """Wait until it has no more of anything than before."""
    wait_until(
        lambda: all(now <= then for now, then in zip(held(server), before, strict=True)),
        lambda: f"{held(server)} instead of {before}: {open_things(server)}",
    )


def open_things(server: Server) -> list[object]:
    """The processes, connections and files of a server, for the message of a failure."""
    process = psutil.Process(server.process.pid)
    files = [os.readlink(path) for path in Path(f"/proc/{process.pid}/fd").iterdir() if path.is_symlink()]
    commands = [(child.pid, child.cmdline()) for child in process.children(recursive=True)]
    return [commands, process.net_connections("all"), files]


def settled(server: Server) -> tuple[int, int, int]:
    """The same, once the kernel of the next visitor is ready and nothing has changed for a while."""
    seen: list[tuple[int, int, int]] = []

    def is_so() -> bool:
        seen.append(held(server))
        time.sleep(0.2)
        return len(seen) > 20 and len(set(seen[-20:])) == 1 and len(connection_files(server)) > 0

    wait_until(is_so)
    return seen[-1]


def most_memory(server: Server) -> int:
    """The most megabytes that the server's own process has ever had."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1]) // 1000


def post(server: Server) -> requests.Response:
    row = dict.fromkeys(["petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm"], 1)
    return server.post("/iris-wizard", data=row)


def answer(page: Any, what: str = "") -> str:
    page.get_by_label("What").fill(what)
    page.evaluate("for (const shown of document.querySelectorAll('.irislib-pane > div')) shown.textContent = ''")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("Result: ").wait_for()
    return page.get_by_text("Result: ").inner_text()[8:-1]


def open_page(page: Any, server: Server) -> int:
    """Open the app; its kernel's process."""
    page.goto(f"{server.url}/app")
    return int(answer(page))


@pytest.fixture
def neighbour(chromium: Any) -> Iterator[Any]:
    """Another visitor."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page()
    context.close()


def test_a_kernel_that_is_killed_ends_one_page_only(page: Any, neighbour: Any, server: Server) -> None:
    mine, other = open_page(page, server), open_page(neighbour, server)
    assert mine != other
    os.kill(mine, signal.SIGKILL)
    page.get_by_text(ENDED).wait_for()
    assert int(answer(neighbour)) == other
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_text(ENDED)).to_be_hidden()
    assert int(answer(page)) not in (mine, other)


@pytest.mark.parametrize("name", ["exits", "crashes", "memory"])
def test_a_notebook_that_ends_its_kernel_is_an_error_page(server: Server, name: str) -> None:
    text = server.get(f"/{name}").text
    reference = re.search(r"this reference: (\w{8})\.", text)[1]
    assert f"reference {reference}: the page {name}.ipynb failed" in server.text()
    assert "the page is there" not in text
    assert post(server).status_code == 200


def test_a_notebook_that_loops_is_given_up(page: Any, tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "loops", options=(*QUICK, "--VoilaExecutor.timeout=3", COLD))
    try:
        page.goto(f"{server.url}/loops")
        page.get_by_text("It took longer than this server allows.").wait_for()
        assert post(server).status_code == 200
        page.goto("about:blank")
        wait_until(lambda: not connection_files(server))  # it loops no longer
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("name", ["prints", "prints-at-once"])
def test_a_notebook_that_prints_100_mb_gives_a_page(server: Server, name: str) -> None:
    text = server.get(f"/{name}").text
    assert "There is more of this output than a page can show." in text
    assert "the page is there" in text or "widget-view" in text
    assert len(text) < 10_000_000
    assert most_memory(server) < 1000


def test_a_click_that_prints_100_mb_gives_an_answer(page: Any, server: Server) -> None:
    kernel = open_page(page, server)
    assert int(answer(page, "print")) == kernel
    assert most_memory(server) < 1000


def test_a_click_that_needs_too_much_memory_is_a_sentence(page: Any, neighbour: Any, server: Server) -> None:
    mine, other = open_page(page, server), open_page(neighbour, server)
    page.get_by_label("What").fill("memory")
    page.get_by_role("button", name="Go").click()
    sentence = page.get_by_text("Something went wrong on our side").first
    sentence.wait_for()
    reference = re.search(r"this reference: (\w{8})\.", sentence.inner_text())[1]
    assert "MemoryError" in server.text().partition(f"reference {reference}:")[2]
    assert int(answer(page)) == mine
    assert int(answer(neighbour)) == other


def test_a_click_may_use_more_processes_which_end_with_its_page(page: Any, server: Server) -> None:
    kernel = open_page(page, server)
    assert answer(page, "jobs") == "6"
    workers = descendants(kernel)
    assert workers
    page.goto("about:blank")
    wait_until(lambda: not any(map(alive, [kernel, *workers])))


def test_a_visitor_who_is_gone_leaves_nothing_even_where_the_kernel_loops(neighbour: Any, server: Server) -> None:
    kernel = open_page(neighbour, server)
    neighbour.route("**/shutdown/**", lambda route: route.abort())  # as where the connection is lost
    neighbour.get_by_label("What").fill("loop")
    neighbour.get_by_role("button", name="Go").click()
    neighbour.get_by_text("Working…").wait_for()
    neighbour.close()
    wait_until(lambda: not alive(kernel))


def test_a_visitor_who_leaves_while_a_kernel_is_asked_for_is_no_error(server: Server) -> None:
    visitor = Visitor(server, "app")
    kernel = psutil.Process(process_of(visitor.kernel, server))
    before = settled(server)
    kernel.suspend()
    try:
        for _ in range(5):
            with pytest.raises(TimeoutError), visitor.connect(open_timeout=0.5):
                pass
        wait_until_it_holds(server, before)
    finally:
        kernel.resume()
    with visitor.connect() as wire:
        wire.until(wire.send("shell", "kernel_info_request", {}), "kernel_info_reply")
    visitor.leave()
    assert "Uncaught exception" not in server.text()


def test_visits_leave_nothing(page: Any, server: Server) -> None:
    for _ in range(2):  # what is made once, and kept
        open_page(page, server)
        page.goto("about:blank")
    before = settled(server)
    for _ in range(4):
        open_page(page, server)
        page.goto("about:blank")
    wait_until_it_holds(server, before)


def test_an_idle_page_ends_and_says_so(page: Any, tmp_path: Path) -> None:
    options = ("--MappingKernelManager.cull_interval=1", "--MappingKernelManager.cull_idle_timeout=5", COLD)
    server = serve_notebooks(tmp_path, "app", options=options)
    try:
        kernel = open_page(page, server)
        page.get_by_text(ENDED).wait_for()
        wait_until(lambda: not alive(kernel))
    finally:
        assert server.stop() == 0


def test_one_visitor_cannot_take_all_places(page: Any, tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app", options=(*QUICK, f"{KERNEL}.max_kernels=4"))
    try:
        open_page(page, server)
        page.goto("about:blank")
        post(server)
        before = settled(server)
        page.goto(f"{server.url}/app")
        with ThreadPoolExecutor(20) as threads:
            asked = [threads.submit(server.get, "/app?what=me") for _ in range(200)]
            for _ in range(5):
                assert post(server).json() == "versicolor"
            answers = [each.result() for each in asked]
        statuses = [response.status_code for response in answers]
        assert set(statuses) == {200, 503}
        full = answers[statuses.index(503)]
        assert int(full.headers["Retry-After"]) > 0
        assert "You have more pages of these apps open" in full.text
        other = server.get("/app", headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.1"})
        assert other.status_code == 200
        assert answer(page)
        page.goto("about:blank")
        wait_until_it_holds(server, before)
        assert server.get("/app").status_code == 200
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text()


def test_the_page_where_there_is_no_room_tries_again(page: Any, neighbour: Any, tmp_path: Path) -> None:
    options = (*QUICK, f"{KERNEL}.max_kernels=1", f"{KERNEL}.max_kernels_per_visitor=1")
    server = serve_notebooks(tmp_path, "app", options=options)
    try:
        kernel = open_page(neighbour, server)
        page.clock.install()
        response = page.goto(f"{server.url}/app?what=kept")
        assert response.status == 503
        expect(page.get_by_text("there is no room for another page")).to_be_visible()
        check(page, "full")
        page.clock.run_for(15_000)
        expect(page.get_by_text("there is no room for another page")).to_be_visible()
        assert post(server).json() == "versicolor"
        neighbour.goto("about:blank")
        wait_until(lambda: not alive(kernel))
        page.clock.run_for(15_000)
        expect(page.get_by_label("What")).to_have_value("kept")
    finally:
        assert server.stop() == 0


def test_no_memory_left_is_no_room(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app", options=(f"{KERNEL}.memory_margin={10**15}", COLD))
    try:
        assert server.get("/app").status_code == 503
        assert post(server).json() == "versicolor"
    finally:
        assert server.stop() == 0


def test_a_full_disk_is_polite_and_passes(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app")
    pid = server.process.pid
    try:
        assert server.get("/app").status_code == 200  # all that it has ready for visitors is there now
        before = settled(server)
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
        answers = [server.get("/app") for _ in range(4)]  # some may be ready
        assert "Something went wrong on our side." in answers[-1].text
        assert answers[-1].status_code == 500
        assert post(server).json() == "versicolor"
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        wait_until(lambda: server.get("/app").status_code == 200)
        wait_until_it_holds(server, before)
    finally:
        assert server.stop() == 0


def test_a_kernel_that_dies_before_its_first_cell_is_an_error_page(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app", options=("--VoilaConfiguration.http_keep_alive_timeout=1",))
    try:
        before = set(descendants(server.process.pid))
        with ThreadPoolExecutor(1) as thread:
            asked = thread.submit(server.get, "/app")
            wait_until(lambda: set(descendants(server.process.pid)) - before)
            for pid in set(descendants(server.process.pid)) - before:
                os.kill(pid, signal.SIGKILL)
            text = asked.result().text
        assert "This page could not be opened" in text or "widget-view" in text
        assert server.get("/app").status_code == 200
    finally:
        assert server.stop() == 0


def test_it_stops_clean_while_pages_start(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app")
    before = len(descendants(server.process.pid))
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(server.get, "/app") for _ in range(6)]
        wait_until(lambda: len(descendants(server.process.pid)) > before)
        assert server.stop() == 0  # which also finds that no process is left
        assert len([each.exception() for each in asked]) == 6
    assert "Traceback" not in server.text()
