"""The notebooks' own modules: Python files of their folder that they import, which may change as they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from tornado.ioloop import PeriodicCallback

from irislib._forkserver.notebook_source import imported_modules
from irislib._serving.app_list import POLL_SECONDS
from irislib._serving.notebooks import file_signature

__all__ = ["ModuleWatch", "own_files"]


class ModuleWatch:
    """Notice changes of the modules that template processes have imported from the notebooks' folder.

    Parameters
    ----------
    on_change : callable
        Called with the names of the files; they are watched again once they are noted again.
    """

    def __init__(self, on_change: Callable[[list[str]], None]):
        self.folder, self.on_change = Path(), on_change
        self.signatures: dict[Path, tuple[int, ...] | None] = {}
        self.timer = PeriodicCallback(self.poll, 1000 * POLL_SECONDS)

    def note(self, folder: Path, names: Iterable[str]) -> None:
        """Note the files of modules that are about to be imported from a folder."""
        self.folder = folder
        for file in own_files(folder, names):
            self.signatures.setdefault(file, file_signature(file))

    def changed_files(self) -> list[str]:
        """Return the names of the files that have changed since they were noted."""
        noted = list(self.signatures.items())
        return [str(file.relative_to(self.folder)) for file, signature in noted if file_signature(file) != signature]

    async def poll(self) -> None:
        """Compare the files with those that were noted."""
        if self.folder.exists() and (changed := await asyncio.to_thread(self.changed_files)):
            self.signatures.clear()
            self.on_change(changed)


def own_files(folder: Path, names: Iterable[str]) -> set[Path]:
    """Return the files of a folder that are imported with modules, also by one another; of a package, all."""
    files: set[Path] = set()
    pending = {name.partition(".")[0] for name in names}
    seen: set[str] = set()
    while pending - seen:
        name = (pending - seen).pop()
        seen.add(name)
        module, package = folder / f"{name}.py", folder / name
        candidates = [module, *(package.rglob("*.py") if name and package.is_dir() else [])]
        own = {file for file in candidates if file.is_file()}  # a pipe would block whoever opens it
        for file in own - files:
            with suppress(OSError):
                source = file.read_text("utf-8", "replace")
                pending |= {imported.partition(".")[0] for imported in imported_modules(source)}
        files |= own
    return files
