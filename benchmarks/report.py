"""What the sections of the benchmark share: their options, turns, and tables in Markdown."""

from __future__ import annotations

import argparse
import signal
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

__all__ = ["options", "ratio", "spread", "table", "turns"]

T = TypeVar("T")


def options(documentation: str | None, counts: Mapping[str, tuple[int, int]], **more: str) -> argparse.Namespace:
    """Read the options that all sections have, and a section's own.

    Parameters
    ----------
    documentation : str or None
        Its first line describes the section.
    counts : mapping
        For each option that is a number, what it is by default, and with ``--quick``.
    **more
        The other options with their defaults.
    """
    parser = argparse.ArgumentParser(description=(documentation or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the smallest counts: to see that it runs")
    parser.add_argument("--peers", metavar="PYTHON", default="", help="an interpreter that has the other tools")
    parser.add_argument("--beside", metavar="PYTHON", default="", help="one that has another version of irislib")
    for name, (usual, _) in counts.items():
        parser.add_argument(f"--{name}", type=int, help=f"{usual:,} if left out")
    for name, default in more.items():
        parser.add_argument(f"--{name}", default=default)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a section ends its servers, as at Ctrl-C
    for name, usual_and_quick in counts.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, usual_and_quick[chosen.quick])
    return chosen


def turns(items: Sequence[T], rounds: int) -> Iterator[T]:
    """Return each item once a round, each round beginning with another, so that the machine's other work meets all."""
    for i in range(rounds):
        for k in range(len(items)):
            yield items[(i + k) % len(items)]


def spread(values: Sequence[float], form: str) -> str:
    """Format the median, in brackets the least and the most."""
    if not values:
        return "–"
    plain = form.partition("}")[0] + "}"
    shown = form.format(statistics.median(values))
    if len(values) == 1 or form.format(min(values)) == form.format(max(values)):
        return shown
    return f"{shown} ({plain.format(min(values))} to {plain.format(max(values))})"


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Format the median of the ratios within a round, in brackets the least and the most."""
    return spread([a / b for a, b in zip(values, others, strict=True)], "{:.2f}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))
