"""Versions of trained models on disk: never a pickle, never half a file.

``<root>/<name>/<version>/`` holds ``estimator.skops`` and ``model.json``; the file
``<root>/<name>/current`` holds the version that readers get. A version is written whole beside
its final folder and then renamed; ``current`` is replaced in one step. What takes long to measure of a
version is kept in ``<root>/<name>/measured/<version>/``, whether the version is stored or not.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib import __version__
from irislib._common.messages.store import TEXTS
from irislib._common.paths import write_atomically
from irislib._common.settings import environment_value
from irislib._description.fingerprint import estimator_parts, package_of
from irislib._modeling.estimator_file import load_estimator, read_back
from irislib._modeling.model import Model
from irislib._modeling.model_record import from_record, to_record
from irislib._modeling.staleness import dependencies, describe_changes, find_changes
from irislib.errors import StoreError

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = [
    "compare",
    "current",
    "default_root",
    "load_result",
    "note_refusal",
    "read",
    "refusal",
    "save",
    "save_result",
    "training_lock",
    "trusted_modules",
]

log = logging.getLogger(__name__)

COMPARED_ROWS = 1000  # a model is stored once it predicts the same for these after it was read back


def default_root() -> Path:
    """``$IRISLIB_STORE``, else the user's data folder."""
    from platformdirs import user_data_path

    return Path(environment_value("store") or user_data_path("irislib") / "models")


def save(model: Model, root: Path, compare_files: bool = True, source: Path | None = None) -> Path:
    """Store a model and make it the current version of its name.

    Parameters
    ----------
    model : Model
    root : Path
        Made if need be, for its owner alone.
    compare_files : bool
        Whether the version is out of date once the files change that its data were read from.
    source : Path, optional
        A store whose file of the same version is copied, if it has one, instead of a new one made and compared.

    Returns
    -------
    Path
        The folder of the version.

    Raises
    ------
    StoreError
        If the folder cannot be written, or the estimator cannot be kept so that it is read back unchanged.
    """
    versions = root / model.spec.name
    folder = versions / model.version
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        versions.mkdir(exist_ok=True)
        files = {"data_files": model.data_files if compare_files else []}
        record = {**to_record(model), **dependencies(model.spec), **files}
        if not _is_sound(folder, record, model.spec):
            content = _stored_content(model, record, source)
            incomplete = Path(tempfile.mkdtemp(prefix=".new-", dir=versions))
            try:
                (incomplete / "estimator.skops").write_bytes(content)
                (incomplete / "model.json").write_text(json.dumps(record), encoding="utf-8")
                _move_into_place(incomplete, folder, lambda: _is_sound(folder, record, model.spec))
            finally:
                shutil.rmtree(incomplete, ignore_errors=True)
        elif _record_of(folder).get("data_files") != record["data_files"]:  # other files, the same data
            write_atomically(folder / "model.json", json.dumps(record))
        write_atomically(versions / "current", model.version)
    except StoreError:
        raise
    except (OSError, TypeError, ValueError) as error:
        raise StoreError(f"{model.spec.name} cannot be stored in {root}: {error}") from error
    return folder


def _stored_content(model: Model, record: dict[str, Any], source: Path | None) -> bytes:
    """Return the file of an estimator: that of another store, or a new one that was read back unchanged."""
    if source is not None:
        folder = source / model.spec.name / model.version
        with suppress(OSError, ValueError):
            other = _record_of(folder)
            if all(other.get(key) == record[key] for key in ("trained_at", *dependencies(model.spec))):
                return (folder / "estimator.skops").read_bytes()
    rows = model.evaluation.features.head(COMPARED_ROWS)
    return read_back(model.estimator, rows, trusted_modules(model.spec))


def _move_into_place(incomplete: Path, folder: Path, is_sound: Callable[[], bool]) -> None:
    """Rename a folder, in place of one that cannot be read; leave it if another process has stored the same."""
    while True:
        try:
            incomplete.rename(folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        if is_sound():
            return
        unreadable = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        with suppress(FileNotFoundError):  # another process has moved it
            folder.rename(unreadable)
        shutil.rmtree(unreadable, ignore_errors=True)


@contextlib.contextmanager
def training_lock(name: str, root: Path, on_wait: Callable[[], None]) -> Iterator[bool]:
    """Let one process at a time train a model for a store; where that is not possible, any.

    It yields True if it has waited for another one.

    Parameters
    ----------
    name : str
    root : Path
    on_wait : callable
        Called once if another process is training it.
    """
    has_waited = False
    with contextlib.ExitStack() as stack:
        with suppress(ImportError, OSError):  # on Windows, on some network drives, in a store that cannot be written
            import fcntl

            folder = root / name
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(exist_ok=True)
            file = stack.enter_context(open(folder / "lock", "w", encoding="utf-8"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                has_waited = True
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
            stack.callback(fcntl.flock, file, fcntl.LOCK_UN)  # a process forked meanwhile has the file, too
        yield has_waited


def note_refusal(name: str, root: Path, reason: str) -> None:
    """Note in a store why a model could not be saved there, for processes that look for it."""
    folder = root / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "refused").write_text(reason, encoding="utf-8")


def refusal(name: str, root: Path) -> str | None:
    """Return why a model could not be saved in a store, or None if it was not tried."""
    try:
        return (root / name / "refused").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def current(name: str, root: Path) -> str | None:
    """Return the version of a model that readers get, or None if there is none."""
    try:
        return (root / name / "current").read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None


def read(spec: ModelSpec, root: Path) -> Model | None:
    """Return the current version of a model, or None if there is none of this spec.

    A version that was trained from another description, by other code or libraries is left where it is, and not used.

    Raises
    ------
    StoreError
        If what is stored cannot be read.
    """
    with _reading(spec, root):
        if (record := _current_record(spec, root)) is None:
            return None
        if changes := find_changes(record, spec):
            names = {"name": spec.name, "version": record["version"]}
            log.warning("%s", TEXTS["not_used"].format(**names, changes=describe_changes(changes)))
            return None
        return _restore(root / spec.name / record["version"], record, spec)


def compare(model: Model, root: Path) -> tuple[str, str, list[str]] | None:
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
    with _reading(model.spec, root):
        if (record := _current_record(model.spec, root)) is None:
            return None
        changes = find_changes(record, model.spec, model.data)
        if not changes:
            _restore(root / model.spec.name / record["version"], record, model.spec)
        return record["version"], record["trained_at"], changes


@contextlib.contextmanager
def _reading(spec: ModelSpec, root: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # skops raises many kinds for a file it cannot read
        raise StoreError(f"The stored {spec.name} cannot be read from {root / spec.name}: {error}") from error


def _current_record(spec: ModelSpec, root: Path) -> dict[str, Any] | None:
    version = current(spec.name, root)
    try:
        return None if version is None else _record_of(root / spec.name / version)
    except FileNotFoundError:
        return None


def save_result(model: Model, name: str, result: Any) -> None:
    """Keep a result of a model, for every process that has the same version; log it if it cannot be written."""
    file = _result_file(model, name)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(file, json.dumps({"irislib": __version__, "measured": result}))
    except OSError as error:
        log.info("%s of %s is not kept: %s", name, model.spec.name, error)


def load_result(model: Model, name: str) -> Any:
    """Return a result that this version of irislib kept for a version of a model, or None if there is none."""
    try:
        record = json.loads(_result_file(model, name).read_text(encoding="utf-8"))
        return record["measured"] if record["irislib"] == __version__ else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _result_file(model: Model, name: str) -> Path:
    version = "-".join(filter(None, (model.version, model.data.get("evaluated_on"))))
    return default_root() / model.spec.name / "measured" / version / f"{name}.json"


def _record_of(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return record


def _restore(folder: Path, record: dict[str, Any], spec: ModelSpec) -> Model:
    estimator = load_estimator((folder / "estimator.skops").read_bytes(), trusted_modules(spec))
    return from_record(spec, estimator, record)


def _is_sound(folder: Path, record: dict[str, Any], spec: ModelSpec) -> bool:
    try:
        stored = _record_of(folder)
        return all(stored[key] == record[key] for key in dependencies(spec)) and bool(_restore(folder, stored, spec))
    except Exception:  # whatever is wrong with it: it will be written anew
        return False


def trusted_modules(spec: ModelSpec) -> set[str]:
    """Return the top-level modules whose types a model's file may hold: the description's own, and its parts'."""
    return set(map(package_of, [spec.load_data, *estimator_parts(spec.estimator)]))
