"""Turn a forked process into a kernel, with the shell that its template process has prepared."""

from __future__ import annotations

import atexit
import encodings.ascii  # noqa: F401
import faulthandler  # noqa: F401
import gc
import logging
import os
import signal
import sys
import threading
import traceback
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

# Imported here, so that kernels share the memory of what they would import at their start.
import comm
import IPython.core.debugger
import IPython.core.logger
import IPython.extensions.storemagic  # noqa: F401
import tornado.platform.asyncio  # noqa: F401
from ipykernel import ipkernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets.config import Config

from irislib._common import json_lines, tracing
from irislib._forkserver.generators import reseed
from irislib._forkserver.page_kernel import NO_PARENT, WarmKernelApp
from irislib._forkserver.server import LOG_HANDLER

__all__ = ["run_kernel", "shell"]


def shell() -> ZMQInteractiveShell:
    """Return the shell of this process, which its kernel takes over.

    Comms of ipykernel publish nothing while there is no kernel; `attach_shell` joins them to one.
    """
    # Matplotlib reads it when it is imported; ipykernel would set it later.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    import_without_debugger()
    without_history = Config({"HistoryManager": {"enabled": False}})  # its thread and its database cannot be forked
    return ZMQInteractiveShell.instance(config=without_history)


def import_without_debugger() -> None:
    """Import ipykernel without its debugger, which costs a kernel 19 MB and half of its starting time."""
    if "debugpy" not in sys.modules:
        sys.modules["debugpy"] = None  # type: ignore[assignment]
        import ipykernel.debugger  # noqa: F401 - looks for debugpy once

        del sys.modules["debugpy"]


def run_kernel(request: dict[str, Any], lifeline: int, generators: Iterable[Any]) -> None:
    """Run a kernel until it is shut down. Never returns."""
    code = 1
    try:
        forget_exit_functions()
        become_kernel(request, lifeline, generators)
        run_app(request)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        page = request["page"].rpartition("#")[0] or "a notebook"
        json_lines.report(f"A kernel of {page} has failed.", error=traceback.format_exc())  # nobody else knows why
    finally:
        try:
            atexit._run_exitfuncs()
            shell().user_ns.clear()  # closes the user's files, which writes what is in their buffers
            sys.stdout.flush()
        finally:
            os._exit(code)


def become_kernel(request: dict[str, Any], lifeline: int, generators: Iterable[Any]) -> None:
    """Give this process what it would have if it had been started as a kernel."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["env"])
    if tracing.VARIABLE in os.environ and not tracing.is_on():
        tracing.begin()
    os.chdir(request["cwd"])
    name_page(request["page"].rpartition("#")[0] or request["env"].get("SCRIPT_NAME", ""))
    with open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write("irislib-kernel")
    threading.Thread(target=exit_with_server, args=(lifeline,), daemon=True).start()
    reseed(generators)
    if threads := request["threads"]:
        set_threads(threads)
    gc.enable()


def run_app(request: dict[str, Any]) -> None:
    """Run ipykernel's application until a client asks for its end."""
    app: Any = (WarmKernelApp if request["page"] else IPKernelApp).instance(**NO_PARENT)
    with hide_modules():
        app.initialize(request["argv"])
    if json_lines.is_on():
        for handler in app.log.handlers:
            handler.setFormatter(json_lines.make_formatter())  # with the page
    if request["page"]:
        app.log.addFilter(InvalidMessages())
    attach_shell(app.kernel)
    if json_lines.is_on() or tracing.is_on():
        follow_requests(app.kernel)
    if app.capture_fd_output:
        log_to_cells()
    app.start()
    if app.control_thread:
        app.control_thread.stop()
        app.control_thread.join()  # it sends a last message; ipykernel's exit functions could block that for ever


class InvalidMessages(logging.Filter):
    """Pass the first of the invalid messages to the log, without its traceback: a page can send any number of them."""

    has_passed = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True if a record is to be logged."""
        if str(record.msg).lower() != "invalid message":
            return True
        is_first, self.has_passed = not self.has_passed, True
        record.exc_info = None
        return is_first


def forget_exit_functions() -> None:
    """Forget what is to be done at the exit of the template process: it would remove its files."""
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False
    atexit._clear()
    # Modules register these once, when they are imported or first used: in the template process.
    atexit.register(logging.shutdown)
    atexit.register(weakref.finalize._exitfunc)  # type: ignore[attr-defined]


def log_to_cells() -> None:
    """Let messages of `logging` appear in cells, in the user's own format; the template process has its own."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if handler.name == LOG_HANDLER:
            root.removeHandler(handler)


def name_page(page: str) -> None:
    """Begin messages of `logging` that go to the server's log with the name of the page."""
    if page:
        json_lines.OF_PROCESS["page"] = page
    for handler in logging.getLogger().handlers:
        if page and handler.name == LOG_HANDLER:
            text = logging.Formatter(f"{page.replace('%', '%%')}: [%(name)s] %(message)s")
            handler.setFormatter(json_lines.make_formatter() if json_lines.is_on() else text)


@contextmanager
def hide_modules() -> Iterator[None]:
    """Keep ipykernel from reading the path of every module, which it does for its debugger.

    Touching some thousand modules would copy 19 MB of the memory shared with the template process.
    """

    class SysWithoutModules:
        modules: ClassVar[dict[str, Any]] = {}

        def __getattr__(self, name: str) -> Any:
            return getattr(sys, name)

    module: Any = ipkernel
    module.sys = SysWithoutModules()
    try:
        yield
    finally:
        module.sys = sys


def attach_shell(kernel: Any) -> None:
    """Join a kernel to the shell and the widgets' comms that were made before it."""
    shell().kernel = kernel
    comms: dict[str, Any] = comm.get_comm_manager().comms
    for widget_comm in comms.values():
        widget_comm.kernel = kernel  # ipywidgets sends nothing without a kernel


def follow_requests(kernel: Any) -> None:
    """Let lines of the log have the id of the message that is being handled, and go on with its trace."""
    handle = kernel.shell_handlers["comm_msg"]

    def handle_followed(stream: Any, ident: Any, message: dict[str, Any]) -> Any:
        json_lines.REQUEST_ID.set(str(message["header"].get("msg_id")))
        with tracing.served("irislib.callback", message["metadata"], {"process.pid": os.getpid()}):
            return handle(stream, ident, message)

    kernel.shell_handlers["comm_msg"] = handle_followed
    if tracing.is_on():
        signal.signal(signal.SIGTERM, end_traced)


def end_traced(number: int, _: Any) -> None:
    """Send the last spans, and end."""
    tracing.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def exit_with_server(lifeline: int) -> None:
    """End this kernel and all its subprocesses when the server ends, however busy it is."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def set_threads(threads: int) -> None:
    """Set the number of threads of native libraries; a template process has one, since more cannot be forked."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
