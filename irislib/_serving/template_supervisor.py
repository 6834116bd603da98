"""The supervision of template processes: they are started with what pages need, and again when they end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common import tracing
from irislib._forkserver.early import IMPORTS
from irislib._forkserver.notebook_source import imported_modules
from irislib._forkserver.template_process import CannotForkError, LostTemplateError
from irislib._serving.kernel_manager import FullError
from irislib._serving.notebooks import notebook_path
from irislib._serving.page_metrics import TEMPLATE_RESTARTS

if TYPE_CHECKING:
    from irislib._serving.page_pool import Pages

__all__ = ["TemplateSupervisor"]

LOAD_MODELS = "irislib._modeling.registry:load_served"  # called once there are models, for all kernels to share
MAX_RETRY_SECONDS = 60.0  # seconds between two attempts to start a template


class TemplateSupervisor:
    """The template processes of a server's pages, started again when they end.

    Parameters
    ----------
    pages : Pages

    Attributes
    ----------
    has_work : Event
        Set once there is a page to prepare, or a template process has ended.
    is_outdated : bool
        True once the main template process has imported files that have changed since.
    """

    def __init__(self, pages: Pages):
        self.pages = pages
        self.has_work = asyncio.Event()
        self.is_outdated = False

    async def supervise(self) -> None:
        """Start the template processes, and restart those that end."""
        wait, pages = 1.0, self.pages
        while True:
            try:
                await self.prepare()
                pages.parent.report_ready()
                wait = 1.0
                await self.wait_for_work()
                if self.lacks_template():
                    self.report_restart()
            except CannotForkError as error:
                pages.is_forking = False
                pages.stop_waiting()
                pages.log.warning("Kernels are started in the ordinary way. %s", error)
                return
            except Exception as error:  # whatever it is, visitors do not wait for it
                pages.stop_waiting()
                pages.fork_server.discard_ended()
                unexpected = None if isinstance(error, LostTemplateError | FullError) else error
                pages.log.warning("Kernels are started in the ordinary way for now: %s.", error, exc_info=unexpected)
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_RETRY_SECONDS)

    def report_restart(self) -> None:
        """Log and count that a template process has ended, and that another is started."""
        TEMPLATE_RESTARTS.inc()
        self.pages.log.warning("A template of kernels has ended; another is started.")

    async def prepare(self) -> None:
        """Start the main template process if there is none, and make the pages warm that are not up to date."""
        self.has_work.clear()
        paths = [notebook_path(app) for app in self.pages.parent.apps]
        await self.start_main(paths)
        await self.pages.prepare_all(paths)

    async def start_main(self, paths: Sequence[str]) -> None:
        """Have a main template process that has imported what notebooks import, and has loaded the models."""
        server, fork_server, versions = self.pages.parent, self.pages.fork_server, self.pages.versions
        imports = self.imported_modules(paths)
        if self.is_outdated and fork_server.main:
            fork_server.discard(fork_server.main)  # kernels start in the ordinary way until there is another
        self.is_outdated = False
        await asyncio.to_thread(self.pages.module_watch.note, Path(server.root_dir), imports)
        environment = server.kernel_environment(os.environ)
        if fork_server.main is None:
            fork_server.imports = [*IMPORTS, *tracing.imports(), *imports]
            versions.loaded = {}
            await asyncio.to_thread(fork_server.start, environment, server.root_dir)
        if (current := self.pages.models.versions()) != versions.loaded:
            versions.loaded = current
            await asyncio.to_thread(fork_server.add_import, LOAD_MODELS, environment, server.root_dir)

    def imported_modules(self, paths: Iterable[str]) -> list[str]:
        """Return the modules that the notebooks import."""
        notebooks = filter(None, map(self.pages.check_notebook, paths))
        cells = [cell for notebook in notebooks for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return list(dict.fromkeys(name for cell in cells for name in imported_modules(cell["source"])))

    async def wait_for_work(self) -> None:
        """Wait until a notebook changes or a template process ends, which is discarded.

        It may have ended while others were starting.
        """
        if self.lacks_template():
            return
        loop, watched = asyncio.get_running_loop(), []
        for template in self.pages.fork_server.templates():
            if (process := template.dup_pidfd()) is None:
                self.has_work.set()
            else:
                watched.append(process)
                loop.add_reader(process, self.has_work.set)
        try:
            await self.has_work.wait()
        finally:
            for process in watched:
                loop.remove_reader(process)
                os.close(process)
        self.pages.fork_server.discard_ended()

    def lacks_template(self) -> bool:
        """Return True if a template process that is needed has been discarded.

        Those of pages in other languages are started again for their next visitors.
        """
        templates = self.pages.fork_server.page_templates
        needed = [page for page in self.pages.warm_pages.values() if not page.is_resting]
        return self.pages.fork_server.main is None or any(page.name not in templates for page in needed)
