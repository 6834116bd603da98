"""The token that guards the endpoint: read from a file, compared, and required of requests."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from irislib._common.routes import ROUTES
from irislib.api._problem_details import MISSING_TOKEN, NOT_AN_OPERATOR
from irislib.errors import IrislibError

__all__ = ["FORM_KEY", "MAY_OPERATE", "TokenCheck", "checked_token", "form_key", "is_token", "read_token"]

FORM_KEY = "_xsrf"  # the parameter of an address to which a form is sent, as Jupyter's servers name it
MAY_OPERATE = "irislib.may_operate"  # in the environ of a request whose client the server around the endpoint knows


def read_token(path: str) -> str:
    """Read the token in a file.

    Raises
    ------
    IrislibError
        If the file cannot be read, or has no token in it.
    """
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise IrislibError(f"--token-file {path}: {error}") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise IrislibError(f"--token-file {path}: write one token into it, in ASCII and without spaces.")
    return token


def checked_token(token: str, source: str) -> str:
    """Return a token if programs can send it.

    Raises
    ------
    IrislibError
        If they cannot: no right one would be recognised.
    """
    if not (token.isascii() and token.isprintable()):
        raise IrislibError(f"{source}: a token has letters, digits and signs of ASCII alone, as a header of HTTP has.")
    return token


def is_token(text: str, token: str) -> bool:
    """Compare a text with the token, in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), token.encode())


def form_key(token: str) -> str:
    """Return what a form of a page has to send: who has not read a page of this server cannot know it."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


class TokenCheck:
    """The check of requests for the token.

    Parameters
    ----------
    token : str
        If empty, no request needs one.
    """

    def __init__(self, token: str):
        self.token = token
        self.open_paths = frozenset(route.path for route in ROUTES if route.is_open)
        self.operations = frozenset(route.name for route in ROUTES if route.needs_token)
        self.forms = frozenset(route.name for route in ROUTES if route.is_for_people and route.method == "POST")

    def admits(self, environ: dict[str, Any]) -> bool:
        """Return True if a request has the token, or needs none."""
        if not self.token or environ["PATH_INFO"] in self.open_paths or environ["REQUEST_METHOD"] == "OPTIONS":
            return True
        scheme, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return scheme.lower() in ("bearer", "token") and is_token(text.strip(), self.token)

    def require(self) -> None:
        """Check Flask's current request; a browser may send the token as a password to look at pages.

        Raises
        ------
        Unauthorized, Forbidden
        """
        if request.endpoint in self.operations and not request.environ.get(MAY_OPERATE, True):
            raise Forbidden(NOT_AN_OPERATOR)
        if self.admits(request.environ):
            return
        is_read_only = request.method in ("GET", "HEAD")
        is_form = request.endpoint in self.forms and is_token(request.args.get(FORM_KEY, ""), form_key(self.token))
        login = request.authorization
        if (is_read_only or is_form) and login and login.type == "basic" and is_token(login.password or "", self.token):
            return
        # A browser asks its user for the password then. It sends it with every request from then
        # on, whoever caused that, so that it is not enough for a POST: a form has the key of its page.
        basic = [WWWAuthenticate("basic", {"realm": "token"})] if is_read_only else []
        raise Unauthorized(MISSING_TOKEN, www_authenticate=[WWWAuthenticate("bearer"), *basic])
