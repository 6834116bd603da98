"""Temporary folders of servers that start and end side by side."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from irislib._common import temporary_folders


def test_no_other_server_removes_a_folder_that_is_being_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    flock = fcntl.flock

    def sweep_first(lock: int, operation: int) -> None:
        if not operation & fcntl.LOCK_NB:
            temporary_folders.clear_abandoned(tmp_path, "irislib-session-")
        flock(lock, operation)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    folder = temporary_folders.make("irislib-session-")
    temporary_folders.clear_abandoned(tmp_path, "irislib-session-")
    assert [path.name for path in folder.iterdir()] == [temporary_folders.LOCK]
    os.close(temporary_folders._locks.pop())  # as at the end of its process
    temporary_folders.clear_abandoned(tmp_path, "irislib-session-")
    assert not folder.exists()
