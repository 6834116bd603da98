"""The models that are served beside a folder of notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.settings import environment_value
from irislib._modeling import registry
from irislib._serving.app_entries import notebook_files
from irislib._serving.notebooks import NotebookError, read_notebook

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["find_specs", "served_references"]


def find_specs(models: Iterable[str] | None, notebooks: Path) -> dict[str, ModelSpec]:
    """Import the specs of the models to serve, by their names.

    None are served beside notebooks of somebody's own that do not use irislib, unless models are named: the example
    has nothing to do with them.

    Parameters
    ----------
    models : sequence of str, optional
        Their references.
    notebooks : Path
        A folder, or one notebook.

    Raises
    ------
    UnknownModelError, SpecError
        If one leads nowhere, or two models share a name.
    """
    return registry.load_specs(models) if _has_models(models, notebooks) else {}


def _has_models(models: Iterable[str] | None, notebooks: Path) -> bool:
    """Return True if models are served beside notebooks; see :func:`find_specs`."""
    if models or environment_value("model"):
        return True
    files = notebook_files(notebooks)
    return not files or any(map(_uses_irislib, files))


def _uses_irislib(file: Path) -> bool:
    try:
        if file.is_file() and b"irislib" not in file.read_bytes():
            return False  # most of them, and to parse a notebook takes long
        cells = read_notebook(file).cells
    except (NotebookError, OSError):  # which may
        return True
    return any("irislib" in cell.source for cell in cells if cell.cell_type == "code")


def served_references(folder: str, models: list[str] | None) -> list[str] | None:
    """Return the references of the models that are served beside notebooks; None for those that are without them."""
    notebooks = Path(folder)
    is_default = not folder or not notebooks.exists() or _has_models(models, notebooks)
    return (models or None) if is_default else []
