"""Following a store: what a server serves of a model, which newer version it is to serve, and which it cannot."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.messages.store import TEXTS
from irislib._common.settings import setting_value
from irislib._modeling import registry, store
from irislib._modeling.fitted import FittedSpec
from irislib._modeling.references import is_published, list_references
from irislib._store import versions
from irislib._store.files import files_of
from irislib.errors import StoreError

if TYPE_CHECKING:
    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model
    from irislib._store.entries import Entry
    from irislib._store.files import Root

__all__ = ["Follower", "Refusal", "find_followers", "look_seconds"]

log = logging.getLogger(__name__)

FOLDER_SECONDS, URL_SECONDS = 2.0, 5.0
MAX_SECONDS = 60.0  # between two attempts to read a store that cannot be read
MAX_REASON = 400
PATH = re.compile(
    r"(?:\w[\w+.:-]*://|(?<![\w.:/])/)[^\s'\",;]+(?<!\.)"
)  # absolute paths, and URLs with what may be secret


def look_seconds(root: Root, seconds: float | None = None) -> float:
    """Return the seconds between two looks at a store; 0 if it is not followed.

    A look at a URL is a request over the network, which costs time and money.
    """
    if seconds is None:
        seconds = setting_value("follow")
    if seconds is None:
        return URL_SECONDS if isinstance(root, str) else FOLDER_SECONDS
    return max(0.0, seconds)


@dataclass(frozen=True)
class Refusal:
    """A version that cannot be served here.

    Attributes
    ----------
    entry : Entry
    reason : str
        In a sentence for whoever reads readiness: without paths and addresses, which the log has.
    """

    entry: Entry
    reason: str


class Follower:
    """The state of one model that follows a store; it starts no thread, and any process or thread can own it.

    ``take`` returns a newer version that can be served, and ``serve`` notes that it is. A version that cannot be loaded
    here is refused once, and the one before goes on; a store that cannot be read is tried again, ever less often.

    Parameters
    ----------
    name : str
    root : Path or str
        The store.
    spec : ModelSpec, optional
        The description at hand, which versions must have been made from; those in their files if left out.
    served : Entry, optional
        The entry that is served now; if left out, one that is in the store already is tried as when a server starts.

    Attributes
    ----------
    refused : Refusal or None
        The newest version that was refused, until a newer one is served.
    n_refused : int
    looked_at : float or None
        When the store was last read, in seconds since 1970.
    error : str
        Why the store cannot be read now, for the log; empty if it can.
    candidate : Entry or None
        The newest entry that serves and is neither served nor refused here.
    copies : Path or None
        A folder of this machine, set if another process than the one that has tried a version is to load it: it is
        read from the network once, and is there until it is served or refused.
    """

    def __init__(self, name: str, root: Root, spec: ModelSpec | None = None, served: Entry | None = None):
        self.name, self.root, self.spec, self.served = name, root, spec, served
        self.refused: Refusal | None = None
        self.n_refused = 0
        self.looked_at: float | None = None
        self.error = ""
        self._seen = None if served is None else served.number
        self.candidate: Entry | None = None
        self.copies: Path | None = None
        self._failures, self._next_try = 0, 0.0

    def poll(self) -> Entry | None:
        """Return the newest entry that serves, unless it is served or was refused; None also if the store fails."""
        if time.monotonic() < self._next_try:
            return None
        try:
            newer = self._newer_entries()
        except Exception as error:  # of the network, or of a library that reads from it
            self._fail(error)
            return None
        self.looked_at = time.time()
        for entry in newer:
            self._seen = entry.number
            self._note(entry)
        if self.candidate and self._is_served(self.candidate):
            self.serve(self.candidate)  # such as after a rollback from a version that was refused
        if self.candidate is None:
            self._recover()
        return self.candidate

    def _note(self, entry: Entry) -> None:
        """Note a newer entry if it is to be taken."""
        if entry.serves:
            self.candidate = entry

    def _is_served(self, entry: Entry) -> bool:
        """Return True if the version of an entry is served already."""
        return bool(self.served and self.served.file and entry.file == self.served.file)

    def _newer_entries(self) -> list[Entry]:
        if self._seen is None:
            current = store.current_entry(self.name, self.root)
            self._seen = 0 if current is None else current.number
            return [current] if current else []
        return store.entries_after(self.name, self.root, self._seen)

    def load(self, entry: Entry) -> Model:
        """Return the model of an entry.

        Raises
        ------
        OSError
            If it cannot be read just now.
        StoreError
            If it cannot be served here.
        """
        compare_data = self.served is None and entry.compare_data  # as when a server starts
        root = self.root
        if self.copies is not None:
            path, root = versions.path(self.name, entry.file), self.copies
            if not (root / path).exists():
                files_of(root).create(path, files_of(self.root).read(path))
        return store.load_entry(self.name, root, entry, self.spec, compare_data)

    def take(self) -> Model | None:
        """Return the model to serve from now on, or None if there is none; its ``entry`` says which it is."""
        entry = self.poll()
        return None if entry is None else self.attempt(entry)

    def attempt(self, entry: Entry) -> Model | None:
        """Return the model of an entry; None if it is refused, or cannot be read just now."""
        model = None
        try:
            model = self.load(entry)
        except StoreError as error:
            self.refuse(entry, str(error))
        except OSError as error:  # also of a file that is copied there after its entry
            self._fail(error)
            return None
        self._recover()
        return model

    def serve(self, entry: Entry) -> None:
        """Note that an entry is served."""
        before, self.served = self.served, entry
        self._leave(entry)
        if self.refused is not None and self.refused.entry.number < entry.number:
            self.refused = None
        text = TEXTS["follow.before"].format(version=before.version) if before else ""
        facts = {"name": self.name, "version": entry.version, "number": entry.number, "kind": entry.kind}
        log.info("%s", TEXTS["follow.taken"].format(**facts, by=entry.by, before=text))

    def refuse(self, entry: Entry, reason: str) -> None:
        """Note that an entry cannot be served here, and why."""
        reason = reason if reason.endswith((".", "!", "?")) else f"{reason}."
        self.refused, self.n_refused = Refusal(entry, public_reason(reason)), self.n_refused + 1
        self._leave(entry)
        stays = TEXTS["follow.stays"].format(version=self.served.version) if self.served else ""
        facts = {"name": self.name, "version": entry.version, "number": entry.number, "stays": stays}
        log.warning("%s", TEXTS["follow.refused"].format(**facts, reason=reason).rstrip())

    def _leave(self, entry: Entry) -> None:
        """Forget an entry that is served or refused now."""
        self._seen = max(self._seen or 0, entry.number)
        if self.candidate is not None and self.candidate.number <= entry.number:
            self.candidate = None
        if self.copies is not None:
            files_of(self.copies).delete(versions.path(self.name, entry.file))

    def status(self) -> dict[str, Any]:
        """Return the state as readiness shows it: no paths, no addresses, no secrets."""
        served, refused = self.served, self.refused
        return {
            "version": None if served is None else served.version,
            "number": None if served is None else served.number,
            "refused": None
            if refused is None
            else {"version": refused.entry.version, "number": refused.entry.number, "reason": refused.reason},
            "n_refused": self.n_refused,
            "looked_at": self.looked_at,
            "reached": not self.error,
        }

    def _fail(self, error: Exception) -> None:
        self._failures += 1
        self._next_try = time.monotonic() + min(MAX_SECONDS, look_seconds(self.root) * 2 ** min(self._failures, 10))
        if not self.error:
            log.warning("%s", TEXTS["follow.unreached"].format(name=self.name, error=error))
        self.error = str(error) or type(error).__name__

    def _recover(self) -> None:
        if self.error:
            log.info("%s", TEXTS["follow.reached"].format(name=self.name))
        self.error, self._failures, self._next_try = "", 0, 0.0


def public_reason(reason: str) -> str:
    """Return a reason without paths and addresses, and not too long."""
    text = PATH.sub("…", " ".join(reason.split()))
    return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…"


def find_followers(models: Iterable[str] | None = None, root: Root | None = None) -> dict[str, Follower]:
    """Return what follows the store for each model that came from it or is kept in it, by its name.

    A model of a file, or one that a module returns, is none of the store's. One that is not loaded, such as because its
    training failed, has nothing that it serves yet.

    Parameters
    ----------
    models : iterable of str, optional
        The references of the server's models, as of :func:`irislib._modeling.references.list_references`.
    root : Path or str, optional
        That of ``$IRISLIB_STORE`` if left out.
    """
    root = store.default_root() if root is None else root
    followers = {}
    for reference in list_references(models):
        spec = registry.resolve(reference)
        served = registry.load(spec).entry if registry.is_loaded(spec) else None
        if not isinstance(spec, FittedSpec):
            followers[spec.name] = Follower(spec.name, root, spec, served)
        elif is_published(reference):
            followers[spec.name] = Follower(spec.name, root, None, served)
    return followers
