"""Confidence intervals of what was counted or measured on some rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import format_share
from irislib._common.messages.insights import TEXTS

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CONFIDENCE", "bootstrap", "format_interval", "proportion_interval"]

CONFIDENCE = 0.95
FEWEST = 10  # rows; resampling fewer says little about the population


@lru_cache(maxsize=1024)  # a click waits for it
def proportion_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by Wilson's score; the whole range if nothing was counted.

    Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 209-212, doi:10.1080/01621459.1927.10502953.
    """
    from scipy.stats import binomtest

    if not total:
        return 0.0, 1.0
    low, high = binomtest(int(right), int(total)).proportion_ci(CONFIDENCE, "wilson")
    return float(low), float(high)


def format_interval(right: int, total: int) -> str:
    """Format a share and its interval for a sentence: ``97% (95% interval 83% to 99%)``."""
    low, high = proportion_interval(right, total)
    share, low_end, high_end = map(format_share, (right / total, low, high))
    return TEXTS["interval"].format(share=share, confidence=CONFIDENCE, low=low_end, high=high_end)


def bootstrap(measure: Callable[..., Any], rows: Sequence[np.ndarray], seed: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a measure of rows, by resampling them; None if that is of no use.

    Parameters
    ----------
    measure : callable
        Takes the arrays and the axis of the rows.
    rows : sequence of ndarray
        Each of shape (n_rows,), such as true and predicted values.
    seed : int

    Notes
    -----
    Source: B. Efron (1979), Bootstrap methods: another look at the jackknife, Annals of Statistics 7, 1-26,
    doi:10.1214/aos/1176344552; the ends are percentiles of 2,000 drawings.
    """
    import numpy as np
    from scipy.stats import bootstrap

    if len(rows[0]) < FEWEST:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        result = bootstrap(
            rows,
            measure,
            n_resamples=2000,
            paired=True,
            vectorized=True,
            confidence_level=CONFIDENCE,
            method="percentile",
            random_state=seed,
        )
    low, high = map(float, result.confidence_interval)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
