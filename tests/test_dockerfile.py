"""The Dockerfiles, without building them: `make test-container` does."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Refuse to import what the image of the endpoint lacks, then answer a row, a batch, an insight, and the documents.
WITHOUT = """
import importlib.abc, sys

class Refusal(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refusal())
import irislib
from irislib._serving import gunicorn_app, gunicorn_worker
from irislib.api import create_app

client = create_app([irislib.load("iris-wizard")]).test_client()
row = {row}
assert client.post("/iris-wizard", data=row).json == "virginica"
assert client.post("/iris-wizard/batch", json=[row]).json[0]["prediction"] == "virginica"
for path in ("iris-wizard/card", "iris-wizard/insights/confusion_matrix", "docs", "openapi.json", "metrics"):
    assert client.get("/" + path).status_code == 200, path
"""


def names_of(lines: list[str]) -> list[str]:
    return [re.split(r"[<>=[]", line)[0] for line in lines if line and line[0] != "#"]


def lint(dockerfile: str) -> str:
    """Return what hadolint says against a Dockerfile."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint
    result = subprocess.run([hadolint, "-"], input=dockerfile, capture_output=True, text=True)
    assert (result.returncode == 0) == (not result.stdout), result.stderr
    return result.stdout


def test_the_dockerfile_is_clean() -> None:
    assert not lint((ROOT / "Dockerfile").read_text())


def test_what_the_image_of_the_endpoint_has_is_enough_for_it() -> None:
    from invalid_inputs import GOOD

    names = names_of((ROOT / "deploy" / "endpoint.txt").read_text().splitlines())
    dependencies = names_of(PROJECT["dependencies"])
    assert {*names} < {*dependencies}
    modules = {"python-json-logger": "pythonjsonlogger", "scikit-learn": "sklearn"}
    lacking = {modules.get(name, name) for name in {*dependencies} - {*names}}
    assert {"voila", "ipywidgets", "tornado"} <= lacking
    code = WITHOUT.format(names=lacking, row=GOOD)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_extras_and_dependencies_are_listed_apart() -> None:
    command, extras = [sys.executable, str(ROOT / "deploy" / "requirements.py")], PROJECT["optional-dependencies"]
    for arguments, expected in (["limits,stores"], extras["limits"] + extras["stores"]), ([], PROJECT["dependencies"]):
        listed = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True).stdout.splitlines()
        assert listed == expected


@pytest.mark.parametrize("command", ["serve", "check"])
def test_an_installation_without_pages_says_so(command: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from irislib import cli

    monkeypatch.setattr(cli, "has_pages", lambda: False)
    with pytest.raises(SystemExit) as end:
        cli.main([command])
    if command == "serve":
        assert str(end.value).startswith("irislib serve: This installation has no pages, for Voila is not installed")
    else:
        assert end.value.code == 0
        assert "notebook" not in capsys.readouterr().out
