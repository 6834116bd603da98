"""Readiness and metrics of the models that follow the store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.metrics_core import Metric

from irislib._common.metrics import family
from irislib._modeling.model import Model
from irislib.api._candidate import Candidate

__all__ = ["describe", "metric_families"]


def describe(model: Model, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return for readiness which entry of the log this process serves, when the store was read, and what was refused.

    Parameters
    ----------
    model : Model
        The one that is served.
    state : mapping
        As of :meth:`Follower.status`.
    """
    looked_at = state["looked_at"]
    facts = {
        "number": _entry_number(model, state),
        "looked_at": looked_at and dt.datetime.fromtimestamp(looked_at, dt.UTC).isoformat(timespec="seconds"),
        "refused": state["refused"],
    }
    return {"reached": state["reached"]} | {name: value for name, value in facts.items() if value is not None}


def describe_candidate(candidate: Candidate | None, state: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return for readiness which version this process tries and how, and which one it cannot try; empty if none.

    Parameters
    ----------
    candidate : Candidate or None
    state : mapping or None
        As of :meth:`Follower.status`, if the store is followed.
    """
    facts: dict[str, Any] = {}
    if candidate is not None:
        facts = {"version": candidate.model.version, "mode": "shadow" if candidate.share is None else "share"}
        if candidate.share is not None:
            facts["share"] = candidate.share
    return facts | ({"refused": state["refused"]} if state and state["refused"] else {})


def metric_families(models: Iterable[Model], states: Mapping[str, Mapping[str, Any]]) -> Iterable[Metric]:
    """Yield the metrics of the models that follow the store."""
    names = ("irislib_model_entry", "irislib_model_refused", "irislib_model_refusals_total")
    number, refused, count = map(family, names)
    looked_at = family("irislib_store_read_timestamp_seconds")
    for model in models:
        name = model.spec.name
        if (state := states.get(name)) is None:
            continue
        if (entry := _entry_number(model, state)) is not None:
            number.add_metric([name], entry)
        if state["refused"]:
            refused.add_metric([name, state["refused"]["version"]], 1)
        count.add_metric([name], state["n_refused"])
        if state["looked_at"]:
            looked_at.add_metric([name], state["looked_at"])
    return [family for family in (number, refused, count, looked_at) if family.samples]


def _entry_number(model: Model, state: Mapping[str, Any]) -> int | None:
    """Return the number of the entry that a process serves; one that is being replaced has another one than is new."""
    if state["version"] == model.version:  # which may have become current again
        return state["number"]  # type: ignore[no-any-return]
    return None if model.entry is None else model.entry.number
