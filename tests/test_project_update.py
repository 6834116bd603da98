"""`irislib update`: three-way merges of a project's files."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from irislib._project import manifest, project_files, update
from irislib._project.manifest import MANIFEST
from irislib._project.project_files import Answers, render_project, write_project
from irislib.cli import main
from irislib.errors import IrislibError

README, MAKEFILE, APP = "README.md", "Makefile", "notebooks/churn.ipynb"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data = tmp_path_factory.mktemp("data") / "churn.csv"
    data.write_text("a,churned\n1,no\n")
    return render_project(Answers("churn", "Churn", "spec = 1\n", data, (), {"a": 1}, "churned"))


@pytest.fixture
def project(files: dict[str, Any], tmp_path: Path) -> Path:
    folder = tmp_path / "churn"
    write_project(folder, files)
    return folder


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """First lines that a newer irislib writes into files, by path; None of a file that it does not make."""
    lines: dict[str, str | None] = {}
    render = project_files.render_templates

    def render_newer(project: Any) -> dict[str, str]:
        texts = render(project)
        for path, line in lines.items():
            texts[path] = f"{line}\n{texts.get(path, '')}"
        return {path: text for path, text in texts.items() if lines.get(path, "") is not None}

    monkeypatch.setattr(update, "render_templates", render_newer)
    return lines


def run(folder: Path, *options: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["update", str(folder), *options])
    return ended.value.code


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_nobody_has_changed_stays_as_it_is(project: Path, capsys) -> None:
    before = contents(project)
    assert run(project) == 0
    assert capsys.readouterr().out == "There is nothing to update.\n"
    (project / "churn/model.py").write_text("mine")
    (project / README).write_text("mine")
    (project / ".ci/run").unlink()
    assert run(project) == 0
    assert capsys.readouterr().out == "There is nothing to update.\n"
    mine = {"churn/model.py": b"mine", README: b"mine"}
    assert contents(project) == {path: data for path, data in before.items() if path != ".ci/run"} | mine


def test_changes_of_both_are_merged_and_theirs_are_never_lost(project: Path, newer, capsys) -> None:
    newer |= {README: "<!-- newer -->", MAKEFILE: "# newer", "setup.py": "# newer", "more/NEW.md": "new", APP: None,
              "notebooks/data.ipynb": None, ".ci/run": "# newer"}  # fmt: skip
    readme = (project / README).read_text()
    (project / README).write_bytes((readme + "mine\n").replace("\n", "\r\n").encode())
    (project / "setup.py").write_text("# mine\n" + (project / "setup.py").read_text())
    (project / APP).write_text("{}")
    (project / ".ci/run").unlink()
    before = contents(project)

    assert run(project, "--dry-run") == 1
    out = capsys.readouterr().out
    assert "+++ more/NEW.md\n@@ -0,0 +1 @@\n+new\n" in out
    assert "+<!-- newer -->\n" in out
    assert "--- notebooks/data.ipynb\n+++ /dev/null\n" in out
    assert contents(project) == before

    assert run(project) == 1
    lines = {line.split()[1].strip(":,"): line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert lines == {README: "merged", MAKEFILE: "replaced", "setup.py": "CONFLICT", "more/NEW.md": "new",
                     "notebooks/data.ipynb": "removed"}  # fmt: skip
    assert (project / README).read_bytes() == f"<!-- newer -->\n{readme}mine\n".replace("\n", "\r\n").encode()
    assert (project / MAKEFILE).read_text().startswith("# newer\n# make serve")
    setup = (project / "setup.py").read_text()
    assert setup.startswith("<<<<<<< yours\n# mine\n=======\n# newer\n>>>>>>> irislib\n")
    assert (project / "more/NEW.md").read_text() == "new\n"
    assert (project / APP).read_text() == "{}"
    assert not (project / ".ci/run").exists()
    assert not (project / "notebooks/data.ipynb").exists()

    after = contents(project)
    assert run(project) == 1
    assert capsys.readouterr().out.startswith("CONFLICT   setup.py still has both versions")
    assert contents(project) == after
    (project / "setup.py").write_text("# mine and newer\n")
    assert run(project) == 0
    assert capsys.readouterr().out == "There is nothing to update.\n"


def test_a_notebook_is_never_left_broken(project: Path, newer, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    render = project_files.render_templates
    monkeypatch.setattr(
        update,
        "render_templates",
        lambda project: {
            path: text.replace("The page that", "A newer page that") for path, text in render(project).items()
        },
    )
    text = (project / APP).read_text()
    (project / APP).write_text(text.replace("irislib.app(model)", "irislib.app(model) # mine"))
    (project / "notebooks/data.ipynb").write_text("{}")
    assert run(project) == 0
    assert capsys.readouterr().out == f"merged     {APP}, which you have changed\n"
    cells = json.loads((project / APP).read_text())["cells"]
    assert cells[0]["source"][0].startswith("# A newer page that")
    assert cells[2]["source"] == ["irislib.app(model) # mine"]

    monkeypatch.setattr(update, "render_templates", render)
    (project / APP).write_text('{"cells": []}\n')
    assert run(project) == 1
    assert capsys.readouterr().out.startswith(f"CONFLICT   {APP} is as it was")
    assert (project / APP).read_text() == '{"cells": []}\n'


def test_a_newer_irislib_brings_its_versions(project: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    origin = manifest.find_origin()
    newer = replace(origin, version="99.0.0", requirement="irislib>=99.0,<100", wheel="irislib-99.0.0-py3-none-any.whl")
    monkeypatch.setattr(manifest, "find_origin", lambda: newer)
    monkeypatch.setattr(manifest, "known_versions", lambda _: ["pandas==9"])
    (wheel,) = (project / "wheels").iterdir()
    (project / "constraints.txt").write_text("pandas==8\n")
    assert run(project) == 0
    out = capsys.readouterr().out
    assert f"removed    wheels/{wheel.name}\nnew        wheels/irislib-99.0.0" in out
    assert "kept       constraints.txt, which you have changed" in out
    assert [path.name for path in (project / "wheels").iterdir()] == ["irislib-99.0.0-py3-none-any.whl"]
    assert '"irislib>=99.0,<100"' in (project / "setup.py").read_text()
    assert (project / "constraints.txt").read_text() == "pandas==8\n"
    assert run(project) == 0
    assert capsys.readouterr().out == "There is nothing to update.\n"

    monkeypatch.undo()
    assert run(project) == (
        f"irislib update: {project / MANIFEST} is of irislib 99.0.0, and this is irislib {origin.version}: install the "
        "newer one, and try again."
    )


def test_the_same_version_from_an_index_leaves_the_wheel(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    origin = manifest.find_origin()
    monkeypatch.setattr(manifest, "find_origin", lambda: replace(origin, wheel=""))
    assert run(project) == 0
    assert capsys.readouterr().out == "There is nothing to update.\n"


def test_uncommitted_changes_are_refused(project: Path, newer, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for command in ("init --quiet", "add --all --force", "commit --quiet --message=a"):
        subprocess.run(["git", "-C", project, *command.split()], check=True)
    newer[README] = "<!-- newer -->"
    (project / "notes").write_text("mine")
    before = contents(project)
    message = run(project)
    assert message.startswith("irislib update: There are uncommitted changes")
    assert message.endswith("\n?? notes")
    assert contents(project) == before
    assert run(project, "--force") == 0
    assert capsys.readouterr().out == f"replaced   {README}\n"


def test_a_failure_leaves_everything_as_it_was(project: Path, newer, monkeypatch: pytest.MonkeyPatch) -> None:
    newer |= {README: "newer", MAKEFILE: "newer", "notebooks/data.ipynb": None, "more/NEW.md": "newer"}
    before = contents(project)
    real = Path.replace

    def fail(self: Path, target: Path) -> None:
        if Path(target).name == MANIFEST:
            raise OSError(28, "No space left on device", str(target))
        real(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    assert f"{MANIFEST} cannot be written, and nothing was changed: No space left on device." in run(project)
    assert contents(project) == before
    monkeypatch.setattr(Path, "replace", real)
    (project / "more").rmdir()
    (project / "more").write_text("a file")
    before = contents(project)
    assert "and nothing was changed" in run(project)
    assert contents(project) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: None, "There is no "),
        (lambda text: text[:100], "cannot be read"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "install the newer one"),
        (lambda text: text.replace('"name": "churn"', '"name": "../churn"'), "cannot be read"),
        (lambda text: text.replace('"setup.py": ', '"../setup.py": '), "outside of its folder"),
    ],
    ids=["missing", "torn", "newer", "name", "path"],
)
def test_a_record_that_cannot_be_used_is_refused(change: Any, message: str, project: Path) -> None:
    path = project / MANIFEST
    text = change(path.read_text())
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(IrislibError, match=message):
        update.plan_update(project)


def test_without_git_what_needs_no_merge_is_updated(
    project: Path, newer, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setenv("PATH", "")
    newer |= {MAKEFILE: "# newer"}
    assert run(project) == 0
    assert capsys.readouterr().out == f"replaced   {MAKEFILE}\n"
    newer |= {README: "newer"}
    (project / README).write_text("mine")
    assert "install git" in run(project)
    assert (project / README).read_text() == "mine"
