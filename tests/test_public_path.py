"""Pages, logins and cookies behind a trusted proxy that takes off the beginning of the public path."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from conftest import PATIENCE, Server
from invalid_inputs import GOOD
from tornado.httputil import HTTPHeaders

from irislib._serving.forwarded import forwarded_prefix

TOKEN = "a-t0ken"  # noqa: S105
PREFIX = "/lab/apps"


class StrippingProxy:
    """A reverse proxy of one request a connection, which adds the headers that a real one adds."""

    def __init__(self, target: int):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.outside: list[str] = []  # requests that are not below the prefix
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                if not (piece := client.recv(65536)):
                    return
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            line, *fields = head.decode("latin-1").split("\r\n")
            method, path, version = line.split(" ")
            if not path.startswith(f"{PREFIX}/"):
                self.outside.append(path)
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if "upgrade: websocket" not in head.decode("latin-1").lower():
                fields = [field for field in fields if not field.lower().startswith("connection:")]
                fields.append("Connection: close")
            fields += [f"X-Forwarded-Prefix: {PREFIX}", "X-Forwarded-Proto: http", "X-Forwarded-For: 198.51.100.1"]
            fields += [f"X-Forwarded-Host: 127.0.0.1:{self.port}"]
            lines = [f"{method} {path.removeprefix(PREFIX)} {version}", *fields]
            with socket.create_connection(("127.0.0.1", self.target), PATIENCE) as server:
                server.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, StrippingProxy]]:
    log = tmp_path_factory.mktemp("proxied") / "log"
    server = Server(log, "serve", "--proxies=1", "--model=irislib.iris:spec", IRISLIB_TOKEN=TOKEN).wait("/readyz")
    proxy = StrippingProxy(server.port)
    yield server, proxy
    proxy.listener.close()
    assert server.stop() == 0
    assert "Traceback" not in server.text(), server.text()


def test_a_page_works_below_a_public_path(page: Any, iris: Any, proxied: tuple[Server, StrippingProxy]) -> None:
    server, proxy = proxied
    page.goto(f"http://127.0.0.1:{proxy.port}{PREFIX}/iris-wizard")
    assert urlsplit(page.url).path == f"{PREFIX}/login"
    page.locator("#password_input").fill(TOKEN)
    page.locator("#password_input").press("Enter")
    for feature in iris.spec.features:
        page.get_by_label(feature.label).fill(str(GOOD[feature.name]))
    assert urlsplit(page.url).path == f"{PREFIX}/iris-wizard"
    page.get_by_role("button", name="Abrakadabra").click()
    page.locator(".irislib-answer", has_text="virginica").wait_for()
    assert {cookie["path"] for cookie in page.context.cookies()} == {f"{PREFIX}/"}
    page.get_by_role("link", name="Apps").click()
    page.wait_for_url(f"**{PREFIX}/")
    assert not [path for path in proxy.outside if path != "/favicon.ico"]
    assert server.get("/", allow_redirects=False).headers["Location"].startswith("/login")  # without the proxy


def test_redirects_stay_below_the_public_path(proxied: tuple[Server, StrippingProxy]) -> None:
    _, proxy = proxied
    root = f"http://127.0.0.1:{proxy.port}{PREFIX}"
    session = requests.Session()
    session.get(f"{root}/iris-wizard?token={TOKEN}", timeout=PATIENCE)
    for path in ("/", "/iris-wizard", "/docs", "/nothing", "/logout"):
        for response in (answer := session.get(f"{root}{path}", timeout=PATIENCE)).history:
            assert urlsplit(response.headers["Location"]).path.startswith(f"{PREFIX}/")
        addresses = re.findall(r'(?:href|src|action)="?(/[^/"][^" >]*)', answer.text)
        assert path == "/docs" or addresses
        assert all(address.startswith(f"{PREFIX}/") for address in addresses), (path, addresses)


@pytest.mark.parametrize(
    ("header", "proxies", "prefix"),
    [
        ("/lab", 1, "/lab"), ("/lab/", 1, "/lab"), ("/a, /lab", 1, "/lab"), ("/a, /lab", 2, "/a"), ("/lab", 2, ""),
        ("/lab", 0, ""), ("//evil.example", 1, ""), ("https://evil.example", 1, ""), ('/"><script>', 1, ""),
        ("/a b", 1, ""), ("lab", 1, ""), ("/", 1, ""), ("/a/b-c_d~e.f%20", 1, "/a/b-c_d~e.f%20"),
    ],
)  # fmt: skip
def test_only_a_path_of_trusted_proxies_is_taken(header: str, proxies: int, prefix: str) -> None:
    assert forwarded_prefix(HTTPHeaders({"X-Forwarded-Prefix": header}), proxies) == prefix
