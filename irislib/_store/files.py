"""The files of a store, in a folder or at a URL: each is whole as soon as it is there, and made by one writer alone."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from irislib.errors import StoreError

__all__ = ["Files", "Root", "check_url", "files_of", "parse_root"]

Root = Path | str  # a folder, or a URL

TEMPORARY = "."  # how the name of a file begins that is being written
_memory = threading.Lock()  # fsspec's memory looks whether a file is there and writes it in two steps


class Files(Protocol):
    """The files of a store, by their paths below its root, with slashes."""

    def read(self, path: str) -> bytes:
        """Return the content of a file, or raise FileNotFoundError."""

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading, or raise FileNotFoundError."""

    def create(self, path: str, content: bytes) -> None:
        """Write a file in one step, or raise FileExistsError if it is there."""

    def replace(self, path: str, content: bytes) -> None:
        """Write a file in one step, in place of the one that is there."""

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, hidden ones included; none if there is no such folder."""

    def modified(self, path: str) -> float:
        """Return when a file was written, in seconds of the store's clock."""

    def delete(self, path: str) -> None:
        """Delete a file; it is no error if it is not there."""


def parse_root(text: str) -> Root:
    """Return a folder, or a URL, of what a setting says."""
    if text.startswith("file:"):
        return Path(url2pathname(urlsplit(text).path))
    if "://" in text:
        return text
    if text.startswith("memory:"):
        return text.replace(":", "://", 1)
    return Path(text).expanduser()


def files_of(root: Root) -> Files:
    """Return the files of the store at a root."""
    if isinstance(root, str):
        root = parse_root(root)
    return Folder(root) if isinstance(root, Path) else ObjectStore(root)


def check_url(url: str) -> None:
    """Check that the library for a URL is there; nothing is asked over the network.

    Raises
    ------
    StoreError
        If it is not, or there is none.
    """
    try:
        import fsspec

        fsspec.get_filesystem_class(url.partition("://")[0].rpartition("::")[2])
    except ImportError as error:
        raise StoreError(f"{url} needs more libraries: pip install 'irislib[stores]' ({error}).") from error
    except ValueError as error:
        raise StoreError(f"{url} cannot be used: {error}.") from error


class Folder:
    """The files of a store in a folder, which may be shared by machines."""

    def __init__(self, root: Path):
        self.root = root

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return (self.root / path).read_bytes()

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        return open(self.root / path, "rb")

    def create(self, path: str, content: bytes) -> None:
        """Write a file in one step, if it is not there."""
        target = self.root / path
        with self._written(target, content) as temporary:
            try:
                os.link(temporary, target)
            except FileExistsError:
                if os.stat(temporary).st_nlink < 2:  # else it is ours: NFS repeats a request whose answer was lost
                    raise
            except OSError:  # a file system without links
                _rename_if_new(temporary, target)

    def replace(self, path: str, content: bytes) -> None:
        """Write a file in one step, in place of the one that is there."""
        target = self.root / path
        with self._written(target, content) as temporary:
            temporary.replace(target)

    @contextmanager
    def _written(self, target: Path, content: bytes) -> Iterator[Path]:
        """Write a file beside another one, and remove it afterwards."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{TEMPORARY}{target.name}-{secrets.token_hex(4)}")
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else it may be empty after a power failure, though its name is there
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        try:
            return os.listdir(self.root / folder)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def modified(self, path: str) -> float:
        """Return when a file was written."""
        return (self.root / path).stat().st_mtime

    def delete(self, path: str) -> None:
        """Delete a file."""
        with suppress(FileNotFoundError):
            os.unlink(self.root / path)


def _rename_if_new(temporary: Path, target: Path) -> None:
    """Rename a file, or raise FileExistsError; one process at a time."""
    with open(target.with_name(f"{TEMPORARY}lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            raise FileExistsError(str(target))
        temporary.rename(target)


class ObjectStore:
    """The files of a store at a URL of fsspec's. On S3, Google Cloud and Azure a new file is a conditional write."""

    def __init__(self, url: str):
        self.url = url

    def _call(self, method: Callable[[Any, str], Any], path: str) -> Any:
        """Call a method with the file system and the path of a file; libraries' own errors become an OSError."""
        try:
            import fsspec

            # Found anew each time: those of another process or thread must not be used, and fsspec keeps them
            system, base = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
            return method(system, f"{base.rstrip('/')}/{path}")
        except ImportError as error:
            raise StoreError(f"{self.url} needs more libraries: pip install 'irislib[stores]' ({error}).") from error
        except (OSError, NotImplementedError):
            raise
        except Exception as error:  # such as botocore's, which are no OSError
            raise OSError(f"{type(error).__name__}: {error}") from error

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        content: bytes = self._call(lambda system, full: system.cat_file(full), path)
        return content

    def open(self, path: str) -> BinaryIO:
        """Return a file for reading, which was read as a whole."""
        from io import BytesIO

        return BytesIO(self.read(path))

    def create(self, path: str, content: bytes) -> None:
        """Write a file by a conditional write, if it is not there."""
        while True:
            try:
                with _memory if self.url.startswith("memory:") else nullcontext():
                    self._call(lambda system, full: _pipe(system, full, content, mode="create"), path)
                return
            except FileExistsError:
                if self.read(path) != content:  # else it is ours: an answer was lost, and the request sent again
                    raise
                return
            except OSError as error:
                if "ConditionalRequestConflict" not in str(error):  # of S3: another one was being written just then
                    raise

    def replace(self, path: str, content: bytes) -> None:
        """Write a file, in place of the one that is there."""
        self._call(lambda system, full: _pipe(system, full, content), path)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        try:
            listed = self._call(lambda system, full: system.ls(full, detail=False), folder)
        except FileNotFoundError:
            return []
        return [name for path in listed if (name := str(path).rstrip("/").rpartition("/")[2])]

    def modified(self, path: str) -> float:
        """Return when a file was written."""
        return float(self._call(lambda system, full: system.modified(full).timestamp(), path))

    def delete(self, path: str) -> None:
        """Delete a file."""
        with suppress(FileNotFoundError):
            self._call(lambda system, full: system.rm_file(full), path)


def _pipe(system: Any, path: str, content: bytes, **options: Any) -> None:
    try:
        system.pipe_file(path, content, **options)
    except FileNotFoundError:  # of a file system with folders
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, content, **options)
