"""Gunicorn's threaded worker with a front: connections that are idle or slow take no thread.

Requests are received by the worker's event loop. One that has arrived is answered at once if it is short, as by
Gunicorn's sync worker; what may take long (batches, insights, bodies that are large) is answered by threads.
"""

from __future__ import annotations

import errno
import io
import selectors
import socket
import struct
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from irislib._serving.client_limit import ClientConnections, refuse_connection
from irislib._serving.raw_problems import raw_response
from irislib._serving.system_limits import free_files

__all__ = ["FrontWorker"]

MAX_BUFFERED_BYTES = 1_100_000  # of a request: one row, and its head
MAX_CHUNK_LINE = 4096  # bytes of a chunk's size and its extensions
RECEIVE_SECONDS = 30  # in which a request has to arrive
SEND_SECONDS = 30  # for which a client may read nothing of its answer
SEND_TIMEOUT = struct.pack("ll", SEND_SECONDS, 0)  # as a timeval
LINGER_SECONDS = 2  # for a client to close its connection
ACCEPTED_AT_ONCE = 16
FILES_IN_RESERVE = 30  # free files that no connection takes
PAUSE_SECONDS = 1  # until the next connection is accepted after one could not be
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class RequestScan:
    """The bytes of a request as they arrive.

    Attributes
    ----------
    data : bytearray
    is_complete : bool
        The request has arrived, or as much of it as is buffered.
    is_short : bool
        It has arrived to its end, and takes no longer than one prediction.
    awaits_continue : bool
        Its client waits for 100 Continue.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_complete = self.is_short = self.awaits_continue = False
        self.position = 0  # of the next chunk's size; before the end of the head, from where that is searched
        self.end: int | None = None  # of a body with a length
        self.has_head = self.is_chunked = False

    def feed(self, data: bytes) -> None:
        """Add bytes."""
        self.data += data
        if not self.has_head:
            self._find_head()
        if self.has_head:
            self._find_end()
        if len(self.data) > MAX_BUFFERED_BYTES and not self.is_complete:
            self._leave_to_thread()

    def _leave_to_thread(self) -> None:
        self.is_complete, self.is_short = True, False

    def _find_head(self) -> None:
        end = self.data.find(b"\r\n\r\n", self.position)
        self.position = max(0, len(self.data) - 3)
        if end < 0:
            return
        self.has_head, self.position = True, end + 4
        head = bytes(self.data[: end + 2]).lower()
        first, second = head.find(b" "), head.find(b"\r\n")
        path = head[first:second].strip().partition(b" ")[0]
        coding = head.partition(b"\r\ntransfer-encoding:")[2].partition(b"\r\n")[0].strip()
        self.is_chunked = b"\r\ntransfer-encoding" in head
        self.is_short = head.startswith(b"post /") and path.count(b"/") < 2
        self.awaits_continue = b"\r\nexpect:" in head and len(self.data) == self.position
        value = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0].strip()
        self.end = self.position + (int(value) if value.isdigit() and len(value) < 20 else 0)
        if (
            head.count(b"\r\ncontent-length") > 1
            or (self.is_chunked and coding != b"chunked")
            or (not self.is_chunked and self.end > MAX_BUFFERED_BYTES)
        ):  # for Gunicorn to refuse
            self._leave_to_thread()

    def _find_end(self) -> None:
        """Find the end of the body; what is no sound chunk is for Gunicorn to refuse."""
        if not self.is_chunked:
            self.is_complete |= len(self.data) >= (self.end or 0)
            return
        while (line_end := self.data.find(b"\r\n", self.position, self.position + MAX_CHUNK_LINE)) >= 0:
            size = bytes(self.data[self.position : line_end]).partition(b";")[0].strip()
            try:
                count = int(size, 16)
            except ValueError:
                count = -1
            if count < 0 or len(size) > 16:
                self._leave_to_thread()
                return
            if count == 0:
                self.is_complete |= self.data.find(b"\r\n\r\n", line_end) >= 0
                return
            if line_end + 2 + count + 2 > len(self.data):
                return
            self.position = line_end + 2 + count + 2
        if len(self.data) - self.position >= MAX_CHUNK_LINE:
            self._leave_to_thread()


class ClientSocket(socket.socket):
    """The socket of a client, which may read its answers slowly or never.

    Attributes
    ----------
    unsent : bytearray or None
        Takes what cannot be sent at once; None if a thread sends, which waits.
    """

    unsent: bytearray | None = None

    @classmethod
    def of(cls, sock: socket.socket) -> ClientSocket:
        """Take over a socket that has been accepted."""
        client = cls(sock.family, sock.type, sock.proto, sock.detach())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, SEND_TIMEOUT)
        return client

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send data, or as much as can be sent without a wait."""
        if self.unsent is None:
            try:
                super().sendall(data, flags)
            except BlockingIOError:
                raise ConnectionResetError(errno.ECONNRESET, "The client does not read its answer.") from None
            return
        sent = 0
        if not self.unsent:
            if self.gettimeout():  # with which even MSG_DONTWAIT would wait
                self.setblocking(True)
            with suppress(BlockingIOError):
                sent = super().send(data, flags | socket.MSG_DONTWAIT)
        if sent < len(data):
            self.unsent += memoryview(data)[sent:]

    def send_more(self) -> None:
        """Send more of what is unsent."""
        if self.unsent:
            del self.unsent[: super().send(self.unsent)]

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send data, for Gunicorn's 100 Continue as `sendall`."""
        if self.unsent is None:
            return super().send(data, flags)
        self.sendall(data, flags)
        return len(data)


class FrontWorker(ThreadWorker):  # type: ignore[misc]
    """The worker; each connection is received by the event loop until a request is complete."""

    def init_process(self) -> None:
        self.waiting: dict[Any, float] = {}  # connections, and until when
        self.names: dict[Any, Any] = {}  # of the listeners
        self.refused: set[Any] = set()  # connections whose request Gunicorn could not read
        self.clients: ClientConnections = getattr(self.app, "client_connections", ClientConnections)()
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
            keeps_open = self.handle(conn)
            if conn.sock.unsent:
                self.send_later(conn, keeps_open)
            else:
                self.finish_answer(conn, keeps_open)
        else:
            if (metrics := getattr(self.wsgi, "metrics", None)) is not None:
                conn.leave_queue = partial(metrics.leave_queue, metrics.enter_queue())
            self.enqueue_req(conn)
        return True

    def send_later(self, conn: Any, keeps_open: bool) -> None:
        """Send the rest of an answer while its client reads; no further request is received until then."""
        conn.sock.setblocking(False)
        self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self.on_writable, conn, keeps_open))
        self.waiting[conn] = time.monotonic() + SEND_SECONDS

    def on_writable(self, conn: Any, keeps_open: bool, _: Any = None) -> None:
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
            self.finish_answer(conn, keeps_open)

    def finish_answer(self, conn: Any, keeps_open: bool) -> None:
        """Finish a request that the event loop has answered."""
        conn.sock.unsent = None
        future: Future[Any] = Future()
        future.set_result(keeps_open)
        self.finish_request(conn, future)

    def handle(self, conn: Any) -> Any:
        """Answer a request."""
        if leave_queue := conn.__dict__.pop("leave_queue", None):
            leave_queue()
        if hasattr(conn, "scan") and conn.scan.data:
            conn.sock.setblocking(True)
            conn.init()
            conn.parser.unreader.unread(bytes(conn.scan.data))
            conn.scan.data.clear()
        return super().handle(conn)

    def finish_request(self, conn: Any, future: Any) -> None:
        """Wait for the next request of a connection, or for its end."""
        if not hasattr(conn, "scan"):
            super().finish_request(conn, future)
            return
        try:
            if not future.cancelled() and future.result():
                unreader = conn.parser.unreader
                pipelined, unreader.buf = unreader.buf.getvalue(), io.BytesIO()
                if pipelined:  # there may be a thousand more, and other clients between them
                    self.method_queue.defer(self.receive, conn, self.cfg.keepalive, pipelined)
                else:
                    self.receive(conn, self.cfg.keepalive)
            elif conn.scan.is_short and conn.sock not in self.refused:  # it has been read to its end
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
