"""An `irislib serve` whose pages are run in an ordinary kernel, rendered when that is done, and shown then."""

from __future__ import annotations

import sys
from typing import Any

from jupyter_core.utils import ensure_async
from nbconvert.preprocessors import ClearOutputPreprocessor
from voila.execute import VoilaExecutor
from voila.utils import get_page_config

from irislib.serving import apps
from irislib.serving.ahead import KERNEL, Run, rendered
from irislib.serving.handlers import AppHandler

STATES = "application/vnd.jupyter.widget-state+json"


class AheadHandler(AppHandler):
    async def get(self) -> None:
        self.xsrf_token  # noqa: B018 - sets the cookie
        self.set_header("Cache-Control", "no-store")
        kernel = await ensure_async(self.kernel_manager.start_kernel(kernel_name="python3"))
        html = await rendered(await self.run(kernel), **self.facts())
        self.finish(html.replace(KERNEL, kernel))

    async def run(self, kernel: str) -> Run:
        model = await ensure_async(self.contents_manager.get(path=self.notebook_path))
        notebook, _ = ClearOutputPreprocessor().preprocess(model["content"], {})
        manager = self.kernel_manager.get_kernel(kernel)
        executor = VoilaExecutor(notebook, km=manager, allow_errors=True, show_tracebacks=True)
        executor.kc = await executor.async_start_new_kernel_client()
        for i, cell in enumerate(notebook.cells):
            await executor.async_execute_cell(cell, i)
        executor.set_widgets_metadata()
        await ensure_async(executor.kc.stop_channels())
        return Run(notebook, notebook.metadata.get("widgets", {}).get(STATES, {}).get("state", {}))

    def facts(self) -> dict[str, Any]:
        common = {"base_url": self.base_url, "voila_configuration": self.voila_configuration}
        return {
            **common,
            "traitlet_config": self.traitlet_config,
            "notebook_path": self.notebook_path,
            "template_paths": self.template_paths,
            "config_manager": self.config_manager,
            "contents_manager": self.contents_manager,
            "kernel_spec_manager": self.kernel_spec_manager,
            "page_config": get_page_config(settings=self.settings, log=self.log, **common),
            "mathjax_config": self.settings.get("mathjax_config"),
            "mathjax_url": self.settings.get("mathjax_url"),
        }


if __name__ == "__main__":
    apps.AppHandler = AheadHandler
    apps.AppServer.launch_instance(sys.argv[2:])
