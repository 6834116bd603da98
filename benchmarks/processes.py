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
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

__all__ = ["Marked", "Server", "Spent", "started"]

MARK = "IRISLIB_BENCH"
TICK = os.sysconf("SC_CLK_TCK")
GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass
class Marked:
    """All processes that have a mark."""

    mark: str
    known: dict[tuple[int, str], bool] = field(default_factory=dict)

    def pids(self) -> list[int]:
        """Those that live."""
        return sorted(pid for pid, _ in self.clocks())

    def clocks(self) -> dict[tuple[int, str], tuple[float, float]]:
        """Seconds of CPU that each has used, and that children it has waited for had used.

        A process is told by its number and the time it was started at.
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
        """Whether it is one of them; looked up once, but not while a process may still become another program."""
        if not self.known.get(key, False):
            environment = Path(f"/proc/{key[0]}/environ").read_bytes()
            self.known[key] = f"{MARK}={self.mark}".encode() in environment.split(b"\0")
        return self.known[key]

    def pss_mb(self, pids: list[int]) -> float:
        """Memory of processes, where each has its part of what is shared."""
        total = 0
        for pid in pids:
            with contextlib.suppress(*GONE):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total / 1024

    def settle(self, longest: float = 30) -> None:
        """Wait until they have next to nothing to do, and none begins or ends."""
        end = time.monotonic() + longest
        calm, before = 0, self.clocks()
        while calm < 4 and time.monotonic() < end:
            time.sleep(0.5)
            now = self.clocks()
            is_calm = now.keys() == before.keys() and spent(now) - spent(before) <= 0.03
            calm, before = (calm + 1 if is_calm else 0), now

    def end(self) -> None:
        """Kill what is left of them."""
        for _ in range(100):
            remaining = self.pids()
            if not remaining:
                return
            for pid in remaining:
                with contextlib.suppress(*GONE):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


def spent(clocks: dict[tuple[int, str], tuple[float, float]]) -> float:
    """Seconds of CPU, of processes and of the children they have waited for."""
    return sum(map(sum, clocks.values()))


class Spent:
    """CPU time that processes use from now on, also those that begin and end meanwhile.

    A process that ends hands its time to a parent that waits for it; where nobody does, the last that
    was seen of it counts. Each way can only miss something, so the larger sum is the better one.
    """

    def __init__(self, marked: Marked):
        self.marked = marked
        self.first = marked.clocks()
        self.last = dict(self.first)

    def look(self) -> float:
        """Seconds so far; look often while processes end."""
        now = self.marked.clocks()
        self.last.update(now)
        handed_on = spent(now) - spent(self.first)
        seen = sum(own for own, _ in self.last.values()) - sum(own for own, _ in self.first.values())
        return max(handed_on, seen)

    def watch(self, seconds: float) -> float:
        """Look all the time for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(0.03)
        return self.look()


@dataclass
class Server:
    """A server that runs, with all the processes that belong to it."""

    process: subprocess.Popen[bytes]
    marked: Marked
    url: str

    @property
    def pid(self) -> int:
        """That of the server itself."""
        return self.process.pid

    def others(self) -> list[int]:
        """All its processes but the server itself."""
        return [pid for pid in self.marked.pids() if pid != self.pid]


@contextlib.contextmanager
def started(command: Sequence[str], alive: str, log: Path, **environment: str) -> Iterator[Server]:
    """Start a server, wait for it, and end it with all that belongs to it.

    It is asked for at the path ``alive``; never a page's, where each GET starts a kernel.
    """
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    marked = Marked(uuid4().hex)
    env = {**os.environ, **environment, MARK: marked.mark}
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*command, f"--port={port}"], cwd=log.parent, env=env, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"http://127.0.0.1:{port}{alive}", process, log)
        yield Server(process, marked, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        marked.end()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until something answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise SystemExit(f"Nothing answers at {url}:\n{log.read_text()[-3000:]}")
