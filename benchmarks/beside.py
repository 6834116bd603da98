"""Benchmark of the Iris Wizard's page beside the same form in other tools: one forest, one machine, one run.

    python benchmarks/beside.py --peers PYTHON     # about twenty minutes; prints a table

PYTHON is an interpreter of an environment with ``shiny``, ``gradio``, ``streamlit``, ``voila`` and scikit-learn; those
that it lacks are left out. The apps are in `benchmarks/peers/`. What a visitor waits for is measured within the page,
by the frames that the browser has painted. Every round starts its servers anew, and they take turns in going first.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from browser import Visitor, launch, visitor
from playwright.sync_api import Browser, Playwright, sync_playwright
from processes import CpuTime, Server, running_server

PEERS = Path(__file__).parent / "peers"
CLICKS = 30  # on one page
CROWD = 10  # visitors at once
LENGTHS = (6.5, 4.5)  # of a petal: each gives another species than the one before
LIVE_MODULE = """
import dataclasses
from irislib import iris
spec = dataclasses.replace(iris.spec, name="live-iris", live=True)
"""


@dataclass
class Tool:
    """A tool, the command that starts its app, and where its page has what."""

    name: str
    command: list[str]
    live_command: list[str] = field(default_factory=list)
    path: str = "/"
    live_path: str = ""
    health_path: str = "/"
    port_option: str = "--port={}"
    page: dict[str, str] = field(default_factory=dict)
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def running(self, log: Path, live: bool = False) -> AbstractContextManager[Server]:
        """Start the server."""
        environment = {"LIVE": "1"} if live else {}
        command = self.live_command if live and self.live_command else self.command
        return running_server(command, self.health_path, log, port_option=self.port_option, **environment)

    def visitor(self, browser: Browser, click: bool = True) -> AbstractContextManager[Any]:
        """Return a browser context for its page."""
        return visitor(browser, click=click, **self.page)


def tools(folder: Path, peers: str) -> list[Tool]:
    """Return irislib and the tools that an environment has."""
    ours = [sys.executable, "-m", "irislib", "serve", "--notebooks", str(folder / "notebooks")]
    live = [sys.executable, "-m", "irislib", "serve", "--model", "live_iris:spec", "--notebooks", str(folder / "live")]
    found = [Tool("irislib", ours, live, "/iris-wizard", "/live-iris", "/healthz")]
    fields = "input[type=number]"
    app = str(PEERS / "{}_app.py").format
    candidates = {
        "voila": Tool(
            "plain Voila",
            [peers, "-m", "voila", str(folder / "voila" / "app.ipynb"), "--no-browser"],
            health_path="/voila/static/voila.js",
            page={"answer": ".answer", "fields": fields},
        ),
        "shiny": Tool(
            "Shiny",
            [peers, "-m", "shiny", "run", app("shiny")],
            page={"answer": "#answer", "fields": fields, "button": "button.shiny-bound-input"},
        ),
        "gradio": Tool(
            "Gradio", [peers, app("gradio")], port_option="{}", page={"answer": "#answer h3", "fields": fields}
        ),
        "streamlit": Tool(
            "Streamlit",
            [
                peers,
                "-m",
                "streamlit",
                "run",
                app("streamlit"),
                "--server.headless=true",
                "--browser.gatherUsageStats=false",
            ],
            health_path="/_stcore/health",
            port_option="--server.port={}",
            page={"answer": ".st-key-answer h3", "fields": fields},
        ),
    }
    for module, tool in candidates.items():
        if subprocess.run([peers, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0:
            found.append(tool)
    return found


def visit(tool: Tool, server: Server, browser: Browser) -> None:
    """Measure one visitor: the page opened, clicks, and the CPU time of the server for it all."""
    with tool.visitor(browser) as context:
        tab = Visitor(context)
        cpu_time = CpuTime(server.marked)
        ready, predicted, _ = tab.visit(server.url + tool.path)
        if ready is None or predicted is None:
            raise SystemExit(f"The page of {tool.name} gave no answer.")
        tool.figures["ready"].append(ready)
        tool.figures["predicted"].append(predicted)
        tool.figures["click"].append(statistics.median(tab.submit_row()[0] for _ in range(CLICKS)))
        tool.figures["cpu"].append(cpu_time.watch(1))
        tab.close()


def crowd(tool: Tool, server: Server, browser: Browser) -> None:
    """Measure ten visitors at once, and the memory that they take."""
    marked = server.marked
    empty = marked.pss_mb(marked.pids())
    with ExitStack() as stack:
        tabs = [Visitor(stack.enter_context(tool.visitor(browser, click=False))) for _ in range(CROWD)]
        for tab in tabs:
            tab.start(server.url + tool.path)
        ready = [tab.wait_for_fact("readyAt") for tab in tabs]
        begins = [tab.page.evaluate("performance.timeOrigin") for tab in tabs]
        tool.figures["crowd"].append((max(ready) - min(begins)) / 1e3)
        for tab in tabs:
            tab.submit_row()
        tool.figures["memory"].append((marked.pss_mb(marked.pids()) - empty) / CROWD)


def download(tool: Tool, server: Server, browser: Browser) -> None:
    """Measure the bytes and requests of a first page."""
    sizes: list[float] = []
    with tool.visitor(browser) as context:
        tab = Visitor(context)
        session = context.new_cdp_session(tab.page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        tab.visit(server.url + tool.path)
        tab.page.wait_for_timeout(1000)
        tool.figures["kilobytes"].append(sum(sizes) / 1e3)
        tool.figures["requests"].append(len(sizes))


def live(tool: Tool, server: Server, browser: Browser) -> None:
    """Measure changes of a field where the answer follows without a button."""
    with tool.visitor(browser, click=False) as context:
        tab = Visitor(context)
        tab.page.goto(server.url + (tool.live_path or tool.path))
        tab.page.wait_for_function("() => bench.hasFields()")
        tab.page.wait_for_timeout(1000)
        lengths = [LENGTHS[i % len(LENGTHS)] for i in range(CLICKS)]
        tool.figures["live"].append(statistics.median(tab.change_value(0, length) for length in lengths))


def run_round(tool: Tool, log: Path, playwright: Playwright) -> None:
    """Run one round of one tool, in a fresh browser."""
    browser = launch(playwright)
    measures: list[Callable[[Tool, Server, Browser], None]] = [download, visit, crowd]
    with tool.running(log) as server:
        server.marked.settle()
        tool.figures["rest"].append(server.marked.pss_mb(server.marked.pids()))
        for measure in measures:
            measure(tool, server, browser)
            server.marked.settle()
    with tool.running(log, live=True) as server:
        server.marked.settle()
        live(tool, server, browser)
    browser.close()


ROWS = {
    "ready": ("page opened → button works", "{:.2f} s"),
    "predicted": ("page opened → first answer, the button pressed as soon as it is there", "{:.2f} s"),
    "click": ("click → answer on screen", "{:.0f} ms"),
    "live": ("a value changed → answer on screen, without a button", "{:.0f} ms"),
    "crowd": (f"{CROWD} visitors at once: the last one's button works", "{:.2f} s"),
    "cpu": (f"CPU of the server for a visit with {CLICKS + 1} clicks", "{:.2f} s"),
    "memory": (f"memory for each of {CROWD} visitors", "{:.1f} MB"),
    "rest": ("memory of the server before the first visitor", "{:.0f} MB"),
    "kilobytes": ("download of a first page", "{:,.0f} kB"),
    "requests": ("requests of a first page", "{:.0f}"),
}


def table(compared: list[Tool]) -> None:
    """Print medians, in brackets the least and the most."""
    print("\n| | " + " | ".join(tool.name for tool in compared) + " |")
    print("|---" * (len(compared) + 1) + "|")
    for name, (title, form) in ROWS.items():
        scale = 1e3 if "ms" in form else 1
        cells = []
        for tool in compared:
            values = [scale * value for value in tool.figures[name]]
            least, most = form.partition("}")[0] + "}", form
            cells.append(
                f"{form.format(statistics.median(values))} ({least.format(min(values))} to {most.format(max(values))})"
            )
        print(f"| {title} | {' | '.join(cells)} |")


def prepare(folder: Path) -> None:
    """Write the notebooks, and train the models of irislib ahead."""
    for name in ("notebooks", "live", "voila"):
        (folder / name).mkdir()
    shutil.copy(PEERS.parent.parent / "notebooks" / "iris-wizard.ipynb", folder / "notebooks")
    (folder / "live_iris.py").write_text(LIVE_MODULE)
    notebook(
        folder / "voila" / "app.ipynb",
        f"import sys\nsys.path.insert(0, {str(PEERS)!r})\nfrom voila_app import app\napp",
    )
    os.environ.update(IRISLIB_STORE=str(folder / "store"), PYTHONPATH=str(folder))
    models = ["--model", "irislib.iris:spec", "--model", "live_iris:spec"]
    subprocess.run([sys.executable, "-m", "irislib", "train", *models], check=True, stdout=subprocess.DEVNULL)


def notebook(path: Path, source: str) -> None:
    """Write a notebook of one cell."""
    cell = {"cell_type": "code", "execution_count": None, "id": "app", "metadata": {}, "outputs": [], "source": source}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peers", required=True, metavar="PYTHON", help="an interpreter that has the other tools")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one tool alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="irislib-") as temporary, sync_playwright() as playwright:
        prepare(Path(temporary))
        every = tools(Path(temporary), str(Path(options.peers).absolute()))
        compared = [tool for tool in every if options.only in (None, tool.name)]
        measure = partial(run_round, log=Path(temporary) / "log", playwright=playwright)
        for i in range(options.rounds):
            for j in range(len(compared)):
                measure(compared[(i + j) % len(compared)])
            print(f"round {i + 1} of {options.rounds}", file=sys.stderr, flush=True)
        table(compared)


if __name__ == "__main__":
    main()
