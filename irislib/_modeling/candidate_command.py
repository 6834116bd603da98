"""``irislib candidate``: try a version beside the current one, see which one is tried, end it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from irislib._common.messages.store import TEXTS
from irislib._modeling import store
from irislib._modeling.model_file import SUFFIX, read_model
from irislib._modeling.store_commands import add_store, one_name, renamed, root_of
from irislib._store.entries import Entry
from irislib._store.files import Root
from irislib.errors import IrislibError

__all__ = ["candidate"]


def candidate(parser: argparse.ArgumentParser, args: Sequence[str]) -> int:
    """Have a version tried beside the current one, or end that; print what is tried."""
    what = "the version: its first letters, the number of its entry, or a file such as wine.irislib"
    parser.add_argument("version", nargs="?", metavar="VERSION", help=f"{what} [print which one is tried]")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--shadow", action="store_true", help="ask it what the current version is asked, and compare")
    how.add_argument("--share", type=float, metavar="SHARE", help="let it answer a share of the rows, such as 0.1")
    how.add_argument("--stop", action="store_true", help="try it no more")
    parser.add_argument("--note", default="", help="why, for those who read the log later")
    add_store(parser)
    options = parser.parse_args(args)
    root = root_of(options)
    name = one_name(options, root)
    if options.stop:
        entry = store.withdraw(name, root, options.note)
        print(TEXTS["candidate.withdrawn"].format(name=name, version=entry.version))
        return 0
    if options.version is None:
        if (known := store.candidate_entry(name, root)) is None:
            raise IrislibError(TEXTS["candidate.none"].format(name=name))
        print(describe(known, name, root))
        return 0
    if not options.shadow and options.share is None:
        raise IrislibError(TEXTS["candidate.how"])
    if options.share is not None and not 0 < options.share <= 1:
        raise IrislibError(f"--share: give a number above 0 and at most 1, not {options.share}.")
    print(describe(_start(options, name, root), name, root))
    return 0


def _start(options: argparse.Namespace, name: str, root: Root) -> Entry:
    if not options.version.endswith(SUFFIX):
        return store.try_candidate(name, root, options.version, options.share, options.note)
    store.find_entry(name, root)  # beside which it is tried
    model = renamed(read_model(Path(options.version)), name)
    details = store.candidate_details(options.share)
    return store.publish(model, root, kind="candidate", serves=False, note=options.note, details=details)


def describe(entry: Entry, name: str, root: Root) -> str:
    """Return in a sentence how a candidate is tried."""
    share = entry.details.get("share")
    facts = {"name": name, "version": entry.version, "number": entry.number, "current": store.current(name, root)}
    return TEXTS["candidate.shadow" if share is None else "candidate.share"].format(**facts, share=share)
