"""The metrics for a Prometheus server, added up over all of Gunicorn's workers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from irislib._modeling.model import Model

__all__ = ["FOLDER", "Metrics"]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own name for where processes leave their numbers
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one process, and the sums over all processes.

    Parameters
    ----------
    models : sequence of Model
    """

    def __init__(self, models: Sequence[Model]):
        self.models = models
        self.shared = bool(os.environ.get(FOLDER))
        if self.shared:
            values.ValueClass = values.MultiProcessValue(_slot)  # type: ignore[no-untyped-call]
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

    def count(self, model: str, endpoint: str, status: str, seconds: float) -> None:
        """Count one answer."""
        self.requests.labels(model, endpoint, status).inc()
        self.seconds.labels(model, endpoint).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        registry = CollectorRegistry() if self.shared else self.registry
        if self.shared:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        models = CollectorRegistry()
        models.register(self)
        return generate_latest(registry) + generate_latest(models)

    def collect(self) -> Iterable[Any]:
        """Yield the version of each model; called by prometheus_client."""
        info = GaugeMetricFamily("irislib_model_info", "The models that answer.", labels=["model", "version"])
        for model in self.models:
            info.add_metric([model.spec.name, model.version], 1)
        yield info


_held: dict[str, int] = {"pid": 0, "slot": 0}


def _slot() -> int:
    """Return a number of this process's own, among those that run.

    prometheus_client names a file by each process's id, so that there are ever more of them while
    workers come and go. A new worker takes over the files of one that has ended instead, and counts on in them.
    """
    # mark_process_dead is no way out: it deletes the files of live gauges only, for those of counters and
    # histograms still count, and we have no live gauge.
    if _held["pid"] == os.getpid():
        return _held["slot"]
    import fcntl

    for number in itertools.count():
        path = Path(os.environ[FOLDER]) / f"slot-{number}"
        try:
            # never closed: the lock is given back when the process ends, however it does
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except PermissionError:
            if not path.exists():
                raise
            continue  # that of a master which runs as another user than its workers
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            continue
        _held.update(pid=os.getpid(), slot=number)
        break
    return _held["slot"]
