"""The kernels that visitors get."""

from __future__ import annotations

import sys

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

__all__ = ["AppKernelSpecManager"]


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
