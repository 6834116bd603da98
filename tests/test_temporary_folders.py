"""Temporary folders of servers that start and end side by side."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from irislib._common import temporary_folders


@pytest.mark.parametrize("sweeps_after_claim", [False, True])
def test_a_folder_that_another_server_sweeps_at_its_making_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sweeps_after_claim: bool
) -> None:
    """Between its making and its lock, a folder looks like that of a killed server."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    claim, swept = temporary_folders.claim, []

    def claim_too_late(folder: Path) -> None:
        if swept:
            return claim(folder)
        swept.append(folder)
        if sweeps_after_claim:
            claim(folder)
        shutil.rmtree(folder)
        if not sweeps_after_claim:
            claim(folder)

    monkeypatch.setattr(temporary_folders, "claim", claim_too_late)
    folder = temporary_folders.make("irislib-session-")
    assert folder.is_dir()
    assert (folder / temporary_folders.LOCK).exists()
    assert list(tmp_path.iterdir()) == [folder]
