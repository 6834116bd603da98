"""What a forked process does to become a kernel, and what a template keeps ready for it."""

from __future__ import annotations

import atexit
import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

# What a kernel imports while it starts, for all to share.
import comm
import tornado.platform.asyncio  # noqa: F401
from ipykernel import ipkernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets.config import Config

__all__ = ["become", "generators", "has_threads", "shell"]


def shell() -> ZMQInteractiveShell:
    """The shell of this process, which its kernel takes over.

    ipykernel's comms, which are all that widgets need, publish nothing while there is no kernel
    are joined to it when there is one.
    """
    # What matplotlib reads when it is imported; ipykernel sets it later, and only if it is not set.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    without_debugger()
    quiet = Config({"HistoryManager": {"enabled": False}})  # its thread and its database cannot be forked
    return ZMQInteractiveShell.instance(config=quiet)


def has_threads() -> bool:
    """Whether this process has more than one thread: a forked one would lack the others."""
    return len(os.listdir("/proc/self/task")) > 1


def without_debugger() -> None:
    """Have ipykernel find no debugger: it costs a kernel 19 MB, and half of the time that it takes to start."""
    if "debugpy" not in sys.modules:
        sys.modules["debugpy"] = None  # type: ignore[assignment]
        import ipykernel.debugger  # noqa: F401 - looks for it once

        del sys.modules["debugpy"]


def become(question: dict[str, Any], lifeline: int, random_numbers: Iterable[Any]) -> None:
    """Be a kernel until it is shut down. Never returns."""
    os.setsid()
    atexit._clear()  # the template's: they would remove what is the template's
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(question["env"])
    os.chdir(question["cwd"])
    with open("/proc/self/comm", "w", encoding="ascii") as name:
        name.write("irislib-kernel")
    threading.Thread(target=end_with, args=(lifeline,), daemon=True).start()
    reseed(random_numbers)
    if threads := question["threads"]:
        set_threads(threads)
    gc.enable()
    code = 0
    try:
        kind: Any = AheadApp if question["ahead"] else IPKernelApp
        app = kind.instance(parent_handle=1)  # 1: watch nobody, and say nothing on a terminal
        with few_modules():
            app.initialize(question["argv"])
        take_over(app.kernel)
        app.start()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code)


@contextmanager
def few_modules() -> Iterator[None]:
    """Keep ipykernel from asking every module for its file, for a debugger that there is not.

    To touch each of some thousand modules is to copy 19 MB of the template's memory.
    """

    class Few:
        modules: ClassVar[dict[str, Any]] = {}

        def __getattr__(self, name: str) -> Any:
            return getattr(sys, name)

    patched: Any = ipkernel
    patched.sys = Few()
    try:
        yield
    finally:
        patched.sys = sys


def take_over(kernel: Any) -> None:
    """Make a kernel of what was there before there was one: its shell, and its widgets' comms."""
    shell().kernel = kernel
    comms: dict[str, Any] = comm.get_comm_manager().comms
    for opened in comms.values():
        opened.kernel = kernel  # ipywidgets sends nothing where there is none


class AheadApp(IPKernelApp):
    """For a notebook that was run ahead: code for before it would come too late."""

    def init_code(self) -> None:
        """Run nothing."""


def end_with(lifeline: int) -> None:
    """End when the server does, however busy this kernel is, and with all that it has started."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def generators() -> list[Any]:
    """The generators of random numbers in this process that nobody gave a seed.

    The standard library's own is left out: Python sees to it whenever a process is forked.
    """
    return [thing for thing in gc.get_objects() if is_unseeded(thing)]


def is_unseeded(thing: Any) -> bool:
    numbers = sys.modules.get("numpy.random")  # numpy imports it when it is first asked for
    if type(thing) is random.Random:  # it does not tell whether it was given a seed
        return thing is not random._inst
    if numbers is None:
        return False
    if isinstance(thing, numbers.RandomState):
        return thing._bit_generator.seed_seq is not None
    if isinstance(thing, numbers.BitGenerator):
        entropy = getattr(thing.seed_seq, "entropy", None)
        return isinstance(entropy, int) and entropy >= 2**64  # the system gives 128 bits
    return False


def reseed(found: Iterable[Any]) -> None:
    """Give a kernel random numbers of its own, where the template's were nobody's choice."""
    for generator in found:
        if hasattr(generator, "seed"):
            generator.seed()
        else:
            generator.state = type(generator)().state


def set_threads(threads: int) -> None:
    """The threads of native libraries; the template has one of each, for more cannot be forked."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
