"""The files in `deploy/proxies/`, run by nginx and Caddy before a real server: TLS, a path, websockets, uploads."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from conftest import PATIENCE, ROOT, Server, free_port, new_page, submit_row, wait_until
from invalid_inputs import GOOD
from programs import program

FILES = ROOT / "deploy" / "proxies"
CADDY = (
    "{{\n\tdefault_bind 127.0.0.1\n\tadmin off\n\thttp_port {http}\n\thttps_port {https}\n\tskip_install_trust\n}}\n"
)
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
    """A real proxy with the file that ships, of which only names, ports and certificates are others."""

    def __init__(self, name: str, folder: Path, *upstreams: str):
        self.name, self.folder, self.http, self.https = name, folder, free_port(), free_port()
        self.url = f"https://localhost:{self.https}/apps"
        changes = {"127.0.0.1:5000": upstreams[0], "127.0.0.1:5001": upstreams[-1], "apps.example.org": "localhost"}
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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ("--proxies", "1", "--public-host", "localhost", "--json-logs")
    server = Server(tmp_path_factory.mktemp("server") / "log", "serve", *options)
    yield server.wait()
    server.stop()


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    proxy = Proxy(request.param, tmp_path_factory.mktemp(request.param), urlsplit(server.url).netloc)
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


def test_the_log_has_the_address_that_the_proxy_saw(proxy: Proxy, server: Server) -> None:
    request_id = f"forged-{proxy.name}"
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example", "X-Request-ID": request_id}
    visitor = visitor_session()
    visitor.mount("https://", OtherAddress())
    answer = visitor.post(f"{proxy.url}/iris-wizard", data={"petal": 1}, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 422

    def line() -> dict[str, Any] | None:
        entries = [json.loads(text) for text in server.text().splitlines() if request_id in text]
        return next((entry for entry in entries if "address" in entry), None)

    wait_until(line, server.text)
    assert line()["address"] == "127.0.0.2"
    assert "203.0.113.9" not in server.text()
    document = visitor.get(f"{proxy.url}/openapi.json", headers=headers, timeout=PATIENCE).json()
    assert document["servers"][0]["url"] == proxy.url


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_a_visitor_stays_at_one_of_two_servers_and_is_told_if_there_is_none(name: str, tmp_path: Path) -> None:
    servers = [say(letter) for letter in "ab"]
    proxy = Proxy(name, tmp_path, *(f"127.0.0.1:{server.server_port}" for server in servers))
    try:
        answered = set()
        while len(answered) < 2:  # each visitor comes to either
            visitor = visitor_session()
            first = visitor.get(f"{proxy.url}/page", timeout=PATIENCE)
            assert {visitor.get(f"{proxy.url}/page", timeout=PATIENCE).text for _ in range(3)} == {first.text}
            assert "irislib_server" in visitor.cookies
            answered.add(first.text)
        for server in servers:
            server.shutdown()
            server.server_close()
        assert proxy.get("/page").status_code == 502
    finally:
        proxy.stop()


def say(text: str) -> ThreadingHTTPServer:
    """Start a server that answers everything with a text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
