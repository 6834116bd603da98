"""The process that kernels are forked from.

It has one thread and no event loop: whatever holds a thread or a lock cannot be forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from irislib._forkserver import messages

__all__ = ["main"]

log = logging.getLogger("irislib._forkserver")


def main() -> None:
    """Prepare what the server asks for, then fork whenever it says so; ends with the server."""
    channel, lifeline = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    logging.basicConfig(format="[%(name)s] %(message)s")
    gc.disable()  # a collection would touch, and so copy, every page that is shared
    plan, _ = messages.receive(channel)
    messages.send(channel, {"unfit": prepare(plan)})
    template = Template(channel, lifeline)
    while True:
        template.serve()()  # what this process is from here on; returns where it is a template again


def prepare(plan: dict[str, Any]) -> str:
    """Import and load; what fails is left to the kernels, where the failure is seen by whom it concerns.

    Returns
    -------
    str
        What has started a thread, and so must be left out of a process that forks; else nothing.
    """
    from irislib._forkserver.kernel import has_threads, shell

    shell()
    for name in plan["imports"]:
        module, _, function = name.partition(":")
        try:
            found = importlib.import_module(module)
            if function:
                getattr(found, function)()
        except Exception as error:
            log.warning("%s is left to each kernel: %s: %s", name, type(error).__name__, error)
        if has_threads():
            return str(name)
    return ""


class Template:
    """What forks: the first template, or a page's, which is forked from the first.

    Parameters
    ----------
    channel : socket
        Where the server's questions come from. When it closes, this process ends.
    lifeline : int
        A pipe that closes when the server has ended, however it did.
    """

    def __init__(self, channel: socket.socket, lifeline: int):
        self.channel, self.lifeline = channel, lifeline
        self.random_numbers: list[Any] = []
        self.statuses: dict[int, int] = {}  # where to write how a child ended, by its pid
        self.pages: set[int] = set()  # the children that are templates

    def serve(self) -> Callable[[], None]:
        """Fork as often as the server asks; returns, in the child only, what that is to do."""
        from irislib._forkserver.kernel import generators

        gc.collect()
        self.random_numbers += generators()  # what a first template has frozen already is not looked at again
        gc.freeze()
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        poll = select.poll()
        for end in (self.channel.fileno(), self.lifeline, woken):
            poll.register(end, select.POLLIN)
        while True:
            ready = {end for end, _ in poll.poll()}
            if self.lifeline in ready:
                self.leave()
            if woken in ready:
                os.read(woken, 512)
                self.reap()
            if self.channel.fileno() in ready:
                become = self.answer()
                if become:
                    signal.set_wakeup_fd(before)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(woken)
                    os.close(wake)
                    return become

    def leave(self) -> NoReturn:
        """End, and with it a template that has its hands full with a notebook and sees no lifeline."""
        for pid in self.pages:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def reap(self) -> None:
        """Tell the server how children ended."""
        while self.statuses:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self.pages.discard(pid)
            if (told := self.statuses.pop(pid, None)) is not None:
                with contextlib.suppress(BrokenPipeError):  # whom nobody asks about
                    os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(told)

    def answer(self) -> Callable[[], None] | None:
        try:
            question, files = messages.receive(self.channel)
        except (EOFError, OSError):
            self.leave()
        pid = os.fork()
        if pid:
            self.statuses[pid] = files[0]
            if "notebook" in question:
                self.pages.add(pid)
            for file in files[1:]:
                os.close(file)
            messages.send(self.channel, {"pid": pid})
            return None
        # The others' ends stay with their template, or nobody would learn that it has ended.
        for file in (*self.statuses.values(), files[0]):
            os.close(file)
        self.statuses.clear()
        self.pages.clear()
        self.channel.close()
        if "notebook" in question:
            self.channel = socket.socket(fileno=files[1])
            return lambda: self.run(question)
        return lambda: self.kernel(question)

    def run(self, question: dict[str, Any]) -> None:
        """Become the template of a page: run its notebook and say what came of it."""
        from irislib._forkserver.notebook import run

        os.setsid()
        os.chdir(question["cwd"])
        if memory := question["memory"]:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        messages.send(self.channel, run(question["notebook"]))

    def kernel(self, question: dict[str, Any]) -> None:
        from irislib._forkserver.kernel import become

        become(question, self.lifeline, self.random_numbers)
