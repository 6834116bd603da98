"""The layout of stores that irislib had before: ``<name>/<version>/`` has a model, ``<name>/current`` says which.

It is read until the first new version is published, which brings all that is there over to the layout of today.
"""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from irislib import __version__
from irislib._modeling.model_file import FORMAT, join_parts
from irislib._store import entries as log_of
from irislib._store import versions
from irislib._store.entries import Entry
from irislib._store.files import Root, files_of, parse_root

__all__ = ["bring_over", "current_entry", "entries", "read_parts"]

log = logging.getLogger(__name__)

BY = "an earlier irislib"


def current_entry(root: Root, name: str) -> Entry | None:
    """Return what stands for the entry of the current version, or None if there is none in this layout."""
    folder = _folder(root, name)
    with suppress(OSError, ValueError, KeyError, TypeError):
        return _entry(folder, (folder / "current").read_text(encoding="utf-8"), serves=True)
    return None


def entries(root: Root, name: str) -> list[Entry]:
    """Return what stands for the entries of all versions, the current one first and then the newest."""
    if (now := current_entry(root, name)) is None:
        return []
    others = []
    for file in _folder(root, name).glob("*/model.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            others.append(_entry(file.parent.parent, file.parent.name, serves=False))
    return [now, *sorted((e for e in others if e.version != now.version), key=lambda entry: entry.at, reverse=True)]


def read_parts(root: Root, name: str, version: str) -> tuple[dict[str, Any], bytes]:
    """Return the record of a version as that of a ``.irislib`` file, without a description, and its estimator."""
    folder = _folder(root, name) / version
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    estimator = (folder / "estimator.skops").read_bytes()
    made = {key: model.pop(key, None) for key in ("format", "made_from", "loading")}
    record = {
        "format": FORMAT,
        "irislib": __version__,
        "versions": (made["made_from"] or {}).get("versions", {}),
        "modules": [],
        "made": made,
        "model": {"data_files": [], **model},
        **dict.fromkeys(("spec", "features", "examples", "classes", "theme", "identity")),
        "tabs": [],
        "left_out": [],
    }
    return record, estimator


def bring_over(root: Root, name: str) -> None:
    """Make files and entries of what is there in this layout; the current version last, so that it stays that."""
    files, folder = files_of(root), _folder(root, name)
    known = {entry.file for entry in log_of.entries(files, name)} if (former := entries(root, name)) else set()
    for entry in reversed(former):
        try:
            record, estimator = read_parts(root, name, entry.version)
            content = join_parts(json.dumps(record), estimator, is_compressed=False)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("The version %s of %s cannot be read, and stays where it is: %s", entry.version, name, error)
            continue
        file = versions.put(files, name, entry.version, content)
        if file not in known:
            made = Entry("train", entry.version, file, entry.serves, entry.metrics, at=entry.at, by=BY)
            log_of.append(files, name, made)
        if entry.serves:
            (folder / "current").unlink(missing_ok=True)
        shutil.rmtree(folder / entry.version, ignore_errors=True)


def _folder(root: Root, name: str) -> Path:
    root = parse_root(root) if isinstance(root, str) else root
    return root / name if isinstance(root, Path) else Path("no", "such", "folder")


def _entry(folder: Path, version: str, serves: bool) -> Entry:
    model = json.loads((folder / version / "model.json").read_text(encoding="utf-8"))
    return Entry("train", version, "", serves, model["evaluation"]["metrics"], by=BY, at=model["trained_at"])
