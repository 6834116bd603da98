"""The process in which ``irislib api`` looks at the store, and tries to load what becomes current there.

It is forked from Gunicorn's master. So neither a network that hangs nor a file that ends the process that loads it
harms the master, and the master needs no thread, which the workers that it forks would not survive.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from threadpoolctl import threadpool_limits

from irislib._common.messages.store import TEXTS
from irislib._modeling.following import Follower
from irislib._serving.shared_record import SharedRecord
from irislib._store.entries import Entry

__all__ = ["StoreWatch"]

log = logging.getLogger(__name__)

RESTART_SECONDS = 60  # after which a process is replaced that ended without having found anything
MODEL_BYTES = 4096  # of the state of one model


class StoreWatch:
    """A process that follows the store for a server, and ends as soon as it has found something.

    Parameters
    ----------
    followers : dict of str to Follower
        By the names of the models; the process has copies of them.
    seconds : float
        Between two looks.
    """

    def __init__(self, followers: Mapping[str, Follower], seconds: float):
        self.followers, self.seconds = followers, seconds
        self.record = SharedRecord(MODEL_BYTES * (1 + len(followers)))
        self._pid, self._pipe, self._received = 0, -1, b""
        self._next_start = 0.0
        self.publish_state()

    def publish_state(self) -> None:
        """Write the state of all models for the workers; the process does, too, as long as it runs."""
        self.record.write({name: follower.status() for name, follower in self.followers.items()})

    def start(self, sockets: Iterable[socket.socket] = ()) -> None:
        """Start the process unless it runs; it closes the server's sockets."""
        if self._pid or time.monotonic() < self._next_start:
            return
        reader, writer = os.pipe()
        master = os.getpid()
        try:
            self._pid = os.fork()
        except OSError:  # no room for another process
            os.close(reader)
            os.close(writer)
            self._next_start = time.monotonic() + RESTART_SECONDS
            raise
        if not self._pid:
            try:
                _reset_signals()
                os.close(reader)
                for listener in sockets:
                    listener.close()
                self._run(writer, master)
            except Exception:
                log.exception("The process that looks at the store has failed.")
            finally:
                os._exit(0)
        os.close(writer)
        os.set_blocking(reader, False)
        self._pipe, self._received = reader, b""

    def finding(self) -> Follower | None:
        """Return the follower whose candidate was loaded without a fault; the process has ended then."""
        if not self._pid:
            return None
        with suppress(BlockingIOError):
            while data := os.read(self._pipe, 65536):
                self._received += data
            self._forget()
            return self._read_messages()
        return None

    def _read_messages(self) -> Follower | None:
        messages, stream = [], io.BytesIO(self._received)
        with suppress(EOFError, pickle.UnpicklingError):  # the process was killed
            while True:
                messages.append(pickle.load(stream))  # noqa: S301 - from our own process
        if not messages:
            self._next_start = time.monotonic() + RESTART_SECONDS
            log.warning("%s", TEXTS["follow.ended"].format(seconds=RESTART_SECONDS))
            return None
        name, message = messages[-1]
        follower = self.followers[name]
        if isinstance(message, Entry):  # the attempt to load it did not come to an end
            follower.refuse(message, TEXTS["follow.crashed"])
        else:
            vars(follower).update(message)
        self.publish_state()
        return None if follower.candidate is None else follower

    def end(self) -> None:
        """End the process."""
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._forget()

    def _forget(self) -> None:
        os.close(self._pipe)
        self._pid = 0

    def _run(self, writer: int, master: int) -> None:
        """Look at the store until there is something for the master."""
        while os.getppid() == master:
            for name, follower in self.followers.items():
                if (entry := follower.poll()) is None:
                    continue
                _send(writer, (name, entry))
                with threadpool_limits(1):
                    model = follower.attempt(entry)
                _send(writer, (name, {key: value for key, value in vars(follower).items() if key != "spec"}))
                if model is not None or follower.candidate is None:
                    return
            self.publish_state()
            time.sleep(self.seconds)


def _send(writer: int, message: Any) -> None:
    content = pickle.dumps(message)
    while content:
        content = content[os.write(writer, content) :]


def _reset_signals() -> None:
    """Leave the master's handlers, and ignore what is for the master and its workers."""
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
