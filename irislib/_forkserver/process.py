"""Handles of forked processes: of this process, or of a template process."""

from __future__ import annotations

import contextlib
import os
import select
import signal

__all__ = ["ChildProcess", "ForkedProcess", "has_ended"]


class ChildProcess:
    """A fork of this process, with what its user needs of ``subprocess.Popen``."""

    def __init__(self, pid: int):
        self.pid = pid

    def wait(self) -> None:
        """Wait until the process has ended."""
        with contextlib.suppress(ChildProcessError):  # it was waited for
            os.waitpid(self.pid, 0)


class ForkedProcess:
    """A forked process, with the methods of ``subprocess.Popen`` that jupyter_client uses.

    It is no child of this process: its template process writes the exit code to a pipe.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, status: int):
        self.pid = pid
        self.returncode: int | None = None
        self._status = status
        os.set_blocking(status, False)
        try:
            self._pidfd: int | None = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended and has been reaped
            self._pidfd = None
        except OSError:  # too many open files: nobody would notice its end
            os.kill(pid, signal.SIGKILL)
            os.close(status)
            raise

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        if self.returncode is not None or (self._pidfd and not has_ended(self._pidfd)):
            return self.returncode
        try:
            code = os.read(self._status, 16)
        except BlockingIOError:  # its template process is about to write it
            return None
        self.returncode = int(code or 1)  # unknown if the template process has ended, too
        self.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the process has ended and return the exit code."""
        if self.returncode is None:
            timeout_ms = None if timeout is None else timeout * 1000
            if self._pidfd:
                is_readable(self._pidfd, timeout_ms)
            is_readable(self._status, timeout_ms)
        return self.poll()

    def send_signal(self, signum: int) -> None:
        """Send a signal to the process itself."""
        if self._pidfd:
            signal.pidfd_send_signal(self._pidfd, signum)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Close the file descriptors of the process."""
        for file in (self._pidfd, self._status):
            if file is not None:
                os.close(file)
        self._pidfd = None


def has_ended(pidfd: int) -> bool:
    return is_readable(pidfd, 0)


def is_readable(file: int, timeout_ms: float | None) -> bool:
    """Wait until a file can be read, or its other end is closed; return False if that takes longer."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(timeout_ms))
