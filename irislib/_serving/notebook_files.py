"""The files beside the notebooks, such as pictures and downloads: by Voila's rules, and never source or secrets."""

from __future__ import annotations

import mimetypes
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import tornado.web
from jupyter_server.base.handlers import JupyterHandler
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher
from voila.static_file_handler import AllowListFileHandler

from irislib._common.messages.serving import TEXTS
from irislib.errors import IrislibError

__all__ = ["ALLOWED", "FileMatcher", "FileRules", "NotebookFileHandler"]

# Served unless VoilaConfiguration.file_allowlist says otherwise: what a page shows, no data and no documents.
ALLOWED = [r".*\.(png|jpe?g|gif|svg|webp|avif|bmp|ico|mp4|webm|ogv|mp3|m4a|ogg|wav)"]
# Never served, whatever is allowed: source, models, and configuration that may hold a token.
NEVER = re.compile(
    r".*\.(ipynb|py|pyc|pyi|pyx|irislib|skops)|(.*/)?(voila|jupyter_\w*config)\.(json|py)|(.*/)?__pycache__/.*",
    re.IGNORECASE,
)
MAX_LOGGED = 100  # files that are named in the log as not allowed

for _name in ("webp", "avif"):  # which older versions of Python do not know
    mimetypes.add_type(f"image/{_name}", f".{_name}")


class FileRules:
    """Rules of the files that are served from the folder of the notebooks.

    Parameters
    ----------
    folder : str
    allowlist, denylist : iterable of str
        Regular expressions as Voila has them, of the path relative to the folder.
    secrets : iterable of Path
        Further files and folders that are never served.
    log : Logger
        Of files that are not allowed, each once.

    Raises
    ------
    IrislibError
        If one is no regular expression.
    """

    def __init__(
        self, folder: str, allowlist: Iterable[str], denylist: Iterable[str], secrets: Iterable[Path], log: Any
    ):
        self.folder, self.log = Path(folder), log
        self.secrets = [Path(os.path.realpath(path)) for path in secrets]
        self.allowed = [_compile("file_allowlist", text) for text in allowlist]
        self.denied = [_compile("file_denylist", text) for text in denylist]
        self.logged: set[str] = set()

    def find(self, path: str) -> str | None:
        """Return the relative path of a file that is served; None for anything else."""
        if not self.is_public(path):
            return None
        if not any(pattern.fullmatch(path) for pattern in self.allowed):
            if len(self.logged) < MAX_LOGGED and path not in self.logged:
                self.logged.add(path)
                self.log.info(TEXTS["file_not_allowed"].format(path=path))
            return None
        return None if any(pattern.fullmatch(path) for pattern in self.denied) else path

    def is_public(self, path: str) -> bool:
        """Return True for a file that may be served if it is allowed: nothing hidden, no source, no secret."""
        parts = path.split("/")
        if "\\" in path or "\0" in path or any(not part or part.startswith(".") for part in parts):
            return False
        try:
            target = Path(os.path.realpath(self.folder / path))
            is_file = target.is_file()
        except (OSError, ValueError):  # a name that is too long
            return False
        is_secret = any(target == secret or secret in target.parents for secret in self.secrets)
        return is_file and not is_secret and not NEVER.fullmatch(path) and not NEVER.fullmatch(target.as_posix())


def _compile(option: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise IrislibError(TEXTS["bad_pattern"].format(option=option, pattern=text, error=error)) from None


class FileMatcher(Matcher):
    """Match the address of a file that is served.

    Parameters
    ----------
    rules : FileRules
    prefixes : sequence of str
        Each before the path of a file, with a slash at its end. That of the server's own address is where a page's
        relative links lead.
    """

    def __init__(self, rules: FileRules, prefixes: Sequence[str]):
        self.rules, self.prefixes = rules, prefixes

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the path of the file, or None, as tornado's matchers do."""
        for prefix in self.prefixes:
            if request.path.startswith(prefix) and (path := self.rules.find(unquote(request.path[len(prefix) :]))):
                return {"path_args": [path.encode()]}
        return None


class NotebookFileHandler(JupyterHandler, AllowListFileHandler):  # type: ignore[misc]
    """Voila's handler of these files, for visitors who may see the pages."""

    @tornado.web.authenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        """Send a file."""
        await AllowListFileHandler.get(self, path, include_body)

    @tornado.web.authenticated
    async def head(self, path: str) -> None:
        """Send the headers of a file."""
        await AllowListFileHandler.get(self, path, include_body=False)

    def set_extra_headers(self, path: str) -> None:
        """Have browsers ask whether a file has changed, and confine the scripts in a document."""
        self.set_header("Cache-Control", "private, no-cache")
        if "ml" in self.get_content_type():  # HTML, SVG or XML
            policy = self.settings["irislib_headers"]["Content-Security-Policy"]
            self.set_header("Content-Security-Policy", f"{policy}; sandbox allow-scripts")

    def compute_etag(self) -> str | None:
        """Return the version of the file as it is now; tornado remembers the first one."""
        if self.absolute_path is None:
            return None
        status = os.stat(self.absolute_path)
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
