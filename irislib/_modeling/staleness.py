"""Changes since a stored model was trained: of the description, the code, the libraries, the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from irislib._common.messages.store import TEXTS
from irislib._description.fingerprint import loading_code
from irislib._modeling.data_files import describe_changed
from irislib._modeling.training_data import data_digest

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec

__all__ = ["FORMAT", "dependencies", "describe_changes", "find_changes"]

FORMAT = 3  # of what is stored
MOST = 4  # changes that a sentence lists


def dependencies(spec: ModelSpec) -> dict[str, Any]:
    """Return what is stored with a model to compare it with its description later."""
    origin = getattr(spec, "origin", None)  # of a description that was read from a file
    return dict(origin or {"format": FORMAT, "made_from": spec.digests, "loading": loading_code(spec)})


def find_changes(
    record: dict[str, Any], spec: ModelSpec, data: dict[str, Any] | None = None, compare_data: bool = True
) -> list[str]:
    """Return what has changed since a stored model was trained, for a sentence.

    Parameters
    ----------
    record : dict
        What is stored with the model.
    spec : ModelSpec
    data : dict, optional
        The facts of the data as they are now; see :attr:`Model.data`. Without them the files that they were read from
        are compared, and the data are read only if the code that loads them has changed: a server starts quickly.
    compare_data : bool
        Whether the data count at all.
    """
    if record.get("format") != FORMAT:
        return [TEXTS["change.format"]]
    before, now = record["made_from"], spec.digests
    changes = _changed(before["description"], now["description"])
    changes += [TEXTS["change.code"].format(name=name) for name in _changed(before["code"], now["code"])]
    for name in _changed(before["versions"], now["versions"]):
        then, today = (part["versions"].get(name, TEXTS["change.none"]) for part in (before, now))
        changes.append(TEXTS["change.version"].format(name=name, before=then, now=today))
    if not compare_data:
        return changes
    if data is not None:
        return _data_changes(record["data"], data) + changes
    if changed := describe_changed(record.get("data_files", [])):
        changes.append(TEXTS["change.file"].format(path=changed))
    if not changes and record["loading"] != loading_code(spec) and not _has_same_data(record, spec):
        return [TEXTS["change.data"]]
    return changes


def _data_changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    if before["digest"] == now["digest"]:
        return []
    if before["rows"] == now["rows"]:
        return [TEXTS["change.data"]]
    return [TEXTS["change.rows"].format(before=before["rows"], now=now["rows"])]


def describe_changes(changes: list[str]) -> str:
    """Return changes as part of a sentence."""
    more = len(changes) - MOST
    return ", ".join([*changes[:MOST], *([TEXTS["change.more"].format(count=more)] if more > 0 else [])])


def _changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return the names of what differs; what is not used any more only if nothing else differs."""
    return [name for name, value in now.items() if before.get(name) != value] or [*(before.keys() - now.keys())]


def _has_same_data(record: dict[str, Any], spec: ModelSpec) -> bool:
    try:
        return bool(data_digest(spec) == record["data"]["digest"])
    except Exception:  # of the user's load_data; training it anew raises it again
        return False
