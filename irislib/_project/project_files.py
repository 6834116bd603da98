"""The files of a project: from what is known of it to the text of each."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from irislib._common.messages.new import COMMAND
from irislib._common.templates import package_templates
from irislib._project.manifest import MANIFEST, Project, manifest
from irislib._project.names import check_name
from irislib._project.python_text import flat, literal
from irislib._project.requirement import own_requirements, pack_wheel
from irislib._project.sql_source import content_of
from irislib.errors import IrislibError

__all__ = ["EXECUTABLE", "Answers", "refuse_existing", "render_project", "render_templates", "write_project"]

# The templates of irislib/_project/template/ by the paths that their files have in a project.
TEMPLATES = {
    "README.md": "README.md.j2",
    "Makefile": "Makefile.j2",
    "setup.py": "setup.py.j2",
    "constraints.txt": "constraints.txt.j2",
    "environment.yml": "environment.yml.j2",
    "Dockerfile": "Dockerfile.j2",
    ".dockerignore": "dockerignore.j2",
    ".gitignore": "gitignore.j2",
    ".ci/run": "ci_run.j2",
    "notebooks/{name}.ipynb": "app.ipynb.j2",
    "notebooks/data.ipynb": "data.ipynb.j2",
    "{package}/__init__.py": "init.py.j2",
    "tests/test_model.py": "test_model.py.j2",
}
DATA = "data.ipynb.j2"  # a look at the data, if there are any
EXECUTABLE = {".ci/run"}
FROM_CONDA = ("matplotlib", "numpy", "pandas", "scikit-learn", "scipy")
MANY = 8  # an example of more fields is too long for a command to be typed


@dataclass(frozen=True)
class Answers:
    """The facts of a project that is to be made.

    Attributes
    ----------
    name : str
        Of the folder and in the address: ``flat-rent``. The package has underscores.
    title : str
        What people call it.
    model_source : str
        The text of ``model.py``.
    data : Path or None
        A file to copy beside ``model.py``.
    requirements : tuple of str
        Packages that ``model.py`` needs beyond irislib's, as pip knows them.
    example : mapping of str to object
        A row for the README, which JSON can hold; empty if there is none.
    target : str
        The column that is predicted.
    is_classifier : bool
        False for a regression.
    beats_baseline : bool
        False if the model was no better than the baseline when it was tried, so that its test is expected to fail.
    estimator : Path or None
        The file of a fitted estimator, to copy beside ``model.py``.
    modules : mapping of str to Path
        Files of Python that the estimator needs, to copy, by their paths in the project's folder.
    has_rows : bool
        False if there is an estimator alone, so that nothing can be measured.
    """

    name: str
    title: str
    model_source: str
    data: Path | None = None
    requirements: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    is_classifier: bool = True
    beats_baseline: bool = True
    estimator: Path | None = None
    modules: Mapping[str, Path] = field(default_factory=dict)
    has_rows: bool = True


def render_project(answers: Answers) -> dict[str, bytes | str]:
    """Return all files of a project by their paths in its folder.

    Parameters
    ----------
    answers : Answers
        What is known of it.
    """
    check_name(answers.name)
    project = Project.of(answers)
    texts = render_templates(project)
    files: dict[str, bytes | str] = {**texts, f"{project.package}/model.py": answers.model_source}
    for path in (answers.data, answers.estimator):
        if path is not None:
            files[f"{project.package}/data/{path.name}"] = content_of(path)
    files |= {name: path.read_bytes() for name, path in answers.modules.items()}
    if project.origin.wheel:
        files[f"wheels/{project.origin.wheel}"] = pack_wheel()
    return {**files, MANIFEST: manifest(project, texts)}


def render_templates(project: Project) -> dict[str, str]:
    """Return the files of a project that are made of templates, by their paths in its folder."""
    environment = package_templates(autoescape=False, keep_trailing_newline=True)
    environment.filters |= {
        "python": lambda value: flat(literal(value)),
        "json": lambda value: json.dumps(value, ensure_ascii=False),
        "shell": shlex.quote,
        "docstring": lambda text: text.replace("\\", "\\\\").replace('"""', "'''"),
    }
    context = vars(project) | {
        "package": project.package,
        "reference": project.reference,
        "py_modules": [name.removesuffix(".py") for name in project.modules if "/" not in name],
        "packages": sorted({name.rpartition("/")[0].replace("/", ".") for name in project.modules if "/" in name}),
        "requirement": project.origin.requirement,
        "wheel": project.origin.wheel,
        "git": " @ git+" in project.origin.requirement,
        "conda": [need for need in own_requirements() if re.split("[<>=]", need)[0] in FROM_CONDA],
        "curl": json.dumps(project.example, ensure_ascii=False) if 0 < len(project.example) <= MANY else "",
    }
    return {
        path.format(name=project.name, package=project.package): environment.get_template(
            f"_project/template/{template}"
        ).render(context)
        for path, template in TEMPLATES.items()
        if project.has_rows or template != DATA
    }


def refuse_existing(folder: Path) -> None:
    """Refuse a folder that is there already, as a folder, a file or a link."""
    if os.path.lexists(folder):
        raise IrislibError(COMMAND["taken"].format(folder=folder))


def write_project(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write the files of a new project, all or none.

    Parameters
    ----------
    folder : Path
        Must not be there yet.
    files : mapping of str to bytes or str
        What :func:`render_project` returns.

    Raises
    ------
    IrislibError
        If there is such a folder or file, which stays as it is, or if it cannot be written.
    """
    refuse_existing(folder)
    incomplete = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        for name, content in files.items():
            path = incomplete / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            if name in EXECUTABLE:
                path.chmod(path.stat().st_mode | 0o111)
        incomplete.rename(folder)
    except OSError as error:
        raise IrislibError(f"{folder} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(incomplete, ignore_errors=True)
