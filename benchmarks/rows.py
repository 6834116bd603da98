"""Benchmark of one row over HTTP: irislib beside an empty Flask view and one that calls scikit-learn.

    python benchmarks/rows.py      # prints tables

Every server is Gunicorn with its sync worker and an access log; irislib has all in place that it has in production.
No answer is a remembered one: every request has other values.
"""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cases import CASES
from load import form_post, send
from processes import Server, prepare, running_server, total_seconds
from report import options, ratio, spread, table, turns

TOKEN = "a-token-for-the-benchmark"
CONNECTIONS = 16
NAMES = ("an empty Flask view", "a view with scikit-learn", "irislib", "irislib, two workers")
SLOW = 0.04  # of the requests for a server that is much slower


@dataclass
class Endpoint:
    """A server, and the requests per second and microseconds of CPU per request in each round of a case."""

    name: str
    command: Sequence[str]
    port_option: str = "--bind=127.0.0.1:{}"
    share: float = 1.0
    per_second: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def round(self, server: Server, case: str, requests: list[bytes]) -> None:
        """Send requests, and note the results."""
        requests = requests[: max(CONNECTIONS, int(len(requests) * self.share))]
        before = total_seconds(server.marked.clocks())
        done = send(int(server.url.rpartition(":")[2]), requests, CONNECTIONS, lambda answer: b'"' in answer[-20:])
        if done.failures:
            raise SystemExit(f"{self.name}: {done.failures} of {len(requests)} requests failed.")
        self.cpu[case].append((total_seconds(server.marked.clocks()) - before) / len(requests) * 1e6)
        self.per_second[case].append(done.per_second)


def endpoints(folder: Path, beside: str) -> list[Endpoint]:
    """Return the servers."""
    (folder / "token").write_text(TOKEN)
    log = ["--access-logfile", str(folder / "access.log")]
    gunicorn = [sys.executable, "-m", "gunicorn", "--preload", *log]
    models = [f"--model={model}" for model in prepare(folder)]
    ours = ["-m", "irislib", "api", "--token-file", str(folder / "token"), *log, *models]
    every = [
        Endpoint(NAMES[0], [*gunicorn, "views:empty()"]),
        Endpoint(NAMES[1], [*gunicorn, "views:frame()"], share=SLOW),
        Endpoint(NAMES[2], [sys.executable, *ours, "--workers=1"], "--port={}"),
        Endpoint(NAMES[3], [sys.executable, *ours, "--workers=2"], "--port={}"),
    ]
    return every + [Endpoint("irislib, the other version", [beside, *ours, "--workers=1"], "--port={}")] * bool(beside)


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, {"rounds": (7, 1), "requests": (1500, 100)})
    rng = random.Random(0)
    with tempfile.TemporaryDirectory(prefix="irislib-") as temporary, contextlib.ExitStack() as stack:
        every = endpoints(Path(temporary), chosen.beside)
        servers = {
            one.name: stack.enter_context(
                running_server(one.command, "/healthz", Path(temporary) / "log", one.port_option, OMP_NUM_THREADS="1")
            )
            for one in every
        }
        for name, case in CASES.items():
            for endpoint in turns(every, 1 + chosen.rounds):  # the first round warms up
                requests = [form_post(f"/{name}", case.row(rng), TOKEN) for _ in range(chosen.requests)]
                endpoint.round(servers[endpoint.name], name, requests)
    print(tables(every))


def tables(every: Sequence[Endpoint]) -> str:
    """Return the tables of this section."""
    return f"{cpu_table(every)}\n\n{rate_table(every)}"


def cpu_table(every: Sequence[Endpoint]) -> str:
    """Return the CPU time of a request, and that of irislib beside the others'."""
    empty, frame, ours, *_ = every
    shown = [one for one in every if one.name != NAMES[3]]
    rows = []
    for name, case in CASES.items():
        cells = [f"{spread(one.cpu[name][1:], '{:,.0f} µs')}" for one in shown]
        beside = [ratio(ours.cpu[name][1:], other.cpu[name][1:]) for other in (empty, frame)]
        rows.append([case.title, *cells, *beside])
    head = ["CPU of a `POST` of one row", *(one.name for one in shown), "irislib beside the first", "the second"]
    return table(head, rows)


def rate_table(every: Sequence[Endpoint]) -> str:
    """Return the requests per second."""
    rows = [
        [case.title, *(spread(one.per_second[name][1:], "{:,.0f}") for one in every)] for name, case in CASES.items()
    ]
    return table(["requests per second", *(one.name for one in every)], rows)


if __name__ == "__main__":
    main()
