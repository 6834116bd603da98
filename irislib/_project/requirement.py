"""The place irislib was installed from, so that a project can install it from there, too."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

import irislib
from irislib._common.paths import jupyter_dir, notebooks_dir
from irislib.errors import IrislibError

__all__ = ["Origin", "find_origin", "known_versions", "own_requirements", "pack_wheel"]

NOT_INSTALLED = "irislib is not installed for this Python, so that no project could install it, too: use pip."
# Of the files that an installation adds to a wheel, those that a wheel must have.
WHEEL_FILES = ("METADATA", "entry_points.txt", "top_level.txt", "licenses/LICENSE")
WHEEL = "Wheel-Version: 1.0\nGenerator: irislib\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same wheel at any time


@dataclass(frozen=True)
class Origin:
    """The way in which irislib was installed.

    Attributes
    ----------
    requirement : str
        For pip: ``irislib>=1.0,<2``, or with the address of a repository or a file.
    version : str
        Of the irislib that runs.
    wheel : str
        The name of its file in the project's folder ``wheels/``; empty if pip gets irislib from elsewhere.
    """

    requirement: str
    version: str
    wheel: str = ""


def find_origin() -> Origin:
    """Return where irislib was installed from: an index, a repository, an address, or this machine (PEP 610)."""
    installed = _installed()
    text = installed.read_text("direct_url.json")
    address = json.loads(text) if text else {}
    url = address.get("url", "")
    if _is_clone() or url.startswith("file:"):
        return Origin(version_range(installed.version), installed.version, _wheel_name(installed))
    if version_control := address.get("vcs_info"):
        folder = f"#subdirectory={address['subdirectory']}" if "subdirectory" in address else ""
        url = f"{version_control['vcs']}+{url}@{version_control['commit_id']}{folder}"
    return Origin(f"irislib @ {url}" if url else version_range(installed.version), installed.version)


def version_range(version: str) -> str:
    """Return the requirement of this version and those that are compatible with it.

    >>> version_range("0.1.0"), version_range("1.2.3")
    ('irislib>=0.1,<0.2', 'irislib>=1.2.3,<2')
    """
    major, minor = map(int, re.findall(r"\d+", version)[:2])
    lowest = re.sub(r"^(\d+\.\d+)\.0$", r"\1", version)
    return f"irislib>={lowest},<{f'0.{minor + 1}' if major == 0 else major + 1}"


def own_requirements() -> list[str]:
    """Return the packages that irislib needs without its extras, with their versions."""
    return [need for need in _installed().requires or () if not _extra(need)]


def pack_wheel() -> bytes:
    """Make a wheel of the irislib that runs, as it is: without a build, a network or the clone that it is from.

    It is the same for the same files, so that it can be compared with one made before.
    """
    installed = _installed()
    stem = f"irislib-{installed.version}"
    files = {f"irislib/{name}": data for name, data in _files(Path(irislib.__file__).parent)}
    files |= {f"{stem}.data/data/share/irislib/notebooks/{name}": data for name, data in _files(notebooks_dir())}
    files |= {f"{stem}.data/data/share/jupyter/{name}": data for name, data in _own_jupyter_files()}
    for name in WHEEL_FILES:
        if text := installed.read_text(name):
            files[f"{stem}.dist-info/{name}"] = text.encode()
    files[f"{stem}.dist-info/WHEEL"] = WHEEL.encode()
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def known_versions(requirements: Iterable[str]) -> list[str]:
    """Return the installed versions of packages and of all that they need, as pip writes them.

    Parameters
    ----------
    requirements : iterable of str
        The packages, as pip knows them. What is not installed, or not from an index, is left out.
    """
    versions: dict[str, str] = {}
    extras_of: dict[str, set[str]] = {}
    waiting = [*requirements]
    for requirement in waiting:
        name, extras = _parse(requirement)
        new = {"", *extras} - extras_of.setdefault(name, set())
        if not new:
            continue
        extras_of[name] |= new
        version, needs = _version_and_needs(name)
        if version:
            versions[name] = version
        waiting += [need for need in needs if _extra(need) in new]
    return [f"{name}=={version}" for name, version in sorted(versions.items())]


@cache  # a package is needed by many, and with several extras; parsing its metadata takes long
def _version_and_needs(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the version of a package, empty if it is not installed or not from an index, and what it needs."""
    try:
        installed = _installed() if name == "irislib" else distribution(name)
    except PackageNotFoundError:
        return "", ()
    version = installed.version
    is_local = "+" in version or (name == "irislib" and _is_clone()) or installed.read_text("direct_url.json")
    return "" if is_local else version, tuple(installed.requires or ())


def _parse(requirement: str) -> tuple[str, list[str]]:
    name, extras = re.match(r"\s*([\w.-]+)\s*(?:\[([^\]]*)\])?", requirement).groups()  # type: ignore[union-attr]
    return re.sub(r"[-_.]+", "-", name).lower(), [extra.strip() for extra in (extras or "").split(",") if extra]


def _extra(requirement: str) -> str:
    marker = re.search(r"""\bextra\s*==\s*["']([^"']+)""", requirement)
    return marker[1] if marker else ""


def _installed() -> Distribution:
    # A clone has an egg-info beside the package, which says neither where it is from nor all that a wheel says.
    for installed in distributions(name="irislib"):
        if installed.read_text("METADATA"):
            return installed
    raise IrislibError(NOT_INSTALLED)


def _is_clone() -> bool:
    return (Path(irislib.__file__).parents[1] / "pyproject.toml").is_file()


def _wheel_name(installed: Distribution) -> str:
    return f"irislib-{installed.version}-py3-none-any.whl"


def _own_jupyter_files() -> Iterator[tuple[str, bytes]]:
    """The files of Jupyter's folder that are irislib's, where it has others, too."""
    for folder in ("kernels/irislib", "voila/templates/irislib"):
        for name, data in _files(jupyter_dir() / folder):
            yield f"{folder}/{name}", data


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & {*path.parts}:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
