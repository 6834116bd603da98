"""``irislib refresh``: a process of its own, of low priority and with a limit of memory."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.messages.refresh import TEXTS
from irislib._common.settings import environment_value
from irislib._modeling import store
from irislib._refresh.refreshing import Request, refresh
from irislib._serving import memory
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


def run(spec: ModelSpec, options: argparse.Namespace) -> int:
    """Refresh a model in this process, and print what became of it; 3 if it is not served.

    Parameters
    ----------
    spec : ModelSpec
    options : Namespace
    """
    limit = environment_value("refresh_memory")
    limit = memory.total() // 2 if limit is None else limit
    with suppress(OSError, AttributeError):
        os.nice(NICENESS)
    memory.limit_process(os.getpid(), limit)
    request = Request(options.data, options.replace, options.skip_bad_rows, options.note, options.force)
    try:
        result = refresh(spec, store.default_root(), request, lambda text: print(text, file=sys.stderr, flush=True))
    except (MemoryError, UserCodeError) as error:
        if not isinstance(error if isinstance(error, MemoryError) else error.__cause__, MemoryError):
            raise
        raise IrislibError(TEXTS["memory"].format(limit=limit)) from None
    print(result.text)
    return 0 if result.entry.serves else REFUSED
