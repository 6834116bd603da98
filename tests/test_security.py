"""Security: attempts of a visitor, another site or another user of the machine, and that they fail."""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
import stat
import struct
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import AsyncMock, Mock

import nbformat
import psutil
import pytest
import requests
from conftest import PATIENCE, ROOT, Server, descendants, notebook, run_in_thread, wait_until
from jinja2 import Environment, FileSystemLoader
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)
from playwright.sync_api import expect
from tornado.iostream import IOStream
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from irislib._common import paths
from irislib._common.messages import TEXTS
from irislib._serving.kernel_spec import private_transport
from irislib._serving.kernel_websocket import ChannelsHandler
from irislib._serving.notebook_files import FileRules
from irislib._serving.websocket_limits import MAX_CONNECTIONS, PendingMessages, RateLimit, check_offsets

V1 = "v1.kernel.websocket.jupyter.org"
FRAMINGS = ("text", "binary", V1)
MESSAGE_TYPES = [
    "execute_request", "shutdown_request", "interrupt_request", "debug_request", "inspect_request",
    "complete_request", "history_request", "is_complete_request", "connect_request", "usage_request",
    "create_subshell_request", "delete_subshell_request", "list_subshell_request", "input_reply",
    "apply_request", "abort_request", "clear_request", "iopub_welcome", "no_such_request", "",
]  # fmt: skip
MARKER = "pl4nted-s0urce"
ROW = dict.fromkeys(["petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm"], 1)
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class Visitor:
    """A visitor with a page: its HTML, cookies, and the connection to its kernel."""

    def __init__(self, server: Server, name: str, **headers: str):
        self.server = server
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.html = self.session.get(f"{server.url}/{name}", timeout=PATIENCE).text
        (self.kernel,) = set(UUID.findall(self.html))

    def connect(self, framing: str = V1, origin: str = "", **options: Any) -> AbstractContextManager[KernelSocket]:
        return connect_to_kernel(self.server, self.kernel, self.session.cookies, framing, origin, **options)

    def status(self, method: str, path: str, **headers: str) -> int:
        return self.session.request(method, f"{self.server.url}{path}", headers=headers, timeout=PATIENCE).status_code

    def leave(self, **headers: str) -> int:
        """Post what a page posts when it is closed."""
        token = {"X-XSRFToken": self.session.cookies["_xsrf"]}
        return self.status("POST", f"/voila/api/shutdown/{self.kernel}", **token, **headers)


class KernelSocket:
    """A websocket to a kernel, in one of the framings that the server knows."""

    def __init__(self, socket: ClientConnection, framing: str):
        self.socket, self.framing = socket, framing

    def send(self, channel: str, msg_type: str, content: dict[str, Any]) -> str:
        msg_id = uuid.uuid4().hex
        header = {"msg_id": msg_id, "msg_type": msg_type, "session": "s", "username": "", "version": "5.3", "date": ""}
        # ipywidgets checks the version of its protocol
        message: dict[str, Any] = {
            "header": header,
            "parent_header": {},
            "metadata": {"version": "1.0.0"},
            "content": content,
        }
        if self.framing == V1:
            self.socket.send(serialize_msg_to_ws_v1(message, channel, lambda part: json.dumps(part).encode()))
        elif self.framing == "binary":
            self.socket.send(serialize_binary_message({**message, "channel": channel, "buffers": [b""]}))
        else:
            self.socket.send(json.dumps({**message, "channel": channel}))
        return msg_id

    def receive(self) -> dict[str, Any]:
        raw = self.socket.recv(timeout=PATIENCE)
        if self.framing == V1:
            channel, parts = deserialize_msg_from_ws_v1(raw)
            header, parent, _, content = (json.loads(part) for part in parts[:4])
            message = {"channel": channel, "header": header, "parent_header": parent, "content": content}
            return {**message, "buffers": parts[4:]}
        return dict(deserialize_binary_message(raw) if isinstance(raw, bytes) else json.loads(raw))

    def until(self, msg_id: str, msg_type: str) -> list[dict[str, Any]]:
        """Return all messages until the reply of this type to this message."""
        messages = []
        while not messages or (messages[-1]["parent_header"].get("msg_id"), messages[-1]["header"]["msg_type"]) != (
            msg_id,
            msg_type,
        ):
            messages.append(self.receive())
        return messages

    def states(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Request the state of every widget, as a page does when it opens; also return all messages until the reply."""
        comm = uuid.uuid4().hex
        self.send("shell", "comm_open", {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}})
        msg_id = self.send("shell", "comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        messages = self.until(msg_id, "comm_msg")
        return messages[-1]["content"]["data"]["states"], messages


@contextmanager
def connect_to_kernel(
    server: Server, kernel: str, cookies: Mapping[str, str], framing: str = V1, origin: str = "", **options: Any
) -> Iterator[KernelSocket]:
    """Connect to a kernel; what it sends is received even if nobody reads it, or the end would take 10 seconds."""
    url = f"{server.url.replace('http', 'ws')}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    options = {"max_size": None, "max_queue": None, "open_timeout": PATIENCE, **options}
    options |= {"origin": origin or server.url, "subprotocols": [V1] if framing == V1 else None}
    with connect(url, additional_headers=headers, **options) as socket:
        yield KernelSocket(socket, framing)


VISITS: list[Visitor] = []


@pytest.fixture
def visitor(serve: Server) -> Visitor:
    """One visitor for all tests, or another one if their kernel has ended, as it does after a while."""
    if not VISITS or VISITS[-1].status("GET", f"/api/kernels/{VISITS[-1].kernel}") != 200:
        VISITS.append(Visitor(serve, "iris-wizard"))
    return VISITS[-1]


# ---- messages to and from a kernel


@pytest.mark.parametrize("framing", FRAMINGS)
def test_only_comms_and_info_requests_reach_a_kernel(visitor: Visitor, framing: str, tmp_path: Path) -> None:
    traces = {channel: tmp_path / channel for channel in ("shell", "control", "stdin", "iopub")}
    with visitor.connect(framing) as page:
        attacks = set()
        for msg_type in MESSAGE_TYPES:
            for channel, trace in traces.items():
                content = {"code": f"open({str(trace)!r}, 'w')", "silent": False, "restart": False}
                arguments = {"value": "x", "command": "initialize", "type": "request", "arguments": {}, "cursor_pos": 0}
                attacks.add(page.send(channel, msg_type, {**content, **arguments}))
        # what is allowed, on a channel that is not its own
        attacks |= {page.send(channel, "comm_info_request", {}) for channel in ("control", "stdin", "iopub")}
        on_control = page.send("control", "kernel_info_request", {})
        messages = page.until(on_control, "kernel_info_reply")  # control answers in order
        states, earlier = page.states()  # and so does shell: the kernel lives, and is done with all before
        on_shell = page.send("shell", "comm_info_request", {})
        messages += earlier + page.until(on_shell, "comm_info_reply")
    assert len(states) > 1
    assert not attacks & {message["parent_header"].get("msg_id") for message in messages}
    assert not list(tmp_path.iterdir())
    assert "restart" not in visitor.server.text()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_file_is_sent_in_every_framing(visitor: Visitor, framing: str) -> None:
    """Voila's own handler of channels takes a file in the older framings for a table of 2**60 offsets."""
    with visitor.connect(framing) as page:
        (model,) = (name for name, widget in page.states()[0].items() if "facts" in widget["state"])
        request = {"id": 1, "method": "download", "file": "template", "part": 0}
        data = {"method": "custom", "content": request}
        messages = page.until(page.send("shell", "comm_msg", {"comm_id": model, "data": data}), "comm_msg")
    assert messages[-1]["content"]["data"]["content"]["name"].endswith(".csv")
    assert b"petal_length_cm" in messages[-1]["buffers"][0]


@pytest.mark.parametrize(
    ("framing", "message"),
    [
        ("text", "{"), ("text", "[]"), ("text", '{"channel": "shell"}'),
        ("text", '{"header": null, "channel": "shell"}'),
        ("text", '{"channel": "shell", "header": {"msg_type": ["comm_msg"]}}'),
        ("text", '{"channel": ["shell"], "header": {"msg_type": "comm_msg"}}'),
        ("text", '{"channel": "shell", "header": {"msg_type": "comm_msg"}}'),
        ("text", "[" * 100_000),
        ("binary", b""), ("binary", b"\x00"), ("binary", struct.pack("!i", 2**31 - 1)), ("binary", b"\xff" * 4),
        (V1, b""), (V1, struct.pack("<Q", 2**63)), (V1, struct.pack("<Q", 1)), (V1, b"\xff" * 64), (V1, "text"),
        (V1, serialize_msg_to_ws_v1([b'{"msg_type": "comm_msg"}'], "shell")),
        (V1, serialize_msg_to_ws_v1([b'{"msg_type": "comm_msg"}', b"{", b"{", b"{"], "shell")),
        ("text", '{"channel": "shell", "header": {"msg_type": "comm_info_request", "msg_id": "a", "subshell_id": "b"},'
         ' "parent_header": {}, "metadata": {}, "content": {}}'),
    ],
)  # fmt: skip
def test_garbage_is_ignored_and_the_page_goes_on(visitor: Visitor, framing: str, message: bytes | str) -> None:
    with visitor.connect(framing) as page:
        page.socket.send(message)
        assert page.states()[0]
    assert "Uncaught exception" not in visitor.server.text()
    assert "Traceback" not in visitor.server.text()
    # a visitor who connects again and again cannot fill the log
    assert visitor.server.text().count(f"Ignoring from the page of kernel {visitor.kernel}") == 1


def peak_memory(server: Server) -> int:
    """Return the most kilobytes that the server itself has taken so far."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("framing", FRAMINGS[1:])
def test_a_message_of_overlapping_parts_takes_no_memory(
    visitor: Visitor, framing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from hostile import overlapping_parts

    with visitor.connect(framing) as page:
        assert page.states()[0]
        before = peak_memory(visitor.server)
        page.socket.send(overlapping_parts(framing, 200_000))
        assert page.states()[0]
    assert peak_memory(visitor.server) - before < 150_000  # kilobytes


def test_uploads_that_are_broken_off_take_no_memory(serve: Server) -> None:
    memory = psutil.Process(serve.process.pid).memory_info
    before = memory().rss
    for _ in range(40):
        with socket.create_connection(("127.0.0.1", serve.port), PATIENCE) as sock:
            head = "POST /iris-wizard/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9900000\r\n\r\n"
            sock.sendall(head.encode() + b"x" * 9_000_000)
    assert serve.get("/healthz").status_code == 200
    wait_until(lambda: memory().rss - before < 60_000_000)  # of 360,000,000


@pytest.mark.parametrize(
    ("count", "offsets", "length"),
    [
        (0, [], 100), (2**31 - 1, [], 100), (1001, [5000] * 1001, 5000), (2, [12, 12], 8), (2, [8, 20], 100),
        (2, [50, 40], 100), (2, [40, 101], 100), (3, [100, 16, 100], 100),
    ],
)  # fmt: skip
def test_a_table_of_offsets_that_is_not_sound_is_refused(count: int, offsets: list[int], length: int) -> None:
    for width, order in ((4, "big"), (8, "little")):
        numbers = (count, *(offset + 100 * (width == 8) for offset in offsets))
        table = b"".join(number.to_bytes(width, order) for number in numbers)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="its parts"):
            check_offsets(table.ljust(length, b" ")[:length], width, order)
    message = serialize_msg_to_ws_v1([b"{}"] * 4 + [b""] * 900, "shell")
    check_offsets(message, 8, "little")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_message_of_many_objects_is_not_parsed(visitor: Visitor, framing: str) -> None:
    with visitor.connect(framing) as page:
        before = peak_memory(visitor.server)
        page.send("shell", "comm_msg", {"comm_id": "none", "data": [[] for _ in range(2_000_000)]})
        assert page.states()[0]
    assert peak_memory(visitor.server) - before < 150_000  # kilobytes


def test_a_page_that_sends_too_much_is_read_more_slowly() -> None:
    rate = RateLimit()
    assert sum(rate.take(1000) for _ in range(900)) == 0
    waits = [rate.take(100) for _ in range(1000)]
    assert waits == sorted(waits)
    assert 8 < waits[-1] < 10  # 900 messages more than at once, at 100 a second
    assert RateLimit().take(52_000_000) == pytest.approx(1, abs=0.1)


def test_what_a_busy_kernel_has_not_handled_is_counted() -> None:
    pending = PendingMessages()
    for msg_id in ("a", "b", "b", "c"):
        pending.add(msg_id, 10**6)
    pending.remove("of another page")
    assert pending.size > 4 * 10**6
    pending.remove("b")  # the answer to "a" was lost
    assert 2 * 10**6 < pending.size < 3 * 10**6
    pending.remove("c")
    assert (pending.size, pending.ids) == (0, {})


def test_a_page_that_does_not_read_is_disconnected(visitor: Visitor) -> None:
    before = peak_memory(visitor.server)
    with visitor.connect(max_queue=16) as page:
        page.socket.close_timeout = 0  # it does not read the reply, either
        page.states()
        run(visitor.kernel, "page = b'x' * 1_000_000")
        code = "from comm import create_comm; c = create_comm(target_name='none')\n" + (
            "import time\nfor _ in range(250):\n    c.send(buffers=[page]); time.sleep(0.02)"
        )
        run(visitor.kernel, code)
        wait_until(lambda: "does not read what is sent" in visitor.server.text())
    assert peak_memory(visitor.server) - before < 150_000  # kilobytes
    with visitor.connect() as page:
        assert page.states()[0]


def test_nothing_is_sent_to_a_page_that_has_left() -> None:
    handler = ChannelsHandler.__new__(ChannelsHandler)
    handler.ws_connection = None
    assert run_in_thread(send_and_ping(handler)) is None


async def send_and_ping(handler: ChannelsHandler) -> Any:
    handler.ping(b"")
    return await handler.write_message(b"x", binary=True)


def test_an_answer_does_not_wait_until_the_page_has_confirmed_the_message_before() -> None:
    assert run_in_thread(open_connection()) != 0


async def open_connection() -> int:
    """Open a page's connection to its kernel, and return the TCP_NODELAY of its socket."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        stream = IOStream(socket.create_connection(listener.getsockname()))
        handler = ChannelsHandler.__new__(ChannelsHandler)
        handler.kernel_id, handler.request, handler.application = "k", Mock(), Mock(settings={"ws_ping_interval": 0})
        handler.ws_connection, handler.connection = Mock(set_nodelay=stream.set_nodelay), AsyncMock()
        with closing(stream):
            await handler.open("k")
            return stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_answer_is_sent_to_the_page_that_asked_alone(visitor: Visitor, framing: str) -> None:
    with visitor.connect(framing) as page, visitor.connect() as other:
        widget = next(name for name, widget in page.states()[0].items() if "facts" in widget["state"])
        request = {"method": "preview", "id": uuid.uuid4().hex, "values": dict.fromkeys(ROW, "1")}
        msg_id = page.send("shell", "comm_msg", {"comm_id": widget, "data": {"method": "custom", "content": request}})
        answer = page.until(msg_id, "comm_msg")[-1]
        assert answer["channel"] == "iopub"  # as front ends expect it
        assert "irislib-answer" in answer["content"]["data"]["content"]["html"]
        states = [m["content"] for m in other.until(msg_id, "status") if m["parent_header"].get("msg_id") == msg_id]
        assert states == [{"execution_state": "idle"}]


def test_a_kernel_has_few_connections(visitor: Visitor) -> None:
    with ExitStack() as pages:
        for _ in range(MAX_CONNECTIONS):
            pages.enter_context(visitor.connect())
        with pytest.raises(InvalidStatus, match="429"):
            pages.enter_context(visitor.connect())
    with visitor.connect() as page:
        assert page.states()[0]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_code_that_runs_in_a_kernel_is_not_sent_to_the_page(visitor: Visitor, framing: str) -> None:
    """As on a page that is still being built, while its visitor listens already."""
    with visitor.connect(framing) as page:
        page.states()
        for code in ("print('mark')", f"'{MARKER}'[:0]", f"1 / 0  # {MARKER}"):
            run(visitor.kernel, code)
        messages = page.states()[1]
    assert "mark\n" in [message["content"].get("text") for message in messages]  # it did listen
    assert "error" in [message["header"]["msg_type"] for message in messages]
    assert MARKER not in repr(messages)
    assert "ZeroDivisionError" not in repr(messages)


def connection_file(kernel: str) -> Path:
    roots = {tempfile.gettempdir(), "/tmp"}  # noqa: S108 - where the server puts them if the other is too long
    (file,) = (path for root in roots for path in Path(root).glob(f"voila_*/kernel-{kernel}.json"))
    return file


# ---- one visitor and another


def test_nobody_reaches_the_kernel_of_another(visitor: Visitor) -> None:
    other = Visitor(visitor.server, "dummy")
    assert visitor.kernel != other.kernel
    token = {"X-XSRFToken": visitor.session.cookies["_xsrf"]}
    kernel = f"/api/kernels/{other.kernel}"
    requests_and_statuses = {
        ("GET", "/api/kernels"): 404,
        ("POST", "/api/kernels"): 404,
        ("GET", "/api/sessions"): 404,
        ("DELETE", kernel): 405,
        ("POST", kernel): 405,
        ("PATCH", kernel): 405,
        ("POST", f"{kernel}/interrupt"): 404,
        ("POST", f"{kernel}/restart"): 404,
        ("GET", f"/voila/query/{other.kernel}"): 404,
        ("GET", f"/voila/execution/{other.kernel}"): 404,
        ("GET", f"/voila/api/shutdown/{other.kernel}"): 405,
        ("POST", f"/voila/api/shutdown/{uuid.uuid4()}"): 404,
        ("POST", "/voila/api/shutdown/"): 404,
        ("GET", f"/api/kernels/{uuid.uuid4()}"): 404,
        ("GET", f"/api/kernels/{uuid.uuid4()}/channels"): 404,
    }
    assert {
        (method, path): visitor.status(method, path, **token) for method, path in requests_and_statuses
    } == requests_and_statuses
    with pytest.raises(InvalidStatus, match="404"), connect_to_kernel(visitor.server, str(uuid.uuid4()), {}):
        pass
    # no other page contains the id
    for path in ("/", "/docs", "/metrics", "/readyz", "/healthz", "/openapi.json", "/nothing"):
        assert other.kernel not in visitor.session.get(f"{visitor.server.url}{path}", timeout=PATIENCE).text
    assert other.status("GET", kernel) == 200
    assert other.leave() == 204
    assert other.status("GET", kernel) == 404


# ---- other sites


FOREIGN = ["https://evil.example", "http://127.0.0.1:1", "http://localhost.evil.example", "null"]


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_page_of_another_site_reaches_a_kernel(visitor: Visitor, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"), visitor.connect(origin=origin):
        pass
    assert visitor.leave(Origin=origin) in (403, 404)
    # another site can send a form, but cannot know the token
    assert visitor.status("POST", f"/voila/api/shutdown/{visitor.kernel}") == 403
    assert visitor.status("GET", f"/api/kernels/{visitor.kernel}") == 200


OPEN = {"/": "GET", "/healthz": "GET", "/docs": "GET", "/voila/static/voila.js": "GET", "/iris-wizard": "POST"}


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True), ("LOCALHOST:5000", True), ("127.0.0.1:1", True), ("[::1]:5000", True), ("192.0.2.7", True),
        ("evil.example", False), ("evil.example:5000", False), ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False), ("evil.example.", False), ("127.0.0.1@evil.example", False),
    ],
)  # fmt: skip
def test_a_foreign_host_name_is_refused(visitor: Visitor, host: str, is_ours: bool) -> None:
    for path, method in OPEN.items():
        headers = {"Host": host}
        response = requests.request(method, f"{visitor.server.url}{path}", headers=headers, json=ROW, timeout=PATIENCE)
        assert (response.status_code == 200) is is_ours, path
        assert is_ours or (response.status_code in (400, 403) and "versicolor" not in response.text)


def test_the_public_host_name_is_accepted(notebooks_server: Server) -> None:
    public = {"Host": "apps.example.org", "Origin": "https://apps.example.org"}
    assert notebooks_server.get("/", headers=public).status_code == 200
    assert notebooks_server.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert "--public-host evil.example" in notebooks_server.get("/", headers={"Host": "evil.example"}).text
    assert notebooks_server.get("/").status_code == 200


def test_addresses_and_cookies_follow_a_trusted_proxy(notebooks_server: Server) -> None:
    mistakes = {"Host": "apps.example.org", "X-Forwarded-Proto": "HTTPS", "X-Forwarded-Prefix": "//evil.example"}
    document = notebooks_server.get("/openapi.json", headers=mistakes).json()
    assert document["servers"] == [{"url": "https://apps.example.org"}]
    for scheme in ("https", "http"):
        name = {"X-Forwarded-Host": "evil.example, apps.example.org", "X-Forwarded-Proto": scheme}
        headers = {**name, "X-Forwarded-Prefix": "/lab", "X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
        document = notebooks_server.get("/openapi.json", headers=headers).json()
        assert document["servers"] == [{"url": f"{scheme}://apps.example.org/lab"}]
        assert f"{scheme}://apps.example.org/lab" in notebooks_server.get("/docs", headers=headers).text
        page = notebooks_server.get("/once", headers=headers)
        (cookie,) = page.raw.headers.getlist("Set-Cookie")
        assert ("; Secure" in cookie) is (scheme == "https")
        token = {**headers, "X-XSRFToken": page.cookies["_xsrf"], "Cookie": f"_xsrf={page.cookies['_xsrf']}"}
        kernel = UUID.findall(page.text)[0]
        assert notebooks_server.post(f"/voila/api/shutdown/{kernel}", headers=token).status_code == 204


def test_a_logout_ends_at_the_login(guarded: Server) -> None:
    headers = {"Authorization": f"Bearer {MARKER}"}
    response = guarded.get("/logout", headers=headers, allow_redirects=False)
    assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/login")


def test_a_server_with_a_token_accepts_any_host_name(guarded: Server) -> None:
    assert guarded.get("/", headers={"Host": "apps.example.org"}, allow_redirects=False).status_code == 302
    assert guarded.post("/iris-wizard", headers={"Host": "evil.example"}, json=ROW).status_code == 401


# ---- source, files, templates


DRAWS = {
    "draws": "random.random(), np.random.rand()",
    "generators": "np.random.default_rng().random(), rng.random(), own.random()",
    "once": "np.random.default_rng().random(), rng.random(), own.random()",  # run once for all visitors
}


# beside its notebooks; none of these is sent to a visitor
FILES = ["notes.txt", "data.csv", "module.py", "model.irislib", ".hidden.png", ".git/picture.png", "__pycache__/a.png",
         "voila.json"]  # fmt: skip


@pytest.fixture(scope="module")
def notebooks_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of notebooks: one that fails, and some that draw random numbers. It has a public host name."""
    folder = tmp_path_factory.mktemp("notebooks")
    draws = f"""
import random  # {MARKER}
import ipywidgets
import numpy as np
own, rng = random.Random(), np.random.default_rng()
def drawn():
    return repr([DRAWN])
label = ipywidgets.Label(drawn())
button = ipywidgets.Button(description="draw")
button.on_click(lambda _: setattr(label, "value", drawn()))
ipywidgets.VBox([label, button])
"""
    books = {name: draws.replace("DRAWN", drawn) for name, drawn in DRAWS.items()} | {"broken": f"1 / 0  # {MARKER}"}
    for name, source in books.items():
        book = notebook(source)
        book.metadata["irislib"] = {"run": "once" if name == "once" else "each visit"}
        nbformat.write(book, folder / f"{name}.ipynb")
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(MARKER)
    (folder / "link.png").symlink_to("module.py")
    (folder / "picture.svg").write_text("<svg>")
    model = "--model=irislib.iris:spec"  # none is served beside notebooks that do not use irislib
    args = ("serve", model, "--notebooks", str(folder), "--public-host=apps.example.org", "--proxies=1")
    server = Server(folder / "log", *args).wait()
    yield server
    assert server.stop() == 0
    assert "Uncaught exception" not in server.text()
    assert "Exception: You must define" not in server.text()  # of an error page of jupyter_server's


@pytest.mark.parametrize("template", ["bar.html.j2", "apps.html", "starting.html"])
@pytest.mark.parametrize("autoescape", [True, False])  # of irislib's own pages, and of Voila's
def test_the_title_of_an_app_is_text(template: str, autoescape: bool) -> None:
    folder = paths.jupyter_dir() / "voila" / "templates" / "irislib"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=autoescape)  # noqa: S701 - as Voila has it
    environment.globals["static"] = str
    title = "<img src=x onerror=alert(1)>&amp;"
    apps = [{"name": "app", "title": title, "titles": {"en": title}, "spec": None}]
    look = {"style": "", "icon": "data:;base64,=", "colours": ""}
    lists = {"states": {}, "waiting": {}, "unopened": (), "no_model": ()}
    app = {"app": apps[0], "state": "training"}
    html = environment.get_template(template).render(
        apps=apps, look=look, texts=TEXTS, base_url="/", current="app", **lists, **app
    )
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;amp;" in html
    assert "<img src=x" not in html


def test_the_list_of_apps_names_the_first_of_many_inputs() -> None:
    import thirty

    folder = paths.jupyter_dir() / "voila" / "templates" / "irislib"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True)
    environment.globals |= {"static": str, "translated": lambda spec: spec}
    app = {"name": "app", "title": "An app", "titles": {"en": "An app"}, "spec": thirty.spec}
    lists = {"states": {}, "waiting": {}, "unopened": (), "no_model": ()}
    look = {"style": "", "icon": "data:;base64,=", "colours": ""}
    html = environment.get_template("apps.html").render(apps=[app], look=look, texts=TEXTS, base_url="/", **lists)
    assert "Mean radius · Mean texture · " in html
    assert "Mean fractal dimension and 20 more → Tumour" in html


PATHS = [
    "/draws.ipynb", "/notes.txt", "/files/notes.txt", "/voila/files/notes.txt", "/voila/files/draws.ipynb",
    "/voila/render/draws.ipynb", "/voila/render/draws", "/voila/tree", "/voila/tree/", "/voila/api/contents",
    "/voila/api/contents/draws.ipynb?content=1", "/api/contents", "/api/contents/draws.ipynb", "/notebooks/draws.ipynb",
    "/nbconvert/html/draws.ipynb", "/nbconvert/script/draws.ipynb", "/edit/notes.txt", "/view/notes.txt", "/tree",
    "/lab", "/api", "/api/status", "/api/config", "/api/me", "/api/nbconvert", "/api/kernelspecs", "/kernelspecs",
    "/kernelspecs/python3/kernel.json", "/api/sessions", "/api/terminals", "/terminals/websocket/1", "/api/events",
    "/api/security/csp-report", "/api/kernels", "/static/notes.txt", "/static/../notes.txt", "/static/%2e%2e/notes.txt",
    "/%2e%2e/notes.txt", "/..%2fnotes.txt", "/draws/../notes.txt", "/draws/%2e%2e/notes.txt", "//notes.txt",
    "/voila/static/%2e%2e/%2e%2e/%2e%2e/app.py", "/voila/static/..%2f..%2fapp.py", "/voila/static//etc/passwd",
    "/voila/static/%2fetc%2fpasswd", "/voila/templates/irislib/static/%2e%2e/index.html.j2",
    "/voila/templates/irislib/static/..%2f..%2f..%2f..%2fkernels%2firislib%2fkernel.json",
    "/voila/templates/%2e%2e/static/../notes.txt", "/voila/templates/..%2f..%2f/static/notes.txt",
    "/voila/templates/irislib/static//etc/passwd", "/voila/templates/irislib/index.html.j2",
    "/voila/templates/x/static/x", "/voila/templates/irislib/static/%00",
    "/voila/static/%00", "/voila/labextensions/x%00", "/%00", f"/voila/static/{'x' * 300}",
    "/voila/labextensions/%2e%2e/%2e%2e/kernels/irislib/kernel.json",
    "/voila/labextensions//etc/passwd", "/voila/api/themes/%2e%2e/%2e%2e/kernels/irislib/kernel.json",
    "/voila/api/themes//etc/passwd", "/voila/front/%2e%2e/notes.txt", "/voila/front/notes.txt",
    *(f"{prefix}/{name}" for name in [*FILES, "link.png", "%2ehidden.png", "x/../data.csv", "x\\picture.svg"]
      for prefix in ("", "/voila/files")),
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_file_no_listing_no_source(notebooks_server: Server, path: str) -> None:
    # unlike requests, it sends a path as it is
    connection = http.client.HTTPConnection("127.0.0.1", notebooks_server.port, timeout=PATIENCE)
    with closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
    assert response.status in (400, 403, 404), response.status
    for text in (MARKER, "ipykernel_launcher", "root:", "{%", "import ", str(notebooks_server.log.parent)):
        assert text not in body


def test_a_picture_beside_a_notebook_is_sent_and_its_scripts_are_confined(notebooks_server: Server) -> None:
    for path in ("/picture.svg", "/voila/files/picture.svg"):
        response = notebooks_server.get(path)
        assert (response.status_code, response.text) == (200, "<svg>")
        assert "sandbox" in response.headers["Content-Security-Policy"]
    etag = {"If-None-Match": response.headers["ETag"]}
    assert notebooks_server.get(path, headers=etag).status_code == 304
    (notebooks_server.log.parent / "picture.svg").write_text("<svg/>")
    assert notebooks_server.get(path, headers=etag).text == "<svg/>"
    assert notebooks_server.post(path).status_code == 405
    assert "data.csv is not served: no pattern of VoilaConfiguration.file_allowlist" in notebooks_server.text()


def test_source_models_and_secrets_are_never_served_whatever_is_allowed(tmp_path: Path) -> None:
    for name in [*FILES, "store/model.json", "token", "public/data.csv", "private/data.csv"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    secrets = [tmp_path / "store", tmp_path / "token"]
    rules = FileRules(str(tmp_path), [".*"], ["private.*"], secrets, logging.getLogger())
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert sorted(filter(rules.find, files)) == ["data.csv", "notes.txt", "public/data.csv"]


@pytest.mark.parametrize(
    "path",
    [
        "/draws", "/broken", "/draws?template=classic&theme=dark", "/draws?voila-template=classic&voila-theme=dark",
        "/draws?strip_sources=0&show_tracebacks=1", "/broken?show_tracebacks=1",
    ],
)  # fmt: skip
def test_a_page_shows_no_source_and_takes_no_template(notebooks_server: Server, path: str) -> None:
    response = notebooks_server.get(path)
    assert response.status_code in (200, 500)
    for text in (
        MARKER,
        "on_click",
        "ZeroDivisionError",
        "Traceback",
        str(notebooks_server.log.parent),
        "site-packages",
    ):
        assert text not in response.text
    assert "templates/irislib/static/page.css" in response.text
    assert 'data-jp-theme-light="false"' not in response.text
    assert ("irislib-failed" in response.text) is path.startswith("/broken")
    kernel = UUID.search(response.text)
    if kernel and not path.startswith("/broken"):
        headers = {"X-XSRFToken": response.cookies["_xsrf"]}
        notebooks_server.post(f"/voila/api/shutdown/{kernel[0]}", headers=headers, cookies=response.cookies)


# ---- secrets and kernels on the machine


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a token, and a folder for temporary files whose path is too long for a socket."""
    deep = tmp_path_factory.mktemp("deep") / ("d" * 90)
    deep.mkdir()
    server = Server(deep.parent / "log", "serve", TMPDIR=str(deep), IRISLIB_TOKEN=MARKER, JUPYTER_TOKEN=f"j{MARKER}")
    yield server.wait()
    assert server.stop() == 0
    assert not list(deep.iterdir())
    assert MARKER not in server.text()


def test_no_kernel_has_a_token(guarded: Server) -> None:
    visitor = Visitor(guarded, "dummy", Authorization=f"Bearer {MARKER}")
    try:
        for pid in descendants(guarded.process.pid):
            assert MARKER.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        assert run(visitor.kernel, "import os; print(any('pl4nted' in v for v in os.environ.values()))") == "False\n"
    finally:
        visitor.leave()


@pytest.mark.parametrize("server", ["serve", "guarded"])
def test_only_its_user_reaches_a_kernel(server: str, request: pytest.FixtureRequest) -> None:
    running: Server = request.getfixturevalue(server)
    visitor = Visitor(running, "dummy", Authorization=f"Bearer {MARKER}")
    try:
        file = connection_file(visitor.kernel)
        assert stat.S_IMODE(file.parent.stat().st_mode) & 0o777 == 0o700
        assert stat.S_IMODE(file.stat().st_mode) & 0o777 == 0o600
        assert json.loads(file.read_text())["transport"] == "ipc"
        # ipykernel has one for what is printed in a kernel's own subprocesses; it hears who knows 16 random bytes
        printing = int(run(visitor.kernel, "import sys; print(sys.stdout.pub_thread._pipe_port)"))
        pids = {int(run(visitor.kernel, "import os; print(os.getpid())")): {("127.0.0.1", printing)}}
        for pid in descendants(running.process.pid):
            addresses = {tuple(c.laddr) for c in psutil.Process(pid).net_connections("inet")}
            assert len(addresses) <= 1
            assert addresses == pids.get(pid, addresses)
        listening = [c for c in psutil.Process(running.process.pid).net_connections("inet") if c.status == "LISTEN"]
        assert [c.laddr.port for c in listening] == [running.port]
    finally:
        visitor.leave()


def test_the_operators_folder_for_sockets_is_used(tmp_path: Path) -> None:
    short = "/var/tmp"  # noqa: S108 - nothing is written there
    assert private_transport(short).Voila.connection_dir_root == short
    (tmp_path / ("d" * 100)).mkdir()
    assert private_transport(str(tmp_path / ("d" * 100))) == {}  # its sockets would not work: TCP, then
    assert private_transport(str(tmp_path / "nowhere")) == {}


def run(kernel: str, code: str) -> str:
    """Run code in a kernel, as its owner can on the machine itself, and return what it prints."""
    client = BlockingKernelClient(connection_file=str(connection_file(kernel)))
    client.load_connection_file()
    client.start_channels()
    printed: list[str] = []
    try:
        client.wait_for_ready(timeout=PATIENCE)  # messages that are sent before it listens are lost
        client.execute_interactive(
            code, output_hook=lambda m: printed.append(m["content"].get("text", "")), timeout=PATIENCE
        )
    finally:
        client.stop_channels()
    return "".join(printed)


@pytest.mark.parametrize("name", DRAWS)
def test_two_visitors_draw_different_numbers(notebooks_server: Server, name: str) -> None:
    drawn: dict[str, list[float]] = {"while the page is built": [], "by a click": []}
    for _ in range(2):
        visitor = Visitor(notebooks_server, name)
        try:
            with visitor.connect() as page:
                for numbers in drawn.values():
                    states = page.states()[0]
                    (label,) = (s["state"]["value"] for s in states.values() if s["model_name"] == "LabelModel")
                    numbers += json.loads(label)
                    (button,) = (i for i, s in states.items() if s["model_name"] == "ButtonModel")
                    press = {"method": "custom", "content": {"event": "click"}}
                    page.send("shell", "comm_msg", {"comm_id": button, "data": press})
        finally:
            visitor.leave()
    if name == "once":
        assert "once.ipynb is run for each visitor" not in notebooks_server.text()
        assert len(set(drawn.pop("while the page is built"))) == 3
    for when, numbers in drawn.items():
        assert len(numbers) == 2 * len(DRAWS[name].split("), "))
        assert len(set(numbers)) == len(numbers), when


# ---- headers and cookies


PAGES = ["/", "/nothing", "/healthz", "/docs", "/readyz", "/metrics", "/iris-wizard", "/iris-wizard/schema",
         "/voila/templates/irislib/static/page.css", "/voila/static/voila.js", "/voila/static/nothing",
         "/api/kernels/x", "/login"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_response_has_the_security_headers(serve: Server, path: str, method: str) -> None:
    response = requests.request(method, f"{serve.url}{path}", json=ROW, timeout=PATIENCE)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["Server"] == "irislib"
    assert "tornado" not in response.text.lower()
    for cookie in response.raw.headers.getlist("Set-Cookie"):
        assert cookie.startswith("_xsrf=")  # without a token no visitor is identified
        assert "SameSite=Lax" in cookie


def test_the_login_cookie_is_http_only(guarded: Server) -> None:
    visitor = requests.Session()
    form = {"_xsrf": "", "password": MARKER}
    visitor.get(f"{guarded.url}/login", timeout=PATIENCE)
    form["_xsrf"] = visitor.cookies["_xsrf"]
    response = visitor.post(
        f"{guarded.url}/login?next=//evil.example", data=form, timeout=PATIENCE, allow_redirects=False
    )
    assert response.headers["Location"] == "/"
    (cookie,) = (c for c in response.raw.headers.getlist("Set-Cookie") if not c.startswith("_xsrf="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert visitor.get(f"{guarded.url}/", timeout=PATIENCE).status_code == 200


@pytest.fixture
def intranet() -> Iterator[tuple[int, dict[str, str]]]:
    """The port of another site, and its pages by path."""
    pages: dict[str, str] = {}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html>{pages.get(self.path, '')}".encode())

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("0.0.0.0", 0), Page) as site:
        Thread(target=site.serve_forever).start()
        yield site.server_port, pages
        site.shutdown()


def test_an_operator_can_let_others_embed_the_apps(
    tmp_path: Path, neighbour: Any, serve: Server, intranet: tuple[int, dict[str, str]]
) -> None:
    port, pages = intranet
    allowed, other = (f"http://127.0.0.{number}:{port}" for number in (1, 2))
    (folder := tmp_path / "notebooks").mkdir()
    (folder / "picture.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    options = ("--frame-ancestors", f"https://Intranet.example.org,{allowed}", "--cors", allowed)
    models = ("--notebooks", str(folder), "--model", "irislib.iris:spec")
    server = Server(tmp_path / "log", "serve", *models, "--host", "0.0.0.0", *options).wait()
    address = f"http://localhost:{server.port}"  # another site than theirs
    documented = (ROOT / "docs" / "cookbook" / "embedding.md").read_text(encoding="utf-8")
    for name, html in re.findall(r'^```html title="(\w+)\.html"\n(.*?)^```$', documented, re.M | re.S):
        pages[f"/{name}"] = html.replace("https://apps.example.org", address)
        pages[f"/default-{name}"] = html.replace("https://apps.example.org", f"http://localhost:{serve.port}")
    try:
        assert_policy_everywhere(server, serve, f"https://intranet.example.org {allowed}")
        assert_frame_is_used(neighbour, f"{allowed}/frame")
        for refused in (f"{other}/frame", f"{allowed}/default-frame"):
            with neighbour.expect_event("requestfailed") as failed:
                neighbour.goto(refused)
            assert failed.value.failure == "net::ERR_BLOCKED_BY_RESPONSE"
        for site, value, text in [
            (allowed, "6", "virginica"),
            (allowed, "99", "petal_length_cm must be"),
            (other, "6", "The model cannot"),
        ]:
            neighbour.goto(f"{site}/form")
            neighbour.get_by_label("Length of the petal").fill(value)
            neighbour.get_by_label("Width of the petal").fill("2.5")
            neighbour.get_by_role("button", name="Which species?").click()
            neighbour.locator("output", has_text=text).wait_for()
    finally:
        assert server.stop() == 0
    assert server.text().count("no token is set") == 1  # for it listens on every address


def assert_policy_everywhere(server: Server, serve: Server, others: str) -> None:
    policy = serve.get("/").headers["Content-Security-Policy"]
    policy = policy.replace("'self';", f"'self' {others};", 1)  # and all else of it
    for path in [*PAGES, "/picture.svg"]:
        headers = server.get(path, allow_redirects=False).headers
        assert headers["Content-Security-Policy"].startswith(policy), path
        assert headers["Referrer-Policy"] == "same-origin"
        assert "X-Frame-Options" not in headers
    assert headers["Content-Security-Policy"].endswith("; sandbox allow-scripts")  # of the picture
    assert "frame-ancestors 'none'" in server.get("/iris-wizard/operator").headers["Content-Security-Policy"]


def assert_frame_is_used(page: Any, address: str) -> None:
    page.goto(address)
    frame = page.frame_locator("iframe[title]")
    frame.get_by_role("tab", name="Why", selected=True).wait_for()
    expect(frame.get_by_role("textbox", name="Petal length")).to_have_value("6")
    for name in ("Sepal length", "Sepal width"):
        frame.get_by_role("textbox", name=name).fill("3")
    frame.get_by_role("button", name="Abrakadabra").click()
    frame.get_by_role("tab", name="Prediction").click()
    frame.get_by_text("Species: virginica").first.wait_for()
    assert not page.context.cookies()  # a browser keeps none of such a frame
