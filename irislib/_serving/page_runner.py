"""Notebooks that are run in template processes, and the pages rendered from them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from voila.execute import VoilaExecutor

from irislib._common.language import using_language
from irislib._forkserver.client import PROCESS_ENDED
from irislib._serving import system_limits
from irislib._serving.kernel_manager import FullError
from irislib._serving.prerender import NotebookRun, prerender
from irislib._serving.warm_page import WarmPage, renderer_options

if TYPE_CHECKING:
    from irislib._serving.page_pool import Pages

__all__ = ["PageRunner"]


class PageRunner:
    """The runs that a server's warm pages are made from.

    Parameters
    ----------
    pages : Pages
    """

    def __init__(self, pages: Pages):
        self.pages = pages
        self.runs = 0

    async def run(self, path: str, notebook: Any, language: str) -> tuple[WarmPage | None, str]:
        """Run a preprocessed notebook in a template process, and render its page; return None and why it refuses.

        Raises
        ------
        FullError
            If the operating system has no room for another process.
        LostTemplateError
        """
        self.runs += 1
        name = f"{path}#{self.runs}"
        server = self.pages.parent
        timeout = VoilaExecutor(notebook, config=server.config).timeout or None
        memory = server.kernel_manager.kernel_memory
        reply: dict[str, Any] = {"refusal": PROCESS_ENDED}
        for _ in range(2):  # the process may have been ended by somebody else
            if reply.get("refusal") == PROCESS_ENDED:
                try:
                    reply = await asyncio.to_thread(
                        self.pages.fork_server.run_notebook, name, notebook, server.root_dir, timeout, memory, language
                    )
                except OSError as error:
                    if system_limits.is_exhausted(error):
                        raise FullError from error
                    raise
        if refusal := reply.get("refusal"):
            return None, str(refusal)
        for cell, outputs in zip(notebook.cells, reply["outputs"], strict=True):
            if cell.cell_type == "code":
                cell.outputs = NotebookRun.outputs(outputs)
        kernel = notebook.metadata.get("kernelspec", {}).get("name", "python3")
        page = WarmPage(name, "", kernel, language, NotebookRun(notebook, reply["widgets"]))
        try:
            await self.render(path, page)
        except Exception:
            await self.pages.retire(page)
            raise
        return page, ""

    async def render(self, path: str, page: WarmPage) -> None:
        """Render a page that has been run."""
        page.bar = self.pages.parent.app_list.bar
        with using_language(page.language):
            page.html = await prerender(page.run, notebook_path=path, **renderer_options(self.pages.parent, path))
