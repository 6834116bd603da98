"""The entries of a batch: some of its rows, evenly spread over all of them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from irislib._description.values import is_empty, to_python
from irislib._prediction_log.records import Entry
from irislib._prediction_log.writer import LEFT_OUT, PredictionLog

if TYPE_CHECKING:
    from irislib._modeling.many_rows import ManyPredictions
    from irislib._modeling.model import Model

__all__ = ["BatchLog"]

ROUTE = "batch"


class BatchLog:
    """The log of one batch.

    Parameters
    ----------
    log : PredictionLog
    model : Model
    request_id : str
    """

    def __init__(self, log: PredictionLog, model: Model, request_id: str):
        self.log, self.records, self.request_id = log, log.records_of(model), request_id
        self.time = time.time()
        self.step = 1

    def spread(self, count: int) -> None:
        """Spread the rows that are written down over so many."""
        limit = self.log.options.batch_rows
        self.step = -(-count // limit) if limit else 0

    def add(self, results: ManyPredictions, rows: Sequence[int]) -> None:
        """Have some of these predictions written down.

        Parameters
        ----------
        results : ManyPredictions
        rows : sequence of int
            The position of each in the batch.
        """
        chosen = self._chosen(results.predicted, rows)
        if left_out := len(results.predicted) - len(chosen):
            self.log.count(LEFT_OUT, left_out)
        for entry in self._entries(results, rows, chosen) if chosen else ():
            self.log.add(entry)

    def _chosen(self, predicted: Sequence[int], rows: Sequence[int]) -> Sequence[int]:
        """Return the positions among the predicted rows of those that are written down."""
        if not self.step:
            return ()
        if isinstance(predicted, range) and isinstance(rows, range):  # all of them: nothing to look at one by one
            return range(-rows.start % self.step, len(predicted), self.step)
        return [i for i, row in enumerate(predicted) if rows[row] % self.step == 0]

    def _entries(self, results: ManyPredictions, rows: Sequence[int], chosen: Sequence[int]) -> Iterator[Entry]:
        frame = results.frame.iloc[[*chosen]]
        columns = [map(_checked_value, frame[f.column].tolist()) for f in self.records.model.spec.features]
        for i, values in zip(chosen, zip(*columns, strict=True), strict=True):
            row = results.predicted[i]
            prediction, *shares = (column[row] for column in results.columns)
            if prediction is not None:
                yield Entry(
                    self.records, self.time, self.request_id, ROUTE, rows[row], values, prediction, shares or None
                )


def _checked_value(value: Any) -> Any:
    """Return a value of a column as it is in a row that is asked by itself."""
    if is_empty(value):
        return None
    return value.date() if isinstance(value, dt.datetime) else to_python(value)
