"""Paired differences of two models on the same rows, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CONFIDENCE", "Difference", "accuracies", "errors", "mcnemar"]

CONFIDENCE = 0.95
DRAWINGS = 2000
BLOCK = 4_000_000  # drawn at once, so that they need little memory


@dataclass(frozen=True)
class Difference:
    """A metric of two models on the same rows.

    Attributes
    ----------
    before, after : float
    low, high : float
        The ends of the 95 % interval of ``after - before``.
    """

    before: float
    after: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """The metric of the second one less that of the first one."""
        return self.after - self.before


def accuracies(y_true: np.ndarray, before: np.ndarray, after: np.ndarray, seed: int) -> dict[str, Difference]:
    """Return the accuracy and the balanced accuracy of two classifiers, by a paired bootstrap.

    Parameters
    ----------
    y_true, before, after : ndarray of shape (n,)
        True classes, and those that each model predicts.
    seed : int

    Notes
    -----
    A drawing takes as many rows with replacement; both models are measured on the same ones. Only the counts of each
    class by who is right matter, so that they are drawn instead of the rows: it takes the same time for any number.
    The ends are percentiles of 2,000 drawings. Source: B. Efron (1979), Bootstrap methods: another look at the
    jackknife, Annals of Statistics 7, 1-26, doi:10.1214/aos/1176344552.
    """
    import numpy as np

    _, classes = np.unique(y_true, return_inverse=True)
    cells = classes * 4 + (before == y_true) * 2 + (after == y_true)
    counts = np.bincount(cells, minlength=4 * (int(classes.max()) + 1))
    used = np.flatnonzero(counts)  # most of a hundred classes' cells are empty
    drawn = np.zeros((DRAWINGS + 1, len(counts)))
    drawn[0] = counts
    rng = np.random.default_rng(seed)
    drawn[1:, used] = rng.multinomial(len(y_true), counts[used] / len(y_true), size=DRAWINGS)
    table = drawn.reshape(DRAWINGS + 1, -1, 2, 2)  # class, whether the first is right, whether the second is
    sizes = table.sum((2, 3))
    result = {}
    right = {"before": table[:, :, 1].sum(-1), "after": table[:, :, :, 1].sum(-1)}
    overall = {side: counts.sum(-1) / len(y_true) for side, counts in right.items()}
    with np.errstate(invalid="ignore"):  # a class may be missing in a drawing
        balanced = {side: np.nanmean(counts / sizes, axis=1) for side, counts in right.items()}
    for name, metric in (("accuracy", overall), ("balanced_accuracy", balanced)):
        result[name] = _difference(metric["before"], metric["after"])
    return result


def _difference(before: np.ndarray, after: np.ndarray) -> Difference:
    """Return the difference of measures, the first of which are those of the rows themselves."""
    return Difference(float(before[0]), float(after[0]), *_ends((after - before)[1:]))


def _ends(differences: np.ndarray) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def errors(y_true: np.ndarray, before: np.ndarray, after: np.ndarray, seed: int) -> Difference:
    """Return the mean absolute error of two regressors, by a paired bootstrap.

    Parameters
    ----------
    y_true, before, after : ndarray of shape (n,)
        True values, and those that each model predicts.
    seed : int

    Notes
    -----
    See :func:`accuracies` for the source.
    """
    import numpy as np

    distances = np.abs(before - y_true), np.abs(after - y_true)
    gaps = distances[1] - distances[0]
    rng, n = np.random.default_rng(seed), len(gaps)
    block = max(1, BLOCK // n)
    sizes = [min(block, DRAWINGS - start) for start in range(0, DRAWINGS, block)]
    drawn = np.concatenate([gaps[rng.integers(0, n, (size, n), dtype=np.int32)].mean(axis=1) for size in sizes])
    return Difference(float(distances[0].mean()), float(distances[1].mean()), *_ends(drawn))


def mcnemar(only_before: int, only_after: int) -> float:
    """Return the p-value of McNemar's exact test: that of the rows that one model alone has right, as many are each's.

    Parameters
    ----------
    only_before, only_after : int
        The rows that the first model alone has right, and the second.

    Notes
    -----
    Source: Q. McNemar (1947), Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika 12, 153-157, doi:10.1007/BF02295996; exact by the binomial distribution, two-sided.
    """
    from scipy.stats import binomtest

    total = only_before + only_after
    return 1.0 if not total else min(1.0, float(binomtest(only_before, total, 0.5).pvalue))
