"""The apps of a server: those of its models, and those of a folder of notebooks that may change meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tornado.httputil import HTTPServerRequest
from tornado.ioloop import PeriodicCallback
from tornado.routing import Matcher

from irislib._common.theme import css_properties
from irislib._description.theme import Theme
from irislib._serving.app_entries import list_apps, notebook_files
from irislib._serving.notebooks import file_signature, generated_notebook, notebook_path

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._serving.app_entries import AppEntry

__all__ = ["AppList", "AppMatcher", "NotebookWatch"]

POLL_SECONDS = 1.0  # seconds between two looks at the folder, of a few microseconds for each notebook
MAX_LINKS = 5  # apps up to which the bar above each page links to all of them


class AppList:
    """The apps of a server. Its attributes are updated in place, so that whoever has them sees a change.

    Parameters
    ----------
    specs : dict of str to ModelSpec
    notebooks : Path
        A folder, or one notebook.
    every : bool
        False to leave out notebooks that belong to none of the models.

    Attributes
    ----------
    entries : list of AppEntry
    names : set of str
    links : list of dict
        The name and the title of each app, its titles by language, its colours as CSS declarations, and its icon.
    generated : dict of str to dict
        The notebooks of models that have none, by their paths.
    """

    def __init__(self, specs: dict[str, ModelSpec], notebooks: Path, every: bool):
        self.specs, self.notebooks, self.every = specs, notebooks, every
        self.entries: list[AppEntry] = []
        self.names: set[str] = set()
        self.links: list[dict[str, Any]] = []
        self.generated: dict[str, dict[str, Any]] = {}
        self.update()

    def update(self) -> None:
        """List the apps again, as they would be after a restart of the server."""
        self.entries[:] = list_apps(self.specs, self.notebooks, self.every)
        self.links[:] = [
            {"name": app.name, "title": app.title, "titles": app.titles, **_look(app)} for app in self.entries
        ]
        names = {app.name for app in self.entries}
        self.names |= names
        self.names &= names  # other threads read it
        generated = {notebook_path(app): generated_notebook(app) for app in self.entries if app.notebook is None}
        self.generated.clear()
        self.generated.update(generated)

    def app_of(self, path: str) -> AppEntry | None:
        """Return the app of a notebook, by its path."""
        return next((app for app in list(self.entries) if notebook_path(app) == path), None)

    def paths(self) -> set[str]:
        """Return the paths of all notebooks, relative to their folder."""
        return {notebook_path(app) for app in self.entries}

    def common_look(self) -> dict[str, str]:
        """Return the style and the icon of the pages around the apps: those that all apps have in common, if any."""
        themes = {app.spec.theme if app.spec else Theme() for app in self.entries}
        theme = themes.pop() if len(themes) == 1 else Theme()
        return {"colours": css_properties(changes=theme.palette), "icon": _icon(theme)}

    @property
    def bar(self) -> tuple[str, ...]:
        """Facts of the apps in the bar above each page, by which an outdated page is known."""
        return tuple(map(str, self.links)) if len(self.links) <= MAX_LINKS else ()


def _look(app: AppEntry) -> dict[str, str]:
    """Return the style of a model's pages, and their icon."""
    theme = app.spec.theme if app.spec else Theme()
    return {"style": "".join(f"{name}: {value}; " for name, value in theme.style.items()), "icon": _icon(theme)}


def _icon(theme: Theme) -> str:
    return str(theme.favicon or "data:;base64,=")


class AppMatcher(Matcher):
    """Match the address of any app that there is at present, and pass its notebook's path to the handler.

    Parameters
    ----------
    apps : AppList
    prefix : str
        The path of the server, with a slash at its end.
    options : dict
        Further arguments of the handler.
    """

    def __init__(self, apps: AppList, prefix: str, options: dict[str, Any]):
        self.apps, self.prefix, self.options = apps, prefix, options

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the handler's arguments, or None, as tornado's matchers do."""
        if not request.path.startswith(self.prefix):
            return None
        path = request.path.removeprefix(self.prefix)
        for app in self.apps.entries:
            if app.name in (path, unquote(path)):
                return {"target_kwargs": {**self.options, "notebook_path": notebook_path(app)}}
        return None


class NotebookWatch:
    """Notice notebooks that are added, edited or removed.

    Nothing is read but the folder and the times of its files. A file that is missing is gone only when it is
    missing twice, for some editors remove a file before they write the new one.

    Parameters
    ----------
    notebooks : Path
        A folder, or one notebook.
    on_change : callable
        Called with the names of the files.
    """

    def __init__(self, notebooks: Path, on_change: Callable[[set[str]], Awaitable[None]]):
        self.notebooks, self.on_change = notebooks, on_change
        self.folder = notebooks.parent if notebooks.is_file() else notebooks
        self.known = self.signatures() or {}
        self.missing: set[str] = set()
        self.timer = PeriodicCallback(self.poll, 1000 * POLL_SECONDS)

    def signatures(self) -> dict[str, Any] | None:
        """Return the signature of each notebook by its name; None if their folder is gone, as of a network drive."""
        if not self.folder.exists():
            return None
        return {path.name: file_signature(path) for path in notebook_files(self.notebooks)}

    async def poll(self) -> None:
        """Compare the files with those of the last call."""
        current = await asyncio.to_thread(self.signatures)
        if current is None:
            return
        missing = self.known.keys() - current.keys()
        if missing - self.missing:
            self.missing = missing
            return
        self.missing = set()
        names = {*self.known, *current}
        changed = {name for name in names if self.known.get(name, "none") != current.get(name, "none")}
        self.known = current
        if changed:
            await self.on_change(changed)
