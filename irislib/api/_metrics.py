"""The metrics for a Prometheus server, added up over all of Gunicorn's workers."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from irislib.api._following import metric_families
from irislib.api._metrics_files import FOLDER, AllocatedDict, slot

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib.api._application import Endpoint

__all__ = ["FOLDER", "Metrics", "no_failure"]

log = logging.getLogger(__name__)

CANDIDATE_OUTCOMES = ("current", "answered", "compared", "different", "failed", "dropped")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


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
        self.requests = Counter(
            "irislib_requests", "Requests that were answered.", ["model", "endpoint", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "irislib_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ["model", "endpoint"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.log_entries = Counter(
            "irislib_prediction_log_entries",
            "Predictions for the prediction log: written, lost, or left out of a batch.",
            ["outcome"],
            registry=self.registry,
        )

        self.candidate_rows = Counter(
            "irislib_candidate_rows",
            "Rows of a model that has a candidate: answered by the current version or by the candidate, compared, "
            "different, failed, or dropped because too many waited.",
            ["model", "version", "outcome"],
            registry=self.registry,
        )
        self.candidate_difference = Counter(
            "irislib_candidate_difference",
            "The sum of the absolute differences of the numbers that were compared.",
            ["model", "version"],
            registry=self.registry,
        )

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
        return generate_latest(registry) + generate_latest(models)

    def collect(self) -> Iterable[Any]:
        """Yield the version of each model and what follows the store; called by prometheus_client."""
        info = GaugeMetricFamily("irislib_model_info", "The models that answer.", labels=["model", "version"])
        for model in self.endpoint.models.values():
            info.add_metric([model.spec.name, model.version], 1)
        yield info
        yield from metric_families(self.endpoint.models.values(), self.endpoint.following())
