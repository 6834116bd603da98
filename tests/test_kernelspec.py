"""The kernelspec in JupyterLab and other programs: a forked kernel does what an ordinary one does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import jupyter_kernel_test  # not its class, whose tests would be collected here, too
import pytest
from conftest import PATIENCE
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from irislib._common.paths import jupyter_dir
from irislib._forkserver.client import ForkServer
from irislib._forkserver.process import ForkedProcess
from irislib._forkserver.provisioner import ForkProvisioner
from irislib._forkserver.template_process import can_fork
from irislib._serving.kernel_spec import AppKernelSpecManager

pytestmark = [
    pytest.mark.skipif(not can_fork(), reason="This platform cannot fork kernels; they are ordinary here."),
    pytest.mark.usefixtures("template"),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A template process that has imported a module with a temporary folder, as some libraries have."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "has_a_folder.py").write_text("import tempfile\nfolder = tempfile.TemporaryDirectory()\n")
    fork_server = ForkServer(["ipywidgets", "matplotlib.pyplot", "has_a_folder"])
    fork_server.start({**os.environ, "PYTHONPATH": str(folder)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(jupyter_dir()))
        patch.setenv("PYTHONPATH", str(folder))
        patch.setattr(ForkProvisioner, "fork_server", fork_server)
        yield fork_server
        fork_server.end()


class Kernel:
    """A kernel of the kernelspec, and its client."""

    def __init__(self, folder: Path, name: str = "irislib", specs: KernelSpecManager | None = None):
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs or KernelSpecManager())
        # ipykernel leaves the file descriptors alone if pytest captures them
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        self.manager.start_kernel(env=environment, cwd=str(folder))
        provisioner: Any = self.manager.provisioner
        assert isinstance(provisioner.process, ForkedProcess)
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code: str, until: str = "") -> str:
        """Run code and return what its cell shows, once that has a text in it."""
        texts: list[str] = []
        request = self.client.execute(code, allow_stdin=True)
        idle = False
        while not (idle and until in "".join(texts)):
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == request:
                idle = idle or message["content"].get("execution_state") == "idle"
                texts.append(message["content"].get("text") or message["content"].get("evalue") or "")
        return "".join(texts)

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    kernel = Kernel(tmp_path)
    yield kernel
    kernel.end()


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(6 * 7)'])",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import sys; sys.exit(str(6 * 7))'])",
        "import os; os.system('echo $((6 * 7))')",
        "import os; os.write(1, str(6 * 7).encode())",
        "import os; os.write(2, str(6 * 7).encode())",
        "!echo $((6 * 7))",
        "%%bash\necho $((6 * 7))",
        "import threading\nthread = threading.Thread(target=lambda: print(6 * 7))\nthread.start(); thread.join()",
        "import warnings; warnings.warn(str(6 * 7))",
        "import faulthandler; faulthandler.dump_traceback(__import__('sys').__stderr__); print(6 * 7)",
        "import multiprocessing\nprocess = multiprocessing.get_context('fork').Process(target=lambda: print(6 * 7))\n"
        "process.start(); process.join()",
    ],
)
def test_output_of_any_kind_reaches_the_cell(kernel: Kernel, code: str) -> None:
    assert "42" in kernel.run(code, until="42")


def test_messages_of_logging_have_the_format_of_the_notebook(kernel: Kernel) -> None:
    assert kernel.run("import logging; logging.warning('hot')").strip() == "WARNING:root:hot"
    kernel.run("logging.basicConfig(level='INFO', format='%(message)s!', force=True)")
    assert kernel.run("logging.getLogger('x').info('cold')").strip() == "cold!"


def test_basic_configuration_of_logging_works(kernel: Kernel) -> None:
    kernel.run("import logging; logging.basicConfig(level='INFO', format='%(message)s!')")
    assert kernel.run("logging.info('cold')").strip() == "cold!"


@pytest.mark.parametrize("folder", ["", "~/other"])
def test_a_server_looks_for_kernelspecs_where_jupyter_does_and_imports_no_ipython_for_it(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if folder:
        monkeypatch.setenv("IPYTHONDIR", folder)
    usual = KernelSpecManager().kernel_dirs
    monkeypatch.setitem(sys.modules, "IPython.paths", None)
    assert AppKernelSpecManager().kernel_dirs == usual != KernelSpecManager().kernel_dirs


def test_visitors_see_neither_messages_of_logging_nor_the_output_of_subprocesses(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, "python3", AppKernelSpecManager())
    first = kernel.run(
        "import logging, os; logging.warning('secret'); os.write(1, b'secret'); os.system('echo secret')"
    )
    assert first + kernel.run("import time; time.sleep(0.5); print('public')") == "public\n"
    kernel.end()


def test_input_comes_from_the_reader(kernel: Kernel) -> None:
    request = kernel.client.execute("print(input('Name? ') + '!')", allow_stdin=True)
    prompt = kernel.client.get_stdin_msg(timeout=PATIENCE)
    assert prompt["content"]["prompt"] == "Name? "
    kernel.client.input("Ada")
    assert kernel.client.get_shell_msg(timeout=PATIENCE)["parent_header"]["msg_id"] == request
    while (message := kernel.client.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "stream":
        pass
    assert message["content"]["text"] == "Ada!\n"


def test_a_cell_can_be_interrupted(kernel: Kernel) -> None:
    kernel.client.execute(
        "import subprocess; print('begun', flush=True); subprocess.run(['sleep', '600'])", stop_on_error=False
    )
    while kernel.client.get_iopub_msg(timeout=PATIENCE)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    while (message := kernel.client.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "error":
        pass
    assert message["content"]["ename"] == "KeyboardInterrupt"
    assert kernel.run("print(6 * 7)").strip() == "42"


def test_a_restarted_kernel_is_forked_and_new(kernel: Kernel) -> None:
    kernel.run("x = 1")
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=PATIENCE)
    provisioner: Any = kernel.manager.provisioner
    assert isinstance(provisioner.process, ForkedProcess)
    assert "is not defined" in kernel.run("x")


SLOW_CONTROL_THREAD = """
import atexit, pathlib, sys, threading, time
thread = get_ipython().kernel.control_thread
def flush(flush=sys.stdout.flush, thread=thread):
    if threading.current_thread() is thread:
        time.sleep(0.5)  # as on a busy machine
    flush()
sys.stdout.flush = flush
atexit.register(lambda thread=thread: pathlib.Path("ended").write_text(str(thread.is_alive())))
"""


def test_a_kernel_cleans_up_at_its_end_and_leaves_the_folders_of_its_template(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    shared = kernel.run("import has_a_folder; print(has_a_folder.folder.name)").strip()
    own = kernel.run("import sys, tempfile; sys.folder = tempfile.TemporaryDirectory(); print(sys.folder.name)").strip()
    kernel.run("notes = open('notes', 'w'); _ = notes.write('written')")
    kernel.run(SLOW_CONTROL_THREAD)
    assert Path(own).is_dir()
    kernel.end()
    assert (tmp_path / "ended").read_text() == "False"  # or it might wait for this thread for ever
    assert not Path(own).exists()
    assert Path(shared).is_dir()
    assert (tmp_path / "notes").read_text() == "written"


class TestJupyterKernel(jupyter_kernel_test.KernelTests):  # type: ignore[misc]
    """The tests of the Jupyter project for kernels.

    Off on purpose: the history across sessions, for its thread and its database cannot be forked (so
    ``supported_history_operations`` is empty).
    """

    kernel_name = "irislib"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples: ClassVar = [
        {"text": "zi", "matches": {"zip"}},
        {"text": "import ipywid", "matches": {"ipywidgets"}},
    ]
    complete_code_samples: ClassVar = ["1", "print('hello, world')", "def f(x):\n  return x*2\n\n\n"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_page_something = "zip?"
    code_generate_error = "raise ValueError('no')"
    code_execute_result: ClassVar = [
        {"code": "6*7", "result": "42"},
        {"code": "from IPython.display import HTML; HTML('<b>42</b>')", "mime": "text/html"},
    ]
    code_display_data: ClassVar = [
        {"code": "from IPython.display import HTML, display; display(HTML('<b>test</b>'))", "mime": "text/html"},
        {"code": "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()", "mime": "image/png"},
    ]
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"

    def execute_helper(self, code: str, *_: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Execute code and return the reply and the output, however long a busy machine takes."""
        request = self.kc.execute(code)
        messages: list[dict[str, Any]] = []
        while not messages or messages[-1]["content"].get("execution_state") != "idle":
            message = self.kc.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == request:
                jupyter_kernel_test.validate_message(message, message["msg_type"], request)
                messages.append(message)
        reply = self.get_non_kernel_info_reply(timeout=PATIENCE)
        jupyter_kernel_test.validate_message(reply, "execute_reply", request)
        assert [message["msg_type"] for message in messages[:2]] == ["status", "execute_input"]
        assert messages[1]["content"]["code"] == code
        return reply, messages[2:-1]
