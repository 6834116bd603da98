"""What a page's browser loads: each file at an address that holds the hash of its content, kept by browsers for good."""

from __future__ import annotations

import hashlib
from typing import Any

import tornado.web

__all__ = ["KEPT", "FrontHandler", "address"]

KEPT = "public, max-age=31536000, immutable"
TYPES = {"js": "text/javascript", "css": "text/css"}

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


class FrontHandler(tornado.web.RequestHandler):
    """The scripts and styles of widgets; like all static files they need no token."""

    def get(self, name: str) -> None:
        if name not in _contents:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8")
        self.set_header("Cache-Control", KEPT)
        self.finish(_contents[name])

    head = get

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish()
