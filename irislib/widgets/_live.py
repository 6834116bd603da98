"""Live answers, which follow each change of the form."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["is_live"]

MAX_SECONDS = 0.02  # of the processor for one row: several people change their forms at once, ten times a second
SLOW_SECONDS = 2.0  # of one row: not tried again

clock = time.thread_time  # what else the machine does when a page starts decides nothing


def is_live(model: Model) -> bool:
    """Return whether the answers of a model's app follow its form: as its description says, else if they are quick."""
    if model.spec.live is not None:
        return model.spec.live
    row = model.evaluation.trial_rows.head(1)
    try:
        for _ in range(3):  # the first one imports modules
            seconds = _seconds(model, row)
            if seconds <= MAX_SECONDS:
                return True
            if seconds > SLOW_SECONDS:
                return False
    except Exception:
        return False
    return False


def _seconds(model: Model, row: object) -> float:
    start = clock()
    model.predict_row(row)
    return clock() - start
