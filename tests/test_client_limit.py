"""No client takes the connections of all others, and none that has left keeps a kernel."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from conftest import PATIENCE, Server, descendants, notebook, run_in_thread, wait_until
from invalid_inputs import GOOD
from programs import program
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream

from irislib._serving import tls_socket
from irislib._serving.client_limit import DEFAULT_LIMIT, ClientConnections
from irislib._serving.http_connections import refuse
from irislib._serving.kernel_manager import visitor_address
from irislib._serving.tls_socket import TimedSocket

LIMIT = {"serve": "--AppServer.max_connections_per_client", "api": "--max-connections-per-client"}
OTHER = "127.0.0.2"
COLD = "--Pages.warm=False"


def connect(server: Server, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE, source_address=(address, 0))


def has_connections(server: Server) -> bool:
    """Return True if the server has an open connection of a client."""
    processes = {server.process.pid, *descendants(server.process.pid)}
    connections = psutil.net_connections("tcp")
    return any(one.pid in processes and one.raddr and one.laddr.port == server.port for one in connections)


def predict(server: Server, address: str = "127.0.0.1") -> int:
    """Return the status of a prediction; 503 if the connection was closed before the request was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, PATIENCE, source_address=(address, 0))
    with contextlib.closing(connection):
        try:
            connection.request("POST", "/iris-wizard", json.dumps(GOOD), {"Content-Type": "application/json"})
            return connection.getresponse().status
        except OSError:
            return 503


def is_refused(sock: socket.socket) -> bool:
    """Return True if the server has answered without a request, and closed the connection."""
    answer = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 "), answer
    assert b"\r\nRetry-After: 10" in head
    assert b"application/problem+json" in head
    return bool("too many connections from your address" in json.loads(body)["detail"])


@pytest.mark.parametrize("command", LIMIT)
def test_a_client_has_so_many_connections_and_no_more(command: str, tmp_path: Path) -> None:
    options = [COLD] if command == "serve" else []
    server = Server(tmp_path / "log", command, f"{LIMIT[command]}=5", *options).wait()
    try:
        wait_until(lambda: not has_connections(server))  # those that waited for the server
        with contextlib.ExitStack() as stack:
            socks = [stack.enter_context(connect(server)) for _ in range(5)]
            for _ in range(20):
                with connect(server) as sock:
                    assert is_refused(sock)
            assert predict(server, OTHER) == 200
            socks.pop().close()
            wait_until(lambda: predict(server) == 200)
        assert server.text().count("127.0.0.1 has 5 connections, the most that one client may have") <= 2
        for _ in range(10):  # each connection is forgotten when it ends
            wait_until(lambda: predict(server) == 200)
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def test_connections_that_there_are_no_files_for_wait_and_end_no_worker(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (90, 120))"
    server = Server(tmp_path / "log", "api", code=limit).wait()
    try:
        (worker,) = map(int, re.findall("Booting worker with pid: ([0-9]+)", server.text()))
        assert resource.prlimit(worker, resource.RLIMIT_NOFILE) == (120, 120)  # all that the operating system grants
        for further_limit in (120, 60):  # with the worker's own reserve, and with none
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (further_limit, 120))
            with contextlib.ExitStack() as stack:
                for _ in range(200):
                    stack.enter_context(connect(server))
                wait_until(lambda: has_connections(server))
            assert predict(server) == 200
        assert server.text().count("Booting worker") == 1, server.text()
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def test_a_client_that_does_not_read_a_long_answer_holds_no_thread_for_good(tmp_path: Path) -> None:
    code = "import struct\nfrom irislib._serving import client_socket\n"
    code += "client_socket.SEND_TIMEOUT = struct.pack('ll', 1, 0)"
    server = Server(tmp_path / "log", "api", "--threads=1", code=code).wait()
    line = ",".join(map(str, GOOD.values())) + "\n"
    body = (",".join(GOOD) + "\n" + line * 100_000).encode()  # its answer is longer than all buffers
    head = "POST /iris-wizard/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    try:
        with connect(server) as sock:
            sock.sendall(head.encode() + body)
            assert sock.recv(17) == b"HTTP/1.1 200 OK\r\n"
            assert server.get("/readyz").ok
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def test_probes_are_answered_while_all_threads_wait_for_clients(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    code = f"from irislib.api import _body_stream, _metrics\n_body_stream.STALL_SECONDS = {10 * PATIENCE}\n"
    code += f"_metrics.Metrics.text = lambda self: open({str(gate)!r}, 'rb').read()"
    server = Server(tmp_path / "log", "api", "--threads=1", code=code).wait()
    head = "POST /iris-wizard/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
    try:
        with connect(server) as sock:
            sock.sendall(f"{head}Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n".encode())
            assert b" 100 Continue" in sock.recv(65536)  # a thread waits for its body
            with connect(server) as scraper:
                scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                with open(gate, "w"):  # waits until the scrape does
                    for path in ("/healthz", "/readyz"):
                        assert server.get(path).ok
                assert scraper.recv(17) == b"HTTP/1.1 200 OK\r\n"
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


@pytest.mark.parametrize("worker", ["gthread", "sync"])
@pytest.mark.parametrize("sent", [b"\x16\x03\x01", b""])
def test_clients_that_stop_within_tls_hold_no_thread_for_good(worker: str, sent: bytes, tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    command += ["-addext", "keyUsage=critical,keyCertSign,digitalSignature"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=PATIENCE)
    code = "from irislib._serving.tls_socket import TimedSocket\nTimedSocket.seconds = 2"
    options = ["--threads=1", f"--worker-class={worker}", "--certfile", certificate, "--keyfile", key]
    server = Server(tmp_path / "log", "api", *options, code=code)
    context = ssl.create_default_context(cafile=certificate)

    def is_well() -> bool:
        with (
            contextlib.suppress(OSError),
            connect(server) as sock,
            context.wrap_socket(sock, server_hostname="localhost") as secured,
        ):
            if not sent:
                secured.sendall(b"GET /healthz")  # a head that does not end
                assert secured.recv(100) == b""
            return True
        return server.process.poll() is not None

    try:
        wait_until(is_well)
        with contextlib.ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(connect(server)).sendall(sent)
            connection = http.client.HTTPSConnection("localhost", server.port, timeout=PATIENCE, context=context)
            connection.request("GET", "/healthz")
            assert connection.getresponse().status == 200
            connection.close()
    finally:
        assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def unconnected() -> TimedSocket:
    sock = TimedSocket.__new__(TimedSocket)
    socket.socket.__init__(sock)
    return sock


def test_a_client_within_tls_has_one_while_for_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    now, timeouts = 0, []

    def recv(self: TimedSocket, *_: Any) -> bytes:
        nonlocal now
        now += 20
        timeouts.append(self.gettimeout())
        return b"G"

    monkeypatch.setattr(tls_socket, "monotonic", lambda: now)
    monkeypatch.setattr(ssl.SSLSocket, "recv", recv)
    with contextlib.closing(unconnected()) as sock:
        sock.setblocking(True)
        assert sock.recv(1) + sock.recv(1) == b"GG"
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        sock.setblocking(True)  # the next request
        sock.recv(1)
        assert sock.gettimeout() == TimedSocket.seconds  # of the answer
        sock.settimeout(5)
        assert sock.recv(1) + sock.recv(1) == b"GG"
    assert timeouts == [30, 10, 30, 5, 5]


def test_a_client_within_tls_has_a_while_for_each_part_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def send(self: TimedSocket, data: memoryview, flags: int) -> int:
        sizes.append(len(data))
        return len(data)

    monkeypatch.setattr(ssl.SSLSocket, "send", send)
    with contextlib.closing(unconnected()) as sock:
        sock._sslobj = object()
        sock.sendall(bytes(40_000))
    assert sizes == [16_384, 16_384, 7232]


def test_the_clients_that_are_counted() -> None:
    default, explicit = ClientConnections(), ClientConnections(7)
    assert (default.limit, explicit.limit) == (DEFAULT_LIMIT, 7)
    for address, client in (
        (("203.0.113.7", 1), "203.0.113.7"),
        (("::ffff:203.0.113.7", 1, 0, 0), "203.0.113.7"),
        (("2001:db8:0:1:2::3", 1, 0, 0), "2001:db8:0:1::/64"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::/64"),
        ("", ""),  # a Unix socket
    ):
        assert default.client_of(address) == explicit.client_of(address) == client
    for address in (("127.0.0.1", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0)):
        assert default.client_of(address) == ""
        assert explicit.client_of(address)
    assert ClientConnections(0).client_of(("203.0.113.7", 1)) == ""
    assert ClientConnections(7, proxies=1).client_of(("203.0.113.7", 1)) == ""


def test_a_client_is_answered_where_files_are_few() -> None:
    async def refuse_one() -> bytes:
        server, client = map(IOStream, socket.socketpair())
        client.write(b"GET / HTTP/1.1\r\n\r\n")
        await refuse(server)
        return bytes(await client.read_until_close())

    head, _, body = run_in_thread(refuse_one()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    for header in (
        b"Content-Type: application/problem+json",
        b"Retry-After: 10",
        b"Connection: close",
        b"X-Request-ID: ",
    ):
        assert b"\r\n" + header in head
    assert json.loads(body)["detail"] == "The server cannot answer at the moment."


@pytest.mark.parametrize(
    ("address", "visitor"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("127.0.0.1", "127.0.0.1"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:0:1:2::3", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
    ],
)
def test_a_visitor_is_known_by_the_address_and_not_by_a_header(address: str | None, visitor: str) -> None:
    headers = HTTPHeaders({"X-Forwarded-For": "198.51.100.1"})
    assert visitor_address(SimpleNamespace(headers=headers, remote_ip=address)) == visitor  # type: ignore[arg-type]


# ---- visitors who leave before their page comes


def serve_slowly(folder: Path, cell: str, *options: str) -> Server:
    """Run a server of one notebook whose kernels are not culled."""
    import nbformat

    (folder / "notebooks").mkdir()
    nbformat.write(notebook(cell), folder / "notebooks" / "slow.ipynb")
    more = ("--AppKernelManager.disconnected_timeout=3600", "--MappingKernelManager.cull_interval=1", *options)
    return Server(folder / "log", "serve", "--notebooks", str(folder / "notebooks"), *more).wait("/readyz")


def ask(server: Server) -> socket.socket:
    """Ask for the page."""
    sock = connect(server)
    sock.sendall(b"GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return sock


def test_a_visitor_who_leaves_while_the_notebook_runs_keeps_no_kernel(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    server = serve_slowly(tmp_path, f"import pathlib, time\npathlib.Path({str(runs)!r}).touch()\ntime.sleep(900)", COLD)
    try:
        before = descendants(server.process.pid)
        with ask(server):
            wait_until(runs.exists)
            assert len(descendants(server.process.pid)) > len(before)
        wait_until(lambda: len(descendants(server.process.pid)) == len(before))
        assert "Traceback" not in server.text(), server.text()
    finally:
        assert server.stop() == 0


def count_kernels(server: Server) -> int:
    """Return the number of forked kernels; the template processes of a page change while it is prepared."""
    names = []
    for pid in descendants(server.process.pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            names.append(psutil.Process(pid).name())
    return names.count("irislib-kernel")


def test_a_visitor_who_leaves_before_a_warm_page_keeps_no_kernel(tmp_path: Path) -> None:
    server = serve_slowly(tmp_path, "1", "--Pages.spares=0")
    try:
        assert server.get("/slow").status_code == 200
        wait_until(lambda: count_kernels(server) == 1)
        os.kill(server.process.pid, signal.SIGSTOP)  # or a busy machine may send a page before its visitor leaves
        for _ in range(5):
            ask(server).close()
        os.kill(server.process.pid, signal.SIGCONT)
        assert server.get("/slow").status_code == 200  # those before it have been handled
        wait_until(lambda: count_kernels(server) == 2)
        assert "Traceback" not in server.text(), server.text()
    finally:
        assert server.stop() == 0
