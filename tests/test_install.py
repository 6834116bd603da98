"""The wheel, installed where nothing of the checkout is in reach, serves from an empty folder."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, Server
from invalid_inputs import GOOD

from irislib._project.requirement import pack_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    return next(folder.glob("*.whl"))


def test_the_wheel_has_all_files_that_are_served(wheel: Path) -> None:
    names = "\n".join(zipfile.ZipFile(wheel).namelist())
    for path in (
        "share/irislib/notebooks/iris-wizard.ipynb",
        "share/irislib/notebooks/dummy.ipynb",
        "share/jupyter/kernels/irislib/kernel.json",
        "share/jupyter/voila/templates/irislib/index.html.j2",
        "share/jupyter/voila/templates/irislib/static/page.css",
        "irislib/widgets/frontend/page.js",
        "irislib/widgets/frontend/style.css",
        "irislib/widgets/frontend/report.html.j2",
    ):
        assert path in names
    assert "tests/" not in names


def test_a_project_gets_the_same_wheel_without_a_build(wheel: Path) -> None:
    built, packed = zipfile.ZipFile(wheel), zipfile.ZipFile(io.BytesIO(pack_wheel()))
    names = {name for name in built.namelist() if not name.endswith("/")}
    assert {*packed.namelist()} == names
    assert "irislib/_project/template/Makefile.j2" in names
    own = {name for name in names if name.endswith((".dist-info/RECORD", ".dist-info/WHEEL", ".dist-info/METADATA"))}
    assert len(own) == 3
    assert [name for name in sorted(names - own) if built.read(name) != packed.read(name)] == []
    # an editable installation has the README and the extras of its time
    path = next(name for name in own if name.endswith("METADATA"))
    facts = [message_from_bytes(file.read(path)) for file in (built, packed)]
    needs = [{need for need in fact.get_all("Requires-Dist") if "extra ==" not in need} for fact in facts]
    assert needs[0] == needs[1]
    assert facts[0]["Version"] == facts[1]["Version"]


def test_it_serves_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    command = [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, timeout=PATIENCE)
    # What irislib depends on comes from the environment that the tests run in; a path in a .pth file
    # brings in the packages but not the editable installation, which is a .pth file itself.
    purelib = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (purelib / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    empty = tmp_path / "empty"
    empty.mkdir()
    where = subprocess.run([python, "-c", "import irislib; print(irislib.__file__)"], cwd=empty, capture_output=True)
    assert str(purelib) in where.stdout.decode()

    environment = {**os.environ, "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter")}
    program = (str(tmp_path / "venv" / "bin" / "irislib"),)
    server = Server(tmp_path / "log", "serve", cwd=empty, program=program, **environment).wait()
    try:
        assert server.post("/iris-wizard", data=GOOD).json() == "virginica"
        for name, title in (("iris-wizard", "Iris Wizard"), ("dummy", "Dummy")):
            html = server.get(f"/{name}").text
            assert f"<title>{title}</title>" in html
            assert "data-irislib-model" in html
            assert "There was an error" not in html
        assert ".irislib-loading" in server.get("/voila/templates/irislib/static/page.css").text
    finally:
        assert server.stop() == 0
    assert list(empty.iterdir()) == []


def test_the_folder_above_a_clone_does_not_hide_the_package(tmp_path: Path) -> None:
    (tmp_path / "irislib").symlink_to(ROOT)
    command = [sys.executable, "-c", "import irislib; print(irislib.load.__module__)"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "irislib._modeling.registry"
