"""Gunicorn's threaded worker with a front: connections that are idle or slow take no thread.

Requests are received by the worker's event loop. One that has arrived is answered at once if it is short, as by
Gunicorn's sync worker; what may take long (batches, insights, bodies that are large) is answered by threads. Probes
have a thread of their own, which no other request can take, and scrapes have another.

With TLS by Gunicorn itself, or HTTP/2, all connections are answered by threads as in Gunicorn's own worker.
"""

from __future__ import annotations

import selectors
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from irislib._serving.client_limit import ClientConnections, refuse_connection
from irislib._serving.client_socket import SEND_SECONDS, ClientSocket
from irislib._serving.raw_problems import raw_response
from irislib._serving.request_scan import RequestScan, RequestUnreader
from irislib._serving.system_limits import free_files

__all__ = ["FrontWorker"]

RECEIVE_SECONDS = 30  # in which a request has to arrive
LINGER_SECONDS = 2  # for a client to close its connection
ACCEPTED_AT_ONCE = 16
FILES_IN_RESERVE = 30  # free files that no connection takes
PAUSE_SECONDS = 1  # until the next connection is accepted after one could not be
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class FrontWorker(ThreadWorker):  # type: ignore[misc]
    """The worker; each connection is received by the event loop until a request is complete."""

    def init_process(self) -> None:
        self.waiting: dict[Any, float] = {}  # connections, and until when
        self.names: dict[Any, Any] = {}  # of the listeners
        self.refused: set[Any] = set()  # connections whose request Gunicorn could not read
        self.clients: ClientConnections = getattr(self.app, "client_connections", ClientConnections)()
        self.probes, self.scrapes = ThreadPoolExecutor(1, "probes"), ThreadPoolExecutor(1, "scrapes")
        self.next_check, self.stopped_at, self.accepts_from = 0.0, 0.0, 0.0
        most = max(self.cfg.threads, free_files() - FILES_IN_RESERVE)
        self.worker_connections: int = min(self.cfg.worker_connections, most)
        super().init_process()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not; none for a moment after one could not be accepted."""
        super().set_accept_enabled(enabled and time.monotonic() >= self.accepts_from)

    def accept(self, listener: Any) -> None:
        """Accept a connection; one with TLS or HTTP/2 goes to a thread as in Gunicorn's own worker."""
        if self.cfg.is_ssl or "h2" in self.cfg.http_protocols:
            try:
                super().accept(listener)
            except OSError:
                self.pause_accepting()
            return
        if listener not in self.names:
            self.names[listener] = listener.getsockname()
        for _ in range(min(ACCEPTED_AT_ONCE, self.worker_connections - self.nr_conns)):
            try:
                client, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                self.pause_accepting()
                return
            owner = self.clients.client_of(address)
            if not self.clients.add(owner):
                refuse_connection(client)
                client.close()
                continue
            self.nr_conns += 1
            conn = TConn(self.cfg, ClientSocket.of(client), address, self.names[listener])
            conn.data_ready, conn.owner = True, owner
            self.receive(conn, RECEIVE_SECONDS)

    def pause_accepting(self) -> None:
        """Let the connections wait that the operating system has no file for; those that are open go on."""
        self.accepts_from = time.monotonic() + PAUSE_SECONDS
        self.set_accept_enabled(False)

    def receive(self, conn: Any, seconds: float, data: bytes = b"") -> None:
        """Receive the next request of a connection, which may have begun already."""
        conn.scan, conn.is_closing = RequestScan(), False
        conn.sock.setblocking(False)
        if not data and conn.parser is None:  # it has just been opened, and its request is nearly always there
            with suppress(OSError):
                data = conn.sock.recv(65536)
        if not data or not self.take(conn, data):
            self.wait(conn, RECEIVE_SECONDS if conn.scan.data else seconds)

    def wait(self, conn: Any, seconds: float) -> None:
        """Have a connection call `on_readable`, for some seconds."""
        if conn not in self.waiting:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_readable, conn))
        self.waiting[conn] = time.monotonic() + seconds

    def on_readable(self, conn: Any, _: Any = None) -> None:
        """Receive what has arrived."""
        try:
            data = conn.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if conn.is_closing or not (data or conn.scan.data):
            if not data:
                self.drop(conn)
            return
        if not conn.scan.data:  # after an answer it had no longer than the keep-alive to begin
            self.waiting[conn] = time.monotonic() + RECEIVE_SECONDS
        self.take(conn, data)

    def take(self, conn: Any, data: bytes) -> bool:
        """Answer a request, and return True, if these are its last bytes, or the last that come."""
        scan = conn.scan
        scan.feed(data)
        if scan.awaits_continue and not scan.is_complete:
            scan.awaits_continue = False
            with suppress(OSError):  # the client may be gone, which the next `recv` says
                conn.sock.send(CONTINUE)
        if not scan.is_complete and data:
            return False
        if self.waiting.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)
        if scan.is_short and scan.is_complete:
            conn.sock.unsent = bytearray()
            answer: Future[bool] = Future()
            try:
                answer.set_result(self.handle(conn))
            except Exception as error:
                answer.set_exception(error)
            self.send_rest(conn, answer)
        elif scan.is_monitoring and scan.is_complete:
            conn.sock.unsent = bytearray()
            # a scrape takes longer: it reads the files of all workers
            pool = self.scrapes if scan.path == b"/metrics" else self.probes
            pool.submit(self.handle, conn).add_done_callback(
                lambda done: self.method_queue.defer(self.send_rest, conn, done)
            )
        else:
            if (metrics := getattr(self.wsgi, "metrics", None)) is not None:
                conn.leave_queue = partial(metrics.leave_queue, metrics.enter_queue())
            self.enqueue_req(conn)
        return True

    def send_rest(self, conn: Any, answer: Future[bool]) -> None:
        """Send the rest of an answer while its client reads; no further request is received until then."""
        try:
            answer.result()
            if conn.sock.unsent:
                conn.sock.setblocking(False)
                self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self.on_writable, conn, answer))
                self.waiting[conn] = time.monotonic() + SEND_SECONDS
                return
        except Exception:  # as of a connection that Gunicorn has closed
            self.drop(conn)
            return
        self.finish_answer(conn, answer)

    def on_writable(self, conn: Any, answer: Future[bool], _: Any = None) -> None:
        """Send more of an answer."""
        try:
            conn.sock.send_more()
        except BlockingIOError:
            return
        except OSError:
            self.drop(conn)
            return
        self.waiting[conn] = time.monotonic() + SEND_SECONDS
        if not conn.sock.unsent:
            del self.waiting[conn]
            self.poller.unregister(conn.sock)
            self.finish_answer(conn, answer)

    def finish_answer(self, conn: Any, answer: Future[bool]) -> None:
        """Finish a request whose answer has been sent without a thread."""
        conn.sock.unsent = None
        self.finish_request(conn, answer)

    def handle(self, conn: Any) -> Any:
        """Answer a request."""
        if leave_queue := conn.__dict__.pop("leave_queue", None):
            leave_queue()
        if hasattr(conn, "scan") and conn.scan.data:
            conn.sock.setblocking(True)
            conn.init()
            has_no_thread = conn.sock.unsent is not None
            conn.parser.unreader = RequestUnreader(conn.sock, bytes(conn.scan.data), is_complete=has_no_thread)
            conn.scan.data.clear()
        return super().handle(conn)

    def finish_request(self, conn: Any, future: Any) -> None:
        """Wait for the next request of a connection, or for its end."""
        if not hasattr(conn, "scan"):
            self.refused.discard(conn.sock)
            if conn.sock.fileno() < 0:  # TLS that has failed: Gunicorn would count its end twice
                self.nr_conns -= 1
            else:
                super().finish_request(conn, future)
            return
        try:
            if not future.cancelled() and future.result():
                pipelined = conn.parser.unreader.take_buffered()
                if pipelined:  # there may be a thousand more, and other clients between them
                    self.method_queue.defer(self.receive, conn, self.cfg.keepalive, pipelined)
                else:
                    self.receive(conn, self.cfg.keepalive)
            elif (conn.scan.is_short or conn.scan.is_monitoring) and conn.sock not in self.refused:
                # it has been read to its end
                self.drop(conn)
            else:
                self.close_later(conn)
        except Exception:
            self.drop(conn)

    def close_later(self, conn: Any) -> None:
        """Close a connection after its client has: one that still sends would see it broken."""
        conn.is_closing = True
        conn.sock.setblocking(False)
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        self.wait(conn, LINGER_SECONDS)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Refuse a request that is not valid HTTP."""
        self.refused.add(client)
        super().handle_error(req, client, addr, exc)

    def drop(self, conn: Any) -> None:
        """Close a connection."""
        if self.waiting.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)
        self.refused.discard(conn.sock)
        self.nr_conns -= 1
        self.clients.remove(conn.owner)
        conn.close()

    def murder_keepalived(self, force: bool = False) -> None:
        """Close the connections whose time is over.

        When the worker stops, one that has sent nothing has a moment left: its client may be sending a request just
        now, which is answered with ``Connection: close``.
        """
        super().murder_keepalived(force)
        now = time.monotonic()
        if not (self.alive or self.stopped_at):
            self.stopped_at = now
        if self.alive and now < self.next_check:
            return
        self.next_check = now + 1
        for conn, end in list(self.waiting.items()):
            if not (self.alive or conn.scan.data or conn.sock.unsent):
                end = min(end, self.stopped_at + LINGER_SECONDS)
            if end < now and conn.scan.data and not conn.is_closing:
                with suppress(OSError):
                    conn.sock.send(raw_response(408, "The request did not come in time."))
                self.close_later(conn)
            elif end < now:
                self.drop(conn)
