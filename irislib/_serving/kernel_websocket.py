"""The websocket between a page and its kernel: the messages that it lets through."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from jupyter_client.session import DELIM
from jupyter_server.services.kernels.connection.base import deserialize_binary_message, deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.web import Finish
from tornado.websocket import WebSocketClosedError

__all__ = ["KERNEL_ROUTES", "VisitorConnection"]

# All that a page of widgets says. Voila's own list holds for every channel, has `shutdown_request`,
# which a page does not send (it posts), and is asked as well.
ALLOWED_TYPES = {
    "shell": {"comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request"},
    "control": {"kernel_info_request"},
}
HIDDEN_ERROR = {"ename": "ExecutionError", "evalue": "Execution error", "traceback": []}  # as Voila says it in a page


class VisitorConnection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """jupyter_server's, for visitors: nothing is run for them, and no source is shown.

    A message may come in any of three framings: JSON in a text, and two binary ones.
    """

    warned = False
    last_subprotocol: Any = None

    def connect(self) -> Any:
        """Connect to the kernel; what has been agreed on with the page is forgotten as soon as it leaves."""
        self.last_subprotocol = self.subprotocol
        return super().connect()

    def create_stream(self) -> None:
        """Open the channels to the kernel, under a name that no other connection has.

        jupyter_server's are named by the page's session. One that comes back before it is known to have left
        would have two of that name, which take it from each other, and messages are lost.
        """
        name = secrets.token_bytes(16)
        for channel in ("iopub", "shell", "control", "stdin"):
            self.channels[channel] = stream = getattr(self.kernel_manager, f"connect_{channel}")(identity=name)
            stream.channel = channel

    @property
    def subprotocol(self) -> Any:
        """The framing, also of what is still to be read when another connection has taken the place of this one."""
        return super().subprotocol or self.last_subprotocol

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        """Hand a message of the page to its kernel, if it is one that a page sends."""
        try:
            channel, kind = self.channel_and_type(incoming_msg)
            if kind in ALLOWED_TYPES.get(channel, ()):
                super().handle_incoming_message(incoming_msg)
                return
            reason = f"a {str(kind)[:40]!r} on {str(channel)[:40]!r}, which is not allowed"
        except Exception as error:  # a stranger can send anything, and must not fill the log with tracebacks
            reason = f"a message that cannot be read: {type(error).__name__}"
        if not self.warned:
            self.log.warning(
                "Ignoring from the page of kernel %s %s, and whatever else it may be.", self.kernel_id, reason
            )
        self.warned = True

    def on_restart_failed(self) -> None:
        """Have the page say that its kernel has ended; none is started again, so nothing failed in that."""
        with suppress(WebSocketClosedError):
            self._send_status_message("dead")

    def channel_and_type(self, message: Any) -> tuple[str, str]:
        """The channel and the kind of a message, read as the method above reads them."""
        if self.subprotocol == "v1.kernel.websocket.jupyter.org":
            check_offsets(message, 8, "little")
            channel, parts = deserialize_msg_from_ws_v1(message)
            header, _, _, _ = (self.session.unpack(part) for part in parts[:4])
            return channel, header["msg_type"]
        if isinstance(message, bytes):
            check_offsets(message, 4, "big")
            content = deserialize_binary_message(message)
        else:
            content = self.session.unpack(message.encode())
        return content["channel"], content["header"]["msg_type"]

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        """Hand a message of the kernel to the page, without the source that it shows.

        Voila hides what runs in one framing of three, and jupyter_server's own switch for tracebacks
        breaks the connection at the first one.
        """
        idents, (_, *parts) = self.session.feed_identities(outgoing_msg)
        kind = self.session.unpack(parts[0])["msg_type"]
        if kind == "execute_input":
            return
        if kind == "error" and not self.multi_kernel_manager.parent.voila_configuration.show_tracebacks:
            parts[3] = self.session.pack(HIDDEN_ERROR)
            outgoing_msg = [*idents, DELIM, self.session.sign(parts[:4]), *parts]
        super().handle_outgoing_message(stream, outgoing_msg)


def check_offsets(message: bytes, width: int, order: Any) -> None:
    """Refuse a message that is shorter than the table that it says it begins with.

    jupyter_server believes the number, and eight bytes could have it count to 2**64.
    """
    if width * (int.from_bytes(message[:width], order) + 1) > len(message):
        raise ValueError("it ends within its table of offsets")


class KernelStateHandler(KernelHandler):  # type: ignore[misc]
    """Report whether a kernel is alive; only the shutdown request ends one."""

    SUPPORTED_METHODS = ("GET", "OPTIONS")


class ChannelsHandler(KernelWebsocketHandler):  # type: ignore[misc]
    """jupyter_server's, for pages that may leave while they are being connected."""

    async def pre_get(self) -> None:
        """Connect to the kernel, unless nobody waits for that any more."""
        await super().pre_get()
        if self.connection is None:
            raise Finish


# Not Voila's handler of channels: it reads whatever is binary as if it were in the newest framing, and at
# a buffer in the oldest, which any page may ask for, it counts to 2**60 before the server goes on.
KERNEL_ROUTES = [("/api/kernels/([^/]+)", KernelStateHandler), ("/api/kernels/([^/]+)/channels", ChannelsHandler)]
