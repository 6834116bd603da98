"""Fixtures and helpers: a trained model, an `irislib serve`, an `irislib api`, a browser."""

from __future__ import annotations

import asyncio
import gc
import importlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from forked import Command, Commands

from irislib._forkserver.threads import SINGLE_THREADED

ROOT = Path(__file__).parent.parent
TESTS = Path(__file__).parent
# The one time limit of all tests, in seconds. Tests wait for conditions; this ends what hangs, and is
# long enough for what is only slow on a busy machine. pytest-timeout's limit (pyproject.toml) is longer.
PATIENCE = 300
FUZZ = int(os.environ.get("FUZZ", "1"))  # so many times as many examples of what is tried at random
NO_R = "R with httr2 and jsonlite is not installed: on Debian, apt-get install r-cran-httr2 r-cran-jsonlite."
# Threads of OpenMP and BLAS that share a core wait for each other in busy loops, and several workers share the cores.
os.environ.update(SINGLE_THREADED)
COMMANDS = Commands()
PROGRAM = (sys.executable, "-m", "irislib")  # as users start it
PORTS = itertools.count(os.getpid())  # modulo a range: each process begins with another one
PLANTED = "planted-pa55word"  # typed into a password field; must appear nowhere


# With several workers (`make test`) each file runs as a whole in one of them, and these files in the same one, so that
# their server is started once.
USE_SERVE = ("test_accessibility", "test_pages", "test_serve", "test_operation", "test_security", "test_languages",
             "test_api_routes", "test_model_card", "test_counts", "test_translated_pages", "test_what_if")  # fmt: skip
# Those that take long begin first.
LONG = (*USE_SERVE, "test_real_tables", "test_kernel_manager", "test_documentation_blocks",
        "test_forkserver", "test_install", "test_proxies", "test_estimators", "test_error_boundary",
        "test_compiled", "test_jupyterhub", "test_bad_notebooks", "test_prerender", "test_store", "test_score",
        "test_insights", "test_conformance", "test_new_estimator", "test_jupyter", "test_widgets",
        "test_insights_wide", "test_soak", "test_refresh", "test_followed_pages", "tutorial", "test_fast_parts",
        "test_starting", "test_kernelspec", "test_monitoring", "test_drafting", "test_distributed_training",
        "test_following", "test_site", "test_operator", "test_operating", "test_charts", "test_borrowed",
        "test_branded_pages", "test_api_openapi", "test_documentation", "test_refresh_service", "test_cards",
        "test_api_fuzz", "test_blueprint", "test_dockerfile", "test_fitted", "test_project_files",
        "test_cli")  # fmt: skip

# What `make test-lowest` leaves out: how servers run for long or under load, texts, files of irislib's own, and tools
# that only tests use; files, and single tests that take long.
NOT_LOWEST = ("test_every_text_is_used_and_every_used_text_exists",
              "test_bad_rows_do_not_swell_to_much_more_than_sound_ones",
              "test_lines_of_plain_text_are_answered_as_all_others",
              "test_a_changed_module_beside_the_notebooks_is_noticed",
              "test_operation", "test_kernel_manager", "test_serve", "test_security", "test_soak", "test_store",
              "test_documentation", "test_install", "test_release", "test_frontend", "test_api_fuzz",
              "test_insights_wide",
              "test_full_disk", "test_staleness", "test_failing_insights", "test_error_boundary", "test_model_card",
              "test_cli", "test_theme", "test_unbalanced", "test_api_docs_page", "test_client_limit", "test_settings",
              "test_operating", "test_registry", "test_api_schema", "test_written_values",
              "test_feature_types", "test_own_theme",
              "test_author_texts", "test_translated_pages", "test_temporary_folders", "test_public_path",
              "test_branded_pages", "test_starting", "test_counts", "test_validation", "test_comparison",
              "test_feedback", "test_it_works_under_gunicorn", "tutorial",
              "test_documentation_blocks", "test_site", "test_project_files", "test_project_update",
              "test_real_tables", "test_score", "test_container", "test_dockerfile", "test_proxies", "test_jupyterhub",
              "test_deploy", "test_monitoring", "test_distributed_training")  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Import and collect without the garbage collector, which then leaves all of that alone."""
    gc.disable()
    try:
        if "PYTEST_XDIST_WORKER" in os.environ and not session.config.getoption("file_or_dir"):
            import_in_turns()
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def import_in_turns() -> None:
    """Begin with another file in each worker: compiling all takes seconds, and each finds what the others have done."""
    files = sorted(path.stem for path in TESTS.glob("test_*.py"))
    begin = len(files) * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    begin //= int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for name in files[begin:] + files[:begin]:
        with suppress(Exception, pytest.skip.Exception):  # pytest will say it
            importlib.import_module(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: index for index, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    for item in items:
        if {"chromium", "page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
        if item.path.stem in NOT_LOWEST or item.name.partition("[")[0] in NOT_LOWEST:
            item.add_marker("not_lowest")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what distributes the files; None to leave that to an option."""
    from xdist.scheduler import LoadFileScheduling

    class FilesOfOneServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "serve" if Path(file).stem in USE_SERVE else file

    return FilesOfOneServer(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def own_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget the modules that a test has imported from its folder: another test may have one of the same name.

    Commands that run in this process add their folder to the places where modules are looked for.
    """
    before, path_before = {*sys.modules}, {*sys.path}
    yield
    folder = str(tmp_path_factory.getbasetemp())
    sys.path[:] = [entry for entry in sys.path if entry in path_before or not entry.startswith(folder)]
    for name in {*sys.modules} - before:
        module = sys.modules[name]
        folders = getattr(module, "__path__", None) or [""]  # of a folder of modules, which has no file
        if str(getattr(module, "__file__", None) or next(iter(folders))).startswith(folder):
            del sys.modules[name]


def pytest_unconfigure() -> None:
    COMMANDS.end()


@pytest.fixture(scope="session", autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the tests' own, so that nothing of the user's is read or written."""
    root = tmp_path_factory.mktemp("store")
    os.environ["IRISLIB_STORE"] = str(root)
    for name in ("IRISLIB_MODEL", "IRISLIB_STARTED_WITH", "IRISLIB_HOST", "IRISLIB_PORT"):
        os.environ.pop(name, None)
    return root


@pytest.fixture(scope="session")
def iris() -> Any:
    from irislib import load

    return load("iris-wizard")


@pytest.fixture(scope="session")
def flowers(iris: Any) -> list[dict[str, float]]:
    """All 150 flowers as rows."""
    return iris.spec.load_data()[iris.spec.feature_names].to_dict("records")


@pytest.fixture(scope="session")
def rent() -> Any:
    import rent as module

    from irislib import load

    return load(module.spec)


# With it an `irislib serve` believes at each SIGUSR2 that two minutes have passed, as far as kernels without a page and
# idle ones are concerned.
JUMPING_CLOCK = """
import signal, time
from datetime import timedelta
from types import SimpleNamespace
from jupyter_server.services.kernels import kernelmanager
from irislib._serving import kernel_manager

passed = 0
utcnow = kernelmanager.utcnow

def jump(*_):
    global passed
    passed += 120

kernel_manager.time = SimpleNamespace(monotonic=lambda: time.monotonic() + passed, perf_counter=time.perf_counter)
kernelmanager.utcnow = lambda: utcnow() + timedelta(seconds=passed)
signal.signal(signal.SIGUSR2, jump)
"""


class Server:
    """A process of `irislib` that serves, with its log and its address.

    It is forked from a process that has imported everything, its pages are English, and it draws charts when a visitor
    wants them rather than `ahead`, unless a program is given. Before it starts it runs the `code` if there is any.
    """

    process: subprocess.Popen[bytes] | Command

    def __init__(
        self,
        log: Path,
        *args: str,
        cwd: Path = TESTS,
        program: tuple[str, ...] = (),
        port: int = 0,
        ahead: bool = False,
        code: str = "",
        **env: str,
    ):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        if args[0] == "serve" and not program and "--languages" not in args:
            args = (*args, "--languages", "en")  # a page in another language is made ahead, too
        args, environment = (*args, "--port", str(self.port)), {**os.environ, **env}
        with log.open("wb") as file:
            if program:
                self.process = subprocess.Popen(
                    [*program, *args], cwd=cwd, env=environment, stdout=file, stderr=subprocess.STDOUT
                )
            else:
                self.process = COMMANDS.run(args, cwd, environment, log, log, ahead, code)

    def wait(self, path: str = "/readyz") -> Server:
        """Wait until the server can open every page, for as long as its process lives."""
        try:
            wait_until(lambda: self.process.poll() is not None or is_up(f"{self.url}{path}"))
            assert self.process.poll() is None
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.process.args} is not up:\n{self.text()}") from None
        return self

    @property
    def predictions(self) -> Path:
        """The folder of its prediction log."""
        return self.log.with_name(f"{self.log.name}-predictions")

    def text(self) -> str:
        return self.log.read_text()

    def wait_long(self, condition: Callable[[], Any], explain: Callable[[], object] = lambda: "") -> Any:
        """Wait until a condition holds, while the server's `JUMPING_CLOCK` jumps again and again."""
        return wait_until(lambda: self.process.send_signal(signal.SIGUSR2) or condition(), explain)

    def post(self, path: str, timeout: float = PATIENCE, **kwargs: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", timeout=timeout, **kwargs)

    def get(self, path: str, timeout: float = PATIENCE, **kwargs: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=timeout, **kwargs)

    def stop(self, signal_: int = signal.SIGTERM) -> int:
        """End the server as an operator does, and wait until all processes it started have ended, too."""
        children = descendants(self.process.pid)
        self.process.send_signal(signal_)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        wait_until(lambda: not any(map(is_running, children)))
        return status


# Programs are answered in English, and visitors as their browsers ask, whatever the language of a server's own process.
FOREIGN = {"IRISLIB_LANGUAGE": "de"}


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An `irislib serve` with the two apps that ship, and a model without a notebook of its own."""
    log = tmp_path_factory.mktemp("serve") / "log"
    models = [f"--model={name}:spec" for name in ("irislib.iris", "rent")]
    options = ("--notebooks", str(ROOT / "notebooks"), "--languages", "en,de", "--prediction-log", f"{log}-predictions")
    server = Server(log, "serve", *models, *options, ahead=True, **FOREIGN).wait()
    yield server
    assert server.stop() == 0
    assert not [path for path in [log, *server.predictions.iterdir()] if PLANTED.encode() in path.read_bytes()]
    # not any traceback: tornado writes one when a visitor leaves while it sends, ipykernel now and then at its end
    for fault in ("Error at server", "Uncaught exception GET", "Uncaught exception POST", "reference "):
        assert fault not in server.text(), server.text()


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An `irislib api` with two workers."""
    log = tmp_path_factory.mktemp("api") / "log"
    args = ("api", "--workers", "2", "--model", "irislib.iris:spec", "--model", "rent:spec")
    server = Server(log, *args, IRISLIB_PREDICTION_LOG=f"{log}-predictions", **FOREIGN).wait()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    import chromium as chromium_browser

    if chromium_browser.find() is None:
        pytest.fail(chromium_browser.MISSING) if os.environ.get("CI") else pytest.skip(chromium_browser.MISSING)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = chromium_browser.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page that fails the test on any request that leaves this machine."""
    foreign: list[str] = []
    local = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
    with new_page(chromium, viewport={"width": 1280, "height": 800}) as page:
        page.on("request", lambda request: None if request.url.startswith(local) else foreign.append(request.url))
        yield page
    assert not foreign


@pytest.fixture
def neighbour(chromium: Any) -> Iterator[Any]:
    """Another visitor."""
    with new_page(chromium) as page:
        yield page


@contextmanager
def new_page(chromium: Any, **options: Any) -> Iterator[Any]:
    """Open a page for a visitor with such a browser, as patient as all tests."""
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE * 1000)
    yield context.new_page()
    context.close()


def notebook(*cells: str) -> Any:
    """A notebook of code cells, with a title."""
    import nbformat

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel, "title": "An app"}
    )


def open_app(page: Any, server: Server, name: str, button: str) -> None:
    """Open an app and wait until it can be used."""
    page.goto(f"{server.url}/{name}")
    page.get_by_role("button", name=button).wait_for()


def submit_row(page: Any, iris: Any, row: dict[str, Any]) -> None:
    """Fill in the Iris Wizard's form and click its button."""
    for feature in iris.spec.features:
        page.get_by_role("textbox", name=feature.label).fill(str(row.get(feature.name, "")))
    page.get_by_role("button", name="Abrakadabra").click()


def has_r() -> bool:
    needs = " && ".join(f"requireNamespace('{name}', quietly = TRUE)" for name in ("httr2", "jsonlite"))
    test = ["Rscript", "-e", f"quit(status = !({needs}))"]
    return bool(shutil.which("Rscript")) and subprocess.run(test, capture_output=True, timeout=PATIENCE).returncode == 0


def run_in_thread(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in another thread, for the browser's fixture has a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def wait_until(condition: Callable[[], Any], explain: Callable[[], object] = lambda: "") -> Any:
    """Wait until a condition holds, and return its value; `explain` returns what the failure shows."""
    start = time.monotonic()
    while not (value := condition()):
        elapsed = time.monotonic() - start
        if elapsed > PATIENCE:
            pytest.fail(f"It took too long. {explain()}")
        time.sleep(min(0.05 + elapsed / 20, 0.5))  # to ask often costs what others wait for
    return value


def is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok  # a probe, which is repeated
    except requests.RequestException:
        return False


def run_irislib(*args: str, cwd: Path | None = None, code: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `irislib` to its end, after some code if there is any."""
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = (Path(folder) / name for name in ("stdout", "stderr"))
        command = COMMANDS.run(args, cwd or Path.cwd(), {**os.environ, **env}, stdout, stderr, code=code)
        return subprocess.CompletedProcess(args, command.wait(PATIENCE), stdout.read_text(), stderr.read_text())


@pytest.fixture(scope="module")
def collector() -> Iterator[Any]:
    """A receiver of traces, as a collector is one."""
    from test_monitoring import Collector

    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Command]]]:
    """The address of a Dask scheduler, and its two workers, as an operator starts them."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    processes = [run_dask(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))]
    try:
        wait_until(file.exists)
        address = json.loads(file.read_text())["address"]
        options = ("--nthreads", "1", "--no-nanny", "--death-timeout", "60", "--local-directory", str(folder))
        processes += [run_dask(folder, "worker", address, *options) for _ in range(2)]
        yield address, processes[1:]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def run_dask(folder: Path, *args: str) -> Command:
    """Start a command of Dask, forked as those of irislib are."""
    code = f"import sys; sys.argv = {['dask', *args, '--no-dashboard']}\nfrom dask.__main__ import main; main()"
    return COMMANDS.run((), folder, os.environ, folder / "log", folder / "log", code=code)


def import_booster(name: str) -> Any:
    """Import a package of the extra `boosters`; skip the test if it is missing, except in CI."""
    return importlib.import_module(name) if os.environ.get("CI") else pytest.importorskip(name)


def free_port() -> int:
    """Return a free port that neither another process of the tests takes meanwhile nor an outgoing connection."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(1000):
        port = 12_000 + 2_000 * (worker % 8) + next(PORTS) % 2_000
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise OSError("All ports of this process are taken.")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second where it ends between opening and reading
        return False


def kernel_of(page: Any, server: Server) -> int:
    """Return the process of a page's kernel."""
    facts = json.loads(page.locator("#irislib-page, #jupyter-config-data").text_content())
    return process_of(facts.get("kernel") or facts["kernelId"], server)


def process_of(kernel: str, server: Server) -> int:
    """Return the process of a kernel, known by the sockets that it listens on, once it does."""

    def listens(pid: int) -> bool:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            return any(kernel in str(socket.laddr) for socket in psutil.Process(pid).net_connections("unix"))
        return False

    (pid,) = wait_until(lambda: [*filter(listens, descendants(server.process.pid))], lambda: f"No kernel {kernel}.")
    return int(pid)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that these have started."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            status = Path("/proc", name, "stat").read_text()
            children.setdefault(int(status.rpartition(")")[2].split()[1]), []).append(int(name))
    pids = [pid]
    for parent in pids:
        pids += children.get(parent, [])
    return pids[1:]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of a store on an S3-compatible server."""
    if not os.environ.get("CI"):
        pytest.importorskip("s3fs")
        pytest.importorskip("moto")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}
    variables = {f"AWS_{name}": value for name, value in {**names, "DEFAULT_REGION": "us-east-1"}.items()}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()  # another module may have had another server
        requests.post(f"{variables['AWS_ENDPOINT_URL']}/moto-api/reset", timeout=PATIENCE)  # they share their state
        s3fs.S3FileSystem().mkdir("models")
        yield "s3://models/of/irislib"
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
