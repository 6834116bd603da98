"""``irislib update``: later improvements of a project's files, merged with the changes of their owner."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from irislib._common.paths import write_atomically, write_beside
from irislib._project.manifest import MANIFEST, manifest, read_manifest, renewed
from irislib._project.merging import JSON, MARKER, merge
from irislib._project.project_files import EXECUTABLE, render_templates
from irislib._project.requirement import pack_wheel
from irislib.errors import IrislibError

__all__ = ["Change", "add_arguments", "apply_changes", "plan_update", "run"]

# What becomes of a file, and the line about it.
LINES = {
    "new": "new        {path}",
    "replaced": "replaced   {path}",
    "merged": "merged     {path}, which you have changed",
    "removed": "removed    {path}",
    "conflict": "CONFLICT   {path}: it has both versions, between <<<<<<< and >>>>>>>. Choose, and delete these lines",
    "clash": "CONFLICT   {path} is as it was: it cannot be merged with the new one, which `irislib update --dry-run "
    "--force` shows",
    "yours": "kept       {path}, which you have changed: `make versions` renews it, if pip finds it too old",
}
# Of these a newer text takes the place of an older one, or nothing happens: merged versions are known to nobody.
NEVER_MERGED = ("constraints.txt",)


@dataclass(frozen=True)
class Change:
    """One file that an update changes, or would have to.

    Attributes
    ----------
    path : str
        In the project's folder.
    kind : str
        A key of ``LINES``; empty for irislib's own record.
    old, new : bytes or None
        Its content now and then; None if there is no such file. The same if it stays as it is.
    proposal : bytes or None
        What the file would be if it could be merged.
    """

    path: str
    kind: str
    old: bytes | None
    new: bytes | None
    proposal: bytes | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command line.
    """
    parser.add_argument("folder", nargs="?", type=Path, default=Path("."), help="the project [the current folder]")
    parser.add_argument("--dry-run", action="store_true", help="print the differences, and change nothing")
    parser.add_argument("--force", action="store_true", help="also if git has uncommitted changes")


def run(options: argparse.Namespace) -> int:
    """Update a project, print what was done, and return 1 if there are conflicts."""
    folder = options.folder
    changes = plan_update(folder)
    if options.dry_run:
        print("".join(line for change in changes if change.kind for line in differences(change)), end="")
    else:
        if changes and not options.force:
            refuse_uncommitted(folder)
        apply_changes(folder, changes)
        for change in changes:
            if change.kind:
                print(LINES[change.kind].format(path=change.path))
    conflicts = [change.path for change in changes if change.kind in ("conflict", "clash")]
    unresolved = [path for path in unresolved_files(folder) if path not in conflicts]
    for path in unresolved:
        print(f"CONFLICT   {path} still has both versions of an earlier update, between <<<<<<< and >>>>>>>")
    if not options.dry_run and not unresolved and not any(change.kind for change in changes):
        print("There is nothing to update.")
    return 1 if conflicts or unresolved else 0


def plan_update(folder: Path) -> list[Change]:
    """Return the changes that an update makes, the record of the project last.

    Parameters
    ----------
    folder : Path
        Of the project.

    Raises
    ------
    IrislibError
        If it is no project, of a newer irislib, or cannot be read.
    """
    record = read_manifest(folder)
    project = renewed(record.project)
    texts = render_templates(project)
    try:
        changes = [*wheel_changes(folder, record.project.origin.wheel, project.origin.wheel)]
        for path in sorted({*texts, *record.files}):
            base, new = record.files.get(path), texts.get(path)
            if base != new and (change := file_change(folder, path, base, new)):
                changes.append(change)
    except OSError as error:
        raise IrislibError(f"{error.filename} cannot be read: {error.strerror or error}.") from error
    text = manifest(project, texts).encode()
    if text != (old := (folder / MANIFEST).read_bytes().replace(b"\r\n", b"\n")):
        changes.append(Change(MANIFEST, "", old, text))
    return changes


def file_change(folder: Path, path: str, base: str | None, new: str | None) -> Change | None:
    """Return the change of a file whose template has changed; None if it needs none."""
    target = folder / path
    old = target.read_bytes() if target.exists() else None
    if old is None:  # its owner has deleted it, or it is new
        return Change(path, "new", None, new.encode()) if base is None and new is not None else None
    has_crlf = b"\r\n" in old
    theirs = old.replace(b"\r\n", b"\n")

    def as_theirs(data: bytes) -> bytes:
        return data.replace(b"\n", b"\r\n") if has_crlf else data

    if new is None:
        return Change(path, "removed", old, None) if base is not None and theirs == base.encode() else None
    if theirs == new.encode():
        return None
    if base is not None and theirs == base.encode():
        return Change(path, "replaced", old, as_theirs(new.encode()))
    if path in NEVER_MERGED:
        return Change(path, "yours", old, old, as_theirs(new.encode()))
    merged, is_clean = merge(path, (base or "").encode(), theirs, new.encode())
    if merged == theirs:
        return None
    if not is_clean and path.endswith(JSON):
        return Change(path, "clash", old, old, as_theirs(new.encode()))
    return Change(path, "merged" if is_clean else "conflict", old, as_theirs(merged))


def wheel_changes(folder: Path, before: str, now: str) -> Iterator[Change]:
    """The changes of the wheel of irislib that the project has, if it has one."""
    if before and before != now and (old := folder / "wheels" / before).is_file():
        yield Change(f"wheels/{before}", "removed", old.read_bytes(), None)
    if now:
        target = folder / "wheels" / now
        old_data = target.read_bytes() if target.is_file() else None
        new_data = pack_wheel()
        if old_data is None or contents(old_data) != contents(new_data):
            yield Change(f"wheels/{now}", "new" if old_data is None else "replaced", old_data, new_data)


def contents(wheel: bytes) -> dict[str, int]:
    """Return the checksums of a wheel's files, which are the same however they are compressed."""
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            return {info.filename: info.CRC for info in archive.infolist()}
    except zipfile.BadZipFile:
        return {}


def apply_changes(folder: Path, changes: Sequence[Change]) -> None:
    """Write all changes, or none.

    Parameters
    ----------
    folder : Path
        Of the project.
    changes : sequence of Change
        What :func:`plan_update` returns.

    Raises
    ------
    IrislibError
        If a file cannot be written; all are as they were then.
    """
    changes = [change for change in changes if change.old != change.new]
    incomplete: dict[str, Path] = {}
    done: list[Change] = []
    try:
        for change in changes:
            if change.new is not None:
                incomplete[change.path] = prepare(folder / change.path, change.path, change.new)
        for change in changes:
            target = Path(os.path.realpath(folder / change.path))
            if change.new is None:
                target.unlink()
            else:
                incomplete[change.path].replace(target)
            done.append(change)
    except OSError as error:
        for change in reversed(done):
            with suppress(OSError):
                restore(folder / change.path, change.old)
        name = error.filename or folder
        raise IrislibError(f"{name} cannot be written, and nothing was changed: {error.strerror or error}.") from error
    finally:
        for path in incomplete.values():
            path.unlink(missing_ok=True)


def prepare(target: Path, name: str, data: bytes) -> Path:
    """Write what a file will be into another one of its folder, which is made if it is missing, and return that."""
    target = Path(os.path.realpath(target))  # a link goes on leading there
    target.parent.mkdir(parents=True, exist_ok=True)
    incomplete = write_beside(target, data)
    if name in EXECUTABLE and not target.exists():
        incomplete.chmod(incomplete.stat().st_mode | 0o111)
    return incomplete


def restore(target: Path, old: bytes | None) -> None:
    """Make a file what it was."""
    if old is None:
        target.unlink()
    else:
        write_atomically(target, old)


def differences(change: Change) -> Iterator[str]:
    """The lines that say what changes in a file, as `diff -u` has them."""
    old, new = change.old or b"", change.new or b"" if change.proposal is None else change.proposal
    if change.path.endswith(".whl"):
        yield f"{change.kind} {change.path}\n"
        return
    before, after = (
        data.decode(errors="replace").replace("\r\n", "\n").splitlines(keepends=True) for data in (old, new)
    )
    names = (
        change.path if change.old is not None else os.devnull,
        change.path if change.proposal is not None or change.new is not None else os.devnull,
    )
    for line in difflib.unified_diff(before, after, *names):
        yield line if line.endswith("\n") else f"{line}\n"


def unresolved_files(folder: Path) -> list[str]:
    """Return the files that still have the marks of a conflict."""
    files: Mapping[str, str] = read_manifest(folder).files
    return [path for path in files if (folder / path).is_file() and MARKER.search((folder / path).read_bytes())]


def refuse_uncommitted(folder: Path) -> None:
    """Refuse a folder of a git repository that has changes which an update would be mixed with."""
    git = shutil.which("git")
    if git is None:
        return
    command = [git, "-C", str(folder), "status", "--porcelain", "--", "."]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})  # noqa: S603
    if result.returncode:
        if "not a git repository" in result.stderr:
            return
        raise IrislibError(f"git cannot say whether there are uncommitted changes: {result.stderr.strip()}")
    if lines := result.stdout.splitlines():
        raise IrislibError(
            "There are uncommitted changes, which an update would be mixed with, and nothing was changed: commit them "
            f"first, or give --force.\n{chr(10).join(lines[:10])}"
        )
