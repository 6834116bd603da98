"""``irislib publish``, ``versions``, ``rollback``, ``backup`` and ``restore``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from irislib._common.messages.store import TEXTS
from irislib._modeling import registry, store
from irislib._modeling.evaluation import main_metric
from irislib._modeling.model_file import SUFFIX
from irislib._modeling.references import list_references
from irislib._store.copying import copy_store
from irislib._store.files import Root, parse_root
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._store.entries import Entry

__all__ = ["add_store", "backup", "one_name", "publish", "renamed", "restore", "rollback", "root_of", "versions"]

COLUMNS = ("", "number", "kind", "version", "when (UTC)", "by", "metric", "baseline", "note")


def publish(parser: argparse.ArgumentParser, args: Sequence[str]) -> int:
    """Publish a model, and print what became of it."""
    parser.add_argument("file", nargs="?", metavar="MODEL", help="a file such as wine.irislib, or as --model")
    parser.add_argument("--name", help="the name to publish it by [its own]")
    parser.add_argument("--note", default="", help="why, for those who read the log later")
    add_store(parser)
    options = parser.parse_args(args)
    references = [*([options.file] if options.file else []), *(options.model or [])]
    if len(references) != 1:
        raise IrislibError("Give one model: irislib publish wine.irislib.")
    model = registry.load(registry.resolve(list_references(references)[0]))
    if options.name:
        model = renamed(model, options.name)
    root = root_of(options)
    entry = store.publish(model, root, note=options.note)
    print(TEXTS["published"].format(name=model.spec.name, version=entry.version, number=entry.number))
    print(f"kept in {store.location(entry, model.spec.name, root)}")
    return 0


def renamed(model: Model, name: str) -> Model:
    """Return a model by another name."""
    return replace(model, spec=replace(model.spec, name=name))


def versions(parser: argparse.ArgumentParser, args: Sequence[str]) -> int:
    """Print the log of a model, or of all models in a store."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the model's name [every model in the store]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store(parser)
    options = parser.parse_args(args)
    root = root_of(options)
    names = [options.name] if options.name else _names(options.model) or store.names(root)
    if not names:
        raise IrislibError(TEXTS["versions.empty"].format(root=root))
    logs = {name: (store.entries(name, root), store.find_entry(name, root)) for name in names}
    if options.json:
        print(json.dumps({name: _records(*log) for name, log in logs.items()}, indent=1))
        return 0
    for name, (entries, now) in logs.items():
        print(f"{name}, in {root}")
        _print_table([COLUMNS, *(_cells(entry, entry == now) for entry in entries)])
    return 0


def _records(entries: list[Entry], now: Entry) -> list[dict[str, object]]:
    return [{**asdict(entry), "current": entry == now} for entry in entries]


def _cells(entry: Entry, is_current: bool) -> tuple[str, ...]:
    name, value, baseline = main_metric(entry.metrics)
    metric = "" if value is None else f"{name.replace('_', ' ')} {value:.4g}"
    share = entry.details.get("share")
    key = "unserved" if entry.kind not in ("candidate", "withdraw") else "shadow" if share is None else "share"
    how = "" if entry.serves or entry.kind == "withdraw" else TEXTS[f"versions.{key}"].format(share=share)
    note = " ".join(filter(None, (entry.note, entry.reason, how)))
    return (
        "*" if is_current else "",
        str(entry.number or ""),
        entry.kind,
        entry.version,
        entry.at[:16].replace("T", " "),
        entry.by,
        metric,
        "" if baseline is None else f"{baseline:.4g}",
        note,
    )


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def rollback(parser: argparse.ArgumentParser, args: Sequence[str]) -> int:
    """Make an earlier version current again."""
    parser.add_argument(
        "version", nargs="?", metavar="VERSION", help="a version, or the number of an entry [what served before]"
    )
    parser.add_argument("--note", default="", help="why, for those who read the log later")
    add_store(parser)
    options = parser.parse_args(args)
    root = root_of(options)
    name = one_name(options, root)
    entry = store.rollback(name, root, options.version, options.note)
    print(TEXTS["rolled_back"].format(name=name, version=entry.version, number=entry.number))
    return 0


def backup(parser: argparse.ArgumentParser, args: Sequence[str]) -> int:
    """Copy models from the store to a backup, and print what became of it."""
    parser.add_argument("backup", metavar="BACKUP", help="a folder or a URL, which may have a backup of before")
    options = _copy_options(parser, args)
    return _copy(root_of(options), parse_root(options.backup), options)


def restore(parser: argparse.ArgumentParser, args: Sequence[str]) -> int:
    """Copy models from a backup to the store, and print what became of it."""
    parser.add_argument("backup", metavar="BACKUP", help="what `irislib backup` has written, or any copy of a store")
    options = _copy_options(parser, args)
    return _copy(parse_root(options.backup), root_of(options), options)


def _copy_options(parser: argparse.ArgumentParser, args: Sequence[str]) -> argparse.Namespace:
    parser.add_argument("--force", action="store_true", help="replace what is newer there, or other")
    add_store(parser)
    return parser.parse_args(args)


def _copy(source: Root, target: Root, options: argparse.Namespace) -> int:
    if source == target:
        raise IrislibError(TEXTS["copy.same"].format(root=source))
    try:
        copied = copy_store(source, target, _names(options.model), options.force)
    except OSError as error:
        raise IrislibError(f"{source} cannot be copied to {target}: {error}") from error
    for model in copied:
        print(TEXTS["copy.done"].format(**asdict(model), root=target))
    return 0


def one_name(options: argparse.Namespace, root: Root) -> str:
    """Return the name of the model that a command is about; with one alone in the store it need not be given.

    Raises
    ------
    IrislibError
        If it is not clear.
    """
    names = _names(options.model) or store.names(root)
    if len(names) != 1:
        listed = ", ".join(names) or TEXTS["names.none"]
        raise IrislibError(TEXTS["rollback.which"].format(root=root, names=listed))
    return names[0]


def _names(references: Sequence[str] | None) -> list[str]:
    """Return the names of models: a reference may be a name in the store already."""
    return [
        registry.resolve(reference).name if ":" in reference or reference.endswith(SUFFIX) else reference
        for reference in (list_references(references) if references else [])
    ]


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option for another store than the default one."""
    parser.add_argument("--store", metavar="STORE", help="a folder or a URL [IRISLIB_STORE, else your data folder]")


def root_of(options: argparse.Namespace) -> Root:
    """Return the store that a command is about."""
    return parse_root(options.store) if options.store else store.default_root()
