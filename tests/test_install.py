"""The distributions, built and installed where neither the checkout nor an extra is in reach."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from importlib.metadata import distribution
from pathlib import Path
from shutil import copy2

import pytest
from conftest import PATIENCE, ROOT, Server
from invalid_inputs import GOOD

from irislib._project.requirement import known_versions, pack_wheel

EPOCH = "1700000000"
METADATA = {"irislib.egg-info", "PKG-INFO", "setup.cfg"}  # what setuptools adds to a source archive
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def missing_to_build() -> set[tuple[str, ...]]:
    """Return what the build needs that is not installed here."""
    from build import check_dependency

    return {chain for need in PYPROJECT["build-system"]["requires"] for chain in check_dependency(need)}


def build(source: Path, target: Path) -> tuple[Path, Path]:
    """Build the source archive of a folder and, of that, the wheel, with the setuptools here, if that will do."""
    own = [] if missing_to_build() else ["--no-isolation"]
    command = [sys.executable, "-m", "build", *own, "--outdir", str(target), str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("*.tar.gz")), next(target.glob("*.whl"))


@pytest.fixture(scope="module")
def files() -> set[str]:
    """The files of the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def distributions(files: set[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    clone = tmp_path_factory.mktemp("clone")
    for name in files:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        copy2(ROOT / name, clone / name)
    return build(clone, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def wheel(distributions: tuple[Path, Path]) -> Path:
    return distributions[1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment that has irislib without extras, and what it needs.

    What it needs is linked to, from the environment that the tests run in: nothing is downloaded.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    purelib = next((folder / "lib").glob("python*/site-packages"))
    for name in known_versions(["irislib"]):
        needed = distribution(name.partition("==")[0])
        for top in {file.parts[0] for file in needed.files or ()} - {"..", "__pycache__"}:
            if not (purelib / top).exists():
                (purelib / top).symlink_to(Path(str(needed.locate_file(top))))
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-index", str(wheel)], check=True, timeout=PATIENCE)
    return folder / "bin"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    """An empty folder to work in, which stays empty."""
    folder = tmp_path / "empty"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"), **variables}


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: Path, files: set[str]) -> None:
    places = {"irislib/": "irislib/", "notebooks/": "share/irislib/notebooks/", "share/": "share/"}
    expected = {
        place + name.removeprefix(folder)
        for folder, place in places.items()
        for name in files
        if name.startswith(folder)
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    own = {re.sub(r"^irislib-[^/]+\.data/data/", "", name) for name in names if ".dist-info/" not in name}
    assert own == expected
    assert "irislib/py.typed" in own
    facts = {name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name}
    assert facts == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE"}


def test_the_source_archive_has_every_file_of_the_repository(distributions: tuple[Path, Path], files: set[str]) -> None:
    with tarfile.open(distributions[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in names if name.partition("/")[0] not in METADATA} == files


def test_both_are_the_same_when_they_are_built_again(distributions: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(distributions[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    for path in source.rglob("*"):
        path.chmod(path.stat().st_mode | 0o022)  # of a shared machine
        os.utime(path, (2_000_000_000, 2_000_000_000))
    again = build(source, tmp_path / "dist")
    assert [path.name for path in again] == [path.name for path in distributions]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in distributions]


def test_an_index_takes_them(distributions: tuple[Path, Path]) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, distributions)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_classifiers_agree_with_the_python_that_is_required() -> None:
    from packaging.specifiers import SpecifierSet

    required = SpecifierSet(PROJECT["requires-python"])
    prefix = "Programming Language :: Python :: "
    versions = {name.removeprefix(prefix) for name in PROJECT["classifiers"] if name.startswith(f"{prefix}3.")}
    assert versions == {f"3.{minor}" for minor in range(99) if required.contains(f"3.{minor}.0")}


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


def test_it_serves_from_an_empty_folder(installed: Path, empty: Path, tmp_path: Path) -> None:
    where = subprocess.run([installed / "python", "-c", "import irislib; print(irislib.__file__)"], cwd=empty,
                           capture_output=True, text=True)  # fmt: skip
    assert where.stdout.startswith(str(installed.parent))
    program = (str(installed / "irislib"),)
    server = Server(tmp_path / "log", "serve", cwd=empty, program=program, **environment()).wait()
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


def test_the_endpoint_alone_answers_from_an_empty_folder(installed: Path, empty: Path, tmp_path: Path) -> None:
    program = (str(installed / "irislib"),)
    server = Server(tmp_path / "log", "api", cwd=empty, program=program, **environment()).wait()
    try:
        assert server.post("/iris-wizard", data=GOOD).json() == "virginica"
        assert server.get("/docs").status_code == 200
    finally:
        assert server.stop() == 0


# commands in one process: to import all that they need takes longer than they do
IN_TURN = """
import json, os, sys
from irislib.cli import main
for folder, line in json.load(sys.stdin):
    os.chdir(folder)
    try:
        main(line)
    except SystemExit as ended:
        print(line[0], "ended with", ended.code or 0)
"""


def test_a_project_is_made_trained_and_checked(installed: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n % 13},{'yes' if n % 13 < 6 else 'no'}\n" for n in range(60))
    (tmp_path / "churn.csv").write_text(f"fee,churned\n{rows}")
    project = str(tmp_path / "churn")
    commands = [
        (str(tmp_path), ["new", "churn", "--data", "churn.csv", "--target", "churned"]),
        *((project, line) for line in (["train"], ["predict", "fee=3"], ["check"])),
    ]
    variables = environment(IRISLIB_STORE=str(tmp_path / "store"), IRISLIB_MODEL="churn.model:spec")
    done = subprocess.run([installed / "python", "-c", IN_TURN], input=json.dumps(commands), cwd=tmp_path,
                          env=variables, capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
    ended = re.findall(r"^(\w+) ended with (\w+)$", done.stdout, re.M)
    assert ended == [(name, "0") for name in ("new", "train", "predict", "check")], done.stdout + done.stderr
    assert "its page is made for it, at /churn" in done.stdout


# What irislib imports only where it is installed, by the name of the module, and what asks for it; what it says then.
EXTRAS: dict[str, tuple[list[str], dict[str, str], str]] = {
    "distributed": (["score", "in.csv", "--out", "out"], {},
                    "distributed is not installed: pip install 'irislib[dask]'."),
    "flask_cors": (["api", "--cors", "https://example.org"], {},
                   "flask_cors is not installed: pip install 'irislib[limits]'."),
    "flask_limiter": (["api", "--rate-limit", "5/minute"], {},
                      "flask_limiter is not installed: pip install 'irislib[limits]'."),
    "fsspec": (["versions"], {"IRISLIB_STORE": "s3://bucket/models"},
               "s3://bucket/models needs more libraries: pip install 'irislib[stores]' (No module named 'fsspec')."),
    "jupyterhub": (["serve", "--hub-login"], {f"JUPYTERHUB_{name}": "/services/iris/" for name in
                   ("API_TOKEN", "API_URL", "CLIENT_ID", "SERVICE_PREFIX")}, "pip install 'irislib[jupyterhub]'"),
    "openpyxl": (["new", "shop", "--data", "shop.xlsx", "--target", "sold"], {},
                 "Reading Excel needs the package openpyxl: pip install 'openpyxl>=3.1'"),
    "opentelemetry": (["api", "--tracing"], {}, "pip install 'irislib[tracing]'"),
    "pyarrow": (["new", "shop", "--data", "shop.parquet", "--target", "sold"], {},
                "Reading Parquet needs the package pyarrow: pip install 'pyarrow>=17'"),
    "sqlalchemy": (["new", "shop", "--data", "postgresql://host/shop", "--sql", "shop", "--target", "sold"], {},
                   "Reading a database needs the package SQLAlchemy: pip install 'sqlalchemy>=2'"),
}  # fmt: skip
# Modules that only follow another of these, or a model of theirs.
FOLLOWING = {"catboost", "dask", "limits"}
RUN = """
import contextlib, io, json, os, sys
from irislib.cli import main
said = {}
for name, (arguments, variables, _) in json.load(sys.stdin).items():
    os.environ.update(variables)
    with contextlib.redirect_stderr(io.StringIO()) as errors, contextlib.suppress(ImportError):
        try:
            main(arguments)
        except SystemExit as ended:
            print(ended.code, file=errors)
    said[name] = errors.getvalue()
    for variable in variables:
        del os.environ[variable]
print(json.dumps(said))
"""


def test_what_needs_an_extra_names_it(installed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shop.xlsx", "w") as workbook:
        workbook.writestr("xl/workbook.xml", "")
    (tmp_path / "shop.parquet").write_bytes(b"PAR1")
    done = subprocess.run([installed / "python", "-c", RUN], input=json.dumps(EXTRAS), cwd=tmp_path,
                          env=environment(), capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert {name: text for name, text in said.items() if EXTRAS[name][2] not in text or "Traceback" in text} == {}


def test_every_import_of_an_extra_has_such_a_sentence() -> None:
    needed = {name.partition("==")[0] for name in known_versions(["irislib"])}
    modules = {
        file.parts[0].partition(".")[0]
        for name in needed
        for file in distribution(name).files or ()
        if len(file.parts) > 1 or file.suffix == ".py"
    }
    optional = set()
    for path in (ROOT / "irislib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            optional |= {name.partition(".")[0] for name in names}
    optional -= {"irislib", *sys.stdlib_module_names, *modules}
    assert optional - {*EXTRAS, *FOLLOWING} == set()


def test_the_folder_above_a_clone_does_not_hide_the_package(tmp_path: Path) -> None:
    (tmp_path / "irislib").symlink_to(ROOT)
    command = [sys.executable, "-c", "import irislib; print(irislib.load.__module__)"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "irislib._modeling.registry"
