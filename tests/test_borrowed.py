"""Names of other packages that irislib depends on though nobody promises them."""

from __future__ import annotations

import ast
import logging
import random
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, run_irislib

from irislib._common import borrowed

# Documented in spite of their underscore.
DOCUMENTED = {"_exit", "_getframe", "_meta"}


def defined_names(tree: ast.AST) -> set[str]:
    """Return the names of functions, classes and attributes that a module defines itself."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name | ast.Attribute):
            names.add(node.target.id if isinstance(node.target, ast.Name) else node.target.attr)
    return names


def private_names(tree: ast.AST) -> set[str]:
    """Return the private names that a module uses and does not define."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("irislib", "__future__")):
            names |= {alias.name for alias in node.names}
    return {name for name in names if re.match("_[^_]", name)}


def test_private_names_of_other_packages_are_in_the_table() -> None:
    trees = [ast.parse(path.read_text()) for path in (ROOT / "irislib").rglob("*.py")]
    own = set().union(*map(defined_names, trees))
    listed = {row.name.rpartition(":")[2].rpartition(".")[2] for row in borrowed.BORROWED}
    assert set().union(*map(private_names, trees)) - own - listed - DOCUMENTED == set()
    assert private_names(ast.parse("import os\nos._secret()")) == {"_secret"}


def test_source_is_parsed_in_one_thread_at_a_time() -> None:
    files = [path for path in (ROOT / "irislib").rglob("*.py") if "ast.parse(" in path.read_text()]
    assert [path.name for path in files] == ["locks.py"]


def test_the_installed_packages_have_all_borrowed_names() -> None:
    code = "from irislib._common import borrowed\nassert not borrowed.find_missing(), borrowed.find_missing()"
    result = run_irislib("--version", code=code)
    assert result.returncode == 0, result.stderr


def test_the_table_is_complete_in_itself() -> None:
    for row in borrowed.BORROWED:
        assert (ROOT / f"{row.module.replace('.', '/')}.py").exists(), row
        assert row.source.startswith("https://github.com/"), row
        attribute = row.name.rpartition(":")[2].rpartition(".")[2]
        path = ROOT / f"{row.module.replace('.', '/')}.py"
        assert re.search(rf"\b{attribute}\b", path.read_text()), row


def test_the_table_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom irislib._common import borrowed\n"
        "print({'voila', 'sklearn', 'gunicorn', 'tornado', 'ipykernel'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert result.stdout.strip() == "set()", result.stderr


@pytest.mark.parametrize(
    ("command", "module", "name", "message"),
    [
        (
            "api",
            "gunicorn.config",
            "Config.parser",
            "The installed gunicorn has no gunicorn.config:Config.parser, which irislib needs to add the options of "
            "`irislib api` to Gunicorn's.",
        ),
        (
            "serve",
            "jupyter_server.services.kernels.kernelmanager",
            "MappingKernelManager._handle_kernel_died",
            "The installed jupyter_server has no jupyter_server.services.kernels.kernelmanager:"
            "AsyncMappingKernelManager._handle_kernel_died, which irislib needs to notice the end of a kernel.",
        ),
    ],
)
def test_a_server_without_a_name_that_guards_it_refuses_to_start(
    command: str, module: str, name: str, message: str
) -> None:
    result = run_irislib(command, "--port", "0", code=f"import {module}\ndel {module}.{name}")
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]  # an old debugpy may warn at its import
    assert last == f"irislib {command}: {message} Install the versions in constraints.txt."
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("command", "module"), [("serve", "voila.app"), ("check", "nbformat")])
def test_no_command_builds_the_parser_that_nobody_needs(command: str, module: str) -> None:
    code = (
        f"import sys\nfrom irislib import cli\ntry: cli.main(['{command}', '--no-such-option'])\n"
        f"except SystemExit: print('{module}' in sys.modules, 'rfc3987_syntax' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert result.stdout.strip() == "True False", result.stderr


def test_a_name_that_saves_time_is_missed_in_one_log_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    row = borrowed.Borrowed("random:_inst", "warm pages", "saves", "irislib._forkserver.kernel", "be fast", "")
    monkeypatch.setattr(borrowed, "BORROWED", (row,))
    with caplog.at_level(logging.WARNING):
        assert borrowed.check("warm pages") == []
        monkeypatch.delattr(random, "_inst")
        assert borrowed.check("warm pages") == [row]
    assert caplog.messages == [
        "The installed random has no random:_inst, which irislib needs to be fast. It takes the slower way instead."
    ]


def test_kernels_are_ordinary_without_a_name_that_forking_needs(tmp_path: Path) -> None:
    (tmp_path / "lacks_a_name.py").write_text("import atexit\ndel atexit._clear\n")
    code = (
        "import os\nfrom irislib._forkserver.client import ForkServer\n"
        "from irislib._forkserver.template_process import CannotForkError\n"
        f"server = ForkServer(['lacks_a_name'])\ntry: server.start({{**os.environ, 'PYTHONPATH': {str(tmp_path)!r}}})\n"
        "except CannotForkError as error: print(error, server.main)\nserver.end()\n"
        "raise SystemExit"
    )
    result = run_irislib(code=code)
    assert "has no atexit:_clear" in result.stdout, result.stderr
    assert result.stdout.strip().endswith("None")


def test_constraints_are_within_the_bounds_of_the_project() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    versions = dict(line.split("==") for line in lines)
    normalised = {re.sub(r"[-_.]+", "-", name.lower()): version for name, version in versions.items()}
    extras = project["optional-dependencies"].values()
    for text in [*project["dependencies"], *(name for extra in extras for name in extra)]:
        requirement = Requirement(text)
        version = normalised[re.sub(r"[-_.]+", "-", requirement.name.lower())]
        assert requirement.specifier.contains(version), text


def test_constraints_hold_for_the_first_python_of_the_project() -> None:
    """Pip finds nothing at all where a version needs a later Python, such as 3.11.5."""
    from packaging.specifiers import SpecifierSet

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    first = re.findall(r">=([\d.]+)", project["requires-python"])[0]
    needs = {
        f"{d.name}=={d.version}".lower().replace("_", "-"): d.metadata.get("Requires-Python") or ""
        for d in distributions()
    }
    pinned = (ROOT / "constraints.txt").read_text().lower().replace("_", "-").splitlines()
    assert [pin for pin in pinned if not SpecifierSet(needs.get(pin, "")).contains(f"{first}.0")] == []
