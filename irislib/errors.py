"""Every error and warning irislib raises on purpose, each with a message for a person."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irislib._common.user_code import Location

__all__ = [
    "DataError",
    "ForeignExitError",
    "IrislibError",
    "NotApplicableError",
    "OutsideTrainingDataWarning",
    "Problem",
    "SpecError",
    "StoreError",
    "UnknownModelError",
    "UserCodeError",
    "ValidationError",
    "new_reference",
    "without_exit",
]

MAX_LINES = 10  # a message longer than this many lines is not read


def new_reference() -> str:
    """Return a reference number of a failure, which people can report and the log has beside its traceback."""
    return secrets.token_hex(4)


class ForeignExitError(RuntimeError):
    """Code of somebody else that would have ended the process around it, such as by ``sys.exit``."""


@contextmanager
def without_exit() -> Iterator[None]:
    """Make an error of whatever somebody else's code raises that is no Exception, but for Ctrl-C."""
    try:
        yield
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise ForeignExitError(f"{type(error).__name__}: {error}") from error


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
        The feature's name, or an unknown name; None if it concerns all features.
    value : object
        What was received.
    row : int or None
        Position of the row, from 0; None for a single row.
    """

    message: str
    feature: str | None = None
    value: Any = None
    row: int | None = None

    def __str__(self) -> str:
        return self.message if self.row is None else f"row {self.row}: {self.message}"

    def labelled(self, label: str) -> str:
        """Return the message with the feature's label instead of its name."""
        name = self.feature or ""
        return label + self.message[len(name) :] if self.message.startswith(name) else self.message


def _lines(items: Sequence[object]) -> str:
    text = "\n".join(f"  {item}" for item in items[:MAX_LINES])
    more = len(items) - MAX_LINES
    return text if more <= 0 else f"{text}\n  … and {more} more"


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

    def __init__(self, subject: str, faults: Sequence[str]):
        self.faults = list(faults)
        super().__init__(f"{subject} needs a correction:\n{_lines(self.faults)}")


class DataError(IrislibError, ValueError):
    """Training data that do not fit the description of the model."""


class UnknownModelError(IrislibError, LookupError):
    """A name or a ``package.module:name`` of which there is no model."""


class UserCodeError(IrislibError):
    """An exception in the user's own code or estimator; it is raised from the original one.

    Attributes
    ----------
    sentence : str
        Type and message of the original exception.
    location : Location or None
        The ``file`` and ``line`` of the user's code; None if it is not known.
    advice : str
        What to do about it; empty if it is not a known error.
    traceback : str
        The frames of the user's code alone; empty if none was running.
    """

    def __init__(self, sentence: str, location: Location | None = None, advice: str = "", traceback: str = ""):
        super().__init__(sentence, location, advice, traceback)
        self.sentence, self.location, self.advice, self.traceback = sentence, location, advice, traceback

    def __str__(self) -> str:
        where = f" ({self.location})" if self.location else ""
        return f"{self.sentence}{where}" + (f"\n{self.advice}" if self.advice else "")

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of the traceback."""
        return [*self.traceback.splitlines(), f"{type(self).__name__}: {self}"]


class NotApplicableError(IrislibError, TypeError):
    """A method or insight that does not apply to a model, such as classes of a regression."""


class StoreError(IrislibError, OSError):
    """A stored model that cannot be written or read."""


class OutsideTrainingDataWarning(UserWarning):
    """A prediction for a row unlike anything the model was trained on."""
