"""What an operator can set of the endpoint, whichever server it runs in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from pathlib import Path

from irislib._common.settings import SETTINGS, environment_value
from irislib.errors import IrislibError

__all__ = ["JSON_BATCH_BYTES", "ROW_BYTES", "Options", "is_token", "read_token"]

ROW_BYTES = 1_000_000  # one row is a few hundred bytes
JSON_BATCH_BYTES = 16_000_000  # JSON is read whole into memory, where it takes several times as much


@dataclass(frozen=True)
class Options:
    """How the endpoint is guarded, and how much it takes.

    Attributes
    ----------
    token : str
        What a program must send as ``Authorization: Bearer <token>``; nothing where empty.
    cors : str
        The origins, by commas, whose pages may ask from a browser; ``*`` for all, none where empty.
    rate_limit : str
        The most requests of one address, such as ``100/minute``; no limit where empty.
    proxies : int
        How many proxies before this server are trusted to say whom they speak for.
    batch_bytes : int
        The largest body of a batch; of one in JSON at most `JSON_BATCH_BYTES`.
    is_guarded : bool
        The server around the endpoint asks for the token, so that the documentation mentions it.
    """

    token: str = ""
    cors: str = ""
    rate_limit: str = ""
    proxies: int = 0
    batch_bytes: int = SETTINGS["max_batch_bytes"].default
    is_guarded: bool = False

    @property
    def is_secured(self) -> bool:
        """Whether requests need a token."""
        return bool(self.token) or self.is_guarded

    @property
    def json_batch_bytes(self) -> int:
        """The largest body of a batch in JSON."""
        return min(self.batch_bytes, JSON_BATCH_BYTES)

    @classmethod
    def from_environment(cls) -> Options:
        """Return the options that the environment sets."""
        token, cors, rate_limit = (environment_value(name) or "" for name in ("token", "cors", "rate_limit"))
        return cls(token, cors, rate_limit)


def read_token(path: str) -> str:
    """The token that a file holds.

    Raises
    ------
    IrislibError
        Where it cannot be read, or holds none.
    """
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise IrislibError(f"--token-file {path}: {error}") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise IrislibError(f"--token-file {path}: write one token into it, in ASCII and without spaces.")
    return token


def is_token(given: str, token: str) -> bool:
    """Whether this is the token, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())
