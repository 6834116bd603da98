"""The server's side of the fork server: start template processes, request kernels from them, notice their end."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from irislib._common.settings import secret_variables
from irislib._forkserver import messages
from irislib._forkserver.process import ChildProcess, ForkedProcess
from irislib._forkserver.template_process import CannotForkError, LostTemplateError, TemplateProcess, start_process
from irislib._forkserver.threads import single_threaded

__all__ = ["LEFT_OUT", "PROCESS_ENDED", "ForkServer"]

log = logging.getLogger("irislib._forkserver")

CALL_TIMEOUT = 600.0  # of a function that loads models, which may train them
LEFT_OUT = "%s %s, and is left to each kernel: pages that import it open more slowly."
STARTS_THREAD = "starts a thread (%s)"
ENDS_PROCESS = "ends the process that imports it"
TAKES_TOO_LONG = "takes more than %g seconds to import"
SECRETS = secret_variables()
Start = Callable[[tuple[int, int], Mapping[str, str], str | None], "subprocess.Popen[bytes] | ChildProcess"]
PROCESS_ENDED = "its process has ended"  # the reason why a notebook cannot be prerun


class ForkServer:
    """The main template process, and a template process per warm page.

    Parameters
    ----------
    imports : sequence of str
        Modules to import before the first fork, and functions to call, as ``module:function``.
        A module that starts a thread, ends the process or takes too long is left out.
    threads : int
        Number of threads of the native libraries in a kernel; 0 leaves them at one.

    Attributes
    ----------
    left_out : dict of str
        The modules that are left out, and why.
    import_timeout : float
        Seconds that a module may take.
    """

    import_timeout = 60.0

    def __init__(self, imports: Sequence[str] = (), threads: int = 0):
        self.imports = list(imports)
        self.threads = threads
        self.left_out: dict[str, str] = {}
        self._suspect = ""  # the module that was being imported when a template process was ended
        self.main: TemplateProcess | None = None
        self.page_templates: dict[str, TemplateProcess] = {}
        self._early: TemplateProcess | None = None  # launched, and importing what `_early_imports` names
        self._early_imports: set[str] = set()
        self._main_lock = threading.Lock()  # held while the main template process imports more
        self._is_repeating = False  # it is what the process has done before, and so takes no longer
        self._starting: set[TemplateProcess] = set()
        self._ended = False
        self._lifeline: int | None = None  # closes when this process ends, and all that was forked ends with it
        self._lifeline_reader = -1
        self._process: subprocess.Popen[bytes] | ChildProcess | None = None

    def start(self, env: Mapping[str, str], cwd: str | None = None) -> None:
        """Start the main template process and wait until it is ready.

        Raises
        ------
        LostTemplateError
            If the process has ended.
        CannotForkError
            If the installed packages lack a name that `irislib._common.borrowed` lists for kernels.
        """
        self._suspect = ""
        template, self._early = self._early, None
        if template is not None and self._take_early(template, env, cwd):
            return
        while True:
            self.imports = [name for name in self.imports if name not in self.left_out]
            template = self._launch(env, cwd, start_process)
            if self._import(template, {"imports": self.imports}):
                self.main = template
                return

    def launch_early(self, start: Start | None = None) -> None:
        """Start the main template process, and let it import; its folder and its environment come with `start`.

        Parameters
        ----------
        start : callable, optional
            Starts the process; `start_process` if left out.
        """
        environment = {name: os.environ[name] for name in os.environ if name not in SECRETS}
        self._early = self._launch(environment, None, start or start_process)
        self._starting.add(self._early)
        self._early.send({"imports": self.imports})
        self._early_imports = {*self.imports}

    def _take_early(self, template: TemplateProcess, env: Mapping[str, str], cwd: str | None) -> bool:
        """Make a process that was launched early the main one; return False if another has to be started."""
        self._starting.discard(template)
        more = [name for name in self.imports if name not in self._early_imports]
        request = {"imports": more, "environment": single_threaded(env), "cwd": cwd}
        if not (self._import(template, None) and self._import(template, request)):
            return False
        self.main = template
        return True

    def add_import(self, name: str, env: Mapping[str, str], cwd: str | None = None) -> None:
        """Import a module or call a function in the main template process as well; meanwhile nothing is forked from it.

        If that starts a thread, ends the process or takes too long, the process is started again without it.

        Raises
        ------
        LostTemplateError, CannotForkError
        """
        if name in self.left_out:
            return
        is_repeated = name in self.imports
        if not is_repeated:
            self.imports.append(name)
        with self._main_lock:
            self._is_repeating, (template, self.main) = is_repeated, (self.main, None)
            if template is not None and self._import(template, {"imports": [name]}):
                self.main = template
                return
            self.start(env, cwd)

    def _import(self, template: TemplateProcess, request: Mapping[str, Any] | None) -> bool:
        """Let a template process import modules; return False if it has ended, and another has to be started.

        Parameters
        ----------
        template : TemplateProcess
        request : mapping or None
            None if it was sent already.
        """
        with self._starting_up(template):
            reply = self._receive_imports(template, request)
        if not reply:
            return False
        if reply["missing"]:
            template.end()
            raise CannotForkError(" ".join(reply["missing"]))
        if threaded_module := reply["threaded_module"]:
            template.end()
            self._leave_out(threaded_module, STARTS_THREAD % reply["starter"])
        return not threaded_module

    def _receive_imports(self, template: TemplateProcess, request: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return a template process's reply once it has imported modules; an empty one if that has ended it."""
        module = ""
        try:
            reply = template.request(request, timeout=CALL_TIMEOUT)
            while module := reply.get("importing", ""):
                reply = template.request(None, timeout=CALL_TIMEOUT if ":" in module else self.import_timeout)
            return reply
        except LostTemplateError as error:
            if self._ended or not module:
                raise
            if isinstance(error.__cause__, TimeoutError):
                self._leave_out(module, TAKES_TOO_LONG % self.import_timeout)
            elif module == self._suspect:  # for the second time: nobody else has ended it
                self._leave_out(module, ENDS_PROCESS)
            self._suspect = module
            return {}

    def _leave_out(self, module: str, reason: str) -> None:
        self.left_out[module] = reason
        log.warning(LEFT_OUT, module, reason)

    @contextmanager
    def _starting_up(self, template: TemplateProcess) -> Iterator[None]:
        """Register a template process that is not ready yet, so that `end` ends it, too."""
        self._starting.add(template)
        try:
            if self._ended:
                template.end()
            yield
        finally:
            self._starting.discard(template)

    def _launch(self, env: Mapping[str, str], cwd: str | None, start: Start) -> TemplateProcess:
        if self._lifeline is None:
            self._lifeline_reader, self._lifeline = os.pipe()
        if self._process:
            self._process.wait()  # it has ended, or it would still be the main template process
        environment = {name: value for name, value in env.items() if name != "JPY_PARENT_PID"}
        server_end, template_end = messages.pair()
        with template_end:
            files = (template_end.fileno(), self._lifeline_reader)
            self._process = start(files, single_threaded(environment), cwd)
        return TemplateProcess(self._process.pid, server_end)

    def run_notebook(
        self,
        page: str,
        notebook: Mapping[str, Any],
        cwd: str,
        timeout: float | None = None,
        memory: int = 0,
        language: str = "",
    ) -> dict[str, Any]:
        """Run the notebook of a page in a template process of its own.

        Parameters
        ----------
        page : str
            Name of the page, by which `fork` finds its template process.
        notebook : mapping
            The notebook as JSON.
        cwd : str
            Working directory.
        timeout : float, optional
            Seconds that the notebook may take.
        memory : int
            Limit of private memory in bytes; 0 for no limit.
        language : str
            In which the page addresses people; empty for that of the main template process.

        Returns
        -------
        dict
            The result of :func:`irislib._forkserver.notebook.run_notebook`, or the ``refusal``.

        Raises
        ------
        LostTemplateError
            If the main template process has ended.
        """
        with self._main_lock:
            if self.main is None:
                raise LostTemplateError("there is no template process")
            request = {"notebook": notebook, "cwd": cwd, "memory": memory, "language": language}
            template = self._fork_template(self.main, request)
        try:
            with self._starting_up(template):
                result = template.request(None, timeout=timeout)
        except LostTemplateError as error:
            timed_out = isinstance(error.__cause__, TimeoutError)
            return {"refusal": f"it takes more than {timeout:g} seconds" if timed_out else PROCESS_ENDED}
        if "refusal" in result:
            template.end()
        else:
            self.page_templates[page] = template
        return result

    def warm_up(self, page: str, timeout: float) -> bool:
        """Replace the template process of a page by one that has done ahead what its visitors need.

        Until then, or if that fails or takes longer than ``timeout`` seconds, kernels are forked from the one before.

        Returns
        -------
        bool
            True if it was replaced.
        """
        if (template := self.page_templates.get(page)) is None:
            return False
        try:
            warm = self._fork_template(template, {"warm_up": True})
            with self._starting_up(warm):
                result = warm.request(None, timeout=timeout)
        except (LostTemplateError, OSError):
            return False
        if "refusal" in result or self.page_templates.get(page) is not template:
            warm.end()
            return False
        self.page_templates[page] = warm
        template.end_after_request()
        return True

    def fork(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, page: str = "") -> ForkedProcess | None:
        """Fork a kernel; return None if it has to be started in the ordinary way.

        Parameters
        ----------
        argv : sequence of str
            Command line arguments of ipykernel.
        env : mapping of str to str
            The whole environment of the kernel.
        cwd : str
            Working directory.
        page : str
            Name of the warm page that the kernel is for; empty for the main template process.

        Returns
        -------
        ForkedProcess or None
        """
        if not page and self.main is None and self._is_repeating:
            with self._main_lock:  # a kernel that is started in the ordinary way would take longer
                pass
        template = self.page_templates.get(page) if page else self.main
        if template is None:
            return None
        request = {"argv": list(argv), "env": dict(env), "cwd": cwd, "page": page, "threads": self.threads}
        try:
            return ForkedProcess(*self._fork(template, request))
        except LostTemplateError:
            self.discard(template)
            has_other = page in self.page_templates  # which has replaced it meanwhile
            return self.fork(argv, env, cwd, page) if has_other else None

    def _fork_template(self, origin: TemplateProcess, request: Mapping[str, Any]) -> TemplateProcess:
        """Fork the template process of a page, which sends the result of the request over a channel of its own."""
        server_end, template_end = messages.pair()
        try:
            with template_end:
                pid, status = self._fork(origin, request, template_end.fileno())
            os.close(status)
            return TemplateProcess(pid, server_end)
        except BaseException:
            server_end.close()  # a process that has been forked ends when it sends its result
            raise

    def _fork(self, template: TemplateProcess, request: Mapping[str, Any], *files: int) -> tuple[int, int]:
        status, status_writer = os.pipe()
        try:
            reply = template.request(request, [status_writer, *files])
            if number := reply.get("errno"):
                raise OSError(number, os.strerror(number))
            return reply["pid"], status
        except (LostTemplateError, OSError):
            os.close(status)
            raise
        finally:
            os.close(status_writer)

    def templates(self) -> list[TemplateProcess]:
        """Return the handles of all template processes."""
        return [template for template in (self.main, *self.page_templates.values()) if template]

    def discard_ended(self) -> None:
        """Discard the template processes that have ended."""
        for template in self.templates():
            if template.has_ended():
                self.discard(template)

    def discard(self, template: TemplateProcess) -> None:
        """End a template process and request nothing more of it."""
        template.end()
        if template is self.main:
            self.main = None
        for page, page_template in list(self.page_templates.items()):
            if page_template is template:
                self.page_templates.pop(page, None)

    def end(self) -> None:
        """End all template processes and all kernels forked from them."""
        self._ended = True
        for template in (*self.templates(), *self._starting):
            template.end()
        self.main, self.page_templates = None, {}
        if self._lifeline is not None:
            os.close(self._lifeline)
            os.close(self._lifeline_reader)
            self._lifeline = None
        if self._process:
            self._process.wait()
            self._process = None
