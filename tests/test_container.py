"""The images, built and run as an operator would: nothing may be written but to /tmp and to the store's volume."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from conftest import PATIENCE, free_port, is_up, submit_row, wait_until
from containers import Engine
from invalid_inputs import GOOD

pytestmark = pytest.mark.container
HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--memory=2g", "--pids-limit=512")


class Container:
    """A container of one of the images, on this machine's network."""

    def __init__(self, engine: Engine, image: str, *args: str, volume: str, options: tuple[str, ...] = ()):
        self.engine, self.port = engine, free_port()
        self.name, self.url = f"irislib-test-{self.port}", f"http://127.0.0.1:{self.port}"
        engine.podman(
            "run", "--detach", "--name", self.name, "--network=host", "--health-interval=disable", *HARDENED, *options,
            "--volume", f"{volume}:/var/lib/irislib", image, *args, "--host", "127.0.0.1", "--port", str(self.port),
        )  # fmt: skip
        wait_until(lambda: is_up(f"{self.url}/readyz"), self.log)

    def log(self) -> str:
        return self.engine.run("sh", "-c", f"podman logs {self.name} 2>&1")

    def run(self, *command: str) -> str:
        return self.engine.podman("exec", self.name, *command)

    def stop(self) -> int:
        self.engine.podman("stop", "--time", "30", self.name)
        return int(self.engine.podman("inspect", "--format", "{{.State.ExitCode}}", self.name))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    if os.geteuid() != 0:
        pytest.skip("Containers are built here by root alone.")
    return Engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def images(engine: Engine) -> dict[str, str]:
    version = ("--build-arg", "version=1.2.3", "--build-arg", "port=5005")
    return {target: engine.build(target, *version) for target in ("app", "endpoint")}


@pytest.fixture(scope="module")
def volume(engine: Engine) -> Iterator[str]:
    name = f"irislib-test-{os.getpid()}"
    engine.podman("volume", "create", name)
    yield name
    engine.podman("volume", "rm", "--force", name)


@pytest.fixture(scope="module")
def app(engine: Engine, images: dict[str, str], volume: str) -> Iterator[Container]:
    container = Container(engine, images["app"], volume=volume)
    yield container
    engine.podman("rm", "--force", container.name)


def test_the_images_say_what_they_are_and_the_endpoints_has_no_jupyter(engine: Engine, images: dict[str, str]) -> None:
    sizes = {}
    for target, image in images.items():
        (facts,) = json.loads(engine.podman("image", "inspect", image))
        sizes[target] = facts["Size"]
        settings = facts["Config"]
        assert settings["User"] == "1000"
        assert settings["Entrypoint"] == ["irislib"]
        assert settings["Cmd"] == [{"app": "serve", "endpoint": "api"}[target]]
        assert settings["Labels"]["org.opencontainers.image.version"] == "1.2.3"
        assert settings["ExposedPorts"] == {"5005/tcp": {}}
        assert [*settings["Volumes"]] == ["/var/lib/irislib"]
        names = engine.podman("run", "--rm", "--entrypoint=sh", image, "-c", "ls /opt/irislib/lib/*/site-packages")
        assert ("voila" in names.split()) == (target == "app")
        assert not {"pip", "pytest", "mypy"} & {*names.split()}
    assert sizes["endpoint"] < 0.9 * sizes["app"]
    sentence = engine.run("sh", "-c", f"podman run --rm {images['endpoint']} serve 2>&1 || true")
    assert "irislib serve: This installation has no pages" in sentence


def test_the_page_answers_a_click(app: Container, page: Any, iris: Any) -> None:
    page.goto(f"{app.url}/iris-wizard")
    submit_row(page, iris, GOOD)
    page.get_by_role("tabpanel").get_by_text("virginica").first.wait_for()


def test_the_app_answers_programs_is_healthy_and_runs_as_nobody_in_particular(app: Container) -> None:
    assert requests.post(f"{app.url}/iris-wizard", data=GOOD, timeout=PATIENCE).json() == "virginica"
    table = ",".join(GOOD) + "\n" + "\n".join([",".join(map(str, GOOD.values()))] * 3)
    batch = requests.post(
        f"{app.url}/iris-wizard/batch", data=table, headers={"Content-Type": "text/csv"}, timeout=PATIENCE
    )
    assert batch.text.count(",virginica,") == 3
    assert app.run("id", "-u") == "1000"
    app.engine.podman("healthcheck", "run", app.name)


def test_nothing_is_written_but_to_the_volume_and_below_tmp(app: Container) -> None:
    changed = {line.split()[1] for line in app.engine.podman("diff", app.name).splitlines()}
    mounted = ("/tmp", "/var", "/etc", "/run", "/dev", "/proc", "/sys")  # noqa: S108 - by podman itself
    assert not {path for path in changed if not path.startswith(mounted)}
    assert app.run("find", "/var/lib/irislib", "-name", "*.irislib").startswith("/var/lib/irislib/iris-wizard/")


def test_it_stops_cleanly_and_the_next_one_takes_the_model_from_the_volume(
    engine: Engine, images: dict[str, str], app: Container, volume: str
) -> None:
    assert app.stop() == 0
    assert "Training Iris Wizard" in app.log()
    endpoint = Container(engine, images["endpoint"], "api", "--workers", "2", volume=volume)
    try:
        assert requests.post(f"{endpoint.url}/iris-wizard", data=GOOD, timeout=PATIENCE).json() == "virginica"
        for path in ("card", "schema", "insights/confusion_matrix"):
            assert requests.get(f"{endpoint.url}/iris-wizard/{path}", timeout=PATIENCE).status_code == 200
        engine.podman("healthcheck", "run", endpoint.name)
        assert endpoint.stop() == 0
        assert "Training" not in endpoint.log()
    finally:
        engine.podman("rm", "--force", endpoint.name)
