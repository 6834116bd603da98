"""Hostile and unlucky clients: what they cost the servers, and whom they harm.

    python benchmarks/hostile.py                   # all of these, in a few minutes
    python benchmarks/hostile.py silent            # 200 idle or slow connections while predictions are answered
    python benchmarks/hostile.py files             # 150 visitors of a server that may open 1,024 files
    python benchmarks/hostile.py websocket         # 1 MB of hostile bytes in each framing of a page's websocket

The exit status is 1 where anybody was harmed. `soak.py` has such clients among its visitors.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import math
import random
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from load import form_post, send
from processes import Server, running_server
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

ADDRESS = "127.0.0.2"  # of the hostile clients, so that they are not the same visitor as the others
V1 = "v1.kernel.websocket.jupyter.org"
FRAMINGS = {"text": None, "binary": None, V1: V1}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
FLOWER = {"petal_length_cm": 4.7, "petal_width_cm": 1.4, "sepal_length_cm": 7.0, "sepal_width_cm": 3.2}
PATIENCE = 60
MEGABYTE = 1_000_000
MAX_GROWTH_MB = 50
POST = b"POST /iris-wizard HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
SILENT = {
    "idle": b"",
    "a head that does not end": POST,
    "a body that does not come": POST + b"Content-Length: 60\r\n\r\n{",
    "chunks that do not come": CHUNKED + b"5\r\n[",
    "a chunk size that does not end": CHUNKED + b"5",
    "a body that was asked for": POST + b"Content-Length: 60\r\nExpect: 100-continue\r\n\r\n",
}
BROKEN_CHUNKS = (
    b"-5\r\n{}\r\n0\r\n\r\n",
    b"zz\r\n",
    b"5\r\n{}\r\n0\r\n\r\n",
    b"2\r\n{}xx",
    b"fffffffffffffffffff\r\n{",
    b"1;" + b"x" * 9000 + b"\r\n",
    b"2\r\n{}\r\n",
)


class Page:
    """A page that was opened without a browser, and its kernel.

    Parameters
    ----------
    url : str
        Of the server.
    address : str
        Of the visitor.
    """

    def __init__(self, url: str, address: str = ADDRESS):
        self.url, self.source = url, (address, 0)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE, source_address=self.source)
        with contextlib.closing(connection):
            connection.request("GET", "/iris-wizard")
            response = connection.getresponse()
            self.status, html = response.status, response.read().decode()
        found = UUID.search(html) if self.status == 200 else None
        self.kernel = found[0] if found else ""

    def connect(self, framing: str = V1) -> ClientConnection:
        """Connect to the kernel."""
        address = f"{self.url.replace('http', 'ws')}/api/kernels/{self.kernel}/channels?session_id={uuid.uuid4().hex}"
        subprotocols: Any = [FRAMINGS[framing]] if FRAMINGS[framing] else None
        return connect(
            address, origin=self.url, subprotocols=subprotocols, max_size=None, open_timeout=PATIENCE,
            source_address=self.source,
        )  # type: ignore[arg-type]  # fmt: skip


def message(framing: str, channel: str = "shell", msg_type: str = "kernel_info_request") -> bytes | str:
    """Return a message that a page may send."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": msg_type, "session": "s", "username": "", "version": "5.3"}
    parts = {"header": header, "parent_header": {}, "metadata": {}, "content": {}}
    if framing == V1:
        pieces = [channel.encode(), *(json.dumps(part).encode() for part in parts.values())]
        offsets = [8 * (len(pieces) + 2)]
        for piece in pieces:
            offsets.append(offsets[-1] + len(piece))
        return b"".join(number.to_bytes(8, "little") for number in (len(offsets), *offsets)) + b"".join(pieces)
    text = json.dumps({**parts, "channel": channel})
    return text if framing == "text" else b"\0\0\0\1\0\0\0\x08" + text.encode()


def is_answering(page: ClientConnection, framing: str, timeout: float = PATIENCE) -> bool:
    """Return True if a page's kernel replies."""
    page.send(message(framing))
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        data = page.recv(timeout=timeout)
        if b"kernel_info_reply" in (data if isinstance(data, bytes) else data.encode()):
            return True
    return False


def overlapping_parts(framing: str, size: int) -> bytes:
    """Return a message whose parts are all nearly as long as the message itself."""
    width, order = (8, "little") if framing == V1 else (4, "big")
    count = size // width // 2
    ends = [size if index % 2 else width * (count + 1) for index in range(count)]
    table = b"".join(number.to_bytes(width, order) for number in (count, *ends))  # type: ignore[arg-type]
    return table.ljust(size, b" ")


def hostile_messages(framing: str, size: int = MEGABYTE) -> dict[str, list[bytes | str]]:
    """Return messages of so many bytes altogether, by what is wrong with them."""
    small = message(framing, msg_type="comm_msg")
    cases: dict[str, list[bytes | str]] = {
        "brackets": ["[" * size],
        "objects": ['{"channel": "shell", "content": [' + "{}," * (size // 3)],
        "small messages": [small] * (size // len(small)),
    }
    if framing == "text":
        return cases
    noise = random.Random(0).randbytes(size)
    for name, texts in cases.items():
        cases[name] = [text.encode() if isinstance(text, str) else text for text in texts]
    return {"overlapping parts": [overlapping_parts(framing, size)], "noise": [noise], **cases}


class HostileClients:
    """Clients that harm whom they can, each in a thread of its own; they rest while samples are taken.

    Attributes
    ----------
    actions : Counter
        How often each of them has done what it does.
    flood_seconds : float
        How long a flood lasts, in which the server is as busy as it can be.
    most : float
        How often at most each client does what it does.
    """

    flood_seconds = 3.0
    most = math.inf

    def __init__(self, url: str, count: int):
        self.url, self.actions, self.surprises = url, Counter[str](), Counter[str]()
        self.is_over, self.may_work = threading.Event(), threading.Event()
        self.busy = 0
        self.lock = threading.Condition()
        kinds = [self.overlap, self.flood, self.stay_silent, self.break_chunks, self.vanish]
        self.threads = [
            threading.Thread(target=self.work, args=(kinds[number % len(kinds)], number), daemon=True)
            for number in range(count)
        ]

    def __enter__(self) -> HostileClients:
        self.may_work.set()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.may_work.set()
        for thread in self.threads:
            thread.join()

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Let them finish what they do, and do nothing meanwhile."""
        self.may_work.clear()
        with self.lock:
            self.lock.wait_for(lambda: not self.busy)
        yield
        self.may_work.set()

    def work(self, action: Callable[[random.Random], None], seed: int) -> None:
        """Do the same again and again; the server may refuse whatever it wants."""
        rng, done = random.Random(seed), 0
        while not self.is_over.wait(rng.uniform(0.1, 1)) and done < self.most:
            self.may_work.wait()
            with self.lock:
                if not self.may_work.is_set():
                    continue
                self.busy += 1
            try:
                action(rng)
                self.actions[action.__name__] += 1
            except (OSError, WebSocketException, http.client.HTTPException) as error:
                self.surprises[f"{action.__name__}: {type(error).__name__}"] += 1
            finally:
                done += 1
                with self.lock:
                    self.busy -= 1
                    self.lock.notify_all()

    def overlap(self, rng: random.Random) -> None:
        """Send messages whose parts overlap."""
        page = Page(self.url)
        framing = rng.choice(list(FRAMINGS)[1:])
        if page.kernel:
            with page.connect(framing) as channel:
                channel.send(overlapping_parts(framing, rng.choice([1000, 100_000, MEGABYTE])))
                channel.send(rng.randbytes(10_000))

    def flood(self, rng: random.Random) -> None:
        """Send as much as is taken, and read nothing."""
        page = Page(self.url)
        framing = rng.choice(list(FRAMINGS))
        if page.kernel:
            with page.connect(framing) as channel:
                end = time.monotonic() + self.flood_seconds
                channel.socket.settimeout(1)
                data = message(framing)
                while time.monotonic() < end and not self.is_over.is_set():
                    channel.send(data)

    def stay_silent(self, rng: random.Random) -> None:
        """Open connections and send nothing, or not all of a request."""
        with contextlib.ExitStack() as stack:
            for _ in range(50):
                open_silent(stack, self.url, rng.choice(list(SILENT.values())))
            self.is_over.wait(5)

    def break_chunks(self, rng: random.Random) -> None:
        """Send bodies whose chunks are wrong or do not end."""
        with contextlib.ExitStack() as stack:
            for chunks in BROKEN_CHUNKS:
                open_silent(stack, self.url, CHUNKED + chunks)
            self.is_over.wait(rng.uniform(0, 1))

    def vanish(self, rng: random.Random) -> None:
        """Ask for a page, and leave before it comes, or before a page has connected."""
        with contextlib.ExitStack() as stack:
            open_silent(stack, self.url, b"GET /iris-wizard HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.is_over.wait(rng.choice([0, 0.01, 0.1]))


def open_silent(stack: contextlib.ExitStack, url: str, data: bytes) -> None:
    """Open a connection, send these bytes and no more; the stack closes it."""
    parts = urlsplit(url)
    sock = socket.create_connection((parts.hostname, parts.port), PATIENCE, source_address=(ADDRESS, 0))
    stack.enter_context(sock).sendall(data)


# ---- figures


@contextlib.contextmanager
def serving(command: str, *options: str, files: int = 0) -> Iterator[Server]:
    """Run one of the servers, with its own folder for all that it writes."""
    limit = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"] if files else []
    with tempfile.TemporaryDirectory(prefix="hostile-") as temporary:
        folder = Path(temporary)
        environment = {"TMPDIR": temporary, "IRISLIB_STORE": str(folder / "store")}
        full = [*limit, sys.executable, "-m", "irislib", command, *options]
        with running_server(full, "/healthz", folder / "log", **environment) as server:
            server.marked.settle()
            yield server


def peak_mb(server: Server) -> float:
    """Return the most memory that the server itself has taken so far."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure_silent(count: int) -> bool:
    """Predict while some connections are idle or slow."""
    print("\n| server | silent connections | predictions | failed | p50 | p99 |\n|---|---|---|---|---|---|")
    is_sound = True
    for command in ("serve", "api"):
        with serving(command) as server:
            port = urlsplit(server.url).port or 0
            requests = [form_post("/iris-wizard", FLOWER)] * 300
            for case in (None, *SILENT):
                with contextlib.ExitStack() as stack:
                    for _ in range(count if case is not None else 0):
                        open_silent(stack, server.url, SILENT[case or "idle"])
                    result = send(port, requests, 4, lambda body: b"versicolor" in body)
                times = [1000 * seconds for seconds in result.latencies] or [float("nan")]
                p99 = statistics.quantiles(times, n=100)[98] if len(times) > 1 else times[0]
                name = "none" if case is None else f"{count}: {case}"
                figures = f"{len(requests)} | {result.failures} | {statistics.median(times):.1f} ms | {p99:.1f} ms"
                print(f"| `irislib {command}` | {name} | {figures} |", flush=True)
                is_sound &= not result.failures
    return is_sound


def measure_files(visitors: int, files: int) -> bool:
    """Open more pages than a server has files for; those that got one must go on."""
    many = 2 * visitors
    options = [f"--AppKernelManager.max_kernels={many}", f"--AppKernelManager.max_kernels_per_visitor={many}"]
    with serving("serve", *options, files=files) as server, contextlib.ExitStack() as stack:
        statuses: Counter[int] = Counter()
        pages = []
        for number in range(visitors):
            page = Page(server.url, f"127.0.1.{number + 1}")
            statuses[page.status] += 1
            if page.kernel:
                pages.append(stack.enter_context(page.connect()))
        harmed = sum(not is_answering(page, V1) for page in pages)
        refused = Page(server.url)
        descriptors = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        is_full = refused.status == 503
    rest = visitors - statuses[200] - statuses[503]
    print("\n| visitors | files | got a page | got the polite page | anything else | harmed | files open |")
    print("|---|---|---|---|---|---|---|")
    print(f"| {visitors} | {files} | {len(pages)} | {statuses[503]} | {rest} | {harmed} | {descriptors} |", flush=True)
    return not harmed and is_full == bool(statuses[503]) and set(statuses) <= {200, 503}


def measure_websocket() -> bool:
    """Send hostile bytes in each framing; the memory must stay flat, and the page must go on."""
    print("\n| framing | 1 MB of | memory of the server | more at its peak | the page replies after |")
    print("|---|---|---|---|---|")
    is_sound = True
    with serving("serve") as server:
        for framing in FRAMINGS:
            for name, messages in hostile_messages(framing).items():
                page = Page(server.url)
                with page.connect(framing) as channel:
                    is_answering(channel, framing)
                    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # forget the peak so far
                    before, started = peak_mb(server), time.monotonic()
                    for data in messages:
                        channel.send(data)
                    with page.connect(framing) as other:  # a flood of messages is read slowly
                        is_alive = is_answering(other, framing)
                    if len(messages) == 1:
                        is_alive &= is_answering(channel, framing)
                    seconds, growth = time.monotonic() - started, peak_mb(server) - before
                print(f"| {framing} | {name} | {before:.0f} MB | {growth:.1f} MB | {seconds:.2f} s |", flush=True)
                is_sound &= is_alive and growth < MAX_GROWTH_MB
    return is_sound


def main() -> int:
    """Run some or all of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", nargs="*", choices=["silent", "files", "websocket", []], help="all if left out")
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--visitors", type=int, default=150)
    parser.add_argument("--files", type=int, default=1024)
    options = parser.parse_args()
    measurements = {
        "silent": lambda: measure_silent(options.connections),
        "files": lambda: measure_files(options.visitors, options.files),
        "websocket": measure_websocket,
    }
    results = [measurements[name]() for name in options.what or measurements]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
