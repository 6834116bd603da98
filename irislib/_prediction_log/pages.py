"""The entries of a visitor's kernel in the prediction log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from irislib._common import json_lines
from irislib._prediction_log.files import LogFolder
from irislib._prediction_log.options import LogOptions
from irislib._prediction_log.records import ModelRecords, lines_of, record_line

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["PageLog", "append", "is_logging", "write_feedback"]

ROUTE = "page"


def is_logging() -> bool:
    """Return True if the predictions of this process's pages are written to a log."""
    return bool(LogOptions.from_environment().folder)


class PageLog:
    """The predictions of a page, written at once: its kernel may be killed at any moment.

    Nothing that happens to the log reaches the visitor.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model):
        self.model = model
        self.has_failed = False

    def add(self, prediction: Prediction) -> str:
        """Write a prediction down, and return the id by which feedback may refer to it; empty if it is not there."""
        options = LogOptions.from_environment()
        if not options.folder:
            return ""
        request_id = secrets.token_hex(8)
        shares = None if prediction.probabilities is None else [*prediction.probabilities.values()]
        values = [*prediction.values.values()]
        entry = ModelRecords(self.model).entry(ROUTE, request_id, values, prediction.prediction, shares)
        try:
            append(options, lines_of([entry])[0])
        except Exception as error:
            if not self.has_failed:
                self.has_failed = True
                json_lines.report(f"Predictions of {self.model.spec.name} are not in the prediction log: {error}")
            return ""
        return request_id


def write_feedback(record: Mapping[str, Any]) -> None:
    """Write a report about an answer of a page to the log, too, if there is one and it can be written.

    Parameters
    ----------
    record : mapping
        From :func:`irislib._modeling.feedback.make_record`.
    """
    options = LogOptions.from_environment()
    if options.folder:
        with suppress(OSError):
            append(options, record_line(record))


def append(options: LogOptions, lines: bytes) -> None:
    """Append lines to the log, and leave the file to others.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    folder = LogFolder(options)
    try:
        folder.append(lines)
    finally:
        folder.close()
