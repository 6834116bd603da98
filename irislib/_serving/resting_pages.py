"""Pages at rest: those that nobody has opened for some time have no processes until somebody does.

What such a page takes is its HTML. To run its notebook again takes some hundredths of a second of CPU, since the main
template process has imported and loaded everything.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tornado.ioloop import PeriodicCallback

from irislib._common.language import ENGLISH, parse_languages
from irislib._forkserver.template_process import LostTemplateError
from irislib._serving.notebooks import notebook_path
from irislib._serving.preprocessors import preprocess

if TYPE_CHECKING:
    from irislib._serving.page_pool import Pages
    from irislib._serving.warm_page import WarmPage

__all__ = ["RestingPages"]

LOOK_SECONDS = 2.0  # seconds between two looks for pages that nobody opens


class RestingPages:
    """The pages of a server that have no processes for now.

    Parameters
    ----------
    pages : Pages
    """

    def __init__(self, pages: Pages):
        self.pages = pages
        self.timer = PeriodicCallback(self.rest_unused, 1000 * LOOK_SECONDS)

    def is_needed(self, page: WarmPage) -> bool:
        """Return True if a page keeps its processes: it was opened lately, or is one of those that always have them."""
        if time.monotonic() - page.opened_at < self.pages.rest_after:
            return True
        usual = parse_languages(self.pages.parent.languages)[0]
        versions = sorted(self.versions(), key=lambda version: (-version.opened_at, version.language != usual))
        return page in versions[: self.pages.always_warm]

    def versions(self) -> list[WarmPage]:
        """Return the pages in the order of the apps, each in all its languages."""
        paths = map(notebook_path, self.pages.parent.apps)
        warm = [self.pages.warm_pages[path] for path in paths if path in self.pages.warm_pages]
        return [version for page in warm for version in (page, *page.translations.values())]

    async def rest_unused(self) -> None:
        """End the processes of pages that do not need them."""
        for page in self.versions():
            if not page.is_resting and not self.is_needed(page):
                await self.rest(page)

    async def rest(self, page: WarmPage) -> None:
        """End the template process and the spare kernels of a page; those who have it open keep their kernels."""
        page.is_resting = True
        if template := self.pages.fork_server.page_templates.get(page.name):
            self.pages.fork_server.discard(template)
        await self.pages.kernels.end(page.spares)

    async def wake(self, path: str, page: WarmPage) -> WarmPage | None:
        """Give a page its processes back, for a visitor who waits for it; None if that is not possible.

        Raises
        ------
        FullError
            If there is no room for the visitor.
        """
        async with page.waking:
            if not page.is_resting or page.is_retired:
                return self.pages.warm_pages.get(path)
            self.pages.parent.kernel_manager.check_room()
            notebook = self.pages.check_notebook(path)
            if notebook is None:
                return None
            notebook = preprocess(notebook, self.pages.parent.config)
            try:
                run, refusal = await self.pages.runner.run(path, notebook, ENGLISH)
            except LostTemplateError as error:
                run, refusal = None, str(error)
            if run is None:
                self.pages.log.warning("%s is run for this visitor: %s.", path, refusal)
                return None
            page.name, page.html, page.run, page.bar = run.name, run.html, run.run, run.bar
            page.is_resting, page.opened_at = False, time.monotonic()
            if page.is_retired:  # the notebook has changed meanwhile
                await self.pages.retire(page)
            self.pages.start_task(self.pages.work_ahead(page))
            return page
