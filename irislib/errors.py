"""Every error and warning irislib raises on purpose, each with a message for a person."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "DataError",
    "IrislibError",
    "NotApplicableError",
    "OutsideTrainingDataWarning",
    "Problem",
    "SpecError",
    "StoreError",
    "UnknownModelError",
    "ValidationError",
    "new_reference",
]

SHOWN = 10  # a message longer than this many lines is not read


def new_reference() -> str:
    """What a person can report of a failure, and the log repeats beside its traceback."""
    return secrets.token_hex(4)


class IrislibError(Exception):
    """Base class of irislib's errors."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with (or worth knowing about) one value.

    Attributes
    ----------
    message : str
        A whole sentence. It begins with the feature's name, where it concerns a known feature.
    feature : str or None
        The feature's name, or the unknown name that was given; None where it concerns all of them.
    value : object
        What was received.
    row : int or None
        Position of the row, from 0; None where a single row was given.
    """

    message: str
    feature: str | None = None
    value: Any = None
    row: int | None = None

    def __str__(self) -> str:
        return self.message if self.row is None else f"row {self.row}: {self.message}"

    def labelled(self, label: str) -> str:
        """The message for a reader who knows the feature by its label."""
        name = self.feature or ""
        return label + self.message[len(name) :] if self.message.startswith(name) else self.message


def _lines(items: Sequence[object]) -> str:
    shown = "\n".join(f"  {item}" for item in items[:SHOWN])
    more = len(items) - SHOWN
    return shown if more <= 0 else f"{shown}\n  … and {more} more"


class ValidationError(IrislibError, ValueError):
    """Input that cannot be used.

    Attributes
    ----------
    problems : list of Problem
        All of them, not only the first.
    """

    def __init__(self, problems: Sequence[Problem]):
        self.problems = list(problems)
        texts = [str(problem) for problem in self.problems]
        super().__init__(texts[0] if len(texts) == 1 else f"{len(texts)} problems:\n{_lines(texts)}")


class SpecError(IrislibError, ValueError):
    """A description of a model that cannot work; lists every fault at once."""

    def __init__(self, what: str, faults: Sequence[str]):
        self.faults = list(faults)
        super().__init__(f"{what} needs a correction:\n{_lines(self.faults)}")


class DataError(IrislibError, ValueError):
    """Training data that do not fit the description of the model."""


class UnknownModelError(IrislibError, LookupError):
    """A model that was asked for by a name or a ``package.module:name`` that leads nowhere."""


class NotApplicableError(IrislibError, TypeError):
    """A question that makes no sense for this kind of model, such as classes of a regression."""


class StoreError(IrislibError, OSError):
    """A stored model that cannot be written or read."""


class OutsideTrainingDataWarning(UserWarning):
    """An answer for a row unlike anything the model was trained on."""
