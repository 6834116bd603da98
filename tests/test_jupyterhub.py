"""irislib within a user's Jupyter server, as JupyterHub starts one, by jupyter-server-proxy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from conftest import PATIENCE, ROOT, free_port, is_up, submit_row, wait_until
from invalid_inputs import GOOD

pytest.importorskip("jupyter_server_proxy")
TOKEN = "a-user's-token"  # noqa: S105


@pytest.fixture(scope="module")
def user_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Jupyter server of a user of a hub, with the configuration that ships; its address."""
    folder, port = tmp_path_factory.mktemp("user"), free_port()
    url = f"http://127.0.0.1:{port}/user/ada/"
    options = ["--allow-root", "--no-browser", "--port", str(port), f"--IdentityProvider.token={TOKEN}"]
    options += ["--ServerApp.base_url=/user/ada/", "--ServerApp.jpserver_extensions=jupyter_server_proxy=True"]
    options += ["--config", str(ROOT / "deploy" / "jupyterhub" / "jupyter_server_config.py")]
    folders = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    environment = {**os.environ, **folders, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options], cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: process.poll() is not None or is_up(f"{url}api"), (folder / "log").read_text)
        assert process.poll() is None, (folder / "log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait()


def test_a_users_page_answers_below_the_users_path(user_server: str, page: Any, iris: Any) -> None:
    requested: list[str] = []
    page.on("websocket", lambda socket: requested.append(socket.url))
    page.goto(f"{user_server}?token={TOKEN}")  # a login
    page.goto(f"{user_server}irislib/iris-wizard")
    submit_row(page, iris, GOOD)
    page.get_by_role("tabpanel").get_by_text("virginica").first.wait_for()
    assert requested
    assert all("/user/ada/irislib/" in url for url in requested)


def test_only_the_user_reaches_it_and_programs_do_with_the_users_token(user_server: str) -> None:
    url = f"{user_server}irislib/iris-wizard"
    assert requests.get(url, allow_redirects=False, timeout=PATIENCE).status_code in (302, 403)
    assert requests.post(url, data=GOOD, timeout=PATIENCE).status_code == 403
    answer = requests.post(url, data=GOOD, headers={"Authorization": f"token {TOKEN}"}, timeout=PATIENCE)
    assert answer.json() == "virginica"
    (port,) = [  # another user of the machine
        connection.laddr.port
        for process in psutil.process_iter(["cmdline"])
        if f"--base_url={urlsplit(user_server).path}irislib/" in (process.info["cmdline"] or ())
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    direct = f"http://127.0.0.1:{port}{urlsplit(url).path}"
    assert requests.post(direct, data=GOOD, timeout=PATIENCE).status_code == 401
    assert requests.get(direct, allow_redirects=False, timeout=PATIENCE).status_code == 302
