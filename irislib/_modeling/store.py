"""Models in a store: published, current, read back, rolled back. Never a pickle, never half a file.

``<root>/<name>/versions/`` has a ``.irislib`` file for each version, ``<root>/<name>/entries/`` the log of what became
current, when and by whom: see :mod:`irislib._store`. The root is a folder or a URL.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import shorten_list
from irislib._common.messages.store import TEXTS
from irislib._common.settings import setting_value
from irislib._description.fingerprint import estimator_parts, package_of
from irislib._modeling import former_store
from irislib._modeling.estimator_file import load_estimator, read_back
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.model import Model
from irislib._modeling.model_file import join_parts, read_parts, read_record, require_readable, restore, stored_record
from irislib._modeling.model_record import from_record
from irislib._modeling.staleness import dependencies, describe_changes, find_changes
from irislib._modeling.store_log import (
    candidate_details,
    candidate_entry,
    current,
    current_entry,
    entries,
    entries_after,
    find_entry,
    former,
    location,
    names,
    rollback,
    try_candidate,
    withdraw,
)
from irislib._store import entries as log_of
from irislib._store import versions
from irislib._store.entries import Entry
from irislib._store.files import Files, Root, files_of
from irislib._store.local import (
    default_root,
    load_result,
    local_folder,
    note_refusal,
    refusal,
    save_result,
    training_lock,
)
from irislib.errors import StoreError, UnknownModelError, without_exit

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = [
    "Entry",
    "candidate_details",
    "candidate_entry",
    "compare",
    "current",
    "current_entry",
    "default_root",
    "entries",
    "entries_after",
    "find_entry",
    "load",
    "load_entry",
    "load_for",
    "load_result",
    "local_folder",
    "location",
    "names",
    "note_refusal",
    "publish",
    "read",
    "refusal",
    "rollback",
    "save",
    "save_result",
    "training_lock",
    "trusted_modules",
    "try_candidate",
    "withdraw",
]

log = logging.getLogger(__name__)

COMPARED_ROWS = 1000  # a model is stored once it predicts the same for these after it was read back
ATTEMPTS = 10  # to read the current version, while others publish and delete


def publish(
    model: Model,
    root: Root,
    *,
    kind: str = "publish",
    serves: bool = True,
    compare_files: bool = True,
    source: Root | None = None,
    **facts: Any,
) -> Entry:
    """Store a model as a new version, and make it the current one.

    Parameters
    ----------
    model : Model
    root : Path or str
        A folder, made if need be for its owner alone, or a URL.
    kind : str
        ``publish``, ``train`` or ``refresh``.
    serves : bool
        Make it current; else it is kept, and not served.
    compare_files : bool
        Whether the version is out of date once the files change that its data were read from.
    source : Path or str, optional
        A store whose file of the same version is copied, if it has one, instead of a new one made and compared.
    facts : object
        ``note``, ``seconds``, ``reason``, ``details`` and ``by`` of the :class:`Entry`.

    Returns
    -------
    Entry

    Raises
    ------
    StoreError
        If the store cannot be written, or the estimator cannot be kept so that it is read back unchanged.
    """
    files, name = files_of(root), model.spec.name
    try:
        former_store.bring_over(root, name)
        file, content = _copied(model, source) or (None, _content(model, is_compressed=isinstance(root, str)))
        file = versions.put(files, name, model.version, content, file)
        entry = Entry(
            kind, model.version, file, serves, dict(model.evaluation.metrics), compare_data=compare_files, **facts
        )
        entry = log_of.append(files, name, entry)
        versions.clear(files, name, entry, setting_value("store_keep"))
        if file not in files.names(versions.folder(name)):  # another writer took it for what a killed one has left
            versions.put(files, name, model.version, content, file)
        return entry
    except StoreError:
        raise
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(f"{name} cannot be stored in {root}: {reason}.") from error


def save(model: Model, root: Root, compare_files: bool = True, source: Root | None = None, **facts: Any) -> Entry:
    """Publish a model that was trained, unless it is the current version already; see :func:`publish`."""
    with suppress(Exception):  # whatever is wrong with what is stored: it will be written anew
        if parts := _current_parts(model.spec.name, root):
            entry, record, content = parts
            files = model.data_files if compare_files else record["model"]["data_files"]
            is_same = record["made"] == dependencies(model.spec) and entry.version == model.version
            if is_same and record["model"]["data_files"] == files and entry.compare_data == compare_files:
                load_estimator(content, trusted_modules(model.spec))
                return entry
    return publish(model, root, kind="train", compare_files=compare_files, source=source, **facts)


def _content(model: Model, is_compressed: bool) -> bytes:
    rows = model.evaluation.trial_rows.head(COMPARED_ROWS)
    estimator = read_back(model.estimator, rows, trusted_modules(model.spec))
    record = stored_record(model)
    require_readable(model, record, is_alone=isinstance(model.spec, FittedSpec))
    return join_parts(record, estimator, is_compressed)


def _copied(model: Model, source: Root | None) -> tuple[str, bytes] | None:
    """Return the name and the content of the file of the same version in another store."""
    if source is None:
        return None
    files, name = files_of(source), model.spec.name
    with suppress(OSError, ValueError, KeyError, TypeError):
        for entry in log_of.entries(files, name):
            if entry.version == model.version:
                path = versions.path(name, entry.file)
                content = files.read(path)
                if not versions.is_named_by(entry.file, content):
                    return None
                record = read_record(content)
                is_same = record["made"] == dependencies(model.spec)
                return (entry.file, content) if is_same and record["model"]["trained_at"] == model.trained_at else None
    return None


def read(spec: ModelSpec, root: Root) -> Model | None:
    """Return the current version of a model, or None if there is none of this spec.

    A version that was trained from another description, by other code or libraries is left where it is, and not used.

    Raises
    ------
    StoreError
        If what is stored cannot be read.
    """
    with _reading(spec.name, root):
        if (parts := _current_parts(spec.name, root)) is None:
            return None
        entry, record, content = parts
        if changes := find_changes(_facts(record), spec, compare_data=entry.compare_data):
            facts = {"name": spec.name, "version": entry.version, "changes": describe_changes(changes)}
            log.warning("%s", TEXTS["not_used"].format(**facts))
            return None
        return _restore(record, content, spec, entry)


def load(name: str, root: Root, version: str | None = None) -> Model | None:
    """Return a version of a model with the description that is stored with it.

    Parameters
    ----------
    name : str
    root : Path or str
    version : str, optional
        As in :func:`find_entry`; the current one if left out, and None if there is none.

    Raises
    ------
    UnknownModelError
        If there is no such version.
    StoreError
        If it cannot be read, or not without its module.
    """
    with _reading(name, root):
        if version is None:
            parts = _current_parts(name, root)
        else:
            entry = find_entry(name, root, version)
            parts = entry, *_parts(files_of(root), root, name, entry)
        if parts is None:
            return None
        entry, record, content = parts
        return _restore_alone(record, content, name, entry)


def load_for(spec: ModelSpec, root: Root, entry: Entry) -> Model:
    """Return the version of an entry with a description at hand, whatever has changed since it was trained.

    Raises
    ------
    StoreError
        If it cannot be read, or does not fit the description.
    """
    with _reading(spec.name, root):
        return _restore(*_parts(files_of(root), root, spec.name, entry), spec, entry)


def load_entry(name: str, root: Root, entry: Entry, spec: ModelSpec | None = None, compare_data: bool = False) -> Model:
    """Return the version of an entry for a server that follows the store.

    Parameters
    ----------
    name : str
    root : Path or str
    entry : Entry
    spec : ModelSpec, optional
        The description at hand, of which it has to be; that in its file if left out.
    compare_data : bool
        Whether the data that it was trained on must be those of today, as when a server starts.

    Raises
    ------
    OSError
        If it cannot be read just now: the store cannot be reached, or the file is not there yet.
    StoreError
        If it cannot be used here.
    """
    try:
        record, content = _parts(files_of(root), root, name, entry)
    except StoreError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and not isinstance(cause, StoreError):
            raise cause from error
        raise
    try:
        with without_exit():
            if spec is None:
                return _restore_alone(record, content, name, entry)
            if not (changes := find_changes(_facts(record), spec, compare_data=compare_data)):
                return _restore(record, content, spec, entry)
    except StoreError:
        raise
    except Exception as error:  # skops raises many kinds for a file it cannot read
        raise StoreError(f"{type(error).__name__}: {error}") from error
    raise StoreError(TEXTS["follow.other"].format(changes=describe_changes(changes)))


def compare(model: Model, root: Root) -> tuple[str, str, list[str]] | None:
    """Compare the current version with a model that was trained just now.

    Returns
    -------
    tuple of str, str and list of str
        The stored version, when it was trained and what has changed since; None if there is none.

    Raises
    ------
    StoreError
        If what is stored cannot be read.
    """
    with _reading(model.spec.name, root):
        if (parts := _current_parts(model.spec.name, root)) is None:
            return None
        entry, record, content = parts
        changes = find_changes(_facts(record), model.spec, model.data, entry.compare_data)
        if not changes:
            _restore(record, content, model.spec, entry)
        return entry.version, record["model"]["trained_at"], changes


@contextlib.contextmanager
def _reading(name: str, root: Root) -> Iterator[None]:
    try:
        yield
    except UnknownModelError:
        raise
    except Exception as error:  # skops raises many kinds for a file it cannot read
        raise StoreError(f"The stored {name} cannot be read from {root}: {error}") from error


def _current_parts(name: str, root: Root) -> tuple[Entry, dict[str, Any], bytes] | None:
    """Return the current entry with the parts of its file, or None if there is none.

    A file that is missing was deleted by a writer who has published meanwhile, or is missing in a copy of the store.
    """
    files, error = files_of(root), None
    for _ in range(ATTEMPTS):
        error = None
        for entry in itertools.chain(log_of.entries(files, name), former(root, name)):
            if entry.serves:
                try:
                    return entry, *_parts(files, root, name, entry)
                except FileNotFoundError as missing:
                    error = error or missing
        if error is None:
            return None
    raise error or FileNotFoundError(name)


def _parts(files: Files, root: Root, name: str, entry: Entry) -> tuple[dict[str, Any], bytes]:
    if not entry.file:
        return former_store.read_parts(root, name, entry.version)
    with files.open(versions.path(name, entry.file)) as file:
        versions.check(entry.file, file)
        return read_parts(file, entry.file, {})


def _facts(record: dict[str, Any]) -> dict[str, Any]:
    """Return what changes are found by."""
    return {**record["made"], "data": record["model"]["data"], "data_files": record["model"].get("data_files", [])}


def _restore(record: dict[str, Any], content: bytes, spec: ModelSpec, entry: Entry) -> Model:
    return replace(from_record(spec, load_estimator(content, trusted_modules(spec)), record["model"]), entry=entry)


def _restore_alone(record: dict[str, Any], content: bytes, name: str, entry: Entry) -> Model:
    """Return a model with the description that is stored with it."""
    if record["left_out"]:
        log.warning("%s", TEXTS["left_out"].format(name=name, functions=shorten_list(record["left_out"])))
    return replace(restore(record, content, TEXTS["file"].format(name=name, version=entry.version)), entry=entry)


def trusted_modules(spec: ModelSpec) -> set[str]:
    """Return the top-level modules whose types a model's file may hold: the description's own, and its parts'."""
    return set(map(package_of, [spec.load_data, *estimator_parts(spec.estimator)]))
