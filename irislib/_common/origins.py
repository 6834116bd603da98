"""The origins of pages, as settings name them."""

from __future__ import annotations

import re

from irislib._common.messages.serving import TEXTS
from irislib.errors import IrislibError

__all__ = ["cors_origins"]

# Whatever browsers and their extensions send as an origin; `*.` stands for all names below the rest.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\*\.)?([a-z0-9_.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
NAMES_BELOW = r"[a-z0-9_.-]+\."


def cors_origins(text: str) -> list[str | re.Pattern[str]]:
    """Return the origins in a setting as Flask-CORS takes them: it would read some texts as regular expressions.

    Raises
    ------
    IrislibError
        If one is no origin.
    """
    return [_cors_origin(part.strip()) for part in text.split(",") if part.strip()]


def _cors_origin(origin: str) -> str | re.Pattern[str]:
    if origin in ("*", "null"):
        return origin
    if not ORIGIN.fullmatch(origin.lower()):
        raise IrislibError(TEXTS["no_cors_origin"].format(value=origin))
    scheme, _, host = origin.partition("://")
    if host.startswith("*."):
        return re.compile(rf"{re.escape(scheme)}://{NAMES_BELOW}{re.escape(host[2:])}\Z", re.IGNORECASE)
    return re.compile(rf"{re.escape(origin)}\Z", re.IGNORECASE) if "[" in origin else origin
