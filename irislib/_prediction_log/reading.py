"""The records of a prediction log, read while it is written."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from irislib._prediction_log.files import log_files
from irislib.errors import DataError

__all__ = ["read_records"]

Record = dict[str, Any]


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
