"""``irislib diff``: the comparison of two versions, for a terminal and for programs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from irislib._common.messages.comparison import TEXTS
from irislib._common.settings import SETTINGS
from irislib._comparison.comparison import compare
from irislib._comparison.real_requests import describe, read_real_requests
from irislib._modeling import store
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.model_file import SUFFIX, read_model
from irislib._store.files import parse_root

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model
    from irislib._store.entries import Entry

__all__ = ["add_arguments", "are_files", "read_entry", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    what = "a file such as wine.irislib, or a version in the store: its first letters, or the number of its entry"
    parser.add_argument("before", metavar="A", help=what)
    parser.add_argument("after", metavar="B", nargs="?", help="the same [the current version]")
    setting = SETTINGS["prediction_log"]
    parser.add_argument(setting.option, metavar="DIR|URL", help="a log with answers of both to real requests")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(spec: ModelSpec | None, options: argparse.Namespace) -> int:
    """Compare two versions and print the result.

    Parameters
    ----------
    spec : ModelSpec or None
        The model whose versions are in the store; None if both are files.
    options : Namespace
    """
    before, after = (_read_version(spec, reference) for reference in (options.before, options.after))
    comparison, requests = compare(before, after), ""
    if options.prediction_log:
        root = parse_root(options.prediction_log)
        requests = describe(before, after, read_real_requests(before, after, root))
        requests = requests or TEXTS["requests.none"].format(before=before.version, after=after.version)
    if options.json:
        facts = comparison.to_dict() | ({"real_requests": requests} if requests else {})
        print(json.dumps(facts, indent=1, default=str))
        return 0
    print(comparison)
    if requests:
        print(f"\n{requests}")
    return 0


def are_files(options: argparse.Namespace) -> bool:
    """Return True if both versions are files, so that no model is needed."""
    return all(str(reference).endswith(SUFFIX) for reference in (options.before, options.after))


def _read_version(spec: ModelSpec | None, reference: str | None) -> Model:
    """Return a version in the store, the current one if the reference is None, or the model in a file."""
    if spec is None or (reference is not None and reference.endswith(SUFFIX)):
        return read_model(Path(str(reference)))
    return read_entry(spec, store.find_entry(spec.name, store.default_root(), reference))


def read_entry(spec: ModelSpec, entry: Entry) -> Model:
    """Return the version of an entry in the store."""
    root = store.default_root()
    if isinstance(spec, FittedSpec) and (model := store.load(spec.name, root, f"#{entry.number}")):
        return model
    return store.load_for(spec, root, entry)
