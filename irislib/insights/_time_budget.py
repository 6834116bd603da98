"""A time budget for insights that ask the estimator for many rows, and predictions within it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from irislib._modeling.threads import idle_cores_only

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["TimeBudget", "predict_within"]

FIRST_ROWS = 16  # of the first batch: few enough for a slow estimator
MAX_CELLS = 4_000_000  # of a batch, so that memory does not grow with the number of features
MAX_GROWTH = 32  # of a batch over the one before
BATCH_SHARE = 0.25  # of the remaining time, for the next batch

clock = time.monotonic


class TimeBudget:
    """The time that an insight may take for predictions, and the speed of the estimator.

    Parameters
    ----------
    seconds : float
        It may be infinite.
    n_features : int
        The number of cells of a row.
    """

    def __init__(self, seconds: float, n_features: int):
        self._start = clock()
        self._end = self._start + seconds
        self._max_rows = max(1, MAX_CELLS // n_features)
        self._batch_rows = FIRST_ROWS
        self._seconds_per_row = 0.0  # of the fastest batch: a large one

    @property
    def seconds_spent(self) -> float:
        """The time since the beginning."""
        return clock() - self._start

    @property
    def seconds_left(self) -> float:
        """The remaining time, 0 once it is spent."""
        return max(0.0, self._end - clock())

    def extend(self, seconds: float) -> None:
        """Add time to what is left."""
        self._end += seconds

    def affordable_rows(self, share: float = 1.0) -> float:
        """The number of rows that can be predicted in a share of the remaining time, as far as is known."""
        return share * self.seconds_left / self._seconds_per_row if self._seconds_per_row else math.inf

    def batch_rows(self, least: int) -> int:
        """The number of rows to predict next: for a part of the remaining time, or so many if that is more."""
        return int(min(self._max_rows, self._batch_rows, max(FIRST_ROWS, least, self.affordable_rows(BATCH_SHARE))))

    def record(self, rows: int, seconds: float) -> None:
        """Learn from a batch and the time that it took."""
        speed = seconds / rows
        self._seconds_per_row = min(speed, self._seconds_per_row) if self._seconds_per_row else speed
        self._batch_rows = max(self._batch_rows, rows * MAX_GROWTH)


def predict_within(
    budget: TimeBudget,
    predict: Callable[[pd.DataFrame], np.ndarray],
    make_rows: Callable[[int, int], pd.DataFrame],
    count: int,
    least: int = 1,
) -> np.ndarray:
    """Predict rows in batches until the time is spent.

    Parameters
    ----------
    budget : TimeBudget
    predict : callable
    make_rows : callable
        Takes the positions where a batch starts and ends, and returns its rows.
    count : int
        The number of all rows.
    least : int, default 1
        The number of rows that are predicted even if the time is spent.

    Returns
    -------
    ndarray of shape (n_predicted,) or (n_predicted, n_outputs)
        The predictions of the first rows; of all of them if there was time.
    """
    import numpy as np

    parts: list[np.ndarray] = []
    done = 0
    while done < count and (done < least or budget.seconds_left > 0):
        end = min(count, done + budget.batch_rows(least - done))
        start = clock()
        with idle_cores_only():
            parts.append(np.asarray(predict(make_rows(done, end))))
        budget.record(end - done, clock() - start)
        done = end
    return np.concatenate(parts) if parts else np.empty(0)
