"""The endpoint, a WSGI application, within Tornado: its responses are sent while they are made."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.wsgi import WSGIContainer

from irislib._common import json_lines, tracing
from irislib._common.language import REQUESTED
from irislib._serving.request_logs import log_fields
from irislib.api._auth import MAY_OPERATE

if TYPE_CHECKING:
    from irislib.api._metrics import Metrics

__all__ = ["EndpointContainer"]

log = logging.getLogger(__name__)


class Response:
    """A response of a WSGI application: its head, and its body in pieces."""

    status: str
    headers: list[tuple[str, str]]

    def __init__(self, application: Any, environ: dict[str, Any], begin: Callable[[], None]):
        begin()
        self.body = application(environ, self.start)
        self.pieces: Iterator[bytes] = iter(self.body)
        try:
            self.first = next(self.pieces, b"")  # with it, nearly every response is complete
        except BaseException:
            self.close()
            raise

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Note the head, as WSGI has it."""
        self.status, self.headers = status, headers

    def close(self) -> None:
        """End the work on it."""
        if hasattr(self.body, "close"):
            self.body.close()

    def read_all(self) -> None:
        """Read the body to its end, for a client that would not know where it ends."""
        self.first = b"".join([self.first, *self.pieces])
        self.headers.append(("Content-Length", str(len(self.first))))


class EndpointContainer(WSGIContainer):
    """Tornado's container, for responses of any length.

    Tornado's own holds a response in memory until it is complete.

    Parameters
    ----------
    application : callable
    executor : Executor
    metrics : Metrics
        Count the requests that wait for a thread.
    """

    def __init__(self, application: Any, executor: Executor, metrics: Metrics):
        super().__init__(application, executor)
        self.metrics = metrics

    def _log(self, status_code: int, request: HTTPServerRequest) -> None:
        """Log a request as Tornado does, or as fields."""
        if json_lines.is_on():
            log_fields(logging.getLogger("tornado.access"), request, status_code)
        else:
            super()._log(status_code, request)

    async def respond(self, request: HTTPServerRequest, closes: bool = False, may_operate: bool = True) -> None:
        """Send the response to a request, except its end, for which the caller calls ``connection.finish``.

        The work on a long response ends when its client goes.

        Parameters
        ----------
        request : HTTPServerRequest
        closes : bool
            The connection is closed after the response, and its client is told so.
        may_operate : bool
            The client may change what is served.
        """
        connection: Any = request.connection
        run = IOLoop.current().run_in_executor
        environ = {**self.environ(request), "irislib.is_client_gone": connection.stream.closed}
        environ[MAY_OPERATE] = may_operate
        begin = partial(self.metrics.leave_queue, self.metrics.enter_queue())
        work = copy_context().run  # in which the parts of the work are, whichever thread does them
        work(REQUESTED.set, "")  # programs are answered in English
        response = await run(self.executor, work, Response, self.wsgi_application, environ, begin)
        try:
            headers = HTTPHeaders({"Connection": "close"} if closes else {})
            has_length = any(name.lower() == "content-length" for name, _ in response.headers)
            if not has_length and request.version == "HTTP/1.0":
                await run(self.executor, work, response.read_all)
            for name, value in response.headers:
                headers.add(name, value)
            status, _, reason = response.status.partition(" ")
            await connection.write_headers(ResponseStartLine("HTTP/1.1", int(status), reason), headers, response.first)
            while not has_length and (piece := await run(self.executor, work, next, response.pieces, None)):
                await connection.write(piece)
            if int(status) != 503:  # no fault: it may be asked often while the server starts
                request.uri = request.path  # a query may hold the token, or the key of a form
                with tracing.current(environ.get(tracing.SPAN)):
                    self._log(int(status), request)
        except OSError:  # the client has gone, or the response is broken off
            connection.stream.close()
        except Exception:
            log.exception("The response to %s %s broke off.", request.method, request.path)
            connection.stream.close()  # for its client must not take it for complete
        finally:
            await run(self.executor, work, response.close)
