"""A few visits of `make soak`: whoever comes and goes, in whatever way, leaves nothing behind, and harms nobody."""

from __future__ import annotations

import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conftest import JUMPING_CLOCK, ROOT, Server, descendants, wait_until

HOSTILE = {"overlap", "flood", "stay_silent", "break_chunks", "vanish"}


def test_visitors_leave_nothing_behind(chromium: Any, iris: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import soak

    with ExitStack() as stack:
        temporary = stack.enter_context(soak.tempfile.TemporaryDirectory())  # a short path
        running = Server(tmp_path / "log", *soak.SERVE, code=JUMPING_CLOCK, TMPDIR=temporary).wait()
        stack.callback(running.stop)
        pid = running.process.pid

        def sleep(seconds: float) -> None:
            """Let the server's time pass, which ends kernels without a page once it has noticed them."""
            end = time.monotonic() + min(seconds, 3)
            running.wait_long(lambda: time.monotonic() > end)

        monkeypatch.setattr(soak, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
        memory = SimpleNamespace(settle=lambda: None, pss_mb=lambda pids: 0.0)  # too few visits to tell if it grows
        server = SimpleNamespace(pid=pid, url=running.url, child_pids=lambda: descendants(pid), marked=memory)
        hostile = soak.HostileClients(server.url, 5)
        hostile.flood_seconds, hostile.most = 0.05, 1
        stack.enter_context(hostile)
        hostile.may_work.clear()  # until there is a sample to compare with
        # with this seed four visitors leave in four ways, and one opens all tabs
        options = {"kill_share": 0.25, "first_pairs": 1, "hostile": hostile, "rng": soak.random.Random(0)}
        result = soak.Soak(server, Path(temporary), iris, **options)

        def done() -> set[str]:
            return {*hostile.actions} | {name.partition(":")[0] for name in hostile.surprises}  # cut off, as floods are

        def goes_on() -> bool:
            if result.visits == 2:
                wait_until(lambda: done() == HOSTILE)
            return result.visits < 4

        result.run(lambda: nullcontext(chromium), goes_on)
        assert soak.faults(result) == []
        assert result.samples[0].processes["server"] == 1
        assert set(result.ways) == {"close", "navigate", "vanish", "kill"}
        assert result.visits == 4
