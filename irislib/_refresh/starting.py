"""The start of a refresh by a server: ``irislib refresh`` in a process of its own, which ends with the server."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from irislib._common.messages.refresh import TEXTS
from irislib._common.settings import SETTINGS, secret_variables
from irislib._modeling import registry, store
from irislib._refresh import runs
from irislib._refresh.own_run import OwnRun
from irislib._refresh.request import check_request
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._refresh.request import Request
    from irislib._refresh.runs import Run
    from irislib._store.files import Root

__all__ = ["end_with_this_process", "start"]

log = logging.getLogger(__name__)

_lifeline: tuple[int, int] | None = None  # a pipe: who has its second end and those forked from it have ended


def end_with_this_process() -> int:
    """Let the runs that this process and its forks start end once all of them have ended, and no sooner.

    Returns
    -------
    int
        The descriptor that such a run watches.
    """
    global _lifeline
    if _lifeline is None:
        _lifeline = os.pipe()
    return _lifeline[0]


def start(
    spec: ModelSpec, request: Request, root: Root | None = None, reference: str = "", file: BinaryIO | None = None
) -> Run:
    """Start a refresh in a process of its own, and return its record.

    It has a low priority and a limit of memory, as the command has, and ends when this process does.

    Parameters
    ----------
    spec : ModelSpec
    request : Request
    root : Path or str, optional
        The store; the default one if left out.
    reference : str, optional
        ``package.module:name`` of the description; the one that this process has found it by if left out.
    file : file, optional
        New rows, instead of ``request.file``: an open file, which need not have a name.

    Raises
    ------
    RunningError
        If another one is running.
    IrislibError
        If the request is contradictory, or the process cannot be started.
    """
    root = store.default_root() if root is None else root
    reference = reference or registry.reference_of(spec.name)
    check_request(spec, request)
    if not reference:
        raise IrislibError(TEXTS["no_reference"].format(name=spec.name))
    own = OwnRun.begin(spec.name, root, request, is_own=False)
    try:
        process = _start_process(own, request, root, reference, file)
        with suppress(ProcessLookupError):
            runs.note_process(own.folder, process.pid)
    except OSError as error:
        own.finish(runs.FAILED, TEXTS["not_started"].format(error=error.strerror or error))
        raise IrislibError(own.run.result) from error
    finally:
        own.let_go(is_handed_over=True)
    threading.Thread(target=process.wait, name="refresh", daemon=True).start()  # or it would stay a zombie
    log.info("%s", TEXTS["started"].format(name=spec.name, id=own.run.id))
    return runs.read(own.folder) or own.run


def _start_process(
    own: OwnRun, request: Request, root: Root, reference: str, file: BinaryIO | None
) -> subprocess.Popen[bytes]:
    descriptors = [*own.locks, end_with_this_process()]
    arguments = ["--model", reference, "--run", str(own.folder), ",".join(map(str, descriptors))]
    if file is not None:
        file.seek(0)
        descriptors.append(file.fileno())
    data = request.file if file is None else Path(f"/dev/fd/{file.fileno()}")
    arguments += [] if data is None else ["--data", str(data)]
    flags = {"--replace": request.replaces, "--skip-bad-rows": request.skips_bad_rows, "--force": request.is_forced}
    arguments += [flag for flag, is_set in flags.items() if is_set]
    arguments += [f"--note={request.note}"] if request.note else []
    hidden = {*secret_variables(), registry.SESSION}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {
        SETTINGS["store"].variable: str(root),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # servers have options that add to it
    }
    with open(own.folder / runs.LOG, "wb") as printed:
        return subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", "irislib", "refresh", *arguments], env=environment, stdin=subprocess.DEVNULL,
            stdout=printed, stderr=printed, pass_fds=descriptors, start_new_session=True,
        )  # fmt: skip
