"""Gunicorn's master, which takes new versions from the store and replaces its workers for them."""

from __future__ import annotations

import logging
import signal
import sys
import time
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from irislib._modeling.user_errors import log_error
from irislib._serving.store_watch import StoreWatch

__all__ = ["FollowingApplication", "FollowingArbiter"]

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5  # until a worker that goes on is asked to end once more


class FollowingApplication(BaseApplication):  # type: ignore[misc]
    """A base of Gunicorn's applications whose master follows the store."""

    watch: StoreWatch | None = None

    def run(self) -> None:
        """Run the master."""
        try:
            FollowingArbiter(self).run()
        except RuntimeError as error:
            print(f"\nError: {error}\n", file=sys.stderr, flush=True)
            sys.exit(1)

    def take(self) -> bool:
        """Load the version that was found; return False if that has failed."""
        raise NotImplementedError


class FollowingArbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's master: beside its own work it looks whether the store has a new version.

    The new version is loaded in the master, whose memory the workers share. New workers are forked, and the old ones
    end once they have answered what they were asked, as at a reload; the master does not wait for them.
    """

    def __init__(self, app: Any):
        self.last_age = 0  # of the workers that are to end
        self.asked: dict[int, float] = {}  # when each of them was asked to
        super().__init__(app)

    def manage_workers(self) -> None:
        """Start and end workers; those that are to end do not count."""
        if len(self.WORKERS) >= self.num_workers:
            staying = sum(worker.age > self.last_age for worker in self.WORKERS.values())
            for _ in range(self.num_workers - staying):
                self.spawn_worker()
        super().manage_workers()
        try:
            self.follow()
        except Exception as error:
            log_error(log, "The store could not be followed.", error)

    def follow(self) -> None:
        """Take what was found in the store, and look again."""
        watch: StoreWatch | None = self.app.watch
        if watch is None:
            return
        if watch.finding() and self.app.take():
            self.last_age = self.worker_age
            for _ in range(self.num_workers):
                self.spawn_worker()
            super().manage_workers()
        watch.start(self.LISTENERS)

    def kill_worker(self, pid: int, sig: int) -> None:
        """Send a signal to a worker; SIGTERM not again and again, which could reach it when it has just ended."""
        now = time.monotonic()
        if sig == signal.SIGTERM:
            self.asked = {worker: since for worker, since in self.asked.items() if worker in self.WORKERS}
            if now - self.asked.get(pid, -PATIENCE_SECONDS) < PATIENCE_SECONDS:
                return
            self.asked[pid] = now
        super().kill_worker(pid, sig)

    def reload(self) -> None:
        """Read the options and the models again."""
        self.last_age = self.worker_age
        super().reload()

    def stop(self, graceful: bool = True) -> None:
        """End the workers, and stop following."""
        if self.app.watch is not None:
            self.app.watch.end()
        self.asked.clear()
        super().stop(graceful)
