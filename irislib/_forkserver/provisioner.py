"""The kernel provisioner of jupyter_client that forks kernels."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any, ClassVar

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int, List, Unicode

from irislib._forkserver.client import ForkServer
from irislib._forkserver.template_process import LostTemplateError, can_fork

__all__ = ["ForkProvisioner"]

PAGE_VARIABLE = "IRISLIB_PAGE"  # environment variable of a kernel: the name of its page


class ForkProvisioner(LocalProvisioner):
    """Provisioner that forks kernels from a template process, or starts them in the ordinary way.

    A kernelspec names it as ``{"kernel_provisioner": {"provisioner_name": "irislib-warm", "config":
    {"imports": [...]}}}`` in its metadata. ``irislib serve`` starts the template process itself; any other
    program gets one at its first kernel, and another one if it ends. Kernels are ordinary ones until the
    template process is ready.
    """

    imports = List(Unicode(), help="Modules to import before a fork, or functions to call, as module:function.")
    threads = Int(os.cpu_count() or 1, help="Number of threads of native libraries in a kernel.")

    fork_server: ClassVar[ForkServer | None] = None
    starter: ClassVar[threading.Thread | None] = None  # None if no template process is to be started from here
    process: Any = None
    page = ""  # the name of the page that the kernel was forked for

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel, or start one in the ordinary way."""
        env, cwd = kwargs["env"], str(kwargs.get("cwd") or os.getcwd())
        page = env.pop(PAGE_VARIABLE, "")
        forkable = can_fork() and cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"]
        fork_server = type(self).fork_server if forkable else None
        forked = await asyncio.to_thread(fork_server.fork, cmd[3:], env, cwd, page) if fork_server else None
        if forkable and forked is None:
            self.start_template(env, cwd)
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.page, self.cwd = forked, page, cwd
        self.pid = self.pgid = forked.pid  # it leads its own group, at once or nearly so
        return self.connection_info

    def start_template(self, env: dict[str, str], cwd: str) -> None:
        """Start the template process in the background if this is the first kernel, or if it has ended."""
        cls = type(self)
        if cls.fork_server is None:
            cls.fork_server = ForkServer(self.imports, self.threads)
        elif cls.fork_server.main or cls.starter is None or cls.starter.is_alive():
            return
        else:
            self.log.warning("The template process of kernels has ended; another is started.")
        cls.starter = threading.Thread(target=self.run_starter, args=(cls.fork_server, env, cwd), daemon=True)
        cls.starter.start()

    def run_starter(self, fork_server: ForkServer, env: dict[str, str], cwd: str) -> None:
        try:
            fork_server.start(env, cwd)
        except LostTemplateError as error:
            type(self).starter = None  # it would end again
            self.log.warning("Kernels are started in the ordinary way: %s.", error)
