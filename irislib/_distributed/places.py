"""The folders, and the URLs that fsspec knows, which tables are read from and results are written to."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from irislib._common.messages.scoring import TEXTS
from irislib.errors import IrislibError

__all__ = ["Input", "Output", "find_inputs", "is_storage_error", "open_input", "storage_errors"]

KINDS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}
COPIED_BYTES = 1 << 20
# what tells one content of a file from another, by the names that file systems have for it
MARKS = ("size", "mtime", "ETag", "etag", "LastModified", "last_modified", "generation", "updated", "md5Hash")
PRIVATE = ".irislib-score"  # the folder of what is no result


@dataclass(frozen=True)
class Input:
    """A table to score.

    Attributes
    ----------
    url : str
    name : str
        Its path below what all of them have in common.
    size : int
        In bytes.
    mark : str
        Changes with its content.
    """

    url: str
    name: str
    size: int
    mark: str

    @property
    def display_path(self) -> str:
        """The path of a file of this machine, or the URL."""
        return self.url.removeprefix("file://")

    @property
    def kind(self) -> str:
        """Either ``csv`` or ``parquet``."""
        return KINDS[Path(self.name.removesuffix(self.packing)).suffix.lower()]

    @property
    def packing(self) -> str:
        """The end of the name that says how the file is compressed, or nothing."""
        suffix = Path(self.name).suffix
        return suffix if suffix.lower() in COMPRESSIONS else ""


def is_storage_error(error: Exception) -> bool:
    """Return True for what a disk or a library for URLs raises: no fault that Python finds in a program."""
    return isinstance(error, OSError) or type(error).__module__ != "builtins"


@contextmanager
def storage_errors() -> Iterator[None]:
    """Raise IrislibError from whatever a disk or a library for URLs raises."""
    try:
        yield
    except IrislibError:
        raise
    except Exception as error:
        if not is_storage_error(error):
            raise
        raise IrislibError(TEXTS["storage"].format(error=error)) from error


def find_inputs(pattern: str) -> list[Input]:
    """Return the files of a pattern such as ``in/*.csv`` or ``s3://bucket/in/*.parquet``, in the order of their names.

    Raises
    ------
    IrislibError
        If there is none, or one is no table by its name.
    """
    system, path = _system(pattern)
    is_pattern = _first_glob(path) < len(path) and not os.path.isfile(path)  # a file's own name may have brackets
    by_path = system.glob(path, detail=True) if is_pattern else _one(system, path)
    infos = [info for _, info in sorted(by_path.items()) if info["type"] == "file"]
    if not infos:
        raise IrislibError(TEXTS["nothing_found"].format(pattern=pattern))
    start = path.rfind("/", 0, _first_glob(path) if is_pattern else len(path)) + 1
    inputs = []
    for info in infos:
        mark = json.dumps([str(info[name]) for name in MARKS if name in info])
        file = Input(system.unstrip_protocol(info["name"]), info["name"][start:], info["size"] or 0, mark)
        if Path(file.name.removesuffix(file.packing)).suffix.lower() not in KINDS:
            raise IrislibError(TEXTS["other_kind"].format(path=file.name))
        inputs.append(file)
    return inputs


def _one(system: Any, path: str) -> dict[str, Any]:
    """Return a file by its path, if it is there."""
    with suppress(FileNotFoundError):
        info = system.info(path)
        return {path: info} if info["type"] == "file" else {}
    return {}


def _first_glob(path: str) -> int:
    return min((path.find(sign) for sign in "*?[" if sign in path), default=len(path))


def _system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        name = (error.name or str(error)).partition(".")[0]
        raise IrislibError(TEXTS["extra_missing"].format(name=name, url=url)) from None
    except ValueError as error:
        raise IrislibError(TEXTS["unreadable"].format(path=url, error=error)) from None
    return system, str(path)


@contextmanager
def open_input(file: Input) -> Iterator[IO[bytes]]:
    """Open a table for reading, also backwards: what is elsewhere or compressed is copied to this machine first."""
    import fsspec

    system, path = _system(file.url)
    packing = COMPRESSIONS.get(file.packing.lower())
    if packing is None and _is_local(system):
        with open(path, "rb") as local:
            yield local
        return
    with tempfile.TemporaryFile(prefix="irislib-score-") as copy:
        with fsspec.open(file.url, "rb", compression=packing) as remote:
            while block := remote.read(COPIED_BYTES):
                copy.write(block)
        copy.seek(0)
        yield copy


def _is_local(system: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(system, LocalFileSystem)


class Output:
    """The folder or URL that results are kept at: each file is whole as soon as it is there.

    Parameters
    ----------
    url : str
    """

    def __init__(self, url: str):
        self.url = url
        self.system, path = _system(url)
        self.path = path.rstrip("/")
        self.is_local = _is_local(self.system)

    def __reduce__(self) -> tuple[type[Output], tuple[str]]:
        return Output, (self.url,)

    def at(self, name: str) -> str:
        """Return the path of a file."""
        return f"{self.path}/{name}"

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None if there is none."""
        self.system.invalidate_cache()
        try:
            return bytes(self.system.cat_file(self.at(name)))
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int | None:
        """Return the size of a file, or None if there is none."""
        try:
            return int(self.system.info(self.at(name))["size"])
        except FileNotFoundError:
            return None

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the sizes of the files in a folder, and in those below it, by their names."""
        self.system.invalidate_cache()
        infos = self.system.find(self.at(folder), detail=True)
        return {path.removeprefix(f"{self.path}/"): info["size"] for path, info in infos.items()}

    def write(self, name: str, content: bytes) -> None:
        """Write a file in one step, in place of one that is there."""
        with self.new_file(name) as file:
            file.write(content)

    @contextmanager
    def new_file(self, name: str) -> Iterator[IO[bytes]]:
        """Write a file that is there, in place of one before, when the context ends without an error."""
        # in a folder on the same disk it need only be renamed
        folder = self.at(f"{PRIVATE}/unfinished") if self.is_local else tempfile.gettempdir()
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"irislib-score-{secrets.token_hex(8)}")
        try:
            with open(path, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if self.is_local:
                os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
                os.replace(path, self.at(name))
            else:
                self.system.put_file(path, self.at(name))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def remove(self, folder: str) -> None:
        """Remove a folder with what is in it."""
        with suppress(FileNotFoundError):
            self.system.rm(self.at(folder), recursive=True)
