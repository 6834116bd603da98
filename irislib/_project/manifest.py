"""``.irislib.json``: what is known of a project, and its files as irislib made them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from irislib._project.names import PATH_NAME
from irislib._project.requirement import Origin, find_origin, known_versions
from irislib.errors import IrislibError

if TYPE_CHECKING:
    from irislib._project.project_files import Answers

__all__ = ["MANIFEST", "Project", "Record", "manifest", "read_manifest", "renewed"]

MANIFEST = ".irislib.json"
FORMAT = 1
ABOUT = (
    "The answers with which `irislib new` made this folder, and its files as they were then. `irislib update` needs "
    "them: commit this file, and do not edit it."
)
TEST_PACKAGES = ("nbval", "pytest")


@dataclass(frozen=True)
class Project:
    """The values that the templates are filled with; ``.irislib.json`` has them for later.

    Attributes
    ----------
    name, title, requirements, example, target, is_classifier, beats_baseline
        As in `Answers`.
    has_data : bool
        The data are a file in the package.
    python : str
        The version of Python it was made with: ``3.13``.
    origin : Origin
        Where irislib is installed from.
    constraints : tuple of str
        Versions that are known to work together: ``pandas==3.1.1``.
    estimator : str
        The name of the file of a fitted estimator; empty if irislib trains.
    modules : tuple of str
        Files of Python that the estimator needs.
    has_rows : bool
        As in `Answers`.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    example: Mapping[str, Any]
    target: str
    is_classifier: bool
    beats_baseline: bool
    has_data: bool
    python: str
    origin: Origin
    constraints: tuple[str, ...]
    estimator: str = ""
    modules: tuple[str, ...] = ()
    has_rows: bool = True

    @classmethod
    def of(cls, answers: Answers) -> Project:
        """Return the values for a project that is made here and now."""
        others = ("data", "model_source", "estimator", "modules")
        same = {name: getattr(answers, name) for name in asdict(answers) if name not in others}
        return cls(
            **same,
            has_data=answers.data is not None,
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            origin=find_origin(),
            constraints=versions_of(answers.requirements),
            estimator=answers.estimator.name if answers.estimator is not None else "",
            modules=tuple(answers.modules),
        )

    @property
    def package(self) -> str:
        """The name of its package."""
        return self.name.replace("-", "_")

    @property
    def reference(self) -> str:
        """The reference by which irislib finds its model."""
        return f"{self.package}.model:{'model' if self.estimator else 'spec'}"


@dataclass(frozen=True)
class Record:
    """The content of ``.irislib.json``.

    Attributes
    ----------
    project : Project
        What the templates were filled with when the project was made, or updated last.
    files : mapping of str to str
        The text of each file as it was then, by its path in the folder.
    """

    project: Project
    files: Mapping[str, str]


def manifest(project: Project, texts: Mapping[str, str]) -> str:
    """Return the text of ``.irislib.json``.

    Parameters
    ----------
    project : Project
        What the templates were filled with.
    texts : mapping of str to str
        What became of them.
    """
    content = {"about": ABOUT, "format": FORMAT, "project": asdict(project), "files": dict(texts)}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def read_manifest(folder: Path) -> Record:
    """Read the record of a project.

    Parameters
    ----------
    folder : Path
        Of the project.

    Raises
    ------
    IrislibError
        If there is none, if it cannot be read, or if a newer irislib has written it.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise IrislibError(f"There is no {path}: this works in a folder that `irislib new` has made.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        written_by = str(content["project"]["origin"]["version"])
        refuse_newer(path, int(content["format"]), written_by)
        origin = Origin(**content["project"]["origin"])
        names = {field.name for field in fields(Project)}
        values = {name: value for name, value in content["project"].items() if name in names}
        tuples = {name: tuple(values.get(name, ())) for name in ("requirements", "constraints", "modules")}
        files = {name: str(text) for name, text in content["files"].items()}
        project = Project(**values | tuples | {"origin": origin})
        if not PATH_NAME.fullmatch(project.name):
            raise ValueError(project.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise IrislibError(f"{path} cannot be read: take back the version that was committed. ({reason})") from error
    for name in files:  # they may be removed
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise IrislibError(f"{path} names a file outside of its folder: {name}")
    return Record(project, files)


def refuse_newer(path: Path, format_: int, version: str) -> None:
    """Refuse the record of an irislib that knows more than this one."""
    here = find_origin().version
    if format_ > FORMAT or _numbers(version) > _numbers(here):
        raise IrislibError(
            f"{path} is of irislib {version}, and this is irislib {here}: install the newer one, and try again."
        )


def renewed(project: Project) -> Project:
    """Return the values for the files that this irislib would make.

    Parameters
    ----------
    project : Project
        The values of before.
    """
    origin = find_origin()
    is_same = origin.version == project.origin.version
    if is_same and " @ " not in origin.requirement and not origin.wheel:
        origin = project.origin  # an index has the same version, too
    constraints = project.constraints if is_same else versions_of(project.requirements)
    return replace(project, origin=origin, constraints=constraints)


def versions_of(requirements: tuple[str, ...]) -> tuple[str, ...]:
    """Return the versions here of all that a project with these requirements installs."""
    exact = {need.partition("==")[0]: need for need in requirements if "==" in need}  # of a fitted estimator
    lines = known_versions(["irislib", *TEST_PACKAGES, *requirements])
    return tuple(exact.get(line.partition("==")[0], line) for line in lines)


def _numbers(version: str) -> list[int]:
    return [*map(int, re.findall(r"\d+", version)[:3])]
