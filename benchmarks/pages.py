"""Benchmark of the app's page beside the same form in other tools: one forest, one machine, one run.

    python benchmarks/pages.py --peers PYTHON     # prints tables

PYTHON is an interpreter of an environment with ``voila``, ``shiny``, ``gradio``, ``dash``, ``streamlit`` and
scikit-learn; those that it lacks are left out, and without it only plain Voila is beside irislib. The apps are in
`benchmarks/peers/`. What a visitor waits for is measured within the page, by the frames that the browser has painted.
Every round starts its servers and browsers anew, and the tools take turns in going first.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from browser import Visitor, cpu_seconds, launch, visitor
from cases import CASES
from playwright.sync_api import Browser, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from processes import CpuTime, Server, prepare, running_server, total_seconds
from report import options, spread, table, turns

PEERS = Path(__file__).parent / "peers"
IRIS = "iris-wizard"
CLICKS = 10  # on one page
STREAMLIT = ("--server.headless=true", "--browser.gatherUsageStats=false")
CROWD = 10  # visitors at once
GRACE = 10  # seconds after which nothing of closed pages should be left
LENGTHS = (6.5, 4.5)  # of a petal: each gives another species than the one before


@dataclass
class Tool:
    """A tool, the command that starts its app, and where its page has what."""

    name: str
    command: list[str]  # with the places of the model and of its name in it, if it needs them
    path: str = "/"
    health_path: str = "/"
    port_option: str = "--port={}"
    page: dict[str, Any] = field(default_factory=dict)
    figures: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def running(self, case: str, log: Path, live: bool = False) -> AbstractContextManager[Server]:
        """Start the server of a case."""
        name = "live-iris" if live else case
        model = {IRIS: "irislib.iris:spec", "live-iris": "cases:live_iris"}.get(name, f"cases:{name}")
        command = [part.format(model=model) for part in self.command]
        environment = {"CASE": case} | ({"LIVE": "1"} if live else {})
        return running_server(command, self.health_path, log, self.port_option, **environment)

    def visitor(self, browser: Browser, case: str, click: bool = True) -> AbstractContextManager[Any]:
        """Return a browser context for its page."""
        return visitor(browser, click=click, names=CASES[case].numbers, **self.page)

    def url(self, server: Server, case: str) -> str:
        """Return the address of the page."""
        return server.url + self.path.format(case)


def tools(folder: Path, peers: str, beside: str) -> list[Tool]:
    """Return irislib and the tools that an environment has."""
    peers = str(Path(peers).absolute()) if peers else sys.executable
    notebook(folder / "app.ipynb", f"import sys\nsys.path.insert(0, {str(PEERS)!r})\nfrom voila_app import app\napp")
    ours = ["-m", "irislib", "serve", "--model={model}"]
    found = [Tool("irislib", [sys.executable, *ours], "/{}", "/readyz")]
    if beside:
        found.append(Tool("irislib, the other version", [beside, *ours], "/{}", "/readyz"))
    candidates = {
        "voila, ipykernel": Tool(
            "plain Voila",
            [peers, "-m", "voila", str(folder / "app.ipynb"), "--no-browser"],
            health_path="/voila/static/voila.js",
            page={"answer": ".answer"},
        ),
        "shiny": Tool(
            "Shiny",
            [peers, "-m", "shiny", "run", str(PEERS / "shiny_app.py")],
            page={"answer": "#answer", "button": "button.shiny-bound-input"},
        ),
        "gradio": Tool(
            "Gradio", [peers, str(PEERS / "gradio_app.py")], port_option="{}", page={"answer": "#answer h3"}
        ),
        "dash": Tool("Dash", [peers, str(PEERS / "dash_app.py")], port_option="{}", page={"answer": "#answer h3"}),
        "streamlit": Tool(
            "Streamlit",
            [peers, "-m", "streamlit", "run", str(PEERS / "streamlit_app.py"), *STREAMLIT],
            health_path="/_stcore/health",
            port_option="--server.port={}",
            page={"answer": ".st-key-answer h3"},
        ),
    }
    for module, tool in candidates.items():
        if subprocess.run([peers, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0:
            tool.page["fields"] = "input[type=number]"
            found.append(tool)
    return found


def notebook(path: Path, source: str) -> None:
    """Write a notebook of one cell."""
    cell = {"cell_type": "code", "execution_count": None, "id": "app", "metadata": {}, "outputs": [], "source": source}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


@dataclass
class Round:
    """One round of a tool with a case, in a fresh browser."""

    tool: Tool
    case: str
    log: Path
    browser: Browser

    def note(self, name: str, value: float) -> None:
        """Record a measurement."""
        self.tool.figures[self.case, name].append(value)

    def run(self) -> None:
        """Start the server, and measure."""
        measures: list[Callable[[Server], None]] = [self.download, self.visit]
        with self.tool.running(self.case, self.log) as server:
            server.marked.settle()
            self.note("start", server.seconds)
            self.note("start cpu", total_seconds(server.marked.clocks()))
            self.note("rest", server.marked.pss_mb(server.marked.pids()))
            for measure in [*measures, self.crowd] if self.case == IRIS else measures:
                measure(server)
                server.marked.settle()
        if self.case == IRIS:
            with self.tool.running(self.case, self.log, live=True) as server:
                server.marked.settle()
                self.live(server)

    def download(self, server: Server) -> None:
        """Measure the bytes and requests of a first page."""
        sizes: list[float] = []
        with self.tool.visitor(self.browser, self.case) as context:
            tab = Visitor(context)
            session = context.new_cdp_session(tab.page)
            session.send("Network.enable")
            session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
            tab.visit(self.tool.url(server, self.case))
            tab.page.wait_for_timeout(1000)
            self.note("kilobytes", sum(sizes) / 1e3)
            self.note("requests", len(sizes))

    def visit(self, server: Server) -> None:
        """Measure one visitor: the page opened, clicks, and the CPU time of server and browser for it all."""
        with self.tool.visitor(self.browser, self.case) as context:
            tab = Visitor(context, CASES[self.case].clicked_rows())
            cpu_time, before = CpuTime(server.marked), cpu_seconds(self.browser)
            ready, predicted, _ = tab.visit(self.tool.url(server, self.case))
            if ready is None or predicted is None:
                raise SystemExit(f"The page of {self.tool.name} gave no answer.")
            self.note("ready", ready)
            self.note("predicted", predicted)
            self.note("click", statistics.median(tab.submit_row()[0] for _ in range(CLICKS)))
            self.note("cpu", cpu_time.watch(1))
            now = cpu_seconds(self.browser)
            self.note("browser cpu", sum(now[pid] - before.get(pid, 0) for pid in now))
            tab.close()

    def crowd(self, server: Server) -> None:
        """Measure ten visitors at once, the memory that they take, and what is left when they have gone."""
        marked = server.marked
        before = server.child_pids()
        empty = marked.pss_mb(marked.pids())
        with ExitStack() as stack:
            tabs = [
                Visitor(
                    stack.enter_context(self.tool.visitor(self.browser, self.case, click=False)),
                    CASES[self.case].clicked_rows(),
                )
                for _ in range(CROWD)
            ]
            for tab in tabs:
                tab.start(self.tool.url(server, self.case))
            ready = [tab.wait_for_fact("readyAt") for tab in tabs]
            begins = [tab.page.evaluate("performance.timeOrigin") for tab in tabs]
            self.note("crowd", (max(ready) - min(begins)) / 1e3)
            for tab in tabs:
                tab.submit_row()
            self.note("memory", (marked.pss_mb(marked.pids()) - empty) / CROWD)
            for tab in tabs:
                tab.close()
            time.sleep(GRACE)
            self.note("left", max(0, len(server.child_pids()) - len(before)))

    def live(self, server: Server) -> None:
        """Measure changes of a field where the answer follows without a button."""
        with self.tool.visitor(self.browser, self.case, click=False) as context:
            tab = Visitor(context)
            tab.page.goto(self.tool.url(server, "live-iris"))
            tab.page.wait_for_function("() => bench.hasFields()")
            tab.page.wait_for_timeout(1000)
            lengths = [LENGTHS[i % len(LENGTHS)] for i in range(CLICKS)]
            self.note("live", statistics.median(tab.change_value(0, length) for length in lengths))


ROWS = {
    "start": ("server started → a page can be opened", "{:.1f} s"),
    "start cpu": ("CPU of the start", "{:.1f} s"),
    "rest": ("memory of the server before the first visitor", "{:.0f} MB"),
    "ready": ("page opened → button works", "{:.2f} s"),
    "predicted": ("page opened → first answer, the button pressed as soon as it is there", "{:.2f} s"),
    "click": ("click → answer on screen", "{:.0f} ms"),
    "live": ("a value changed → answer on screen, without a button", "{:.0f} ms"),
    "cpu": (f"CPU of the server for a visit with {CLICKS + 1} clicks", "{:.2f} s"),
    "browser cpu": ("CPU of the browser for it", "{:.2f} s"),
    "crowd": (f"{CROWD} visitors at once: the last one's button works", "{:.1f} s"),
    "memory": (f"memory for each of {CROWD} visitors", "{:.1f} MB"),
    "left": (f"processes left {GRACE} s after they have gone", "{:.0f}"),
    "kilobytes": ("download of a first page", "{:,.0f} kB"),
    "requests": ("requests of a first page", "{:.0f}"),
}
SHORT = ("predicted", "click", "cpu", "browser cpu", "kilobytes")  # of the cases after the first


def lines(compared: list[Tool], case: str, names: tuple[str, ...], prefix: str = "") -> list[list[str]]:
    """Return the rows of a case."""
    rows = []
    for name in names:
        title, form = ROWS[name]
        scale = 1e3 if "ms" in form else 1
        cells = [spread([scale * value for value in tool.figures[case, name]], form) for tool in compared]
        if any(tool.figures[case, name] for tool in compared):
            rows.append([prefix + title, *cells])
    return rows


def run_round(tool: Tool, case: str, log: Path, playwright: Playwright) -> None:
    """Measure a tool with a case once; what fails twice has no figure."""
    for _ in range(2):
        browser = launch(playwright)
        try:
            Round(tool, case, log, browser).run()
            break
        except (SystemExit, PlaywrightError) as error:  # such as a page of plain Voila that never became ready
            print(error, file=sys.stderr)
        finally:
            browser.close()
    print(f"{tool.name}: {CASES[case].title}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print; after Ctrl-C what there is so far."""
    chosen = options(__doc__, rounds=3, case="")
    with tempfile.TemporaryDirectory(prefix="irislib-") as temporary, sync_playwright() as playwright:
        prepare(Path(temporary))
        compared = tools(Path(temporary), chosen.peers, chosen.beside)
        cases = [case for case in CASES if chosen.case in ("", case)]
        with suppress(KeyboardInterrupt):
            for case in cases:
                for tool in turns(compared, chosen.rounds):
                    run_round(tool, case, Path(temporary) / "log", playwright)
    head = ["", *(tool.name for tool in compared)]
    print(table(["iris", *head[1:]], lines(compared, IRIS, tuple(ROWS))))
    others = [line for case in cases if case != IRIS for line in lines(compared, case, SHORT, f"{CASES[case].title}: ")]
    print(f"\n{table(head, others)}")


if __name__ == "__main__":
    main()
