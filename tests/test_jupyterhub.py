"""irislib in JupyterHub: within a user's Jupyter server, by jupyter-server-proxy, and as a service of a Hub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from conftest import (
    PATIENCE,
    ROOT,
    Server,
    descendants,
    free_port,
    is_running,
    is_up,
    run_irislib,
    submit_row,
    wait_until,
)
from invalid_inputs import GOOD
from programs import program

for package in ("jupyter_server_proxy", "jupyterhub"):
    pytest.importorskip(package)
SHIPPED = ROOT / "deploy" / "jupyterhub"
TOKEN = "a-user's-token"  # noqa: S105


@pytest.fixture(scope="module")
def user_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Jupyter server of a user of a hub, with the configuration that ships; its address."""
    folder, port = tmp_path_factory.mktemp("user"), free_port()
    url = f"http://127.0.0.1:{port}/user/ada/"
    options = ["--allow-root", "--no-browser", "--port", str(port), f"--IdentityProvider.token={TOKEN}"]
    options += ["--ServerApp.base_url=/user/ada/", "--ServerApp.jpserver_extensions=jupyter_server_proxy=True"]
    options += ["--config", str(SHIPPED / "jupyter_server_config.py")]
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
    page.goto(f"{user_server}irislib/iris-wizard?token={TOKEN}&sepal_width_cm=3")  # a login at the server before it
    assert page.url == f"{user_server}irislib/iris-wizard?sepal_width_cm=3"
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
    assert requests.post(f"{url}?token={TOKEN}", data=GOOD, timeout=PATIENCE).json() == "virginica"
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


# ---- as a service of a Hub

HUB = """
c = get_config()
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = {password!r}
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.services = [{{"name": name, "api_token": name * 8}} for name in ("program", "operator", "stranger")]
c.JupyterHub.services.append(  # it is started later: the hub does not wait for it
    {{"name": "elsewhere", "url": "http://127.0.0.1:{elsewhere}", "api_token": "elsewhere" * 4, "timeout": 0}}
)
c.JupyterHub.load_roles = [
    {{"name": "programs", "scopes": ["access:services"], "services": ["program", "operator"]}},
    {{"name": "operators", "scopes": ["custom:irislib:operate"], "services": ["operator"]}},
]
load_subconfig({config!r})
"""
KNOWN_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket { constructor(...options) { super(...options); sockets.push(this); } };
"""
# The statuses that another page of the same origin gets, whose visitor has logged in.
FROM_ANOTHER_PAGE = """async (row) => {
  const post = { method: "POST", body: new URLSearchParams(row) };
  const requests = [["", {}], ["/schema", {}], ["", post], ["/refresh", post]];
  const ask = ([path, options]) =>
    fetch(`/services/irislib/iris-wizard${path}`, { redirect: "manual", ...options }).then(({ status }) => status);
  return Promise.all(requests.map(ask));
}"""
PASSWORD = "the-users-password"  # noqa: S105
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
WEBSOCKET = {**UPGRADE, "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "a2V5"}


class Hub:
    """A JupyterHub with its proxy, and the service that ships but for its folder, port and store."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/services/irislib"
        command = '"--hub-login"]'
        changes = {
            'USERS = {"users": []}': 'USERS = {"users": ["ada"]}',
            'OPERATORS = {"users": []}': 'OPERATORS = {"users": ["olga"]}',
            '"/srv/irislib"': repr(str(folder)),
            "127.0.0.1:5000": f"127.0.0.1:{free_port()}",
            'f"{FOLDER}/models"': repr(os.environ["IRISLIB_STORE"]),
            command: f"{command[:-1]}, '--notebooks={ROOT / 'notebooks' / 'iris-wizard.ipynb'}', '--languages=en']",
        }
        text = (SHIPPED / "jupyterhub_config.py").read_text()
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        (folder / "irislib_config.py").write_text(text)
        self.own_port, self.other_port = free_port(), free_port()
        ports = {"port": self.port, "hub": self.own_port, "api": free_port(), "elsewhere": self.other_port}
        proxy = program("configurable-http-proxy")
        (folder / "config.py").write_text(
            HUB.format(password=PASSWORD, proxy=proxy, config=str(folder / "irislib_config.py"), **ports)
        )
        environment = {**os.environ, "HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "--config", "config.py"],
                cwd=folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def wait(self) -> Hub:
        wait_until(lambda: self.process.poll() is not None or is_up(f"{self.url}/readyz"), self.log)
        assert self.process.poll() is None, self.log()
        return self

    def ask(self, method: str, path: str, token: str = "", **options: Any) -> requests.Response:
        headers = {**({"Authorization": f"token {token * 8}"} if token else {}), **options.pop("headers", {})}
        return requests.request(
            method, f"{self.url}{path}", headers=headers, timeout=PATIENCE, allow_redirects=False, **options
        )

    def log_in(self, page: Any, user: str) -> None:
        page.get_by_label("Username").fill(user)
        page.get_by_label("Password", exact=False).first.fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

    def stop(self) -> None:
        """End it as an operator does; the service that it has started ends in good order."""
        if self.process.poll() is not None:
            return
        children = descendants(self.process.pid)
        self.process.terminate()
        self.process.wait(PATIENCE)
        wait_until(lambda: not any(map(is_running, children)), self.log)
        before, _, after = self.log().partition("initiating shutdown")
        assert "Traceback" not in before, self.log()
        assert "Kernel shutdown" in after
        assert not Path(re.findall(r"Storing connection files in (\S+)\.\n", before)[0]).exists()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, iris: Any) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub"))
    try:
        yield hub.wait()
    finally:
        hub.stop()


def test_people_come_in_by_the_hubs_login_as_far_as_their_scopes_reach(hub: Hub, page: Any, iris: Any) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.add_init_script(KNOWN_SOCKETS)
    page.goto(f"{hub.url}/iris-wizard?sepal_width_cm=3")
    assert urlsplit(page.url).path == "/hub/login"
    hub.log_in(page, "ada")
    page.wait_for_url(f"{hub.url}/iris-wizard?sepal_width_cm=3")
    submit_row(page, iris, GOOD)
    page.get_by_role("tabpanel").get_by_text("virginica").first.wait_for()
    assert sockets
    assert all("/services/irislib/api/kernels/" in url for url in sockets)
    with page.expect_response(re.compile("/api/kernels/[^/]+$")) as state:
        page.evaluate("sockets.at(-1).close()")
    assert state.value.status == 200  # and the page connects again
    assert page.goto(f"{hub.url}/iris-wizard/operator").status == 403
    page.get_by_role("heading", name="You may not open this").wait_for()
    wait_until(lambda: "Kernel shutdown" in hub.log(), hub.log)  # the page could say that it was closed
    page.goto(f"{hub.url}/logout")
    page.goto(f"{hub.url}/iris-wizard")
    assert urlsplit(page.url).path == "/hub/login"
    with page.expect_response(lambda response: response.status == 403) as refused:
        hub.log_in(page, "stranger")  # has an account, and no scope
    assert refused.value.url.startswith(hub.url.removesuffix("/services/irislib"))
    page.get_by_role("heading", name="permission").first.wait_for()
    page.goto(f"{hub.url}/logout")
    page.goto(f"{hub.url}/login?next=//example.org/")
    hub.log_in(page, "olga")
    page.wait_for_url(f"{hub.url}/")  # and not of another site
    page.goto(f"{hub.url}/iris-wizard/operator?view=refresh")
    page.get_by_role("button", name="Train").click()
    with page.expect_response(re.compile("/iris-wizard/refresh/[^/]+$")) as run:
        pass
    assert run.value.status == 200
    page.get_by_role("button", name="Cancel it").click()
    page.get_by_role("status").get_by_text("Cancelled").wait_for()
    page.goto(hub.url.replace("/services/irislib", "/hub/home"))  # as a page of a user's own server
    assert page.evaluate(FROM_ANOTHER_PAGE, GOOD) == [0, 401, 401, 401]  # 0: it is sent to the login


def test_programs_come_in_by_a_token_of_the_hub(hub: Hub) -> None:
    assert hub.ask("POST", "/iris-wizard", "program", data=GOOD).json() == "virginica"
    refusals = {"": 401, "no-token": 401, "stranger": 403}
    for token, status in refusals.items():
        for method, path in [("POST", "/iris-wizard"), ("POST", "/iris-wizard/batch"), ("GET", "/iris-wizard/schema")]:
            answer = hub.ask(method, path, token, data=GOOD if method == "POST" else None)
            assert (answer.status_code, answer.json()["status"]) == (status, status), (token, path)
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    for path in ("/healthz", "/readyz"):
        assert hub.ask("GET", path).status_code == 200


def test_what_changes_a_model_needs_another_scope(hub: Hub) -> None:
    for path in ("refresh", "%72efresh", "operator", "refresh/x/cancel"):
        answer = hub.ask("POST", f"/iris-wizard/{path}", "program")
        assert (answer.status_code, answer.json()["status"]) == (403, 403), path
        assert "custom:irislib:operate" in answer.json()["detail"]
    assert hub.ask("GET", "/iris-wizard/refresh", "program").status_code == 403
    assert hub.ask("GET", "/iris-wizard/refresh", "operator").json()["runs"] is not None


def test_a_page_and_its_websocket_are_for_those_with_the_scope(hub: Hub) -> None:
    page = hub.ask("GET", "/iris-wizard", "stranger", headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert "You may not open this" in page.text
    assert "Iris Wizard" not in page.text
    late = hub.ask("GET", "/oauth_callback?code=c&state=s")  # as of a login that was begun before the service started
    assert (late.status_code, "You are not logged in yet" in late.text, "Iris" in late.text) == (403, True, False)
    for token, status in {"": 403, "stranger": 403, "program": 404}.items():  # there is no such kernel
        assert hub.ask("GET", "/api/kernels/k/channels", token, headers=WEBSOCKET).status_code == status, token
    # what is no token is nobody's: the Hub cannot be asked about it, which is not for want of the Hub
    headers = {**WEBSOCKET, "Sec-Fetch-Mode": "websocket"}
    assert hub.ask("GET", "/api/kernels/k/channels?token=a%0Ab", headers=headers).status_code == 403
    assert "does not say who a visitor is" not in hub.log()


def test_a_service_that_the_hub_does_not_start_lets_nobody_in_while_the_hub_is_silent(hub: Hub, tmp_path: Path) -> None:
    environment = {
        "JUPYTERHUB_API_TOKEN": "elsewhere" * 4,
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.own_port}/hub/api",
        "JUPYTERHUB_CLIENT_ID": "service-elsewhere",
        "JUPYTERHUB_SERVICE_NAME": "elsewhere",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/elsewhere/",
    }
    server = Server(tmp_path / "log", "serve", "--hub-login", port=hub.other_port, **environment)
    try:
        server.wait("/services/elsewhere/healthz")
        path = "/services/elsewhere/openapi.json"
        program = {"Authorization": f"token {'program' * 8}"}
        through = requests.get(f"http://127.0.0.1:{hub.port}{path}", headers=program, timeout=PATIENCE)
        assert through.json()["openapi"]
        hub.stop()
        assert server.get(path).status_code == 401
        operator = {"Authorization": f"token {'operator' * 8}"}
        answer = server.post(path.replace("openapi.json", "iris-wizard"), data=GOOD, headers=operator)
        assert (answer.status_code, answer.json()["status"], "Retry-After" in answer.headers) == (503, 503, True)
        page = server.get("/services/elsewhere/", headers=operator)
        assert (page.status_code, "Your login cannot be checked" in page.text) == (503, True)
        for pid in descendants(server.process.pid):
            assert b"elsewhereelsewhere" not in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        assert server.stop() == 0
    for options, changes, text in [
        ([], {"JUPYTERHUB_API_TOKEN": ""}, "JUPYTERHUB_API_TOKEN is not set"),
        ([], {"JUPYTERHUB_SERVICE_NAME": ""}, "JUPYTERHUB_OAUTH_ACCESS_SCOPES is not set"),
        ([], {"IRISLIB_TOKEN": "t"}, "exclude each other"),
        (["--base_url=/apps/"], {}, "below /services/elsewhere/"),
        ([], {"JUPYTERHUB_SERVICE_URL": "https://127.0.0.1:5000"}, "must be an address such as"),
    ]:
        refused = run_irislib("serve", "--hub-login", *options, **{**environment, **changes})
        assert (refused.returncode, text in refused.stderr) == (1, True), refused.stderr
