"""Commands of irislib, forked from a process that has imported what they need: importing takes seconds each time.

Run as a script it is that process. The template processes of a command are forked from it, too.
"""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import irislib._common.quick_imports  # noqa: F401 - as in the command itself
from irislib._common import json_lines
from irislib._forkserver import client, messages, own_fork, server
from irislib._forkserver.process import ForkedProcess
from irislib._forkserver.server import RequestLoop
from irislib._forkserver.threads import has_threads, single_threaded

# Not Gunicorn, which serves in the folder where it was imported; not ipywidgets, which looks for a kernel.
PRELOADED = ("sklearn.ensemble", "matplotlib.backends.backend_agg",
             "matplotlib.backends.backend_svg", "matplotlib.figure", "irislib.insights", "irislib._modeling.registry",
             "irislib._modeling.many_rows", "irislib._modeling.csv_layout", "irislib._modeling.csv_predictions",
             "irislib._modeling.csv_results", "irislib._serving.voila_app", "skops.io")  # fmt: skip
INLINE = "module://matplotlib_inline.backend_inline"


class Command(ForkedProcess):
    """A forked command, with the methods of `subprocess.Popen` that tests use."""

    args: Sequence[str]

    def wait(self, timeout: float | None = None) -> int:
        code = super().wait(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code


class Commands:
    """The process that commands are forked from; it is started with the first of them."""

    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        lifeline, self.lifeline = os.pipe()
        self.channel, end = messages.pair()
        with end:
            arguments = [str(end.fileno()), str(lifeline)]
            self.process = subprocess.Popen(
                [sys.executable, __file__, *arguments], env=single_threaded(os.environ), stdin=subprocess.DEVNULL,
                pass_fds=(end.fileno(), lifeline), cwd=Path(__file__).parent.parent,
            )  # fmt: skip
        os.close(lifeline)

    def run(
        self, args: Sequence[str], cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path, ahead: bool = False,
        code: str = "",
    ) -> Command:  # fmt: skip
        """Run a command of irislib, as ``python -m irislib`` in the folder does; without `ahead` it draws later.

        It runs the code before, if there is any.
        """
        if self.process is None:
            self.start()
        status, status_writer = os.pipe()
        files = [str(stdout), str(stderr)]
        request = {"args": list(args), "cwd": str(cwd), "env": dict(env), "files": files, "ahead": ahead, "code": code}
        messages.send(self.channel, request, [status_writer])
        os.close(status_writer)
        command = Command(messages.receive(self.channel)[0]["pid"], status)
        command.args = args
        return command

    def end(self) -> None:
        if self.process is not None:
            os.close(self.lifeline)
            self.channel.close()
            self.process.wait()


class CommandLoop(RequestLoop):
    """The loop that forks a process for each command."""

    def run_kernel(self, request: dict[str, Any]) -> None:
        os.close(self.lifeline)
        files = [os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for file in request["files"]]
        for number, file in enumerate(files, 1):
            os.dup2(file, number)
            os.close(file)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        tempfile.tempdir = None
        sys.argv = ["irislib", *request["args"]]
        sys.path[0] = request["cwd"]
        if "--json-logs" in request["args"]:
            json_lines.begin()  # before the template processes are forked
        if request["args"][:1] in (["serve"], ["check"]):
            own_fork.import_shared = lambda: False  # it would have matplotlib's backend of this process
            spares = SpareTemplates(client.start_process, self.generators)
            client.start_process = spares.start  # type: ignore[assignment]
        if not request["ahead"]:
            from irislib._serving.page_pool import Pages

            Pages.work_ahead = draw_nothing  # type: ignore[assignment]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell ignore it
        status: object = None
        try:
            exec(request["code"], {"__name__": "before"})  # noqa: S102
            from irislib.cli import main

            main()
        except SystemExit as error:
            if request["ahead"]:
                raise
            status = error.code
        end_at_once(status)


def end_at_once(status: object) -> NoReturn:
    """End as a program does, but for the objects of all modules, which take longer than most commands to delete."""
    if not (status is None or isinstance(status, int)):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status or 0)


async def draw_nothing(*_: Any) -> None:
    """Take the place of `Pages.work_ahead`, which costs twice what a server needs to start."""


class SpareTemplates:
    """Children of a command that become its template processes; where it needs more of them, they are new programs."""

    def __init__(self, start_program: Any, generators: Sequence[Any], number: int = 3):
        self.start_program, self.generators = start_program, generators
        self.spares: list[tuple[int, socket.socket]] = []
        for _ in range(number):
            self.fork_spare()

    def fork_spare(self) -> None:
        channel, end = messages.pair()
        with end:
            pid = os.fork()
            self.spares.append((pid, channel))
            if pid == 0:
                for _, inherited in self.spares:
                    inherited.close()  # or the others would not notice the end of the command
                become_template(end, self.generators)

    def start(self, files: tuple[int, int], env: Mapping[str, str], cwd: str | None) -> Any:
        """Start a template process, as `irislib._forkserver.template_process.start_process` does."""
        if not self.spares:
            return self.start_program(files, env, cwd)
        pid, channel = self.spares.pop()
        with channel:
            messages.send(channel, {"env": dict(env), "cwd": cwd or os.getcwd()}, files)
        return SimpleNamespace(pid=pid, wait=lambda: os.waitpid(pid, 0))


def become_template(channel: socket.socket, generators: Sequence[Any]) -> NoReturn:
    """Wait until a template process is wanted and become it; end with the command."""
    try:
        request, files = messages.receive(channel)
        own_fork.become_template((files[0], files[1]), request["env"], request["cwd"])
        import matplotlib

        matplotlib.rcParams["backend"] = os.environ.get("MPLBACKEND") or INLINE  # read when it was imported
        server.serve_forks(socket.socket(fileno=files[0]), files[1], generators)
    except EOFError:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def serve_forks() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    # of these, kernels alone have need, or what is not asked of a server that starts
    assert not {"IPython", "ipykernel", "ipywidgets", "gunicorn.app"} & sys.modules.keys()
    import nbformat

    from irislib._forkserver.kernel import import_without_debugger

    nbformat.v4.new_output("stream")  # compiles how every output and notebook is checked
    import_without_debugger()
    assert not has_threads()
    loop = CommandLoop(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    loop.serve()()


if __name__ == "__main__":
    serve_forks()
