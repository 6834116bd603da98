"""The kernel of a visitor: detection of its end, and limits of its output while the page is built."""

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

# Characters of output on a page, by message type: a lot of printed text is usually a mistake.
MAX_OUTPUT_CHARACTERS = {
    "stream": 1_000_000,
    "display_data": 20_000_000,
    "execute_result": 20_000_000,
    "update_display_data": 20_000_000,
}


class DeathWatch(AsyncIOLoopKernelRestarter):
    """Report the death of a kernel without a restart: a new one would lack the visitor's inputs."""

    async def poll(self) -> None:  # type: ignore[override]  # as in the class it extends
        """Report the kernel's death once it is not alive."""
        if not await self.kernel_manager.is_alive() and not self.kernel_manager.shutting_down:
            self.notify()

    def notify(self) -> None:
        """Notify the manager and the pages that the kernel has ended."""
        self.stop()
        self._fire_callbacks("dead")


class LimitedChannel(AsyncZMQSocketChannel):
    """Drop a notebook's output beyond a limit, before it fills the page and the server's memory."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.sizes: Counter[str] = Counter()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]  # as above
        """Return the next message that is within the limit."""
        while True:
            message: dict[str, Any] = await super().get_msg(timeout)
            msg_type = message["msg_type"]
            if msg_type not in MAX_OUTPUT_CHARACTERS:
                return message
            before = self.sizes[msg_type]
            self.sizes[msg_type] += len(message["content"].get("text") or str(message["content"]))
            if self.sizes[msg_type] <= MAX_OUTPUT_CHARACTERS[msg_type]:
                return message
            if before <= MAX_OUTPUT_CHARACTERS[msg_type]:  # the first one beyond the limit
                message["msg_type"] = message["header"]["msg_type"] = "stream"
                message["content"] = {"name": "stdout", "text": TEXTS["output_cut"]}
                return message


class PageClient(AsyncKernelClient):
    """The client that builds a page; its kernel counts as connected while it does."""

    iopub_channel_class = Type(LimitedChannel)
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
    """jupyter_server's kernel manager, for a kernel that is never restarted and ends at once."""

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
        """Share one logger: jupyter_server makes one for each kernel, reads its schemas, and never frees it."""
        if self.parent.shared_event_logger is None:
            self.parent.shared_event_logger = super()._default_event_logger()
        return self.parent.shared_event_logger

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End the kernel at once, even if it is busy.

        A visitor's kernel has nothing to save, and one that is still starting treats the shutdown request,
        and the interrupt that comes with it, as an error. SIGTERM first: joblib's processes remove their
        files when the kernel has ended, but not if they are killed with it.
        """
        self.shutting_down = True
        if isinstance(self._restarter, DeathWatch) and not self.parent.is_ending:
            self._restarter.notify()  # a page that is still open learns of it; of a server that ends, by its connection
        if self.has_kernel:
            await self.provisioner.terminate()
            for _ in range(20):
                await asyncio.sleep(0.05)
                if await self.provisioner.poll() is not None:
                    break
        await super().shutdown_kernel(now=True, restart=restart)
        if not restart:
            self.parent.remove_kernel(self.kernel_id)  # whatever has ended it, such as a page that could not be built
