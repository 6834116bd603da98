"""What a server tells its operator, read by the programs that operators use: metrics, traces and logs."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from conftest import PATIENCE, ROOT, Server, free_port, is_up, notebook, open_app, run_irislib, submit_row, wait_until
from invalid_inputs import GOOD
from programs import program
from prometheus_client.parser import text_string_to_metric_families

from irislib._common.json_lines import FIELDS
from irislib._common.metrics import METRICS

MONITORING = ROOT / "deploy" / "monitoring"
KINDS = ("predict", "batch", "insights")
RARE = ("Since the last refresh", "Duration of the last refresh", "Refreshes by outcome", "Rows of candidates")
CSV = ",".join(GOOD) + "\n" + ",".join(map(str, GOOD.values())) + "\n" + "x" + "," * (len(GOOD) - 1) + "\n"
FAULTY = """
import os
import traitlets.log
from irislib import Feature
from irislib.widgets import Page, Tab
class Unclosed:
    def __del__(self):
        raise OSError("it is not closed")
def calculate(values):
    traitlets.log.get_logger().warning("a warning of the kernel")
    os.write(1, b"a result of C\\n")
    os.system("echo trouble in two >&2; echo lines >&2; echo '{\\"time\\": ' >&2")
    Unclosed()
    return 1 / values["amount"]
features = [Feature("amount", low=0)]
Page("Faulty", features, "Divide", calculate, [Tab("Result", lambda x: [str(x)], empty="Press.")])
"""


class Collector:
    """A receiver of OTLP by HTTP, as a collector of traces is one."""

    def __init__(self) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        self.spans: list[tuple[dict[str, Any], Any]] = []  # each with what is known of its process

        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for part in ExportTraceServiceRequest.FromString(body).resource_spans:
                    spans = [span for scope in part.scope_spans for span in scope.spans]
                    collector.spans += [(facts(part.resource), span) for span in spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def tree(self, trace: str) -> dict[str, str]:
        """Return the names of the spans of a trace, and those of their parents."""
        spans = {span.span_id: span for _, span in self.spans if span.trace_id.hex() == trace}
        names = {span.span_id: span.name for span in spans.values()}
        return {span.name: names.get(span.parent_span_id, span.parent_span_id.hex()) for span in spans.values()}


def facts(part: Any) -> dict[str, Any]:
    """Return the attributes of a resource or a span."""
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in part.attributes}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Server]:
    """Apps and endpoint: a page of a model, and one whose button fails."""
    import nbformat

    folder = tmp_path_factory.mktemp("watched")
    (folder / "notebooks").mkdir()
    faulty = notebook(FAULTY)
    faulty.metadata["irislib"] = {"run": "once"}  # although it imports more than irislib
    nbformat.write(faulty, folder / "notebooks" / "faulty.ipynb")
    args = ("--notebooks", str(folder / "notebooks"), "--model", "irislib.iris:spec", "--json-logs",
            "--prediction-log", str(folder / "p"))  # fmt: skip
    server = Server(folder / "log", "serve", "--tracing", *args, **collector.environment).wait()
    yield server
    assert server.stop() == 0
    json_log(server)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Server]:
    """An endpoint of two workers."""
    folder = tmp_path_factory.mktemp("watched")
    args = ("--workers", "2", "--prediction-log", str(folder / "p"), "--json-logs", "--access-logfile", "-")
    server = Server(folder / "log", "api", "--tracing", *args, **collector.environment).wait()
    yield server
    assert server.stop() == 0
    json_log(server)


@pytest.fixture(scope="module")
def traffic(apps: Server, endpoint: Server, chromium: Any, iris: Any, collector: Collector) -> str:
    """A visitor of both pages, and requests to both servers; return the reference of the visitor's error."""
    from conftest import new_page

    for server in (apps, endpoint):
        assert server.post("/iris-wizard", data=GOOD, headers=parent(server)).json() == "virginica"
        assert server.post("/iris-wizard", data={"petal_width_cm": "x"}).status_code == 422
        batch = server.post("/iris-wizard/batch", data=CSV, headers={"Content-Type": "text/csv"})
        assert batch.status_code == 200
    with new_page(chromium, extra_http_headers=parent("page")) as page:
        open_app(page, apps, "iris-wizard", "Abrakadabra")
        submit_row(page, iris, GOOD)
        page.get_by_text("virginica").first.wait_for()
        # a kernel that ends has less than a second to send what it has not sent yet
        wait_until(lambda: "irislib.predict" in collector.tree(trace_of("page")))
        open_app(page, apps, "faulty", "Divide")
        page.get_by_role("textbox", name="amount").fill("0")
        page.get_by_role("button", name="Divide").click()
        text = page.get_by_text("report this reference").first.text_content()
        wait_until(lambda: value(apps, "irislib_page_request_seconds_count", page="faulty") > 0)
    return re.search("reference: ([0-9a-f]{8})", text)[1]


def trace_of(subject: Any) -> str:
    return hashlib.sha256(str(subject if isinstance(subject, str) else subject.url).encode()).hexdigest()[:32]


def parent(subject: Any) -> dict[str, str]:
    """Return the header by which a proxy says which trace a request belongs to."""
    return {"traceparent": f"00-{trace_of(subject)}-00f067aa0ba902b7-01"}


def json_log(server: Server) -> list[dict[str, Any]]:
    """Return the lines of a server's log, each of which is an object with known fields, and no line comes twice."""
    lines = server.text().splitlines()
    plain = [line for line in lines if not line.startswith('{"time": ') or not line.endswith("}")]
    assert plain == []
    objects = [json.loads(line) for line in lines]
    known = {name for names in FIELDS for name in names.split(", ")}
    for fields in objects:
        assert {"time", "level", "logger", "message"} <= fields.keys() <= known, fields
    assert len({*lines}) == len(lines)
    return objects


def value(server: Server, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have these labels."""
    families = text_string_to_metric_families(server.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_each_server_has_the_metrics_of_the_table_and_no_others(apps: Server, endpoint: Server, traffic: str) -> None:
    promtool = program("promtool")
    for server, command in ((apps, "serve"), (endpoint, "api")):
        text = server.get("/metrics").text
        lint = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE
        )
        assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")
        for sample in (  # a counter that is not there before it is 1 never increases, and raises no alert
            'irislib_prediction_log_entries_total{outcome="lost"} 0.0',
            *(f'irislib_requests_total{{endpoint="{kind}",model="iris-wizard",status="500"}} 0.0' for kind in KINDS),
        ):
            assert sample in text.splitlines()
        known = {metric.name.removesuffix("_total"): metric for metric in METRICS.values() if command in metric.servers}
        families = {family.name: family for family in text_string_to_metric_families(text)}
        names = {name for name in families if not name.endswith("_created")}
        rare = ("candidate", "refresh", "store_read", "model_refused")  # only where there are some
        assert {name for name in known.keys() - names if not any(part in name for part in rare)} == set()
        assert names <= known.keys()
        for name in names:
            assert families[name].type == known[name].kind
            labels = {label for sample in families[name].samples for label in sample.labels} - {"le"}
            assert labels <= {*known[name].labels}, name


def test_pages_kernels_and_rows_are_counted(apps: Server, endpoint: Server, traffic: str) -> None:
    for server in (apps, endpoint):
        assert value(server, "irislib_ready") == 1
        for outcome in ("predicted", "refused"):
            assert value(server, "irislib_batch_rows_total", model="iris-wizard", outcome=outcome) == 1
        assert value(server, "irislib_requests_total", endpoint="predict", status="422") == 1
        assert value(server, "irislib_queue_seconds_count") > 0
        assert value(server, "irislib_queue_requests") >= 0
        assert value(server, "irislib_memory_bytes", process="server") > 10_000_000
    for page in ("iris-wizard", "faulty"):
        assert value(apps, "irislib_pages_opened_total", page=page) == 1
        assert value(apps, "irislib_page_ready_seconds_count", page=page) == 1
    assert value(apps, "irislib_kernels_started_total", way="forked") >= 2
    wait_until(lambda: value(apps, "irislib_templates") >= 3)
    assert value(apps, "irislib_callback_failures_total") == 1
    assert value(apps, "irislib_kernels_lost_total") == 0


def test_every_line_is_json_and_leads_from_a_reference_to_the_error(
    apps: Server, endpoint: Server, traffic: str
) -> None:
    (line,) = (line for line in json_log(apps) if line.get("reference") == traffic)
    assert "ZeroDivisionError" in line["exc_info"]
    assert len(line["request_id"]) > 8  # the message of the click
    assert line["page"] == "faulty.ipynb"
    lines = [(line["level"], line["logger"], line["message"]) for line in json_log(apps)]
    assert ("WARNING", "WarmKernelApp", "a warning of the kernel") in lines
    assert ("INFO", "stdout", "a result of C") in lines
    assert ("WARNING", "stderr", 'trouble in two\nlines\n{"time": ') in lines
    (line,) = (line for line in json_log(apps) if "Unclosed.__del__" in line["message"])
    assert "OSError: it is not closed" in line["exc_info"]
    trace = "5b8aa5a2d2c872e8321cf37308d69df2"
    headers = {"X-Request-ID": "wrong-input", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    for server in (apps, endpoint):
        assert server.post("/iris-wizard", data={"petal_width_cm": "x"}, headers=headers).status_code == 422
        wait_until(lambda server=server: "wrong-input" in server.text())
        (line,) = (line for line in json_log(server) if line.get("request_id") == "wrong-input")
        assert (line["method"], line["path"], line["status"]) == ("POST", "/iris-wizard", 422)
        assert line.get("trace_id") == trace, (server is apps, line)


def test_a_request_and_a_click_are_one_trace_each(
    apps: Server, endpoint: Server, traffic: str, collector: Collector
) -> None:
    proxy = "00f067aa0ba902b7"
    request = {
        "POST /iris-wizard": proxy,
        "irislib.validate": "POST /iris-wizard",
        "irislib.predict": "POST /iris-wizard",
    }
    for server in (apps, endpoint):
        wait_until(lambda server=server: collector.tree(trace_of(server)) == request)
    asked, called = "irislib.page_request /iris-wizard", "irislib.callback"
    visit = {"GET /iris-wizard": proxy, asked: "GET /iris-wizard", "irislib.predict": called}
    wait_until(lambda: visit.items() <= collector.tree(trace_of("page")).items())
    wait_until(lambda: collector.tree(trace_of("page"))[called].startswith("irislib.page_request "))
    wait_until(lambda: any(span.name == called and span.status.code == 2 for _, span in collector.spans))
    spans = [(where, span) for where, span in collector.spans if span.trace_id.hex() == trace_of("page")]
    assert len({where["process.pid"] for where, _ in spans}) == 3  # the server, and a kernel of each page
    assert {where["service.name"] for where, _ in spans} == {"irislib"}
    (failed,) = (span for _, span in spans if span.name == called and span.status.code == 2)
    assert facts(failed)["error.type"] == "ZeroDivisionError"
    (line,) = (line for line in json_log(apps) if line.get("reference") == traffic)
    assert line["trace_id"] == trace_of("page")
    (posted,) = (span for _, span in collector.spans if span.trace_id.hex() == trace_of(endpoint) and span.kind == 2)
    known = facts(posted)
    assert (known["http.request.method"], known["http.route"]) == ("POST", "/iris-wizard")
    assert known["http.response.status_code"] == 200
    assert known["irislib.request_id"]
    text = " ".join(str(span) for _, span in collector.spans)
    assert "virginica" not in text
    assert not [span for _, span in collector.spans if span.events]  # which could quote a value


def test_without_the_option_nothing_is_imported_and_without_the_extra_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import sys; print([name for name in sys.modules if 'opentelemetry' in name]); raise SystemExit"
    assert run_irislib(code=code).stdout.strip() == "[]"  # in a process that has imported both servers
    missing = "import sys; sys.modules['opentelemetry.sdk'] = None"
    for command in ("serve", "api"):
        result = run_irislib(command, "--tracing", code=missing)
        assert result.returncode == 1
        text = f"irislib {command}: --tracing needs OpenTelemetry: pip install 'irislib[tracing]'\n"
        assert result.stderr == text


@pytest.fixture(scope="module")
def prometheus(apps: Server, endpoint: Server, traffic: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a Prometheus server that has our configuration and has scraped both servers twice."""
    import yaml

    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
    config["rule_files"] = [str(MONITORING / "rules.yml")]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{s.port}" for s in (apps, endpoint)]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{port}"
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program("prometheus"), *arguments], stdout=log, stderr=subprocess.STDOUT)

    def has_scraped() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        if not is_up(f"{url}/-/ready"):
            return False
        found = query(url, 'min(count_over_time(up{job="irislib"}[1m])) and sum(up) == 2')
        return bool(found) and float(found[0]["value"][1]) > 2

    try:
        wait_until(has_scraped)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def query(url: str, expression: str) -> list[Any]:
    """Return what a Prometheus server makes of an expression."""
    answer = requests.get(f"{url}/api/v1/query", params={"query": expression}, timeout=PATIENCE).json()
    assert answer["status"] == "success", (expression, answer)
    return answer["data"]["result"]  # type: ignore[no-any-return]


def test_prometheus_has_data_for_each_panel(prometheus: str) -> None:
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    empty = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = re.sub(r"\$(job|instance)", ".*", target["expr"]).replace("$__rate_interval", "1m")
            if not query(prometheus, expression) and panel["title"] not in RARE:
                empty.append((panel["title"], expression))
    assert not empty
    for variable in dashboard["templating"]["list"][1:]:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
        assert all(label in series["metric"] for series in query(prometheus, metric))


def test_prometheus_takes_the_alerts(prometheus: str) -> None:
    for kind, file in (("config", "prometheus.yml"), ("rules", "rules.yml")):
        check = [program("promtool"), "check", kind, str(MONITORING / file)]
        assert subprocess.run(check, capture_output=True, timeout=PATIENCE).returncode == 0

    def rules() -> list[Any]:
        groups = requests.get(f"{prometheus}/api/v1/rules", timeout=PATIENCE).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert {rule["health"] for rule in rules()} == {"ok"}
    assert not [rule["name"] for rule in rules() if rule["state"] == "firing" and rule["name"] != "IrislibMemoryLow"]


def test_what_is_asked_for_is_what_there_is() -> None:
    texts = [(MONITORING / name).read_text() for name in ("grafana-dashboard.json", "rules.yml")]
    for name in re.findall(r"\birislib_\w+", " ".join(texts)):
        assert name in METRICS or METRICS[name.removesuffix("_bucket")].kind == "histogram", name


def test_the_dashboard_is_one_of_grafanas_and_up_to_date() -> None:
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models.dashboard import Dashboard

    text = (MONITORING / "grafana-dashboard.json").read_text()
    assert json.loads(text) == runpy.run_path(str(MONITORING / "dashboard.py"))["dashboard"]()
    read = json.loads(json.dumps(Dashboard.from_json(json.loads(text)), cls=JSONEncoder))
    assert_within(json.loads(text), read)


def assert_within(part: Any, whole: Any) -> None:
    """Check that a model generated from Grafana's schema has kept everything."""
    if isinstance(part, dict):
        assert part.keys() <= whole.keys()
        for name, content in part.items():
            assert_within(content, whole[name])
    elif isinstance(part, list):
        assert len(part) == len(whole)
        for one, other in zip(part, whole, strict=True):
            assert_within(one, other)
    else:
        assert part == whole
