"""The template process, from which kernels are forked.

It has one thread and no event loop: threads and locks do not survive a fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import logging
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from irislib._common import borrowed, json_lines
from irislib._common.language import VARIABLE
from irislib._common.process_memory import return_free_memory
from irislib._forkserver import messages
from irislib._forkserver.generators import unseeded_generators
from irislib._forkserver.threads import has_threads, thread_names, watch_imports

__all__ = ["main", "serve_forks"]

log = logging.getLogger("irislib._forkserver")

SET_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl.h
LOG_HANDLER = "irislib-template"  # name of the handler of a template process's messages


def main() -> None:
    """Serve as a program, whose arguments are the numbers of two open files."""
    serve_forks(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))


def serve_forks(channel: socket.socket, lifeline: int, generators: Iterable[Any] = ()) -> NoReturn:
    """Import the modules that the server names, then fork at its requests; end with the server.

    Parameters
    ----------
    channel, lifeline : socket, int
        Of the `RequestLoop`.
    generators : iterable
        Unseeded generators among the objects that the garbage collector does not list any more.
    """
    logging.basicConfig(format="[%(name)s] %(message)s")
    if json_lines.is_on():
        json_lines.begin()
    logging.getLogger().handlers[0].name = LOG_HANDLER
    adopt_orphans()
    gc.disable()  # a collection would touch, and so copy, every page that is shared
    request, _ = messages.receive(channel)
    reply = import_and_announce(channel, request["imports"])
    missing = [] if reply["threaded_module"] else borrowed.find_missing("kernels")
    send(channel, {**reply, "missing": [borrowed.report_missing(row) for row in missing]})
    loop = RequestLoop(channel, lifeline)
    loop.generators += generators
    while True:
        loop.serve()()  # in a forked child; returns only in the template process of a page


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Send a message to the server; end with it if it has ended, of which nobody needs to hear."""
    try:
        messages.send(channel, message)
    except ConnectionError:
        os._exit(0)


def adopt_orphans() -> None:
    """Become the parent of what a page's template process has forked, once that process is replaced."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def move_to(folder: str | None, environment: dict[str, str]) -> None:
    """Take on a folder and an environment as if this process had been started with them."""
    os.environ.clear()
    os.environ.update(environment)
    first = [] if sys.flags.safe_path or folder is None else [folder]
    rest = sys.path if sys.flags.safe_path or folder is None else sys.path[1:]
    importable = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = dict.fromkeys([*first, *importable, *rest])
    if folder is not None:
        os.chdir(folder)


def import_and_announce(channel: socket.socket, names: Iterable[str]) -> dict[str, Any]:
    """Import modules and call functions, each of which is announced to the server before, and return the reply."""
    threaded_module, starter = import_modules(names, lambda name: send(channel, {"importing": name}))
    return {"threaded_module": threaded_module, "starter": starter, "missing": []}


def import_modules(names: Iterable[str], announce: Callable[[str], None] = lambda name: None) -> tuple[str, str]:
    """Import modules and call functions; a failure is left to the kernels, whose users then see it.

    Parameters
    ----------
    names : iterable of str
    announce : callable
        Called with each name before it is imported, for an import may never return.

    Returns
    -------
    module : str
        The one of these that has started a thread, and so must be left out of a template process; else an empty string.
    starter : str
        What of it has started the thread: a module that it imports, or itself.
    """
    from irislib._forkserver.kernel import shell

    shell()
    for name in names:
        announce(name)
        module, _, function = name.partition(":")
        try:
            with watch_imports() as starters:
                imported = importlib.import_module(module)
                if function:
                    getattr(imported, function)()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a sys.exit, too
            log.warning("%s is left to each kernel: %s: %s", name, type(error).__name__, error)
        if has_threads():
            return str(name), f"{(starters or [name])[0]}: {', '.join(thread_names())}"
    return "", ""


class RequestLoop:
    """The loop of a template process: the main one, or one of a page, forked from the main one.

    Parameters
    ----------
    channel : socket
        Channel of the server's requests. When it closes, this process ends.
    lifeline : int
        Reading end of a pipe that closes when the server ends, for whatever reason.
    """

    def __init__(self, channel: socket.socket, lifeline: int):
        self.channel, self.lifeline = channel, lifeline
        self.generators: list[Any] = []
        self.status_pipes: dict[int, int] = {}  # where to write the exit code of a child, by its pid
        self.page_pids: set[int] = set()  # the children that are template processes

    def serve(self) -> Callable[[], None]:
        """Fork at each request of the server; return, in a child only, the function that it is to run."""
        self.freeze()
        wakeup_reader, wakeup_writer = os.pipe()
        for end in (wakeup_reader, wakeup_writer):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        old_wakeup_fd = signal.set_wakeup_fd(wakeup_writer, warn_on_full_buffer=False)
        poll = select.poll()
        for end in (self.channel.fileno(), self.lifeline, wakeup_reader):
            poll.register(end, select.POLLIN)
        while True:
            ready = {end for end, _ in poll.poll()}
            if self.lifeline in ready:
                self.exit()
            if wakeup_reader in ready:
                os.read(wakeup_reader, 512)
                self.reap_children()
            if self.channel.fileno() in ready:
                run_child = self.handle_request()
                if run_child:
                    signal.set_wakeup_fd(old_wakeup_fd)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(wakeup_reader)
                    os.close(wakeup_writer)
                    return run_child

    def exit(self) -> NoReturn:
        """End, and end the template processes of pages, which do not watch the lifeline while they run a notebook."""
        for pid in self.page_pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def reap_children(self) -> None:
        """Write the exit codes of ended children to the server."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self.page_pids.discard(pid)
            if (status_pipe := self.status_pipes.pop(pid, None)) is not None:
                with contextlib.suppress(BrokenPipeError):  # the server has discarded it
                    os.write(status_pipe, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(status_pipe)

    def handle_request(self) -> Callable[[], None] | None:
        try:
            request, files = messages.receive(self.channel)
        except (EOFError, OSError):
            self.exit()
        if "imports" in request:
            self.import_more(request)
            return None
        if request.get("page"):
            self.prepare_kernels(request["argv"])
        is_template = "notebook" in request or "warm_up" in request  # of a page, with a channel of its own
        try:
            pid = os.fork()
        except OSError as error:  # the operating system has no room for another process
            for file in files:
                os.close(file)
            send(self.channel, {"errno": error.errno})
            return None
        if pid:
            self.status_pipes[pid] = files[0]
            if is_template:
                self.page_pids.add(pid)
            for file in files[1:]:
                os.close(file)
            send(self.channel, {"pid": pid})
            return None
        # Only the parent may hold the pipes: they close when it ends, which is how the server notices.
        for file in (*self.status_pipes.values(), files[0]):
            os.close(file)
        self.status_pipes.clear()
        self.page_pids.clear()
        self.channel.close()
        if not is_template:
            return lambda: self.run_kernel(request)
        self.channel = socket.socket(fileno=files[1])
        return self.warm_up if "warm_up" in request else lambda: self.run_notebook(request)

    def import_more(self, request: dict[str, Any]) -> None:
        """Import modules and call functions in this process, for those that are forked from now on."""
        if "environment" in request:
            move_to(request["cwd"], request["environment"])
            if json_lines.is_on():
                json_lines.begin()
        send(self.channel, import_and_announce(self.channel, request["imports"]))
        self.freeze()

    def prepare_kernels(self, argv: list[str]) -> None:
        """Do once what the kernels of a page that have such arguments would do at their start."""
        from irislib._forkserver.page_kernel import prepare_kernels

        if prepare_kernels(argv):
            self.freeze()

    def freeze(self) -> None:
        """Keep all objects that exist now out of collections, which would copy their memory in each fork."""
        gc.collect()
        return_free_memory()  # each fork would copy it when it uses it
        self.generators += unseeded_generators()  # those of frozen objects are noted already
        gc.freeze()

    def run_notebook(self, request: dict[str, Any]) -> None:
        """Become the template process of a page: run its notebook and send the result."""
        from irislib._forkserver.notebook import run_notebook

        os.setsid()
        os.chdir(request["cwd"])
        if language := request["language"]:
            os.environ[VARIABLE] = language
        if memory := request["memory"]:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        send(self.channel, run_notebook(request["notebook"]))

    def warm_up(self) -> None:
        """Become a template process of the same page that has done ahead what its visitors need."""
        from irislib._forkserver.notebook import warm_up_widgets

        os.setsid()
        gc.enable()  # what is drawn leaves much garbage, whose memory the next drawing can use
        result = warm_up_widgets()
        gc.disable()
        send(self.channel, result)

    def run_kernel(self, request: dict[str, Any]) -> None:
        from irislib._forkserver.kernel import run_kernel

        run_kernel(request, self.lifeline, self.generators)
