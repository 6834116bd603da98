"""The records of a prediction log, read while it is written."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from irislib._prediction_log.files import log_files
from irislib._store.files import Root, files_of
from irislib.errors import DataError

__all__ = ["local_log", "read_records"]

NAME = re.compile(r"predictions-(\d{4}-\d\d-\d\d).*\.jsonl")  # with the day of its last record
AT_ONCE = 8  # files that are read from a URL at the same time

Record = dict[str, Any]


@contextmanager
def local_log(root: Root, since: dt.datetime | None = None) -> Iterator[Path]:
    """Yield a folder with the files of a log, which are read from a URL once.

    Parameters
    ----------
    root : Path or str
        A folder, a file or a URL.
    since : datetime, optional
        With a time zone; files of earlier days are left out.

    Raises
    ------
    DataError
        If there is no log at the URL, or it cannot be read.
    """
    if isinstance(root, Path):
        yield root
        return
    files = files_of(root)
    day = since.astimezone(dt.UTC).date().isoformat() if since else ""
    with TemporaryDirectory(prefix="irislib-log-") as folder:

        def copy(name: str) -> None:
            with suppress(FileNotFoundError):  # deleted meanwhile
                (Path(folder) / name).write_bytes(files.read(name))

        try:
            names = [match for match in map(NAME.fullmatch, files.names("")) if match]
            if not names:
                raise DataError(f"There is no prediction log {root}.")
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(copy, [match[0] for match in names if match[1] >= day]))
        except OSError as error:
            raise DataError(f"The prediction log {root} cannot be read: {error}.") from error
        yield Path(folder)


def read_records(path: Path, since: dt.datetime | None = None) -> Iterator[Record]:
    """Yield the records of a prediction log, of each file in the order in which they were written.

    What is no whole record, such as the end of a file to which a process writes, is left out.

    Parameters
    ----------
    path : Path
        The folder of the log, or a file with such records.
    since : datetime, optional
        With a time zone; earlier records are left out.

    Raises
    ------
    DataError
        If there is no such folder or file, or it cannot be read.
    """
    try:
        for file in _files(path):
            with suppress(FileNotFoundError):  # deleted meanwhile
                if since is None or file.stat().st_mtime >= since.timestamp():
                    yield from _read_file(file, since)
    except OSError as error:
        raise DataError(f"The prediction log {path} cannot be read: {error.strerror or error}.") from error


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"There is no prediction log {path}.")
    return log_files(path)


def _read_file(file: Path, since: dt.datetime | None) -> Iterator[Record]:
    with file.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                continue
            try:
                record = json.loads(line)
                is_wanted = dt.datetime.fromisoformat(record["time"]) >= since if since else bool(record["time"])
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
            if is_wanted:
                yield record
