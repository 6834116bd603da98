"""Warm kernels: forked from a template process, and used like ordinary ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import psutil
import pytest
from conftest import PATIENCE, PROGRAM, Server, is_running, notebook, open_app, process_of, run_in_thread, wait_until
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from irislib._common.paths import jupyter_dir
from irislib._forkserver import messages
from irislib._forkserver.client import ForkServer
from irislib._forkserver.generators import unseeded_generators
from irislib._forkserver.kernel import InvalidMessages
from irislib._forkserver.notebook_source import imported_modules, runs_once
from irislib._forkserver.process import ForkedProcess
from irislib._forkserver.provisioner import ForkProvisioner
from irislib._forkserver.server import RequestLoop
from irislib._forkserver.template_process import can_fork
from irislib._forkserver.threads import single_threaded
from irislib._serving.page_pool import Pages, WarmPage

pytestmark = pytest.mark.skipif(not can_fork(), reason="This platform cannot fork kernels; they are ordinary here.")

DRAW = (
    "import random; import numpy as np; print(random.random(), np.random.random(), rng.random(), old.random_sample())"
)


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    fork_server = ForkServer(["numpy", "ipywidgets", "imports_a_thread", "starts_a_thread", "there_is_none"])
    fork_server.start({**os.environ, "PYTHONPATH": str(Path(__file__).parent / "modules")})
    yield fork_server
    fork_server.end()


OPTION = "--IPKernelApp.capture_fd_output=False"


class Kernel:
    """A forked kernel and its client."""

    def __init__(self, fork_server: ForkServer, folder: Path, page: str = "", **env: str):
        self.manager = AsyncKernelManager(transport="ipc", connection_file=str(folder / "k.json"), ip=str(folder / "k"))
        self.manager.write_connection_file()
        argv = ["-f", str(folder / "k.json"), OPTION]
        forked = fork_server.fork(argv, {**os.environ, **env}, str(folder), page)
        assert forked
        self.forked: ForkedProcess = forked

    def run(self, *cells: str) -> str:
        return run_in_thread(self._run(cells))

    async def _run(self, cells: tuple[str, ...]) -> str:
        client: AsyncKernelClient = self.manager.client()  # type: ignore[assignment]
        client.parent = None  # a manager that has started no kernel says that this one has died
        client.start_channels()
        await client.wait_for_ready(timeout=PATIENCE)
        texts: list[str] = []

        def record(message: Any) -> None:
            texts.append(message["content"].get("text") or message["content"].get("evalue") or "")

        for cell in cells:
            await client.execute_interactive(cell, output_hook=record, timeout=PATIENCE)
        client.stop_channels()
        return "".join(texts)


@pytest.fixture
def kernel(fork_server: ForkServer, tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    kernels: list[Kernel] = []

    def make(page: str = "", **env: str) -> Kernel:
        folder = tmp_path / str(len(kernels))
        folder.mkdir()
        kernels.append(Kernel(fork_server, folder, page, **env))
        return kernels[-1]

    yield make
    for kernel in kernels:
        kernel.forked.kill()
        kernel.forked.wait(PATIENCE)


def prerun(fork_server: ForkServer, *cells: str) -> dict[str, Any]:
    name = str(len(fork_server.page_templates))
    return {"name": name, **fork_server.run_notebook(name, notebook(*cells), os.getcwd())}


def test_a_kernel_has_its_environment_and_its_folder(kernel: Callable[..., Kernel], tmp_path: Path) -> None:
    output = kernel(COLOUR="blue", OMP_NUM_THREADS="7").run(
        "import os, sys\nprint(os.environ['COLOUR'], os.getcwd())",
        "print(os.environ['OMP_NUM_THREADS'], 'numpy' in sys.modules)",
    )
    assert output.split() == ["blue", str(tmp_path / "0"), "7", "True"]


def test_modules_that_start_a_thread_or_are_missing_are_left_to_the_kernels(
    fork_server: ForkServer, kernel: Callable[..., Kernel]
) -> None:
    assert "starts_a_thread" not in fork_server.imports
    # it names what is to blame
    assert fork_server.left_out["imports_a_thread"].startswith("starts a thread (starts_a_thread: ")
    assert kernel().run("import sys; print('starts_a_thread' in sys.modules)").strip() == "False"


def test_modules_that_end_the_process_or_never_return_are_left_to_the_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "exits.py").write_text("import os\nos._exit(0)")
    (tmp_path / "crashes.py").write_text("import os\nos.abort()")
    (tmp_path / "hangs.py").write_text("import time\ntime.sleep(10**6)")
    monkeypatch.setattr(ForkServer, "import_timeout", 5.0)
    fork_server = ForkServer(["exits", "json", "crashes", "hangs", "decimal"])
    try:
        fork_server.start({**os.environ, "PYTHONPATH": str(tmp_path)})
        reply = fork_server.run_notebook("page", notebook("import sys; print('decimal' in sys.modules)"), str(tmp_path))
    finally:
        fork_server.end()
    assert fork_server.imports == ["json", "decimal"]
    assert "exits ends the process that imports it, and is left to each kernel" in caplog.text
    assert "crashes ends the process that imports it, and is left to each kernel" in caplog.text
    assert "hangs takes more than 5 seconds to import, and is left to each kernel" in caplog.text
    assert reply["outputs"][0][0]["text"] == "True\n"


def test_allocators_are_asked_for_no_thread() -> None:
    environment = single_threaded({"JE_ARROW_MALLOC_CONF": "dirty_decay_ms:0", "OMP_NUM_THREADS": "4", "A": "b"})
    assert environment["JE_ARROW_MALLOC_CONF"] == "dirty_decay_ms:0,background_thread:false"
    assert (environment["OMP_NUM_THREADS"], environment["A"]) == ("1", "b")


@pytest.mark.skipif(not find_spec("pyarrow"), reason="pyarrow is not installed")
def test_pandas_with_pyarrow_starts_no_thread() -> None:
    fork_server = ForkServer(["pandas", "pyarrow"])
    fork_server.start(os.environ)
    fork_server.end()
    assert fork_server.left_out == {}


def test_kernels_draw_different_random_numbers(fork_server: ForkServer, kernel: Callable[..., Kernel]) -> None:
    result = prerun(fork_server, "import numpy as np\nrng, old = np.random.default_rng(), np.random.RandomState()")
    drawn = [kernel(result["name"]).run(DRAW).split() for _ in range(2)]
    assert len({*drawn[0], *drawn[1]}) == 8


def test_a_generator_with_a_seed_keeps_it(fork_server: ForkServer, kernel: Callable[..., Kernel]) -> None:
    result = prerun(fork_server, "import numpy as np\nrng, old = np.random.default_rng(3), np.random.RandomState(3)")
    drawn = [kernel(result["name"]).run(DRAW).split()[2:] for _ in range(2)]
    assert drawn[0] == drawn[1]


class Awkward:
    """An object that fails when somebody asks for its class, as some proxies do."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError


@pytest.mark.parametrize(("seed", "is_reseeded"), [(2**52 + 1, True), (42, False)])
def test_torchs_generator_is_reseeded_unless_it_has_a_seed(
    seed: int, is_reseeded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = SimpleNamespace(initial_seed=lambda: seed)
    awkward = [Awkward()]
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(default_generator=generator))
    assert (generator in unseeded_generators()) is is_reseeded
    assert awkward


def test_kernels_have_the_variables_of_their_prerun_notebook(
    fork_server: ForkServer, kernel: Callable[..., Kernel]
) -> None:
    note = "import sys\nx, ready = 41, set(sys.modules)"
    result = prerun(fork_server, "print('a')\nprint('b')", note, "display(x)\nprint('c')\nx + 1")
    kinds = [[output["output_type"] for output in outputs] for outputs in result["outputs"]]
    assert kinds == [["stream"], [], ["display_data", "stream", "execute_result"]]
    assert result["outputs"][0][0]["text"] == "a\nb\n"
    assert result["outputs"][2][2]["data"]["text/plain"] == "42"
    imported = "[name for name in {*sys.modules} - ready if name.startswith(('IPython', 'ipykernel', 'pdb'))]"
    assert kernel(result["name"]).run(f"x += 1; print(x, {imported})").strip() == "42 []"  # they share all of it
    assert kernel(result["name"]).run("print(x)").strip() == "41"  # the other's change is the other's


def test_widgets_of_the_template_process_are_joined_to_the_kernel(
    fork_server: ForkServer, kernel: Callable[..., Kernel]
) -> None:
    result = prerun(fork_server, "from ipywidgets import IntSlider\nslider = IntSlider(3)\nslider")
    [(view, widget)] = [(n, w) for n, w in result["widgets"].items() if w["model_name"] == "IntSliderModel"]
    assert widget["state"]["value"] == 3
    view_data = result["outputs"][0][0]["data"]["application/vnd.jupyter.widget-view+json"]
    assert view_data["model_id"] == view
    code = f"import comm\nc = comm.get_comm_manager().comms[{view!r}]\nprint(c.kernel is get_ipython().kernel)"
    assert kernel(result["name"]).run(code).strip() == "True"


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1 / 0", "a cell failed: ZeroDivisionError('division by zero')"),
        (
            "get_ipython().enable_gui('qt')",
            "a cell failed: NotImplementedError('There is no window for qt on a server.')",
        ),
        ("import random\nrandom.random()", "it draws random numbers"),
        ("import numpy as np\nnp.random.random()", "it draws random numbers"),
        ("import os\nos.environ.get('QUERY_STRING')", "it reads the address or the headers of the visit"),
        ("import os\n'HTTP_COOKIE' in os.environ", "it reads the address or the headers of the visit"),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()", "it has started a thread"),
        ("h = display(1, display_id=True)\nh.update(2)", "it changes what it has displayed"),
    ],
)
def test_notebooks_that_have_to_be_run_for_each_visitor(fork_server: ForkServer, cell: str, reason: str) -> None:
    before = fork_server.templates()
    assert prerun(fork_server, cell)["refusal"].startswith(reason)
    assert fork_server.templates() == before


def test_inline_plots_of_a_prerun_notebook(fork_server: ForkServer) -> None:
    result = prerun(fork_server, "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert [list(output["data"]) for output in result["outputs"][0]] == [["text/plain", "image/png"]]


@pytest.mark.parametrize(
    ("cells", "choice", "expected"),
    [
        (["import irislib\nmodel = irislib.load('iris-wizard')", "irislib.app(model)"], None, True),
        (["from irislib import dummy", "dummy.app()"], None, True),
        (["import irislib, datetime"], None, False),
        (["import irislib\nopen('data.csv')"], None, False),
        (["%matplotlib inline\nimport irislib"], None, False),
        (["import datetime"], "once", True),
        (["import irislib"], "each visit", False),
    ],
)
def test_notebooks_that_use_only_irislib_are_run_once(cells: list[str], choice: str | None, expected: bool) -> None:
    cells_notebook = notebook(*cells)
    if choice:
        cells_notebook.metadata["irislib"] = {"run": choice}
    assert runs_once(cells_notebook) is expected


def test_imported_modules_of_a_cell() -> None:
    assert imported_modules("import a.b, c\nfrom d import e\nfrom . import f") == ["a.b", "c", "d"]
    assert imported_modules("%magic") == []


def test_exit_codes_of_forked_kernels(kernel: Callable[..., Kernel]) -> None:
    first, second = kernel(), kernel()
    first.run("1")
    assert first.forked.poll() is None
    first.forked.kill()
    assert first.forked.wait(PATIENCE) == -signal.SIGKILL
    second.run("1")
    os.kill(second.forked.pid, signal.SIGTERM)
    assert second.forked.wait(PATIENCE) == -signal.SIGTERM
    for argument, code in {"": 0, "0": 0, "3": 3, "'a reason'": 1}.items():
        last = kernel()
        client = last.manager.blocking_client()
        client.start_channels()
        client.execute(f"import asyncio, sys; asyncio.get_running_loop().call_soon(lambda: sys.exit({argument}))")
        assert last.forked.wait(PATIENCE) == code
        client.stop_channels()


def test_a_kernel_that_cannot_start_fails_and_logs_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "kernel.json")
    manager = AsyncKernelManager(transport="ipc", connection_file=file, ip=str(tmp_path / "missing" / "kernel"))
    manager.write_connection_file()
    fork_server = ForkServer()  # with the log of this test
    fork_server.start(os.environ)

    def fork(page: str = "") -> str:
        """Return what a kernel has logged whose sockets have no folder."""
        forked = fork_server.fork(["-f", file, OPTION], os.environ, str(tmp_path), page)
        assert forked
        assert forked.wait(PATIENCE) == 1
        return capfd.readouterr().err

    try:
        assert "refusal" not in fork_server.run_notebook("rent.ipynb#1", notebook("1"), str(tmp_path))
        for page, kernel in {"": "of a notebook", "rent.ipynb#1": "of rent.ipynb"}.items():
            *lines, last = fork(page).strip().splitlines()
            assert f"A kernel {kernel} has failed." in lines
            assert last.startswith("zmq.error.ZMQError: No such file or directory")
        monkeypatch.setenv("IRISLIB_JSON_LOGS", "1")
        record = json.loads(fork("rent.ipynb#1").strip().splitlines()[-1])
        assert (record["page"], record["message"]) == ("rent.ipynb", "A kernel of rent.ipynb has failed.")
        assert "ZMQError" in record["exc_info"]
    finally:
        fork_server.end()


def test_busy_kernels_end_with_a_killed_server(tmp_path: Path) -> None:
    code = (
        "import os, sys, time\nfrom test_forkserver import Kernel, ForkServer\nfrom pathlib import Path\n"
        "n = ForkServer(); n.start(os.environ)\nk = Kernel(n, Path(sys.argv[1]))\nk.run('1')\n"
        "c = k.manager.blocking_client(); c.start_channels(); c.execute('while True: pass')\n"
        "print(k.forked.pid, n.main.pid, flush=True)\ntime.sleep(600)"
    )
    import subprocess

    here = str(Path(__file__).parent)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=here, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert all(map(is_running, pids))
        owner.kill()
    wait_until(lambda: not any(map(is_running, pids)))


def test_a_template_process_whose_server_has_ended_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    here, there = messages.pair()
    status = os.memfd_create("status")
    messages.send(here, {"argv": []}, [status])

    def end(code: int) -> None:
        raise SystemExit(code)

    def fork() -> int:
        here.close()
        return 1

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(os, "fork", fork)
    with there, pytest.raises(SystemExit) as ended:
        RequestLoop(there, -1).handle_request()
    assert ended.value.code == 0
    assert capfd.readouterr() == ("", "")
    os.close(status)


def test_the_end_of_a_template_process_is_noticed_while_another_starts(fork_server: ForkServer, tmp_path: Path) -> None:
    pages = Pages()
    pages.fork_server = fork_server
    for page in "ab":
        assert "refusal" not in fork_server.run_notebook(page, notebook("1"), str(tmp_path))
        pages.warm_pages[page] = WarmPage(page, "", "python3")

    async def wait_for_work() -> None:
        await asyncio.wait_for(pages.supervisor.wait_for_work(), 1)

    with pytest.raises(TimeoutError):
        run_in_thread(wait_for_work())
    fork_server.page_templates["a"].end()
    assert fork_server.fork([], os.environ, str(tmp_path), "a") is None  # a visitor notices first
    run_in_thread(wait_for_work())
    fork_server.discard(fork_server.page_templates["b"])


def test_the_provisioner_forks_kernels_for_any_jupyter_client_and_replaces_a_template_that_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(jupyter_dir()))

    async def use() -> list[bool]:
        forked = []
        for round_number in range(4):
            if round_number == 2:
                assert ForkProvisioner.fork_server
                assert ForkProvisioner.fork_server.main
                os.kill(ForkProvisioner.fork_server.main.pid, signal.SIGKILL)
            manager = AsyncKernelManager(kernel_name="irislib")
            await manager.start_kernel(cwd=str(tmp_path))
            provisioner: Any = manager.provisioner
            assert isinstance(provisioner, ForkProvisioner)
            forked.append(isinstance(provisioner.process, ForkedProcess))
            client: AsyncKernelClient = manager.client()  # type: ignore[assignment]
            client.start_channels()
            await client.wait_for_ready(timeout=PATIENCE)
            reply = await client.execute_interactive("x = 1", timeout=PATIENCE)
            assert reply["content"]["status"] == "ok"
            client.execute("import time; print('begun', flush=True); time.sleep(600)")
            # not its echo: an interrupt that comes before the cell itself runs is lost
            while (await client.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "stream":
                pass
            await manager.interrupt_kernel()
            while (await client.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "error":
                pass
            client.stop_channels()
            await manager.shutdown_kernel()
            assert not await manager.is_alive()
            if ForkProvisioner.starter:
                await asyncio.to_thread(ForkProvisioner.starter.join)
        return forked

    try:
        assert run_in_thread(use()) == [False, True, False, True]
        warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert warnings == ["The template process of kernels has ended; another is started."]
    finally:
        if ForkProvisioner.fork_server:
            ForkProvisioner.fork_server.end()
        ForkProvisioner.fork_server = ForkProvisioner.starter = None


VISITS = notebook(
    "import os\nimport ipywidgets as widgets",
    "button = widgets.Button(description='Say')\nout = widgets.Label(os.environ.get('QUERY_STRING', ''))\n"
    "button.on_click(lambda _: setattr(out, 'value', f'pid {os.getpid()}'))\nwidgets.VBox([button, out])",
)


# without scripts of JupyterLab's, which take 2 s of CPU
LIGHT = """
import os
from irislib import Feature
from irislib.widgets import Page, Tab

Page("Light", [Feature("a", required=False)], "Say", lambda _: os.getpid(),
     [Tab("Out", lambda pid: [f"pid {pid}"], "Press Say.")])
"""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("notebooks")
    nbformat.write(VISITS, folder / "visits.ipynb")
    killed = "os.path.exists('killed') or os.close(os.open('killed', os.O_CREAT)) or os.kill(os.getpid(), 9)"
    for name, cells in {"ready": [LIGHT], "killed": [f"import os\n{killed}", LIGHT]}.items():
        content = notebook(*cells)
        content.metadata["irislib"] = {"run": "once"}
        nbformat.write(content, folder / f"{name}.ipynb")
    # not forked like other tests' servers: this is about its template processes
    options = ("--model", "tiny:spec", "--languages", "en", "--Pages.always_warm=9", "--notebooks", str(folder))
    server = Server(folder / "log", "serve", *options, program=PROGRAM).wait()
    yield server
    assert server.stop() == 0


def kernel_process(page: Any) -> psutil.Process:
    """Return the kernel process of a page, from the pid that the page shows."""
    page.get_by_role("button", name="Say").click()
    label = page.get_by_text("pid ")
    label.wait_for()
    return psutil.Process(int(label.inner_text().split()[1]))


def templates(server: Server) -> list[psutil.Process]:
    processes = []
    for process in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it is just ending
            if "irislib._forkserver" in process.cmdline() and process.name() != "irislib-kernel":
                processes.append(process)
    return processes


def test_a_python3_notebook_runs_in_a_forked_kernel_with_its_query(page: Any, warm: Server) -> None:
    open_app(page, warm, "visits?colour=blue", "Say")
    page.get_by_text("colour=blue").wait_for()
    kernel = kernel_process(page)
    assert kernel.name() == "irislib-kernel"
    assert "irislib._forkserver" in kernel.cmdline()


def test_visitors_of_a_warm_page_have_kernels_of_their_own(page: Any, warm: Server) -> None:
    open_app(page, warm, "ready", "Say")
    first = kernel_process(page)
    assert first.num_threads() <= 5  # its own, the server's watcher, ZeroMQ's two, and that of what all pages receive
    open_app(page, warm, "ready", "Say")
    assert kernel_process(page) != first


def test_a_template_process_killed_during_its_notebook_is_started_again(page: Any, warm: Server) -> None:
    open_app(page, warm, "killed", "Say")
    kernel_process(page)
    assert "killed.ipynb is run for each visitor" not in warm.text()


def test_template_processes_that_end_are_replaced(page: Any, neighbour: Any, warm: Server) -> None:
    page.goto(f"{warm.url}/tiny")  # waits until it is as ready as it can be
    open_app(page, warm, "ready", "Say")
    kernel = kernel_process(page)
    wait_until(lambda: len(templates(warm)) == 4)  # for a moment, a kernel that was just forked looks like one
    ended = templates(warm)
    for template in ended:
        template.kill()
    wait_until(lambda: not any(template.is_running() and template.status() != "zombie" for template in ended))
    open_app(neighbour, warm, "ready", "Say")
    kernel_process(neighbour)
    assert kernel_process(page) == kernel
    wait_until(lambda: len(templates(warm)) == 4)
    open_app(neighbour, warm, "ready", "Say")
    assert kernel_process(neighbour).name() == "irislib-kernel"


def test_no_spare_kernel_outlives_its_page_in_another_language(tmp_path: Path) -> None:
    content = notebook(LIGHT)
    content.metadata["irislib"] = {"run": "once"}
    nbformat.write(content, tmp_path / "ready.ipynb")
    options = ("--languages", "en,de", "--Pages.spares=2", "--notebooks", str(tmp_path))
    server = Server(tmp_path / "log", "serve", *options).wait()
    kernels: list[psutil.Process] = []  # of visitors

    def visit() -> psutil.Process:
        """Open the page in German, and return its template process."""
        response = server.get("/ready", headers={"Accept-Language": "de"})
        (kernel,) = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", response.text))
        kernels.append(psutil.Process(process_of(kernel, server)))
        return kernels[-1].parent()

    def spares() -> list[psutil.Process]:
        return [child for child in template.children() if child.name() == "irislib-kernel" and child not in kernels]

    try:
        template = visit()
        left = wait_until(lambda: len(spares()) == 2 and spares())
        template.kill()
        # the first visitor may get a spare kernel before its end is noticed
        wait_until(lambda: visit() and server.text().count("is ready in another language") == 2)
        wait_until(lambda: not [spare for spare in left if is_running(spare.pid) and spare not in kernels])
        assert "A template of kernels has ended" in server.text()
    finally:
        assert server.stop() == 0


def test_notebooks_that_cannot_be_prerun_are_refused_with_the_reason(fork_server: ForkServer) -> None:
    before = fork_server.templates()
    loops = fork_server.run_notebook("loops", notebook("while True: pass"), os.getcwd(), timeout=1)
    assert loops["refusal"] == "it takes more than 1 seconds"
    crashes = fork_server.run_notebook("crashes", notebook("import os; os._exit(3)"), os.getcwd())
    assert crashes["refusal"] == "its process has ended"
    hungry = fork_server.run_notebook("hungry", notebook("x = bytearray(2 * 10**9)"), os.getcwd(), memory=10**9)
    assert hungry["refusal"] == "a cell failed: MemoryError()"
    chatty = fork_server.run_notebook("chatty", notebook("for _ in range(100): print('x' * 10**6)"), os.getcwd())
    assert chatty["refusal"] == "a cell failed: MemoryError('a page cannot show so much')"
    assert fork_server.templates() == before


def test_a_template_process_that_has_ended_before_its_server_looks_is_refused(
    fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pidfd_open = os.pidfd_open

    def open_late(pid: int) -> int:
        wait_until(lambda: not psutil.pid_exists(pid))
        return pidfd_open(pid)

    before, files = fork_server.templates(), len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "pidfd_open", open_late)
    crashes = fork_server.run_notebook("crashes", notebook("import os; os._exit(3)"), os.getcwd())
    assert crashes["refusal"] == "its process has ended"
    assert fork_server.templates() == before
    assert len(os.listdir("/proc/self/fd")) == files


def test_it_stops_clean_at_ctrl_c_with_a_visitor_on_a_page_and_a_notebook_that_is_being_prerun(tmp_path: Path) -> None:
    looping = notebook("import time\nwhile True: time.sleep(0.01)")
    looping.metadata["irislib"] = {"run": "once"}
    nbformat.write(looping, tmp_path / "loops.ipynb")
    options = (str(tmp_path), "--model", "tiny:spec")
    server = Server(tmp_path / "log", "serve", *options)
    server.wait("/healthz")  # it is ready only once it gives the notebook up, after a minute and a half
    wait_until(lambda: len(templates(server)) == 3)  # the first, that of the model, and the one that loops
    assert "irislib" in server.get("/tiny").text
    assert server.stop(signal.SIGINT) == 0, server.text()  # `stop` also finds that no process is left
    assert "Traceback" not in server.text()
    assert "token" not in server.text()  # on loopback nobody needs the warning


def test_only_the_first_invalid_message_of_a_page_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("a kernel")
    log.addFilter(invalid := InvalidMessages())
    try:
        for text in ("Invalid message", "Invalid Message", "Another fault"):
            for _ in range(3):
                try:
                    raise ValueError("Duplicate Signature")
                except ValueError:
                    log.exception(text)
    finally:
        log.removeFilter(invalid)
    assert [record.getMessage() for record in caplog.records] == ["Invalid message", *["Another fault"] * 3]
    assert [bool(record.exc_info) for record in caplog.records] == [False, True, True, True]


AHEAD = """
import os, sys, time
import ipywidgets
from irislib._forkserver.child import ChildError, call_in_child

def in_child():
    import colorsys
    return os.getpid()

class Ahead(ipywidgets.Label):
    done, seconds = [], {seconds}

    def warm_up(self):
        time.sleep(self.seconds)
        self.done.append(call_in_child(in_child) != os.getpid())
        try:
            call_in_child(lambda: self.no_such_attribute)
        except ChildError:
            self.done.append("colorsys" in sys.modules)

label = Ahead()
"""


def test_no_page_waits_for_what_is_worked_out_ahead(fork_server: ForkServer, kernel: Callable[..., Kernel]) -> None:
    name = prerun(fork_server, AHEAD.format(seconds=0))["name"]
    before = fork_server.page_templates[name]
    assert kernel(name).run("print(label.done)").strip() == "[]"
    assert fork_server.warm_up(name, PATIENCE)
    assert before.has_ended()
    assert kernel(name).run("print(label.done)").strip() == "[True, True]"

    slow = prerun(fork_server, AHEAD.format(seconds=10**6))["name"]
    assert not fork_server.warm_up(slow, 0.5)
    assert kernel(slow).run("print(label.done)").strip() == "[]"


def test_a_template_process_outlives_the_one_that_it_replaces(
    fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = prerun(fork_server, AHEAD.format(seconds=0))["name"]
    before, send_signal = fork_server.page_templates[name], signal.pidfd_send_signal

    def send_late(pidfd: int, number: int) -> None:
        if before._channel.fileno() < 0:  # it ends by itself, and whatever it does then is done first
            wait_until(lambda: not psutil.pid_exists(before.pid))
        send_signal(pidfd, number)

    monkeypatch.setattr(signal, "pidfd_send_signal", send_late)
    assert fork_server.warm_up(name, PATIENCE)
    wait_until(lambda: not psutil.pid_exists(before.pid))
    assert fork_server.page_templates[name].request({"imports": []})["missing"] == []


def test_a_page_s_kernels_find_their_arguments_read_whatever_these_are(
    fork_server: ForkServer, kernel: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, option = prerun(fork_server, "answer = 42")["name"], "--IPKernelApp.capture_fd_output={}"
    show = """
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
print(answer, app.prepared, app.capture_fd_output)
"""
    assert kernel(name).run(show).strip() == f"42 {[option.format(False)]} False"
    monkeypatch.setattr(sys.modules[__name__], "OPTION", option.format(True))
    assert kernel(name).run(show).strip() == f"42 {[option.format(True)]} True"
    monkeypatch.undo()
    assert kernel(name).run(show).strip() == "42 None False"


def test_a_template_process_that_was_launched_early_is_as_if_it_had_been_started_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "helper.py").write_text("")
    (tmp_path / "package.py").write_text("")
    monkeypatch.setenv("IRISLIB_TOKEN", "s3cret")
    fork_server = ForkServer(["json"])
    try:
        fork_server.launch_early()
        early = fork_server._early
        monkeypatch.delenv("IRISLIB_TOKEN")
        fork_server.imports += ["decimal"]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "COLOUR": "blue"}
        fork_server.start(environment, str(tmp_path / "notebooks"))
        assert fork_server.main is early
        code = "import helper, package, os, sys\nprint(os.environ['COLOUR'], 'decimal' in sys.modules, os.getcwd())"
        reply = fork_server.run_notebook("page", notebook(code), str(tmp_path))
        assert reply["outputs"][0][0]["text"].split() == ["blue", "True", str(tmp_path)]
        assert "s3cret" not in Path(f"/proc/{early.pid}/environ").read_text()
    finally:
        fork_server.end()


# What a server does first; then it says whether its template process is a fork of it, and what that process has.
LAUNCH = """
import json, os, sys, threading
from pathlib import Path

import psutil
from irislib._forkserver import early, own_fork
from irislib._forkserver.process import ChildProcess
from threadpoolctl import threadpool_info

own_fork.SHARED, early.IMPORTS = ("numpy",), ("decimal",)
if "thread" in sys.argv:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
early.launch(sys.argv[1:])
fork_server = early.take()
environment = {name: os.environ[name] for name in os.environ if name != "IRISLIB_TOKEN"}
fork_server.start(environment, "/")
template = psutil.Process(fork_server.main.pid)
memory = Path(f"/proc/{template.pid}/mem").open("rb", 0)
secret, areas = os.environ["IRISLIB_TOKEN"][:21].encode(), []
for area in template.memory_maps(grouped=False):
    if "w" in area.perms:
        start, end = (int(text, 16) for text in area.addr.split("-"))
        memory.seek(start)
        areas.append(memory.read(end - start))
code = "import os, sys; print(os.getcwd(), os.getpid() == os.getsid(0), 'decimal' in sys.modules, sys.path[0])"
outputs = fork_server.run_notebook("page", {"cells": [{"cell_type": "code", "source": code}]}, "/")["outputs"]
files = Path(f"/proc/{template.pid}/fd").iterdir()
print(json.dumps({
    "is_fork": type(fork_server._process) is ChildProcess,
    "has_secret": any(secret in area for area in areas),
    "has_file": os.environ["HELD"] in map(os.readlink, files),
    "threads": [pool["num_threads"] for pool in threadpool_info()][:1],
    "environment": {name: template.environ().get(name) for name in ("COLOUR", "IRISLIB_TOKEN", "OMP_NUM_THREADS")},
    "command": template.cmdline()[1:3],
    "printed": outputs[0][0]["text"],
}))
fork_server.end()
assert not psutil.pid_exists(template.pid)
"""


@pytest.mark.parametrize(
    ("argument", "is_fork"),
    [("--token-file=a", True), ("--token=" + 3 * "pl4nted", False), ("thread", False)],
    ids=["fork", "secret option", "thread"],  # what is in an id is in pytest's environment
)
def test_the_template_process_is_a_fork_of_its_server_without_its_secrets(
    tmp_path: Path, argument: str, is_fork: bool
) -> None:
    held = tmp_path / "held"
    environment = {
        **os.environ, "IRISLIB_TOKEN": "pl4nted" * 1000, "COLOUR": "blue", "HELD": str(held),
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "2",
    }  # fmt: skip
    with held.open("w") as file:
        result = subprocess.run(
            [sys.executable, "-c", LAUNCH, argument], env=environment, capture_output=True, text=True,
            pass_fds=(file.fileno(),), timeout=PATIENCE, check=False,
        )  # fmt: skip
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts == {
        "is_fork": is_fork,
        "has_secret": False,
        "has_file": False,
        "threads": [2] if is_fork else [],
        "environment": {"COLOUR": "blue", "IRISLIB_TOKEN": None, "OMP_NUM_THREADS": "1"},
        "command": ["-m", "irislib._forkserver"],
        "printed": "/ True True /\n",
    }
