"""How far a share that was counted may be from the true one."""

from __future__ import annotations

__all__ = ["CONFIDENCE", "counted", "share"]

CONFIDENCE = 0.95


def share(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share, by Wilson's score; the whole range where nothing was counted.

    Source: E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 209-212, doi:10.1080/01621459.1927.10502953.
    """
    from scipy.stats import binomtest

    if not total:
        return 0.0, 1.0
    low, high = binomtest(int(right), int(total)).proportion_ci(CONFIDENCE, "wilson")
    return float(low), float(high)


def counted(right: int, total: int) -> str:
    """A share as a sentence has it: ``97% (95% interval 83% to 99%)``."""
    low, high = share(right, total)
    return f"{right / total:.0%} ({CONFIDENCE:.0%} interval {low:.0%} to {high:.0%})"
