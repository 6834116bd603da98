"""What a browser loads for a page: each file at an address that holds the hash of its content, and kept for good."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tornado.web
from jupyter_server.base.handlers import FileFindHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler

__all__ = ["KEPT", "address", "rules", "version"]

KEPT = "public, max-age=31536000, immutable"
TYPES = {"js": "text/javascript", "css": "text/css"}
HASHED = re.compile(r"\.[0-9a-f]{8,}\.\w+$")  # the name of a file that webpack made

# By the hash of the content, so that it does not matter who adds what, and when.
_contents: dict[str, bytes] = {}


def address(base_url: str, text: str, kind: str) -> str:
    """Where the server gives out this text from now on.

    Parameters
    ----------
    base_url : str
        The server's, with a slash at its end.
    text : str
    kind : str
        ``js`` or ``css``.

    Returns
    -------
    str
        A path that no other text has.
    """
    content = text.encode()
    name = f"{hashlib.sha256(content).hexdigest()[:32]}.{kind}"
    _contents[name] = content
    return f"{base_url}voila/front/{name}"


def version(folders: Sequence[str]) -> str:
    """Another one whenever any file in these folders is another one."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    told = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def rules(static: Sequence[str], extensions: Sequence[str]) -> list[tuple[Any, ...]]:
    """Which paths of the server are whose, of files of the templates, of widgets, of Voila and of lab extensions."""
    return [
        ("/voila/templates/(.*)", TemplateFilesHandler),
        ("/voila/front/(.*)", WidgetFilesHandler),
        (f"/voila/static/{version(static)}/(.*)", VoilaFilesHandler, {"paths": static}),
        ("/voila/labextensions/(.*)", ExtensionFilesHandler, {"path": extensions}),
    ]


class WidgetFilesHandler(tornado.web.RequestHandler):
    """The scripts and styles of widgets; like all static files they need no token."""

    def get(self, name: str) -> None:
        if name not in _contents:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8")
        self.set_header("Cache-Control", KEPT)
        self.finish(_contents[name])

    head = get


class TemplateFilesHandler(TemplateStaticFileHandler):  # type: ignore[misc]
    """Voila's, which takes a path that is none of its own for a fault of the server."""

    def set_extra_headers(self, path: str) -> None:
        asked = self.get_query_argument("v", "")
        self.set_header(
            "Cache-Control",
            KEPT if asked and asked == self.get_version({"static_path": self.root}, path) else "no-cache",
        )

    def parse_url_path(self, url_path: str) -> str:
        try:
            return str(super().parse_url_path(url_path))
        except (AssertionError, ValueError) as error:
            raise tornado.web.HTTPError(404) from error

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        try:
            return str(super().get_absolute_path(root, path))
        except (AssertionError, ValueError) as error:
            raise tornado.web.HTTPError(404) from error


class VoilaFilesHandler(MultiStaticFileHandler):  # type: ignore[misc]
    """Voila's files, at an address with their version."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", KEPT)


class ExtensionFilesHandler(FileFindHandler):  # type: ignore[misc]
    """The files of lab extensions, most of which have a hash in their name."""

    def set_headers(self) -> None:
        super().set_headers()
        self.set_header("Cache-Control", KEPT if HASHED.search(self.path) else "no-cache")
