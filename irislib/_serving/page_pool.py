"""Warm pages: rendered once, with kernels forked from a template process."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from traitlets.config import LoggingConfigurable
from voila.execute import VoilaExecutor

from irislib._common import borrowed, tracing
from irislib._common.language import ENGLISH, current_language, parse_languages, using_language
from irislib._common.messages import TEXTS
from irislib._common.page_states import LOADING, PER_VISIT, STARTING, UNREADABLE, WARM
from irislib._forkserver import early
from irislib._forkserver.client import PROCESS_ENDED, CannotForkError, LostTemplateError, can_fork
from irislib._forkserver.early import IMPORTS
from irislib._forkserver.notebook_source import imported_modules, runs_once
from irislib._forkserver.provisioner import ForkProvisioner
from irislib._serving.kernel_manager import CURRENT_PAGE, FullError
from irislib._serving.module_watch import ModuleWatch
from irislib._serving.notebooks import NotebookError, notebook_path
from irislib._serving.options import trait
from irislib._serving.page_metrics import TEMPLATE_RESTARTS
from irislib._serving.page_models import PageModels
from irislib._serving.page_versions import PageVersions
from irislib._serving.preprocessors import preprocess
from irislib._serving.prerender import BASE_URL, KERNEL_ID, NotebookRun, prerender
from irislib._serving.resting_pages import RestingPages
from irislib._serving.translated_pages import translate, translate_ahead
from irislib._serving.warm_page import WarmPage, page_environment, renderer_options

__all__ = ["Pages"]

LOAD_MODELS = "irislib._modeling.registry:load_served"  # called once there are models, for all kernels to share
PAGE_CHANGED = "%s has changed, and so has its page."
MAX_RETRY_SECONDS = 60.0  # seconds between two attempts to start a template
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
        self.runs = 0
        self.problems: dict[str, str] = {}  # why a notebook cannot be opened, by its path
        self.changed: set[str] = set()  # the notebooks that have changed since they were run
        self.has_work = asyncio.Event()
        self.is_forking = False  # there is a template process, or will be one again
        self.module_watch = ModuleWatch(self.forget_modules)
        self.is_main_outdated = False  # the main template process has imported files that have changed
        self.models = PageModels(self.parent)
        self.versions = PageVersions(self.models)
        self.resting = RestingPages(self)
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
        self.start_task(self.supervise())
        self.module_watch.timer.start()
        self.resting.timer.start()
        self.update_models()

    def update_models(self) -> None:
        """Prepare the pages whose models are there by now; wait for one that takes long until a limit."""
        for path in map(notebook_path, self.parent.apps):
            if path not in self.limited and not self.models.state(path):
                self.limited.add(path)
                asyncio.get_running_loop().call_later(MAX_WAIT_SECONDS, self.decided[path].set)
        self.has_work.set()
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
        self.is_main_outdated = True
        self.changed |= {notebook_path(app) for app in self.parent.apps}
        self.per_visitor.clear()
        self.has_work.set()

    def end(self) -> None:
        """End the template processes."""
        self.module_watch.timer.stop()
        self.resting.timer.stop()
        for task in self.tasks:
            task.cancel()
        self.fork_server.end()

    async def supervise(self) -> None:
        """Start the template processes, and restart those that end."""
        wait = 1.0
        while True:
            try:
                await self.prepare_all()
                self.parent.report_ready()
                wait = 1.0
                await self.wait_for_work()
                if self.lacks_template():
                    TEMPLATE_RESTARTS.inc()
                    self.log.warning("A template of kernels has ended; another is started.")
            except CannotForkError as error:
                self.is_forking = False
                self.stop_waiting()
                self.log.warning("Kernels are started in the ordinary way. %s", error)
                return
            except Exception as error:  # whatever it is, visitors do not wait for it
                self.stop_waiting()
                self.fork_server.discard_ended()
                unexpected = None if isinstance(error, LostTemplateError) else error
                self.log.warning("Kernels are started in the ordinary way for now: %s.", error, exc_info=unexpected)
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_RETRY_SECONDS)

    async def prepare_all(self) -> None:
        """Start the main template process if there is none, and make the pages warm that are not up to date."""
        self.has_work.clear()
        paths = [notebook_path(app) for app in self.parent.apps]
        imports = self.imported_modules(paths)
        if self.is_main_outdated and self.fork_server.main:
            self.fork_server.discard(self.fork_server.main)  # kernels start in the ordinary way until there is another
        self.is_main_outdated = False
        await asyncio.to_thread(self.module_watch.note, Path(self.parent.root_dir), imports)
        environment = self.parent.kernel_environment(os.environ)
        if self.fork_server.main is None:
            self.fork_server.imports = [*IMPORTS, *tracing.imports(), *imports]
            self.versions.loaded = {}
            await asyncio.to_thread(self.fork_server.start, environment, self.parent.root_dir)
        if (versions := self.models.versions()) != self.versions.loaded:
            self.versions.loaded = versions
            await asyncio.to_thread(self.fork_server.add_import, LOAD_MODELS, environment, self.parent.root_dir)
        self.per_visitor -= {path for path in self.per_visitor if self.versions.is_outdated(path)}
        work = (self.prepare(path) for path in paths if path not in self.per_visitor and not self.models.state(path))
        for failed in filter(None, await asyncio.gather(*work, return_exceptions=True)):
            raise failed  # after all have finished, so that none is prepared twice
        for path, page in list(self.warm_pages.items()):
            for version in (page, *page.translations.values()):
                if version.bar != self.parent.app_list.bar:
                    await self.render(path, version)

    def imported_modules(self, paths: Iterable[str]) -> list[str]:
        """Return the modules that the notebooks import."""
        notebooks = filter(None, map(self.check_notebook, paths))
        cells = [cell for notebook in notebooks for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return list(dict.fromkeys(name for cell in cells for name in imported_modules(cell["source"])))

    async def wait_for_work(self) -> None:
        """Wait until a notebook changes or a template process ends, which is discarded.

        It may have ended while others were starting.
        """
        if self.lacks_template():
            return
        loop, watched = asyncio.get_running_loop(), []
        for template in self.fork_server.templates():
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
        self.fork_server.discard_ended()

    def lacks_template(self) -> bool:
        """Return True if a template process that is needed has been discarded."""
        templates = self.fork_server.page_templates
        needed = [page for page in self.warm_pages.values() if not page.is_resting]
        return self.fork_server.main is None or any(page.name not in templates for page in needed)

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
        except LostTemplateError:
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
        page, refusal = await self.run(path, notebook, ENGLISH)
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
        """Make a page in the languages that the one before is there in, so that nobody waits for them."""
        for language in list(old.translations):
            try:
                translated, _ = await self.run(path, notebook, language)
            except Exception:  # its next visitor sees what is wrong
                self.log.exception("%s could not be made in the language %r.", path, language)
                continue
            if translated:
                page.translations[language] = translated
                await self.refill(translated)

    async def run(self, path: str, notebook: Any, language: str) -> tuple[WarmPage | None, str]:
        """Run a preprocessed notebook in a template process, and render its page; return None and why it refuses."""
        self.runs += 1
        name = f"{path}#{self.runs}"
        timeout = VoilaExecutor(notebook, config=self.parent.config).timeout or None
        memory = self.parent.kernel_manager.kernel_memory
        reply: dict[str, Any] = {"refusal": PROCESS_ENDED}
        for _ in range(2):  # the process may have been ended by somebody else
            if reply.get("refusal") == PROCESS_ENDED:
                reply = await asyncio.to_thread(
                    self.fork_server.run_notebook, name, notebook, self.parent.root_dir, timeout, memory, language
                )
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
            await self.retire(page)
            raise
        return page, ""

    async def replace(self, path: str, page: WarmPage) -> None:
        """Serve a page from now on, instead of the one before it if there is one."""
        if path not in self.parent.app_list.paths():  # the notebook was removed meanwhile
            await self.retire(page)
            return
        old = self.warm_pages.get(path)
        if old:
            page.opened_at = old.opened_at
            await self.refill(page)  # before anybody opens it
        self.warm_pages[path] = page
        if old:
            self.log.info(PAGE_CHANGED, path)
        if not self.resting.is_needed(page):
            await self.resting.rest(page)
        await self.refill(page)
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
        await self.refill(page)
        await self.end_spares(spares)

    async def render(self, path: str, page: WarmPage) -> None:
        """Render a page that has been run."""
        page.bar = self.parent.app_list.bar
        with using_language(page.language):
            page.html = await prerender(page.run, notebook_path=path, **renderer_options(self.parent, path))

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
            await self.end_spares(page.spares)

    async def end_spares(self, spares: deque[str]) -> None:
        """End spare kernels that nobody has taken."""
        manager = self.parent.kernel_manager
        while spares:
            spare = spares.popleft()
            if spare in manager.spare:  # it has not died
                await manager.shutdown_kernel(spare)

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
        manager = self.parent.kernel_manager
        kernel_id = None
        while page.spares and kernel_id is None:
            spare = page.spares.popleft()
            try:
                manager.take(spare)
                kernel_id = spare
            except LookupError:  # it has died
                pass
            except FullError:
                page.spares.appendleft(spare)
                raise
        kernel_id = kernel_id or await self.start_kernel(page)
        if kernel_id is None:
            return None
        self.start_task(self.refill(page, 0.5))
        return page.html.replace(KERNEL_ID, kernel_id).replace(BASE_URL, base_url)

    async def start_kernel(self, page: WarmPage, **kwargs: Any) -> str | None:
        """Return a kernel forked from a page's template process; None if that has ended."""
        manager = self.parent.kernel_manager
        kernel_id = manager.new_kernel_id()
        CURRENT_PAGE.set(page.name.rpartition("#")[0])
        env = page_environment(self.parent, page, kernel_id)
        await manager.start_kernel(kernel_id=kernel_id, kernel_name=page.kernel, path="", env=env, **kwargs)
        if getattr(manager.get_kernel(kernel_id).provisioner, "page", "") == page.name:
            return str(kernel_id)
        await manager.shutdown_kernel(kernel_id)
        return None

    async def refill(self, page: WarmPage, wait: float = 0.0) -> None:
        """Start kernels for the next visitors, after a pause in which the current page has the machine."""
        await asyncio.sleep(wait)
        manager = self.parent.kernel_manager
        async with page.filling:
            page.spares = deque(spare for spare in page.spares if spare in manager.spare)
            while len(page.spares) < self.spares and not (page.is_retired or page.is_resting):
                try:
                    manager.check_room("")
                    spare = await self.start_kernel(page, spare=True)
                except Exception as error:  # the next visitor's is started when they come
                    self.log.info("No spare kernel: %s", error)
                    return
                if spare is None:
                    return
                page.spares.append(spare)
            if page.is_retired or page.is_resting:  # meanwhile: nobody would take them, nor end them
                await self.end_spares(page.spares)
