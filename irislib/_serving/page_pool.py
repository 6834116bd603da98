"""Warm pages: rendered once, with kernels forked from a template process."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from traitlets.config import LoggingConfigurable

from irislib._common import borrowed
from irislib._common.language import ENGLISH, current_language, parse_languages
from irislib._common.messages import TEXTS
from irislib._common.page_states import LOADING, PER_VISIT, STARTING, UNREADABLE, WARM
from irislib._forkserver import early
from irislib._forkserver.notebook_source import runs_once
from irislib._forkserver.provisioner import ForkProvisioner
from irislib._forkserver.template_process import LostTemplateError, can_fork
from irislib._serving.kernel_manager import FullError
from irislib._serving.module_watch import ModuleWatch
from irislib._serving.notebooks import NotebookError, notebook_path
from irislib._serving.options import trait
from irislib._serving.page_kernels import PageKernels
from irislib._serving.page_models import PageModels
from irislib._serving.page_runner import PageRunner
from irislib._serving.page_versions import PageVersions
from irislib._serving.preprocessors import preprocess
from irislib._serving.prerender import BASE_URL, KERNEL_ID
from irislib._serving.resting_pages import RestingPages
from irislib._serving.template_supervisor import TemplateSupervisor
from irislib._serving.translated_pages import translate, translate_ahead
from irislib._serving.warm_page import WarmPage

__all__ = ["Pages"]

PAGE_CHANGED = "%s has changed, and so has its page."
WARM_UP_SECONDS = 60.0  # seconds that may be spent on what visitors of a page need later than the page itself
OPENING_SECONDS = 0.2  # seconds between two looks whether pages are still being prepared
MAX_WAIT_SECONDS = 90.0  # seconds after a page's models are there until it opens without being warm


class Pages(LoggingConfigurable):
    """The warm pages of a server, its parent."""

    warm = trait("warm")
    spares = trait("spares")
    always_warm = trait("always_warm")
    rest_after = trait("rest_after")

    parent: Any

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.fork_server = early.take()
        self.warm_pages: dict[str, WarmPage] = {}
        self.per_visitor: set[str] = set()  # the notebooks that are run for each visitor
        self.decided: defaultdict[str, asyncio.Event] = defaultdict(
            asyncio.Event
        )  # set once a page is warm, or never will be
        self.tasks: set[asyncio.Task[Any]] = set()
        self.languages: set[str] = set()  # in which pages are made ahead, besides English
        self.working_ahead = asyncio.Lock()
        self.problems: dict[str, str] = {}  # why a notebook cannot be opened, by its path
        self.changed: set[str] = set()  # the notebooks that have changed since they were run
        self.is_forking = False  # there is a template process, or will be one again
        self.module_watch = ModuleWatch(self.forget_modules)
        self.models = PageModels(self.parent)
        self.versions = PageVersions(self.models)
        self.resting = RestingPages(self)
        self.kernels = PageKernels(self)
        self.runner = PageRunner(self)
        self.supervisor = TemplateSupervisor(self)
        self.limited: set[str] = set()  # the notebooks whose models are there

    def start(self) -> None:
        """Start the template process, and keep one running."""
        for app in self.parent.apps:
            self.check_notebook(notebook_path(app))
        ForkProvisioner.fork_server = self.fork_server  # otherwise it would start one of its own
        if not self.warm or not can_fork() or borrowed.check("warm pages"):
            self.log.info("Each visitor's kernel is started in the ordinary way.")
            self.fork_server.end()
            self.stop_waiting()
            return
        self.is_forking = True
        self.languages |= {parse_languages(self.parent.languages)[0]} - {ENGLISH}
        self.start_task(self.supervisor.supervise())
        self.module_watch.timer.start()
        self.resting.timer.start()
        self.update_models()

    def update_models(self) -> None:
        """Prepare the pages whose models are there by now; wait for one that takes long until a limit."""
        for path in map(notebook_path, self.parent.apps):
            if path not in self.limited and not self.models.state(path):
                self.limited.add(path)
                asyncio.get_running_loop().call_later(MAX_WAIT_SECONDS, self.decided[path].set)
        self.supervisor.has_work.set()
        self.parent.report_ready()

    def stop_waiting(self) -> None:
        """Let no visitor wait for a warm page any longer."""
        for app in self.parent.apps:
            self.decided[notebook_path(app)].set()
        self.parent.report_ready()

    def start_task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.finish_task)

    def finish_task(self, task: asyncio.Task[Any]) -> None:
        """Log the failure of a background task, so that nobody waits for it."""
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.log.error("Pages are no longer prepared.", exc_info=error)
            self.is_forking = False
            self.stop_waiting()

    def expect_language(self, language: str) -> None:
        """Make pages in a language ahead from now on, since somebody who prefers it has come."""
        if self.is_forking and language not in {ENGLISH, *self.languages}:
            self.languages.add(language)
            self.start_task(translate_ahead(self, language, is_expected=True))

    def states(self) -> dict[str, str]:
        """Return the state of each page by the app's name."""
        return {app.name: self.state(notebook_path(app)) for app in list(self.parent.apps)}

    def state(self, path: str) -> str:
        """Return the state of one page.

        It is ``warm``, ``per visit``, ``starting`` or ``unreadable``; before that, or for good, that of its models:
        ``loading``, ``training`` or ``failed``.
        """
        if path in self.problems:
            return UNREADABLE
        if state := self.models.state(path):
            return state
        if path in self.warm_pages:
            return WARM
        return PER_VISIT if path in self.decided and self.decided[path].is_set() else STARTING

    def check_notebook(self, path: str) -> Any:
        """Read a notebook; log once why it cannot be read, and return None."""
        try:
            notebook = self.parent.contents_manager.get(path=path)["content"]
        except NotebookError as error:
            if self.problems.get(path) != str(error):
                self.problems[path] = str(error)
                self.log.warning(TEXTS["notebook_unopened"].format(name=path, reason=error))
            return None
        self.problems.pop(path, None)
        self.models.update(path, notebook)
        return notebook

    async def update(self, changed: set[str], removed: set[str]) -> None:
        """Prepare the pages of notebooks that are new or have changed, and forget those that were removed.

        Until a page is prepared, visitors get the one that it was before; open pages stay in any case.
        """
        pool = getattr(self.parent.kernel_manager, "notebook_data", {})  # of Voila's own pages, if it has some
        for path in changed | removed:
            pool.pop(path, None)
        for path in removed:
            self.problems.pop(path, None)
            self.changed.discard(path)
            await self.run_per_visitor(path)
            self.per_visitor.discard(path)
            self.versions.forget(path)
            self.decided.pop(path, asyncio.Event()).set()
        for path in sorted(changed):
            self.check_notebook(path)
            if self.parent.contents_manager.is_outdated(path):
                continue  # as it cannot be read
            self.changed.add(path)
            self.per_visitor.discard(path)
            if path in self.decided and path not in self.warm_pages:
                self.log.info(PAGE_CHANGED, path)
        if not self.is_forking:
            self.stop_waiting()
        self.limited -= changed - self.decided.keys()
        self.update_models()

    def forget_modules(self, files: list[str]) -> None:
        """Prepare all pages again, with a new template process, for modules of theirs have changed."""
        self.log.info("%s changed: the pages are prepared again.", ", ".join(sorted(files)))
        self.supervisor.is_outdated = True
        self.changed |= {notebook_path(app) for app in self.parent.apps}
        self.per_visitor.clear()
        self.supervisor.has_work.set()

    def end(self) -> None:
        """End the template processes."""
        self.module_watch.timer.stop()
        self.resting.timer.stop()
        for task in self.tasks:
            task.cancel()
        self.fork_server.end()

    async def prepare_all(self, paths: Sequence[str]) -> None:
        """Make the pages warm that are not up to date, and render those again whose links are not."""
        self.per_visitor -= {path for path in self.per_visitor if self.versions.is_outdated(path)}
        work = (self.prepare(path) for path in paths if path not in self.per_visitor and not self.models.state(path))
        for failed in filter(None, await asyncio.gather(*work, return_exceptions=True)):
            raise failed  # after all have finished, so that none is prepared twice
        for path, page in list(self.warm_pages.items()):
            for version in (page, *page.translations.values()):
                if version.bar != self.parent.app_list.bar:
                    await self.runner.render(path, version)

    async def prepare(self, path: str) -> None:
        """Make a page warm, or let its notebook run for each visitor, who then sees the error."""
        versions, is_outdated = self.versions.of_page(path), self.versions.is_outdated(path)
        try:
            page = self.warm_pages.get(path)
            templates = self.fork_server.page_templates
            has_template = page is not None and (page.is_resting or page.name in templates)
            if path in self.changed or is_outdated or not has_template:
                keeps = has_template and path not in self.changed
                self.changed.discard(path)
                refusal = await self.warm_up(path, keeps)
                self.versions.note(path, versions)
                if refusal:
                    self.log.warning("%s stays with the version of the model before: %s.", path, refusal)
                else:
                    self.versions.offer(path, versions)
        except (LostTemplateError, FullError):  # it is tried again
            if not is_outdated:
                self.changed.add(path)
            raise
        except Exception:
            self.versions.note(path, versions)
            await self.run_per_visitor(path)
            self.log.exception("%s is run for each visitor, for it could not be run ahead.", path)
        finally:
            self.decided[path].set()

    async def warm_up(self, path: str, keeps: bool = False) -> str:
        """Run a notebook in its own template process, and render its page.

        Parameters
        ----------
        path : str
        keeps : bool
            Keep the page that there is if the notebook cannot be run ahead, instead of running it for each visitor.

        Returns
        -------
        str
            Why the page is kept.
        """
        notebook = self.check_notebook(path)
        if notebook is None:
            await self.run_per_visitor(path)
            return ""
        notebook = preprocess(notebook, self.parent.config)
        is_ours = notebook.metadata.kernelspec.name in ("python3", "irislib")  # others have packages of their own
        if self.parent.voila_configuration.prelaunch_hook or not is_ours or not runs_once(notebook):
            await self.run_per_visitor(path)
            self.log.info("%s is run for each visitor.", path)
            return ""
        page, refusal = await self.runner.run(path, notebook, ENGLISH)
        if page is None and keeps:
            return refusal
        if page is None:
            await self.run_per_visitor(path)
            self.log.warning("%s is run for each visitor: %s.", path, refusal)
            return ""
        if old := self.warm_pages.get(path):
            await self.translate_as(path, notebook, old, page)
        await self.replace(path, page)
        return ""

    async def translate_as(self, path: str, notebook: Any, old: WarmPage, page: WarmPage) -> None:
        """Make a page in the languages that the one before has processes in, so that nobody waits for them."""
        for language, before in list(old.translations.items()):
            if before.is_resting:
                continue
            try:
                translated, _ = await self.runner.run(path, notebook, language)
            except Exception:  # its next visitor sees what is wrong
                self.log.exception("%s could not be made in the language %r.", path, language)
                continue
            if translated:
                translated.opened_at = before.opened_at
                page.translations[language] = translated
                await self.kernels.refill(translated)

    async def replace(self, path: str, page: WarmPage) -> None:
        """Serve a page from now on, instead of the one before it if there is one."""
        if path not in self.parent.app_list.paths():  # the notebook was removed meanwhile
            await self.retire(page)
            return
        old = self.warm_pages.get(path)
        if old:
            page.opened_at = old.opened_at
            await self.kernels.refill(page)  # before anybody opens it
        self.warm_pages[path] = page
        if old:
            self.log.info(PAGE_CHANGED, path)
        if not self.resting.is_needed(page):
            await self.resting.rest(page)
        await self.kernels.refill(page)
        await self.retire(old)
        for language in self.languages:
            self.start_task(translate_ahead(self, language))
        for version in (page, *page.translations.values()):
            self.start_task(self.work_ahead(version))

    async def work_ahead(self, page: WarmPage) -> None:
        """Do what visitors of a page need later than the page itself, and start spare kernels anew that have it.

        One page after another, once all can be opened whose models are not being trained, so that these, and whoever
        opens one meanwhile, have a core left.
        """
        async with self.working_ahead:
            while {LOADING, STARTING} & {*self.states().values()}:
                await asyncio.sleep(OPENING_SECONDS)
            if page.is_retired or page.is_resting:
                return
            if not await asyncio.to_thread(self.fork_server.warm_up, page.name, WARM_UP_SECONDS):
                return
        spares, page.spares = page.spares, deque()
        await self.kernels.refill(page)
        await self.kernels.end(spares)

    async def run_per_visitor(self, path: str) -> None:
        """Let a page's notebook run for each visitor from now on."""
        self.per_visitor.add(path)
        await self.retire(self.warm_pages.pop(path, None))

    async def retire(self, page: WarmPage | None) -> None:
        """End the template process and the spare kernels of a page; visitors who have it open keep their kernels."""
        if page:
            page.is_retired = True
            for translated in page.translations.values():
                await self.retire(translated)
            if template := self.fork_server.page_templates.get(page.name):
                self.fork_server.discard(template)
            await self.kernels.end(page.spares)

    async def open(self, path: str, base_url: str) -> str | None:
        """Return a page with its own kernel; None if the notebook has to be run for this visitor.

        Parameters
        ----------
        path : str
            Of the notebook.
        base_url : str
            The path at which the visitor's browser has this server.

        Raises
        ------
        FullError
            If there is no room for another visitor.
        """
        await self.decided[path].wait()
        page = self.warm_pages.get(path)
        if page and (language := current_language()) != ENGLISH:
            page = await translate(self, path, page, language)
        elif page and page.is_resting:
            page = await self.resting.wake(path, page)
        if page is None:
            return None
        page.opened_at = time.monotonic()
        kernel_id = await self.kernels.take(page)
        if kernel_id is None:
            return None
        self.start_task(self.kernels.refill(page, 0.5))
        return page.html.replace(KERNEL_ID, kernel_id).replace(BASE_URL, base_url)
