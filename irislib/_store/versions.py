"""The files of a model's versions in a store: ``<name>/versions/<version>-<digest>.irislib``, never changed.

A file is there before an entry names it. What no entry names after an hour was left behind by a killed writer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Sequence
from typing import BinaryIO

from irislib._common.messages.store import TEXTS
from irislib._store import entries as log_of
from irislib._store.entries import Entry
from irislib._store.files import TEMPORARY, Files
from irislib.errors import StoreError

__all__ = ["check", "clear", "folder", "is_named_by", "path", "put"]

log = logging.getLogger(__name__)

SUFFIX = ".irislib"
DIGITS = 12  # of a digest in a file's name
ABANDONED = 3600.0  # seconds after which a file without an entry is nobody's


def folder(name: str) -> str:
    """Return the folder of a model's files."""
    return f"{name}/versions"


def path(name: str, file: str) -> str:
    """Return the path of a file."""
    return f"{folder(name)}/{file}"


def put(files: Files, name: str, version: str, content: bytes, file: str | None = None) -> str:
    """Write a model's file unless it is there, and return its name, which has a digest of what is in it.

    Where the name is known already, it is given as `file`.
    """
    file = file or f"{version}-{_digest(content)}{SUFFIX}"
    try:
        files.create(path(name, file), content)
    except FileExistsError:
        if not _is_sound(files, name, file):
            files.replace(path(name, file), content)
    return file


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _is_sound(files: Files, name: str, file: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return is_named_by(file, files.read(path(name, file)))
    return False


def is_named_by(file: str, content: bytes) -> bool:
    """Return whether a file's name has the digest of a content."""
    return file.endswith(f"-{_digest(content)}{SUFFIX}")


def check(file: str, content: BinaryIO) -> None:
    """Check that an open file is the one that was written under its name, and go back to its beginning.

    Raises
    ------
    StoreError
        If it is another one, which may be sound by itself.
    """
    digest = hashlib.file_digest(content, "sha256").hexdigest()[:DIGITS]  # type: ignore[arg-type]
    if not file.endswith(f"-{digest}{SUFFIX}"):
        raise StoreError(TEXTS["spoilt"].format(file=file))
    content.seek(0)


def clear(files: Files, name: str, newest: Entry, keep: int) -> None:
    """Delete what killed writers have left behind, and all but the newest versions.

    Parameters
    ----------
    files : Files
    name : str
    newest : Entry
        The one that was written just now: its time is the store's own.
    keep : int
        The number of versions to keep, 0 for all. The current one is always kept, and the one that served before it.
    """
    with contextlib.suppress(OSError, NotImplementedError):  # it will be done by the next writer
        entries = list(log_of.entries(files, name))
        now = files.modified(f"{log_of.folder(name)}/{newest.number:08}.json")
        named = {entry.file for entry in entries}
        needed = _needed_files(entries, keep) if keep else named
        for file in files.names(folder(name)):
            is_excess = file in named and file not in needed
            if is_excess or (file not in named and now - files.modified(path(name, file)) > ABANDONED):
                log.info("%s of %s is deleted: %s.", file, name, "it is old" if is_excess else "no entry names it")
                files.delete(path(name, file))
        for file in files.names(log_of.folder(name)):
            full = f"{log_of.folder(name)}/{file}"
            if file.startswith(TEMPORARY) and now - files.modified(full) > ABANDONED:
                files.delete(full)


def _needed_files(entries: Sequence[Entry], keep: int) -> set[str]:
    """Return the files to keep of what entries name, the newest first."""
    newest = list(dict.fromkeys(entry.file for entry in entries))[:keep]
    serving = list(dict.fromkeys(entry.file for entry in entries if entry.serves))[:2]
    candidate = log_of.candidate_of(entries)
    return {*newest, *serving, *([candidate.file] if candidate else [])}
