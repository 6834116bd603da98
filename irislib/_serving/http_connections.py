"""Connections of the HTTP server: their limits, and an end that answers what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError, UnsatisfiableReadError

from irislib._common.messages.api import TEXTS
from irislib._serving.client_limit import ClientConnections, refuse_connection
from irislib._serving.client_socket import SEND_SECONDS
from irislib._serving.forwarded import apply_forwarded
from irislib._serving.http_server import ProblemServer
from irislib._serving.raw_problems import raw_response
from irislib._serving.system_limits import free_files

__all__ = ["AppHTTPServer"]

IDLE_SECONDS = 60  # until a connection is closed that sends no request, or not all of its headers
BODY_SECONDS = 900  # that a client may take to send a body
LOOKS = 10  # in SEND_SECONDS, at what each connection has sent
DRAIN_SECONDS = 25.0  # that requests may take to be answered once the server is to end
REFUSAL_SECONDS = 2  # that a client without room may take to send its request
FILES_TO_ACCEPT, FILES_TO_REFUSE = 30, 10  # free files that it takes to accept a connection, or to refuse it politely
RETRY_AFTER = 10


class AppHTTPServer(ProblemServer):
    """The HTTP server of ``irislib serve``.

    Attributes
    ----------
    proxies : int
        The number of proxies in front of this server to trust.
    clients : ClientConnections
    """

    def initialize(
        self, *args: Any, proxies: int = 0, max_connections_per_client: int | None = None, **kwargs: Any
    ) -> None:
        """Set the limits; Tornado calls this in place of ``__init__``."""
        limits: dict[str, Any] = {"idle_connection_timeout": IDLE_SECONDS, "body_timeout": BODY_SECONDS}
        super().initialize(*args, **{**limits, **kwargs})
        self.proxies = proxies
        self.clients = ClientConnections(max_connections_per_client, proxies)
        self.answering: set[object] = set()  # the connections with a request that has no response yet
        self.refusals: set[asyncio.Future[None]] = set()
        self.answers = UnreadAnswers(SEND_SECONDS)
        self.answers.timer.start()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a connection, if its client has not too many, and there are files enough to answer."""
        client = self.clients.client_of(address)
        if not self.clients.add(client):
            if not isinstance(stream, SSLIOStream):
                refuse_connection(stream.socket)
            stream.close()
            return
        close = stream.close_fd

        def close_and_forget() -> None:
            self.clients.remove(client)
            close()

        stream.close_fd = close_and_forget  # type: ignore[method-assign]  # a websocket outlives its HTTP connection
        free = free_files()
        if free >= FILES_TO_ACCEPT:
            super().handle_stream(stream, address)
        elif free >= FILES_TO_REFUSE:
            task = asyncio.ensure_future(refuse(stream))
            self.refusals.add(task)
            task.add_done_callback(self.refusals.discard)
        else:
            stream.close()

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        """Return what receives the next request of a connection, whose last one has its response now."""
        self.answering.discard(server_conn)
        self.answers.streams[server_conn] = request_conn.stream
        return RequestDelegate(super().start_request(server_conn, request_conn), self, server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """Forget a connection."""
        self.answering.discard(server_conn)
        self.answers.streams.pop(server_conn, None)
        super().on_close(server_conn)

    async def drain(self) -> None:
        """Accept what waits for that, then no more, and wait until all requests are answered, for a while."""
        self.conn_params.no_keep_alive = True
        await asyncio.sleep(0.1)  # in which the event loop accepts the connections that wait
        self.stop()
        end = asyncio.get_running_loop().time() + DRAIN_SECONDS
        await asyncio.sleep(0.1)  # and receives their requests
        while self.answering and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)


class UnreadAnswers:
    """Close the connections whose clients read nothing of their answers for a while.

    Parameters
    ----------
    seconds : float

    Attributes
    ----------
    streams : dict of object to IOStream
        Those of the connections that answer by HTTP; one that has become a websocket has limits of its own.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.streams: dict[object, IOStream] = {}
        self.progress: dict[object, tuple[int, float]] = {}  # the bytes that were sent of each, and since when
        self.timer = PeriodicCallback(self.look, 1000 * seconds / LOOKS)

    def look(self) -> None:
        """Close the connections that have sent nothing since long, though they want to."""
        now = IOLoop.current().time()
        before, self.progress = self.progress, {}
        for connection, stream in list(self.streams.items()):
            if not stream.writing():
                continue
            sent = stream._total_write_done_index
            sent_before, since = before.get(connection, (sent, now))
            self.progress[connection] = (sent, since if sent == sent_before else now)
            if now - self.progress[connection][1] > self.seconds:
                stream.close()


class RequestDelegate(HTTPMessageDelegate):
    """A request: counted until it is answered, and read as the trusted proxies forwarded it."""

    def __init__(self, delegate: HTTPMessageDelegate, server: AppHTTPServer, server_conn: object, request_conn: Any):
        self.delegate, self.server = delegate, server
        self.server_conn, self.request_conn = server_conn, request_conn

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Receive the headers; the address and the scheme are of this request, not of its connection."""
        self.server.answering.add(self.server_conn)
        context = self.request_conn.context
        original = context.remote_ip, context.protocol
        if self.server.proxies:
            apply_forwarded(headers, context, self.server.proxies)
        try:
            return self.delegate.headers_received(start_line, headers)
        finally:
            context.remote_ip, context.protocol = original

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Receive a part of the body."""
        return self.delegate.data_received(chunk)

    def finish(self) -> None:
        """Receive the end of the body."""
        self.delegate.finish()

    def on_connection_close(self) -> None:
        """Receive the end of the connection, before that of the body."""
        self.delegate.on_connection_close()


async def refuse(stream: IOStream) -> None:
    """Answer that there is no room, once the client has sent its request."""
    with suppress(StreamClosedError, UnsatisfiableReadError, TimeoutError):
        await asyncio.wait_for(stream.read_until(b"\r\n\r\n", max_bytes=65_536), REFUSAL_SECONDS)
        await stream.write(raw_response(503, TEXTS["status.503"], {"Retry-After": str(RETRY_AFTER)}))
    stream.close()
