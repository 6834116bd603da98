"""The log of a model in a store: what was published, trained or rolled back, by whom, and what is served since.

``<name>/entries/00000007.json`` is an entry. Entries are numbered without gaps, created by one writer alone each, and
never changed. The current version is that of the highest entry that serves: one step makes it current, and readers
need no lock.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import re
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from irislib._store.files import Files
from irislib.errors import StoreError

__all__ = ["Entry", "append", "candidate_of", "entries", "entries_after", "folder", "numbers", "whoami"]

_NAME = re.compile(r"\d{8,}\.json")


@dataclass(frozen=True)
class Entry:
    """A line of the log of a model in a store.

    Attributes
    ----------
    kind : str
        ``publish``, ``train``, ``refresh`` or ``rollback``; ``candidate`` of one that is served beside the current
        version from now on, and ``withdraw`` of one that is not any more.
    version : str
        The model's, as in ``X-Model-Version``.
    file : str
        The name of its file. Two models may have one version, such as when one was trained twice; their files differ.
    serves : bool
        True if it became the current version; False if it was kept and not served.
    metrics : dict of str to float
        Its evaluation beside the baseline.
    seconds : float or None
        How long it took to make.
    note : str
    reason : str
        Why it does not serve.
    details : dict
        Facts of the one who made it, such as the comparison with the version before.
    compare_data : bool
        Whether the version is out of date once the data have changed; not after a rollback, which is a decision.
    by : str
        User and machine.
    at : str
        ISO 8601, UTC.
    number : int
        From 1 on.
    """

    kind: str
    version: str
    file: str
    serves: bool = True
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    note: str = ""
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    compare_data: bool = True
    by: str = ""
    at: str = ""
    number: int = 0


def whoami() -> str:
    """Return the user and the machine, as far as they are known."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def folder(name: str) -> str:
    """Return the folder of a model's entries."""
    return f"{name}/entries"


def numbers(files: Files, name: str) -> list[int]:
    """Return the numbers of a model's entries, ascending."""
    return sorted(int(file.removesuffix(".json")) for file in files.names(folder(name)) if _NAME.fullmatch(file))


def entries(files: Files, name: str) -> Iterator[Entry]:
    """Yield the entries of a model, the newest first.

    Raises
    ------
    StoreError
        If one cannot be read.
    """
    for number in reversed(numbers(files, name)):
        yield _read(files, name, number)


def entries_after(files: Files, name: str, number: int) -> list[Entry]:
    """Return the entries after a number, ascending; without a listing, so that it is cheap to ask again and again."""
    newer: list[Entry] = []
    while True:
        try:
            newer.append(_read(files, name, number + len(newer) + 1))
        except FileNotFoundError:
            return newer


def candidate_of(newest_first: Iterable[Entry]) -> Entry | None:
    """Return the entry of the version that is served beside the current one; what becomes current ends it."""
    for entry in newest_first:
        if entry.serves or entry.kind == "withdraw":
            return None
        if entry.kind == "candidate":
            return entry
    return None


def append(files: Files, name: str, entry: Entry) -> Entry:
    """Write an entry as the next one, and return it with its number; another writer's may come before it."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    entry = replace(entry, at=entry.at or now, by=entry.by or whoami())
    mark = secrets.token_hex(8)  # so that no two writers write the same
    number = max(numbers(files, name), default=0)
    while True:
        number += 1
        numbered = replace(entry, number=number)
        try:
            files.create(_path(name, number), json.dumps({**asdict(numbered), "id": mark}, indent=1).encode())
            return numbered
        except FileExistsError:
            continue


def _path(name: str, number: int) -> str:
    return f"{folder(name)}/{number:08}.json"


def _read(files: Files, name: str, number: int) -> Entry:
    content = files.read(_path(name, number))
    try:
        record = json.loads(content)
        known = {part.name for part in fields(Entry)}  # a later version of irislib may write more
        return Entry(**{key: value for key, value in record.items() if key in known} | {"number": number})
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"The entry {number} of {name} cannot be read: {error}") from error
