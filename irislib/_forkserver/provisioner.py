"""The kernel provisioner of jupyter_client that forks kernels."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, ClassVar

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int, List, Unicode

from irislib._forkserver.client import ForkServer, LostTemplateError, can_fork

__all__ = ["ForkProvisioner"]

PAGE_VARIABLE = "IRISLIB_PAGE"  # environment variable of a kernel: the name of its page


class ForkProvisioner(LocalProvisioner):
    """Provisioner that forks kernels from a template process, or starts them in the ordinary way.

    A kernelspec names it as ``{"kernel_provisioner": {"provisioner_name": "irislib-warm", "config":
    {"imports": [...]}}}`` in its metadata. ``irislib serve`` starts the template process itself; any other
    program gets one at its first kernel. Kernels are ordinary ones until the template process is ready.
    """

    imports = List(Unicode(), help="Modules to import before a fork, or functions to call, as module:function.")
    threads = Int(os.cpu_count() or 1, help="Number of threads of native libraries in a kernel.")

    fork_server: ClassVar[ForkServer | None] = None
    start_task: ClassVar[asyncio.Future[None] | None] = None
    process: Any = None
    page = ""  # the name of the page that the kernel was forked for

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel, or start one in the ordinary way."""
        env, cwd = kwargs["env"], str(kwargs.get("cwd") or os.getcwd())
        page = env.pop(PAGE_VARIABLE, "")
        forkable = can_fork() and cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"]
        fork_server = self.ready_fork_server(env, cwd) if forkable else None
        forked = await asyncio.to_thread(fork_server.fork, cmd[3:], env, cwd, page) if fork_server else None
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.page, self.cwd = forked, page, cwd
        self.pid = self.pgid = forked.pid  # it leads its own group, at once or nearly so
        return self.connection_info

    def ready_fork_server(self, env: dict[str, str], cwd: str) -> ForkServer | None:
        """Return the fork server if it is ready to fork; start it if there is none."""
        cls = type(self)
        if cls.fork_server is None:
            cls.fork_server = ForkServer(self.imports, self.threads)
            cls.start_task = asyncio.ensure_future(self.start_fork_server(cls.fork_server, env, cwd))
        return cls.fork_server if cls.fork_server.main else None

    async def start_fork_server(self, fork_server: ForkServer, env: dict[str, str], cwd: str) -> None:
        try:
            await asyncio.to_thread(fork_server.start, env, cwd)
        except LostTemplateError as error:
            self.log.warning("Kernels are started in the ordinary way: %s.", error)
