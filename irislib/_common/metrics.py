"""The metrics: one table behind what the servers count, the page about monitoring and its dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["METRICS", "Metric", "family", "make", "reference_table"]

ANSWER_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
PAGE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BOTH, SERVE = ("serve", "api"), ("serve",)


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes
    ----------
    name : str
        As a Prometheus server has it; a histogram's without ``_bucket``, ``_sum`` and ``_count``.
    kind : str
        ``counter``, ``gauge`` or ``histogram``.
    help : str
        One sentence or two.
    labels : tuple of str
        Each has a bounded number of values.
    servers : tuple of str
        Which have it: ``serve`` and ``api``.
    buckets : tuple of float
        The upper bounds of a histogram.
    """

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    servers: tuple[str, ...] = BOTH
    buckets: tuple[float, ...] = ()


_ALL = (
    Metric("irislib_info", "gauge", "1; the version of irislib is a label.", ("version",)),
    Metric("irislib_ready", "gauge", "1 if every page can be opened, as /readyz says; else 0."),
    Metric(
        "irislib_requests_total", "counter",
        "Requests that were answered. The endpoint is predict, batch, insights or page, and other outside of a model.",
        ("model", "endpoint", "status"),
    ),
    Metric(
        "irislib_request_seconds", "histogram", "Seconds from a request's head to the end of its answer.",
        ("model", "endpoint"), buckets=ANSWER_SECONDS,
    ),
    Metric(
        "irislib_queue_seconds", "histogram",
        "Seconds that a request has waited for a thread. `irislib api` answers single rows without one.",
        buckets=ANSWER_SECONDS,
    ),
    Metric("irislib_queue_requests", "gauge", "Requests that wait for a thread now."),
    Metric(
        "irislib_batch_rows_total", "counter", "Rows of batches: predicted, or refused for a wrong value.",
        ("model", "outcome"),
    ),
    Metric(
        "irislib_prediction_log_entries_total", "counter",
        "Predictions for the prediction log: written, lost, or left_out of a batch. A page's kernel writes its own.",
        ("outcome",),
    ),
    Metric("irislib_model_info", "gauge", "1 for each model that answers.", ("model", "version")),
    Metric(
        "irislib_model_trained_timestamp_seconds", "gauge", "When the version of a model was trained.",
        ("model", "version"),
    ),
    Metric("irislib_model_entry", "gauge", "The entry of the store's log that is served.", ("model",)),
    Metric(
        "irislib_model_refused", "gauge", "1 for the current version of the store if it cannot be served here.",
        ("model", "version"),
    ),
    Metric(
        "irislib_model_refusals_total", "counter",
        "Versions that could not be served here, since the server has read its options.", ("model",),
    ),
    Metric("irislib_store_read_timestamp_seconds", "gauge", "When the store was last read.", ("model",)),
    Metric(
        "irislib_candidate_info", "gauge", "1 for each model's candidate; the mode is share or shadow.",
        ("model", "version", "mode"),
    ),
    Metric(
        "irislib_candidate_rows_total", "counter",
        "Rows of a model that has a candidate: answered by the current version or by the candidate, compared, "
        "different, failed, or dropped because too many waited.",
        ("model", "version", "outcome"),
    ),
    Metric(
        "irislib_candidate_difference_total", "counter",
        "The sum of the absolute differences of the numbers that were compared.", ("model", "version"),
    ),
    Metric(
        "irislib_refresh_runs", "gauge",
        "The last 20 refreshes on this machine: accepted, refused, failed, cancelled or running.",
        ("model", "outcome"),
    ),
    Metric("irislib_refresh_duration_seconds", "gauge", "How long the last refresh has taken.", ("model",)),
    Metric(
        "irislib_refresh_end_timestamp_seconds", "gauge", "When the last refresh of each outcome has ended.",
        ("model", "outcome"),
    ),
    Metric(
        "irislib_memory_bytes", "gauge",
        "Memory of the server's processes (server, kernels, templates); what they share counts once. Linux only.",
        ("process",),
    ),
    Metric("irislib_memory_available_bytes", "gauge", "Memory that is free or can be freed.", (), SERVE),
    Metric(
        "irislib_pages_opened_total", "counter",
        "Pages that were sent with a kernel of their own. The kind is warm, or visit if the notebook ran for it.",
        ("page", "kind"), SERVE,
    ),
    Metric("irislib_pages_open", "gauge", "Pages that are connected to their kernel now.", ("page",), SERVE),
    Metric(
        "irislib_pages_refused_total", "counter",
        "Pages that were refused: the server is full, or the visitor has too many.", ("reason",), SERVE,
    ),
    Metric(
        "irislib_page_open_seconds", "histogram", "Seconds from the request of a page until it was sent.",
        ("page",), SERVE, PAGE_SECONDS,
    ),
    Metric(
        "irislib_page_ready_seconds", "histogram",
        "Seconds from the request of a page until the browser has connected to its kernel.",
        ("page",), SERVE, PAGE_SECONDS,
    ),
    Metric(
        "irislib_page_kernel_wait_seconds", "histogram", "Seconds that a page has waited for its kernel.",
        (), SERVE, PAGE_SECONDS,
    ),
    Metric(
        "irislib_page_request_seconds", "histogram",
        "Seconds from a message of an open page, such as a click, until its kernel has handled it.",
        ("page",), SERVE, ANSWER_SECONDS,
    ),
    Metric("irislib_page_failures_total", "counter", "Pages on which a cell has failed.", ("page",), SERVE),
    Metric(
        "irislib_callback_failures_total", "counter",
        "Unexpected errors of open pages; the log has each with its reference.", (), SERVE,
    ),
    Metric(
        "irislib_kernels", "gauge",
        "Kernels that are alive: of a visitor, spare (ready for the next one), or starting for a page that waits.",
        ("state",), SERVE,
    ),
    Metric("irislib_kernels_limit", "gauge", "The most kernels of visitors.", (), SERVE),
    Metric(
        "irislib_kernels_started_total", "counter",
        "Kernels that were started: forked from a template process, or as a process of their own.", ("way",), SERVE,
    ),
    Metric(
        "irislib_kernels_lost_total", "counter", "Kernels that have died: of a fault, a limit, or for want of memory.",
        ("page",), SERVE,
    ),
    Metric("irislib_templates", "gauge", "Template processes that are alive.", (), SERVE),
    Metric(
        "irislib_template_restarts_total", "counter", "Times that a template process has ended and was replaced.",
        (), SERVE,
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}


def make(name: str, registry: CollectorRegistry, **options: Any) -> Any:
    """Make a metric that is counted when something happens.

    Parameters
    ----------
    name : str
    registry : CollectorRegistry
    options
        Further arguments of its class in prometheus_client.
    """
    import prometheus_client

    metric = METRICS[name]
    if metric.kind == "histogram":
        options["buckets"] = metric.buckets
    cls = getattr(prometheus_client, metric.kind.capitalize())
    return cls(name, metric.help, metric.labels, registry=registry, **options)


def family(name: str) -> Any:
    """Return an empty family of samples, of a metric that is read at each request."""
    from prometheus_client import metrics_core

    metric = METRICS[name]
    return getattr(metrics_core, f"{metric.kind.capitalize()}MetricFamily")(name, metric.help, labels=metric.labels)


def reference_table() -> str:
    """Return the table of all metrics in Markdown."""
    head = "| metric | type | labels | of | meaning |\n|---|---|---|---|---|\n"
    rows = (
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | "
        f"{', '.join(metric.servers)} | {metric.help} |\n"
        for metric in _ALL
    )
    return head + "".join(rows)
