"""One visitor's kernel: how its end is noticed and told, and how much it may say while its page is built."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.ioloop.restarter import AsyncIOLoopKernelRestarter
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from traitlets import Type, default

from irislib._common.messages import TEXTS

__all__ = ["VisitorKernel"]

# Characters that a page is built of, printed and shown in other ways: much that is printed is a mistake.
MOST = {
    "stream": 1_000_000,
    "display_data": 20_000_000,
    "execute_result": 20_000_000,
    "update_display_data": 20_000_000,
}


class DeathWatch(AsyncIOLoopKernelRestarter):
    """Tells of a kernel that died, and starts none in its place: that would lack all the visitor had entered."""

    async def poll(self) -> None:  # type: ignore[override]  # as in the class it extends
        """See whether the kernel is alive."""
        if not await self.kernel_manager.is_alive() and not self.kernel_manager.shutting_down:
            self.tell()

    def tell(self) -> None:
        """Tell the manager and the pages that the kernel has ended."""
        self.stop()
        self._fire_callbacks("dead")


class MeasuredChannel(AsyncZMQSocketChannel):
    """Leaves out what a notebook prints beyond any measure, before it fills a page and the server's memory."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.said: Counter[str] = Counter()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]  # as above
        """The next message that is not left out."""
        while True:
            message: dict[str, Any] = await super().get_msg(timeout)
            kind = message["msg_type"]
            if kind not in MOST:
                return message
            before = self.said[kind]
            self.said[kind] += len(message["content"].get("text") or str(message["content"]))
            if self.said[kind] <= MOST[kind]:
                return message
            if before <= MOST[kind]:  # the first that is too much
                message["msg_type"] = message["header"]["msg_type"] = "stream"
                message["content"] = {"name": "stdout", "text": TEXTS["output_cut"]}
                return message


class PageClient(AsyncKernelClient):
    """What a page is built with. A kernel whose page is being built is not alone."""

    iopub_channel_class = Type(MeasuredChannel)
    parent: Any
    counted = False

    def start_channels(self, *args: Any, **kwargs: Any) -> None:
        """Open the connection."""
        super().start_channels(*args, **kwargs)
        if not self.counted:
            self.counted = True
            self.parent.parent.notify_connect(self.parent.kernel_id)

    def stop_channels(self) -> None:
        """Close the connection."""
        super().stop_channels()
        if self.counted:
            self.counted = False
            self.parent.parent.notify_disconnect(self.parent.kernel_id)


class VisitorKernel(ServerKernelManager):  # type: ignore[misc]
    """jupyter_server's, which is never started again, and ends at once."""

    @default("restarter_class")
    def _restarter_class(self) -> type:
        return DeathWatch

    @default("client_class")
    def _client_class(self) -> str:
        return f"{__name__}.PageClient"

    @default("client_factory")
    def _client_factory(self) -> type:
        return PageClient

    @default("event_logger")
    def _default_event_logger(self) -> Any:
        """One for all: jupyter_server's would be a new one for each kernel, reading its schemas, never forgotten."""
        if self.parent.events is None:
            self.parent.events = super()._default_event_logger()
        return self.parent.events

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End it at once, whatever it is doing.

        Nothing of a visitor's is worth waiting for, and a kernel that is still starting takes the polite
        request, and the interrupt that comes with it, for an error. SIGTERM first: joblib's processes
        clear their files away when the kernel is gone, but not when they are killed with it.
        """
        self.shutting_down = True
        if isinstance(self._restarter, DeathWatch):
            self._restarter.tell()  # those whose page is open, for it is idle
        if self.has_kernel:
            await self.provisioner.terminate()
            for _ in range(20):
                await asyncio.sleep(0.05)
                if await self.provisioner.poll() is not None:
                    break
        await super().shutdown_kernel(now=True, restart=restart)
        if not restart:
            self.parent.remove_kernel(self.kernel_id)  # whoever has ended it, such as a page that could not be built
