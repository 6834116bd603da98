"""Static files at URLs that contain the hash of their content, are cached forever and compressed once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import tornado.web
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import FileFindHandler
from tornado.httputil import HTTPServerRequest
from tornado.web import GZipContentEncoding as Compression
from voila.paths import collect_static_paths
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler

__all__ = ["IMMUTABLE", "files_version", "publish", "static_routes"]

IMMUTABLE = "public, max-age=31536000, immutable"
TYPES = {"js": "text/javascript", "css": "text/css"}
HASHED = re.compile(r"\.[0-9a-f]{8,}\.\w+$")  # the name of a file that webpack made

# By the hash of the content, so that the order of additions does not matter.
_contents: dict[str, bytes] = {}
# By the same hash, or by a file's path, time and size. Voila's scripts take half a second, in the server's only thread.
_compressed: dict[object, bytes] = {}


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


def compress(key: object, content: bytes) -> bytes:
    """Return a content as browsers take it, from the first time on without compressing it."""
    if key not in _compressed:
        _compressed[key] = gzip.compress(content, Compression.GZIP_LEVEL)
    return _compressed[key]


def takes_compressed(request: HTTPServerRequest) -> bool:
    """Return True if a client takes compressed files; parts are of the file as it is."""
    return "gzip" in request.headers.get("Accept-Encoding", "") and "Range" not in request.headers


def compress_file(key: tuple[str, int, int]) -> bytes | None:
    """Return a file's compressed content by its `content_key`; None if that is not much less."""
    file, _, size = key
    kind, encoding = mimetypes.guess_type(file)
    is_text = kind and not encoding and (kind.startswith("text/") or kind in Compression.CONTENT_TYPES)
    if not is_text or size < Compression.MIN_LENGTH:
        return None
    return compress(key, Path(file).read_bytes())


def content_key(file: str) -> tuple[str, int, int]:
    """Return what changes with the content of a file."""
    facts = os.stat(file)
    return file, facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=64)
def template_folders(template: str) -> list[str]:
    """Return the folders of a template's files, and of those that it extends: to look for them takes milliseconds."""
    return list(collect_static_paths(["voila", "nbconvert"], template))


class CompressedFiles(tornado.web.StaticFileHandler):
    """A handler of files that are compressed once, in a thread; Tornado does it for every response."""

    compressed: bytes | None = None

    @allow_unauthenticated  # type: ignore[untyped-decorator]
    async def get(self, path: str, include_body: bool = True) -> None:
        if takes_compressed(self.request):
            self.path = self.parse_url_path(path)
            absolute = self.get_absolute_path(self.root, self.path)  # which may set the root
            if (file := self.validate_absolute_path(self.root, absolute)) is None:
                return  # a folder, whose visitor has been redirected
            key = content_key(file)
            self.compressed = _compressed.get(key) or await asyncio.to_thread(compress_file, key)
        if self.compressed is not None:
            self.get_content = self.get_compressed  # type: ignore[method-assign, assignment]
        await super().get(path, include_body)

    def get_compressed(self, *_: object) -> bytes:
        return self.compressed or b""

    def get_content_size(self) -> int:
        return super().get_content_size() if self.compressed is None else len(self.compressed)

    def set_headers(self) -> None:
        super().set_headers()
        if self.compressed is not None:
            self.set_header("Content-Encoding", "gzip")


class WidgetFilesHandler(tornado.web.RequestHandler):
    """The scripts and styles of widgets; like all static files they need no token."""

    def get(self, name: str) -> None:
        if name not in _contents:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8")
        self.set_header("Cache-Control", IMMUTABLE)
        content = _contents[name]
        if takes_compressed(self.request) and len(content) >= Compression.MIN_LENGTH:
            self.set_header("Content-Encoding", "gzip")
            content = compress(name, content)
        self.finish(content)

    head = get


class TemplateFilesHandler(CompressedFiles, TemplateStaticFileHandler):  # type: ignore[misc]
    """Voila's handler of template files, with 404 instead of 500 for a path that is none of its own."""

    def set_extra_headers(self, path: str) -> None:
        requested = self.get_query_argument("v", "")
        self.set_header(
            "Cache-Control",
            IMMUTABLE if requested and requested == self.get_version({"static_path": self.root}, path) else "no-cache",
        )

    def parse_url_path(self, url_path: str) -> str:
        self.roots = self.static_folders(url_path)
        return tornado.web.StaticFileHandler.parse_url_path(self, url_path)

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        folders, name = cls.static_folders(path), path.split("/", 2)[2]
        files = [os.path.abspath(os.path.join(folder, name)) for folder in folders]
        return next(filter(os.path.exists, files), files[-1])

    @staticmethod
    def static_folders(path: str) -> list[str]:
        """Return the folders that the files of a path's template are looked for in."""
        template, kind, *names = path.split("/", 2)
        try:
            if kind == "static" and names:
                return template_folders(template)
        except ValueError as error:
            raise tornado.web.HTTPError(404) from error
        raise tornado.web.HTTPError(404)


class VoilaFilesHandler(CompressedFiles, MultiStaticFileHandler):  # type: ignore[misc]
    """Voila's files, at a URL with their version."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", IMMUTABLE)


class ExtensionFilesHandler(CompressedFiles, FileFindHandler):  # type: ignore[misc]
    """The files of lab extensions, most of which have a hash in their name."""

    def set_headers(self) -> None:
        super().set_headers()
        self.set_header("Cache-Control", IMMUTABLE if HASHED.search(self.path) else "no-cache")
