"""The metrics for a Prometheus server, added up over all of Gunicorn's workers."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from irislib import __version__
from irislib._common.metrics import family, make
from irislib._common.process_memory import shared_out_bytes
from irislib.api._following import metric_families
from irislib.api._metrics_files import FOLDER, AllocatedDict, slot
from irislib.api._refresh_metrics import refresh_families

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.api._application import Endpoint

__all__ = ["FOLDER", "Metrics", "no_failure", "single"]

log = logging.getLogger(__name__)

CANDIDATE_OUTCOMES = ("current", "answered", "compared", "different", "failed", "dropped")


@contextlib.contextmanager
def no_failure() -> Iterator[None]:
    """Log a failure to count, which must not cost the response."""
    try:
        yield
    except Exception:
        log.exception("A request could not be counted.")


class Metrics:
    """The metrics of one process, and the sums over all processes.

    Parameters
    ----------
    endpoint : Endpoint
        Whose models are listed.
    """

    def __init__(self, endpoint: Endpoint):
        self.endpoint = endpoint
        self.shared = bool(os.environ.get(FOLDER))
        if self.shared:
            values.MmapedDict = AllocatedDict  # type: ignore[attr-defined]
            values.ValueClass = values.MultiProcessValue(slot)  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.more: list[CollectorRegistry] = []  # of the server
        self.requests = make("irislib_requests_total", self.registry)
        self.seconds = make("irislib_request_seconds", self.registry)
        self.queue_seconds = make("irislib_queue_seconds", self.registry)
        self.queue_requests = make("irislib_queue_requests", self.registry, multiprocess_mode="livesum")
        self.batch_rows = make("irislib_batch_rows_total", self.registry)
        self.log_entries = make("irislib_prediction_log_entries_total", self.registry)
        self.candidate_rows = make("irislib_candidate_rows_total", self.registry)
        self.candidate_difference = make("irislib_candidate_difference_total", self.registry)

    def begin(self) -> None:
        """Forget what waited in a process that has ended, and whose numbers this one goes on with."""
        self.queue_requests.set(0)

    def enter_queue(self) -> float:
        """Count a request that waits for a thread, and return when it began to."""
        self.queue_requests.inc()
        return perf_counter()

    def leave_queue(self, begin: float) -> None:
        """Count how long a request has waited."""
        with no_failure():
            self.queue_requests.dec()
            self.queue_seconds.observe(perf_counter() - begin)

    def candidate_counts(self, model: Model) -> dict[str, Any]:
        """Return the counters of a candidate, by what they count."""
        labels = model.spec.name, model.version
        counts = {outcome: self.candidate_rows.labels(*labels, outcome) for outcome in CANDIDATE_OUTCOMES}
        return {**counts, "difference": self.candidate_difference.labels(*labels)}

    def count(self, model: str, endpoint: str, status: str, seconds: float) -> None:
        """Count one answer."""
        with no_failure():
            self.requests.labels(model, endpoint, status).inc()
            self.seconds.labels(model, endpoint).observe(seconds)

    def count_batch(self, model: str, predicted: int, refused: int) -> None:
        """Count rows of a batch."""
        with no_failure():
            self.batch_rows.labels(model, "predicted").inc(predicted)
            self.batch_rows.labels(model, "refused").inc(refused)

    def count_log(self, outcome: str, number: int) -> None:
        """Count entries of the prediction log by what became of them."""
        self.log_entries.labels(outcome).inc(number)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        registry = CollectorRegistry() if self.shared else self.registry
        if self.shared:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        models = CollectorRegistry()
        models.register(self)
        return b"".join(map(generate_latest, (registry, models, *self.more)))

    def collect(self) -> Iterable[Any]:
        """Yield the gauges, read at this moment; called by prometheus_client."""
        endpoint = self.endpoint
        models = list(endpoint.models.values())
        yield single("irislib_info", [__version__], 1)
        yield single("irislib_ready", [], endpoint.status() == "ready")
        info, trained, candidates = map(
            family, ("irislib_model_info", "irislib_model_trained_timestamp_seconds", "irislib_candidate_info")
        )
        for model in models:
            labels = [model.spec.name, model.version]
            info.add_metric(labels, 1)
            trained.add_metric(labels, dt.datetime.fromisoformat(model.trained_at).timestamp())
            if (candidate := endpoint.candidate_of(model.spec.name)) is not None:
                mode = "shadow" if candidate.share is None else "share"
                candidates.add_metric([model.spec.name, candidate.model.version, mode], 1)
        memory = family("irislib_memory_bytes")
        for name, pids in endpoint.processes().items():
            memory.add_metric([name], shared_out_bytes(pids))
        yield from (info, trained, candidates, memory)
        yield from metric_families(models, endpoint.following())
        yield from refresh_families(model.spec.name for model in models)


def single(name: str, labels: list[str], value: float) -> Any:
    """Return a family of one sample."""
    only = family(name)
    only.add_metric(labels, value)
    return only
