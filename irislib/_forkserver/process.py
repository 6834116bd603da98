"""A process that somebody else has forked, as its owner sees it."""

from __future__ import annotations

import os
import select
import signal

__all__ = ["ForkedProcess", "ended"]


class ForkedProcess:
    """A forked process, with the methods of ``subprocess.Popen`` that jupyter_client uses.

    It is no child of this process: its template tells how it ended.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, status: int):
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        os.set_blocking(status, False)
        try:
            self._alive: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended and was told of already
            self._alive = None

    def poll(self) -> int | None:
        """The exit code, or None while the process runs."""
        if self.returncode is not None or (self._alive and not ended(self._alive)):
            return self.returncode
        try:
            told = os.read(self._status, 16)
        except BlockingIOError:  # its template is about to tell
            return None
        self.returncode = int(told or 1)  # nobody knows where the template has ended, too
        self.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the process has ended."""
        if self.returncode is None:
            patience = None if timeout is None else timeout * 1000
            if self._alive:
                poll = select.poll()
                poll.register(self._alive, select.POLLIN)
                poll.poll(patience)
            poll = select.poll()
            poll.register(self._status, select.POLLIN)
            poll.poll(patience)
        return self.poll()

    def send_signal(self, signum: int) -> None:
        """Send a signal to the process itself."""
        if self._alive:
            signal.pidfd_send_signal(self._alive, signum)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go of the files that tell about the process."""
        for file in (self._alive, self._status):
            if file is not None:
                os.close(file)
        self._alive = None


def ended(process: int) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(0))
