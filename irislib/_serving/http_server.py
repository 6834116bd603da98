"""Tornado's HTTP server, with a problem as the response to a request that it would only close the connection for."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import UnsatisfiableReadError

from irislib._serving.raw_problems import MAX_REQUEST_LINE, problem_response, raw_response
from irislib.api._body_stream import MAX_DRAINED_BYTES
from irislib.api._config import ROW_BYTES

__all__ = ["ProblemServer"]

# As in Gunicorn, so that both servers take the same requests.
MAX_FIELD_BYTES = 8190
MAX_FIELDS = 100
MAX_HEAD_BYTES = 2**18
MAX_CHUNK_LINE = 1024
PLAIN_SIZE = re.compile(rb"0*[1-9a-fA-F][0-9a-fA-F]*\r\n")
LINGER_SECONDS = 2

BARE_REFUSAL = b"HTTP/1.1 400 Bad Request\r\n\r\n"  # how Tornado answers what it cannot read
ABSOLUTE_TARGET = re.compile(r"https?://([^/?#]*)/?", re.IGNORECASE)
DETAILS = {
    400: "The request is not valid HTTP.",
    413: f"The body is larger than {ROW_BYTES:,} bytes.",
    414: f"The first line of the request is longer than {MAX_REQUEST_LINE:,} bytes.",
    431: f"The request has more than {MAX_FIELDS} headers, or one of more than {MAX_FIELD_BYTES:,} bytes.",
}
SHORT_BODY = "The body is shorter than its Content-Length, or lacks its last chunk."


class ProblemServer(HTTPServer):
    """The server: each of its connections answers what is not valid HTTP, or too long, by a problem."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Read heads that are too large, too, so that their clients get a response."""
        super().initialize(*args, **{"max_header_size": MAX_HEAD_BYTES, **kwargs})

    def start_request(self, server_conn: Any, request_conn: Any) -> HTTPMessageDelegate:
        """Prepare for the next request of a connection."""
        stream = request_conn.stream
        if not hasattr(stream, "irislib_refusals"):
            stream.irislib_refusals = Refusals(stream)
        stream.irislib_refusals.connection = request_conn
        return CheckedHead(super().start_request(server_conn, request_conn), request_conn)


class CheckedHead(HTTPMessageDelegate):
    """A request on its way to the application: its head is checked, and its target made relative."""

    def __init__(self, delegate: HTTPMessageDelegate, connection: Any):
        self.delegate, self.connection = delegate, connection
        self.is_refused = self.holds_body = self.ignores_body = self.awaits_continue = False
        self.size = 0  # of the body, as far as it has arrived

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Any:
        """Refuse a head that is too large or ambiguous, or forward it."""
        self.awaits_continue = "Expect" in headers and start_line.version != "HTTP/1.0"
        fields = list(headers.get_all())
        if sum(map(len, start_line)) + 2 > MAX_REQUEST_LINE:
            return self.refuse(414)
        if len(fields) > MAX_FIELDS or any(len(name) + len(value) + 4 > MAX_FIELD_BYTES for name, value in fields):
            return self.refuse(431)
        if start_line.version == "HTTP/1.0" and "Transfer-Encoding" in headers:
            return self.refuse(400)
        for name in [name for name in headers if "_" in name]:  # WSGI could not tell it from one with a hyphen
            del headers[name]
        if "Expect" in headers:  # a client of HTTP/1.0 knows no 100 Continue; Tornado knows it in lower case only
            headers["Expect"] = headers["Expect"].lower()
            if start_line.version == "HTTP/1.0":
                del headers["Expect"]
        if match := ABSOLUTE_TARGET.match(start_line.path):
            headers["Host"] = match[1]  # it is this that counts (RFC 9112)
            path = "/" + start_line.path[match.end() :]
            start_line = RequestStartLine(start_line.method, path, start_line.version)
        prepared = self.delegate.headers_received(start_line, headers)
        if prepared is not None:  # the handler takes the body in parts, and says when it is prepared for that
            return prepared
        self.ignores_body = start_line.method in ("GET", "HEAD")
        self.holds_body = not self.ignores_body
        length = headers.get("Content-Length", "")
        if self.ignores_body:
            self.connection.set_max_body_size(MAX_DRAINED_BYTES)
        elif length.isdecimal() and int(length) > ROW_BYTES:
            self.drop()
        return None

    def drop(self) -> None:
        """Refuse a body of which the delegate would hold all, whatever it is sent to."""
        self.delegate.on_connection_close()
        self.refuse(413)

    def refuse(self, status: int) -> None:
        """Send a problem; the rest of the request is read and dropped, unless its client waits to be asked for it."""
        self.is_refused = True
        self.connection.set_max_body_size(MAX_DRAINED_BYTES)
        body, headers = problem_response(status, DETAILS[status])
        line = ResponseStartLine("HTTP/1.1", status, HTTPStatus(status).phrase)
        if self.awaits_continue:
            headers["Connection"] = "close"
        self.connection.write_headers(line, HTTPHeaders(headers), body)
        if self.awaits_continue:  # Tornado would ask for the body after the problem
            self.connection.stream.irislib_refusals.is_refused = True  # for a client that sends it unasked
            self.connection.finish()

    def data_received(self, chunk: bytes) -> Any:
        """Forward a part of the body."""
        self.awaits_continue = False
        self.size += len(chunk)
        if self.holds_body and self.size > ROW_BYTES and not self.is_refused:
            self.drop()
        return None if self.is_refused or self.ignores_body else self.delegate.data_received(chunk)

    def finish(self) -> None:
        """Note the end of the request."""
        if self.is_refused:
            self.connection.finish()
        else:
            self.delegate.finish()

    def on_connection_close(self) -> None:
        """Note the end of the connection."""
        if not self.is_refused:
            self.delegate.on_connection_close()


class Refusals:
    """The refusals of one connection, where Tornado has none or no more than a status.

    Parameters
    ----------
    stream : IOStream

    Attributes
    ----------
    connection : HTTP1Connection
        The present request.
    """

    connection: Any

    def __init__(self, stream: Any):
        self.stream = stream
        self.write, self.close, self.read_from_fd = stream.write, stream.close, stream.read_from_fd
        self.read_until, self.read_bytes = stream.read_until, stream.read_bytes
        stream.write, stream.close, stream.read_from_fd = self.explain_refusal, self.explain_close, self.explain_end
        stream.read_until, stream.read_bytes = self.read_chunk_size, self.read_chunk
        self.has_read_trailers = self.is_refused = False

    def read_chunk_size(self, delimiter: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read the line before a chunk.

        A plain one that has been received is returned as it is: Tornado puts small chunks together as long as it need
        not wait for their sizes.
        """
        line: asyncio.Future[bytes] = self.read_until(delimiter, max_bytes=MAX_CHUNK_LINE)
        if line.done() and line.exception() is None and PLAIN_SIZE.fullmatch(line.result()):
            return line
        return self.read_other_size(line, delimiter)

    async def read_other_size(self, line: Awaitable[bytes], delimiter: bytes) -> bytes:
        """Read a line without its extensions, which Tornado does not know; drop the trailers after the last chunk."""
        size = (await line).partition(b";")[0].rstrip()
        if size and not size.strip(b"0"):
            count = 0
            while (trailer := await self.read_until(delimiter, max_bytes=MAX_FIELD_BYTES)) != delimiter:
                count += len(trailer)
                if count > MAX_FIELD_BYTES:
                    raise HTTPInputError("too many trailers")
            self.has_read_trailers = True
        return size + delimiter

    def read_chunk(self, *args: Any, **kwargs: Any) -> Any:
        """Read bytes of a chunk, or the end of the line after the trailers."""
        if self.has_read_trailers:
            self.has_read_trailers = False
            end: asyncio.Future[bytes] = asyncio.Future()
            end.set_result(b"\r\n")
            return end
        return self.read_bytes(*args, **kwargs)

    def explain_refusal(self, data: Any) -> Any:
        """Write data, or a problem in place of Tornado's bare status."""
        if data == BARE_REFUSAL:
            self.is_refused = True
            data = b"" if self.has_begun else raw_response(400, DETAILS[400])
        return self.write(data)

    def explain_close(self, exc_info: Any = False) -> None:
        """Close the connection, with a problem before it if something was too long."""
        if isinstance(exc_info, UnsatisfiableReadError):
            is_one_line = b"\n" not in bytes(self.stream._read_buffer[:MAX_REQUEST_LINE])
            self.send(400 if self.is_in_body else 414 if is_one_line else 431)
            self.is_refused = True
        if self.is_refused and not self.stream.closed():
            with suppress(OSError, NotImplementedError):  # as of TLS
                close_later(self.stream.socket.dup())
        self.close(exc_info)

    def explain_end(self, buffer: Any) -> int | None:
        """Read bytes; a client that ends within a body gets a problem."""
        count: int | None = self.read_from_fd(buffer)
        if count == 0 and self.is_in_body:
            self.send(400, SHORT_BODY)
        return count

    @property
    def has_begun(self) -> bool:
        """True if a response to the present request has begun."""
        return self.connection._response_start_line is not None

    @property
    def is_in_body(self) -> bool:
        """True after the head of the present request, and before its end."""
        return self.connection._request_headers is not None and not self.connection._read_finished

    def send(self, status: int, detail: str = "") -> None:
        """Send a problem at once, for the connection is closed next."""
        if self.connection is not None and not self.has_begun and not self.stream.writing():
            with suppress(OSError):  # the client may be gone
                self.stream.socket.send(raw_response(status, detail or DETAILS[status]))


def close_later(sock: socket.socket) -> None:
    """Close a connection after its client has: one that still sends would see it broken, and not the refusal."""
    loop = asyncio.get_running_loop()
    count = 0

    def discard() -> None:
        nonlocal count
        try:
            received = len(sock.recv(65536))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        count += received
        if not received or count > MAX_HEAD_BYTES:
            end()

    def end() -> None:
        timer.cancel()
        loop.remove_reader(sock)
        sock.close()

    timer = loop.call_later(LINGER_SECONDS, end)
    loop.add_reader(sock, discard)
    sock.shutdown(socket.SHUT_WR)
