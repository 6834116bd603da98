"""Comparisons of two samples: how far they are apart, and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LEVEL", "LIMIT", "Difference", "adjusted", "compare_categories", "compare_numbers", "worse_errors",
           "worse_share"]  # fmt: skip

LEVEL = 0.01  # the share of false alarms among all comparisons together, where nothing has changed
LIMIT = 0.2  # of the PSI: less is no drift, however sure it is
BINS = 10  # of numbers
FEWEST_EXPECTED = 5  # rows of a category; rarer ones count as one
MISSING, OTHER = object(), object()  # categories


@dataclass(frozen=True)
class Difference:
    """The difference of two samples.

    Attributes
    ----------
    psi : float or None
        The population stability index.
    p : float
        The probability of such a difference by chance.
    """

    psi: float | None
    p: float


def compare_numbers(before: np.ndarray, now: np.ndarray) -> Difference:
    """Compare two samples of numbers, NaN where one is missing.

    Parameters
    ----------
    before, now : ndarray of float of shape (n_rows,)

    Notes
    -----
    The test is Kolmogorov's and Smirnov's: N. V. Smirnov (1948), Table for estimating the goodness of fit of empirical
    distributions, doi:10.1214/aoms/1177730256. Where values are missing, their share is tested, too, by Fisher's
    exact test, and both count as two. The PSI is of tenths of the first sample, and of what is missing:
    N. Siddiqi (2006), Credit Risk Scorecards.
    """
    import numpy as np
    from scipy.stats import ks_2samp

    gaps = [np.isnan(values) for values in (before, now)]
    known = [values[~gap] for values, gap in zip((before, now), gaps, strict=True)]
    p = float(ks_2samp(*known).pvalue) if all(map(len, known)) else 1.0
    if any(gap.any() for gap in gaps):
        counts = [[int(gap.sum()), int((~gap).sum())] for gap in gaps]
        p = min(1.0, 2 * min(p, _fisher(counts)))
    edges = np.unique(np.quantile(known[0], np.linspace(0, 1, BINS + 1)[1:-1])) if len(known[0]) else np.zeros(0)
    binned = [
        [*np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1), gap.sum()]
        for values, gap in zip(known, gaps, strict=True)
    ]
    return Difference(_psi(*binned), p)


def compare_categories(before: Sequence[Any], now: Sequence[Any]) -> Difference:
    """Compare how often each value is in two samples.

    Notes
    -----
    The test is Pearson's for contingency tables (K. Pearson, 1900, doi:10.1080/14786440009463897); categories of fewer
    than five expected rows count as one (W. G. Cochran, 1954, doi:10.2307/3001616).
    """
    from scipy.stats import chi2_contingency

    counts = [Counter(before), Counter(now)]
    share = min(len(before), len(now)) / max(len(before) + len(now), 1)
    table: dict[Any, list[int]] = {}
    for value in dict.fromkeys([*counts[0], *counts[1]]):
        pair = [count[value] for count in counts]
        key = value if sum(pair) * share >= FEWEST_EXPECTED else OTHER
        table[key] = [a + b for a, b in zip(table.get(key, (0, 0)), pair, strict=True)]
    columns = list(zip(*table.values(), strict=True))
    p = float(chi2_contingency(columns, correction=False).pvalue) if len(table) > 1 else 1.0
    return Difference(_psi(*columns), p)


def worse_share(before: tuple[int, int], now: tuple[int, int], is_larger_worse: bool = True) -> Difference:
    """Tell whether a share has become worse, by Fisher's exact test with one side.

    Parameters
    ----------
    before, now : tuple of int
        How many rows count, and how many there are.
    is_larger_worse : bool

    Notes
    -----
    Source: R. A. Fisher (1935), The logic of inductive inference, doi:10.2307/2342435.
    """
    counts = [[count, total - count] for count, total in (now, before)]
    return Difference(None, _fisher(counts, "greater" if is_larger_worse else "less"))


def worse_errors(before: np.ndarray, now: np.ndarray) -> Difference:
    """Tell whether errors have become larger, by Mann's and Whitney's test with one side.

    Notes
    -----
    Source: H. B. Mann and D. R. Whitney (1947), On a test of whether one of two random variables is stochastically
    larger than the other, doi:10.1214/aoms/1177730491.
    """
    from scipy.stats import mannwhitneyu

    return Difference(None, float(mannwhitneyu(now, before, alternative="greater").pvalue))


def adjusted(probabilities: Sequence[float]) -> list[float]:
    """Return the probabilities as they are when there are many tests.

    Notes
    -----
    Source: Y. Benjamini and Y. Hochberg (1995), Controlling the false discovery rate,
    doi:10.1111/j.2517-6161.1995.tb02031.x. Where nothing has changed, the probability of any alarm is at most the
    level.
    """
    from scipy.stats import false_discovery_control

    return [float(p) for p in false_discovery_control(probabilities)] if probabilities else []


def _fisher(counts: Sequence[Sequence[int]], alternative: str = "two-sided") -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact(counts, alternative=alternative).pvalue)


def _psi(before: Sequence[int], now: Sequence[int]) -> float:
    """Return the population stability index of counts; half a row is added to each, so that none is 0."""
    import numpy as np

    shares = [(np.asarray(counts, dtype=float) + 0.5) for counts in (before, now)]
    old, new = (counts / counts.sum() for counts in shares)
    return float(((new - old) * np.log(new / old)).sum())
