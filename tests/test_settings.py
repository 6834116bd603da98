"""One table of settings: options, environment, help and the reference page agree with it, and servers do not mix."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from conftest import run_irislib

from irislib._common import json_lines, tracing
from irislib._common.settings import SETTINGS, api_settings, environment_value, serve_settings
from irislib._description.feature_types.text import FILE_LIMIT
from irislib._modeling import registry
from irislib._serving.gunicorn_app import ApiServer
from irislib._serving.headers import ancestors
from irislib._serving.voila_app import AppServer
from irislib.api import Options
from irislib.api._routes import make_app
from irislib.errors import IrislibError

TESTS = Path(__file__).parent
ROOT = TESTS.parent


@pytest.fixture
def server() -> Iterator[Callable[..., AppServer]]:
    """Make an `irislib serve` that has loaded its models, and does not listen."""
    servers, handler = [], signal.getsignal(signal.SIGTERM)

    def start(*args: str) -> AppServer:
        servers.append(AppServer())
        servers[-1].initialize(list(args))
        servers[-1].init_apps()
        return servers[-1]

    yield start
    signal.signal(signal.SIGTERM, handler)
    for made in servers:
        shutil.rmtree(made.session)


def api(monkeypatch: pytest.MonkeyPatch, *args: str) -> ApiServer:
    """Return an `irislib api` that has read its options, and does not listen."""
    monkeypatch.setattr(sys, "argv", ["irislib api", *args])
    return ApiServer("%(prog)s", prog="irislib api")


def test_the_package_reads_no_variable_that_the_table_lacks() -> None:
    internal = {
        registry.SESSION,
        FILE_LIMIT,
        json_lines.VARIABLE,
        tracing.VARIABLE,
        "IRISLIB_PAGE",
        "IRISLIB_LANGUAGE",
    }  # from a server to its kernels
    known = {setting.variable for setting in SETTINGS.values()} | internal
    for path in (ROOT / "irislib").rglob("*.py"):
        assert set(re.findall(r"IRISLIB_[A-Z_]+", path.read_text(encoding="utf-8"))) <= known, path


@pytest.mark.parametrize("command", ["serve", "api"])
def test_help_lists_every_option_with_its_default_and_variable(command: str) -> None:
    result = run_irislib(command, "--help", COLUMNS="1000")
    assert result.returncode == 0, result.stderr
    text = " ".join(result.stdout.split())
    settings = api_settings() if command == "api" else serve_settings()
    for setting in settings.values():
        if command == "api" or setting.short:
            assert setting.option in text
            assert (setting.help if setting.type is bool else setting.help_for(command)) in text


def test_an_option_of_both_servers_has_one_name(server: Callable[..., AppServer], monkeypatch) -> None:
    both = [SETTINGS[name] for name in serve_settings() if name in api_settings()]
    assert [setting.option for setting in both] == [setting.serve_option for setting in both]
    args = ["--max-batch-bytes", "1000", "--max-connections-per-client", "3"]
    apps, endpoint = server(*args), api(monkeypatch, *args)
    assert apps.options.batch_bytes == endpoint.options.batch_bytes == 1000
    assert apps.max_connections_per_client == endpoint.max_connections_per_client == 3


def test_the_command_line_comes_before_the_environment_and_that_before_the_default(
    server: Callable[..., AppServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (server().port, server().ip, server().cors) == (5000, "127.0.0.1", "")
    assert api(monkeypatch).cfg.address == [("127.0.0.1", 5000)]
    for name, value in {"PORT": "5999", "HOST": "127.0.0.2", "CORS": "https://a.test", "MODEL": "rent:spec"}.items():
        monkeypatch.setenv(f"IRISLIB_{name}", value)
    made = server()
    assert (made.port, made.ip, made.options.cors) == (5999, "127.0.0.2", "https://a.test")
    assert [app.name for app in made.apps] == ["flat-rent"]
    assert api(monkeypatch).cfg.address == [("127.0.0.2", 5999)]
    made = server("--port", "6001", "--cors", "https://b.test", "--model", "irislib.iris:spec")
    assert (made.port, made.ip, made.options.cors) == (6001, "127.0.0.2", "https://b.test")
    assert [app.name for app in made.apps] == ["iris-wizard"]
    other = api(monkeypatch, "--port", "6001", "--cors", "https://b.test")
    assert (other.cfg.address, other.options.cors) == ([("127.0.0.2", 6001)], "https://b.test")


NO_ORIGINS = ["https://a.test/path", "https://a.test/", "a.test", "*", "https://*", "https://a.test; script-src *",
              "none", "https://a.test\nX-Frame-Options: DENY", "https://'a'.test", 'https://"a".test',
              "https://user@a.test", "file://a", "https://é.test", "https://a.test:x", "https://a*.test"]  # fmt: skip


@pytest.mark.parametrize("value", NO_ORIGINS)
def test_what_is_no_origin_may_show_no_app_in_a_frame(value: str) -> None:
    with pytest.raises(IrislibError, match=r"--frame-ancestors takes origins, .*, got ['\"]"):
        ancestors(f"https://b.test,{value}")


@pytest.mark.parametrize(
    ("value", "allowed", "refused"),
    [
        ("https://a.test, http://b.test:81", "https://a.test http://b.test:81", "http://a.test https://a.test.evil.test"),
        ("https://*.a.test", "https://b.a.test https://c.b.A.test", "https://a.test https://xa.test https://b.a.test.evil.test"),
        ("https://*.a.test:8443", "https://b.a.test:8443", "https://b.a.test https://b.a.test:84430 http://b.a.test:8443"),
        ("http://[::1]:8888", "http://[::1]:8888", "http://::8888 http://[::1]:88889"),
        ("capacitor://localhost,null", "capacitor://localhost null", "https://localhost"),
        ("*", "https://a.test null", ""),
    ],
)  # fmt: skip
def test_pages_of_the_origins_that_are_set_may_call_the_endpoint(
    iris: Any, value: str, allowed: str, refused: str
) -> None:
    client = make_app([iris], [], Options(cors=value)).test_client()
    for origins, is_allowed in ((allowed, True), (refused, False)):
        for origin in origins.split():
            header = client.get("/healthz", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin")
            assert (header in (origin, "*")) == is_allowed, (origin, header)


@pytest.mark.parametrize(
    "value", ["a.test", "https://a.test/", "https://", "https://.*\\.a.test", "https://a*.test", "[", "https://*"]
)
def test_what_is_no_origin_may_not_call_the_endpoint(value: str) -> None:
    with pytest.raises(IrislibError, match=r"--cors takes origins, .*, got ['\"]"):
        make_app([], [], Options(cors=f"https://b.test,{value}"))


def statuses(iris: Any, *addresses: str) -> list[int]:
    """Return the statuses of requests from some addresses to an endpoint that takes two an hour of each."""
    client = make_app([iris], [], Options(rate_limit="2/hour")).test_client()
    return [client.get("/docs", environ_base={"REMOTE_ADDR": address}).status_code for address in addresses]


def test_a_network_of_ipv6_has_one_rate_limit(iris: Any) -> None:
    same = ("2001:db8::1", "2001:db8::2", "2001:db8::2:3")
    assert statuses(iris, *same, "2001:db8:0:1::1", "10.0.0.7", "10.0.0.8") == [200, 200, 429, 200, 200, 200]
    assert statuses(iris, "10.0.0.7", "::ffff:10.0.0.7", "::ffff:10.0.0.7", "") == [200, 200, 429, 200]


def test_a_storage_of_the_rate_limit_that_is_away_costs_no_answer(
    iris: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from limits.storage import MemoryStorage

    class Away(MemoryStorage):
        STORAGE_SCHEME: ClassVar = ["away"]

        def incr(self, *_: Any, **__: Any) -> int:
            raise ConnectionError("it is away")

        def check(self) -> bool:
            return False

    monkeypatch.setenv("IRISLIB_RATE_LIMIT_STORAGE", "away://")
    assert statuses(iris, *["10.0.0.7"] * 3) == [200, 200, 429]  # each process counts by itself meanwhile
    assert caplog.text.count("Rate limit storage unreachable") == 1
    monkeypatch.setenv("IRISLIB_RATE_LIMIT_STORAGE", "nothing://user:pa55word@host")
    with pytest.raises(IrislibError, match=r"IRISLIB_RATE_LIMIT_STORAGE cannot be used: unknown.* nothing") as refused:
        statuses(iris)
    assert "pa55word" not in str(refused.value)


def test_the_sites_that_may_show_an_app_are_in_one_policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    server = AppServer()
    server.initialize(["--frame-ancestors", "self, https://*.A.test,http://a.test:81 https://*.a.test"])
    policy = server.headers["Content-Security-Policy"]
    assert policy.startswith("frame-ancestors 'self' https://*.a.test http://a.test:81; object-src ")
    own = {"Voila": {"tornado_settings": {"headers": {"Content-Security-Policy": "frame-ancestors 'none'"}}}}
    (tmp_path / "voila.json").write_text(json.dumps(own))
    AppServer().initialize([])
    monkeypatch.setenv("IRISLIB_FRAME_ANCESTORS", "https://a.test")
    with pytest.raises(IrislibError, match=r"no effect beside the Content-Security-Policy in Voila\.tornado_settings"):
        AppServer().initialize([])


def test_the_store_is_looked_at_as_often_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert api(monkeypatch).look_seconds == 2
    monkeypatch.setenv("IRISLIB_FOLLOW", "0.5")
    assert api(monkeypatch).look_seconds == 0.5
    assert api(monkeypatch, "--follow", "7").look_seconds == 7
    for off in (("--follow", "0"), ("--no-store",)):
        assert api(monkeypatch, *off).look_seconds == 0
    monkeypatch.delenv("IRISLIB_FOLLOW")
    monkeypatch.setenv("IRISLIB_STORE", "s3://bucket/models")
    assert api(monkeypatch).look_seconds == 5
    for text in ("often", "nan", "inf"):
        with pytest.raises(IrislibError, match=rf"IRISLIB_FOLLOW must be a number, got '{text}'\."):
            environment_value("follow", {"IRISLIB_FOLLOW": text})


def test_the_options_of_gunicorn_come_from_its_own_variable_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 3 --threads 2")
    made = api(monkeypatch, "--workers", "4")
    assert (made.cfg.workers, made.cfg.threads) == (4, 2)


def test_a_port_that_is_no_number_is_one_message() -> None:
    with pytest.raises(IrislibError, match=r"IRISLIB_PORT must be a number, got 'http'\."):
        environment_value("port", {"IRISLIB_PORT": "http"})


def test_two_servers_in_one_process_do_not_mix(
    iris, rent, server: Callable[..., AppServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(ROOT / "share" / "jupyter"))  # which Jupyter itself reads from there
    before = dict(os.environ)
    first, second = server("--model", "irislib.iris:spec"), server("--model", "rent:spec")
    third = api(monkeypatch, "--model", "rent:spec")
    assert dict(os.environ) == before
    assert [app.name for app in first.apps] == ["iris-wizard"]
    assert [app.name for app in second.apps] == ["flat-rent"]
    assert third.models == ["rent:spec"]
    environments = [made.kernel_environment(os.environ) for made in (first, second)]
    assert [kernel["IRISLIB_MODEL"] for kernel in environments] == ["irislib.iris:spec", "rent:spec"]
    assert environments[0][registry.SESSION] != environments[1][registry.SESSION]
    for model, environment in zip((iris, rent), environments, strict=True):
        check = f"import irislib; print(irislib.load({model.spec.name!r}).version); raise SystemExit"
        result = run_irislib(cwd=TESTS, code=check, **environment)
        assert result.stdout.strip() == model.version, result.stderr
