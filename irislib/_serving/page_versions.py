"""The versions of the models that pages show: those that a page was made with, and those that open pages hear of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from irislib._serving.page_models import PageModels

__all__ = ["PageVersions", "Versions"]

Versions = Mapping[str, tuple[str, str]]  # the version of a model and when it was trained, by the model's name


class PageVersions:
    """The versions of the models that the pages of a server have.

    A visitor's kernel keeps its version for as long as the page is open. The page is told, over the connection that it
    has anyway, which versions the same address has since; one that is not connected, once it is again.

    Parameters
    ----------
    models : PageModels

    Attributes
    ----------
    loaded : mapping
        The versions that the main template process has, which pages are made with.
    """

    def __init__(self, models: PageModels):
        self.models = models
        self.loaded: Versions = {}
        self.made_with: dict[str, Versions] = {}  # by the path of the notebook
        self.offered: dict[str, Versions] = {}  # likewise, of the models that were replaced
        self.connections: WeakSet[Any] = WeakSet()

    def of_page(self, path: str) -> Versions:
        """Return the versions that a page is made with from now on."""
        return {name: version for name, version in self.loaded.items() if name in self.models.needed.get(path, ())}

    def is_outdated(self, path: str) -> bool:
        """Return True if a page was made with other versions."""
        made_with = self.made_with.get(path, {})
        return any(made_with.get(name, version) != version for name, version in self.of_page(path).items())

    def note(self, path: str, versions: Versions) -> None:
        """Note what a page was made with, or could not be made with."""
        self.made_with[path] = versions

    def offer(self, path: str, versions: Versions) -> None:
        """Tell those who have a page open which versions it has now."""
        replaced = self.models.server.model_loader.replaced
        offered = {name: version for name, version in versions.items() if name in replaced}
        if offered != self.offered.get(path, {}):
            self.offered[path] = offered
            for connection in list(self.connections):
                connection.send_versions()

    def forget(self, path: str) -> None:
        """Forget a page whose notebook was removed."""
        self.made_with.pop(path, None)
        self.offered.pop(path, None)
