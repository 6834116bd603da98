"""Metrics of the refreshes of this machine, read from their records."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from irislib._common.metrics import family
from irislib._refresh import runs

__all__ = ["refresh_families"]


def refresh_families(names: Iterable[str]) -> Iterable[Any]:
    """Return the metrics of the refreshes of some models; none of a model that was never refreshed here."""
    count = family("irislib_refresh_runs")
    duration = family("irislib_refresh_duration_seconds")
    ended = family("irislib_refresh_end_timestamp_seconds")
    for name in names:
        recent: list[runs.Run] = []
        with suppress(Exception):  # a store that cannot be read has metrics of its own
            recent = runs.recent(name)
        for outcome, number in Counter(run.state for run in recent).items():
            count.add_metric([name, outcome], number)
        done = [run for run in recent if run.ended]  # the newest first
        if done:
            duration.add_metric([name], _timestamp(done[0].ended) - _timestamp(done[0].started))
        for outcome, run in {run.state: run for run in reversed(done)}.items():
            ended.add_metric([name, outcome], _timestamp(run.ended))
    return [metric for metric in (count, duration, ended) if metric.samples]


def _timestamp(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).timestamp()
