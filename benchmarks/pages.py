"""How fast an app's page is, side by side with plain Voila: same notebook, same machine, one run.

    python benchmarks/pages.py                  # about fifteen minutes; prints a table
    python benchmarks/pages.py --only ours      # what has become of ours, without Voila

Everything a visitor waits for is measured within the page, by the frames that the browser has painted.
Every round starts its servers anew, and they take turns in going first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from browser import LINK, Visitor, launch, visitor
from playwright.sync_api import Browser, sync_playwright
from processes import MARK, Marked, Spent

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "iris-wizard.ipynb"
CLICKS = 30  # on one page
CROWD = 10  # visitors at once
GRACE = 10  # seconds after which nothing of closed pages should be left


@dataclass
class Kind:
    """One of the servers that are compared, and what its rounds gave."""

    name: str
    command: list[str]
    address: str
    alive: str
    rounds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    opened: int = 0
    stuck: int = 0

    def note(self, what: str, value: float | None) -> None:
        """Keep a figure; a page that never became ready has none."""
        if value is not None:
            self.rounds[what].append(value)


@dataclass
class Server:
    """A running one of a kind."""

    kind: Kind
    process: subprocess.Popen[bytes]
    marked: Marked
    url: str

    def others(self) -> list[int]:
        """All its processes but the server itself."""
        return [pid for pid in self.marked.pids() if pid != self.process.pid]


def kinds(folder: Path) -> dict[str, Kind]:
    """What can be measured."""
    voila = [sys.executable, "-m", "voila", str(folder), "--no-browser"]
    plain = ("/voila/render/iris-wizard.ipynb", "/voila/static/voila.js")
    ours = [sys.executable, "-m", "irislib", "serve", "--notebooks", str(folder)]
    return {
        "plain": Kind("plain Voila", voila, *plain),
        "pool": Kind("Voila with a pool of 3", [*voila, "--preheat_kernel=True", "--pool_size=3"], *plain),
        "ours": Kind("irislib", ours, "/iris-wizard", "/healthz"),
    }


@contextmanager
def running(kind: Kind, log: Path) -> Iterator[Server]:
    """Start a server, wait for it, and end it with all that belongs to it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    marked = Marked(uuid4().hex)
    command, environment = [*kind.command, f"--port={port}"], {**os.environ, MARK: marked.mark}
    with log.open("ab") as file:
        process = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=file, stderr=file)
    try:
        wait_for(f"http://127.0.0.1:{port}{kind.alive}", process, log)
        yield Server(kind, process, marked, f"http://127.0.0.1:{port}{kind.address}?{LINK}")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        marked.end()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something answers; never at a page's address, where each GET starts a kernel."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit(f"Nothing answers at {url}:\n{log.read_text()[-3000:]}")


def opened(server: Server, tab: Visitor) -> tuple[float | None, float | None]:
    """Open a page, and count it; seconds until its button and its first answer are on screen."""
    server.kind.opened += 1
    ready, answered = tab.visit(server.url)
    server.kind.stuck += answered is None
    return ready, answered


def visit(server: Server, browser: Browser) -> None:
    """One visitor who opens the page twice; what the first visit costs the server is measured as well."""
    kind, spent = server.kind, Spent(server.marked)
    with visitor(browser) as context:
        tab = Visitor(context)
        ready, answered = opened(server, tab)
        if answered is None:
            return
        kind.note("ready", ready)
        kind.note("answered", answered)
        tab.open_tabs()
        spent.look()
        tab.close()
        spent.watch(2)
        server.marked.settle()
        kind.note("cpu", spent.look())
        tab = Visitor(context)
        ready, answered = opened(server, tab)
        if answered is None:
            return
        kind.note("warm ready", ready)
        kind.note("warm answered", answered)
        kind.note("click", statistics.median(tab.ask() for _ in range(CLICKS)))
        tab.close()


def crowd(server: Server, browser: Browser) -> None:
    """Ten visitors who come at once, use the page, and go; what they need, and what they leave behind."""
    kind, marked = server.kind, server.marked
    before = server.others()
    empty = marked.pss_mb(before)
    with ExitStack() as stack:
        tabs = [Visitor(stack.enter_context(visitor(browser, click=False))) for _ in range(CROWD)]
        for tab in tabs:
            tab.start(server.url)
        moments = [tab.reached("readyAt") for tab in tabs]
        kind.opened += CROWD
        kind.stuck += moments.count(None)
        if None not in moments:
            begins = [tab.page.evaluate("performance.timeOrigin") for tab in tabs]
            kind.note("crowd", (max(moments) - min(begins)) / 1e3)
            for tab in tabs:
                tab.ask()
                tab.open_tabs()
            kind.note("memory", (marked.pss_mb(server.others()) - empty) / CROWD)
        for tab in tabs:
            tab.close()
        time.sleep(GRACE)
        kind.note("left", len(server.others()) - len(before))
        kind.note("left memory", marked.pss_mb(server.others()) - empty)


def download(server: Server, browser: Browser) -> None:
    """What comes over the wire for a first page, until its first answer and all that follows at once."""
    requests: set[str] = set()
    sizes: list[float] = []

    def asked(event: dict) -> None:
        if event["request"]["url"].startswith("http"):
            requests.add(event["requestId"])

    with visitor(browser) as context:
        tab = Visitor(context)
        session = context.new_cdp_session(tab.page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", asked)
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        opened(server, tab)
        tab.page.wait_for_timeout(1000)
        server.kind.note("bytes", sum(sizes) / 1e6)
        server.kind.note("requests", len(requests))
        tab.close()


def once(kind: Kind, log: Path, browser: Browser, visits: int) -> None:
    """A round of one server."""
    with running(kind, log) as server:
        server.marked.settle()
        download(server, browser)  # which warms the server up as well
        server.marked.settle()
        visit(server, browser)
        for _ in range(visits):
            with visitor(browser) as context:
                tab = Visitor(context)
                opened(server, tab)
                tab.close()
        server.marked.settle()
        crowd(server, browser)


ROWS = {
    "ready": ("page opened → button works", "{:.2f} s", "≤ 0.42 s and a ratio of ≥ 8"),
    "answered": ("page opened → first answer on screen, the button pressed as soon as it is there", "{:.2f} s", ""),
    "warm ready": ("the same with the browser's cache: button", "{:.2f} s", ""),
    "warm answered": ("the same with the browser's cache: answer", "{:.2f} s", ""),
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
    for what, (words, form, goal) in ROWS.items():
        scale = 1e3 if "ms" in form else 1
        cells, medians = [], []
        for kind in compared:
            values = [scale * value for value in kind.rounds[what]]
            medians.append(statistics.median(values) if values else None)
            spread = f" ({form.format(min(values))} to {form.format(max(values))})" if values else ""
            cells.append(form.format(medians[-1]) + spread if values else "–")
        ratio = f"{medians[0] / medians[-1]:.3g}" if len(medians) > 1 and medians[0] and medians[-1] else ""
        print(f"| {words} | {' | '.join(cells)} | {ratio} | {goal} |")
    stuck = " | ".join(f"{kind.stuck} of {kind.opened}" for kind in compared)
    print(f"| pages that never became ready | {stuck} | | 0 |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--visits", type=int, default=3, help="more pages opened in each round, to count the stuck")
    parser.add_argument("--pool", action="store_true", help="plain Voila with its pool of kernels as well")
    parser.add_argument("--only", choices=["plain", "pool", "ours"], help="measure one server alone")
    options = parser.parse_args()
    wanted = [options.only] if options.only else ["plain", *(["pool"] if options.pool else []), "ours"]
    with tempfile.TemporaryDirectory(prefix="irislib-") as place, sync_playwright() as playwright:
        folder = Path(place) / "notebooks"
        folder.mkdir()
        shutil.copy(NOTEBOOK, folder)
        os.environ["IRISLIB_STORE"] = str(Path(place) / "store")
        subprocess.run([sys.executable, "-m", "irislib", "train"], check=True, stdout=subprocess.DEVNULL)
        compared = [kinds(folder)[name] for name in wanted]
        for i in range(options.rounds):
            for k in range(len(compared)):
                browser = launch(playwright)  # a fresh one, which holds nothing of the rounds before
                once(compared[(i + k) % len(compared)], Path(place) / "log", browser, options.visits)
                browser.close()
            print(f"round {i + 1} of {options.rounds}", file=sys.stderr, flush=True)
        table(compared)


if __name__ == "__main__":
    main()
