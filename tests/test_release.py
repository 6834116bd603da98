"""What is published beside the package agrees with it: citation, recipe, changelog, signatures."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import PATIENCE, ROOT
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import irislib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEADING = re.compile(r"^## (\S+)(?: \((\d{4}-\d\d-\d\d)\))?$", re.M)
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
RECIPE = (ROOT / "recipe" / "recipe.yaml").read_text()
RECIPE_NAMES = {"matplotlib": "matplotlib-base"}  # without Qt


def test_the_citation_is_valid_and_of_this_version() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.citation-file-format"]
    done = subprocess.run([*command, str(ROOT / "CITATION.cff")], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout
    assert CITATION["version"] == irislib.__version__
    assert (CITATION["license"], CITATION["keywords"]) == (PROJECT["license"], PROJECT["keywords"])
    assert CITATION["abstract"] == PROJECT["description"]


def test_the_changelog_has_the_released_version_and_its_day() -> None:
    headings = dict(HEADING.findall((ROOT / "CHANGELOG.md").read_text()))
    assert headings.get(irislib.__version__, CITATION["date-released"]) == CITATION["date-released"]
    assert irislib.__version__ in headings or "Unreleased" in headings


def test_the_recipe_is_of_this_version_and_has_the_dependencies_of_the_package() -> None:
    recipe = yaml.safe_load(RECIPE)
    assert str(recipe["context"]["version"]) == irislib.__version__
    needs = [re.match(r"([\w.-]+)(.*)", need).groups() for need in PROJECT["dependencies"]]  # type: ignore[union-attr]
    expected = [f"{RECIPE_NAMES.get(name, name)} {versions}" for name, versions in needs]
    lowest = yaml.safe_load((ROOT / "recipe" / "variants.yaml").read_text())["python_min"]
    python, *run = recipe["requirements"]["run"]
    assert run == expected
    (python_min,) = lowest
    assert f"python{PROJECT['requires-python']}" == python.replace("${{ python_min }}", python_min).replace(" ", "")
    scripts = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == scripts
    assert (recipe["about"]["license"], recipe["about"]["summary"]) == (PROJECT["license"], PROJECT["description"])


def test_security_policy_names_the_line_of_this_version() -> None:
    lines = re.findall(r"^\| ([\d.]+) \| yes \|$", (ROOT / "SECURITY.md").read_text(), re.M)
    major_minor = ".".join(irislib.__version__.split(".")[:2])
    assert lines == [major_minor] or Version(irislib.__version__) < Version("1.0")


def test_supported_versions_are_those_of_the_package() -> None:
    text = (ROOT / "docs" / "supported.md").read_text()
    table = re.findall(r"^\| ([\w-]+) \| ([\d.]+) to ([\d.]+) \|", text, re.M)
    assert [name for name, *_ in table] == ["Python", "scikit-learn", "pandas", "numpy"]
    bounds = dict(re.match(r"([\w.-]+)(.*)", need).groups() for need in PROJECT["dependencies"])  # type: ignore[union-attr]
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    for name, first, last in table:
        versions = PROJECT["requires-python"] if name == "Python" else bounds[name]
        assert versions.startswith(f">={first},"), name
        assert SpecifierSet(versions).contains(last), name
        assert name == "Python" or pinned[name] == last


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_a_tag_is_signed_and_verified_as_documented(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "releasing.md").read_text()
    lines = re.findall(r"^(git (?:config|tag|verify-tag) .*?)(?: +#.*)?$", text, re.M)
    assert [line.split()[1] for line in lines] == ["config", "config", "tag", "config", "verify-tag"]
    key = tmp_path / ".ssh" / "id_ed25519"
    key.parent.mkdir(mode=0o700)
    who = {"NAME": "A", "EMAIL": "you@example.org"}
    names = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in who.items()}
    environment = {**os.environ, **names, "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}

    def run(*command: str, status: int = 0) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    (tmp_path / "signers").write_text(f"you@example.org {key.with_suffix('.pub').read_text()}")
    run("git", "init", "-q")
    run("git", "commit", "-q", "--allow-empty", "-m", "x")
    for line in lines[:-1]:
        run("sh", "-c", line)
    assert 'Good "git" signature for you@example.org' in run("sh", "-c", lines[-1])
    (tmp_path / "signers").write_text("")
    run("sh", "-c", lines[-1], status=1)  # nobody is trusted
