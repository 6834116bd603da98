"""The kernelspec of visitors' kernels, and their transport."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.paths import jupyter_path
from traitlets import default
from traitlets.config import Config

__all__ = ["AppKernelSpecManager", "private_transport"]

SHORT_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108 - Voila makes a folder of mode 0700 there
MAX_SOCKET_PATH = 103  # of a socket's path: the least of Linux's and macOS's limits


class AppKernelSpecManager(KernelSpecManager):
    """Use the kernelspec of apps for ``python3``, so that notebooks run without changes.

    That kernel writes no history to the operator's home. Log messages and the output of subprocesses
    go to the server's log instead of the visitor's page.
    """

    @default("kernel_dirs")
    def _ipython_free_kernel_dirs(self) -> list[str]:
        """Look where jupyter_client does, without importing all of IPython to learn the name of its folder."""
        ipython_dir = os.environ.get("IPYTHONDIR") or Path("~", ".ipython")
        return [*jupyter_path("kernels"), str(Path(ipython_dir).expanduser() / "kernels")]

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec = super().get_kernel_spec("irislib" if kernel_name == "python3" else kernel_name)
        if spec.argv[0] == "python":
            spec.argv = [sys.executable, *spec.argv[1:]]  # the server's own, whatever PATH says
        if spec.argv[1:3] == ["-m", "ipykernel_launcher"]:
            spec.argv = [*spec.argv, "--IPKernelApp.capture_fd_output=False"]
        return spec


def private_transport(folder: str = "") -> Config:
    """Configure Unix sockets in a private folder for the kernels; TCP would be open to all users.

    Parameters
    ----------
    folder : str
        The operator's choice of a folder, if there is one.

    Returns
    -------
    Config
        Empty if the system has no such sockets, or no folder whose path is short enough.
    """
    candidates = [tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR", ""), *SHORT_FOLDERS]
    folders = [folder] if folder else candidates
    usable = [
        candidate
        for candidate in folders
        if candidate and os.access(candidate, os.W_OK | os.X_OK) and has_room_for_sockets(candidate)
    ]
    if not usable or not hasattr(socket, "AF_UNIX"):
        return Config()
    return Config({"Voila": {"connection_dir_root": usable[0]}, "KernelManager": {"transport": "ipc"}})


def has_room_for_sockets(folder: str) -> bool:
    """Return True if the path of a kernel's socket in this folder is short enough for the system."""
    return len(str(Path(folder) / "voila_12345678" / f"kernel-{'0' * 36}-ipc-1")) <= MAX_SOCKET_PATH
