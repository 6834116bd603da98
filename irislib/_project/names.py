"""Names that a project may have."""

from __future__ import annotations

import functools
import keyword
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution, packages_distributions

from irislib.errors import IrislibError

__all__ = ["PATH_NAME", "check_name"]

# Also safe in paths, where it comes from a file.
PATH_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def check_name(name: str) -> None:
    """Refuse a name that no folder, address and package can have.

    Raises
    ------
    IrislibError
        With a sentence that says why.
    """
    package = name.replace("-", "_")
    if not PATH_NAME.fullmatch(name):
        raise IrislibError(
            f"A project's name is of lower-case letters and digits, with hyphens between words, such as flat-rent: "
            f"{name!r} is not."
        )
    if keyword.iskeyword(package) or package in sys.stdlib_module_names or package in ("notebooks", "tests"):
        raise IrislibError(f"{name!r} is a name that Python uses itself: choose another, such as {name}-model.")
    owners = _installed().get(package, ())
    if any(not distribution(owner).read_text("direct_url.json") for owner in owners) or package == "irislib":
        raise IrislibError(f"{name!r} is a package that is installed here: choose another name, such as {name}-model.")


@functools.cache  # a command asks twice, and all metadata is read for it
def _installed() -> Mapping[str, Sequence[str]]:
    """Return the names of the distributions of each installed package."""
    return packages_distributions()
