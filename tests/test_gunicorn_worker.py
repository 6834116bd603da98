"""Connections of `irislib api` that go wrong: each is closed, and counted once."""

from __future__ import annotations

import queue
import selectors
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import PATIENCE
from gunicorn.workers.gthread import TConn

from irislib._serving.client_limit import ClientConnections
from irislib._serving.client_socket import ClientSocket
from irislib._serving.gunicorn_worker import FrontWorker
from irislib._serving.request_scan import RequestScan


class Worker(FrontWorker):
    """A worker without a process, of one connection, whose answers fail."""

    def __init__(self, sock: socket.socket):
        self.conn: Any = TConn(None, ClientSocket.of(sock), None, None)
        self.conn.owner = ""
        self.nr_conns, self.waiting, self.refused = 1, {}, set()
        self.clients, self.poller = ClientConnections(), selectors.DefaultSelector()
        self.probes = self.scrapes = ThreadPoolExecutor(1)
        self.deferred: queue.Queue[Any] = queue.Queue()
        self.method_queue = SimpleNamespace(defer=lambda *call: self.deferred.put(call))

    def handle(self, conn: Any) -> Any:
        raise RuntimeError


@pytest.fixture
def worker() -> Iterator[Worker]:
    client, server = socket.socketpair()
    with client:
        worker = Worker(server)
        yield worker
        worker.probes.shutdown()
        worker.poller.close()
        assert worker.conn.sock.fileno() == -1
        assert (worker.nr_conns, worker.refused) == (0, set())


@pytest.mark.parametrize("line", ["POST /iris-wizard", "GET /readyz", "GET /metrics"])
def test_an_answer_that_fails(worker: Worker, line: str) -> None:
    worker.conn.scan = RequestScan()
    assert worker.take(worker.conn, f"{line} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    if line.startswith("GET"):
        callback, *arguments = worker.deferred.get(timeout=PATIENCE)
        callback(*arguments)


def ended() -> Future[bool]:
    answer: Future[bool] = Future()
    answer.set_result(False)
    return answer


def test_a_connection_that_gunicorn_has_closed_before_its_answer_was_sent(worker: Worker) -> None:
    worker.conn.scan, worker.conn.sock.unsent = RequestScan(), bytearray(b"an answer")
    worker.conn.sock.close()
    worker.send_rest(worker.conn, ended())


def test_tls_that_fails(worker: Worker) -> None:
    worker.refused.add(worker.conn.sock)
    worker.conn.sock.close()
    worker.finish_request(worker.conn, ended())


def test_a_probe_whose_connection_ends_is_closed_at_once(worker: Worker) -> None:
    worker.conn.scan = RequestScan()
    worker.conn.scan.feed(b"GET /readyz HTTP/1.1\r\nConnection: close\r\n\r\n")
    worker.finish_request(worker.conn, ended())
