"""Findings in a table: a sentence on each, and what was done about it or what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from irislib._common.formatting import format_value
from irislib._common.messages.new import FINDINGS

__all__ = ["Finding", "by_importance", "find", "show", "show_list"]

KINDS = list(FINDINGS)
MAX_TEXT = 40


@dataclass(frozen=True)
class Finding:
    """One thing that was seen in a table.

    Attributes
    ----------
    kind : str
        A key of :data:`irislib._common.messages.new.FINDINGS`, which is in the order of importance.
    seen : str
        A sentence on what was seen.
    action : str
        What was done about it, or what to do.
    column : object, optional
        The column that it is about; None if it is about the whole table or the target.
    """

    kind: str
    seen: str
    action: str
    column: Any = None

    @property
    def text(self) -> str:
        """Both sentences."""
        return f"{self.seen} {self.action}".strip()


def find(kind: str, about: Any = None, **facts: Any) -> Finding:
    """Return a finding of a kind, with its facts in its sentences; ``about`` is its column."""
    seen, action = FINDINGS[kind]
    facts = {name: f"{fact:,}" if type(fact) is int else fact for name, fact in facts.items()}
    return Finding(kind, seen.format(**facts), action.format(**facts), about)


def by_importance(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with the most important first."""
    return tuple(sorted(findings, key=lambda finding: KINDS.index(finding.kind)))


def show(value: Any) -> str:
    """Return a value as a finding names it."""
    if hasattr(value, "item"):
        value = value.item()
    text = repr(value) if isinstance(value, str) else format_value(value, 6)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def show_list(values: Iterable[Any], most: int = 5) -> str:
    """Return the first of some values."""
    texts = list(map(show, values))
    return ", ".join([*texts[:most], *(["…"] if len(texts) > most else [])])
