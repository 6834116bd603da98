"""Many visitors and faulty pages: their responses, and that they leave no process or file behind.

A page itself reports the process of its kernel. The app is run once, so that its page has no scripts of JupyterLab's:
these take 2 s of CPU. The other notebooks are run for each visitor.
"""

from __future__ import annotations

import errno
import http.client
import os
import re
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import psutil
import pytest
import requests
from conftest import JUMPING_CLOCK, PATIENCE, Server, descendants, is_running, notebook, process_of, wait_until
from playwright.sync_api import expect
from test_accessibility import check
from test_security import Visitor, connect_to_kernel

from irislib._forkserver import messages
from irislib._forkserver.server import RequestLoop
from irislib._serving import memory

APP = """
import os
import time
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
        time.sleep(0.01)  # no less endless than without, but other tests need the processor
    return os.getpid()

Page("App", [Feature("what", "text", required=False)], "Go", answer,
     [Tab("Out", lambda result: [f"Result: {result}."], "Press Go.")])
"""
WIDGET = "import ipywidgets\nipywidgets.HTML('the page is there')"
NOTEBOOKS = {
    "app": [APP],
    "each": [WIDGET],
    "exits": ["import os\nos._exit(1)", WIDGET],
    "crashes": ["import ctypes\nctypes.string_at(0)", WIDGET],
    "memory": ["bytearray(4 * 10**9)", WIDGET],
    "prints": ["for _ in range(100):\n    print('x' * 10**6)", WIDGET],
    "prints-at-once": ["print('x' * 10**8)", WIDGET],
    "loops": ["import time\nwhile True:\n    time.sleep(0.01)"],
}
ENDED = "Your session has ended."
KERNEL = "--AppKernelManager"
COLD = "--Pages.warm=False"  # where warm pages do not matter: a template process takes a while
# jupyter_server watches kernels, and may come too late for what the first page does.
LATE_WATCH = """
from irislib._serving.kernel_manager import AppKernelManager

watch = AppKernelManager.start_watching_activity

def watch_nothing(manager, kernel_id):
    watch(manager, kernel_id)
    manager.get_kernel(kernel_id)._activity_stream.on_recv(lambda _: None)

AppKernelManager.start_watching_activity = watch_nothing
"""
# Kernels without a page end at a jump of the clock, and not before a browser on a busy machine has opened the page.
QUICK = ("--MappingKernelManager.cull_interval=1", "--MappingKernelManager.cull_idle_timeout=0")


def serve_notebooks(folder: Path, *names: str, options: tuple[str, ...] = QUICK, code: str = JUMPING_CLOCK) -> Server:
    notebooks_folder = folder / "notebooks"
    notebooks_folder.mkdir()
    for name in names:
        content = notebook(*NOTEBOOKS[name])
        content.metadata["irislib"] = {"run": "once" if name == "app" else "each visit"}
        nbformat.write(content, notebooks_folder / f"{name}.ipynb")
    args = ("serve", "--model", "tiny:spec", "--notebooks", str(notebooks_folder), *options)
    return Server(folder / "log", *args, code=code).wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("load")
    names = ("app", "each", "exits", "crashes", "memory", "prints", "prints-at-once")
    heartbeat = "--VoilaConfiguration.http_keep_alive_timeout=1"
    server = serve_notebooks(folder, *names, options=(*QUICK, f"{KERNEL}.kernel_memory=2000000000", heartbeat))
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0


def connection_files(server: Server) -> list[Path]:
    folder = Path(re.search(r"Storing connection files in (\S+)\.\n", server.text())[1])
    return [path for path in folder.iterdir() if not path.name.startswith(".")]  # without the lock of the folder


def count_resources(server: Server) -> tuple[int, int, int]:
    """Return the numbers of processes, connection files and open files of a server."""
    process = psutil.Process(server.process.pid)
    browsers = len(process.net_connections("tcp"))  # browsers keep their connections open for a while
    return len(descendants(process.pid)), len(connection_files(server)), process.num_fds() - browsers


def wait_until_released(server: Server, before: tuple[int, int, int], wait: Any = wait_until) -> None:
    """Wait until a server has no more processes or files than before."""
    wait(
        lambda: all(now <= then for now, then in zip(count_resources(server), before, strict=True)),
        lambda: f"{count_resources(server)} instead of {before}: {list_resources(server)}",
    )


def list_resources(server: Server) -> list[object]:
    """Return the processes, connections and files of a server, for the message of a failure."""
    process = psutil.Process(server.process.pid)
    files = [os.readlink(path) for path in Path(f"/proc/{process.pid}/fd").iterdir() if path.is_symlink()]
    commands = [(child.pid, child.cmdline()) for child in process.children(recursive=True)]
    return [commands, process.net_connections("all"), files]


def wait_until_steady(server: Server, wait: Any = wait_until) -> tuple[int, int, int]:
    """Return the resources once the kernel of the next visitor is ready and nothing has changed for a while."""
    counts, since = (0, 0, 0), 0.0

    def is_steady() -> bool:
        nonlocal counts, since
        if (now := count_resources(server)) != counts:
            counts, since = now, time.monotonic()
        return time.monotonic() > since + 2 and len(connection_files(server)) > 0

    wait(is_steady)
    return counts


def peak_megabytes(server: Server) -> int:
    """Return the largest memory in megabytes that the server's own process has had."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1]) // 1000


def post(server: Server) -> requests.Response:
    return server.post("/tiny", data={"size": 1})


def submit(page: Any, what: str = "") -> str:
    page.get_by_label("What").fill(what)
    page.evaluate("for (const shown of document.querySelectorAll('.irislib-pane > div')) shown.textContent = ''")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("Result: ").wait_for()
    return page.get_by_text("Result: ").inner_text()[8:-1]


def open_page(page: Any, server: Server) -> int:
    """Open the app and return the process of its kernel."""
    page.goto(f"{server.url}/app")
    return int(submit(page))


def test_a_kernel_that_is_killed_ends_one_page_only(page: Any, neighbour: Any, server: Server) -> None:
    kernel, other_kernel = open_page(page, server), open_page(neighbour, server)
    assert kernel != other_kernel
    os.kill(kernel, signal.SIGKILL)
    page.get_by_text(ENDED).wait_for()
    assert int(submit(neighbour)) == other_kernel
    page.get_by_role("button", name="Reload").click()
    expect(page.get_by_text(ENDED)).to_be_hidden()
    assert int(submit(page)) not in (kernel, other_kernel)


@pytest.mark.parametrize("name", ["exits", "crashes", "memory"])
def test_a_notebook_that_ends_its_kernel_is_an_error_page(server: Server, name: str) -> None:
    text = server.get(f"/{name}").text
    reference = re.search(r"this reference: (\w{8})\.", text)[1]
    assert f"reference {reference}: the page {name}.ipynb failed" in server.text()
    assert "the page is there" not in text
    assert post(server).status_code == 200


def test_a_notebook_that_loops_is_stopped_and_cold_kernels_are_ordinary(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "loops", options=(*QUICK, "--VoilaExecutor.timeout=3", COLD))
    try:
        visitor = Visitor(server, "loops")
        assert "It took longer than this server allows." in visitor.html
        assert psutil.Process(process_of(visitor.kernel, server)).name() != "irislib-kernel"
        assert "started in the ordinary way" in server.text()
        assert post(server).status_code == 200
        assert visitor.leave() == 204
        wait_until(lambda: not connection_files(server))  # it loops no longer
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("name", ["prints", "prints-at-once"])
def test_a_notebook_that_prints_100_mb_gives_a_page(server: Server, name: str) -> None:
    text = server.get(f"/{name}").text
    assert "There is more of this output than a page can show." in text
    assert "the page is there" in text or "widget-view" in text
    assert len(text) < 10_000_000
    assert peak_megabytes(server) < 1000


def test_a_click_that_prints_100_mb_gives_an_answer(page: Any, server: Server) -> None:
    kernel = open_page(page, server)
    assert int(submit(page, "print")) == kernel
    assert peak_megabytes(server) < 1000


def test_a_click_that_needs_too_much_memory_is_a_sentence(page: Any, neighbour: Any, server: Server) -> None:
    kernel, other_kernel = open_page(page, server), open_page(neighbour, server)
    page.get_by_label("What").fill("memory")
    page.get_by_role("button", name="Go").click()
    sentence = page.get_by_text("Something went wrong on our side").first
    sentence.wait_for()
    reference = re.search(r"this reference: (\w{8})\.", sentence.inner_text())[1]
    assert "MemoryError" in server.text().partition(f"reference {reference}:")[2]
    assert int(submit(page)) == kernel
    assert int(submit(neighbour)) == other_kernel


def test_subprocesses_of_a_click_end_with_its_page(page: Any, server: Server) -> None:
    kernel = open_page(page, server)
    assert submit(page, "jobs") == "6"
    workers = descendants(kernel)
    assert workers
    page.goto("about:blank")
    wait_until(lambda: not any(map(is_running, [kernel, *workers])))


def test_a_kernel_that_loops_ends_when_its_visitor_is_gone(neighbour: Any, server: Server) -> None:
    kernel = open_page(neighbour, server)
    neighbour.route("**/shutdown/**", lambda route: route.abort())  # as where the connection is lost
    neighbour.get_by_label("What").fill("loop")
    neighbour.get_by_role("button", name="Go").click()
    neighbour.get_by_text("Working…").wait_for()
    neighbour.close()
    server.wait_long(lambda: not is_running(kernel))


def test_a_visitor_who_leaves_while_connecting_to_a_kernel_is_no_error(server: Server) -> None:
    wait_until_steady(server, server.wait_long)  # without the kernels of other tests
    visitor = Visitor(server, "each")
    kernel = psutil.Process(process_of(visitor.kernel, server))
    before = wait_until_steady(server)
    kernel.suspend()
    try:
        for _ in range(5):
            with pytest.raises(TimeoutError), visitor.connect(open_timeout=0.5):
                pass
        wait_until_released(server, before)
    finally:
        kernel.resume()
    with visitor.connect() as socket:
        socket.until(socket.send("shell", "kernel_info_request", {}), "kernel_info_reply")
    server.wait_long(lambda: not is_running(kernel.pid))  # no page is connected to it any more
    assert "Uncaught exception" not in server.text()


@pytest.mark.parametrize("name", ["app", "each"])
@pytest.mark.parametrize("msg_type", ["kernel_info", "comm_info"])
def test_a_page_that_has_only_connected_again_is_idle(server: Server, name: str, msg_type: str) -> None:
    visitor = Visitor(server, name)
    with visitor.connect() as socket:
        socket.states()
    with visitor.connect() as socket:
        socket.until(socket.send("shell", f"{msg_type}_request", {}), f"{msg_type}_reply")
        wait_until(lambda: server.get(f"/api/kernels/{visitor.kernel}").json()["execution_state"] == "idle")
    assert visitor.leave() == 204


def test_visits_release_all_resources(page: Any, server: Server) -> None:
    def visit() -> None:
        open_page(page, server)
        page.goto("about:blank")
        visitor = Visitor(server, "each")
        with visitor.connect() as socket:
            assert socket.states()[0]
        assert visitor.leave() == 204

    visit()  # resources that are created once and kept
    before = wait_until_steady(server, server.wait_long)
    for _ in range(2):
        visit()
    wait_until_released(server, before)


@pytest.mark.parametrize("code", ["", LATE_WATCH], ids=["watched", "watched too late"])
def test_an_idle_page_ends_with_a_message(page: Any, tmp_path: Path, code: str) -> None:
    options = ("--MappingKernelManager.cull_interval=1", "--MappingKernelManager.cull_idle_timeout=60")
    server = serve_notebooks(tmp_path, "app", options=options, code=JUMPING_CLOCK + code)
    try:
        kernel = open_page(page, server)
        server.wait_long(lambda: not is_running(kernel), server.text)
        page.get_by_text(ENDED).wait_for()
    finally:
        assert server.stop() == 0


def test_one_visitor_cannot_take_all_kernels(page: Any, tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app", options=(*QUICK, f"{KERNEL}.max_kernels=4"))
    try:
        open_page(page, server)
        page.goto("about:blank")
        post(server)
        before = wait_until_steady(server, server.wait_long)
        page.goto(f"{server.url}/app")
        with ThreadPoolExecutor(10) as threads:
            futures = [threads.submit(server.get, "/app?what=me") for _ in range(40)]
            for _ in range(5):
                assert post(server).json() == "small"
            responses = [future.result() for future in futures]
        statuses = [response.status_code for response in responses]
        assert set(statuses) == {200, 503}
        full = responses[statuses.index(503)]
        assert int(full.headers["Retry-After"]) > 0
        assert "You have more pages of these apps open" in full.text
        forged = server.get("/app", headers={"X-Forwarded-For": "203.0.113.7, 198.51.100.1"})
        assert forged.status_code == 503
        connection = http.client.HTTPConnection("127.0.0.1", server.port, PATIENCE, source_address=("127.0.0.2", 0))
        with closing(connection):
            connection.request("GET", "/app")
            assert connection.getresponse().status == 200
        assert submit(page)
        page.goto("about:blank")
        wait_until_released(server, before, server.wait_long)
        assert server.get("/app").status_code == 200
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text()


def test_the_page_for_a_full_server_retries(page: Any, neighbour: Any, tmp_path: Path) -> None:
    options = (*QUICK, f"{KERNEL}.max_kernels=1", f"{KERNEL}.max_kernels_per_visitor=1")
    server = serve_notebooks(tmp_path, "app", options=options)
    try:
        open_page(neighbour, server)
        page.clock.install()
        response = page.goto(f"{server.url}/app?what=kept")
        assert response.status == 503
        expect(page.get_by_text("as soon as one is free")).to_be_visible()
        check(page, "full")
        page.clock.run_for(15_000)
        expect(page.get_by_text("as soon as one is free")).to_be_visible()
        assert 'irislib_pages_refused_total{reason="full"} 2.0' in server.get("/metrics").text
        assert post(server).json() == "small"
        refused = server.get("/app", headers={"Accept": "application/json"})
        assert (refused.status_code, refused.headers["Content-Type"]) == (503, "application/problem+json")
        assert refused.json()["detail"] == "There is no room for another page. Try again in 10 seconds."
        neighbour.goto("about:blank")
        wait_until(lambda: 'irislib_kernels{state="visitor"} 0.0' in server.get("/metrics").text)
        page.clock.run_for(15_000)
        expect(page.get_by_label("What")).to_have_value("kept")
    finally:
        assert server.stop() == 0


def test_a_server_without_memory_is_full(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app", options=(f"{KERNEL}.memory_margin={10**15}", COLD))
    try:
        assert server.get("/app").status_code == 503
        assert post(server).json() == "small"
    finally:
        assert server.stop() == 0


def test_the_free_memory_is_read_once_for_visitors_who_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    free, now = iter((100, 50)), [0.0]
    monkeypatch.setattr(memory, "_read_at", float("-inf"))
    monkeypatch.setattr(memory, "_cgroup_limits", lambda: [(2**62, 0)])
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=next(free)))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert [memory.available() for _ in range(10)] == [100] * 10
    now[0] += 2 * memory.MOMENT
    assert memory.available() == 50


def test_a_server_without_room_for_files_is_full(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    nbformat.write(notebook(WIDGET), tmp_path / "notebooks" / "widget.ipynb")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (120, 160))"
    many = (f"{KERNEL}.max_kernels=100", f"{KERNEL}.max_kernels_per_visitor=100")
    args = ("serve", "--notebooks", str(tmp_path / "notebooks"), "--model", "tiny:spec", *QUICK, *many)
    server = Server(tmp_path / "log", *args, code=f"{limit}\n{JUMPING_CLOCK}").wait()
    try:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (160, 160)
        with ExitStack() as pages:
            while (response := server.get("/widget")).status_code == 200:
                (kernel,) = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", response.text)[:1]
                socket = pages.enter_context(connect_to_kernel(server, kernel, response.cookies))
                assert socket.states()
            assert response.status_code == 503
            assert "as soon as one is free" in response.text
            assert post(server).json() == "small"
            assert socket.states()
        assert server.wait_long(lambda: server.get("/widget").ok)
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text()
    assert "Too many open files" not in server.text()


NO_PROCESS = """
import errno
from pathlib import Path
from irislib._forkserver.client import ForkServer

run = ForkServer.run_notebook

def run_unless_full(*args, **kwargs):
    if Path({file!r}).exists():
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
    return run(*args, **kwargs)

ForkServer.run_notebook = run_unless_full
"""


def test_a_server_without_room_for_processes_is_full_and_no_longer_once_there_is(tmp_path: Path) -> None:
    file = tmp_path / "full"
    file.touch()
    options = ("--languages", "en,de", "--Pages.rest_after=0", "--Pages.always_warm=0")
    server = serve_notebooks(tmp_path, "app", options=options, code=NO_PROCESS.format(file=str(file)))

    def visit() -> list[int]:
        return [server.get("/app", headers={"Accept-Language": language}).status_code for language in ("en", "de")]

    try:
        assert server.get("/readyz").json()["pages"]["app"] == "per visit"
        file.unlink()
        wait_until(lambda: server.get("/readyz").json()["pages"]["app"] == "warm")
        file.touch()
        assert visit() == [503, 503]
        file.unlink()
        assert visit() == [200, 200]
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text()


def name_of(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


def test_no_visitor_gets_a_spare_kernel_that_has_just_died(tmp_path: Path) -> None:
    server = serve_notebooks(tmp_path, "app", options=("--KernelRestarter.time_to_dead=1000", "--Pages.spares=1"))

    def kernels() -> set[int]:
        processes = psutil.Process(server.process.pid).children(recursive=True)
        return {child.pid for child in processes if name_of(child) == "irislib-kernel"}

    try:
        spares = wait_until(kernels)
        for pid in spares:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, spares)))
        (kernel,) = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", server.get("/app").text))
        assert process_of(kernel, server) not in spares
    finally:
        assert server.stop() == 0


def test_a_kernel_that_cannot_be_forked_is_no_end_of_the_template(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = messages.pair()
    status = os.memfd_create("status")
    messages.send(here, {"argv": []}, [status])
    monkeypatch.setattr(os, "fork", lambda: os.open("/proc/self/nothing", 0))  # any error of the system
    with here, there:
        assert RequestLoop(there, -1).handle_request() is None
        assert messages.receive(here)[0] == {"errno": errno.ENOENT}
    os.close(status)


def test_a_full_disk_gives_an_error_page_until_there_is_space(server: Server) -> None:
    pid = server.process.pid
    assert server.get("/each").status_code == 200  # the kernel for the next visitor has been started now
    before = wait_until_steady(server, server.wait_long)
    _, hard_limit = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard_limit))
    try:
        responses = [server.get("/each") for _ in range(4)]  # some may be ready
        assert "Something went wrong on our side." in responses[-1].text
        assert responses[-1].status_code == 500
        assert post(server).json() == "small"
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard_limit, hard_limit))
    wait_until(lambda: server.get("/each").status_code == 200)
    wait_until_released(server, before, server.wait_long)


def test_a_kernel_that_dies_before_its_first_cell_is_an_error_page(server: Server) -> None:
    before = set(descendants(server.process.pid))
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(server.get, "/each")
        wait_until(lambda: set(descendants(server.process.pid)) - before)
        for pid in set(descendants(server.process.pid)) - before:
            os.kill(pid, signal.SIGKILL)
        text = future.result().text
    assert "This page could not be opened" in text or "widget-view" in text
    assert server.get("/each").status_code == 200


def test_it_stops_clean_while_pages_start(server: Server) -> None:
    """The last test of this server."""
    before, log = len(descendants(server.process.pid)), len(server.text())
    with ThreadPoolExecutor(6) as threads:
        futures = [threads.submit(server.get, "/each") for _ in range(6)]
        wait_until(lambda: len(descendants(server.process.pid)) > before)
        assert server.stop() == 0  # which also finds that no process is left
        assert len([future.exception() for future in futures]) == 6
    assert "Traceback" not in server.text()[log:]
