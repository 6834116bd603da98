"""Copies of a store, to another one and back: files first, then the entries that name them, each read back."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from irislib._common.messages.store import TEXTS
from irislib._store import entries as log_of
from irislib._store import versions
from irislib._store.files import TEMPORARY, Files, Root, files_of
from irislib.errors import StoreError

__all__ = ["Copied", "copy_store", "model_names"]

ATTEMPTS = 10  # to read a model whose files are deleted meanwhile by who publishes


@dataclass(frozen=True)
class Copied:
    """The copy of a model: its entries and files at the target, how many of them are new, and the current version."""

    name: str
    entries: int
    files: int
    written: int
    current: str


def model_names(root: Root) -> list[str]:
    """Return the names of the models in a store that have a log."""
    files = files_of(root)
    names = sorted(name for name in files.names("") if not name.startswith(TEMPORARY))
    return [name for name in names if log_of.numbers(files, name)]


def copy_store(source: Root, target: Root, names: Collection[str] = (), force: bool = False) -> list[Copied]:
    """Copy models to another store, which is a sound store at any moment.

    Parameters
    ----------
    source, target : Path or str
        Folders or URLs.
    names : collection of str, optional
        Of the models; all if left out.
    force : bool
        Replace entries of the target that the source does not have.

    Raises
    ------
    StoreError
        If a model is not there, the target has other or newer entries, or a file is not as it was written.
    """
    available = model_names(source)
    if not available:
        raise StoreError(TEXTS["copy.empty"].format(root=source))
    if missing := sorted({*names} - {*available}):
        raise StoreError(TEXTS["copy.none"].format(root=source, names=", ".join(missing)))
    origin, copy = files_of(source), files_of(target)
    chosen = sorted(names) or available
    if not force:
        for name in chosen:  # all of them before anything is written
            _require_older(copy, name, _entries(origin, name), target)
    return [_copy_model(origin, copy, name) for name in chosen]


def _entries(files: Files, name: str) -> dict[int, bytes]:
    """Return the content of a model's entries by their numbers, ascending."""
    return {number: files.read(_entry_path(name, number)) for number in log_of.numbers(files, name)}


def _entry_path(name: str, number: int) -> str:
    return f"{log_of.folder(name)}/{number:08}.json"


def _require_older(copy: Files, name: str, entries: dict[int, bytes], target: Root) -> None:
    known = _entries(copy, name)
    if other := [number for number, content in known.items() if entries.get(number) != content]:
        raise StoreError(TEXTS["copy.newer"].format(root=target, name=name, count=len(other), number=max(other)))


def _copy_model(origin: Files, copy: Files, name: str) -> Copied:
    written = 0
    for _ in range(ATTEMPTS):
        entries = _entries(origin, name)  # before the files, each of which is there before its entry
        files = [_copy_file(origin, copy, path) for path in _files_of_model(origin, name)]
        written += sum(map(bool, files))
        current = next((record for record in map(json.loads, reversed(entries.values())) if record["serves"]), None)
        if current is None or current["file"] in copy.names(versions.folder(name)):
            break
    else:
        raise StoreError(TEXTS["copy.changing"].format(name=name))
    for number in sorted(log_of.numbers(copy, name), reverse=True):
        if number not in entries:
            copy.delete(_entry_path(name, number))
    for number, content in entries.items():
        written += _put(copy, _entry_path(name, number), content)
    count = sum(file is not None for file in files)
    return Copied(name, len(entries), count, written, current["version"] if current else "")


def _files_of_model(files: Files, name: str) -> list[str]:
    """Return the paths of a model's versions and of rows that were added to its data."""
    folders = (versions.folder(name), f"{name}/data")
    paths = [f"{folder}/{file}" for folder in folders for file in files.names(folder) if file[:1] != TEMPORARY]
    return sorted(paths)


def _copy_file(origin: Files, copy: Files, path: str) -> int | None:
    """Copy a file, and return 1 if it was not there; None if it was deleted meanwhile, as one of an old version."""
    try:
        content = origin.read(path)
    except FileNotFoundError:
        return None
    folder, _, file = path.rpartition("/")
    if folder.endswith("/versions") and not versions.is_named_by(file, content):
        raise StoreError(TEXTS["copy.spoilt"].format(path=path))
    return _put(copy, path, content)


def _put(files: Files, path: str, content: bytes) -> int:
    """Write a file unless it is there as it should be, and read it back; return 1 if it was written."""
    try:
        if files.read(path) == content:
            return 0
    except FileNotFoundError:
        pass
    files.replace(path, content)
    if files.read(path) != content:
        raise StoreError(TEXTS["copy.spoilt"].format(path=path))
    return 1
