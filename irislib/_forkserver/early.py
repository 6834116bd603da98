"""A template process that starts before its server has imported anything, so that both import at the same time."""

from __future__ import annotations

from irislib._forkserver.client import ForkServer, can_fork

__all__ = ["IMPORTS", "end", "launch", "take"]

# Modules that a page's kernel imports, for all kernels to share; a notebook's own imports are added.
IMPORTS = ("ipywidgets", "anywidget", "numpy", "pandas", "sklearn.ensemble", "sklearn.inspection", "matplotlib.figure",
           "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "irislib", "irislib.widgets",
           "irislib.insights", "irislib._modeling.many_rows", "irislib._modeling.csv_files",
           "irislib.widgets._report", "irislib._forkserver.rehearsal:rehearse")  # fmt: skip

_launched: list[ForkServer] = []


def launch() -> None:
    """Start a template process, which imports what every server's does."""
    if can_fork():
        fork_server = ForkServer(IMPORTS)
        fork_server.launch_early()
        _launched.append(fork_server)


def take() -> ForkServer:
    """Return the fork server that was launched, or another one."""
    return _launched.pop() if _launched else ForkServer(IMPORTS)


def end() -> None:
    """End what was launched and not taken."""
    while _launched:
        _launched.pop().end()
