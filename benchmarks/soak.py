"""Soak test: visitors who come and go again and again, and the resources that remain.

    make soak                              # fifteen minutes
    make soak ARGS="--visits 1000"         # so many visits instead
    make soak ARGS="--hostile 0"           # without the hostile clients

Two visitors at a time open the Iris Wizard of a real `irislib serve`, ask, look at the tabs now and
then, and leave in one of several ways; a share of the kernels is killed. Meanwhile hostile clients
send messages of overlapping parts, flood websockets, stay silent, break the chunks of bodies and
vanish (`hostile.py`). The exit status is 1 where anything stayed behind or grew, where an answer
was wrong, or where a page never became ready.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from browser import NAMES, Visitor, launch, visitor
from hostile import HostileClients
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from processes import Server, running_server

BLOCK = 50  # visits to one browser, which would else be what grows
GRACE = 10  # seconds that a kernel may be without a page
SLOPE = 0.01  # MB for each visit that the server's memory may grow by
ENOUGH = 200  # visits before a slope says anything


@dataclass(frozen=True)
class Sample:
    """The resources in use at a moment without visitors."""

    seconds: float
    visits: int
    stuck: int
    wrong: int
    processes: dict[str, int]
    memory: dict[str, float]
    descriptors: int
    files: int

    @property
    def resources(self) -> tuple[int, int, int]:
        """The numbers that must not grow."""
        return sum(self.processes.values()), self.descriptors, self.files


@dataclass
class Soak:
    """Visits to a server, and their results."""

    server: Server
    folder: Path  # for all that the server writes
    model: Any
    grace: int = GRACE
    kill_share: float = 0.1
    first_pairs: int = 2  # of visitors, before what is there is counted
    hostile: HostileClients | None = None
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    began: float = field(default_factory=time.monotonic)
    visits: int = 0
    stuck: int = 0
    wrong: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)

    def run(self, browsers: Callable[[], AbstractContextManager[Browser]], goes_on: Callable[[], bool]) -> None:
        """Visit as long as ``goes_on`` says, with a fresh browser for each block; a sample before and after each."""
        with browsers() as browser:  # resources that a server takes only once are not growth
            for _ in range(self.first_pairs):
                self.pair(browser)
        self.visits = 0
        self.ways.clear()
        self.sample()
        while goes_on():
            with browsers() as browser:
                begun = self.visits
                while goes_on() and self.visits < begun + BLOCK:
                    self.pair(browser)
            self.sample()

    def pair(self, browser: Browser) -> None:
        """Two visitors at once, who leave in ways of their own."""
        with ExitStack() as stack:
            contexts = [stack.enter_context(visitor(browser, click=False)) for _ in range(2)]
            tabs = [Visitor(context) for context in contexts]
            for tab in tabs:
                tab.start(f"{self.server.url}/iris-wizard")
            ready = [tab.wait_for_fact("ready") is not None for tab in tabs]
            for tab, is_ready in zip(tabs, ready, strict=True):
                self.visits += 1
                if is_ready and self.use(tab):
                    continue
                self.stuck += 1
                print(f"never ready: {tab.page.locator('body').inner_text()[:500]!r}", file=sys.stderr, flush=True)
            for tab, context in zip(tabs, contexts, strict=True):
                self.leave(tab, context)

    def use(self, tab: Visitor) -> bool:
        """Submit a row, and open every tab now and then; return True if the page responds."""
        row = {name: round(self.rng.uniform(0.1, 8), 1) for name in NAMES}
        try:
            _, prediction = tab.submit_row(row)
            if self.rng.random() < 0.3:
                tab.open_tabs()
        except PlaywrightError as error:
            print(error, file=sys.stderr, flush=True)
            return False
        if prediction != (expected := str(self.model.predict_row(row))):
            self.wrong += 1
            print(f"wrong: {prediction!r} instead of {expected!r} to {row}", file=sys.stderr, flush=True)
        return True

    def leave(self, tab: Visitor, context: BrowserContext) -> None:
        """Close the tab, go elsewhere, vanish without a word, or stay where the kernel is killed."""
        way = "kill" if self.rng.random() < self.kill_share else self.rng.choice(["close", "navigate", "vanish"])
        self.ways[way] += 1
        if way == "close":
            tab.close()
        elif way == "navigate":
            tab.page.goto("about:blank")
        elif way == "vanish":
            tab.page.evaluate(SILENT)
            context.close()
        elif kernel := tab.page.evaluate(KERNEL):
            for pid in kernels(self.server, kernel):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)

    def sample(self) -> None:
        """Wait until the visitors' kernels have had the time to end, and count what is there."""
        with self.hostile.resting() if self.hostile else contextlib.nullcontext():
            self.take_sample()

    def take_sample(self) -> None:
        """Count what is there once nobody visits."""
        if not self.samples:  # nothing to compare with yet
            time.sleep(self.grace + 3)
            self.server.marked.settle()
        end = time.monotonic() + self.grace + 120  # what a flood has sent is read slowly, and its end after it
        while growth_since(self.samples[:1], sample := self.look()) and time.monotonic() < end:
            time.sleep(0.5)
        self.samples.append(sample)
        print(line(sample), flush=True)

    def look(self) -> Sample:
        """Count what is there now."""
        server = [self.server.pid]
        of_visitors = kernels(self.server)
        templates = [pid for pid in self.server.child_pids() if pid not in of_visitors]
        kinds = {"server": server, "templates": templates, "kernels": of_visitors}
        return Sample(
            time.monotonic() - self.began,
            self.visits,
            self.stuck,
            self.wrong,
            {kind: len(pids) for kind, pids in kinds.items()},
            {kind: self.server.marked.pss_mb(pids) for kind, pids in kinds.items()},
            len(os.listdir(f"/proc/{self.server.pid}/fd")),
            sum(path.name.startswith("kernel-") for path in self.folder.rglob("*")),
        )


# A page that disappears without a request, as when the battery is empty.
SILENT = """() => {
  navigator.sendBeacon = () => true;
  for (const end of ["pagehide", "beforeunload", "unload"]) {
    addEventListener(end, (event) => event.stopImmediatePropagation(), true);
  }
}"""
KERNEL = """() => {
  const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "{}");
  return read("irislib-page").kernel ?? read("jupyter-config-data").kernelId;
}"""


def kernels(server: Server, kernel: str = "") -> list[int]:
    """Return the processes that listen as a kernel: all, or those of one id."""
    children = set(server.child_pids())
    pids = {
        connection.pid
        for connection in psutil.net_connections(kind="unix")
        if f"kernel-{kernel}" in str(connection.laddr)
    }
    return sorted(children & pids)


def growth_since(first: list[Sample], now: Sample) -> list[str]:
    """Describe the resources of which there are more than at first."""
    names = ("processes", "descriptors of the server", "connection files")
    return [
        f"{name}: {after} instead of {before}"
        for sample in first
        for name, before, after in zip(names, sample.resources, now.resources, strict=True)
        if after > before
    ]


def slope(samples: list[Sample]) -> float:
    """MB by which the server's memory grows with each visit: the median of the slopes between any two samples."""
    points = [(sample.visits, sample.memory["server"]) for sample in samples]
    slopes = [(b - a) / (y - x) for i, (x, a) in enumerate(points) for y, b in points[i + 1 :] if y > x]
    return statistics.median(slopes) if slopes else 0.0


def faults(soak: Soak) -> list[str]:
    """Describe all failures."""
    failures = growth_since(soak.samples[:1], soak.samples[-1])
    if soak.stuck:
        failures.append(f"pages that never became ready: {soak.stuck}")
    if soak.wrong:
        failures.append(f"wrong answers: {soak.wrong}")
    second = soak.samples[len(soak.samples) // 2 :]
    growth = slope(second)
    if second[-1].visits - second[0].visits >= ENOUGH and growth > SLOPE:
        failures.append(f"the server's memory grows by {1000 * growth:.0f} kB with each visit")
    return failures


HEAD = (
    "| time | visits | never ready | wrong answers | server | templates | kernels | descriptors | connection files |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def line(sample: Sample) -> str:
    """Format a sample as a row of the table."""
    kinds = " | ".join(f"{count}: {sample.memory[kind]:.0f} MB" for kind, count in sample.processes.items())
    counts = f"{sample.visits} | {sample.stuck} | {sample.wrong} | {kinds} | {sample.descriptors} | {sample.files}"
    return f"| {sample.seconds / 60:.1f} min | {counts} |"


# A kernel without a page ends after a few seconds.
SERVE = ("serve", f"--AppKernelManager.disconnected_timeout={GRACE}", "--MappingKernelManager.cull_interval=1",
         "--AppServer.max_connections_per_client=500")  # fmt: skip


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run an `irislib serve` for a soak test."""
    command = [sys.executable, "-m", "irislib", *SERVE]
    environment = {"TMPDIR": str(folder), "IRISLIB_STORE": str(folder / "store")}
    with running_server(command, "/healthz", folder / "log", **environment) as server:
        server.marked.settle()
        yield server


def main() -> int:
    """Run the soak test and print its results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--visits", type=int, help="so many visits, however long they take")
    parser.add_argument("--hostile", type=int, default=5, help="so many hostile clients")
    parser.add_argument("--kill-share", type=float, default=0.1, help="of the visits that end by a kernel's death")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary, sync_playwright() as playwright:
        os.environ["IRISLIB_STORE"] = str(Path(temporary) / "store")
        from irislib import load

        with serving(Path(temporary)) as server, HostileClients(server.url, options.hostile) as hostile:
            model = load("iris-wizard")
            soak = Soak(server, Path(temporary), model, kill_share=options.kill_share, hostile=hostile)
            end = time.monotonic() + 60 * options.minutes
            soak.run(
                lambda: contextlib.closing(launch(playwright)),
                lambda: soak.visits < options.visits if options.visits else time.monotonic() < end,
            )
    print(f"\n{HEAD}")
    for sample in (soak.samples[0], soak.samples[len(soak.samples) // 2], soak.samples[-1]):
        print(line(sample))
    print(
        f"\nleft by: {json.dumps(soak.ways)}; the server's memory grew by {1000 * slope(soak.samples):.1f} kB a visit"
    )
    print(
        f"what hostile clients did: {json.dumps(hostile.actions)}; how it ended early: {json.dumps(hostile.surprises)}"
    )
    for fault in (failures := faults(soak)):
        print(fault)
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
