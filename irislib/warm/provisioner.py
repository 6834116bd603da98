"""What jupyter_client asks for a kernel."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, ClassVar

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Int, List, Unicode

from irislib.warm.nursery import LostTemplateError, Nursery, can_fork

__all__ = ["WarmProvisioner"]

PAGE = "IRISLIB_PAGE"  # in a kernel's environment: the page it is for


class WarmProvisioner(LocalProvisioner):
    """Forks kernels from a template; starts them in the ordinary way where it cannot.

    A kernelspec names it as ``{"kernel_provisioner": {"provisioner_name": "irislib-warm", "config":
    {"imports": [...]}}}`` in its metadata. In ``irislib serve`` the server has its template already;
    any other program gets one at the first kernel, which is an ordinary one, as is the next while
    the template is getting ready.
    """

    imports = List(Unicode(), help="Modules to import before a kernel is forked; or to call, as module:function.")
    threads = Int(os.cpu_count() or 1, help="The threads of native libraries in a kernel.")

    nursery: ClassVar[Nursery | None] = None
    getting_ready: ClassVar[asyncio.Future[None] | None] = None
    process: Any = None
    page = ""  # what the kernel was forked for

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel, or start one."""
        env, cwd = kwargs["env"], str(kwargs.get("cwd") or os.getcwd())
        page = env.pop(PAGE, "")
        ours = can_fork() and cmd[:3] == [sys.executable, "-m", "ipykernel_launcher"]
        nursery = self.ready(env, cwd) if ours else None
        forked = await asyncio.to_thread(nursery.fork, cmd[3:], env, cwd, page) if nursery else None
        if forked is None:
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.page, self.cwd = forked, page, cwd
        self.pid = self.pgid = forked.pid  # it leads its own group, at once or nearly so
        return self.connection_info

    def ready(self, env: dict[str, str], cwd: str) -> Nursery | None:
        """The template, if it can fork already."""
        kind = type(self)
        if kind.nursery is None:
            kind.nursery = Nursery(self.imports, self.threads)
            kind.getting_ready = asyncio.ensure_future(self.get_ready(kind.nursery, env, cwd))
        return kind.nursery if kind.nursery.first else None

    async def get_ready(self, nursery: Nursery, env: dict[str, str], cwd: str) -> None:
        try:
            await asyncio.to_thread(nursery.start, env, cwd)
        except LostTemplateError as error:
            self.log.warning("Kernels are started in the ordinary way: %s.", error)
