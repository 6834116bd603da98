"""The websocket between a page and its kernel: the messages that it lets through."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from asyncio import Future
from collections import Counter
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet

from jupyter_client.jsonutil import json_default
from jupyter_client.session import DELIM
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.services.kernels.connection.base import (
    deserialize_binary_message,
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.iostream import StreamClosedError
from tornado.web import Finish, HTTPError
from tornado.websocket import WebSocketClosedError

from irislib._common import tracing
from irislib._serving.callback_log import CallbackLog
from irislib._serving.page_metrics import REQUEST_SECONDS, page_label
from irislib._serving.page_versions import PageVersions
from irislib._serving.websocket_limits import (
    MAX_CONNECTIONS,
    MAX_HEADER_BYTES,
    MAX_PENDING_BYTES,
    MAX_UNREAD_BYTES,
    MAX_UNREAD_BYTES_OPEN,
    PacedProtocol,
    PendingMessages,
    RateLimit,
    check_json,
    check_offsets,
)

__all__ = ["KERNEL_ROUTES", "VisitorConnection"]

# All messages that a page of widgets sends. Voila's own list, which is checked as well, is the same for every
# channel and has `shutdown_request`, which a page does not send (it posts).
ALLOWED_TYPES = {
    "shell": {"comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request"},
    "control": {"kernel_info_request"},
}
BINARY_FRAMING = "v1.kernel.websocket.jupyter.org"
LOOK_SECONDS = 0.5  # between two looks whether a kernel has ended that a page waits for
VERSIONS = "irislib_versions"  # the type of the message that tells a page of newer models; no kernel sends it
HIDDEN_ERROR = {"ename": "ExecutionError", "evalue": "Execution error", "traceback": []}  # as in Voila's pages


@cache
def sends_welcome() -> bool:
    """Return True if kernels send a message to whom they have come to know as a receiver: ipykernel does since 7.2."""
    return tuple(map(int, version("ipykernel").split(".")[:2])) >= (7, 2)


class VisitorConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """jupyter_server's connection, for visitors: they can run nothing, and see no source.

    A message may have any of three framings: JSON as text, and two binary ones.
    """

    callback_logs: ClassVar[WeakKeyDictionary[Any, CallbackLog]] = WeakKeyDictionary()  # by kernel
    warned: ClassVar[WeakSet[Any]] = WeakSet()  # the kernels of whose pages a message was ignored
    is_counted = False  # among the connections of its kernel
    is_new = False  # not that of a page that was disconnected
    is_heard = False  # the page's script has asked for something
    last_subprotocol: Any = None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.pending = PendingMessages()
        self.spans: dict[str, tracing.Span] = {}  # of messages that the kernel has not handled yet
        self.versions: PageVersions = self.multi_kernel_manager.parent.page_pool.versions

    def connect(self) -> Any:
        """Connect to the kernel, and remember the subprotocol, which is lost when the page disconnects."""
        self.last_subprotocol = self.subprotocol
        self.is_counted = True
        connected = super().connect()
        self.versions.connections.add(self)
        self.send_versions()  # a page that was disconnected may have missed them
        return connected

    def send_versions(self) -> None:
        """Send the page the versions that its address has by now of models that were replaced."""
        page = self.multi_kernel_manager.pages.get(self.kernel_id, "")
        if versions := self.versions.offered.get(page):
            message = self.session.msg(VERSIONS, {"versions": versions})
            if self.subprotocol == BINARY_FRAMING:
                self.write_message(serialize_msg_to_ws_v1(message, "iopub", self.session.pack), binary=True)
            else:
                self.write_message(json.dumps({**message, "channel": "iopub"}, default=json_default))

    def disconnect(self) -> None:
        """Disconnect from the kernel.

        A page may leave while it waits for a busy kernel, and was never counted. jupyter_server would count it off
        all the same: the kernel would never be without a connection, and never end. Counted as two, it is also not
        taken for the last one, whose messages are kept.
        """
        self.versions.connections.discard(self)
        while self.spans:
            self.spans.popitem()[1].end()
        uncounted, self.is_counted = not self.is_counted, False
        if not uncounted:
            super().disconnect()
            return
        for _ in range(2):
            self.multi_kernel_manager.notify_connect(self.kernel_id)
        super().disconnect()
        self.multi_kernel_manager.notify_disconnect(self.kernel_id)

    def request_kernel_info(self) -> Any:
        """Ask a kernel for its protocol, unless it is a warm one: these have the server's."""
        if not self.is_warm():
            return super().request_kernel_info()
        known = asyncio.get_running_loop().create_future()
        known.set_result({})
        return known

    def is_warm(self) -> bool:
        """Return True if the kernel was forked for a warm page."""
        return bool(getattr(self.kernel_manager.provisioner, "page", ""))

    def nudge(self) -> Any:
        """Wait until the kernel's messages arrive.

        jupyter_server asks the kernel on two more channels until its replies come. A new connection to a warm kernel
        waits for the welcome that the kernel sends without being asked.
        """
        is_busy = self.kernel_manager.execution_state == "busy"
        if is_busy or not (self.is_new and self.is_warm() and sends_welcome()):
            return super().nudge()
        return asyncio.ensure_future(self.wait_for_welcome())

    async def wait_for_welcome(self) -> None:
        """Wait for the first message of the kernel to all pages, until a time limit or the end of the kernel."""
        channel, arrived = self.channels["iopub"], asyncio.get_running_loop().create_future()

        def note(_: Any) -> None:
            if not arrived.done():
                arrived.set_result(None)

        channel.on_recv(note)
        end = time.monotonic() + self.kernel_info_timeout
        while not arrived.done() and self.kernel_id in self.multi_kernel_manager and time.monotonic() < end:
            await asyncio.wait([arrived], timeout=LOOK_SECONDS)
        if not channel.closed():
            channel.stop_on_recv()

    def create_stream(self) -> None:
        """Open the channels to the kernel that every page needs.

        An input channel is left out: a page cannot be asked for input. Each channel takes two open files.
        """
        self.is_new = True
        for channel in ("iopub", "shell"):
            self.open_channel(channel)

    def open_channel(self, channel: str) -> Any:
        """Open a channel to the kernel, with an identity that no other connection has.

        jupyter_server's identity is the page's session. A page that reconnects before its end was noticed
        would have two connections of one identity, and messages would be lost.
        """
        connect = getattr(self.kernel_manager, f"connect_{channel}")
        self.channels[channel] = stream = connect(identity=secrets.token_bytes(16))
        stream.channel = channel
        return stream

    @property
    def subprotocol(self) -> Any:
        """The framing, also of messages that are read after another connection has replaced this one."""
        return super().subprotocol or self.last_subprotocol

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Forward a message of the page to its kernel if its type is allowed."""
        try:
            channel, header = self.channel_and_header(incoming_msg)
            msg_type = header["msg_type"]
            is_for_main_shell = (
                header.get("subshell_id") is None
            )  # a page can make no other, and warm kernels have none
            if is_for_main_shell and msg_type in ALLOWED_TYPES.get(channel, ()):
                if channel not in self.channels and self.channels:  # `control`, which few pages use
                    self.open_channel(channel).on_recv_stream(self.handle_outgoing_message)
                if tracing.is_on() and msg_type == "comm_msg" and self.subprotocol == BINARY_FRAMING:
                    incoming_msg = self.traced(incoming_msg, str(header.get("msg_id")))
                super().handle_incoming_message(incoming_msg)
                if channel == "shell":
                    self.pending.add(str(header.get("msg_id")), len(incoming_msg))
                    # of the others jupyter_server does not notice that they were handled, since 2.15
                    if msg_type not in getattr(self.multi_kernel_manager, "untracked_message_types", ()):
                        self.kernel_manager.execution_state = "busy"  # until its kernel has handled it
                return
            reason = f"a {str(msg_type)[:40]!r} on {str(channel)[:40]!r}, which is not allowed"
        except Exception as error:  # a client can send anything, and must not fill the log with tracebacks
            reason = f"a message that cannot be read: {type(error).__name__}"
        if self.kernel_manager not in self.warned:  # once: a page may connect as often as it likes
            self.log.warning(
                "Ignoring from the page of kernel %s %s, and whatever else it may be.", self.kernel_id, reason
            )
        self.warned.add(self.kernel_manager)

    def traced(self, message: bytes, msg_id: str) -> bytes:
        """Start the span of a message of the page, and return the message with it for the kernel."""
        page = page_label(self.multi_kernel_manager.pages.get(self.kernel_id, ""))
        attributes = {"irislib.page": page, "irislib.request_id": msg_id, "network.protocol.name": "websocket"}
        parent = self.multi_kernel_manager.traces.get(self.kernel_id) or {}
        self.spans[msg_id] = part = tracing.start(f"irislib.page_request /{page}", parent, "SERVER", attributes)
        channel, parts = deserialize_msg_from_ws_v1(message)
        parts[2] = self.session.pack({**self.session.unpack(parts[2]), **tracing.carrier_of(part)})
        return bytes(serialize_msg_to_ws_v1(parts, channel))

    def on_restart_failed(self) -> None:
        """Send the page the status of a dead kernel; kernels are never restarted."""
        with suppress(WebSocketClosedError):
            self._send_status_message("dead")

    def channel_and_header(self, message: Any) -> tuple[str, dict[str, Any]]:
        """Return the channel and the header of a message, parsed as jupyter_server parses it."""
        if self.subprotocol == BINARY_FRAMING:
            check_offsets(message, 8, "little")
            channel, parts = deserialize_msg_from_ws_v1(message)
            headers = parts[:3]
            check_json(*parts[:4])
            header, _, _, _ = (self.session.unpack(part) for part in parts[:4])
        else:
            if isinstance(message, bytes):
                start, end, *_ = check_offsets(message, 4, "big")
                check_json(message[start:end])
                content = deserialize_binary_message(message)
            else:
                check_json(message)
                content = self.session.unpack(message.encode())
            channel, header = content["channel"], content["header"]
            headers = [self.session.pack(content.get(name)) for name in ("header", "parent_header", "metadata")]
        if max(map(len, headers)) > MAX_HEADER_BYTES:
            raise ValueError("a header is too large")
        return channel, header

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Forward a message of the kernel to the page, without the notebook's source.

        Voila hides the source in one framing of three, and jupyter_server's own option for tracebacks
        breaks the connection at the first one.
        """
        idents, (_, *parts) = self.session.feed_identities(outgoing_msg)
        msg_type = self.session.unpack(parts[0])["msg_type"]
        if msg_type in ("execute_input", "iopub_welcome"):  # the welcome of another connection to the same kernel
            return
        if msg_type == "status" and self.session.unpack(parts[3]).get("execution_state") == "idle":
            parent = self.session.unpack(parts[1])
            if part := self.spans.pop(str(parent.get("msg_id")), None):
                part.end()
            seconds = self.pending.remove(str(parent.get("msg_id")))
            if seconds and not self.pending.size:  # the server's own watcher may have come too late to hear of it
                self.kernel_manager.execution_state = "idle"
            if seconds and parent.get("msg_type") == "comm_msg":
                REQUEST_SECONDS.labels(page_label(self.multi_kernel_manager.pages.get(self.kernel_id, ""))).observe(
                    seconds
                )
        if msg_type == "comm_msg":  # an answer comes by the shorter way
            stream = self.channels.get("iopub", stream)
        if msg_type in ("stream", "error") or (msg_type == "comm_msg" and b'"msg_id"' in parts[3]):
            request_id = str(self.session.unpack(parts[1]).get("msg_id"))
            self.callback_log().add(msg_type, self.session.unpack(parts[3]), request_id)
        if msg_type == "error" and not self.multi_kernel_manager.parent.voila_configuration.show_tracebacks:
            parts[3] = self.session.pack(HIDDEN_ERROR)
            outgoing_msg = [*idents, DELIM, self.session.sign(parts[:4]), *parts]
        super().handle_outgoing_message(stream, outgoing_msg)
        if msg_type == "comm_msg" and not self.is_heard:
            self.is_heard = True
            self.send_versions()  # the page's script may not have been there when it connected

    def callback_log(self) -> CallbackLog:
        """Return the log of the kernel's callbacks, which all its connections share."""
        kernel = self.kernel_manager
        if kernel not in self.callback_logs:
            page = self.multi_kernel_manager.pages.get(self.kernel_id) or f"kernel {self.kernel_id}"
            self.callback_logs[kernel] = CallbackLog(page, self.log)
        return self.callback_logs[kernel]


class KernelStateHandler(KernelHandler):  # type: ignore[misc]
    """Report whether a kernel is alive; only the shutdown request ends one."""

    SUPPORTED_METHODS = ("GET", "HEAD", "OPTIONS")


class ChannelsHandler(KernelWebsocketHandler):  # type: ignore[misc]
    """jupyter_server's handler, with limits, and for pages that may disconnect while they are being connected."""

    connections: ClassVar[Counter[str]] = Counter()  # of each kernel, with those that are being opened
    rates: ClassVar[WeakKeyDictionary[Any, RateLimit]] = WeakKeyDictionary()  # by kernel
    unread = 0  # bytes that were sent to the page, and which it has not read

    @ws_authenticated  # type: ignore[untyped-decorator]
    async def get(self, kernel_id: str) -> None:
        """Serve a connection until its end."""
        if self.connections[kernel_id] >= MAX_CONNECTIONS:
            raise HTTPError(429)
        self.connections[kernel_id] += 1
        try:
            await super().get(kernel_id)
        finally:
            self.connections[kernel_id] -= 1
            if not self.connections[kernel_id]:
                del self.connections[kernel_id]

    async def open(self, kernel_id: str) -> None:
        """Connect to the kernel; no message waits until the page has confirmed the one before."""
        self.set_nodelay(True)
        await super().open(kernel_id)

    def get_websocket_protocol(self) -> Any:
        """Return the protocol, with limits that all connections to a kernel share."""
        protocol = super().get_websocket_protocol()
        if protocol is None:
            return None
        rate = self.rates.setdefault(self.kernel_manager.get_kernel(self.kernel_id), RateLimit())
        return PacedProtocol(self, protocol.params, rate)

    def is_congested(self) -> bool:
        """Return True while the kernel or the page has to catch up before another message is read."""
        pending = self.connection.pending.size if self.connection else 0
        return bool(pending > MAX_PENDING_BYTES or self.unread > MAX_UNREAD_BYTES)

    def write_message(self, message: Any, binary: bool = False) -> Any:
        """Send a message; that its page has left in the meantime is no error, which nobody would await."""
        if self.unread > MAX_UNREAD_BYTES_OPEN and not self.ws_connection.stream.closed():
            self.log.warning("Disconnected: the page of kernel %s does not read what is sent to it.", self.kernel_id)
            self.ws_connection.stream.close()
        try:
            future = super().write_message(message, binary)
        except WebSocketClosedError:
            future = Future()
            future.set_result(None)
            return future
        self.unread += len(message)

        def finish(sent: Future[None]) -> None:
            self.unread -= len(message)
            if not sent.cancelled():
                sent.exception()

        future.add_done_callback(finish)
        return future

    def ping(self, data: Any = b"") -> None:
        """Send a ping, unless the page has disconnected."""
        with suppress(WebSocketClosedError, StreamClosedError):
            super().ping(data)

    async def pre_get(self) -> None:
        """Connect to the kernel, unless the page has disconnected."""
        await super().pre_get()
        if self.connection is None:
            raise Finish


# Not Voila's handler of channels: it reads every binary message as if it had the newest framing, and with
# a buffer in the oldest, which any page may request, it counts to 2**60 while the server waits.
KERNEL_ROUTES = [("/api/kernels/([^/]+)", KernelStateHandler), ("/api/kernels/([^/]+)/channels", ChannelsHandler)]
