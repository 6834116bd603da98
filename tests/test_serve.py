"""`irislib serve`: what each address answers, what it refuses, how it starts and stops."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import PATIENCE, ROOT, TESTS, Server, free_port, run_irislib, wait_until

# It is started again as `python -m irislib`.
AS_A_MODULE = """
import sys
from importlib.util import find_spec
sys.modules["__main__"].__spec__ = find_spec("irislib.__main__")
"""


def test_the_index_lists_the_apps(serve: Server) -> None:
    response = serve.get("/")
    for name, title in (("iris-wizard", "Iris Wizard"), ("flat-rent", "Flat rent"), ("dummy", "Dummy")):
        assert f'<a href="/{name}">{title}</a>' in response.text
    assert "Petal length · Petal width" in response.text
    assert serve.get("/healthz").json() == {"status": "ok"}


def test_an_unknown_page_is_our_own_404(serve: Server) -> None:
    response = serve.get("/nothing")
    assert response.status_code == 404
    assert "There is no page at this address." in response.text
    assert 'href="/"' in response.text


def test_no_foreign_address_on_any_page(serve: Server) -> None:
    for path in ("/", "/nothing", "/iris-wizard?template=classic&theme=dark"):
        html = serve.get(path).text
        links = re.findall(r'(?:src|href|url\(|import\()\s*=?\s*["\']?(https?://[^"\' )>]+)', html)
        assert links == []
        assert "page.css" in html  # no other template by URL
        assert "cdn" not in html.replace("cdnjs.cloudflare.com/ajax/libs/mathjax", "").lower()


def test_it_answers_what_was_asked_before_it_ends(tmp_path: Path) -> None:
    """Also after SIGHUP, which does not end it; and it removes what a server that was killed has left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    start = ("serve", "--model", "irislib.iris:spec", "--Pages.warm=False")
    killed = Server(tmp_path / "killed", *start, TMPDIR=str(temporary)).wait()
    (connections,) = re.findall(r"Storing connection files in (\S+)\.\n", killed.text())
    left = {*temporary.iterdir(), Path(connections)}
    assert len(left) >= 2
    assert all(folder.is_dir() for folder in left)
    killed.process.kill()
    killed.process.wait()
    server = Server(tmp_path / "log", *start, TMPDIR=str(temporary)).wait()
    assert not any(folder.exists() for folder in left)

    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "SIGHUP is ignored" in server.text())
    header = "petal_length_cm,petal_width_cm,sepal_length_cm,sepal_width_cm\n"
    body = header + 2_000 * "1,1,1,1\n"
    request = (
        f"POST /iris-wizard/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE)) for _ in range(12)
        ]
        for client in clients:
            client.sendall(request.encode())
        server.process.send_signal(signal.SIGTERM)
        for client in clients:
            response = http.client.HTTPResponse(client)
            response.begin()
            assert response.status == 200
            assert len(response.read().splitlines()) == 2_001
    assert server.process.wait(PATIENCE) == 0
    assert not list(temporary.iterdir())


def test_a_port_in_use_is_one_message(serve: Server) -> None:
    result = run_irislib("serve", "--port", str(serve.port))
    assert result.returncode
    assert f"port {serve.port}: Address already in use. Give another one: --port" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["serve", "api"])
def test_a_number_that_is_no_port_is_refused(command: str) -> None:
    result = run_irislib(command, "--port", "99999")
    assert result.returncode
    assert "--port must be at most 65535, got 99999." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["serve", "--workers", "4"], "--workers is an option of Gunicorn: it works on `irislib api`."),
        (["--worker-class=gthread"], "--worker-class is an option of Gunicorn: it works on `irislib api`."),
        (["serve", "-w", "4"], "-w is an option of Gunicorn"),
        (["api", "--token", "abc"], "--token works on `irislib serve`. Use --token-file FILE or IRISLIB_TOKEN."),
        (
            ["serve", "--public-host", "https://a.test"],
            "takes a name alone, such as apps.example.org, got 'https://a.t",
        ),
        (["api", "--public-host", "a.test:80"], "takes a name alone, such as apps.example.org, got 'a.test:80'."),
        (["--prot", "8000"], "There is no option --prot. Did you mean '--port'?"),
        (["--model", "nowhere:spec"], "There is no module 'nowhere' here."),
        (["--model", ":spec"], "':spec' names no model. Give it as --model package.module:name."),
        (["trian"], "There is no command 'trian'. Did you mean 'train'?"),
        (["serve", "a", "b"], "Give one folder or notebook, not a and b."),
        (["--notebooks", "nowhere"], "there is no such folder or notebook"),
        (["--classic-tree"], "VoilaConfiguration.classic_tree has no effect on `irislib serve`. The list of apps is"),
        (["--VoilaConfiguration.file_whitelist=x"], "has no effect on `irislib serve`. Use VoilaConfiguration.file_al"),
        (["--Voila.template_paths=x"], "Voila.template_paths has no effect on `irislib serve`. Name a template with"),
        (["--GatewayClient.url=http://x"], "GatewayClient.url has no effect on `irislib serve`. Its kernels"),
        (["--Voila.root_dir=/tmp"], "Voila.root_dir has no effect on `irislib serve`. Use --notebooks."),
        (["--VoilaConfiguration.file_allowlist=*.csv"], "has '*.csv', which is no regular expression: nothing to rep"),
    ],
)
def test_an_invalid_command_line_is_one_message(args: list[str], sentence: str) -> None:
    result = run_irislib(*args, "--port", str(free_port()))
    assert result.returncode
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_voilas_options_and_a_token_work(tmp_path: Path) -> None:
    notebooks = shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (notebooks / "picture.png").write_bytes(b"PNG")
    args = (
        "serve",
        f"--notebooks={notebooks}",
        "--base_url=/lab",
        "--template=lab",
        "--token=s3cret",
        "--VoilaConfiguration.theme=dark",
        "--Pages.warm=False",
        "--host",
        "0.0.0.0",
    )
    server = Server(tmp_path / "log", *args).wait("/lab/readyz")
    try:
        assert server.get("/lab/healthz").json() == {"status": "ok"}
        row = dict.fromkeys(["petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm"], 1)
        refused = server.post("/lab/iris-wizard", data=row)
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"
        token = {"Authorization": "token s3cret"}
        assert server.post("/lab/iris-wizard", data=row, headers=token).json() == "versicolor"
        # a browser that logged in has a cookie: that opens pages, but authorises no POST
        visitor = requests.Session()
        assert 'href="/lab/dummy"' in visitor.get(f"{server.url}/lab/?token=s3cret", timeout=PATIENCE).text
        for path in ("/lab/", "/lab"):
            assert 'href="/lab/dummy"' in visitor.get(f"{server.url}{path}", timeout=PATIENCE).text
        assert "There is no page at this address." in visitor.get(f"{server.url}/lab/nothing", timeout=PATIENCE).text
        assert visitor.post(f"{server.url}/lab/iris-wizard", data=row, timeout=PATIENCE).status_code == 401
        assert 'href="/lab/dummy"' not in server.get("/lab/").text
        assert "Kernel started" not in server.text()  # for the list
        for path in ("/lab/picture.png", "/lab/voila/files/picture.png"):
            assert visitor.get(f"{server.url}{path}", timeout=PATIENCE).content == b"PNG"
            assert b"PNG" not in server.get(path).content
        # this connection ends, and the client is told, or its next request would meet a closed connection
        assert server.get("/lab/", allow_redirects=False).headers["Connection"] == "close"
        assert 'data-jp-theme-light="false"' in visitor.get(f"{server.url}/lab/dummy", timeout=PATIENCE).text
        # a token in an address becomes a cookie, and goes neither to the visitor's kernel nor to the log
        moved = requests.get(f"{server.url}/lab/dummy?token=s3cret&number=4", timeout=PATIENCE, allow_redirects=False)
        assert (moved.status_code, moved.headers["Location"]) == (302, "/lab/dummy?number=4")
    finally:
        assert server.stop() == 0
    assert "no token is set" not in server.text()
    assert "s3cret" not in server.text()


def test_every_notebook_has_a_page_and_the_log_has_the_address(tmp_path: Path) -> None:
    (tmp_path / "my own (1).ipynb").write_text((ROOT / "notebooks" / "dummy.ipynb").read_text())
    health = tmp_path / "health"
    args = ("serve", str(tmp_path), "--host", "::1", "--base_url=/x/")
    server = Server(tmp_path / "log", *args, IRISLIB_HEALTH_FILE=str(health))
    url = f"http://[::1]:{server.port}/x/"
    try:
        check = [sys.executable, "-m", "irislib.healthcheck"]
        environment = {**os.environ, "IRISLIB_HEALTH_FILE": str(health)}
        wait_until(health.exists)  # to start a program again and again costs more than the server
        wait_until(lambda: not subprocess.run(check, env=environment, check=False).returncode)
        assert health.read_text() == f"{url}healthz"
        assert requests.head(f"{url}healthz", timeout=PATIENCE).status_code == 200
        assert '<a href="/x/my-own-1">My own (1)</a>' in requests.get(url, timeout=PATIENCE).text
        assert "data-irislib-model" in requests.get(f"{url}my-own-1", timeout=PATIENCE).text
        assert requests.post(url, timeout=PATIENCE).headers["Content-Type"] == "application/problem+json"
    finally:
        assert server.stop() == 0
    assert f"ready: http://localhost:{server.port}/x/" in server.text()


@pytest.mark.parametrize("command", ["serve", "api"])
def test_debug_restarts_when_the_spec_changes(command: str, tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    source = (TESTS / "tiny.py").read_text()
    module.write_text(source)
    temporary = tmp_path / "t"
    temporary.mkdir()
    args = (command, "--debug", "--model", "mine", *(["--Pages.warm=False"] if command == "serve" else []))
    server = Server(tmp_path / "log", *args, cwd=tmp_path, code=AS_A_MODULE, TMPDIR=str(temporary)).wait()
    try:
        row = {"size": 1}
        assert server.post("/tiny", data=row).status_code == 200

        def answers(path: str, status: int) -> list[requests.Response]:
            with contextlib.suppress(requests.RequestException):
                response = server.post(path, data=row, timeout=5)
                return [response] if response.status_code == status else []
            return []

        def save(text: str, is_noticed: Callable[[], Any]) -> Any:
            """Save until that is noticed: what watches the file may not have seen yet how it was."""
            time.sleep(2)
            saved = float("-inf")

            def saved_and_noticed() -> Any:
                nonlocal saved
                if time.monotonic() > saved + 60:
                    module.write_text(text)
                    saved = time.monotonic()
                return is_noticed()

            return wait_until(saved_and_noticed)

        # a slip while editing: no traceback for those who look, and no need to start it by hand again
        if command == "api":
            (broken,) = save(source + "\n(", lambda: answers("/tiny", 503))
            assert broken.headers["Content-Type"] == "application/problem+json"
            assert "SyntaxError" not in broken.text
        else:
            save(source + "\n(", lambda: "could not be loaded" in server.text())
        save(source.replace('"tiny"', '"small"'), lambda: answers("/small", 200))
    finally:
        server.stop()
    assert "SyntaxError" in server.text()
    assert list(temporary.iterdir()) == []
