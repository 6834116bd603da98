"""Frames of the user's own code in tracebacks, apart from those of irislib, of libraries and of Python."""

from __future__ import annotations

import inspect
import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Location", "add_package", "call_site", "format_traceback", "has_frames", "locate", "message_of"]

FOLDERS = tuple(
    os.path.join(os.path.realpath(folder), "")
    for folder in (Path(__file__).parent.parent, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
)
SCRIPTS = os.path.realpath(sysconfig.get_path("scripts"))  # of commands, such as irislib and gunicorn
COMPILED = (".pyx", ".pxi", ".pxd")  # sources of Cython, which are named without their folder
PROMPTS = ("<stdin>", "<python-input", "<ipython-input")
HEADER = "Traceback (most recent call last):\n"
# A traceback within a message, as joblib's of another process and scikit-learn's of a search
NESTED = re.compile(r'^ *File "(?P<file>[^"\n]+)", line (?P<line>\d+), in (?P<name>.+)\n(?P<code>(?: {4,}.*\n)*)', re.M)

_packages: set[str] = set()  # of the models, which may be where libraries are


class Location(NamedTuple):
    """A line of the user's code."""

    file: str
    line: int

    def __str__(self) -> str:
        if "ipykernel_" in self.file or self.file.startswith("<ipython-input"):
            return f"line {self.line} of a cell"
        relative = os.path.relpath(self.file) if os.path.isabs(self.file) else self.file
        return f"{self.file if relative.startswith('..') else relative}, line {self.line}"


def add_package(module: str) -> None:
    """Take a module's package for the user's own, wherever it is installed; of irislib, the module alone."""
    package = module.partition(".")[0]
    _packages.add(module if package == "irislib" else package)


def is_users(file: str) -> bool:
    """Return True if a file is the user's own."""
    if file.startswith("<"):
        return file.startswith(PROMPTS)
    path = os.path.realpath(file)
    if any(path == own or path.startswith(os.path.join(own, "")) for own in _own_paths()):
        return True
    is_library = {"site-packages", "dist-packages"} & set(Path(path).parts)
    is_command = os.path.dirname(path) == SCRIPTS
    return not (is_library or is_command or path.startswith(FOLDERS) or file.endswith(COMPILED))


def call_site() -> Location | None:
    """Return the line of the user's code that is being executed."""
    for frame, line in traceback.walk_stack(inspect.currentframe()):
        if is_users(frame.f_code.co_filename):
            return Location(frame.f_code.co_filename, line)
    return None


def locate(error: BaseException) -> Location | None:
    """Return the innermost line of the user's code that led to an exception."""
    for link in _chain(error):
        if isinstance(link, SyntaxError) and link.filename and is_users(link.filename):
            return Location(link.filename, link.lineno or 1)
        if frames := _frames(link):
            return Location(frames[-1].filename, frames[-1].lineno or 1)
    return None


def has_frames(error: BaseException) -> bool:
    """Return True if the user's code led to an exception."""
    return locate(error) is not None


def message_of(error: BaseException) -> str:
    """Return the type and the message of an exception; of a message that holds tracebacks, their last line."""
    text = str(error)
    if HEADER.strip() in text:
        return text.strip().splitlines()[-1]
    name = type(error).__name__
    return f"{name}: {text.strip()}" if text.strip() else name


def format_traceback(error: BaseException) -> str:
    """Return the traceback of an exception with the frames of the user's code alone; empty if there are none."""
    parts = []
    for link in reversed(list(_chain(error))):
        if isinstance(link, SyntaxError):
            parts.append("".join(traceback.format_exception_only(link)))
        elif frames := _frames(link):
            parts.append(f"{HEADER}{''.join(traceback.format_list(frames))}{message_of(link)}\n")
    return "\n".join(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, then what it was raised from, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    for match in NESTED.finditer(str(error)):
        if is_users(match["file"]):
            frame = traceback.FrameSummary(match["file"], int(match["line"]), match["name"])
            if frame not in frames:
                frames.append(frame)
    return frames


def _own_paths() -> Iterator[str]:
    for name in _packages:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file:
            is_package = os.path.basename(file) == "__init__.py"
            yield os.path.realpath(os.path.dirname(file) if is_package else file)
