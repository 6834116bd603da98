"""The files in `deploy/proxies/`, run by nginx and Caddy before a real server: TLS, a path, websockets, uploads."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from conftest import PATIENCE, ROOT, Server, free_port, new_page, notebook, submit_row, wait_until
from invalid_inputs import GOOD
from playwright.sync_api import expect
from programs import program
from test_accessibility import find_violations
from test_monitoring import Collector

from irislib._common.theme import PALETTE

FILES = ROOT / "deploy" / "proxies"
CADDY = (
    "{{\n\tdefault_bind 127.0.0.1\n\tadmin off\n\thttp_port {http}\n\thttps_port {https}\n\tskip_install_trust\n}}\n"
)
# The lines of each file that are comments until `irislib api` is beside it.
COMMENTED = {
    "nginx": ['"~^(POST|OPTIONS)'],
    "caddy": ["reverse_proxy @rows", "\timport irislib", "}"],
}
APP = """
from irislib import Feature
from irislib.widgets import Page, Tab
Page("Where", [Feature("first", required=False)], "Go", lambda values: "SERVER",
     [Tab("Out", lambda name: [f"Answered by {name}"], "Press Go.")])
"""
pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def visitor_session() -> requests.Session:
    """A client that takes the certificates made here."""
    session = requests.Session()
    session.trust_env = session.verify = False  # else the environment may name certificates to check by
    return session


class OtherAddress(requests.adapters.HTTPAdapter):
    """Connections from another address of this machine than the proxy's."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, source_address=("127.0.0.2", 0))


class Proxy:
    """A real proxy with the file that ships, of which only names, ports, files and certificates are others."""

    def __init__(self, name: str, folder: Path, *servers: Server, rows: Server | None = None):
        self.name, self.folder, self.http, self.https = name, folder, free_port(), free_port()
        self.url = f"https://localhost:{self.https}/apps"
        first, last = (urlsplit(server.url).netloc for server in (servers[0], servers[-1]))
        changes = {"127.0.0.1:5000": first, "127.0.0.1:5001": last, "apps.example.org": "localhost",
                   "/srv/irislib": str(FILES)}  # fmt: skip
        self.lines = COMMENTED[name] if rows else ()
        if rows:
            changes["127.0.0.1:5002"] = urlsplit(rows.url).netloc
        start = self.nginx if name == "nginx" else self.caddy
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                start(changes), stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)}
            )
        wait_until(lambda: self.process.poll() is not None or self.is_up(), self.log)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def is_up(self) -> bool:
        try:
            return self.get("/readyz").status_code > 0
        except requests.ConnectionError:
            return False

    def get(self, path: str, **options: Any) -> requests.Response:
        return visitor_session().get(f"{self.url}{path}", timeout=PATIENCE, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return visitor_session().post(f"{self.url}{path}", timeout=PATIENCE, **options)

    def configuration(self, source: str, changes: dict[str, str], before: str = "") -> str:
        text = (FILES / source).read_text()
        for line in self.lines:
            assert f"# {line}" in text
            text = text.replace(f"# {line}", line)
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        path = self.folder / source
        path.write_text(before + text)
        return str(path)

    def nginx(self, changes: dict[str, str]) -> list[str]:
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(
            [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True,
        )  # fmt: skip
        ports = {
            "listen 80;": f"listen 127.0.0.1:{self.http};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.https} ssl;",
        }
        files = {"/etc/ssl/apps.example.org.pem": str(certificate), "/etc/ssl/apps.example.org.key": str(key)}
        redirect = {"https://$http_host$request_uri": f"https://localhost:{self.https}$request_uri"}
        path = self.configuration("nginx.conf", {**ports, **files, **redirect, **changes})
        places = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
        text = Path(path).read_text().replace("http {", f"http {{ {places}", 1)
        Path(path).write_text(text)
        options = f"daemon off; pid {self.folder}/pid; error_log stderr; user root;"
        return [program("nginx"), "-p", str(self.folder), "-c", path, "-g", options]

    def caddy(self, changes: dict[str, str]) -> list[str]:
        ports = CADDY.format(http=self.http, https=self.https)
        return [
            program("caddy"),
            "run",
            "--adapter",
            "caddyfile",
            "--config",
            self.configuration("Caddyfile", changes, ports),
        ]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module")
def server(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ("--proxies", "1", "--public-host", "localhost", "--json-logs", "--tracing")
    server = Server(tmp_path_factory.mktemp("server") / "log", "serve", *options, **collector.environment)
    yield server.wait()
    server.stop()


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    proxy = Proxy(request.param, tmp_path_factory.mktemp(request.param), server)
    yield proxy
    proxy.stop()


@pytest.fixture
def visitor(chromium: Any) -> Iterator[Any]:
    with new_page(chromium, ignore_https_errors=True) as page:
        yield page


def test_a_page_answers_through_the_websocket_and_all_is_https_below_the_path(
    proxy: Proxy, visitor: Any, iris: Any
) -> None:
    requested: list[str] = []
    visitor.on("request", lambda request: requested.append(request.url))
    visitor.on("websocket", lambda socket: requested.append(socket.url))
    visitor.goto(f"{proxy.url}/iris-wizard")
    submit_row(visitor, iris, GOOD)
    visitor.get_by_role("tabpanel").get_by_text("virginica").first.wait_for()
    beginnings = (f"{proxy.url}/", f"{proxy.url.replace('https', 'wss')}/", "data:", "blob:")
    assert not [url for url in requested if not url.startswith(beginnings)]
    assert any(url.startswith("wss:") for url in requested)


def test_programs_are_answered_and_told_the_public_address(proxy: Proxy) -> None:
    answer = proxy.post("/iris-wizard", data=GOOD, headers={"X-Request-ID": f"through-{proxy.name}"})
    assert (answer.json(), answer.headers["X-Request-ID"]) == ("virginica", f"through-{proxy.name}")
    assert proxy.get("/openapi.json").json()["servers"][0]["url"] == proxy.url
    plain = f"http://localhost:{proxy.http}/apps/iris-wizard"
    redirect = requests.get(plain, allow_redirects=False, timeout=PATIENCE)
    assert redirect.status_code == 308
    assert redirect.headers["Location"].startswith("https://localhost")
    assert redirect.headers["Location"].endswith("/apps/iris-wizard")
    root = proxy.get("", allow_redirects=False)
    assert root.headers["Location"] == "/apps/"
    own = [cookie for cookie in proxy.get("/iris-wizard").cookies if cookie.name != "irislib_server"]
    assert own
    assert all(cookie.secure for cookie in own)


def test_uploads_pass_up_to_the_servers_own_limit(proxy: Proxy) -> None:
    head, row = ",".join(GOOD) + "\n", ",".join(map(str, GOOD.values())) + "\n"
    csv = {"Content-Type": "text/csv"}
    many = proxy.post("/iris-wizard/batch", data=head + row * 150_000, headers=csv)
    assert many.status_code == 200
    assert many.text.count(",virginica,") == 150_000
    large = proxy.post("/iris-wizard/batch", data=b"x" * 10_500_000, headers=csv)
    assert (large.status_code, large.headers["Content-Type"]) == (413, "application/problem+json")


def test_the_log_has_the_address_that_the_proxy_saw_and_the_trace_goes_on(
    proxy: Proxy, server: Server, collector: Collector
) -> None:
    request_id, trace = f"forged-{proxy.name}", secrets.token_hex(16)
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "X-Request-ID": request_id,
               "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}  # fmt: skip
    visitor = visitor_session()
    visitor.mount("https://", OtherAddress())
    answer = visitor.post(f"{proxy.url}/iris-wizard", data={"petal": 1}, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 422

    def line() -> dict[str, Any] | None:
        entries = [json.loads(text) for text in server.text().splitlines() if request_id in text]
        return next((entry for entry in entries if "address" in entry), None)

    wait_until(line, server.text)
    assert line()["address"] == "127.0.0.2"
    wait_until(lambda: collector.tree(trace).get("POST /iris-wizard") == "00f067aa0ba902b7")
    assert "203.0.113.9" not in server.text()
    document = visitor.get(f"{proxy.url}/openapi.json", headers=headers, timeout=PATIENCE).json()
    assert document["servers"][0]["url"] == proxy.url


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """Two servers of an app without a model, which says who has answered."""
    servers = {name: start_one(name, tmp_path_factory.mktemp("one")) for name in "ab"}
    for server in servers.values():
        server.wait()
    yield servers  # a test puts another one in the place of one that it has stopped
    for server in servers.values():
        server.stop()


def start_one(name: str, folder: Path, port: int = 0) -> Server:
    import nbformat

    (folder / "notebooks").mkdir()
    nbformat.write(notebook(APP.replace("SERVER", name)), folder / "notebooks" / "where.ipynb")
    options = ("--proxies", "1", "--public-host", "localhost", "--json-logs", "--notebooks", str(folder / "notebooks"))
    return Server(folder / "log", "serve", *options, port=port)


@pytest.fixture(scope="module")
def balancers(pair: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Proxy]]:
    """Both proxies, each before the same two servers."""
    proxies = [Proxy(name, tmp_path_factory.mktemp(name), *pair.values()) for name in COMMENTED]
    yield proxies
    for proxy in proxies:
        proxy.stop()


def where(page: Any) -> str:
    """Click, and return which server the kernel that answers is of."""
    page.get_by_role("button", name="Go").click()
    return page.get_by_text("Answered by").text_content().split()[-1]


@pytest.fixture
def open_where(chromium: Any) -> Iterator[Any]:
    """Return what opens the page for another visitor, until one is at a given server."""
    with ExitStack() as stack:

        def open_at(proxy: Proxy, name: str) -> Any:
            while True:
                page = stack.enter_context(new_page(chromium, ignore_https_errors=True))
                page.goto(f"{proxy.url}/where")
                if where(page) == name:
                    return page

        yield open_at


def test_page_websocket_and_requests_of_a_visitor_stay_at_one_of_two_servers(
    balancers: list[Proxy], pair: dict[str, Server], open_where: Any
) -> None:
    for proxy in balancers:
        for name in pair:  # each visitor comes to either
            page = open_where(proxy, name)
            page.reload()
            assert where(page) == name
            visitor = visitor_session()
            for cookie in page.context.cookies():
                visitor.cookies.set(cookie["name"], cookie["value"])
            assert "irislib_server" in visitor.cookies
            ids = [f"{proxy.name}-{name}-{number}" for number in range(4)]
            for request_id in ids:
                headers = {"X-Request-ID": request_id}
                visitor.post(f"{proxy.url}/where", headers=headers, timeout=PATIENCE)
            wait_until(lambda name=name, ids=ids: all(f'"{text}"' in pair[name].text() for text in ids))


def test_pages_come_back_when_their_server_does_and_all_are_told_if_there_is_none(
    balancers: list[Proxy], pair: dict[str, Server], open_where: Any, tmp_path: Path
) -> None:
    pages = [open_where(proxy, "a") for proxy in balancers]
    for page in pages:
        page.get_by_label("First").fill("2.25")
    pair["a"].stop()
    for page in pages:  # the other server has no such kernel
        page.get_by_text("Your session has ended.").wait_for()
        with page.expect_navigation():
            page.get_by_role("button", name="Reload").click()
        expect(page.get_by_label("First")).to_have_value("2.25")
        assert where(page) == "b"
    pair["b"].stop()
    strangers = []
    for page, proxy in zip(pages, balancers, strict=True):
        page.get_by_text("The connection to the server was lost. This page tries again by itself.").wait_for()
        strangers.append(page.context.new_page())
        answer = strangers[-1].goto(f"{proxy.url}/where")
        assert (answer.status, answer.headers["retry-after"]) == (502, "10")
        strangers[-1].get_by_role("heading", name="The server does not answer").wait_for()
        assert not find_violations(strangers[-1])
        for answer in (proxy.post("/where", json={}), proxy.get("/where/schema")):
            assert (answer.status_code, answer.headers["Content-Type"]) == (502, "application/problem+json")
            assert (answer.json()["status"], answer.json()["title"]) == (502, "Bad Gateway")
    pair["a"] = start_one("c", tmp_path, pair["a"].port).wait()  # the same, started again
    for page, stranger in zip(pages, strangers, strict=True):
        page.get_by_text("Press Go.").wait_for()  # it has come back
        expect(page.get_by_label("First")).to_have_value("2.25")
        assert where(page) == "c"
        assert where(stranger) == "c"


def test_what_programs_post_goes_to_the_endpoint_beside_the_pages(
    server: Server, visitor: Any, iris: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = ("--proxies", "1", "--public-host", "localhost", "--workers", "1", "--access-logfile", "-")
    endpoint = Server(tmp_path / "log", "api", *options)
    proxies = [Proxy(name, tmp_path_factory.mktemp(name), server, rows=endpoint) for name in COMMENTED]
    try:
        endpoint.wait()
        for number, proxy in enumerate(proxies, 1):
            csv = ",".join(GOOD) + "\n" + ",".join(map(str, GOOD.values())) + "\n"
            answers = [
                proxy.post("/iris-wizard", data=GOOD),
                proxy.post("/iris-wizard/batch", data=csv, headers={"Content-Type": "text/csv"}),
                proxy.post("/iris-wizard/insights/contributions", json=GOOD),
                visitor_session().options(f"{proxy.url}/iris-wizard", timeout=PATIENCE),
            ]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 200]
            begins = ("POST /iris-wizard ", "POST /iris-wizard/batch ", "POST /iris-wizard/insights/", "OPTIONS /")
            wait_until(lambda n=number, all_=begins: min(map(endpoint.text().count, all_)) >= n, endpoint.text)
            assert proxy.get("/openapi.json").json()["servers"][0]["url"] == proxy.url
            assert proxy.post("/login", data={"password": "x"}).status_code < 500
            visitor.goto(f"{proxy.url}/iris-wizard")
            submit_row(visitor, iris, GOOD)
            visitor.get_by_role("tabpanel").get_by_text("virginica").first.wait_for()
        assert "/login" not in endpoint.text()
        assert "GET " not in endpoint.text().replace("GET /readyz", "")
    finally:
        for proxy in proxies:
            proxy.stop()
        endpoint.stop()


def test_the_page_that_a_proxy_sends_has_the_colours_of_the_others() -> None:
    colours = re.findall(r"light-dark\((#\w+), (#\w+)\)", (FILES / "unreachable.html").read_text())
    assert len(colours) == 4
    assert {*colours} <= {colour for colour in PALETTE.values() if isinstance(colour, tuple)}
