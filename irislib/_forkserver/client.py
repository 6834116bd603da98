"""The server's side of templates: start them, ask them for kernels, see that they have ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from irislib._forkserver import messages
from irislib._forkserver.process import ForkedProcess, ended

__all__ = ["ENDED", "ForkServer", "LostTemplateError", "can_fork"]

log = logging.getLogger("irislib._forkserver")

ONE = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS",
     "MALLOC_ARENA_MAX"), "1"
)  # fmt: skip
PATIENCE = 30.0  # seconds until a template has forked; until it has imported and loaded it may take longer
LOADING = 600.0
ENDED = "its process has ended"  # why a notebook cannot be run ahead


def can_fork() -> bool:
    """Whether this platform has what warm kernels need."""
    return all(hasattr(os, name) for name in ("fork", "pidfd_open", "memfd_create"))


class LostTemplateError(Exception):
    """A template has ended, or does not answer."""


class Template:
    """A process that forks, as seen from the server."""

    def __init__(self, pid: int, channel: Any):
        self.pid = pid
        self.alive = os.pidfd_open(pid)
        self._channel = channel
        self._asking = threading.Lock()
        self._ending = threading.Lock()

    def ask(
        self, question: Mapping[str, Any] | None, files: Sequence[int] = (), patience: float | None = PATIENCE
    ) -> dict[str, Any]:
        """Ask, or wait for what comes next where there is nothing to ask.

        Parameters
        ----------
        patience : float or None
            Seconds to wait for the answer. One that does not answer is ended.

        Raises
        ------
        LostTemplateError
        """
        with self._asking:
            try:
                self._channel.settimeout(patience)
                if question is not None:
                    messages.send(self._channel, dict(question), files)
                return messages.receive(self._channel)[0]
            except (EOFError, OSError) as error:
                self.end()
                ending = "does not answer" if isinstance(error, TimeoutError) else "has ended"
                raise LostTemplateError(f"a template of kernels {ending}") from error

    def ended(self) -> bool:
        """Whether it can be asked no more."""
        with self._ending:
            return self.alive < 0 or ended(self.alive)

    def watched(self) -> int | None:
        """A file of the caller's own that can be read when the process has ended; None where it is known to have."""
        with self._ending:
            return None if self.alive < 0 else os.dup(self.alive)

    def end(self) -> None:
        """End the process; what was forked from it lives on."""
        with self._ending:
            if self.alive < 0:
                return
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.alive, signal.SIGKILL)
            alive, self.alive = self.alive, -1
            os.close(alive)
            self._channel.close()


class ForkServer:
    """The first template, and one for each page whose notebook was run ahead.

    Parameters
    ----------
    imports : sequence of str
        Modules to import before the first fork, and functions to call, as ``module:function``.
        What starts a thread is left out.
    threads : int
        How many threads the native libraries of a kernel have; 0 leaves them at one.
    """

    def __init__(self, imports: Sequence[str] = (), threads: int = 0):
        self.imports = list(imports)
        self.threads = threads
        self.first: Template | None = None
        self.pages: dict[str, Template] = {}
        self._beginning: set[Template] = set()
        self._ended = False
        self._lifeline: int | None = None  # closes when this process ends, and all that was forked ends with it
        self._theirs = -1
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, env: Mapping[str, str], cwd: str | None = None) -> None:
        """Start the first template and wait until it is ready.

        Raises
        ------
        LostTemplateError
        """
        while True:
            template = self._launch(env, cwd)
            with self._begun(template):
                unfit = template.ask({"imports": self.imports}, patience=LOADING)["unfit"]
            if not unfit:
                self.first = template
                return
            log.info("%s starts a thread, and is left to each kernel.", unfit)
            template.end()
            self.imports.remove(unfit)

    @contextmanager
    def _begun(self, template: Template) -> Iterator[None]:
        """Have a template ended with the others while it is getting ready."""
        self._beginning.add(template)
        try:
            if self._ended:
                template.end()
            yield
        finally:
            self._beginning.discard(template)

    def _launch(self, env: Mapping[str, str], cwd: str | None) -> Template:
        if self._lifeline is None:
            self._theirs, self._lifeline = os.pipe()
        if self._process:
            self._process.wait()  # it has ended, or it would still be asked
        clean = {name: value for name, value in env.items() if name != "JPY_PARENT_PID"}
        ours, channel = messages.pair()
        with channel:
            self._process = subprocess.Popen(  # noqa: S603 - a module of this package
                [sys.executable, "-m", "irislib._forkserver", str(channel.fileno()), str(self._theirs)],
                env={**clean, **ONE},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                pass_fds=(channel.fileno(), self._theirs),
                start_new_session=True,  # Ctrl-C in a terminal is for the server
            )
        return Template(self._process.pid, ours)

    def open(
        self, page: str, notebook: Mapping[str, Any], cwd: str, patience: float | None = None, memory: int = 0
    ) -> dict[str, Any]:
        """Run a page's notebook in a template of its own.

        Parameters
        ----------
        page : str
            What kernels are to be asked for by.
        notebook : mapping
            As JSON.
        cwd : str
            Where it runs.
        patience : float, optional
            How many seconds it may take.
        memory : int
            How many bytes it may have of its own; 0 for no limit.

        Returns
        -------
        dict
            As :func:`irislib._forkserver.notebook.run` does.

        Raises
        ------
        LostTemplateError
            Where the first template has ended.
        """
        if self.first is None:
            raise LostTemplateError("there is no template of kernels")
        ours, theirs = messages.pair()
        with theirs:
            question = {"notebook": notebook, "cwd": cwd, "memory": memory}
            pid, status = self._fork(self.first, question, theirs.fileno())
        os.close(status)
        template = Template(pid, ours)
        try:
            with self._begun(template):
                told = template.ask(None, patience=patience)
        except LostTemplateError as error:
            slow = isinstance(error.__cause__, TimeoutError)
            return {"refused": f"it takes more than {patience:g} seconds" if slow else ENDED}
        if "refused" in told:
            template.end()
        else:
            self.pages[page] = template
        return told

    def fork(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, page: str = "") -> ForkedProcess | None:
        """A kernel in a process of its own; None where it has to be started in the ordinary way.

        Parameters
        ----------
        argv : sequence of str
            What ipykernel gets.
        env : mapping of str to str
            Its whole environment.
        cwd : str
            Where it runs.
        page : str
            The page it is for. None is returned where that page was not run ahead.
        """
        template = self.pages.get(page) if page else self.first
        if template is None:
            return None
        question = {"argv": list(argv), "env": dict(env), "cwd": cwd, "ahead": bool(page), "threads": self.threads}
        try:
            return ForkedProcess(*self._fork(template, question))
        except LostTemplateError:
            self.forget(template)
            return None

    def _fork(self, template: Template, question: Mapping[str, Any], *files: int) -> tuple[int, int]:
        status, told = os.pipe()
        try:
            return template.ask(question, [told, *files])["pid"], status
        except LostTemplateError:
            os.close(status)
            raise
        finally:
            os.close(told)

    def templates(self) -> list[Template]:
        """All that there are."""
        return [template for template in (self.first, *self.pages.values()) if template]

    def forget_ended(self) -> None:
        """Ask nothing more of those that have ended."""
        for template in self.templates():
            if template.ended():
                self.forget(template)

    def forget(self, template: Template) -> None:
        """Ask nothing more of a template."""
        template.end()
        if template is self.first:
            self.first = None
        for page, kept in list(self.pages.items()):
            if kept is template:
                self.pages.pop(page, None)

    def end(self) -> None:
        """End all templates, and every kernel that was forked from them."""
        self._ended = True
        for template in (*self.templates(), *self._beginning):
            template.end()
        self.first, self.pages = None, {}
        if self._lifeline is not None:
            os.close(self._lifeline)
            os.close(self._theirs)
            self._lifeline = None
        if self._process:
            self._process.wait()
            self._process = None
