"""Benchmark of 50,000 rows of CSV over HTTP: irislib beside a Flask view that calls pandas and scikit-learn.

    python benchmarks/batches.py      # prints a table

Both have one worker. The view checks nothing; irislib checks every cell, and says of each row what is unusual.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
from cases import CASES
from processes import Server, prepare, running_server, total_seconds
from report import options, ratio, spread, table, turns

MEASURED = ("iris-wizard", "thirty", "classes", "mixed")
FORMS = {"wall": "{:.1f} s", "cpu": "{:.1f} s", "peak": "{:.0f} MB"}


def post(server: Server, case: str, body: bytes) -> dict[str, float]:
    """Send a file; return the time, the CPU time and the peak of the memory of the largest process."""
    before, begin = total_seconds(server.marked.clocks()), time.perf_counter()
    request = urllib.request.Request(f"{server.url}/{case}/batch", body, {"Content-Type": "text/csv"})
    with urllib.request.urlopen(request) as response:
        count = sum(line.count(b"\n") for line in response) - 1
    if count != body.count(b"\n") - 1:
        raise SystemExit(f"{count} rows came back.")
    seconds = time.perf_counter() - begin
    peaks = [
        int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) for pid in server.marked.pids()
    ]
    return {
        "wall": seconds,
        "cpu": total_seconds(server.marked.clocks()) - before,
        "peak": max(peaks) / 1024,
    }


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rounds=3, rows=50_000)
    rng = random.Random(0)
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="irislib-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        models = [f"--model={model}" for model in prepare(folder)]
        ours = ["-m", "irislib", "api", "--workers=1", *models]
        commands = {
            "a view with pandas and scikit-learn": (
                [sys.executable, "-m", "gunicorn", "--preload", "--timeout=600", "views:frame()"],
                "--bind=127.0.0.1:{}",
            ),
            "irislib": ([sys.executable, *ours], "--port={}"),
        }
        if chosen.beside:
            commands["irislib, the other version"] = ([chosen.beside, *ours], "--port={}")
        servers = {
            name: stack.enter_context(running_server(command, "/healthz", folder / "log", port, OMP_NUM_THREADS="1"))
            for name, (command, port) in commands.items()
        }
        for case in MEASURED:
            rows = pd.DataFrame([CASES[case].row(rng) for _ in range(chosen.rows)])
            body = rows.to_csv(index=False).encode()
            for name in turns(list(servers), chosen.rounds):
                for figure, value in post(servers[name], case, body).items():
                    found[case, name, figure].append(value)
    first = next(iter(servers))
    lines = []
    for case in MEASURED:
        cells = [
            ", ".join(spread(found[case, name, figure], form).partition(" (")[0] for figure, form in FORMS.items())
            for name in servers
        ]
        lines.append([CASES[case].title, *cells, ratio(found[case, "irislib", "cpu"], found[case, first, "cpu"])])
    print(table([f"{chosen.rows:,} rows: time, CPU, peak memory", *servers, "CPU of irislib beside the first"], lines))


if __name__ == "__main__":
    main()
