"""The apps that a server has: which there are, and their addresses."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.language import LANGUAGES
from irislib._common.routes import reserved_names
from irislib._description.translation import translated
from irislib._description.values import normalized

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["AppEntry", "address", "list_apps", "notebook_files"]


@dataclass(frozen=True)
class AppEntry:
    """One page of the server: a model's, a notebook's, or both in one."""

    name: str
    title: str
    spec: ModelSpec | None = None
    notebook: Path | None = None

    @property
    def titles(self) -> dict[str, str]:
        """The title by language."""
        spec = self.spec
        return {language: translated(spec, language).title if spec else self.title for language in LANGUAGES}


def list_apps(models: dict[str, ModelSpec], notebooks: Path, every: bool = True) -> list[AppEntry]:
    """The pages to serve: one for each model, and one for each other notebook.

    Parameters
    ----------
    models : dict of str to ModelSpec
        By their names.
    notebooks : Path
        A folder of notebooks, or one notebook.
    every : bool
        When False, notebooks that belong to none of the models are left out.
    """
    files = {path.stem: path for path in notebook_files(notebooks)}
    apps = [AppEntry(name, spec.title, spec, files.get(name)) for name, spec in models.items()]
    others = [stem for stem in files if stem not in models] if every else []
    names: dict[str, str] = {}
    for stem in sorted(others, key=lambda stem: stem != address(stem)):  # a file called as its address keeps it
        names[stem] = address(stem, {*models, *reserved_names(), *names.values()})
    for stem in others:
        title = stem.replace("-", " ").replace("_", " ")
        apps.append(AppEntry(names[stem], title[:1].upper() + title[1:], None, files[stem]))
    return apps


def notebook_files(notebooks: Path) -> list[Path]:
    """Return the notebooks of a folder, without hidden files such as ``._a.ipynb``, or the one notebook."""
    if notebooks.is_file():
        return [notebooks]
    return sorted(path for path in notebooks.glob("*.ipynb") if not path.name.startswith("."))


def address(stem: str, taken: Collection[str] = ()) -> str:
    """Return the address of a notebook, with the letters of its name, and with a number if that is taken."""
    name = re.sub(r"[^\w.-]+", "-", normalized(stem)).strip("-") or "notebook"
    candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(candidate for candidate in candidates if candidate not in taken)
