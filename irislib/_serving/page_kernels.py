"""The kernels of warm pages: those that visitors have, and spare ones for the next visitors."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from irislib._serving.kernel_manager import CURRENT_PAGE, FullError
from irislib._serving.warm_page import page_environment

if TYPE_CHECKING:
    from irislib._serving.page_pool import Pages
    from irislib._serving.warm_page import WarmPage

__all__ = ["PageKernels"]


class PageKernels:
    """The kernels of a server's warm pages.

    Parameters
    ----------
    pages : Pages
    """

    def __init__(self, pages: Pages):
        self.pages = pages

    async def take(self, page: WarmPage) -> str | None:
        """Return a kernel for a visitor of a page, a spare one if there is one; None if no kernel can be forked.

        Raises
        ------
        FullError
            If there is no room for the visitor.
        """
        manager = self.pages.parent.kernel_manager
        while page.spares:
            spare = page.spares.popleft()
            if spare not in manager.spare or not await manager.get_kernel(spare).is_alive():
                continue  # it has died, perhaps just now
            try:
                manager.take(spare)
                return spare
            except LookupError:  # it has died
                pass
            except FullError:
                page.spares.appendleft(spare)
                raise
        return await self.start(page)

    async def start(self, page: WarmPage, **kwargs: Any) -> str | None:
        """Return a kernel forked from a page's template process; None if that has ended."""
        manager = self.pages.parent.kernel_manager
        kernel_id = manager.new_kernel_id()
        CURRENT_PAGE.set(page.name.rpartition("#")[0])
        env = page_environment(self.pages.parent, page, kernel_id)
        await manager.start_kernel(kernel_id=kernel_id, kernel_name=page.kernel, path="", env=env, **kwargs)
        if getattr(manager.get_kernel(kernel_id).provisioner, "page", "") == page.name:
            return str(kernel_id)
        await manager.shutdown_kernel(kernel_id)
        return None

    async def refill(self, page: WarmPage, wait: float = 0.0) -> None:
        """Start kernels for the next visitors, after a pause in which the current page has the machine."""
        await asyncio.sleep(wait)
        manager = self.pages.parent.kernel_manager
        async with page.filling:
            page.spares = deque(spare for spare in page.spares if spare in manager.spare)
            while len(page.spares) < self.pages.spares and not (page.is_retired or page.is_resting):
                try:
                    manager.check_room("")
                    spare = await self.start(page, spare=True)
                except Exception as error:  # the next visitor's is started when they come
                    self.pages.log.info("No spare kernel: %s", error)
                    return
                if spare is None:
                    return
                page.spares.append(spare)
            if page.is_retired or page.is_resting:  # meanwhile: nobody would take them, nor end them
                await self.end(page.spares)

    async def end(self, spares: deque[str]) -> None:
        """End spare kernels that nobody has taken."""
        manager = self.pages.parent.kernel_manager
        while spares:
            spare = spares.popleft()
            if spare in manager.spare:  # it has not died
                await manager.shutdown_kernel(spare)
