"""The kernel of a warm page, which answers by a shorter way than any other kernel.

ipykernel hands what it receives from the thread of its channel to the main one, and what it sends to the thread of
another channel. To wait for a thread's turn takes longer than to predict a row.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import zmq
from ipykernel.iostream import OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets import DottedObjectName, Type
from zmq.eventloop.zmqstream import ZMQStream

__all__ = ["NO_PARENT", "WarmKernelApp", "prepare_kernels"]

NO_PARENT: dict[str, Any] = {"parent_handle": 1}  # watch no parent, print nothing on a terminal

_tried: list[list[str]] = []  # the arguments for which the application was prepared, or could not be

UntypedKernel: Any = IPythonKernel
UntypedApp: Any = IPKernelApp
UntypedStream: Any = OutStream


class PageKernel(UntypedKernel):  # type: ignore[misc]
    """A kernel that is connected to pages of `irislib serve` alone."""

    def answer(self, comm_id: str, content: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        """Send a widget's message to the page whose message is being handled, and to no other one.

        Its server passes it on as it does what a kernel sends to all pages.
        """
        message = {"comm_id": comm_id, "data": {"method": "custom", "content": content}}
        parent, ident = self.get_parent("shell"), self._parent_ident["shell"]
        self.session.send(self.shell_stream, "comm_msg", message, parent, ident, buffers=list(buffers))
        self.shell_stream.flush(zmq.POLLOUT)

    def start(self) -> None:
        """Start to receive messages, without a debugger."""
        self.shell.exit_now = False
        super(IPythonKernel, self).start()  # type: ignore[misc]

    def _publish_status(self, status: str, channel: str, parent: Any = None) -> None:
        """Publish a status, but not that a widget's message is being handled: the server has sent it, and knows."""
        header = (parent or self.get_parent(channel)).get("header") or {}
        if (status, header.get("msg_type")) != ("busy", "comm_msg"):
            super()._publish_status(status, channel, parent)


class QuietStream(UntypedStream):  # type: ignore[misc]
    """A stream of output that is flushed only after a text: ipykernel flushes after each message, in another thread."""

    has_text = False

    def write(self, string: str) -> Any:
        """Write a text."""
        self.has_text = True
        return super().write(string)

    def flush(self) -> None:
        """Send what has been written."""
        if self.has_text:
            self.has_text = False
            super().flush()


class WarmKernelApp(UntypedApp):  # type: ignore[misc]
    """A kernel whose notebook has been run: code to run before it would come too late."""

    kernel_class = Type(PageKernel)
    outstream_class = DottedObjectName(f"{__name__}.QuietStream")
    prepared: Sequence[str] | None = None  # the arguments that have been read ahead, but for the connection file

    def prepare(self, options: Sequence[str]) -> None:
        """Read the arguments and the configuration, as each kernel would at its start, and load the extensions."""
        self.parse_command_line(list(options))
        arguments = deepcopy(self.config)
        self.init_profile_dir()
        self.init_config_files()
        self.load_config_file()
        self.update_config(arguments)  # they come before what the files say
        self.shell = ZMQInteractiveShell.instance()
        if not self.has_extensions():
            super().init_extensions()
        if not self.logging_config:
            self.log.setLevel(self.log_level)  # traitlets makes a record of all debugging, for a handler that drops it
        self.prepared = options

    def parse_command_line(self, argv: Any = None) -> None:
        """Take the connection file alone if all else has been read: the parser is made of all options there are."""
        if self.prepared is not None and argv[:1] == ["-f"] and argv[2:] == self.prepared:
            self.connection_file = argv[1]
        else:
            self.prepared = None
            super().parse_command_line(argv)

    def init_config_files(self) -> None:
        """Do nothing if it is done."""
        if self.prepared is None:
            super().init_config_files()

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing if it is done."""
        if self.prepared is None:
            super().load_config_file(*args, **kwargs)

    def has_extensions(self) -> bool:
        """Return True if the user has extensions beside IPython's own: these may start threads."""
        return bool(self.extensions or self.extra_extensions)

    def init_extensions(self) -> None:
        """Do nothing if it is done."""
        if self.prepared is None or self.has_extensions():
            super().init_extensions()

    def init_code(self) -> None:
        """Run nothing."""

    def init_sockets(self) -> None:
        """Open the sockets that a page needs, without those for input, a debugger and the heart beat.

        The server notices the end of a kernel by its process.
        """
        self.context = zmq.Context()
        atexit.register(self.close)
        self.shell_socket, self.control_socket = (self.open_socket(name) for name in ("shell_port", "control_port"))
        self.context.xpub_verbose = True  # it welcomes each connection, not the first one alone
        self.init_iopub(self.context)

    def open_socket(self, port_name: str) -> Any:
        """Open a socket that receives messages at the port of that name, or sets it."""
        socket = self.context.socket(zmq.ROUTER)
        socket.linger = 1000
        socket.router_handover = 1  # to a connection of the same identity
        if apply_keys := getattr(self, "_apply_curve_server_options", None):  # of newer versions
            apply_keys(socket)
        setattr(self, port_name, self._bind_socket(socket, getattr(self, port_name)))
        return socket

    def init_heartbeat(self) -> None:
        """Do nothing."""

    def init_kernel(self) -> None:
        """Make the kernel, which receives all messages in the main thread: others wait while it is busy anyway."""
        self.kernel = self.kernel_class.instance(
            parent=self,
            session=self.session,
            shell_stream=ZMQStream(self.shell_socket),
            control_stream=ZMQStream(self.control_socket),
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count


def prepare_kernels(argv: Sequence[str]) -> bool:
    """Prepare the application of a page's kernels, once for all that have the same arguments.

    Each kernel reports what is wrong with them.

    Parameters
    ----------
    argv : sequence of str
        The connection file, which is every kernel's own, and the other arguments.

    Returns
    -------
    bool
        False if there was nothing to do.
    """
    options = list(argv[2:])
    if options in _tried:
        return False
    _tried.append(options)
    WarmKernelApp.clear_instance()
    try:
        WarmKernelApp.instance(**NO_PARENT).prepare(options)
    except (Exception, SystemExit):
        WarmKernelApp.clear_instance()
    return True
