"""Paths of irislib's notebooks and Jupyter files, in a checkout or an installation, and atomic writing."""

from __future__ import annotations

import os
import shutil
import threading
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

__all__ = ["add_to_jupyter_path", "frontend_files", "jupyter_dir", "notebooks_dir", "write_atomically", "write_beside"]

CHECKOUT = Path(__file__).resolve().parents[2]


def notebooks_dir() -> Path:
    """Return the folder of the notebooks that ship with irislib."""
    return _folder("notebooks", "share/irislib/notebooks")


def jupyter_dir() -> Path:
    """Return the folder with the template and the kernelspec, as Jupyter looks for them."""
    return _folder("share/jupyter", "share/jupyter")


def frontend_files() -> list[Path]:
    """Return the styles, scripts and templates of the widgets."""
    return sorted((CHECKOUT / "irislib").rglob("frontend/*"))


def add_to_jupyter_path() -> None:
    """Add irislib's files to Jupyter's path, which an editable installation does not."""
    folders = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if str(jupyter_dir()) not in folders:
        os.environ["JUPYTER_PATH"] = os.pathsep.join([str(jupyter_dir()), *filter(None, folders)])


def write_atomically(path: Path, content: str | bytes, is_durable: bool = True) -> None:
    """Write a file so that readers find all of it or what was there before.

    Parameters
    ----------
    path : Path
    content : str or bytes
    is_durable : bool
        Wait until it is on the disk: else it may be empty after a power failure.

    Raises
    ------
    OSError
        If it cannot be written; what was there before stays.
    """
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():  # a pipe or a device, which nothing may take the place of
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))  # a link goes on leading there
    incomplete = write_beside(target, data, is_durable)
    try:
        incomplete.replace(target)
    finally:
        incomplete.unlink(missing_ok=True)


def write_beside(target: Path, data: bytes, is_durable: bool = True) -> Path:
    """Write what a file will be into another one of its folder, and return that.

    Raises
    ------
    OSError
        If it cannot be written; then there is no other one.
    """
    incomplete = target.with_name(f".{target.name}-{os.getpid()}-{threading.get_ident()}")
    try:
        with open(incomplete, "wb") as file:
            file.write(data)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, incomplete)
    except BaseException:
        incomplete.unlink(missing_ok=True)
        raise
    return incomplete


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
