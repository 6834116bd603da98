"""What jupyter_client asks for a kernel."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, ClassVar

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int, List, Unicode

from irislib._forkserver.client import ForkServer, LostTemplateError, can_fork

__all__ = ["ForkProvisioner"]

PAGE = "IRISLIB_PAGE"  # in a kernel's environment: the page it is for


class ForkProvisioner(LocalProvisioner):
    """Forks kernels from a template; starts them in the ordinary way where it cannot.

    A kernelspec names it as ``{"kernel_provisioner": {"provisioner_name": "irislib-warm", "config":
    {"imports": [...]}}}`` in its metadata. In ``irislib serve`` the server has its template already;
    any other program gets one at the first kernel, which is an ordinary one, as is the next while
    the template is getting ready.
    """

    imports = List(Unicode(), help="Modules to import before a kernel is forked; or to call, as module:function.")
    threads = Int(os.cpu_count() or 1, help="The threads of native libraries in a kernel.")

    fork_server: ClassVar[ForkServer | None] = None
    getting_ready: ClassVar[asyncio.Future[None] | None] = None
    process: Any = None
    page = ""  # what the kernel was forked for

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel, or start one."""
        env, cwd = kwargs["env"], str(kwargs.get("cwd") or os.getcwd())
        page = env.pop(PAGE, "")
        ours = can_fork() and cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"]
        fork_server = self.ready(env, cwd) if ours else None
        forked = await asyncio.to_thread(fork_server.fork, cmd[3:], env, cwd, page) if fork_server else None
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.page, self.cwd = forked, page, cwd
        self.pid = self.pgid = forked.pid  # it leads its own group, at once or nearly so
        return self.connection_info

    def ready(self, env: dict[str, str], cwd: str) -> ForkServer | None:
        """The template, if it can fork already."""
        kind = type(self)
        if kind.fork_server is None:
            kind.fork_server = ForkServer(self.imports, self.threads)
            kind.getting_ready = asyncio.ensure_future(self.get_ready(kind.fork_server, env, cwd))
        return kind.fork_server if kind.fork_server.first else None

    async def get_ready(self, fork_server: ForkServer, env: dict[str, str], cwd: str) -> None:
        try:
            await asyncio.to_thread(fork_server.start, env, cwd)
        except LostTemplateError as error:
            self.log.warning("Kernels are started in the ordinary way: %s.", error)
