"""Pages that are there before their visitors: rendered once, with kernels forked from a warm template."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from jupyter_core.utils import ensure_async
from traitlets.config import LoggingConfigurable
from voila.execute import VoilaExecutor
from voila.utils import ENV_VARIABLE, get_page_config

from irislib._forkserver.client import ENDED, ForkServer, LostTemplateError, can_fork
from irislib._forkserver.notebook import imported, once
from irislib._forkserver.provisioner import PAGE, ForkProvisioner
from irislib._serving.kernel_manager import FullError
from irislib._serving.notebooks import path_of
from irislib._serving.options import trait
from irislib._serving.prerender import KERNEL, NotebookRun, prerender

__all__ = ["Pages"]

# What a page's kernel comes to import, for all kernels to share; a notebook's own imports are added.
IMPORTS = ("ipywidgets", "anywidget", "numpy", "pandas", "sklearn.ensemble", "sklearn.inspection", "matplotlib.figure",
           "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "irislib", "irislib.widgets",
           "irislib.insights", "irislib._modeling.many_rows", "irislib._modeling.csv_files", "irislib.widgets._report",
           "irislib._modeling.registry:load_all")  # fmt: skip
LONGEST_WAIT = 60.0  # seconds between two attempts to start a template


@dataclass(eq=False)
class WarmPage:
    """A page that was run ahead.

    Attributes
    ----------
    name : str
        What its template is known by; each run has a name of its own.
    html : str
        With :data:`irislib._serving.prerender.KERNEL` in place of a kernel's id.
    spares : deque of str
        Kernels that are ready for it.
    filling : Lock
        Held by who starts more of them.
    """

    name: str
    html: str
    kernel: str
    spares: deque[str] = field(default_factory=deque)
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pages(LoggingConfigurable):
    """All that a server, its parent, has ready for visitors."""

    warm = trait("warm")
    spares = trait("spares")

    parent: Any

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.fork_server = ForkServer(IMPORTS)
        self.kept: dict[str, WarmPage] = {}
        self.each: set[str] = set()  # the notebooks that are run for each visitor
        self.settled: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # whether a page can be ready
        self.tasks: set[asyncio.Task[Any]] = set()
        self.runs = 0

    def begin(self) -> None:
        """Start the template, and see that there always is one."""
        ForkProvisioner.fork_server = self.fork_server  # or else it would start one of its own
        if not self.warm or not can_fork():
            self.log.info("Each visitor's kernel is started in the ordinary way.")
            self.settle()
            return
        self.do(self.keep())

    def settle(self) -> None:
        """Have nobody wait any longer."""
        for app in self.parent.apps:
            self.settled[path_of(app)].set()

    def do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def end(self) -> None:
        """End the templates."""
        for task in self.tasks:
            task.cancel()
        self.fork_server.end()

    async def keep(self) -> None:
        """Start the templates, and start again what ends."""
        wait = 1.0
        while True:
            try:
                if self.fork_server.first is None:
                    self.fork_server.imports = [*IMPORTS, *await self.imported()]
                    environment = self.parent.kernel_environment(os.environ)
                    await asyncio.to_thread(self.fork_server.start, environment, self.parent.root_dir)
                paths = [path_of(app) for app in self.parent.apps]
                work = (self.prepare(path) for path in paths if path not in self.each)
                for failed in filter(None, await asyncio.gather(*work, return_exceptions=True)):
                    raise failed  # when all are at rest, so that none is got ready twice
                wait = 1.0
                await self.lost()
                self.log.warning("A template of kernels has ended; another is started.")
            except LostTemplateError as error:
                self.settle()
                self.fork_server.forget_ended()
                self.log.warning("Kernels are started in the ordinary way for now: %s.", error)
                await asyncio.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    async def imported(self) -> list[str]:
        """The modules that the notebooks import."""
        found = []
        for app in self.parent.apps:
            model = await ensure_async(self.parent.contents_manager.get(path=path_of(app)))
            found += [imported(cell["source"]) for cell in model["content"]["cells"] if cell["cell_type"] == "code"]
        return list(dict.fromkeys(name for names in found for name in names))

    async def lost(self) -> None:
        """Wait until a template ends, and forget it; one may have been lost while others were getting ready."""
        if self.fork_server.first is None or any(
            kept.name not in self.fork_server.pages for kept in self.kept.values()
        ):
            return
        loop, gone, watched = asyncio.get_running_loop(), asyncio.Event(), []
        for template in self.fork_server.templates():
            if (process := template.watched()) is None:
                gone.set()
            else:
                watched.append(process)
                loop.add_reader(process, gone.set)
        try:
            await gone.wait()
        finally:
            for process in watched:
                loop.remove_reader(process)
                os.close(process)
        self.fork_server.forget_ended()

    async def prepare(self, path: str) -> None:
        """Have a page ready; one that cannot be is run for each visitor, who sees why."""
        try:
            kept = self.kept.get(path)
            if not kept or kept.name not in self.fork_server.pages:
                await self.run_ahead(path)
        except LostTemplateError:
            raise
        except Exception:
            await self.run_for_each(path)
            self.log.exception("%s is run for each visitor, for it could not be run ahead.", path)
        finally:
            self.settled[path].set()

    async def run_ahead(self, path: str) -> None:
        """Run a notebook in a template of its own, and render its page."""
        model = await ensure_async(self.parent.contents_manager.get(path=path))
        notebook = model["content"]
        if self.parent.voila_configuration.prelaunch_hook or not once(notebook):
            await self.run_for_each(path)
            self.log.info("%s is run for each visitor.", path)
            return
        self.runs += 1
        name = f"{path}#{self.runs}"
        patience = VoilaExecutor(notebook, config=self.parent.config).timeout or None
        memory = self.parent.kernel_manager.kernel_memory
        told: dict[str, Any] = {"refused": ENDED}
        for _ in range(2):  # somebody else may have ended it
            if told.get("refused") == ENDED:
                told = await asyncio.to_thread(
                    self.fork_server.open, name, notebook, self.parent.root_dir, patience, memory
                )
        if refused := told.get("refused"):
            await self.run_for_each(path)
            self.log.warning("%s is run for each visitor: %s.", path, refused)
            return
        for cell, outputs in zip(notebook.cells, told["outputs"], strict=True):
            if cell.cell_type == "code":
                cell.outputs = NotebookRun.outputs(outputs)
        kernel = notebook.metadata.get("kernelspec", {}).get("name", "python3")
        html = await prerender(NotebookRun(notebook, told["widgets"]), notebook_path=path, **self.facts(path))
        old, self.kept[path] = self.kept.get(path), WarmPage(name, html, kernel)
        await self.shut(old)
        await self.refill(self.kept[path])

    async def run_for_each(self, path: str) -> None:
        """Have a page's notebook run for each visitor from now on."""
        self.each.add(path)
        await self.shut(self.kept.pop(path, None))

    async def shut(self, kept: WarmPage | None) -> None:
        """End the kernels that wait for a page's visitors."""
        manager = self.parent.kernel_manager
        while kept and kept.spares:
            spare = kept.spares.popleft()
            if spare in manager.spare:  # it has not died
                await manager.shutdown_kernel(spare)

    def facts(self, path: str) -> dict[str, Any]:
        """What Voila's renderer wants to know."""
        server = self.parent
        settings = server.app.settings
        page = {"base_url": server.base_url, "settings": settings, "log": self.log}
        config = get_page_config(**page, voila_configuration=server.voila_configuration)
        if hook := server.voila_configuration.page_config_hook:
            config = hook(config, **page, voila_configuration=server.voila_configuration, notebook_path=path)
        return {
            "voila_configuration": server.voila_configuration,
            "traitlet_config": server.config,
            "template_paths": server.template_paths,
            "config_manager": server.config_manager,
            "contents_manager": server.contents_manager,
            "base_url": server.base_url,
            "kernel_spec_manager": server.kernel_spec_manager,
            "page_config": config,
            "mathjax_config": settings.get("mathjax_config"),
            "mathjax_url": settings.get("mathjax_url"),
        }

    async def visit(self, path: str) -> str | None:
        """A page with a kernel of its own; None where its notebook has to be run for this visitor.

        Raises
        ------
        FullError
            Where there is no room for another visitor.
        """
        await self.settled[path].wait()
        kept = self.kept.get(path)
        if kept is None:
            return None
        manager = self.parent.kernel_manager
        kernel_id = None
        while kept.spares and kernel_id is None:
            spare = kept.spares.popleft()
            try:
                manager.take(spare)
                kernel_id = spare
            except LookupError:  # it has died
                pass
            except FullError:
                kept.spares.appendleft(spare)
                raise
        kernel_id = kernel_id or await self.kernel(kept)
        if kernel_id is None:
            return None
        self.do(self.refill(kept, 0.5))
        return kept.html.replace(KERNEL, kernel_id)

    async def kernel(self, kept: WarmPage, **kwargs: Any) -> str | None:
        """A kernel forked from a page's template, or None where that has ended."""
        manager, server = self.parent.kernel_manager, self.parent
        kernel_id = manager.new_kernel_id()
        env = {
            **os.environ,
            PAGE: kept.name,
            ENV_VARIABLE.VOILA_KERNEL_ID: kernel_id,
            ENV_VARIABLE.VOILA_BASE_URL: server.base_url,
            ENV_VARIABLE.VOILA_SERVER_URL: server.server_url,
            ENV_VARIABLE.VOILA_APP_PORT: str(server.port),
            ENV_VARIABLE.VOILA_PREHEAT: "False",
        }
        await manager.start_kernel(kernel_id=kernel_id, kernel_name=kept.kernel, path="", env=env, **kwargs)
        if getattr(manager.get_kernel(kernel_id).provisioner, "page", "") == kept.name:
            return str(kernel_id)
        await manager.shutdown_kernel(kernel_id)
        return None

    async def refill(self, kept: WarmPage, wait: float = 0.0) -> None:
        """Start kernels for the next visitors, a little later than the page that needs the machine now."""
        await asyncio.sleep(wait)
        manager = self.parent.kernel_manager
        async with kept.filling:
            kept.spares = deque(spare for spare in kept.spares if spare in manager.spare)
            while len(kept.spares) < self.spares and kept in self.kept.values():
                try:
                    manager.check_room("")
                    spare = await self.kernel(kept, spare=True)
                except Exception as error:  # the next visitor's is started when they come
                    self.log.info("No spare kernel: %s", error)
                    return
                if spare is None:
                    return
                kept.spares.append(spare)
