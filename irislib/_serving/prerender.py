"""The page of a notebook that has been run: rendered as Voila renders it, without executing anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode, from_dict
from voila.configuration import VoilaConfiguration
from voila.execute import VoilaExecutor, strip_code_cell_warnings
from voila.notebook_renderer import NotebookRenderer

from irislib._serving.preprocessors import config_after_run
from irislib._serving.static_files import publish

__all__ = ["BASE_URL", "KERNEL_ID", "NotebookRun", "PrerenderedPage", "is_light", "prerender"]

KERNEL_ID = "irislib-kernel-of-this-visit"  # placeholder of the kernel's id in a rendered page
BASE_URL = "/irislib-path-of-the-server/"  # placeholder of the path at which the browser has the server
VIEW = "application/vnd.jupyter.widget-view+json"
STATIC_TYPES = {VIEW, "text/plain", "text/html", "image/png", "image/jpeg", "image/svg+xml"}
REFERENCE_PREFIXES = ('"IPY_MODEL_', '"anywidget:')  # of a widget's references to another one
ASSET_TRAITS = ("_esm", "_css")  # served at URLs of their own


@dataclass(frozen=True)
class NotebookRun:
    """A notebook that has been run.

    Attributes
    ----------
    notebook : NotebookNode
        Its code cells hold their outputs.
    widgets : dict of str to dict
        The ``model_name``, ``model_module``, ``model_module_version`` and ``state`` of each model, by its id,
        and its ``buffers`` if it has any, as in the widget state of a notebook's metadata.
    """

    notebook: NotebookNode
    widgets: dict[str, dict[str, Any]]

    @staticmethod
    def outputs(contents: list[Any]) -> list[NotebookNode]:
        """Convert the outputs of a cell from JSON."""
        return [from_dict(output) for output in contents]


async def prerender(run: NotebookRun, **options: Any) -> str:
    """Render the page of a run, with :data:`KERNEL_ID` wherever its kernel's id belongs.

    Parameters
    ----------
    run : NotebookRun
    options : Any
        The options of Voila's renderer.
    """
    renderer = PrerenderedPage(run, **options)
    await renderer.initialize()
    return str(await renderer.generate_content_str())


class PrerenderedPage(NotebookRenderer):  # type: ignore[misc]
    """Voila's renderer, for cells that have been executed already."""

    def __init__(self, run: NotebookRun, **options: Any):
        configuration = options["voila_configuration"]
        if configuration.progressive_rendering:  # of cells that are still to be run
            configuration = VoilaConfiguration(parent=configuration.parent, progressive_rendering=False)
        config = config_after_run(options["traitlet_config"])
        super().__init__(**{**options, "traitlet_config": config, "voila_configuration": configuration})
        self.run = run

    async def load_notebook(self, path: str) -> NotebookNode:
        return self.run.notebook

    async def initialize(self, **kwargs: Any) -> None:
        await super().initialize(**kwargs)
        if self.template_name == "irislib" and is_light(self.run):
            self.resources["irislib_page"] = page_data(self.run, self.base_url)
            self.exporter.template_file = "light.html.j2"

    async def _jinja_kernel_start(self, nb: NotebookNode, kernel_id: Any, kernel_future: Any) -> str:
        return KERNEL_ID

    async def _jinja_cell_generator(self, nb: NotebookNode, kernel_id: Any) -> AsyncIterator[NotebookNode]:
        """Yield the cells, cut as Voila cuts them: no warnings, no traceback, nothing below a failure."""
        shows = self.voila_configuration.show_tracebacks
        executor = VoilaExecutor(nb, config=self.traitlet_config, show_tracebacks=shows)
        for cell in nb.cells:
            if executor.should_strip_error():
                strip_code_cell_warnings(cell)
                executor.strip_code_cell_errors(cell)
            yield cell
            if any(output.output_type == "error" for output in cell.get("outputs", ())):
                break


def is_light(run: NotebookRun) -> bool:
    """Return True if irislib's own script can display this page without JupyterLab's."""
    return all(_is_plain(cell, run.widgets) for cell in run.notebook.cells) and all(
        _is_independent(widget) for widget in run.widgets.values()
    )


def _is_plain(cell: NotebookNode, widgets: dict[str, Any]) -> bool:
    if cell.cell_type == "markdown":
        return "$" not in cell.source  # a formula
    return cell.cell_type == "code" and all(_is_renderable(output, widgets) for output in cell.outputs)


def _is_renderable(output: NotebookNode, widgets: dict[str, Any]) -> bool:
    if output.output_type in ("stream", "error"):
        return bool(output.output_type == "stream")
    data = output.data
    if VIEW in data and widgets.get(data[VIEW].get("model_id"), {}).get("model_module") != "anywidget":
        return False
    return set(data) <= STATIC_TYPES and "<script" not in str(data.get("text/html", "")).lower()


def _is_independent(widget: dict[str, Any]) -> bool:
    """Return True if a widget refers to no other one but its layout, and is valid JSON."""
    state = widget["state"]
    if widget["model_module"] != "anywidget":
        return bool(widget["model_name"] == "LayoutModel")
    try:
        serialized = json.dumps({name: value for name, value in state.items() if name != "layout"}, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return (
        "_esm" in state and not widget.get("buffers") and not any(prefix in serialized for prefix in REFERENCE_PREFIXES)
    )


def page_data(run: NotebookRun, base_url: str) -> dict[str, Any]:
    """Return the data of a light page's script: the kernel and the widgets with the URLs of their scripts."""
    widgets: dict[str, Any] = {}
    for name, widget in run.widgets.items():
        state = widget["state"]
        widgets[name] = {"state": {key: value for key, value in state.items() if key not in ASSET_TRAITS}}
        for key, kind in zip(ASSET_TRAITS, ("js", "css"), strict=True):
            if text := state.get(key):
                is_address = text.startswith(("http://", "https://"))
                widgets[name][key[1:]] = text if is_address else publish(base_url, text, kind)
    return {"kernel": KERNEL_ID, "base_url": base_url, "widgets": widgets}
