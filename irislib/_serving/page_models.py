"""The models that pages wait for when a server starts."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from irislib._common.page_states import FAILED, WAITING
from irislib._forkserver.notebook_source import uses_only_irislib
from irislib._serving.page_versions import Versions

__all__ = ["PageModels", "needed_models"]


class PageModels:
    """The models of a server's pages.

    Parameters
    ----------
    server : AppServer
    """

    def __init__(self, server: Any):
        self.server = server
        self.needed: dict[str, set[str]] = {}  # by the path of the notebook

    def update(self, path: str, notebook: Any) -> None:
        """Find out which models a notebook needs, which is new or has changed."""
        self.needed[path] = needed_models(notebook, self.own_model(path), self.server.model_loader.names)

    def own_model(self, path: str) -> str | None:
        """Return the name of the model that a notebook is the page of, or None."""
        app = self.server.app_list.app_of(path)
        return app.name if app and app.spec else None

    def versions(self) -> Versions:
        """Return the versions of the models that the server has."""
        models = self.server.model_loader.models
        return {name: (model.version, model.trained_at) for name, model in models.items()}

    def state(self, path: str) -> str:
        """Return the state of the models that a page waits for, or whose failure it shows; empty if they are there."""
        states = dict(self.server.model_loader.states)
        if states.get(self.own_model(path)) == FAILED:
            return FAILED
        current = {states.get(name) for name in self.needed.get(path, ())}
        return next((state for state in WAITING if state in current), "")


def needed_models(notebook: Any, own: str | None, names: Collection[str]) -> set[str]:
    """Return the names of the models that have to be there before a notebook is run.

    A notebook that imports nothing but irislib needs those that it names; another one may need any.

    Parameters
    ----------
    notebook : NotebookNode
    own : str or None
        The name of the model that the notebook is the page of.
    names : collection of str
        Names of all models.
    """
    sources = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    text = "\n".join(sources)
    named = {name for name in names if f'"{name}"' in text or f"'{name}'" in text}
    if not all(map(uses_only_irislib, sources)) or ("load" in text and not named):
        return set(names)
    return named | ({own} if own else set())
