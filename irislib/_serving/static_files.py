"""Static files at URLs that contain the hash of their content, and are cached forever."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tornado.web
from jupyter_server.base.handlers import FileFindHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler

__all__ = ["IMMUTABLE", "files_version", "publish", "static_routes"]

IMMUTABLE = "public, max-age=31536000, immutable"
TYPES = {"js": "text/javascript", "css": "text/css"}
HASHED = re.compile(r"\.[0-9a-f]{8,}\.\w+$")  # the name of a file that webpack made

# By the hash of the content, so that the order of additions does not matter.
_contents: dict[str, bytes] = {}


def publish(base_url: str, text: str, kind: str) -> str:
    """Serve a text from now on, and return its path.

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


def files_version(folders: Sequence[str]) -> str:
    """Return a hash that changes with any file in these folders."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    facts = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def static_routes(static: Sequence[str], extensions: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the routes of static files: of templates, widgets, Voila and lab extensions."""
    return [
        ("/voila/templates/(.*)", TemplateFilesHandler),
        ("/voila/front/(.*)", WidgetFilesHandler),
        (f"/voila/static/{files_version(static)}/(.*)", VoilaFilesHandler, {"paths": static}),
        ("/voila/labextensions/(.*)", ExtensionFilesHandler, {"path": extensions}),
    ]


class WidgetFilesHandler(tornado.web.RequestHandler):
    """The scripts and styles of widgets; like all static files they need no token."""

    def get(self, name: str) -> None:
        if name not in _contents:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8")
        self.set_header("Cache-Control", IMMUTABLE)
        self.finish(_contents[name])

    head = get


class TemplateFilesHandler(TemplateStaticFileHandler):  # type: ignore[misc]
    """Voila's handler of template files, with 404 instead of 500 for a path that is none of its own."""

    def set_extra_headers(self, path: str) -> None:
        requested = self.get_query_argument("v", "")
        self.set_header(
            "Cache-Control",
            IMMUTABLE if requested and requested == self.get_version({"static_path": self.root}, path) else "no-cache",
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
    """Voila's files, at a URL with their version."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", IMMUTABLE)


class ExtensionFilesHandler(FileFindHandler):  # type: ignore[misc]
    """The files of lab extensions, most of which have a hash in their name."""

    def set_headers(self) -> None:
        super().set_headers()
        self.set_header("Cache-Control", IMMUTABLE if HASHED.search(self.path) else "no-cache")
