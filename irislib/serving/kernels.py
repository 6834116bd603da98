"""The kernels that visitors get."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

__all__ = ["AppKernelSpecManager", "sockets_fit"]


class AppKernelSpecManager(KernelSpecManager):
    """Answers ``python3`` with the kernelspec of apps, so that notebooks run anywhere as they are.

    That kernel writes no history to the operator's home, and what the library logs reaches the
    server's log instead of the visitor's page.
    """

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec = super().get_kernel_spec("irislib" if kernel_name == "python3" else kernel_name)
        if spec.argv[0] == "python":
            spec.argv = [sys.executable, *spec.argv[1:]]  # the server's own, whatever PATH says
        return spec


def sockets_fit(folder: str) -> bool:
    """Whether the path of a kernel's socket below this folder is one that the system allows."""
    longest = Path(folder) / "voila_12345678" / f"kernel-{'0' * 36}-ipc-1"
    return hasattr(socket, "AF_UNIX") and len(str(longest)) < 104  # the least of Linux's and macOS's limits
