"""Measure the figures to plan a machine by: memory and CPU of open pages, and of the endpoint's requests.

    python benchmarks/capacity.py                  # ten pages of the Iris Wizard, and 4,000 requests
    python benchmarks/capacity.py --pages 30

Memory is proportional (PSS), the sum over all processes of a server; CPU is that of the server without the browser.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from browser import FLOWERS, Visitor, launch, visitor
from load import form_post, send
from playwright.sync_api import sync_playwright
from processes import CpuTime, Server, prepare, running_server

ANSWERS = 20
CONNECTIONS = 8
COMMAND = (sys.executable, "-m", "irislib")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pages", type=int, default=10, help="pages that are open at the same time")
    parser.add_argument("--requests", type=int, default=4000, help="requests to the endpoint")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        log = Path(folder) / "log"
        with running_server(
            (*COMMAND, "serve", f"--AppKernelManager.max_kernels={2 * options.pages}"), "/readyz", log
        ) as server:
            measure_pages(server, options.pages)
        for workers in (1, 2, 4):
            with running_server((*COMMAND, "api", f"--workers={workers}"), "/readyz", log) as server:
                server.marked.settle()
                show(f"memory of irislib api, {workers} workers", server.marked.pss_mb(server.marked.pids()), "MB")
                if workers == 1:
                    measure_requests(server, options.requests)


def measure_pages(server: Server, count: int) -> None:
    """Open pages, ask for an answer in each, open all tabs of each, and print what that takes."""
    marked, url = server.marked, f"{server.url}/iris-wizard"
    with ExitStack() as stack:
        browser = launch(stack.enter_context(sync_playwright()))
        stack.callback(browser.close)
        warm_up = Visitor(stack.enter_context(visitor(browser)))
        warm_up.visit(url)
        warm_up.close()
        marked.settle()
        rest = marked.pss_mb(marked.pids())
        show("memory of irislib serve without visitors", rest, "MB")

        tabs = [Visitor(stack.enter_context(visitor(browser))) for _ in range(count)]
        cpu = CpuTime(marked)
        for tab in tabs:
            tab.visit(url)
        marked.settle()
        show("CPU of a visit: the page opened, an answer", cpu.measure() / count, "s")
        show("memory of a page with an answer", (marked.pss_mb(marked.pids()) - rest) / count, "MB")

        cpu = CpuTime(marked)
        for tab in tabs:
            for _ in range(ANSWERS):
                tab.submit_row()
        marked.settle()
        show("CPU of each further answer", 1000 * cpu.measure() / count / ANSWERS, "ms")

        cpu = CpuTime(marked)
        for tab in tabs:
            tab.open_tabs()
        marked.settle()
        show("CPU of opening all tabs", cpu.measure() / count, "s")
        show("memory of a page whose tabs have all been opened", (marked.pss_mb(marked.pids()) - rest) / count, "MB")


def measure_requests(server: Server, count: int) -> None:
    """Send single rows to one worker, and print what one takes."""
    port = int(server.url.rpartition(":")[2])
    requests = [form_post("/iris-wizard", dict(FLOWERS[0][0]))] * count
    send(port, requests[:200], CONNECTIONS, lambda body: b"versicolor" in body)
    cpu = CpuTime(server.marked)
    result = send(port, requests, CONNECTIONS, lambda body: b"versicolor" in body)
    if result.failures:
        raise SystemExit(f"{result.failures} requests failed.")
    seconds = cpu.measure() / count
    show("CPU of a POST of one row", 1e6 * seconds, "µs")
    show("such requests a second that fill one core", 1 / seconds, "")


def show(what: str, value: float, unit: str) -> None:
    """Print one figure."""
    digits = 2 if value < 10 else 0
    print(f"{what:<52} {value:>8,.{digits}f} {unit}", flush=True)


if __name__ == "__main__":
    main()
