"""Where irislib's notebooks and Jupyter files are, in a checkout as in an installation."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

__all__ = ["announce", "fronts", "notebooks", "share"]

CHECKOUT = Path(__file__).resolve().parent.parent


def notebooks() -> Path:
    """The folder of the notebooks that ship with irislib."""
    return _folder("notebooks", "share/irislib/notebooks")


def share() -> Path:
    """The folder that Jupyter finds our template and kernelspec in."""
    return _folder("share/jupyter", "share/jupyter")


def fronts() -> list[Path]:
    """The style, scripts and templates that travel with the widgets."""
    return sorted(Path(__file__).parent.rglob("front/*"))


def announce() -> None:
    """Put our files on Jupyter's path, where an editable installation has not put them."""
    there = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if str(share()) not in there:
        os.environ["JUPYTER_PATH"] = os.pathsep.join([str(share()), *filter(None, there)])


def _folder(in_checkout: str, installed: str) -> Path:
    if (CHECKOUT / "setup.py").is_file() and (CHECKOUT / in_checkout).is_dir():
        return CHECKOUT / in_checkout
    # Where the installer put them depends on its scheme (--user, --prefix, --target…); it wrote it down.
    try:
        written = distribution("irislib").files or []
    except PackageNotFoundError:
        written = []
    for entry in written:
        path = str(entry).replace(os.sep, "/")
        if f"{installed}/" in path:
            return Path(str(entry.locate())).resolve().parents[path.split(f"{installed}/")[1].count("/")]
    raise FileNotFoundError(f"irislib's {installed} is missing: install irislib again.")
