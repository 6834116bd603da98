"""Benchmark of an app's page beside plain Voila: same notebook, same machine, one run.

    python benchmarks/pages.py                  # about fifteen minutes; prints a table
    python benchmarks/pages.py --only ours      # irislib alone
    python benchmarks/pages.py --only ours --beside ../before/.venv/bin/python    # and another version of irislib

Everything a visitor waits for is measured within the page, by the frames that the browser has painted.
Every round starts its servers anew, and they take turns in going first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from browser import LINK, Visitor, launch, visitor
from playwright.sync_api import Browser, sync_playwright
from processes import CpuTime, Server, running_server

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "iris-wizard.ipynb"
CLICKS = 30  # on one page
CROWD = 10  # visitors at once
GRACE = 10  # seconds after which nothing of closed pages should be left


@dataclass
class Kind:
    """One of the servers that are compared, and its measurements."""

    name: str
    command: list[str]
    address: str
    health_path: str
    expected: str
    rounds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    n_opened: int = 0
    n_stuck: int = 0

    def note(self, name: str, value: float | None) -> None:
        """Record a measurement; a page that never became ready has none."""
        if value is not None:
            self.rounds[name].append(value)


def kinds(folder: Path, beside: str = "") -> dict[str, Kind]:
    """Return the servers that can be measured."""
    voila = [sys.executable, "-m", "voila", str(folder), "--no-browser"]
    plain = ("/voila/render/iris-wizard.ipynb", "/voila/static/voila.js", "versicolor")  # that of the form as it comes
    ours = ["-m", "irislib", "serve", "--notebooks", str(folder)]
    page = ("/iris-wizard", "/healthz", "virginica")
    return {
        "plain": Kind("plain Voila", voila, *plain),
        "pool": Kind("Voila with a pool of 3", [*voila, "--preheat_kernel=True", "--pool_size=3"], *plain),
        "beside": Kind("irislib, the other version", [beside, *ours], *page),
        "ours": Kind("irislib", [sys.executable, *ours], *page),
    }


def open_page(kind: Kind, server: Server, tab: Visitor) -> tuple[float | None, float | None]:
    """Open a page, and count it; return the seconds until its button and its first prediction are on screen."""
    kind.n_opened += 1
    ready, predicted, prediction = tab.visit(f"{server.url}{kind.address}?{LINK}")
    kind.n_stuck += predicted is None
    if prediction not in (None, kind.expected):
        raise SystemExit(f"{kind.name}: the prediction was {prediction!r}, not {kind.expected!r}.")
    return ready, predicted


def measure_page(kind: Kind, server: Server, tab: Visitor, prefix: str = "") -> bool:
    """Open a page and record its times; return True if it became ready."""
    ready, predicted = open_page(kind, server, tab)
    if predicted is None:
        return False
    kind.note(f"{prefix}ready", ready)
    kind.note(f"{prefix}predicted", predicted)
    return True


def visit(kind: Kind, server: Server, browser: Browser) -> None:
    """Measure one visitor who opens the page twice, and the CPU time of the server for the first visit."""
    cpu_time = CpuTime(server.marked)
    with visitor(browser) as context:
        tab = Visitor(context)
        if not measure_page(kind, server, tab):
            return
        tab.open_tabs()
        cpu_time.measure()
        tab.close()
        cpu_time.watch(2)
        server.marked.settle()
        kind.note("cpu", cpu_time.measure())
        tab = Visitor(context)
        if not measure_page(kind, server, tab, "warm "):
            return
        kind.note("click", statistics.median(tab.submit_row()[0] for _ in range(CLICKS)))
        tab.close()


def crowd(kind: Kind, server: Server, browser: Browser) -> None:
    """Measure ten visitors at once: their time and memory, and the processes and memory that remain."""
    marked = server.marked
    before = server.child_pids()
    empty = marked.pss_mb(before)
    with ExitStack() as stack:
        tabs = [Visitor(stack.enter_context(visitor(browser, click=False))) for _ in range(CROWD)]
        for tab in tabs:
            tab.start(f"{server.url}{kind.address}?{LINK}")
        moments = {tab: at for tab in tabs if (at := tab.wait_for_fact("readyAt"))}
        kind.n_opened += CROWD
        kind.n_stuck += CROWD - len(moments)
        if moments:  # where one is stuck, the figures are those of the others, in that server's favour
            begins = [tab.page.evaluate("performance.timeOrigin") for tab in moments]
            kind.note("crowd", (max(moments.values()) - min(begins)) / 1e3)
            for tab in moments:
                tab.submit_row()
                tab.open_tabs()
            kind.note("memory", (marked.pss_mb(server.child_pids()) - empty) / CROWD)
        for tab in tabs:
            tab.close()
        time.sleep(GRACE)
        kind.note("left", len(server.child_pids()) - len(before))
        kind.note("left memory", marked.pss_mb(server.child_pids()) - empty)


def download(kind: Kind, server: Server, browser: Browser) -> None:
    """Measure the download of a first page, until its first prediction and the requests that follow at once."""
    requests: set[str] = set()
    sizes: list[float] = []

    def on_request(event: dict) -> None:
        if event["request"]["url"].startswith("http"):
            requests.add(event["requestId"])

    with visitor(browser) as context:
        tab = Visitor(context)
        session = context.new_cdp_session(tab.page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", on_request)
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        open_page(kind, server, tab)
        tab.page.wait_for_timeout(1000)
        kind.note("bytes", sum(sizes) / 1e6)
        kind.note("requests", len(requests))
        tab.close()


def run_round(kind: Kind, log: Path, browser: Browser, visits: int) -> None:
    """Run one round of one server."""
    with running_server(kind.command, kind.health_path, log) as server:
        server.marked.settle()
        download(kind, server, browser)  # which warms the server up as well
        server.marked.settle()
        visit(kind, server, browser)
        for _ in range(visits):
            with visitor(browser) as context:
                tab = Visitor(context)
                open_page(kind, server, tab)
                tab.close()
        server.marked.settle()
        crowd(kind, server, browser)


ROWS = {
    "ready": ("page opened → button works", "{:.2f} s", "≤ 0.42 s and a ratio of ≥ 8"),
    "predicted": ("page opened → first answer on screen, the button pressed as soon as it is there", "{:.2f} s", ""),
    "warm ready": ("the same with the browser's cache: button", "{:.2f} s", ""),
    "warm predicted": ("the same with the browser's cache: answer", "{:.2f} s", ""),
    "click": ("click → answer on screen", "{:.1f} ms", "≤ 25 ms"),
    "cpu": ("CPU of the server for a visit: open, one click, every tab, close", "{:.2f} s", "≤ 0.3 s"),
    "memory": (f"memory for each of {CROWD} visitors", "{:.1f} MB", "≤ 40 MB"),
    "left": (f"processes left {GRACE} s after they have gone", "{:.0f}", "0"),
    "left memory": ("memory left then", "{:.1f} MB", "none"),
    "crowd": (f"{CROWD} visitors at once: the last one's button works", "{:.2f} s", "≤ 4 s"),
    "bytes": ("download of a first page", "{:.2f} MB", "≤ 1.3 MB"),
    "requests": ("requests of a first page", "{:.0f}", "≤ 30"),
}


def table(compared: list[Kind]) -> None:
    """Print medians, in brackets the least and the most; the ratio is that of the first to the last."""
    print("\n| | " + " | ".join(kind.name for kind in compared) + " | ratio | goal |")
    print("|---" * (len(compared) + 3) + "|")
    for name, (title, form, goal) in ROWS.items():
        scale = 1e3 if "ms" in form else 1
        cells, medians = [], []
        for kind in compared:
            values = [scale * value for value in kind.rounds[name]]
            medians.append(statistics.median(values) if values else None)
            spread = f" ({form.format(min(values))} to {form.format(max(values))})" if values else ""
            cells.append(form.format(medians[-1]) + spread if values else "–")
        ratio = f"{medians[0] / medians[-1]:.3g}" if len(medians) > 1 and medians[0] and medians[-1] else ""
        print(f"| {title} | {' | '.join(cells)} | {ratio} | {goal} |")
    stuck = " | ".join(f"{kind.n_stuck} of {kind.n_opened}" for kind in compared)
    print(f"| pages that never became ready | {stuck} | | 0 |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--visits", type=int, default=3, help="more pages opened in each round, to count the stuck")
    parser.add_argument("--pool", action="store_true", help="plain Voila with its pool of kernels as well")
    parser.add_argument("--only", choices=["plain", "pool", "ours"], help="measure one server alone")
    parser.add_argument("--beside", metavar="PYTHON", help="an interpreter that has another version of irislib")
    options = parser.parse_args()
    names = [options.only] if options.only else ["plain", *(["pool"] if options.pool else []), "ours"]
    if options.beside:
        names.insert(0, "beside")
    with tempfile.TemporaryDirectory(prefix="irislib-") as temporary, sync_playwright() as playwright:
        folder = Path(temporary) / "notebooks"
        folder.mkdir()
        shutil.copy(NOTEBOOK, folder)
        os.environ["IRISLIB_STORE"] = str(Path(temporary) / "store")
        subprocess.run([sys.executable, "-m", "irislib", "train"], check=True, stdout=subprocess.DEVNULL)
        compared = [kinds(folder, options.beside)[name] for name in names]
        for i in range(options.rounds):
            for j in range(len(compared)):
                browser = launch(playwright)  # a fresh one, which holds nothing of the rounds before
                run_round(compared[(i + j) % len(compared)], Path(temporary) / "log", browser, options.visits)
                browser.close()
            print(f"round {i + 1} of {options.rounds}", file=sys.stderr, flush=True)
        table(compared)


if __name__ == "__main__":
    main()
