"""Benchmark of the endpoint beside an empty Flask view and one that calls scikit-learn.

    python benchmarks/endpoint.py                  # about two minutes; prints tables
    python benchmarks/endpoint.py --beside ../before/.venv/bin/python    # and another version of irislib

Every server is Gunicorn with its sync worker and an access log. The rounds of all servers are
interleaved, so that whatever else the machine does meets them alike; the ratios within a round are
the sound figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from load import Round, form_post, send

HERE = Path(__file__).parent
TOKEN = "a-token-for-the-benchmark"
NAMES = ("petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm")
CONNECTIONS = 16
PORT = 5061


@dataclass
class Server:
    """One server under load, and its measurements."""

    name: str
    command: Sequence[str]
    port: int
    share: float = 1.0  # of a round's requests, for one that is much slower
    rounds: list[Round] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def workers(self) -> list[int]:
        """The processes that answer."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def seconds(self) -> float:
        """CPU time of the workers so far."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers()]
        return sum(int(stat[11]) + int(stat[12]) for stat in fields) / os.sysconf("SC_CLK_TCK")

    def private_mb(self) -> list[float]:
        """Memory that each worker shares with no other process."""
        sizes = []
        for pid in self.workers():
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            sizes.append(sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024)
        return sizes

    def round(self, requests: list[bytes], expected: bytes) -> None:
        """Send requests and keep what came of it."""
        requests = requests[: max(CONNECTIONS, int(len(requests) * self.share))]
        before = self.seconds()
        done = send(self.port, requests, CONNECTIONS, lambda response: response.rstrip().endswith(expected))
        if done.failures:
            raise SystemExit(f"{self.name}: {done.failures} of {len(requests)} requests failed.")
        self.rounds.append(done)
        self.cpu.append((self.seconds() - before) / len(requests) * 1e6)


def gunicorn(app: str, port: int, log: Path) -> list[str]:
    """A plain Gunicorn."""
    program = [sys.executable, "-m", "gunicorn", f"views:{app}()", "--preload", "--bind", f"127.0.0.1:{port}"]
    return [*program, "--access-logfile", str(log)]


def irislib(port: int, log: Path, token: Path, workers: int = 1, python: str = sys.executable) -> list[str]:
    """The endpoint as in production."""
    program = [python, "-m", "irislib", "api", "--port", str(port), "--workers", str(workers)]
    return [*program, "--access-logfile", str(log), "--token-file", str(token)]


@contextlib.contextmanager
def running(servers: Sequence[Server]) -> Iterator[None]:
    """Start servers, wait for each, and end them."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    try:
        for server in servers:
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            server.process = subprocess.Popen(server.command, cwd=HERE, env=environment, **quiet)
        for server in servers:
            wait_for(server.port)
        yield
    finally:
        for server in servers:
            if server.process:
                server.process.terminate()
                server.process.wait(30)


def wait_for(port: int) -> None:
    """Wait until something answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"Nothing answers on port {port}.")


def flowers(count: int, rng: random.Random) -> list[bytes]:
    """Requests with ever other values, so that no answer could be a remembered one."""
    rows = [{name: round(rng.uniform(0.1, 8), 2) for name in NAMES} for _ in range(count)]
    return [form_post("/iris-wizard", row, TOKEN) for row in rows]


def table(servers: Sequence[Server]) -> None:
    """Print what came out, medians over the rounds; ratios are medians of the ratios within a round."""
    first = servers[0]
    print("| `POST` of one flower | requests/s | CPU per request | p50 | p99 | beside the first |")
    print("|---|---|---|---|---|---|")
    for server in servers:
        latencies = sorted(seconds for done in server.rounds for seconds in done.latencies)
        rate = statistics.median(done.per_second for done in server.rounds)
        ratios = [a.per_second / b.per_second for a, b in zip(server.rounds, first.rounds, strict=True)]
        print(
            f"| {server.name} | {rate:,.0f} | {statistics.median(server.cpu):,.0f} µs "
            f"| {latencies[len(latencies) // 2] * 1e3:.1f} ms | {latencies[len(latencies) * 99 // 100] * 1e3:.1f} ms "
            f"| {statistics.median(ratios):.3g} ({min(ratios):.3g} to {max(ratios):.3g}) |"
        )


def measure(servers: Sequence[Server], rounds: int, count: int, expected: bytes = b'"') -> None:
    """Warm up, then let the servers take turns, each round beginning with another."""
    rng = random.Random(0)
    for server in servers:
        send(server.port, flowers(200, rng), CONNECTIONS, lambda _: True)
    for i in range(rounds):
        requests = flowers(count, rng)
        for k in range(len(servers)):
            servers[(i + k) % len(servers)].round(requests, expected)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--requests", type=int, default=3000, help="in each round")
    parser.add_argument("--beside", metavar="PYTHON", help="an interpreter that has another version of irislib")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        token.write_text(TOKEN)
        logs = [Path(folder) / f"log{i}" for i in range(5)]
        servers = [
            Server("an empty Flask view", gunicorn("empty", PORT, logs[0]), PORT),
            Server("irislib", irislib(PORT + 1, logs[1], token), PORT + 1),
            Server("a Flask view with a DataFrame and `predict`", gunicorn("frame", PORT + 2, logs[2]), PORT + 2, 0.05),
        ]
        if options.beside:
            other = irislib(PORT + 5, Path(folder) / "log-beside", token, python=options.beside)
            servers.append(Server("irislib, the other version", other, PORT + 5))
        with running(servers):
            measure(servers, options.rounds, options.requests)
        table(servers)
        ours = [a.per_second / b.per_second for a, b in zip(servers[1].rounds, servers[2].rounds, strict=True)]
        print(f"\nirislib beside the view with a DataFrame: {statistics.median(ours):.0f} times\n")
        several = [
            Server("irislib, one worker", irislib(PORT + 3, logs[3], token), PORT + 3),
            Server("irislib, two workers", irislib(PORT + 4, logs[4], token, 2), PORT + 4),
        ]
        with running(several):
            measure(several, options.rounds, options.requests)
            memory = ", ".join(f"{size:.1f} MB" for size in several[1].private_mb())
        table(several)
        print(f"\nmemory of each of the two workers that it shares with no other process: {memory}")


if __name__ == "__main__":
    main()
