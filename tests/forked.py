"""Commands of irislib, forked from a process that has imported what they need: importing takes seconds each time.

Run as a script it is that process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import irislib._common.quick_imports  # noqa: F401 - as in the command itself
from irislib._forkserver import messages
from irislib._forkserver.process import ForkedProcess
from irislib._forkserver.server import RequestLoop
from irislib._forkserver.threads import has_threads, single_threaded


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

    def run(self, args: Sequence[str], cwd: Path, env: Mapping[str, str], stdout: Path, stderr: Path) -> Command:
        """Run a command of irislib, as ``python -m irislib`` in the folder does."""
        if self.process is None:
            self.start()
        status, status_writer = os.pipe()
        request = {"args": list(args), "cwd": str(cwd), "env": dict(env), "files": [str(stdout), str(stderr)]}
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
        from irislib.cli import main

        main()


def serve_forks() -> None:
    import sklearn.ensemble  # noqa: F401

    # not Gunicorn, which serves in the folder where it was imported
    import irislib._modeling.registry
    import irislib._serving.voila_app  # noqa: F401

    assert not has_threads()
    loop = CommandLoop(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
    loop.serve()()


if __name__ == "__main__":
    serve_forks()
