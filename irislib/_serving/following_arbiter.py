"""Gunicorn's master, which takes new versions from the store and replaces its workers for them."""

from __future__ import annotations

import atexit
import gc
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from threadpoolctl import threadpool_limits

from irislib._common import json_lines, temporary_folders
from irislib._common.borrowed import is_present
from irislib._common.messages.store import TEXTS
from irislib._modeling import registry, store
from irislib._modeling.candidate_following import CandidateFollower, candidate_followers
from irislib._modeling.following import find_followers
from irislib._modeling.user_errors import log_error
from irislib._serving.store_watch import StoreWatch
from irislib.api._application import Endpoint

__all__ = ["FollowingApplication", "FollowingArbiter", "freeze_objects"]

log = logging.getLogger(__name__)

RUN_EXIT_FUNCTIONS = "atexit:_run_exitfuncs"
FULL_EACH = 10  # versions, of which that of before is looked for among all objects
PATIENCE_SECONDS = 5  # until a worker that goes on is asked to end once more


class FollowingApplication(BaseApplication):  # type: ignore[misc]
    """A base of Gunicorn's applications whose master follows the store.

    Attributes
    ----------
    callable : Endpoint
    models : list of str or None
        The references of the models.
    look_seconds : float
        Between two looks at the store; 0 for none.
    copies : Path or None
        The folder for what comes from the network.
    watch : StoreWatch or None
        None if nothing is followed.
    """

    callable: Any
    models: list[str] | None
    look_seconds: float
    copies: Path | None = None
    watch: StoreWatch | None = None
    n_taken = 0

    def run(self) -> None:
        """Run the master."""
        try:
            FollowingArbiter(self).run()
        except RuntimeError as error:
            text = f"Error: {error}"
            json_lines.report(text) if json_lines.is_on() else print(f"\n{text}\n", file=sys.stderr, flush=True)
            sys.exit(1)

    def make_copies_folder(self) -> list[Path]:
        """Make the folder for copies if it is needed, and return it in a list."""
        if self.look_seconds and isinstance(store.default_root(), str):
            with suppress(OSError):  # else each version is read from the network twice
                self.copies = temporary_folders.make("irislib-store-")
                return [self.copies]
        return []

    def follow_store(self, app: Endpoint) -> None:
        """Follow the store from now on, unless each worker loads the models by itself."""
        if self.watch is not None:
            self.watch.end()
        self.watch = None
        if not self.look_seconds:
            return
        if not self.cfg.preload_app:
            log.info("%s", TEXTS["follow.off"])
        elif followers := find_followers(self.models):
            for follower in followers.values():
                follower.copies = self.copies
            followers |= candidate_followers(followers.values())
            self.watch = StoreWatch(followers, self.look_seconds)
            app.following = self.watch.record.read

    def take(self, watch: StoreWatch) -> bool:
        """Load what was found in the store, to be served by workers that are forked from now on.

        Returns
        -------
        bool
            False if that has failed, and nothing has changed.
        """
        taken = False
        for follower in watch.followers.values():
            if follower.candidate is None:
                continue
            if isinstance(follower, CandidateFollower):
                with threadpool_limits(1):
                    taken |= follower.apply(self.callable)
                continue
            with threadpool_limits(1):  # workers are forked from here: no pool of threads may be started
                if (model := follower.attempt(follower.candidate)) is None:
                    continue
                registry.use(model)
                self.callable.add_model(model)
            follower.serve(follower.candidate)
            taken = True
        watch.publish_state()
        self.n_taken += taken
        # the models of before are freed already, but for those of estimators that refer to themselves
        freeze_objects(is_full=self.n_taken % FULL_EACH == 0)
        return taken


def leave_at_once() -> None:
    """End this process after its exit functions, of which this is the first that is called."""
    atexit.unregister(leave_at_once)
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


def freeze_objects(is_full: bool = True) -> None:
    """Let no collection in a worker write to the objects that exist now, and so copy them.

    A full one collects also what was frozen before, which writes to all of it: it is no longer shared with the workers
    that were forked before.
    """
    if is_full:
        gc.unfreeze()
    gc.collect()
    gc.freeze()


class FollowingArbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's master: beside its own work it looks whether the store has a new version.

    The new version is loaded in the master, whose memory the workers share. New workers are forked, and the old ones
    end once they have answered what they were asked, as at a reload; the master does not wait for them.
    """

    def __init__(self, app: Any):
        self.last_age = 0  # of the workers that are to end
        self.terminated: dict[int, float] = {}  # when SIGTERM was sent to each of them
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
        if watch.finding() and self.app.take(watch):
            self.last_age = self.worker_age
            for _ in range(self.num_workers):
                self.spawn_worker()
            super().manage_workers()
        watch.start(self.LISTENERS)

    def spawn_worker(self) -> Any:
        """Fork a worker; one that has ended in good order leaves at once.

        Python would free all objects first, and so copy what the workers share, at a swap in all of them at once.
        """
        try:
            return super().spawn_worker()
        except SystemExit as end:
            if end.code in (0, None) and is_present(RUN_EXIT_FUNCTIONS):
                atexit.register(leave_at_once)
            raise

    def kill_worker(self, pid: int, sig: int) -> None:
        """Send a signal to a worker; SIGTERM not again and again, which could reach it when it has just ended."""
        now = time.monotonic()
        if sig == signal.SIGTERM:
            self.terminated = {worker: since for worker, since in self.terminated.items() if worker in self.WORKERS}
            if now - self.terminated.get(pid, -PATIENCE_SECONDS) < PATIENCE_SECONDS:
                return
            self.terminated[pid] = now
        super().kill_worker(pid, sig)

    def reload(self) -> None:
        """Read the options and the models again."""
        self.last_age = self.worker_age
        super().reload()

    def stop(self, graceful: bool = True) -> None:
        """End the workers, and stop following."""
        if self.app.watch is not None:
            self.app.watch.end()
        self.terminated.clear()
        super().stop(graceful)
