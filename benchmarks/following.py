"""Load on `irislib api` while the store gets new versions: nothing fails, and each answer is of the version it names.

    python benchmarks/following.py                                    # 20,000 requests, ten swaps, an idle minute
    python benchmarks/following.py --requests 4000 --idle 0 --json

Clients with connections of their own, which they keep, send rows and batches, while versions that answer differently
are published and rolled back. Each answer is compared with that of its `X-Model-Version`. The exit status is 1 if
a request has failed, or an answer was another version's.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from processes import running_server

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
BATCH_EACH = 50  # requests of one client
PATIENCE = 120
IDLE_SECONDS = 1  # after which a client opens a new connection: the server closes one that is idle for two


@dataclass
class Load:
    """Clients, and what they have seen.

    Attributes
    ----------
    answers : dict of str to list
        The right answers to the rows, by version.
    first_seen, last_seen : dict of str to float
        When a version has answered, since the last swap.
    """

    port: int
    name: str
    rows: list[dict[str, float]]
    answers: dict[str, list[Any]]
    total: int
    clients: int = 6
    pause: float = 0.0
    is_over: bool = False
    sent: int = 0
    failures: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    first_seen: dict[str, float] = field(default_factory=dict)
    last_seen: dict[str, float] = field(default_factory=dict)

    def run(self) -> list[threading.Thread]:
        """Start the clients."""
        threads = [threading.Thread(target=self.client, args=(number,)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        return threads

    def client(self, number: int) -> None:
        """Send requests on one connection, which is opened again when the server has said that it closes it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        answered = time.monotonic()
        for i in itertools.count(number, self.clients):
            if self.is_over and i >= self.total:
                break
            index = i % len(self.rows)
            is_batch = i // self.clients % BATCH_EACH == number
            try:
                if is_batch:
                    body, kind = json.dumps(self.rows), JSON
                else:
                    body, kind = urlencode(self.rows[index]), FORM
                if time.monotonic() - answered > IDLE_SECONDS:
                    connection.close()
                path = f"/{self.name}/batch" if is_batch else f"/{self.name}"
                connection.request("POST", path, body, {"Content-Type": kind})
                response = connection.getresponse()
                self.check(response.status, response.headers["X-Model-Version"], response.read(), index, is_batch)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{error!r} {time.monotonic() - answered:.3f} s after the answer before")
                connection.close()
            answered = time.monotonic()
            self.sent += 1
            time.sleep(self.pause)
        connection.close()

    def check(self, status: int, version: str, body: bytes, index: int, is_batch: bool) -> None:
        """Compare a response with what its version answers."""
        if status != 200:
            self.failures.append(f"{status}: {body[:200]!r}")
            return
        now, answer = time.monotonic(), json.loads(body)
        right = self.answers[version] if is_batch else self.answers[version][index]
        if ([row["prediction"] for row in answer] if is_batch else answer) != right:
            self.mixed.append(f"{version} answered {answer!r} instead of {right!r}")
        self.versions[version] += 1
        self.first_seen.setdefault(version, now)
        self.last_seen[version] = now

    def wait_until_sent(self, count: int) -> None:
        """Wait until so many requests have been sent."""
        while self.sent < count:
            time.sleep(0.005)

    def wait_for(self, version: str) -> float:
        """Return when a version has answered first."""
        end = time.monotonic() + PATIENCE
        while version not in self.first_seen:
            if time.monotonic() > end:
                self.is_over = True
                raise SystemExit(f"{version} has not answered: {self.failures[:3]}")
            time.sleep(0.005)
        return self.first_seen[version]


def versions_of(spec: Any, count: int) -> list[Any]:
    """Train models of one description that answer differently: each has the classes under other names."""
    from irislib import train

    data = spec.load_data()
    names = sorted(data[spec.target].unique())
    models = []
    for number in range(count):
        others = {name: names[(i + number) % len(names)] for i, name in enumerate(names)}
        rows = data.iloc[number // len(names) :]
        models.append(train(spec, rows.assign(**{spec.target: rows[spec.target].map(others)})))
    return [replace(model, data_files=[]) for model in models]


def answers_of(model: Any, rows: list[dict[str, float]]) -> list[Any]:
    """Return a model's answers."""
    answers: list[Any] = model.predict_frame(model.spec.validate(rows)).tolist()
    return answers


def memory_of(pid: int) -> float:
    """Return the proportional memory of a process and all its children in MB."""
    total = 0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu_of_watch(pid: int, seconds: float) -> float:
    """Return the seconds of CPU a minute of the process that looks at the store: the one without a socket."""
    children = psutil.Process(pid).children()
    (watch,) = [child for child in children if not child.net_connections()]
    before, began = sum(watch.cpu_times()[:2]), time.monotonic()
    time.sleep(seconds)
    return (sum(watch.cpu_times()[:2]) - before) / (time.monotonic() - began) * 60


def swap(load: Load, models: Sequence[Any], number: int, root: Any) -> tuple[float, float]:
    """Make another version current; return when that was, and when it has answered first."""
    from irislib._modeling import store

    current = store.current_entry(load.name, root)
    if number % 3 == 2:
        entry = store.rollback(load.name, root)
    else:
        model = next(m for m in [*models[number % len(models) :], *models] if m.version != current.version)
        entry = store.publish(model, root)
    began = time.monotonic()
    load.first_seen.clear()
    load.last_seen.clear()
    return began, load.wait_for(entry.version)


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the server and the load, and return all figures."""
    from irislib._modeling import store
    from irislib.iris import spec

    root = store.default_root()
    models = versions_of(spec, options.models)
    store.save(models[0], root)
    rows = spec.load_data()[spec.feature_names].to_dict("records")[::5]
    answers = {model.version: answers_of(model, rows) for model in models}
    command = [sys.executable, "-m", "irislib", "api", "--workers", str(options.workers)]
    log = folder / "log"
    with running_server(command, "/healthz", log) as server:
        load = Load(int(server.url.rpartition(":")[2]), spec.name, rows, answers, options.requests, pause=options.pause)
        memory = {}
        latencies, durations, during = [], [], 0.0
        threads = load.run()
        load.wait_until_sent(load.total // (options.swaps + 2))
        memory["before"] = memory_of(server.pid)
        for number in range(options.swaps):
            load.wait_until_sent((number + 1) * load.total // (options.swaps + 2))
            began, first = swap(load, models, number, root)
            latencies.append(first - began)
            during = max(during, memory_of(server.pid))
            current = store.current(spec.name, root)
            load.wait_until_sent(load.sent + 20 * load.clients)
            olds = [seen for version, seen in load.last_seen.items() if version != current]
            durations.append(max(olds, default=began) - began)
        load.is_over = True
        for thread in threads:
            thread.join()
        memory["during"] = during
        time.sleep(options.settle)
        memory["after"] = memory_of(server.pid)
        cpu = cpu_of_watch(server.pid, options.idle) if options.idle else None
    return {
        "requests": load.sent,
        "failed": len(load.failures),
        "mixed": len(load.mixed),
        "examples": [*load.failures[:3], *load.mixed[:3]],
        "versions": dict(load.versions),
        "seconds to the first answer": [round(value, 2) for value in latencies],
        "median": round(statistics.median(latencies), 2),
        "seconds to the last of the old": [round(value, 2) for value in durations],
        "memory in MB": {name: round(value) for name, value in memory.items()},
        "CPU seconds a minute of looking": cpu and round(cpu, 3),
        "swaps in the log": log.read_text().count("is served from now on"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--swaps", type=int, default=10)
    parser.add_argument("--models", type=int, default=5)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0, help="seconds between two requests of a client")
    parser.add_argument("--follow", type=float, help="seconds between two looks at the store, if not the default")
    parser.add_argument("--idle", type=float, default=60, help="seconds to measure the process that looks; 0 for none")
    parser.add_argument("--settle", type=float, default=5, help="seconds before the memory is measured last")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IRISLIB_STORE"] = f"{folder}/store"
        if options.follow:
            os.environ["IRISLIB_FOLLOW"] = str(options.follow)
        figures = measure(options, Path(folder))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name}: {value}")
    return int(bool(figures["failed"] or figures["mixed"]))


if __name__ == "__main__":
    sys.exit(main())
