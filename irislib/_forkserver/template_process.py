"""A template process as its server sees it: how it is started, and its handle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from irislib._forkserver import messages
from irislib._forkserver.process import has_ended

__all__ = ["CannotForkError", "LostTemplateError", "TemplateProcess", "can_fork", "start_process"]

FORK_TIMEOUT = 30.0  # seconds; importing and loading may take longer than a fork


def can_fork() -> bool:
    """Return True if this platform can fork warm kernels."""
    return all(hasattr(os, name) for name in ("fork", "pidfd_open", "memfd_create"))


class LostTemplateError(Exception):
    """A template process has ended or does not respond."""


class CannotForkError(LostTemplateError):
    """The installed packages lack a name without which kernels cannot be forked."""


def start_process(files: tuple[int, int], env: Mapping[str, str], cwd: str | None) -> subprocess.Popen[bytes]:
    """Start a main template process, which inherits its channel and its lifeline."""
    return subprocess.Popen(  # noqa: S603 - a module of this package
        [sys.executable, "-m", "irislib._forkserver", *map(str, files)],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        pass_fds=files,
        start_new_session=True,  # Ctrl-C in a terminal is for the server
    )


class TemplateProcess:
    """Handle of a template process, as held by the server."""

    def __init__(self, pid: int, channel: Any):
        self.pid = pid
        try:
            self.pidfd = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended and has been reaped
            self.pidfd = -1
        self._channel = channel
        self._request_lock = threading.Lock()
        self._end_lock = threading.Lock()

    def request(
        self, request: Mapping[str, Any] | None, files: Sequence[int] = (), timeout: float | None = FORK_TIMEOUT
    ) -> dict[str, Any]:
        """Send a request and return the reply; without a request, wait for the next message.

        Parameters
        ----------
        request : mapping or None
        files : sequence of int
            Descriptors that are sent with it.
        timeout : float or None
            Seconds to wait for the reply. A process that does not reply in time is ended.

        Raises
        ------
        LostTemplateError
        """
        with self._request_lock:
            try:
                self._channel.settimeout(timeout)
                if request is not None:
                    messages.send(self._channel, dict(request), files)
                return messages.receive(self._channel)[0]
            except (EOFError, OSError) as error:
                self.end()
                ending = "does not respond" if isinstance(error, TimeoutError) else "has ended"
                raise LostTemplateError(f"a template process {ending}") from error

    def send(self, request: Mapping[str, Any]) -> None:
        """Send a request whose reply is received later."""
        with contextlib.suppress(OSError):  # it has ended, which whoever waits for the reply will see
            messages.send(self._channel, dict(request))

    def has_ended(self) -> bool:
        """Return True if the process has ended."""
        with self._end_lock:
            return self.pidfd < 0 or has_ended(self.pidfd)

    def dup_pidfd(self) -> int | None:
        """Return a duplicate of the pidfd, readable once the process has ended; None if it is known to have ended."""
        with self._end_lock:
            return None if self.pidfd < 0 else os.dup(self.pidfd)

    def end_after_request(self) -> None:
        """End the process once it has answered the request of another thread, if there is one."""
        with self._request_lock:
            self.end()

    def end(self) -> None:
        """End the process; processes forked from it live on."""
        with self._end_lock:
            if self.pidfd >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
                os.close(self.pidfd)
                self.pidfd = -1
            self._channel.close()  # afterwards: a process that sees it closed ends those of pages that it has forked
