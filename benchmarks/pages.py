"""Benchmark of the app's page beside the same form in other tools: one forest, one machine, one run.

    python benchmarks/pages.py --peers PYTHON     # prints tables

PYTHON is an interpreter of an environment with ``voila``, ``ipykernel``, ``shiny``, ``gradio``, ``dash``,
``streamlit`` and scikit-learn; the tools that it lacks are named and left out, and without it only plain Voila is
beside irislib. The apps are in `benchmarks/peers/`. What a visitor waits for is measured within the page, by the
frames that the browser has painted. Every round starts its servers and browsers anew, and the tools take turns in going
first. All cases but the first have one round.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from browser import Visitor, launch, visitor
from cases import CASES
from playwright.sync_api import Browser, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from processes import CpuTime, Server, prepare, running_server
from report import options, spread, table, turns

PEERS = Path(__file__).parent / "peers"
IRIS = "iris-wizard"
CLICKS = 30  # on one page
CHANGES = 10
STREAMLIT = ("--server.headless=true", "--browser.gatherUsageStats=false")
CROWD = 10  # visitors at once
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
            page={"answer": ".answer h3"},
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
    for modules, tool in candidates.items():
        if missing := missing_module(peers, modules):
            print(f"{tool.name} is left out: {missing} in {peers}.", file=sys.stderr)
        else:
            tool.page["fields"] = "input[type=number]"
            found.append(tool)
    return found


def missing_module(python: str, modules: str) -> str:
    """Return what an interpreter says that cannot import modules, or nothing if it can."""
    try:
        done = subprocess.run([python, "-c", f"import {modules}"], stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise SystemExit(f"{python} is no interpreter of Python: {error}") from error
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]


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
    clicks: int
    figures: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Start the server, measure, and keep the figures if all went well."""
        measures: list[Callable[[Server], None]] = [self.download, self.visit]
        with self.tool.running(self.case, self.log) as server:
            server.marked.settle()
            self.figures["rest"] = server.marked.pss_mb(server.marked.pids())
            for measure in [*measures, self.crowd] if self.case == IRIS else measures:
                measure(server)
                server.marked.settle()
        if self.case == IRIS:
            with self.tool.running(self.case, self.log, live=True) as server:
                server.marked.settle()
                self.live(server)
        for name, value in self.figures.items():
            self.tool.figures[self.case, name].append(value)

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
            self.figures["kilobytes"] = sum(sizes) / 1e3
            self.figures["requests"] = len(sizes)

    def visit(self, server: Server) -> None:
        """Measure one visitor: the page opened, clicks, and the CPU time of the server for it all."""
        with self.tool.visitor(self.browser, self.case) as context:
            tab = Visitor(context, CASES[self.case].clicked_rows())
            cpu_time = CpuTime(server.marked)
            ready, predicted, _ = tab.visit(self.tool.url(server, self.case))
            if ready is None or predicted is None:
                raise SystemExit(f"The page of {self.tool.name} gave no answer.")
            self.figures["ready"] = ready
            self.figures["predicted"] = predicted
            self.figures["click"] = statistics.median(tab.submit_row()[0] for _ in range(self.clicks))
            self.figures["cpu"] = cpu_time.watch(1)
            tab.close()

    def crowd(self, server: Server) -> None:
        """Measure ten visitors at once, and the memory that they take."""
        marked = server.marked
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
            if late := ready.count(None):
                print(f"{self.tool.name}: {late} of {CROWD} visitors at once got no button.", file=sys.stderr)
                return
            begins = [tab.page.evaluate("performance.timeOrigin") for tab in tabs]
            self.figures["crowd"] = (max(ready) - min(begins)) / 1e3
            for tab in tabs:
                tab.submit_row()
            self.figures["memory"] = (marked.pss_mb(marked.pids()) - empty) / CROWD
            for tab in tabs:
                tab.close()

    def live(self, server: Server) -> None:
        """Measure changes of a field where the answer follows without a button."""
        with self.tool.visitor(self.browser, self.case, click=False) as context:
            tab = Visitor(context)
            tab.page.goto(self.tool.url(server, "live-iris"))
            tab.page.wait_for_function("() => bench.hasFields()")
            tab.page.wait_for_timeout(1000)
            lengths = [LENGTHS[i % len(LENGTHS)] for i in range(CHANGES)]
            self.figures["live"] = statistics.median(tab.change_value(0, length) for length in lengths)


ROWS = {
    "ready": ("page opened → button works", "{:.2f} s"),
    "predicted": ("page opened → first answer, the button pressed as soon as it is there", "{:.2f} s"),
    "click": ("click → answer on screen", "{:.0f} ms"),
    "live": ("a value changed → answer on screen, without a button", "{:.0f} ms"),
    "crowd": (f"{CROWD} visitors at once: the last one's button works", "{:.2f} s"),
    "cpu": ("CPU of the server for a visit with {clicks} clicks", "{:.2f} s"),
    "memory": (f"memory for each of {CROWD} visitors", "{:.1f} MB"),
    "rest": ("memory of the server before the first visitor", "{:.0f} MB"),
    "kilobytes": ("download of a first page", "{:,.0f} kB"),
    "requests": ("requests of a first page", "{:.0f}"),
}
SHORT = ("predicted", "click", "cpu", "kilobytes")  # of the cases after the first


def lines(compared: Sequence[Tool], case: str, names: Sequence[str], clicks: int, prefix: str = "") -> list[list[str]]:
    """Return the rows of a case."""
    rows = []
    for name in names:
        title, form = ROWS[name]
        scale = 1e3 if "ms" in form else 1
        cells = [spread([scale * value for value in tool.figures[case, name]], form) for tool in compared]
        rows.append([prefix + title.format(clicks=clicks), *cells])
    return rows


def tables(compared: Sequence[Tool], cases: Sequence[str] = tuple(CASES), clicks: int = CLICKS + 1) -> str:
    """Return the tables of this section: all figures of the iris, some of the other cases."""
    head = ["", *(tool.name for tool in compared)]
    found = [table(head, lines(compared, IRIS, list(ROWS), clicks))] if IRIS in cases else []
    others = [case for case in cases if case != IRIS]
    rows = [line for case in others for line in lines(compared, case, SHORT, clicks, f"{CASES[case].title}: ")]
    return "\n\n".join(found + ([table(head, rows)] if others else []))


def run_round(tool: Tool, case: str, clicks: int, log: Path, playwright: Playwright) -> None:
    """Measure a tool with a case once; what fails twice has no figure."""
    for _ in range(2):
        print(f"pages: {tool.name}, {CASES[case].title}", file=sys.stderr, flush=True)
        browser = launch(playwright)
        try:
            return Round(tool, case, log, browser, clicks).run()
        except (SystemExit, PlaywrightError) as error:  # such as a page of plain Voila that never became ready
            print(f"{tool.name}, {CASES[case].title}: {error}", file=sys.stderr)
        finally:
            browser.close()


def main() -> None:
    """Measure and print; after Ctrl-C what there is so far."""
    chosen = options(__doc__, {"rounds": (3, 1), "clicks": (CLICKS, 2)}, case="")
    cases = [case for case in CASES if chosen.case in ("", case)]
    with tempfile.TemporaryDirectory(prefix="irislib-") as temporary, sync_playwright() as playwright:
        compared = tools(Path(temporary), chosen.peers, chosen.beside)
        prepare(Path(temporary))
        with suppress(KeyboardInterrupt):
            for case in cases:
                for tool in turns(compared, chosen.rounds if case == IRIS else 1):
                    run_round(tool, case, chosen.clicks, Path(temporary) / "log", playwright)
    print(tables(compared, cases, chosen.clicks + 1))


if __name__ == "__main__":
    main()
