"""Work in a short-lived child of a template process, whose memory then stays free of what the work leaves behind."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from irislib._forkserver.threads import has_threads

__all__ = ["ChildError", "call_in_child"]

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl.h


class ChildError(Exception):
    """A function could not be called in a child, or has failed there."""


def call_in_child(function: Callable[[], Any]) -> Any:
    """Call a function in a forked process and return its result; what it has imported is imported here, too.

    Parameters
    ----------
    function : callable
        Takes nothing and returns what JSON has.

    Raises
    ------
    ChildError
    """
    if sys.platform != "linux" or has_threads():
        raise ChildError("a process with threads is not forked")
    parent = os.getpid()
    reader, writer = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise ChildError(str(error)) from error
    if not pid:
        os.close(reader)
        _run_child(function, parent, writer)
    os.close(writer)
    with open(reader, "rb") as file:
        content = file.read()
    if os.waitpid(pid, 0)[1]:
        raise ChildError("the child has failed")
    result, modules = json.loads(content)
    for name in modules:
        with contextlib.suppress(Exception):  # whoever needs it sees that
            importlib.import_module(name)
    return result


def _run_child(function: Callable[[], Any], parent: int, writer: int) -> NoReturn:
    code = 1
    try:
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        before = {*sys.modules}
        if os.getppid() == parent:  # it may have been ended before
            content = json.dumps([function(), [name for name in sys.modules if name not in before]]).encode()
            with open(writer, "wb") as file:
                file.write(content)
            code = 0
    finally:
        os._exit(code)
