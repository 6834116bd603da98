"""Long-running computations of a page, done a step at a time, each on a request of the page's script."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

from irislib._common.messages import TEXTS
from irislib.errors import NotApplicableError
from irislib.widgets._blocks import Block, Job, iter_jobs, to_blocks
from irislib.widgets._html import render

__all__ = ["JobList"]


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
            job.blocks = to_blocks([end.value])
        except NotApplicableError as error:
            job.blocks = to_blocks([str(error)])
        del self.running[job.name]
        return None

    def finish(self, blocks: Iterable[Block]) -> None:
        """Complete the jobs of a tab that start by themselves."""
        for job in iter_jobs(blocks):
            if job.starts_itself and job.blocks is None:
                self.running[job.name] = job.steps()
                while self._step(job) is not None:
                    pass
