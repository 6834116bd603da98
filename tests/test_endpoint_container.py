"""The endpoint within Tornado: responses are sent while they are made, and the work on them ends with their clients."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import tornado.web
from conftest import PATIENCE, run_in_thread

from irislib._common.page_states import TRAINING
from irislib._serving import http_connections
from irislib._serving.endpoint_container import EndpointContainer
from irislib._serving.endpoint_mixin import EndpointMixin
from irislib._serving.http_connections import AppHTTPServer
from irislib._serving.http_server import ProblemServer
from irislib.api._metrics import Metrics

BROKEN = "/broken"


class Application:
    """A WSGI application whose responses have no end, or break off, and that notes when they are closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            while True:
                yield b"x" * 100_000
                if environ["PATH_INFO"] == BROKEN:
                    raise BrokenPipeError
        finally:
            self.closed.set()


class Handler(tornado.web.RequestHandler):
    """A handler of all addresses."""

    async def get(self) -> None:
        self._auto_finish = False
        await self.settings["container"].respond(self.request)
        if not self.request.connection.stream.closed():
            self.request.connection.finish()


async def receive(path: str, size: int) -> tuple[bytes, bool]:
    """Return the beginning of a response, and whether the work on it ends when the client has gone."""
    application = Application()
    with ThreadPoolExecutor(1) as executor:
        container = EndpointContainer(application, executor, Metrics(None))
        server = ProblemServer(tornado.web.Application([(".*", Handler)], container=container))
        server.listen(0, "127.0.0.1")
        (sock,) = server._sockets.values()
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        data = b""
        while len(data) < size and (piece := await reader.read(65536)):
            data += piece
        writer.close()
        is_closed = await asyncio.get_running_loop().run_in_executor(None, application.closed.wait, PATIENCE)
        server.stop()
        return data, is_closed


def test_a_response_comes_while_it_is_made_and_ends_with_its_client() -> None:
    data, is_closed = run_in_thread(receive("/", 1_000_000))
    assert len(data) >= 1_000_000
    assert is_closed


def test_a_response_that_breaks_off_is_not_taken_for_complete() -> None:
    data, is_closed = run_in_thread(receive(BROKEN, 2**62))
    assert b"Transfer-Encoding: chunked" in data
    assert not data.endswith(b"0\r\n\r\n")
    assert is_closed


class LargeAnswer(tornado.web.RequestHandler):
    """An answer that is longer than all buffers."""

    def get(self) -> None:
        self.finish(b"x" * 50_000_000)


async def ask_and_read_nothing(path: str) -> None:
    """Return when the server has closed the connection of a client that reads nothing of its answer."""
    application = Application()
    with ThreadPoolExecutor(1) as executor:
        container = EndpointContainer(application, executor, Metrics(None))
        routes = [("/large", LargeAnswer), (".*", Handler)]
        server = AppHTTPServer(tornado.web.Application(routes, container=container), max_connections_per_client=1)
        server.listen(0, "127.0.0.1")
        (listener,) = server._sockets.values()
        with socket.create_connection(listener.getsockname(), PATIENCE) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            while not server.clients.counts:
                await asyncio.sleep(0.01)
            while server.clients.counts:
                await asyncio.sleep(0.01)
        server.stop()


@pytest.mark.parametrize("path", ["/large", "/"])
def test_a_client_that_reads_nothing_of_its_answer_is_disconnected(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "SEND_SECONDS", 0.2)
    run_in_thread(asyncio.wait_for(ask_and_read_nothing(path), PATIENCE))


class Waiting(EndpointMixin):
    """A request that has waited for its model until its client left."""

    limit = 100

    def __init__(self) -> None:
        self.settings = {"irislib_models": SimpleNamespace(states={"iris": TRAINING}, ended=threading.Event())}
        connection = SimpleNamespace(stream=SimpleNamespace(closed=lambda: True))
        self.request = SimpleNamespace(method="POST", path="/iris", connection=connection)
        self.answered: list[Any] = []
        self.endpoint: Any = SimpleNamespace(respond=self.answered.append)


def test_a_client_that_leaves_while_it_waits_gets_no_answer() -> None:
    waiting = Waiting()
    run_in_thread(waiting.forward(2))
    assert waiting.answered == []


@tornado.web.stream_request_body
class Pieces(tornado.web.RequestHandler):
    """How many pieces a body came in, and its length."""

    def prepare(self) -> None:
        self.sizes: list[int] = []

    def data_received(self, chunk: bytes) -> None:
        self.sizes.append(len(chunk))

    def post(self) -> None:
        self.finish({"count": len(self.sizes), "bytes": sum(self.sizes)})


async def send_chunks(count: int) -> bytes:
    server = ProblemServer(tornado.web.Application([(".*", Pieces)]))
    server.listen(0, "127.0.0.1")
    (sock,) = server._sockets.values()
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
    writer.write(b"2\r\nxx\r\n" * count + b"3;a=b\r\nyyy\r\n0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    server.stop()
    return answer


def test_small_chunks_are_put_together() -> None:
    answer = json.loads(run_in_thread(send_chunks(20_000)).partition(b"\r\n\r\n")[2])
    assert answer["bytes"] == 40_003
    assert answer["count"] < 1000
