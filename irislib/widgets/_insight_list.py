"""Insights one below the other, each of which fails alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from irislib.errors import NotApplicableError
from irislib.insights._registry import insight_title
from irislib.widgets._blocks import Failure
from irislib.widgets._error_boundary import guarded

__all__ = ["add_insight", "alone"]


def alone(function: Callable[..., Any], content: list[Any]) -> AbstractContextManager[None]:
    """Let an insight fail alone: a sentence under its title takes its position in the content."""
    return guarded(lambda text: content.append(Failure(insight_title(function), text)))


def add_insight(function: Callable[..., Any], content: list[Any], compute: Callable[[], Any]) -> None:
    """Add what a computation of an insight returns; one that does not apply is a sentence, once."""
    with alone(function, content):
        try:
            content.append(compute())
        except NotApplicableError as error:
            if str(error) not in content:
                content.append(str(error))
