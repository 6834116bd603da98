"""What the sections of the benchmark share: their options, turns, and tables in Markdown."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["options", "ratio", "spread", "table", "turns"]

T = TypeVar("T")


def options(documentation: str | None, rounds: int, **more: object) -> argparse.Namespace:
    """Read the options that all sections have, and a section's own with their defaults."""
    parser = argparse.ArgumentParser(description=(documentation or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--peers", metavar="PYTHON", default="", help="an interpreter that has the other tools")
    parser.add_argument("--beside", metavar="PYTHON", default="", help="one that has another version of irislib")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


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
