"""The metrics of pages, their kernels and their templates, which `irislib serve` alone has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, values

from irislib._common.metrics import family, make
from irislib._serving import memory

__all__ = ["REGISTRY", "ServerMetrics", "page_label"]

values.ValueClass = values.MutexValue  # this server is one process, whatever the environment says
REGISTRY = CollectorRegistry()
PAGES_OPENED = make("irislib_pages_opened_total", REGISTRY)
PAGES_REFUSED = make("irislib_pages_refused_total", REGISTRY)
OPEN_SECONDS = make("irislib_page_open_seconds", REGISTRY)
READY_SECONDS = make("irislib_page_ready_seconds", REGISTRY)
KERNEL_WAIT_SECONDS = make("irislib_page_kernel_wait_seconds", REGISTRY)
REQUEST_SECONDS = make("irislib_page_request_seconds", REGISTRY)
KERNELS_STARTED = make("irislib_kernels_started_total", REGISTRY)
KERNELS_LOST = make("irislib_kernels_lost_total", REGISTRY)
TEMPLATE_RESTARTS = make("irislib_template_restarts_total", REGISTRY)
for reason in ("full", "visitor"):
    PAGES_REFUSED.labels(reason)  # a counter that is not there before it is 1 never increases, for a Prometheus server


def page_label(path: str) -> str:
    """Return the name of a page in the metrics: its notebook's path without the suffix."""
    return path.removesuffix(".ipynb") or "other"


class ServerMetrics:
    """The gauges of a server, read from it at each request for its metrics.

    Parameters
    ----------
    server : AppServer
    """

    def __init__(self, server: Any):
        self.server = server

    def collect(self) -> Iterable[Any]:
        """Yield the numbers of now; called by prometheus_client."""
        manager, fork_server = self.server.kernel_manager, self.server.page_pool.fork_server
        connected = Counter(
            page_label(page) for kernel, page in list(manager.pages.items()) if manager._kernel_connections.get(kernel)
        )
        open_pages = family("irislib_pages_open")
        failures = Counter(
            {page_label(path): n for path, n in list(self.server.app.settings["irislib_failures"].items())}
        )
        for app in list(self.server.apps):
            connected[app.name] += 0
            failures[app.name] += 0
            KERNELS_LOST.labels(app.name)
        for page, count in connected.items():
            open_pages.add_metric([page], count)
        kernels = family("irislib_kernels")
        states = {"visitor": len(manager.visitors), "spare": len(manager.spare), "starting": manager.starting.total()}
        for state, count in states.items():
            kernels.add_metric([state], count)
        failed = family("irislib_page_failures_total")
        for page, count in failures.items():
            failed.add_metric([page], count)
        yield from (open_pages, kernels, failed)
        for name, value in (
            ("irislib_kernels_limit", manager.max_kernels),
            ("irislib_templates", sum(not template.has_ended() for template in fork_server.templates())),
            ("irislib_memory_available_bytes", memory.available()),
            ("irislib_callback_failures_total", callback_failures(self.server.session)),
        ):
            single = family(name)
            single.add_metric([], value)
            yield single

    def processes(self) -> dict[str, list[int]]:
        """Return the processes of the server by what they are."""
        manager, kernels = self.server.kernel_manager, []
        for kernel in manager.list_kernel_ids():
            with suppress(KeyError, AttributeError):  # it has ended, or is being started
                kernels.append(manager.get_kernel(kernel).provisioner.pid)
        templates = self.server.page_pool.fork_server.templates()
        return {
            "server": [os.getpid()],
            "kernels": kernels,
            "templates": [template.pid for template in templates],
        }


def callback_failures(session: Path) -> int:
    """Return how many errors the kernels of pages have had: each has written a byte."""
    try:
        return (session / ".failures").stat().st_size
    except OSError:
        return 0
