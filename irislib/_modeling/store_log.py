"""The log of the models in a store: which versions there are, which one is current, and going back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from irislib._common.formatting import shorten_list
from irislib._common.messages.store import TEXTS
from irislib._modeling import former_store
from irislib._store import entries as log_of
from irislib._store import versions
from irislib._store.entries import Entry
from irislib._store.files import Root, files_of
from irislib.errors import StoreError, UnknownModelError

__all__ = [
    "candidate_details",
    "candidate_entry",
    "current",
    "current_entry",
    "entries",
    "entries_after",
    "find_entry",
    "former",
    "location",
    "names",
    "rollback",
    "try_candidate",
    "withdraw",
]


def names(root: Root) -> list[str]:
    """Return the names of the models in a store."""
    files = files_of(root)
    return sorted(name for name in files.names("") if not name.startswith(".") and current(name, root) is not None)


def entries(name: str, root: Root) -> list[Entry]:
    """Return the log of a model, the newest entry first."""
    return list(log_of.entries(files_of(root), name)) or former_store.entries(root, name)


def entries_after(name: str, root: Root, number: int) -> list[Entry]:
    """Return the entries of a model after a number, the oldest first; cheap, to be called again and again."""
    return log_of.entries_after(files_of(root), name, number)


def current_entry(name: str, root: Root) -> Entry | None:
    """Return the entry that made the current version current, or None if there is none."""
    known = itertools.chain(log_of.entries(files_of(root), name), former(root, name))
    return next((entry for entry in known if entry.serves), None)


def current(name: str, root: Root) -> str | None:
    """Return the version of a model that readers get, or None if there is none."""
    entry = current_entry(name, root)
    return None if entry is None else entry.version


def find_entry(name: str, root: Root, version: str | None = None) -> Entry:
    """Return the newest entry of a version, or that with a number.

    Parameters
    ----------
    name : str
    root : Path or str
    version : str, optional
        A version, the first letters of one, or the number of an entry; the current version if left out.

    Raises
    ------
    UnknownModelError
        If there is none.
    """
    if not (known := entries(name, root)):
        listed = shorten_list(names(root)) or TEXTS["names.none"]
        raise UnknownModelError(TEXTS["names.unknown"].format(name=name, root=root, names=listed))
    if version is None:
        if (entry := current_entry(name, root)) is None:
            raise UnknownModelError(TEXTS["versions.none_serves"].format(name=name))
        return entry
    exact = [entry for entry in known if version in (entry.version, f"#{entry.number}")]
    exact = exact or [entry for entry in known if version == str(entry.number)]
    exact = exact or [entry for entry in known if entry.version.startswith(version)]
    if len({entry.version for entry in exact}) != 1:
        key = "versions.several" if exact else "versions.unknown"
        versions_there = shorten_list(list(dict.fromkeys(entry.version for entry in exact or known)))
        raise UnknownModelError(TEXTS[key].format(name=name, version=version, versions=versions_there))
    return exact[0]


def candidate_entry(name: str, root: Root) -> Entry | None:
    """Return the entry of the version that is served beside the current one, or None if there is none."""
    return log_of.candidate_of(log_of.entries(files_of(root), name))


def try_candidate(name: str, root: Root, version: str, share: float | None, note: str = "") -> Entry:
    """Have a version that is in the store served beside the current one, by a new entry.

    Parameters
    ----------
    name : str
    root : Path or str
    version : str
        As in :func:`find_entry`.
    share : float or None
        Of the rows that it answers; None for a shadow.
    note : str

    Raises
    ------
    UnknownModelError
        If there is no such version.
    StoreError
        If it is the current one, was deleted, or the store cannot be written.
    """
    with _writing(name, root):
        former_store.bring_over(root, name)
        entry = find_entry(name, root, version)
        _check_choice(name, root, entry, find_entry(name, root))
        details = candidate_details(share)
        chosen = Entry("candidate", entry.version, entry.file, False, entry.metrics, note=note, details=details)
        return log_of.append(files_of(root), name, chosen)


def candidate_details(share: float | None) -> dict[str, Any]:
    """Return the details of the entry of a candidate."""
    return {"mode": "shadow"} if share is None else {"mode": "share", "share": share}


def withdraw(name: str, root: Root, note: str = "") -> Entry:
    """End what :func:`try_candidate` has begun.

    Raises
    ------
    StoreError
        If there is no candidate, or the store cannot be written.
    """
    if (entry := candidate_entry(name, root)) is None:
        raise StoreError(TEXTS["candidate.none"].format(name=name))
    with _writing(name, root):
        return log_of.append(files_of(root), name, Entry("withdraw", entry.version, entry.file, False, note=note))


def location(entry: Entry, name: str, root: Root) -> str:
    """Return where the file of a version is."""
    return f"{str(root).rstrip('/')}/{versions.path(name, entry.file)}"


def rollback(name: str, root: Root, version: str | None = None, note: str = "", **facts: Any) -> Entry:
    """Make a version current again, by a new entry.

    Parameters
    ----------
    name : str
    root : Path or str
    version : str, optional
        As in :func:`find_entry`; the one that served before the current one if left out.
    note : str
    facts : object
        ``details`` and ``by`` of the :class:`Entry`.

    Raises
    ------
    UnknownModelError
        If there is no such version.
    StoreError
        If it is current already, was deleted, or the store cannot be written.
    """
    now = find_entry(name, root)
    with _writing(name, root, "{name} cannot be rolled back in {root}: {error}"):
        former_store.bring_over(root, name)
        now = find_entry(name, root)
        if version is None:
            served = (entry for entry in entries(name, root) if entry.serves and entry.file != now.file)
            if (entry := next(served, None)) is None:
                raise StoreError(TEXTS["rollback.none"].format(name=name, version=now.version))
        else:
            entry = find_entry(name, root, version)
        _check_choice(name, root, entry, now)
        chosen = Entry("rollback", entry.version, entry.file, True, entry.metrics, note=note, compare_data=False)
        return log_of.append(files_of(root), name, replace(chosen, **facts))


def _check_choice(name: str, root: Root, entry: Entry, now: Entry) -> None:
    """Raise StoreError unless a version can be chosen in place of the current one, or beside it."""
    if entry.file == now.file:
        raise StoreError(TEXTS["rollback.current"].format(name=name, version=entry.version))
    if entry.file not in files_of(root).names(versions.folder(name)):
        raise StoreError(TEXTS["rollback.deleted"].format(name=name, version=entry.version))


@contextmanager
def _writing(
    name: str, root: Root, text: str = "The log of {name} in {root} cannot be written: {error}"
) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreError(text.format(name=name, root=root, error=error)) from error


def former(root: Root, name: str) -> Iterator[Entry]:
    """Yield what stands for the current version's entry in the layout of before, if there is one."""
    if entry := former_store.current_entry(root, name):
        yield entry
