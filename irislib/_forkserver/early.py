"""A template process that starts with its server, so that both import at the same time, and the same things once."""

from __future__ import annotations

from collections.abc import Sequence

from irislib._common import tracing
from irislib._forkserver import own_fork
from irislib._forkserver.client import ForkServer
from irislib._forkserver.template_process import can_fork
from irislib._forkserver.threads import has_threads, use_all_threads

__all__ = ["IMPORTS", "end", "launch", "take"]

# Modules that a page's kernel imports, for all kernels to share; a notebook's own imports are added.
IMPORTS = ("ipywidgets", "anywidget", "numpy", "pandas", "sklearn.ensemble", "matplotlib.figure",
           "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "irislib", "irislib.widgets",
           "irislib.insights", "irislib._modeling.many_rows", "irislib._modeling.csv_layout",
           "irislib._modeling.csv_predictions", "irislib._modeling.csv_results",
           "irislib.widgets._report", "irislib._forkserver.rehearsal:rehearse")  # fmt: skip

_launched: list[ForkServer] = []


def launch(arguments: Sequence[str]) -> None:
    """Start a template process, which imports what every server's does.

    It is a fork of this process, which imports before what both need, unless that is not possible.

    Parameters
    ----------
    arguments : sequence of str
        The options of the server.
    """
    if not can_fork():
        return
    fork_server = ForkServer([*IMPORTS, *tracing.imports()])
    if not has_threads() and not own_fork.may_hold_secret(arguments) and own_fork.import_shared():
        fork_server.launch_early(own_fork.fork_process)
        use_all_threads()
    else:
        fork_server.launch_early()
    _launched.append(fork_server)


def take() -> ForkServer:
    """Return the fork server that was launched, or another one."""
    return _launched.pop() if _launched else ForkServer(IMPORTS)


def end() -> None:
    """End what was launched and not taken."""
    while _launched:
        _launched.pop().end()
