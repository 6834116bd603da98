"""The limits of a batch: its rows, the problems that are listed, the bytes of its answer, and its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge, ServiceUnavailable

from irislib.api._config import Options
from irislib.errors import Problem

if TYPE_CHECKING:
    from irislib._modeling.many_rows import ManyPredictions
    from irislib._prediction_log.batches import BatchLog

__all__ = ["BatchLimits", "TooManyRowsError"]


class TooManyRowsError(RequestEntityTooLarge):
    """A batch has more rows than this server predicts for one request."""


class BatchTimeoutError(ServiceUnavailable):
    """A batch takes longer than this server works for one request."""


class LongAnswerError(ServiceUnavailable):
    """The answer to a batch is longer than this server sends for one request."""


class BatchLimits:
    """The limits of one batch, counted while it is answered.

    Parameters
    ----------
    options : Options
    heartbeat : callable
        Called at every check.
    is_client_gone : callable
    log : BatchLog, optional
    count : callable
        Called with the numbers of rows that were predicted and refused, some at a time.
    """

    def __init__(
        self,
        options: Options,
        heartbeat: Callable[[], None] = lambda: None,
        is_client_gone: Callable[[], bool] = lambda: False,
        log: BatchLog | None = None,
        count: Callable[[int, int], None] = lambda predicted, refused: None,
    ):
        self.count, self.counted = count, 0
        self.options, self.heartbeat, self.is_client_gone, self.log = options, heartbeat, is_client_gone, log
        self.end = time.monotonic() + options.batch_seconds
        self.problem_rows = self.answer_bytes = 0

    def check_time(self) -> None:
        """Raise an error if time is up, or the client has gone; to be called for each chunk of rows."""
        self.heartbeat()
        if self.is_client_gone():
            raise ClientDisconnected
        if time.monotonic() > self.end:
            raise BatchTimeoutError(
                f"The batch takes longer than {self.options.batch_seconds:,} seconds. Send it in parts."
            )

    def check_rows(self, count: int) -> None:
        """Raise TooManyRowsError if a batch has too many rows."""
        if count > self.options.batch_rows:
            raise TooManyRowsError(f"The batch has more than {self.options.batch_rows:,} rows. Send it in parts.")

    def limited(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces of an answer; raise LongAnswerError if there are too many."""
        for piece in pieces:
            self.answer_bytes += len(piece)
            if self.answer_bytes > self.options.batch_answer_bytes:
                limit = f"{self.options.batch_answer_bytes:,}"
                raise LongAnswerError(f"The answer is longer than {limit} bytes. Send the batch in parts.")
            yield piece

    def shorten(self, problems: dict[int, list[Problem]]) -> None:
        """Replace the problems of each row by their number, after the rows whose problems are listed in full."""
        for row, row_problems in problems.items():
            if not row_problems:  # an empty line
                continue
            self.problem_rows += 1
            if self.problem_rows > self.options.batch_problem_rows:
                count = len(row_problems)
                text = "1 problem." if count == 1 else f"{count} problems."
                problems[row] = [Problem(text, row=row_problems[0].row)]

    def log_spread(self, count: int) -> None:
        """Spread the rows of the prediction log over so many."""
        if self.log is not None:
            self.log.spread(count)

    def log_rows(self, results: ManyPredictions, rows: Sequence[int]) -> None:
        """Have some of these predictions written to the prediction log; `rows` are their positions in the batch."""
        refused, self.counted = self.problem_rows - self.counted, self.problem_rows
        self.count(len(rows) - refused, refused)
        if self.log is not None:
            self.log.add(results, rows)
