"""Warm pages in other languages than English: each is made once, ahead or for its first visitor."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from irislib._forkserver.template_process import LostTemplateError
from irislib._serving.notebooks import notebook_path
from irislib._serving.preprocessors import preprocess

if TYPE_CHECKING:
    from irislib._serving.page_pool import Pages
    from irislib._serving.warm_page import WarmPage

__all__ = ["translate", "translate_ahead"]

MAX_AHEAD = 5  # pages of a server that are made ahead; each has a process, and kernels for its next visitors


async def translate(pages: Pages, path: str, page: WarmPage, language: str) -> WarmPage | None:
    """Return a page in another language, which its first visitor waits for; None if that cannot be made.

    Its template process shares the models and the libraries with all others.
    """
    async with page.translating:
        old = page.translations.get(language)
        if old and old.name in pages.fork_server.page_templates:
            return old
        if old and not (old.is_resting or old.is_retired):
            pages.supervisor.report_restart()
        await pages.retire(old)  # nobody would take its spare kernels, nor end them
        notebook = pages.check_notebook(path)
        if notebook is None or page.is_retired:
            return None
        try:
            translated, refusal = await pages.runner.run(path, preprocess(notebook, pages.parent.config), language)
        except LostTemplateError as error:
            translated, refusal = None, str(error)
        if translated is None:
            pages.log.warning("%s is run for this visitor: %s.", path, refusal)
            return None
        page.translations[language] = translated
        pages.log.info("%s is ready in another language, %s.", path, language)
        if page.is_retired:  # the notebook has changed meanwhile
            await pages.retire(translated)
        pages.supervisor.has_work.set()  # it watches the new process, too
        pages.start_task(pages.work_ahead(translated))
        return translated


async def translate_ahead(pages: Pages, language: str, is_expected: bool = False) -> None:
    """Make the first pages of a server in another language, one after the other, before anyone opens them.

    Those that rest are left out, unless somebody ``is_expected``, having come to the list of apps.
    """
    for path in list(map(notebook_path, pages.parent.apps))[:MAX_AHEAD]:
        page = pages.warm_pages.get(path)
        if page and (is_expected or not page.is_resting) and language not in page.translations:
            try:
                if translated := await translate(pages, path, page, language):
                    if is_expected:
                        translated.opened_at = time.monotonic()
                    await pages.kernels.refill(translated)
            except Exception:  # its first visitor sees what is wrong
                pages.log.exception("%s could not be made ahead in the language %r.", path, language)
