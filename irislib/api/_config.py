"""The options of the endpoint, the same in both servers."""

from __future__ import annotations

from dataclasses import dataclass, field

from irislib._common.language import LANGUAGES
from irislib._common.settings import SETTINGS, environment_value
from irislib._prediction_log.options import LogOptions
from irislib.api._auth import checked_token

__all__ = ["BATCH_LIMITS", "JSON_BATCH_BYTES", "ROW_BYTES", "Options"]

ROW_BYTES = 1_000_000  # one row is a few hundred bytes
JSON_BATCH_BYTES = 16_000_000  # JSON is read whole into memory, where it takes several times as much


# The attributes whose settings have a name that begins with "max_"
BATCH_LIMITS = ("batch_bytes", "batch_rows", "batch_problem_rows", "batch_answer_bytes", "batch_seconds")


@dataclass(frozen=True)
class Options:
    """The limits of the endpoint and the ways in which it is guarded.

    Attributes
    ----------
    token : str
        The token that programs send as ``Authorization: Bearer <token>``; none is needed if empty.
    cors : str
        The origins, separated by commas, whose pages may call from a browser; ``*`` for all, none if empty.
    rate_limit : str
        The most requests of one address, such as ``100/minute``; no limit if empty.
    proxies : int
        The number of proxies in front of this server to trust.
    batch_bytes : int
        The largest body of a batch; of one in JSON at most `JSON_BATCH_BYTES`.
    batch_rows, batch_problem_rows, batch_answer_bytes, batch_seconds : int
        The most rows of a batch, rows whose problems are listed in full, bytes of its answer, and seconds of work.
    batch_advice : str
        What to do with a batch that is larger.
    hosts : frozenset of str, optional
        The names, in lower case, by which it may be called besides localhost and numeric addresses; any if left out.
    languages : tuple of str
        Those of the pages for people, the first for browsers that prefer none of them.
    log : LogOptions
        Of the prediction log.
    is_guarded : bool
        The server around the endpoint asks for the token, so that the documentation mentions it.
    """

    token: str = ""
    cors: str = ""
    rate_limit: str = ""
    proxies: int = 0
    batch_bytes: int = SETTINGS["max_batch_bytes"].default
    batch_rows: int = SETTINGS["max_batch_rows"].default
    batch_problem_rows: int = SETTINGS["max_batch_problem_rows"].default
    batch_answer_bytes: int = SETTINGS["max_batch_answer_bytes"].default
    batch_seconds: int = SETTINGS["max_batch_seconds"].default
    batch_advice: str = "Send it in parts."
    hosts: frozenset[str] | None = None
    languages: tuple[str, ...] = LANGUAGES
    log: LogOptions = field(default_factory=LogOptions)
    is_guarded: bool = False

    @property
    def is_secured(self) -> bool:
        """Tell if requests need a token."""
        return bool(self.token) or self.is_guarded

    @property
    def json_batch_bytes(self) -> int:
        """Return the largest body of a batch in JSON."""
        return min(self.batch_bytes, JSON_BATCH_BYTES)

    @classmethod
    def from_environment(cls) -> Options:
        """Return the options that the environment sets."""
        token, cors, rate_limit = (environment_value(name) or "" for name in ("token", "cors", "rate_limit"))
        return cls(checked_token(token, SETTINGS["token"].variable), cors, rate_limit, log=LogOptions.of_server({}))
