"""The notebooks of the apps: those of a folder, and those that are generated for models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_server.services.contents.largefilemanager import LargeFileManager

if TYPE_CHECKING:
    from irislib._modeling.registry import AppEntry

__all__ = ["AppContents", "generated_notebook", "notebook_path"]


class AppContents(LargeFileManager):  # type: ignore[misc]
    """The notebooks of a folder, and those generated for models that have none."""

    def mark_trusted_cells(self, nb: Any, path: str = "") -> None:
        """Do nothing: stored outputs are never displayed, and signatures would be written to the home folder."""

    def get(self, path: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the content model of a notebook by its path."""
        generated = self.parent.generated.get(path.strip("/"))
        if generated is None:
            return super().get(path, *args, **kwargs)  # type: ignore[no-any-return]
        return {"type": "notebook", "path": path, "content": nbformat.from_dict(generated)}


def notebook_path(app: AppEntry) -> str:
    """Return the path of an app's notebook, relative to the folder of notebooks."""
    return app.notebook.name if app.notebook else f"{app.name}.ipynb"


def generated_notebook(app: AppEntry) -> dict[str, Any]:
    """Generate the notebook of a model that has none of its own."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(f'import irislib\n\nirislib.app(irislib.load("{app.name}"))')],
        metadata={
            "title": app.title,
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        },
    )
    return dict(notebook)
