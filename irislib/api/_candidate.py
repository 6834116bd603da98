"""A candidate: a version that is served beside the current one, to a share of the rows or never shown."""

from __future__ import annotations

import atexit
import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from irislib._common.gathering_thread import GatheringThread
from irislib._common.messages.store import TEXTS
from irislib._description.values import to_json
from irislib._prediction_log.records import SHADOW, record_line, time_text
from irislib._prediction_log.writer import LOST, WRITTEN
from irislib.errors import StoreError

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._prediction_log.writer import PredictionLog
    from irislib.api._fast_path import ModelEndpoint
    from irislib.api._metrics import Metrics

__all__ = ["Candidate", "check_fits"]

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

MAX_WAITING = 10_000  # rows for a shadow; those that come when there are as many are dropped
SECONDS = 0.25  # in which rows gather
CHUNK = 64  # answers that are written to the prediction log at once
END_SECONDS = 5
CLOSE = 1e-9  # numbers that differ by less, as a part of the larger one, are the same


class AnsweredRow(NamedTuple):
    """A row that was answered by the current version, with its answer."""

    time: float
    request_id: str
    values: Sequence[Any]
    prediction: Any
    version: str


class Candidate:
    """A candidate of one model in one process.

    A share of the rows is answered by it; which ones, the values of a row alone decide, so that a row has the same
    answer in all workers, and again. Where it fails, the current version answers. Without a share it is a shadow: its
    thread asks it what the current version was asked, and compares the answers.

    Parameters
    ----------
    endpoint : ModelEndpoint
        Of the candidate.
    share : float or None
        From 0 to 1; None for a shadow.
    metrics : Metrics
    prediction_log : PredictionLog, optional
    """

    def __init__(
        self, endpoint: ModelEndpoint, share: float | None, metrics: Metrics, prediction_log: PredictionLog | None
    ):
        self.endpoint, self.model, self.share, self.log = endpoint, endpoint.model, share, prediction_log
        self._salt = self.model.version.encode()
        self._limit = int((share or 0) * 2**64)
        self.counts = metrics.candidate_counts(self.model)
        self._waiting: deque[AnsweredRow] = deque()
        self._thread = GatheringThread(
            "irislib-candidate", SECONDS, self.compare_waiting, lambda: atexit.register(self.close)
        )
        self._has_failed = False

    def takes(self, values: Sequence[Any]) -> bool:
        """Return True if a row is for the candidate to answer."""
        digest = hashlib.blake2b(repr(list(values)).encode(errors="replace"), digest_size=8, key=self._salt).digest()
        return int.from_bytes(digest, "big") < self._limit

    def answer(self, values: Sequence[Any], answer: Callable[[], Answer]) -> Answer | None:
        """Return the candidate's answer to a row if it is for it; None if it is not, or the candidate has failed.

        Parameters
        ----------
        values : sequence
            The checked values of the row.
        answer : callable
            Called to answer it.
        """
        if not self.takes(values):
            self.counts["current"].inc()
            return None
        try:
            result = answer()
        except Exception:
            self._fail()
            return None
        self.counts["answered"].inc()
        return result

    def watch(self, request_id: str, values: Sequence[Any], prediction: Any, version: str) -> None:
        """Have the shadow asked soon what the current version has answered; it neither waits nor fails."""
        if len(self._waiting) >= MAX_WAITING:
            self.counts["dropped"].inc()
            return
        self._waiting.append(AnsweredRow(time.time(), request_id, values, prediction, version))
        if not self._thread.wakes.is_set():
            self._wake()

    def close(self) -> None:
        """Compare what waits, and end the thread."""
        self._thread.end(END_SECONDS)

    def _wake(self) -> None:
        try:
            self._thread.wake()
        except RuntimeError:  # it is tried again for the next row
            log.exception("The candidate has no thread.")

    def compare_waiting(self) -> None:
        """Ask the shadow what waits, and compare its answers."""
        while self._waiting:
            lines = []
            for row in [self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))]:
                try:
                    prediction, shares = self.model.predict_values(list(row.values))
                    self._compare(row, prediction)
                    lines.append(self._line(row, prediction, shares))
                except Exception:
                    self._fail()
            self._write(lines)

    def _compare(self, row: AnsweredRow, prediction: Any) -> None:
        if self.model.classes is None:
            difference = abs(float(prediction) - float(row.prediction))
            is_different = difference > CLOSE * max(abs(float(prediction)), abs(float(row.prediction)))
            self.counts["difference"].inc(difference)
        else:
            is_different = prediction != row.prediction
        self.counts["compared"].inc()
        if is_different:
            self.counts["different"].inc()

    def _line(self, row: AnsweredRow, prediction: Any, shares: Sequence[float] | None) -> bytes:
        """Return the answer for the prediction log, without the inputs, which the line of the shown answer has."""
        classes = [str(name) for name in self.model.classes or ()]
        return record_line({
            "time": time_text(row.time),
            "request_id": row.request_id,
            "model": self.model.spec.name,
            "version": self.model.version,
            "route": SHADOW,
            "row": None,
            "prediction": to_json(prediction),
            "probabilities": None if shares is None else dict(zip(classes, map(float, shares), strict=True)),
            "shown": {"version": row.version, "prediction": to_json(row.prediction)},
        })  # fmt: skip

    def _write(self, lines: list[bytes]) -> None:
        if self.log is None or not lines:
            return
        try:
            self.log.write_now(b"".join(lines))
            self.log.count(WRITTEN, len(lines))
        except OSError:  # which the log's own thread meets, too, and says
            self.log.count(LOST, len(lines))

    def _fail(self) -> None:
        self.counts["failed"].inc()
        if not self._has_failed:
            self._has_failed = True
            log.exception("%s", TEXTS["candidate.failed"].format(name=self.model.spec.name, version=self.model.version))


def check_fits(candidate: Model, current: Model) -> None:
    """Check that a candidate takes the rows of the current version, and answers in the same way.

    Raises
    ------
    StoreError
        If it does not.
    """
    for name, (theirs, ours) in {
        "inputs": (_inputs(candidate), _inputs(current)),
        "target": ((candidate.spec.target, candidate.classes is None), (current.spec.target, current.classes is None)),
    }.items():
        if theirs != ours:
            raise StoreError(TEXTS["candidate.other"].format(what=name, version=current.version))


def _inputs(model: Model) -> list[Any]:
    return [(f.name, f.type.name, f.required, [*f.choices], *f.bounds[:2]) for f in model.spec.features]
