"""Three-way merging of one file, by git."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from irislib.errors import IrislibError

__all__ = ["JSON", "MARKER", "merge"]

JSON = (".ipynb", ".json")  # files in which marks of a conflict would be errors
MARKER = re.compile(rb"^<<<<<<< yours\r?$", re.MULTILINE)


def merge(path: str, base: bytes, theirs: bytes, new: bytes) -> tuple[bytes, bool]:
    """Merge the changes of two people to a file.

    Parameters
    ----------
    path : str
        Of the file.
    base, theirs, new : bytes
        Its text before both changes, and after either.

    Returns
    -------
    merged : bytes
        With marks where both have changed the same lines.
    is_clean : bool
        False if there are such lines.
    """
    git = shutil.which("git")
    if git is None:
        raise IrislibError(f"{path} has to be merged with your changes, which git does: install git, and try again.")
    with tempfile.TemporaryDirectory() as folder:
        names = ("yours", "before", "irislib")
        for name, data in zip(names, (theirs, base, new), strict=True):
            (Path(folder) / name).write_bytes(data)
        labels = [part for name in names for part in ("-L", name)]
        command = [git, "merge-file", "--stdout", *labels, *names]
        result = subprocess.run(command, cwd=folder, capture_output=True)  # noqa: S603
    if not 0 <= result.returncode < 128:  # it is the number of conflicts, 127 at most
        raise IrislibError(f"git cannot merge {path}: {result.stderr.decode(errors='replace').strip()}")
    is_clean = result.returncode == 0
    if is_clean and path.endswith(JSON):
        try:
            json.loads(result.stdout)
        except ValueError:
            is_clean = False
    return result.stdout, is_clean
