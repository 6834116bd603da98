"""Following which version of a model is tried beside the current one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from irislib._common.messages.store import TEXTS
from irislib._modeling.following import Follower
from irislib._store import entries as log_of
from irislib._store.files import files_of
from irislib.errors import StoreError

if TYPE_CHECKING:
    from irislib._store.entries import Entry
    from irislib.api._application import Endpoint

__all__ = ["CandidateFollower", "candidate_followers", "key_of"]

log = logging.getLogger(__name__)

ENDED: Any = object()  # in place of a model: nothing is tried any more


class CandidateFollower(Follower):
    """A follower of the candidates of a model.

    A candidate is read with the description in its file, which may be another one than the server has: only its inputs
    and its target must be the same. ``served`` is the entry of the one that is tried, and None if there is none.
    """

    def _newer_entries(self) -> list[Entry]:
        if self._seen is not None:
            return super()._newer_entries()
        self._seen, newest = 0, []
        for entry in log_of.entries(files_of(self.root), self.name):
            newest.append(entry)
            if entry.serves or entry.kind in ("candidate", "withdraw"):
                break
        return newest[::-1]

    def _note(self, entry: Entry) -> None:
        if entry.kind == "candidate":
            self.candidate = entry
        elif entry.serves or entry.kind == "withdraw":
            self.candidate = entry if self.served else None

    def _is_served(self, entry: Entry) -> bool:
        return False  # the same version may be tried in another way

    def attempt(self, entry: Entry) -> Any:
        """Return the model of an entry; something else than None if it ends what is tried."""
        if entry.kind == "candidate":
            return super().attempt(entry)
        self._recover()
        return ENDED

    def apply(self, app: Endpoint) -> bool:
        """Let an endpoint try what was found, or nothing any more; return False if nothing has changed."""
        entry, model = self.candidate, None
        if entry is None or (model := self.attempt(entry)) is None:
            return False
        if model is ENDED:
            app.end_candidate(self.name)
        else:
            try:
                app.use_candidate(model, entry.details.get("share"))
            except StoreError as error:
                self.refuse(entry, str(error))
                return False
        self.serve(entry)
        return True

    def serve(self, entry: Entry) -> None:
        """Note that a candidate is tried, or that none is any more."""
        is_candidate = entry.kind == "candidate"
        version = entry.version if is_candidate or self.served is None else self.served.version
        self.served = entry if is_candidate else None
        self.refused = None
        self._leave(entry)
        share = entry.details.get("share")
        key = "ends" if not is_candidate else "begins" if share is None else "begins_share"
        text = TEXTS[f"candidate.{key}"].format(name=self.name, version=version, number=entry.number, share=share)
        log.info("%s", text)


def key_of(name: str) -> str:
    """Return the name of the follower of a model's candidates, beside that of the model itself."""
    return f"{name} (candidate)"


def candidate_followers(followers: Iterable[Follower]) -> dict[str, Follower]:
    """Return followers of the candidates of models that are followed."""
    made: dict[str, Follower] = {}
    for follower in followers:
        made[key_of(follower.name)] = other = CandidateFollower(follower.name, follower.root)
        other.copies = follower.copies and follower.copies / "candidate"
    return made
