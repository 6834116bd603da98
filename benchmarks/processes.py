"""A server under test, and its processes: found by a mark in their environment, whoever their parent is.

A forked process keeps the environment that its ancestor was started with, and a kernel is not always
the server's child. So every process that descends from a server has the server's mark.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

__all__ = ["CpuTime", "Marked", "Server", "prepare", "running_server", "total_seconds"]

MARK = "IRISLIB_BENCH"
TICK = os.sysconf("SC_CLK_TCK")
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass
class Marked:
    """All processes that have a mark."""

    mark: str
    known: dict[tuple[int, str], bool] = field(default_factory=dict)

    def pids(self) -> list[int]:
        """Return the running processes."""
        return sorted(pid for pid, _ in self.clocks())

    def clocks(self) -> dict[tuple[int, str], tuple[float, float]]:
        """Return the seconds of CPU of each process, and those of the children it has waited for.

        A process is identified by its pid and its start time.
        """
        times = {}
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(*GONE):
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                key = (int(path.name), fields[19])
                if fields[0] != "Z" and self.has_mark(key):
                    user, system, waited_user, waited_system = map(int, fields[11:15])
                    times[key] = ((user + system) / TICK, (waited_user + waited_system) / TICK)
        return times

    def has_mark(self, key: tuple[int, str]) -> bool:
        """Return True if a process has the mark; if not, it is looked up again, since the process may still exec."""
        if not self.known.get(key, False):
            environment = Path(f"/proc/{key[0]}/environ").read_bytes()
            self.known[key] = f"{MARK}={self.mark}".encode() in environment.split(b"\0")
        return self.known[key]

    def pss_mb(self, pids: list[int]) -> float:
        """Return the proportional memory of processes in MB, with their share of common pages."""
        total = 0
        for pid in pids:
            with contextlib.suppress(*GONE):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def settle(self, timeout: float = 30) -> None:
        """Wait until they are idle, and none starts or ends."""
        end = time.monotonic() + timeout
        calm, before = 0, self.clocks()
        while calm < 4 and time.monotonic() < end:
            time.sleep(0.5)
            now = self.clocks()
            is_calm = now.keys() == before.keys() and total_seconds(now) - total_seconds(before) <= 0.03
            calm, before = (calm + 1 if is_calm else 0), now

    def end(self) -> None:
        """Kill the remaining processes."""
        for _ in range(100):
            remaining = self.pids()
            if not remaining:
                return
            for pid in remaining:
                with contextlib.suppress(*GONE):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


def total_seconds(clocks: dict[tuple[int, str], tuple[float, float]]) -> float:
    """Return the seconds of CPU of processes and of the children they have waited for."""
    return sum(map(sum, clocks.values()))


class CpuTime:
    """CPU time that processes use from now on, also those that begin and end meanwhile.

    A process that ends adds its time to a parent that waits for it; without one, its last measurement
    counts. Each way can only miss something, so the larger sum is the better one.
    """

    def __init__(self, marked: Marked):
        self.marked = marked
        self.first = marked.clocks()
        self.last = dict(self.first)

    def measure(self) -> float:
        """Return the seconds so far; to be called often while processes end."""
        now = self.marked.clocks()
        self.last.update(now)
        handed_on = total_seconds(now) - total_seconds(self.first)
        last_seen = sum(own_seconds for own_seconds, _ in self.last.values()) - sum(
            own_seconds for own_seconds, _ in self.first.values()
        )
        return max(handed_on, last_seen)

    def watch(self, seconds: float) -> float:
        """Measure repeatedly for some seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.measure()
            time.sleep(0.03)
        return self.measure()


@dataclass
class Server:
    """A server that runs, with all the processes that belong to it."""

    process: subprocess.Popen[bytes]
    marked: Marked
    url: str
    seconds: float  # from its start until it answered

    @property
    def pid(self) -> int:
        """The pid of the server itself."""
        return self.process.pid

    def child_pids(self) -> list[int]:
        """Return all its processes but the server itself."""
        return [pid for pid in self.marked.pids() if pid != self.pid]


@contextlib.contextmanager
def running_server(
    command: Sequence[str], health_path: str, log: Path, port_option: str = "--port={}", **environment: str
) -> Iterator[Server]:
    """Start a server, wait for it, and end it with all that belongs to it.

    The ``health_path`` is polled until it responds; never that of a page, where each GET starts a kernel.
    """
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    marked = Marked(uuid4().hex)
    env = {**os.environ, **environment, MARK: marked.mark}
    begin = time.monotonic()
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*command, port_option.format(port)], cwd=log.parent, env=env, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"http://127.0.0.1:{port}{health_path}", process, log)
        yield Server(process, marked, f"http://127.0.0.1:{port}", time.monotonic() - begin)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        marked.end()


def prepare(folder: Path) -> dict[str, str]:
    """Train the models of `cases.py` ahead, in a store of the benchmark's own; return the model of each address."""
    from cases import CASES

    models = {f"cases:{name}": name for name in CASES} | {"cases:live_iris": "live-iris"}
    models["irislib.iris:spec"] = models.pop("cases:iris-wizard")
    os.environ.update(IRISLIB_STORE=str(folder / "store"), PYTHONPATH=str(Path(__file__).parent))
    arguments = [f"--model={model}" for model in models]
    subprocess.run([sys.executable, "-m", "irislib", "train", *arguments], check=True, stdout=subprocess.DEVNULL)
    return models


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a URL responds."""
    for _ in range(3000):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit(f"Nothing answers at {url}:\n{log.read_text()[-3000:]}")
