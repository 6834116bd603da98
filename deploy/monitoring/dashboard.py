"""Renew grafana-dashboard.json, by ``python deploy/monitoring/dashboard.py``: a row of the table below is a panel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE = "[$__rate_interval]"
HERE = '{job=~"$job",instance=~"$instance"}'


def rate(name: str, by: str, more: str = "") -> str:
    """Return the expression of a counter's events per second."""
    selector = HERE.replace("}", f",{more}}}") if more else HERE
    return f"sum by ({by}) (rate({name}{selector}{RATE}))"


def quantile(share: float, name: str, by: str) -> str:
    """Return the expression of a quantile of a histogram."""
    return f"histogram_quantile({share}, {rate(f'{name}_bucket', f'le, {by}' if by else 'le')})"


def now(name: str, by: str) -> str:
    """Return the expression of a gauge."""
    return f"sum by ({by}) ({name}{HERE})"


# A title alone begins a section. Else: title, Grafana's unit, kind of panel, and of each line the text and the query.
PANELS: tuple[Any, ...] = (
    "Is it well?",
    ("Ready", "bool_yes_no", "stat", {"{{instance}}": now("irislib_ready", "instance")}),
    ("Models", "string", "table", {"": f"irislib_model_info{HERE}"}),
    ("Since training", "s", "stat",
     {"{{model}}": f"time() - max by (model) (irislib_model_trained_timestamp_seconds{HERE})"}),
    ("Errors of the last hour", "short", "stat", {
        "responses 5xx": f'sum(increase(irislib_requests_total{HERE[:-1]},status=~"5.."}}[1h]))',
        "callbacks": f"sum(increase(irislib_callback_failures_total{HERE}[1h]))",
        "pages": f"sum(increase(irislib_page_failures_total{HERE}[1h]))",
        "kernels lost": f"sum(increase(irislib_kernels_lost_total{HERE}[1h]))",
    }),
    "Endpoint",
    ("Requests", "reqps", "timeseries",
     {"{{model}} {{endpoint}} {{status}}": rate("irislib_requests_total", "model, endpoint, status")}),
    ("Time to answer, 50 % and 99 %", "s", "timeseries", {
        "{{model}} {{endpoint}} 50 %": quantile(0.5, "irislib_request_seconds", "model, endpoint"),
        "{{model}} {{endpoint}} 99 %": quantile(0.99, "irislib_request_seconds", "model, endpoint"),
    }),
    ("Waiting for a thread", "short", "timeseries", {"requests": now("irislib_queue_requests", "instance")}),
    ("Time in the queue, 99 %", "s", "timeseries",
     {"{{instance}}": quantile(0.99, "irislib_queue_seconds", "instance")}),
    ("Rows of batches", "cps", "timeseries",
     {"{{model}} {{outcome}}": rate("irislib_batch_rows_total", "model, outcome")}),
    ("Prediction log", "cps", "timeseries", {"{{outcome}}": rate("irislib_prediction_log_entries_total", "outcome")}),
    "Pages",
    ("Open pages", "short", "timeseries", {"{{page}}": now("irislib_pages_open", "page")}),
    ("Opened and refused", "cps", "timeseries", {
        "{{page}} {{kind}}": rate("irislib_pages_opened_total", "page, kind"),
        "refused: {{reason}}": rate("irislib_pages_refused_total", "reason"),
    }),
    ("Until a page is sent, and connected, 90 %", "s", "timeseries", {
        "{{page}} sent": quantile(0.9, "irislib_page_open_seconds", "page"),
        "{{page}} connected": quantile(0.9, "irislib_page_ready_seconds", "page"),
    }),
    ("A click, until it is handled", "s", "timeseries", {
        "{{page}} 50 %": quantile(0.5, "irislib_page_request_seconds", "page"),
        "{{page}} 99 %": quantile(0.99, "irislib_page_request_seconds", "page"),
    }),
    "Kernels and memory",
    ("Kernels", "short", "timeseries", {
        "{{state}}": now("irislib_kernels", "state"), "limit": now("irislib_kernels_limit", "instance"),
    }),
    ("A page's wait for its kernel, 90 %", "s", "timeseries",
     {"": quantile(0.9, "irislib_page_kernel_wait_seconds", "")}),
    ("Started and lost", "cps", "timeseries", {
        "started: {{way}}": rate("irislib_kernels_started_total", "way"),
        "lost: {{page}}": rate("irislib_kernels_lost_total", "page"),
    }),
    ("Template processes", "short", "timeseries", {
        "alive": now("irislib_templates", "instance"),
        "replaced": f"sum by (instance) (increase(irislib_template_restarts_total{HERE}{RATE}))",
    }),
    ("Memory", "bytes", "timeseries", {
        "{{process}}": now("irislib_memory_bytes", "process"),
        "available": now("irislib_memory_available_bytes", "instance"),
    }),
    "Versions",
    ("Since the last refresh", "s", "timeseries",
     {"{{model}} {{outcome}}": f"time() - max by (model, outcome) (irislib_refresh_end_timestamp_seconds{HERE})"}),
    ("Duration of the last refresh", "s", "timeseries",
     {"{{model}}": f"max by (model) (irislib_refresh_duration_seconds{HERE})"}),
    ("Refreshes by outcome", "short", "timeseries",
     {"{{model}} {{outcome}}": f"max by (model, outcome) (irislib_refresh_runs{HERE})"}),
    ("Entry of the store", "short", "timeseries", {
        "{{model}} {{instance}}": now("irislib_model_entry", "model, instance"),
        "{{model}} refused": f"sum by (model) (increase(irislib_model_refusals_total{HERE}{RATE}))",
    }),
    ("Rows of candidates", "cps", "timeseries",
     {"{{model}} {{version}} {{outcome}}": rate("irislib_candidate_rows_total", "model, version, outcome")}),
)  # fmt: skip
WIDTH, HEIGHT, COLUMNS = 6, 7, 24


def panels() -> list[dict[str, Any]]:
    """Return the panels, four beside each other."""
    made: list[dict[str, Any]] = []
    x = y = 0
    for number, row in enumerate(PANELS, 1):
        if isinstance(row, str):
            y += HEIGHT if x else 0
            grid = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            made.append({"id": number, "type": "row", "title": row, "collapsed": False, "gridPos": grid, "panels": []})
            x, y = 0, y + 1
            continue
        title, unit, kind, queries = row
        targets = [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": query,
                "legendFormat": legend,
                **({"format": "table", "instant": True} if kind == "table" else {"range": True}),
            }
            for index, (legend, query) in enumerate(queries.items())
        ]
        grid = {"x": x, "y": y, "w": WIDTH, "h": HEIGHT}
        field = {"defaults": {"unit": unit}, "overrides": []}
        panel = {"id": number, "type": kind, "title": title, "datasource": SOURCE, "gridPos": grid}
        made.append({**panel, "fieldConfig": field, "targets": targets})
        x += WIDTH
        if x == COLUMNS:
            x, y = 0, y + HEIGHT
    return made


def variable(name: str, label: str) -> dict[str, Any]:
    """Return a variable with all values of a label of Prometheus's own."""
    query = f"label_values(irislib_info, {name})"
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "query": query, "refresh": 2,
        "includeAll": True, "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "irislib",
        "title": "irislib",
        "tags": ["irislib"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [source, variable("job", "Job"), variable("instance", "Server")]},
        "panels": panels(),
    }


if __name__ == "__main__":
    file = Path(__file__).with_name("grafana-dashboard.json")
    file.write_text(json.dumps(dashboard(), indent=1) + "\n", encoding="utf-8")
