"""The local files that ``load_data`` reads, by which a stored model is compared with its data at no cost.

Python reports each file that is opened and each folder that is listed. Files that a library opens in compiled code
alone, databases on other machines and addresses are not seen: of these a stored model says only when it was trained.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from irislib._description.code_digest import is_installed

__all__ = ["DataFiles", "describe_changed", "names_of", "reads_of_import", "record_import", "record_reads"]

DataFiles = list[dict[str, Any]]  # as JSON has it

SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/run/")
ZONES = "/zoneinfo/"  # the system's time zones, which dateutil reads when pandas imports it
SOURCES = (".py", ".pyc", ".pyi", ".so", ".pyd", ".ipynb")  # code is compared by its digest
LISTINGS = ("os.listdir", "os.scandir")
CHUNK = 2**20


class _Recorder:
    """The files and folders that were read, with the state that each file had when it was first opened."""

    def __init__(self) -> None:
        self.files: dict[str, os.stat_result] = {}
        self.folders: set[str] = set()
        self.is_in_main_thread = _is_main_thread()

    def add(self, event: str, args: tuple[Any, ...]) -> None:
        """Add what an audit event reports, if it may be data."""
        if _is_main_thread() and not self.is_in_main_thread:
            return  # a server trains in a thread, while its main thread reads files of its own
        path = args[0] if args else None
        if event in LISTINGS:
            path = "." if path is None else path
        if not isinstance(path, str | bytes | os.PathLike):  # such as a descriptor
            return
        path = os.path.abspath(os.fsdecode(path))
        if event in LISTINGS:
            self.folders.add(path)
        elif path not in self.files and not (event == "open" and _is_written(*args[1:3])) and _may_be_data(path):
            status = os.stat(path)
            if stat.S_ISREG(status.st_mode):
                self.files[path] = status

    def result(self) -> DataFiles:
        """Return the files, and what of their names was in the folders that were listed."""
        files = [_file_record(path, status) for path, status in sorted(self.files.items())]
        return files + [_folder_record(folder, self.files) for folder in sorted(self.folders) if self._has_read(folder)]

    def _has_read(self, folder: str) -> bool:
        return any(Path(folder) in Path(file).parents for file in self.files)


def _is_main_thread() -> bool:
    return threading.get_ident() == threading.main_thread().ident


_recorders: list[_Recorder] = []
_at_import: dict[str, _Recorder] = {}  # by module
_lock = threading.Lock()
_is_hooked = False


@contextmanager
def record_reads() -> Iterator[Callable[[], DataFiles]]:
    """Record which local files are read, by any thread; yields a function that returns them.

    What the main thread reads does not count where another one records.
    """
    with _recording(_Recorder()) as recorder:
        yield recorder.result


@contextmanager
def record_import(module: str) -> Iterator[None]:
    """Record which local files a user's module reads while it is imported: its ``load_data`` may return them."""
    with _recording(_Recorder()) as recorder:
        yield
    if recorder.files:  # else it may have been imported before
        _at_import[module] = recorder


def reads_of_import(package: str) -> DataFiles:
    """Return the local files that a user's package read while it was imported."""
    recorders = [recorder for module, recorder in _at_import.items() if module.partition(".")[0] == package]
    return [record for recorder in recorders for record in recorder.result()]


@contextmanager
def _recording(recorder: _Recorder) -> Iterator[_Recorder]:
    global _is_hooked
    with _lock:
        if not _is_hooked:
            sys.addaudithook(_on_event)
            _is_hooked = True
    _recorders.append(recorder)
    try:
        yield recorder
    finally:
        _recorders.remove(recorder)


def _on_event(event: str, args: tuple[Any, ...]) -> None:
    """Pass an audit event on; an exception here would be one of whoever opens a file."""
    if not _recorders or event not in ("open", "sqlite3.connect", *LISTINGS):
        return
    try:
        caller = sys._getframe(1).f_code.co_filename
        if "importlib" not in caller and "zipimport" not in caller:
            for recorder in _recorders:
                recorder.add(event, args)
    except Exception:  # noqa: S110 - what cannot be looked at is not compared later
        pass


def _is_written(mode: str | None, flags: int) -> bool:
    return bool(flags & os.O_ACCMODE == os.O_WRONLY) if mode is None else not {*mode} & {"r", "+"}


def _may_be_data(path: str) -> bool:
    return not (path.endswith(SOURCES) or path.startswith(SYSTEM) or ZONES in path or is_installed(path))


def _file_record(path: str, before: os.stat_result) -> dict[str, Any]:
    """Return what a file is compared by; one that was written since it was opened counts as changed later."""
    record = {"path": path, "size": before.st_size, "mtime": before.st_mtime_ns}
    try:
        now = os.stat(path)
        is_same = (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
        return {**record, "digest": _digest(path) if is_same else ""}
    except OSError:  # it was a temporary one
        return {**record, "digest": ""}


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _folder_record(folder: str, files: Iterable[str]) -> dict[str, Any]:
    """Return the names in a folder that are like those that were read there: a new file of another kind is no data."""
    paths = [Path(file).relative_to(folder) for file in files if Path(folder) in Path(file).parents]
    suffixes = sorted({path.suffix for path in paths if len(path.parts) == 1})
    is_deep = any(len(path.parts) > 1 for path in paths)
    names = _names(folder, suffixes, is_deep)
    return {"path": folder, "suffixes": suffixes, "is_deep": is_deep, "names": names}


def _names(folder: str, suffixes: list[str], is_deep: bool) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith((".", "__"))
            and (is_deep if entry.is_dir() else Path(entry.name).suffix in suffixes)
        )


def describe_changed(files: DataFiles) -> str | None:
    """Return the first file or folder that has changed since a model was trained, or None.

    A file that is not there does not count: a store may be used on a machine that has no data.
    """
    return next((record["path"] for record in files if _has_changed(record)), None)


def _has_changed(record: dict[str, Any]) -> bool:
    try:
        if "names" in record:
            return bool(_names(record["path"], record["suffixes"], record["is_deep"]) != record["names"])
        status = os.stat(record["path"])
        if (status.st_size, status.st_mtime_ns) == (record["size"], record["mtime"]):
            return False
        return status.st_size != record["size"] or bool(_digest(record["path"]) != record["digest"])
    except OSError:
        return False


def names_of(files: DataFiles) -> list[str]:
    """Return the names of the files, without their folders, of which a stored model can be compared now."""
    return [Path(record["path"]).name for record in files if "size" in record and os.path.exists(record["path"])]
