"""The endpoint as an operator runs it: tokens, limits, logs, metrics, and a reload that loses nothing."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from conftest import FUZZ, PATIENCE, PROGRAM, ROOT, SINGLE_THREADED, Server, run_irislib, wait_until
from invalid_inputs import GOOD
from test_api_routes import expect_problem

TOKEN = "s3cret-token"  # noqa: S105
GUARD = {"Authorization": f"Bearer {TOKEN}"}
CSV = ",".join(GOOD) + "\n" + ",".join(map(str, GOOD.values())) + "\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """An endpoint of two workers with all that is off by default."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text(f"{TOKEN}\n")
    args = ("--workers", "2", "--token-file", str(folder / "token"), "--json-logs", "--access-logfile", "-",
            "--cors", "https://lab.example.org", "--max-batch-bytes", "20000", "--proxies", "1",
            "--max-connections-per-client", "5")  # fmt: skip
    server = Server(folder / "log", "api", *args).wait()
    yield server
    assert server.stop() == 0
    assert TOKEN not in server.text()


@pytest.fixture(scope="module")
def guarded_apps(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """Apps and endpoint with a token from the environment."""
    folder = tmp_path_factory.mktemp("apps")
    options = ("--json-logs", "--Pages.warm=False", "--proxies=1", "--AppServer.max_connections_per_client=5")
    server = Server(folder / "log", "serve", *options, IRISLIB_TOKEN=TOKEN).wait()
    yield server
    assert server.stop() == 0
    assert TOKEN not in server.text()
    lines = [json.loads(line) for line in server.text().splitlines() if line.startswith("{")]
    assert any(line.get("status") == 401 and line["request_id"] for line in lines)


@pytest.fixture(params=["guarded", "guarded_apps"])
def server_with_token(request) -> Server:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("path", ["/iris-wizard", "/iris-wizard/batch", "/iris-wizard/refresh"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN},
     {"Authorization": "Basic OnMzY3JldC10b2tlbg=="}, {"Authorization": "Bearer s3cret-tokenx"}],
    ids=["none", "wrong", "basic", "bare", "password", "longer"],
)  # fmt: skip
def test_a_post_without_the_token_is_refused(server_with_token: Server, path: str, headers: dict) -> None:
    body = expect_problem(server_with_token.post(path, json=GOOD, headers=headers), 401)
    assert body["detail"] == "Send the token: Authorization: Bearer <the token>."


@pytest.mark.parametrize(
    "path", ["/metrics", "/docs", "/openapi.json", "/iris-wizard/schema", "/iris-wizard/card", "/iris-wizard/refresh"]
)
def test_documents_need_the_token_too(server_with_token: Server, path: str) -> None:
    response = server_with_token.get(path)
    expect_problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert server_with_token.get(path, headers=GUARD).status_code == 200
    assert requests.head(server_with_token.url + path, headers=GUARD, timeout=PATIENCE).status_code == 200


def test_a_visitor_who_is_logged_in_starts_no_refresh(server_with_token: Server) -> None:
    visitor = requests.Session()
    visitor.auth = ("", TOKEN)
    visitor.get(f"{server_with_token.url}/?token={TOKEN}", timeout=PATIENCE)  # a cookie, of the server with pages
    address = f"{server_with_token.url}/iris-wizard/refresh?skip_bad_rows=1"  # without rows
    assert visitor.post(address, timeout=PATIENCE).status_code == 401
    assert requests.post(address, headers=GUARD, timeout=PATIENCE).status_code == 422


def test_the_token_gives_access_and_probes_need_none(server_with_token: Server) -> None:
    assert server_with_token.post("/iris-wizard", data=GOOD, headers=GUARD).json() == "virginica"
    assert (
        server_with_token.post("/iris-wizard", data=GOOD, headers={"Authorization": f"token {TOKEN}"}).json()
        == "virginica"
    )
    assert server_with_token.get("/healthz").json() == {"status": "ok"}
    ready = server_with_token.get("/readyz").json()
    assert ready["status"] == "ready"
    assert set(ready["models"]["iris-wizard"]) - {"store"} == {"version", "trained_at"}


@pytest.mark.parametrize(
    "path", ["/api/kernels/none", "/api/kernels/none/channels", "/voila/templates/irislib/static/", "/login?next=%ff"]
)
def test_an_error_is_logged_without_the_query_of_its_address(guarded_apps: Server, path: str) -> None:
    query, line = f"token={TOKEN}&petal_width_cm=12.75", f" {path.partition('?')[0]} ("
    before = guarded_apps.text().count(line)
    assert guarded_apps.get(f"{path}{'&' if '?' in path else '?'}{query}").status_code >= 400
    wait_until(lambda: guarded_apps.text().count(line) > before)
    assert TOKEN not in guarded_apps.text()
    assert "12.75" not in guarded_apps.text()


def test_no_header_with_an_underscore_passes_for_another_one(server_with_token: Server) -> None:
    forged = {"X-Forwarded-Prefix": "/apps", "X_Forwarded_Prefix": "/other", "SCRIPT_NAME": "/x"}
    answer = server_with_token.get("/openapi.json", headers={**GUARD, **forged})
    assert answer.json()["servers"][0]["url"].endswith("/apps")
    # a rule of a proxy about /metrics would not see this one
    assert server_with_token.get("/x/metrics", headers={**GUARD, "SCRIPT_NAME": "/x"}).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/iris-wizard/card", "/iris-wizard", "/metrics", "/nothing"])
def test_pages_and_documents_have_the_security_headers(guarded: Server, path: str) -> None:
    for headers in (GUARD, {}):
        response = guarded.get(path, headers=headers)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Content-Security-Policy"].startswith("frame-ancestors 'self'; ")
    operator = guarded.get("/iris-wizard/operator", headers=GUARD)
    assert "frame-ancestors 'none'" in operator.headers["Content-Security-Policy"]  # its own


def test_refusals_for_want_of_the_token_are_counted(server_with_token: Server) -> None:
    def count() -> float:
        text = server_with_token.get("/metrics", headers=GUARD).text
        sample = 'irislib_requests_total{endpoint="batch",model="iris-wizard",status="401"} '
        return sum(float(line.removeprefix(sample)) for line in text.splitlines() if line.startswith(sample))

    before = count()
    for path in ("/iris-wizard/batch", "/iris-wizard/b%61tch"):
        assert server_with_token.post(path, json=[GOOD]).status_code == 401
    wait_until(lambda: count() == before + 2)


def test_a_trusted_proxy_has_as_many_connections_as_it_needs(server_with_token: Server) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", server_with_token.port), PATIENCE))
        assert server_with_token.post("/iris-wizard", data=GOOD, headers=GUARD).status_code == 200


def test_a_browser_may_read_the_documents_by_password_but_not_post(guarded: Server, guarded_apps: Server) -> None:
    typed = ("anyone", TOKEN)
    response = requests.get(f"{guarded.url}/docs", auth=typed, timeout=PATIENCE)
    assert "<h1" in response.text
    assert requests.post(f"{guarded.url}/iris-wizard", data=GOOD, auth=typed, timeout=PATIENCE).status_code == 401
    # where there are apps there is a page to log in at
    visitor = requests.Session()
    moved = visitor.get(
        f"{guarded_apps.url}/docs", headers={"Accept": "text/html"}, timeout=PATIENCE, allow_redirects=False
    )
    assert moved.headers["Location"].startswith("/login?next=%2Fdocs")
    form = visitor.get(guarded_apps.url + moved.headers["Location"], timeout=PATIENCE)
    assert form.status_code == 200
    sent = {"_xsrf": visitor.cookies["_xsrf"], "password": TOKEN + "x"}
    assert "Invalid credentials" in visitor.post(f"{guarded_apps.url}/login", data=sent, timeout=PATIENCE).text
    visitor.post(f"{guarded_apps.url}/login", data={**sent, "password": TOKEN}, timeout=PATIENCE)
    assert "<h1" in visitor.get(f"{guarded_apps.url}/docs", timeout=PATIENCE).text
    assert visitor.post(f"{guarded_apps.url}/iris-wizard", data=GOOD, timeout=PATIENCE).status_code == 401


@pytest.mark.parametrize("request_id", ["my-id.1", "", "x" * 101, "a b", "ü"])
def test_every_response_has_the_id_of_its_request(server_with_token: Server, request_id: str) -> None:
    for path, data, guard in (("/iris-wizard", GOOD, GUARD), ("/iris-wizard", {}, GUARD), ("/nothing", GOOD, {})):
        response = server_with_token.post(path, data=data, headers={**guard, "X-Request-ID": request_id.encode()})
        response_id = response.headers["X-Request-ID"]
        assert response_id == request_id if request_id == "my-id.1" else re.fullmatch("[0-9a-f]{16}", response_id)


def test_the_log_is_json_and_has_the_id(guarded: Server) -> None:
    guarded.post("/iris-wizard", data=GOOD, headers={**GUARD, "X-Request-ID": "find-me"})
    wait_until(lambda: '"find-me"' in guarded.text())
    lines = [json.loads(line) for line in guarded.text().splitlines()]
    (line,) = (line for line in lines if line.get("request_id") == "find-me")
    assert (line["method"], line["path"], line["status"]) == ("POST", "/iris-wizard", 200)
    assert line["seconds"] < PATIENCE
    assert line["address"] == "127.0.0.1"
    assert line["level"] == "INFO"


def test_pages_of_a_configured_origin_may_call_the_endpoint(guarded: Server) -> None:
    origin = {"Origin": "https://lab.example.org"}
    preflight = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight_response = requests.options(f"{guarded.url}/iris-wizard", headers=preflight, timeout=PATIENCE)
    assert preflight_response.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert "authorization" in preflight_response.headers["Access-Control-Allow-Headers"]
    response = guarded.post("/iris-wizard", data=GOOD, headers={**GUARD, **origin})
    assert response.json() == "virginica"
    assert response.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "X-Model-Version", "X-Request-ID"} <= {*exposed}
    refused = guarded.post("/iris-wizard", data=GOOD, headers=origin)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, origin["Origin"])
    other_origin = guarded.post("/iris-wizard", data=GOOD, headers={**GUARD, "Origin": "https://evil.example.org"})
    assert "Access-Control-Allow-Origin" not in other_origin.headers


def test_a_trusted_proxy_sets_the_servers_address(guarded: Server, api: Server) -> None:
    headers = {"X-Forwarded-Host": "ml.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/lab"}
    servers = guarded.get("/openapi.json", headers={**GUARD, **headers}).json()["servers"]
    assert servers == [{"url": "https://ml.example.org/lab"}]
    mistakes = {**headers, "X-Forwarded-Proto": "HTTPS", "X-Forwarded-Prefix": "lab"}  # which is no path
    assert guarded.get("/docs", headers={**GUARD, **mistakes}).status_code == 200
    servers = guarded.get("/openapi.json", headers={**GUARD, **mistakes}).json()["servers"]
    assert servers == [{"url": "https://ml.example.org"}]
    del headers["X-Forwarded-Proto"]  # Gunicorn itself believes that from this machine
    assert api.get("/openapi.json", headers=headers).json()["servers"] == [{"url": api.url}]


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:5000", 200), ("evil.example", 403), ("localhost.evil", 403)],
)
def test_the_endpoint_on_loopback_refuses_a_foreign_host_name(
    guarded: Server, api: Server, host: str, status: int
) -> None:
    assert api.post("/iris-wizard", data=GOOD, headers={"Host": host}).status_code == status
    refused = api.get("/docs", headers={"Host": host})
    assert refused.status_code == status
    assert status == 200 or f"--public-host {host}" in refused.json()["detail"]
    for item in api.get("/openapi.json").json()["paths"].values():
        assert all(str(status) in item[method]["responses"] for method in ("get", "post") if method in item)
    assert guarded.post("/iris-wizard", data=GOOD, headers={**GUARD, "Host": host}).status_code == 200


def test_metrics_add_up_over_all_workers(guarded: Server) -> None:
    def count() -> float:
        name = 'irislib_requests_total{endpoint="predict",model="iris-wizard",status="200"}'
        text = guarded.get("/metrics", headers=GUARD).text
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    before = count()
    with ThreadPoolExecutor(8) as threads:
        for response in threads.map(lambda _: guarded.post("/iris-wizard", data=GOOD, headers=GUARD), range(100)):
            assert response.json() == "virginica"
    wait_until(lambda: count() == before + 100)  # a request is counted once its response has been sent
    assert {count() for _ in range(20)} == {before + 100}  # whichever worker is asked
    text = guarded.get("/metrics", headers=GUARD).text
    assert 'irislib_request_seconds_bucket{endpoint="predict",le="0.0005",model="iris-wizard"}' in text
    version = guarded.get("/readyz").json()["models"]["iris-wizard"]["version"]
    assert f'irislib_model_info{{model="iris-wizard",version="{version}"}} 1.0' in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start workers as somebody else")
def test_workers_that_run_as_another_user_are_counted(tmp_path: Path) -> None:
    code = f"""
import fcntl, os
from irislib.api import _metrics_files as _metrics
os.chdir({str(tmp_path)!r})
os.environ[_metrics.FOLDER] = "."  # whatever stands above it may be closed to others
print(_metrics.slot(), flush=True)
if os.fork() == 0:
    os.setuid(65534)
    print(_metrics.slot(), flush=True)
    os._exit(0)
os.wait()
raise SystemExit
"""
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 65534, 65534)
    result = run_irislib(code=code)
    assert result.stdout.split() == ["0", "1"], result.stderr


def test_a_rate_limit_is_429_with_retry_after(tmp_path: Path) -> None:
    server = Server(tmp_path / "log", "api", "--rate-limit", "3/hour").wait()
    try:
        responses = [server.post("/iris-wizard", data=GOOD) for _ in range(4)]
        assert [response.status_code for response in responses] == [200, 200, 200, 429]
        expect_problem(responses[3], 429)
        assert 0 < int(responses[3].headers["Retry-After"]) <= 3600
        assert server.get("/healthz").status_code == server.get("/metrics").status_code == 200
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("command", "args", "sentence"),
    [
        ("api", ["--rate-limit", "many"], "The rate limit must be such as 100/minute"),
        ("api", ["--token-file", "nowhere"], "--token-file nowhere: "),
        ("serve", ["--token-file", "/dev/null"], "write one token into it"),
        ("serve", ["--token", "schlüssel"], "--token: a token has letters, digits and signs of ASCII alone"),
    ],
)
def test_an_invalid_option_is_one_message(command: str, args: list[str], sentence: str) -> None:
    result = run_irislib(command, *args)
    assert result.returncode
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_worker_has_one_thread_of_blas_unless_its_operator_wants_more(tmp_path: Path) -> None:
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(
        "from threadpoolctl import threadpool_info\n"
        "print(*{pool['num_threads'] for pool in threadpool_info() if pool['user_api'] == 'blas'})\n"
        "raise SystemExit\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in SINGLE_THREADED}
    for own, count in ({}, "1"), ({"OMP_NUM_THREADS": "2"}, "2"), ({"OPENBLAS_NUM_THREADS": "2"}, "2"):
        result = subprocess.run(
            [*PROGRAM, "api", "--config", str(config)],
            env={**environment, **own}, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        # there are no more threads than cores
        assert result.stdout.split() == [count if os.cpu_count() != 1 else "1"], result.stderr


def test_a_batch_over_http(serve: Server, api: Server, flowers, iris) -> None:
    expected = iris.predict(flowers).tolist()
    bad = {**flowers[0], "petal_width_cm": "wide"}
    for server in (serve, api):
        rows = server.post("/iris-wizard/batch", json=[bad, *flowers]).json()
        assert [row["prediction"] for row in rows] == [None, *expected]
        assert [error["pointer"] for error in rows[0]["errors"]] == ["#/0/petal_width_cm"]
        columns = {name: [flower[name] for flower in flowers] for name in flowers[0]}
        assert server.post("/iris-wizard/batch", json=columns).json()["prediction"] == expected
        response = server.post("/iris-wizard/batch", data=CSV, headers={"Content-Type": "text/csv"})
        assert response.headers["Content-Type"].startswith("text/csv")
        assert ",virginica," in response.text
        expect_problem(server.post("/iris-wizard/batch", json=[]), 422)
        expect_problem(server.post("/iris-wizard/batch", data="x"), 415)
        expect_problem(server.get("/iris-wizard/batch"), 405)
        expect_problem(server.post("/docs", data=GOOD), 405)
        expect_problem(server.post("/nothing/batch", json=[GOOD]), 404)


def test_a_batch_that_is_too_large(guarded: Server, serve: Server) -> None:
    headers = {"Content-Type": "text/csv", **GUARD}
    detail = expect_problem(guarded.post("/iris-wizard/batch", data=CSV * 400, headers=headers), 413)["detail"]
    assert detail == "The body is larger than 20,000 bytes. Send it in parts."
    advice = "Send it in parts, or as CSV to `irislib api`, which takes 256,000,000 bytes."
    large = b"x" * 12_000_000
    for body in (large, iter([large])):  # with its length, and in chunks
        detail = expect_problem(serve.post("/iris-wizard/batch", data=body, headers=headers), 413)["detail"]
        assert detail == f"The body is larger than 10,000,000 bytes. {advice}"


@pytest.mark.parametrize("line", ["OPTIONS *", "GET http://127.0.0.1", "POST //iris-wizard", "POST /iris-wizard/"])
def test_an_unusual_request_target_gets_a_response(api: Server, line: str) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=PATIENCE) as sock:
        sock.sendall(f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.status in (200, 302, 308, 404, 405, 415)
        assert response.headers["X-Request-ID"]
        response.close()


def test_serve_refuses_a_large_body_before_it_is_read(serve: Server) -> None:
    for expectation in ("", "Expect: 100-continue\r\n"):
        with socket.create_connection(("127.0.0.1", serve.port), timeout=PATIENCE) as sock:
            head = f"POST /iris-wizard/batch HTTP/1.1\r\nHost: localhost\r\n{expectation}Content-Type: text/csv\r\n"
            sock.sendall(f"{head}Content-Length: 500000000\r\n\r\n".encode())
            response = http.client.HTTPResponse(sock)
            response.begin()  # and nothing of the body was sent
            assert response.status == 413
            assert b"irislib api" in response.read()


@pytest.mark.parametrize(
    ("field", "status"), [("Content-Length: 500000000", b"413"), (f"X: {9000 * 'x'}", b"431")], ids=["length", "field"]
)
def test_nothing_follows_a_refusal_of_a_client_that_waits_for_100_continue(
    serve: Server, field: str, status: bytes
) -> None:
    head = f"POST / HTTP/1.1\r\nHost: foreign.example\r\nExpect: 100-continue\r\n{field}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", serve.port), timeout=PATIENCE) as sock:
        sock.sendall(head.encode())
        data = b"".join(iter(lambda: sock.recv(65536), b""))
    assert data.startswith(b"HTTP/1.1 " + status)
    assert b"\r\nConnection: close\r\n" in data
    assert data.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_reloading_loses_no_request(worker: str, tmp_path: Path) -> None:
    """100 requests while Gunicorn reloads twice."""
    server = Server(tmp_path / "log", "api", "--workers", "2", "--worker-class", worker, "--threads", "2").wait()
    total = 100 * FUZZ
    reload_at = (total // 8, total * 5 // 8)

    def send(i: int) -> str:
        if i in reload_at:  # two signals that wait are one
            wait_until(lambda: server.text().count("Handling signal: hup") == reload_at.index(i))
            server.process.send_signal(signal.SIGHUP)
        return requests.post(f"{server.url}/iris-wizard", data=GOOD, timeout=PATIENCE).text

    try:
        with ThreadPoolExecutor(6) as threads:
            assert set(threads.map(send, range(total))) == {'"virginica"\n'}
        while server.text().count("Handling signal: hup") < 2:
            assert send(0) == '"virginica"\n'
            total += 1
        metrics = server.get("/metrics").text
        assert f'model="iris-wizard",status="200"}} {total}.0' in metrics  # and no count either
    finally:
        assert server.stop() == 0


# What a module or its load_data may do instead of raising an Exception.
ENDINGS = [
    "import sys; sys.exit(3)",
    "class Odd(BaseException): ...\nraise Odd",
    "from dataclasses import replace\nspec = replace(spec, load_data=lambda: exit('no data'), name='other')",
]


def test_connections_that_wait_are_answered_before_the_end(tmp_path: Path) -> None:
    server = Server(tmp_path / "log", "api", "--worker-class", "sync", "--model", "irislib.iris:spec").wait()
    rows = json.dumps([GOOD] * 300)
    head = "POST /iris-wizard/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE)) for _ in range(8)
        ]
        for client in clients:
            client.sendall(f"{head}Content-Length: {len(rows)}\r\n\r\n{rows}".encode())
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            response = http.client.HTTPResponse(client)
            response.begin()
            assert response.status == 200
            assert response.read()
    assert server.process.wait(PATIENCE) == 0


def test_a_reload_reads_the_spec_and_keeps_the_old_one_if_it_is_broken(tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    source = (ROOT / "irislib" / "iris.py").read_text()
    module.write_text(source)
    (tmp_path / "t").mkdir()
    server = Server(tmp_path / "log", "api", "--model", "mine", cwd=tmp_path, TMPDIR=str(tmp_path / "t")).wait()

    def reload(text: str, sign: str) -> None:
        module.write_text(text)
        os.utime(module, (time.time() + 5, time.time() + 5))
        server.process.send_signal(signal.SIGHUP)
        if sign.startswith("/"):
            wait_until(lambda: server.post(sign, data=GOOD).status_code == 200)
        else:
            wait_until(lambda: sign in server.text())

    try:
        reload(source + "\n(", "the models stay as they were")
        for number, fault in enumerate(ENDINGS, 2):
            reload(f"{source}\n{fault}", "")
            wait_until(lambda n=number: server.text().count("the models stay as they were") == n)
        assert server.post("/iris-wizard", data=GOOD).json() == "virginica"
        reload(source.replace('"iris-wizard"', '"flower-oracle"'), "/flower-oracle")
    finally:
        assert server.stop() == 0
    assert "SyntaxError" in server.text()
    assert list((tmp_path / "t").iterdir()) == []


def test_a_long_response_outlives_gunicorns_timeout(tmp_path: Path) -> None:
    """A response that takes longer than a worker may be silent, but sends heartbeats; also of one that is replaced."""
    source = (ROOT / "irislib" / "iris.py").read_text().replace('"iris-wizard"', '"slow"')
    source += "\nimport time\nfrom sklearn.ensemble import RandomForestClassifier\n"
    source += (
        "class Slow(RandomForestClassifier):\n    def predict(self, X):\n        time.sleep(0.8 * (len(X) > 999))\n"
    )
    source += "        return super().predict(X)\n"
    source += "from dataclasses import replace\nspec = replace(spec, estimator=Slow(5))\n"
    (tmp_path / "mine.py").write_text(source)
    times = ("--timeout", "3", "--graceful-timeout", "1")
    server = Server(tmp_path / "log", "api", "--model", "mine", *times, cwd=tmp_path).wait()
    replacement = threading.Timer(1, server.process.send_signal, [signal.SIGHUP])
    replacement.start()
    try:
        body = ",".join(GOOD) + "\n" + (",".join(map(str, GOOD.values())) + "\n") * 50_000
        start = time.monotonic()
        response = server.post("/slow/batch", data=body, headers={"Content-Type": "text/csv"})
        assert response.text.count(",virginica,") == 50_000
        assert time.monotonic() - start > 3
    finally:
        replacement.join()
        assert server.stop() == 0
    assert "Hang up" in server.text()
    assert "WORKER TIMEOUT" not in server.text()
