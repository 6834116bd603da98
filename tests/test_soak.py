"""A few visits of `make soak`: whoever comes and goes, in whatever way, leaves nothing behind."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from conftest import ROOT


def test_visitors_leave_nothing_behind(chromium: Any, iris: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import soak

    with soak.tempfile.TemporaryDirectory() as place, soak.serving(Path(place)) as server:  # a short path
        found = soak.Soak(server, Path(place), iris, kill_share=0.25)
        found.run(lambda: nullcontext(chromium), lambda: found.visits < 8)
        assert soak.faults(found) == []
        assert found.samples[0].processes["server"] == 1
        assert set(found.ways) == {"close", "navigate", "vanish", "kill"}
        assert found.visits == 8
