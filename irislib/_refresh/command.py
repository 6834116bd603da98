"""``irislib refresh``: a process of its own, of low priority and with a limit of memory.

A server starts the same command, with the run that it has begun.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.messages.refresh import TEXTS
from irislib._common.settings import environment_value
from irislib._modeling import store
from irislib._modeling.user_errors import user_errors
from irislib._refresh.own_run import OwnRun
from irislib._refresh.progress_line import ProgressLine
from irislib._refresh.refreshing import work
from irislib._refresh.request import Request, check_request
from irislib._serving import memory
from irislib._store.entries import whoami
from irislib.errors import IrislibError, UserCodeError

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["add_arguments", "run"]

NICENESS = 10
REFUSED = 3  # the exit status of a version that is not served


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--data", type=Path, metavar="FILE", help="new rows: CSV, Parquet or Excel [load_data]")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--append", action="store_true", help="add them to the data of the current version [yes]")
    mode.add_argument("--replace", action="store_true", help="train on them alone")
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave out rows that are not valid")
    parser.add_argument("--note", default="", help="a note for the log of the store")
    parser.add_argument("--force", action="store_true", help="serve it though it is refused; needs --note")
    # of a server: the folder of the run that it has begun, and the descriptors of its locks and of its lifeline
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)


def run(find_spec: Callable[[], ModelSpec], options: argparse.Namespace) -> int:
    """Refresh a model in this process, and print what became of it; 3 if it is not served.

    Parameters
    ----------
    find_spec : callable
        Returns the model's description.
    options : Namespace
    """
    root = store.default_root()
    request = Request(options.data, options.replace, options.skip_bad_rows, options.note, options.force)
    with ExitStack() as stack:
        own = None
        if options.run:
            own = stack.enter_context(_adopt(*options.run))
            request = replace(request, file_name=own.run.file)
        spec = find_spec()
        stack.enter_context(user_errors(spec))
        if own is None:
            check_request(spec, request)
            own = stack.enter_context(OwnRun.begin(spec.name, root, request))
            own.watch()
        line = stack.enter_context(ProgressLine(sys.stderr))
        own.on_step = line.show
        try:
            with _limits():
                result = work(spec, root, request, own)
        except KeyboardInterrupt:
            line.write(TEXTS["cancelled"].format(by=whoami()))
            raise
    print(result.text)
    return 0 if result.entry.serves else REFUSED


def _adopt(folder: str, numbers: str) -> OwnRun:
    *locks, lifeline = map(int, numbers.split(","))
    return OwnRun.adopt(Path(folder), locks, lifeline)


@contextmanager
def _limits() -> Iterator[None]:
    """Limit the priority and the memory of this process from now on."""
    limit = environment_value("refresh_memory")
    limit = memory.total() // 2 if limit is None else limit
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    memory.limit_process(os.getpid(), limit)
    try:
        yield
    except (MemoryError, UserCodeError) as error:
        if not isinstance(error if isinstance(error, MemoryError) else error.__cause__, MemoryError):
            raise
        raise IrislibError(TEXTS["memory"].format(limit=limit)) from None
