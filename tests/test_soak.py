"""A few visits of `make soak`: whoever comes and goes, in whatever way, leaves nothing behind."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from conftest import ROOT


def test_visitors_leave_nothing_behind(chromium: Any, iris: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import soak

    with soak.tempfile.TemporaryDirectory() as temporary, soak.serving(Path(temporary)) as server:  # a short path
        result = soak.Soak(server, Path(temporary), iris, kill_share=0.25)
        result.run(lambda: nullcontext(chromium), lambda: result.visits < 8)
        assert soak.faults(result) == []
        assert result.samples[0].processes["server"] == 1
        assert set(result.ways) == {"close", "navigate", "vanish", "kill"}
        assert result.visits == 8
