"""The options of the prediction log, the same in both servers and in visitors' kernels."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from irislib._common.settings import SETTINGS, environment_value
from irislib._store.files import check_url, parse_root
from irislib.errors import IrislibError

__all__ = ["LogOptions"]

MIN_BYTES = 1_000_000
_NUMBERS = ("bytes", "days", "batch_rows", "upload_seconds")


@dataclass(frozen=True)
class LogOptions:
    """The folder of the prediction log, and its limits.

    Attributes
    ----------
    folder : str
        Nothing is logged if it is empty. Of a log at a URL, the folder where it waits to be uploaded.
    bytes : int
        The most bytes of all files in the folder, and at the URL.
    days : int
        Files that nobody has written to for so many days are deleted; 0 keeps them.
    batch_rows : int
        The most rows of one batch that are logged.
    url : str
        Where the files go, if not into a folder.
    upload_seconds : int
        The seconds between two uploads.
    """

    folder: str = ""
    bytes: int = SETTINGS["prediction_log_bytes"].default
    days: int = SETTINGS["prediction_log_days"].default
    batch_rows: int = SETTINGS["prediction_log_batch_rows"].default
    url: str = ""
    upload_seconds: int = SETTINGS["prediction_log_upload_seconds"].default

    @property
    def source(self) -> str:
        """The place that the log is read from: its URL, else its folder."""
        return self.url or self.folder

    @classmethod
    def from_environment(cls, **changes: str | int) -> LogOptions:
        """Return the options that the environment sets, with changes, as `of_server` takes them."""
        names = {"folder": "prediction_log", **{name: f"prediction_log_{name}" for name in ("spool", *_NUMBERS)}}
        values = {field: environment_value(name) for field, name in names.items()}
        chosen = {field: value for field, value in values.items() if value is not None} | changes
        spool, root = chosen.pop("spool", ""), parse_root(chosen.get("folder", ""))
        if chosen.get("folder") and isinstance(root, str):
            return cls(**chosen | {"folder": spool or str(_spool_of(root)), "url": root})
        return cls(**chosen | {"folder": str(root)}) if chosen.get("folder") else cls(**chosen)

    def to_environment(self) -> dict[str, str]:
        """Return the environment variables for another process with the same log, which it leaves to be uploaded."""
        if not self.folder:
            return {}
        numbers = {SETTINGS[f"prediction_log_{name}"].variable: str(getattr(self, name)) for name in _NUMBERS}
        return {SETTINGS["prediction_log"].variable: str(Path(self.folder).resolve()), **numbers}

    def hand_over(self, user: int, group: int) -> None:
        """Give the folder to those who write to it, unless there is something in it already."""
        if self.folder:
            with suppress(OSError):
                if not any(os.scandir(self.folder)):
                    os.chown(self.folder, user, group)

    @classmethod
    def of_server(cls, values: Mapping[str, str | int]) -> LogOptions:
        """Return the options of a server: those of its command line, by the settings' names, else the environment's.

        Raises
        ------
        IrislibError
            If the folder cannot be made or written, or there is no library for the URL.
        """
        prefix = "prediction_log"
        changes = {
            name.removeprefix(f"{prefix}_") if name != prefix else "folder": value
            for name, value in values.items()
            if name.startswith(prefix) and value not in ("", None)
        }
        options = cls.from_environment(**changes)
        if not options.folder:
            return options
        if options.url:
            check_url(options.url)
        if options.bytes < MIN_BYTES:
            raise IrislibError(f"--prediction-log-bytes: give at least {MIN_BYTES:,}, got {options.bytes:,}.")
        folder = Path(options.folder).absolute()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            option = "--prediction-log-spool" if options.url else "--prediction-log"
            raise IrislibError(f"{option} {folder}: {error.strerror or error}.") from error
        return replace(options, folder=str(folder))


def _spool_of(url: str) -> Path:
    """Return the folder in the user's data folder for the log of a URL."""
    from platformdirs import user_data_path

    return user_data_path("irislib") / "prediction-log" / hashlib.sha256(url.encode()).hexdigest()[:12]
