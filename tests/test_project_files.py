"""The files of a project, and where it installs irislib from."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import venv
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from conftest import PATIENCE, ROOT, descendants, free_port, is_running, is_up, wait_until
from test_dockerfile import lint

from irislib._project import requirement
from irislib._project.manifest import MANIFEST, read_manifest
from irislib._project.names import check_name
from irislib._project.project_files import Answers, render_project, render_templates, write_project
from irislib._project.requirement import Origin, known_versions, version_range
from irislib.errors import IrislibError

ROW = {"Größe": 1.5, "it's": 'a "b"'}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Installed:
    """What `importlib.metadata` says of an irislib that was installed in some way."""

    version = "0.3.1"

    def __init__(self, address: dict[str, Any] | None):
        self.address = address

    def read_text(self, name: str) -> str | None:
        return "Name: irislib" if name == "METADATA" else self.address and json.dumps(self.address)


@pytest.mark.parametrize(
    ("address", "needs", "wheel"),
    [
        (None, "irislib>=0.3.1,<0.4", ""),
        (
            {"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"irislib @ git+https://example.org/a.git@{COMMIT}",
            "",
        ),
        (
            {"url": "https://example.org/a", "vcs_info": {"vcs": "git", "commit_id": COMMIT}, "subdirectory": "b"},
            f"irislib @ git+https://example.org/a@{COMMIT}#subdirectory=b",
            "",
        ),
        ({"url": "https://example.org/a.whl", "archive_info": {}}, "irislib @ https://example.org/a.whl", ""),
        ({"url": "file:///tmp/a.whl", "archive_info": {}}, "irislib>=0.3.1,<0.4", "irislib-0.3.1-py3-none-any.whl"),
        ({"url": "file:///tmp/a", "dir_info": {}}, "irislib>=0.3.1,<0.4", "irislib-0.3.1-py3-none-any.whl"),
        (
            {"url": "file:///tmp/a", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            "irislib>=0.3.1,<0.4",
            "irislib-0.3.1-py3-none-any.whl",
        ),
    ],
    ids=["index", "git", "subdirectory", "address", "wheel", "folder", "local clone"],
)
def test_a_project_needs_irislib_from_where_it_was_installed(
    address: Any, needs: str, wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requirement, "_is_clone", lambda: False)
    monkeypatch.setattr(requirement, "distributions", lambda name: [Installed(address)])
    origin = requirement.find_origin()
    assert (origin.requirement, origin.wheel) == (needs, wheel)
    monkeypatch.setattr(requirement, "_is_clone", lambda: True)
    assert requirement.find_origin().wheel == "irislib-0.3.1-py3-none-any.whl"


def test_compatible_versions_have_the_same_first_number_that_is_not_0() -> None:
    assert version_range("0.1.0") == "irislib>=0.1,<0.2"
    assert version_range("1.2.3") == "irislib>=1.2.3,<2"
    assert version_range("0.2.0.dev1") == "irislib>=0.2.0.dev1,<0.3"


def test_known_versions_are_those_of_all_that_a_package_needs() -> None:
    versions = dict(line.split("==") for line in known_versions(["irislib", "no-such-package>=2"]))
    assert versions["scikit-learn"] == version("scikit-learn")
    assert versions["pyzmq"] == version("pyzmq")  # which ipykernel needs
    assert versions["rfc3339-validator"] == version("rfc3339-validator")  # of an extra that jupyter-events asks for
    assert "irislib" not in versions  # the tests' own is from this machine
    assert "hypothesis" not in versions  # which only an extra of irislib needs


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data = tmp_path_factory.mktemp("data") / "flats.csv"
    data.write_bytes(b"\xe4;1,5\r\n")
    return render_project(
        Answers("flat-rent", 'Rent "here" {{ 1 }}', "spec = 1\n", data, ("openpyxl>=3.1",), ROW, "rent", False)
    )


def test_the_files_of_a_project_are_of_its_name_and_in_order(files: dict[str, Any]) -> None:
    assert files["flat_rent/data/flats.csv"] == b"\xe4;1,5\r\n"
    assert files["flat_rent/model.py"] == "spec = 1\n"
    assert {".ci/run", "setup.py", "notebooks/flat-rent.ipynb", "notebooks/data.ipynb"} < {*files}
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
        if path.endswith((".ipynb", ".json")):
            json.loads(text)
        if isinstance(text, str) and path != MANIFEST:
            assert text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert str(Path.home()) not in text
            assert max(map(len, text.splitlines())) <= 160, path
            if path not in ("flat_rent/model.py", "flat_rent/__init__.py", ".ci/run", "Makefile"):
                assert "hange" in "".join(text.splitlines(keepends=True)[:12]), f"{path} does not say when to change it"
    assert json.loads(files["notebooks/flat-rent.ipynb"])["metadata"]["title"] == 'Rent "here" {{ 1 }}'
    assert yaml.safe_load(files["environment.yml"])["dependencies"][-1]["pip"][-1] == "--editable .[test]"
    assert '"openpyxl>=3.1"' in files["setup.py"]
    assert json.loads(files[MANIFEST])["project"]["example"] == ROW


def test_an_irislib_from_elsewhere_is_installed_from_there(files: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(files[MANIFEST])
    project = read_manifest(tmp_path).project
    need = f"irislib @ git+https://example.org/a.git@{COMMIT}"
    texts = render_templates(replace(project, origin=Origin(need, "0.3.1"), is_classifier=True, beats_baseline=False))
    assert f'"{need}"' in texts["setup.py"]
    assert "install -y --no-install-recommends git " in texts["Dockerfile"]
    assert f"--constraint /tmp/irislib/constraints.txt '{need}'" in texts["Dockerfile"]
    assert "wheels/" not in "".join(texts.values())
    assert "@pytest.mark.xfail" in texts["tests/test_model.py"]
    assert "balanced_accuracy" in texts["tests/test_model.py"]
    assert " git " not in files["Dockerfile"]
    assert "COPY constraints.txt wheels/*.whl" in files["Dockerfile"]
    assert not lint(files["Dockerfile"]) + lint(texts["Dockerfile"])
    recipe = files[
        "Dockerfile"
    ]  # a read-only root: the store is a volume, which begins with what the build has trained
    assert "ENV HOME=/tmp IRISLIB_STORE=/var/lib/irislib " in recipe
    assert (
        recipe.index("install -d -o app") < recipe.index("RUN irislib train") < recipe.index("VOLUME /var/lib/irislib")
    )
    assert "mean_absolute_error" in files["tests/test_model.py"]


def test_a_project_is_written_as_a_whole_or_not_at_all(files: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "flat-rent"
    write_project(folder, files)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {*files}
    assert (folder / ".ci/run").stat().st_mode & 0o111
    (folder / "setup.py").write_text("mine")
    with pytest.raises(IrislibError, match="is there already"):
        write_project(folder, files)
    assert (folder / "setup.py").read_text() == "mine"
    with pytest.raises(IrislibError, match="cannot be written"):
        write_project(tmp_path / "other", {"a": "", "a/b": ""})
    with pytest.raises(IrislibError, match="cannot be written: File name too long"):
        write_project(tmp_path / ("flat" * 99), files)
    assert [path.name for path in tmp_path.iterdir()] == ["flat-rent"]


@pytest.mark.parametrize(
    "name", ["Flat", "flat_rent", "-flat", "1flat", "flat--rent", "json", "class", "tests", "pandas", "irislib"]
)
def test_a_name_that_would_hide_a_package_or_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(IrislibError, match=name):
        check_name(name)


MODEL = """
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LogisticRegression

from irislib import Feature, ModelSpec

spec = ModelSpec(
    name="flat-size",
    features=[Feature("rooms", "integer", low=1), Feature("area", unit="m²", low=0)],
    target="size",
    load_data=lambda: pd.read_csv(Path(__file__).parent / "data" / "flats.csv"),
    estimator=LogisticRegression(),
    examples={"A large flat": {"rooms": 5, "area": 160.5}},
)
"""


@pytest.fixture(scope="module")
def flats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as `irislib new` makes it."""
    folder = tmp_path_factory.mktemp("project")
    data = folder / "flats.csv"
    rows = [f"{1 + area // 30},{area},{'large' if area > 90 else 'small'}" for area in range(20, 180)]
    data.write_text("\n".join(["rooms,area,size", *rows]))
    answers = Answers("flat-size", "Flat size", MODEL, data, (), {"rooms": 5, "area": 160.5}, "size")
    write_project(folder / "flat-size", render_project(answers))
    return folder / "flat-size"


@pytest.fixture(scope="module")
def environment(flats: Path) -> Path:
    """A virtual environment such as `make` sets up for a project, with the packages of the tests' own."""
    folder = flats.parent / "environment"
    venv.create(folder)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "all.pth").write_text("\n".join(map(str, [sysconfig.get_paths()["purelib"], ROOT, flats])))
    program = folder / "bin" / "irislib"
    program.write_text(f"#!{folder}/bin/python\nfrom irislib.cli import main\n\nmain()\n")
    program.chmod(0o755)
    (folder / "ready").touch()
    return folder


# Voila's files, which are beside the packages
ENVIRONMENT = {**os.environ, "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}


def make(project: Path, target: str, environment: Path, args: str) -> list[str]:
    return ["make", "-C", str(project), target, f"VENV={environment}", f"ARGS={args}"]


def test_make_serve_serves_a_new_project(flats: Path, environment: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = make(flats, "serve", environment, f"--port {port} --languages en")
    log = environment / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=file, stderr=file, start_new_session=True)
    try:
        wait_until(lambda: process.poll() is not None or is_up(f"{url}/readyz"), log.read_text)
        example = yaml.safe_load((flats / "README.md").read_text().partition("curl --json '")[2].partition("'")[0])
        assert requests.post(f"{url}/flat-size", json=example, timeout=PATIENCE).json() == "large", log.read_text()
        assert "<title>Flat size</title>" in requests.get(f"{url}/flat-size", timeout=PATIENCE).text
        assert requests.get(f"{url}/data", timeout=PATIENCE).status_code == 404
    finally:
        started = descendants(process.pid)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(PATIENCE)
        wait_until(lambda: not any(map(is_running, started)))
