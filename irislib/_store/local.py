"""Locks, refusals and measured results, which belong to a store and are in folders of this machine.

Of a store at a URL they are in the user's data folder.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib import __version__
from irislib._common import file_locks
from irislib._common.paths import write_atomically
from irislib._common.settings import environment_value
from irislib._store.files import Root, parse_root

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["default_root", "load_result", "local_folder", "note_refusal", "refusal", "save_result", "training_lock"]

log = logging.getLogger(__name__)


def default_root() -> Root:
    """``$IRISLIB_STORE``, else a folder in the user's data folder."""
    text = environment_value("store")
    return parse_root(text) if text else _data_folder()


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return Path(user_data_path("irislib")) / "models"


def local_folder(root: Root | None = None) -> Path:
    """Return the folder of this machine for what belongs to a store, the default one or another, and is no version."""
    root = default_root() if root is None else root
    return root if isinstance(root, Path) else _data_folder()


@contextlib.contextmanager
def training_lock(name: str, root: Root, on_wait: Callable[[], None]) -> Iterator[bool]:
    """Let one process at a time train a model for a store; where that is not possible, any.

    It yields True if it has waited for another one.

    Parameters
    ----------
    name : str
    root : Path or str
        Of a store at a URL, the processes of this machine wait for each other.
    on_wait : callable
        Called once if another process is training it.
    """
    has_waited = False

    def note_wait() -> None:
        nonlocal has_waited
        has_waited = True
        on_wait()

    with contextlib.ExitStack() as stack:
        with suppress(OSError):  # on some network drives, in a store that cannot be written
            base = local_folder(root)
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = base / name
            folder.mkdir(exist_ok=True)
            stack.callback(file_locks.free, file_locks.take(folder / "lock", note_wait))
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
    return local_folder() / model.spec.name / "measured" / version / f"{name}.json"
