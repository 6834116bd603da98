"""The host names by which a server may be called."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from irislib.errors import IrislibError

__all__ = ["UNKNOWN_HOST", "foreign_name", "host_names"]

UNKNOWN_HOST = (
    "This server is not known by the name {name}. Behind a proxy, start it with a token, or with --public-host {name}."
)


def host_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names of ``--public-host`` in lower case.

    Raises
    ------
    IrislibError
        If one is no name, such as a whole address, which no ``Host`` header would ever equal.
    """
    for name in names:
        if not re.fullmatch(r"[\w.-]+", name):
            raise IrislibError(f"--public-host takes a name alone, such as apps.example.org, got {name!r}.")
    return frozenset(name.lower() for name in names)


@lru_cache(256)
def foreign_name(host: str, names: frozenset[str]) -> str | None:
    """Return the name in a ``Host`` header if it is foreign to the server, else None.

    This prevents DNS rebinding on a server without a token: any page on the web could have its own
    name resolve to 127.0.0.1, and its visitor's browser would then send requests to this server as
    to that page's own. A numeric address cannot be misused in this way.

    Parameters
    ----------
    host : str
        With or without a port.
    names : frozenset of str
        The server's own besides localhost, in lower case.
    """
    text = host.strip().lower()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    name = text.rstrip(".")
    if name == "localhost" or name in names:
        return None
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name
    return None
