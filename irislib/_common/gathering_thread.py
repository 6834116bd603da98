"""A thread of a process for work that gathers while requests are answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["GatheringThread"]


class GatheringThread:
    """A thread that is started when there is something to do for the first time, in the process that has it to do.

    Parameters
    ----------
    name : str
    seconds : float
        In which work gathers.
    work : callable
        Does what there is to do.
    on_start : callable
        Called after the thread has been started.
    last_work : callable, optional
        Called when the thread ends.

    Attributes
    ----------
    wakes : Event
        Set from when there is something to do until that is begun.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        work: Callable[[], Any],
        on_start: Callable[[], Any],
        last_work: Callable[[], Any] = lambda: None,
    ):
        self.name, self.seconds, self.work, self.on_start, self.last_work = name, seconds, work, on_start, last_work
        self.wakes, self._ends = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have the work done soon.

        Raises
        ------
        RuntimeError
            If no thread can be started.
        """
        if self._thread is None and self._start():
            self.on_start()
        self.wakes.set()

    def end(self, seconds: float) -> None:
        """End the thread, and wait for its last work at most some seconds."""
        self._ends.set()
        self.wakes.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _start(self) -> bool:
        """Start the thread; return False if another one has done so meanwhile."""
        with self._lock:
            if self._thread is not None:
                return False
            thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            thread.start()
            self._thread = thread
            return True

    def _run(self) -> None:
        while not self._ends.is_set():
            self.wakes.wait()
            self._ends.wait(self.seconds)
            self.wakes.clear()
            self.work()
        self.last_work()
