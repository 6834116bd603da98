"""Long-running computations of a page, done a step at a time, each on a request of the page's script."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from irislib._common.messages import TEXTS
from irislib.errors import NotApplicableError
from irislib.widgets._blocks import Block, Job, iter_jobs
from irislib.widgets._error_boundary import guarded
from irislib.widgets._html import render
from irislib.widgets._pieces import to_blocks

__all__ = ["JobList"]

clock = time.monotonic


class JobList:
    """The jobs of one visitor's page."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.running: dict[str, Generator[float, None, Any]] = {}

    def register(self, blocks: Iterable[Block]) -> None:
        """Let the jobs of a tab be started from now on."""
        self.jobs |= {job.name: job for job in iter_jobs(blocks)}

    def handle_step(self, request: Mapping[str, Any], _: Sequence[Any] = ()) -> dict[str, Any]:
        """Do the next step of a job, or its first if the script begins; a cancelled run is dropped."""
        job = self.jobs[request["name"]]
        if request.get("begin"):
            self.running[job.name] = job.steps()
        if (share := self._step(job)) is not None:
            return {"done": share}
        return {"html": render(job.blocks or []), "announcement": TEXTS["work_done"].format(title=job.title)}

    def _step(self, job: Job) -> float | None:
        """Return the share done, or None when the job is complete."""
        try:
            return next(self.running[job.name])
        except StopIteration as end:
            job.blocks = to_blocks(end.value if isinstance(end.value, list) else [end.value])
        except NotApplicableError as error:
            job.blocks = to_blocks([str(error)])
        del self.running[job.name]
        return None

    def finish(self, blocks: Iterable[Block], seconds: float) -> None:
        """Take over the results that are stored, and complete the jobs that start by themselves if they are short.

        Parameters
        ----------
        blocks : iterable of Block
            The content of a tab.
        seconds : float
            The time that all of its jobs may take; a job that has not ended by then, or is running on the page, is
            left as it was.
        """
        end = clock() + seconds
        for job in iter_jobs(blocks):
            if job.blocks is None and job.name not in self.running:
                job.failure = ""
                with guarded(partial(setattr, job, "failure")):
                    self._finish(job, end)

    def _finish(self, job: Job, end: float) -> None:
        try:
            stored = job.stored()
        except NotApplicableError as error:
            stored = str(error)
        if stored is not None:
            job.blocks = to_blocks([stored])
        elif job.starts_itself and clock() < end:
            self.running[job.name] = job.steps()
            try:
                while self._step(job) is not None and clock() < end:
                    pass
            finally:
                self.running.pop(job.name, None)
