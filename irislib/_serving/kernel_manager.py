"""The kernel manager: limits, owners and culling of the kernels of all visitors."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from traitlets import default

from irislib._common import tracing
from irislib._common.client_addresses import client_of_ip
from irislib._forkserver.process import ForkedProcess
from irislib._serving import memory, system_limits
from irislib._serving.options import trait
from irislib._serving.page_metrics import (
    KERNEL_WAIT_SECONDS,
    KERNELS_LOST,
    KERNELS_STARTED,
    READY_SECONDS,
    page_label,
)
from irislib.errors import IrislibError

__all__ = [
    "CURRENT_PAGE",
    "CURRENT_VISITOR",
    "REQUESTED_AT",
    "STARTED_KERNEL",
    "AppKernelManager",
    "FullError",
    "visitor_address",
]

# The page and the visitor of the current request, and the kernel that was started for it; Voila passes on none.
CURRENT_PAGE: ContextVar[str] = ContextVar("page", default="")
CURRENT_VISITOR: ContextVar[str] = ContextVar("visitor", default="")
STARTED_KERNEL: ContextVar[str] = ContextVar("started", default="")
REQUESTED_AT: ContextVar[float] = ContextVar("requested_at", default=0.0)

KERNEL_BYTES = 250_000_000  # bytes that a kernel is expected to come to need
KERNELS_PER_CORE = 32
MAX_BUFFER_BYTES = 10_000_000  # bytes that are kept for a page whose connection is interrupted


class FullError(IrislibError):
    """There is no room for another kernel.

    Attributes
    ----------
    is_visitor_limit : bool
        True if the visitor has too many pages open, False if all visitors together have.
    """

    def __init__(self, is_visitor_limit: bool = False):
        self.is_visitor_limit = is_visitor_limit
        super().__init__(
            "This visitor has too many pages open." if is_visitor_limit else "There is no room for another page."
        )


class BoundedBuffer(list[tuple[str, list[bytes]]]):
    """Messages of a kernel, up to a limit of bytes."""

    size = 0

    def append(self, message: tuple[str, list[bytes]]) -> None:
        """Append a message if there is room for it."""
        self.size += sum(map(len, message[1]))
        if self.size <= MAX_BUFFER_BYTES:
            super().append(message)


def visitor_address(request: HTTPServerRequest) -> str:
    """Return the visitor whose kernels count together: the client, as the trusted proxies forwarded its address."""
    address = request.remote_ip or ""
    try:
        return client_of_ip(address)
    except ValueError:  # there is none
        return address


class AppKernelManager(AsyncMappingKernelManager):  # type: ignore[misc]
    """Voila's kernel manager, with limits.

    Attributes
    ----------
    spare : set of str
        Kernels that wait for a visitor. They do not count as visitors' kernels, and are never culled.
    visitors : dict of str
        The visitor of each other kernel.
    pages : dict of str
        The notebook of each kernel, as far as it is known.
    is_ending : bool
        The server ends, and with it all kernels.
    """

    is_ending = False
    max_kernels = trait("max_kernels")
    max_kernels_per_visitor = trait("max_kernels_per_visitor")
    memory_margin = trait("memory_margin")
    kernel_memory = trait("kernel_memory")
    disconnected_timeout = trait("disconnected_timeout")

    @default("kernel_manager_class")
    def _default_kernel_manager_class(self) -> str:
        return "irislib._serving.visitor_kernel.VisitorKernel"

    @default("max_kernels")
    def _max_kernels(self) -> int:
        return max(4, min(memory.total() // KERNEL_BYTES, KERNELS_PER_CORE * (os.cpu_count() or 1)))

    @default("max_kernels_per_visitor")
    def _max_kernels_per_visitor(self) -> int:
        return int(self.max_kernels + 1) // 2

    @default("memory_margin")
    def _memory_margin(self) -> int:
        return max(KERNEL_BYTES, memory.total() // 20)

    @default("kernel_memory")
    def _kernel_memory(self) -> int:
        return int(min(2 * 2**30, max(2**29, memory.total() // 4)))

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.shared_event_logger: Any = None  # the logger of all kernels' events, which the first one makes
        self.spare: set[str] = set()
        self.visitors: dict[str, str] = {}
        self.pages: dict[str, str] = {}
        self.traces: dict[str, dict[str, str]] = {}  # what the spans of a page's requests are children of
        self.requested: dict[str, float] = {}  # when the page was, whose browser has not connected yet
        self.starting: Counter[str] = Counter()
        self.disconnected_since: dict[str, float] = {}  # as measured by the culler
        self.ending: set[asyncio.Task[None]] = set()
        self.culler: PeriodicCallback | None = None

    def check_room(self, visitor: str | None = None) -> None:
        """Check that another kernel may be started.

        Raises
        ------
        FullError
            If it may not.
        """
        visitor = CURRENT_VISITOR.get() if visitor is None else visitor
        starting = self.starting.total()
        if len(self.visitors) + starting >= self.max_kernels:
            raise FullError
        count = sum(owner == visitor for owner in self.visitors.values()) + self.starting[visitor]
        if visitor and count >= self.max_kernels_per_visitor:
            raise FullError(is_visitor_limit=True)
        if memory.available() - starting * KERNEL_BYTES < self.memory_margin:
            raise FullError
        unconnected = sum(not self._kernel_connections.get(kernel) for kernel in self.visitors)
        if not system_limits.has_room_for_pages(starting + unconnected + 1):
            raise FullError

    def take(self, kernel_id: str) -> None:
        """Assign a spare kernel to the current visitor.

        Raises
        ------
        FullError
            If there is no room; it stays spare.
        LookupError
            If it is not spare, or has died.
        """
        if kernel_id not in self.spare:
            raise LookupError(kernel_id)
        self.check_room()
        self.spare.remove(kernel_id)
        self.visitors[kernel_id] = CURRENT_VISITOR.get()
        self.requested[kernel_id] = REQUESTED_AT.get()
        self.traces[kernel_id] = tracing.headers()
        KERNEL_WAIT_SECONDS.observe(0)
        STARTED_KERNEL.set(kernel_id)

    async def start_kernel(self, *, spare: bool = False, **kwargs: Any) -> str:
        """Start a kernel for the visitor of the current request, and return its id.

        Parameters
        ----------
        spare : bool
            True to let it wait for a visitor; see `take`.
        kwargs
            As jupyter_server has them.

        Raises
        ------
        FullError
            If there is no room for it.
        """
        visitor, begin = CURRENT_VISITOR.get(), time.perf_counter()
        kernel_id: str = kwargs.setdefault("kernel_id", self.new_kernel_id(**kwargs))
        if hasattr(self.parent, "kernel_environment"):
            kwargs["env"] = self.parent.kernel_environment(kwargs.get("env") or os.environ)
        if not spare:
            self.check_room()
            self.starting[visitor] += 1
        try:
            with tracing.span("irislib.start_kernel"):
                await super().start_kernel(**kwargs)
        except BaseException as error:
            self._pending_kernels.pop(kernel_id, None)
            Path(self.connection_dir, f"kernel-{kernel_id}.json").unlink(missing_ok=True)
            self.remove_kernel(kernel_id)
            if system_limits.is_exhausted(error):
                raise FullError from error
            raise
        finally:
            if not spare:
                self.starting[visitor] -= 1
        self.pages[kernel_id] = CURRENT_PAGE.get()
        is_forked = isinstance(getattr(self.get_kernel(kernel_id).provisioner, "process", None), ForkedProcess)
        KERNELS_STARTED.labels("forked" if is_forked else "process").inc()
        memory.limit_process(self.get_kernel(kernel_id).provisioner.pid, self.kernel_memory)
        if spare:
            self.spare.add(kernel_id)
        else:
            self.visitors[kernel_id] = visitor
            self.requested[kernel_id] = REQUESTED_AT.get()
            self.traces[kernel_id] = tracing.headers()
            KERNEL_WAIT_SECONDS.observe(time.perf_counter() - begin)
            STARTED_KERNEL.set(kernel_id)
        return kernel_id

    def remove_kernel(self, kernel_id: str) -> Any:
        """Remove a kernel that has ended, and close the connections that a page still had."""
        if kernel_id in self:
            self.stop_watching_activity(kernel_id)
            self.stop_buffering(kernel_id)
        self.spare.discard(kernel_id)
        for mapping in (
            self.visitors,
            self.pages,
            self.requested,
            self.traces,
            self.disconnected_since,
            self._kernel_connections,
            self._kernel_ports,
        ):
            mapping.pop(kernel_id, None)
        return super().remove_kernel(kernel_id)

    async def shutdown_all(self, now: bool = False) -> None:
        """End all kernels at once, including those that are being started."""
        self.is_ending, self.max_kernels = True, 0
        loop = asyncio.get_running_loop()
        awaited = [*self._pending_kernels.values(), *self.ending]
        # in a restart for new code the current loop is another one, and theirs does not run
        tasks = [task for task in awaited if getattr(task, "get_loop", lambda: loop)() is loop]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*map(self.shutdown_kernel, self.list_kernel_ids()), return_exceptions=True)

    def _handle_kernel_died(self, kernel_id: str) -> None:
        self.spare.discard(kernel_id)
        page = page_label(self.pages.get(kernel_id, ""))
        if self.end_kernel(kernel_id):
            KERNELS_LOST.labels(page).inc()
            self.log.warning("Kernel %s died.", kernel_id)

    def end_kernel(self, kernel_id: str) -> bool:
        """End a kernel in the background; return False if it has ended, or is about to."""
        if kernel_id not in self or self.get_kernel(kernel_id).shutting_down:
            return False
        task = asyncio.ensure_future(self.shutdown_kernel(kernel_id))
        self.ending.add(task)
        task.add_done_callback(self.ending.discard)
        return True

    def start_buffering(self, kernel_id: str, session_key: str, channels: dict[str, Any]) -> None:
        """Buffer the messages of a kernel for a page that may reconnect, up to a limit."""
        super().start_buffering(kernel_id, session_key, channels)
        if kernel_id in self._kernel_buffers:
            self._kernel_buffers[kernel_id]["buffer"] = BoundedBuffer()

    def notify_connect(self, kernel_id: str) -> None:
        """Record that a page has connected."""
        super().notify_connect(kernel_id)
        self.disconnected_since.pop(kernel_id, None)
        if begin := self.requested.pop(kernel_id, 0.0):
            READY_SECONDS.labels(page_label(self.pages.get(kernel_id, ""))).observe(time.perf_counter() - begin)

    def initialize_culler(self) -> None:
        """Start the culler even if idle kernels are not culled, for those without a page."""
        super().initialize_culler()
        if self.cull_idle_timeout <= 0 and self.culler is None:
            self.culler = PeriodicCallback(self.cull_kernels, 1000 * self.cull_interval)
            self.culler.start()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """End a kernel that no page is connected to any more, or that is idle for too long."""
        if kernel_id in self.spare:
            return
        now = time.monotonic()
        is_disconnected = not self._kernel_connections.get(kernel_id)
        if is_disconnected and now - self.disconnected_since.setdefault(kernel_id, now) >= self.disconnected_timeout:
            self.log.info("No page is connected to kernel %s.", kernel_id)
            await self.shutdown_kernel(kernel_id)
        elif not is_disconnected and self.cull_idle_timeout > 0:
            await super().cull_kernel_if_idle(kernel_id)
