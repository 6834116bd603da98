"""``irislib check`` for a folder of notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from irislib._common import paths
from irislib._common.messages import TEXTS
from irislib._common.messages.serving import CHECKUP
from irislib._forkserver.notebook_source import imported_modules
from irislib._modeling.checkup import check_imports
from irislib._serving.app_entries import address, list_apps
from irislib._serving.kernel_spec import AppKernelSpecManager
from irislib._serving.notebooks import NotebookError, choose_kernel, notebook_path, read_notebook
from irislib._serving.served_models import find_specs
from irislib.errors import IrislibError

__all__ = ["check_notebooks"]


def check_notebooks(folder: str, models: list[str] | None) -> Iterator[tuple[bool, str]]:
    """Check the notebooks that a server would serve, and yield for each thing whether it is in order, with a sentence.

    Parameters
    ----------
    folder : str
        A folder, or one notebook; empty for those of irislib, if no model is named.
    models : list of str or None
        As `irislib serve` has them.

    Raises
    ------
    IrislibError
        If there is no such folder.
    """
    notebooks = Path(folder or paths.notebooks_dir()).resolve()
    if not notebooks.exists():
        raise IrislibError(f"--notebooks {notebooks}: there is no such folder or notebook.")
    paths.add_to_jupyter_path()
    try:
        specs = find_specs(models, notebooks)
    except Exception:  # reported with the models
        specs = {}
    manager, modules = AppKernelSpecManager(), []
    for app in list_apps(specs, notebooks, every=bool(folder) or not models):
        if app.notebook is None:
            continue
        path = notebook_path(app)
        try:
            notebook = read_notebook(app.notebook)
            kernel = notebook.metadata.get("kernelspec", {}).get("name")
            choose_kernel(notebook, manager)
        except NotebookError as error:
            yield False, TEXTS["notebook_unopened"].format(name=path, reason=error)
            continue
        yield True, "".join(describe(app, kernel, notebook.metadata.kernelspec.name))
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        modules += [name for cell in cells for name in imported_modules(cell.source)]
    if others := [name for name in dict.fromkeys(modules) if name.partition(".")[0] != "irislib"]:
        yield from check_imports(others, str(notebooks if notebooks.is_dir() else notebooks.parent))


def describe(app: Any, kernel: Any, chosen: str) -> Iterator[str]:
    """Yield what there is to say about a notebook that can be served: its address, and what is not as it has it."""
    yield CHECKUP["address"].format(path=notebook_path(app), name=app.name)
    plain = address(app.notebook.stem)
    if app.name != plain:
        yield CHECKUP["taken"].format(name=plain)
    if kernel and kernel != chosen:
        yield CHECKUP["kernel"].format(kernel=kernel, chosen=chosen)
