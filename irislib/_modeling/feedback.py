"""Reports of visitors about answers that look wrong: one line of JSON each, in a file of bounded size."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._common.messages import TEXTS
from irislib._common.settings import setting_value
from irislib._description.class_names import class_matcher
from irislib._description.feature import Feature
from irislib._description.values import to_json

if TYPE_CHECKING:
    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = ["MAX_NOTE", "FullError", "append_record", "make_record", "parse_right_answer", "store_feedback"]

MAX_NOTE = 2000  # characters

Destination = Path | Callable[[dict[str, Any]], Any]


class FullError(Exception):
    """A file that has no room for another record."""


def make_record(
    model: Model, inputs: Mapping[str, Any], prediction: Prediction, right_answer: Any, note: str
) -> dict[str, Any]:
    """Return a report as plain data, without inputs that are not to be logged.

    Parameters
    ----------
    model : Model
    inputs : mapping of str to Any
        The parsed values by the features' names.
    prediction : Prediction
    right_answer : Any
        A class or a number; None if the visitor does not know it.
    note : str
    """
    public = {feature.name for feature in model.spec.features if feature.is_logged}
    record = {
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "model": model.spec.name,
        "version": model.version,
        "inputs": {name: to_json(value) for name, value in inputs.items() if name in public and value is not None},
        "prediction": to_json(prediction.prediction),
        "right_answer": None if right_answer is None else to_json(right_answer),
        "note": note,
    }
    # half a character, which a visitor's script may send, would make the file unreadable
    clean = json.dumps(record, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    return json.loads(clean)  # type: ignore[no-any-return]


def parse_right_answer(model: Model, value: Any) -> Any:
    """Return a class or a number.

    Raises
    ------
    ValueError
        The message completes a sentence that begins with what the answer is called.
    """
    if model.classes is None:
        return Feature("right_answer").parse(value)
    try:
        return class_matcher(model.classes)(value)
    except KeyError:
        raise ValueError(TEXTS["feedback_no_class"]) from None


def store_feedback(destination: Destination, record: dict[str, Any]) -> None:
    """Append a record to a file, or call a function of the author's with it.

    Raises
    ------
    FullError
        If the file has no room for it.
    OSError
        If the file cannot be written.
    """
    if callable(destination):
        destination(record)
        return
    append_record(destination, record, setting_value("max_feedback_bytes"))


def append_record(path: Path, record: Mapping[str, Any], limit: int) -> None:
    """Append a line of JSON to a file, whole or not at all, whatever other processes append meanwhile.

    Parameters
    ----------
    path : Path
    record : mapping
    limit : int
        The most bytes of the file.

    Raises
    ------
    FullError
        If the file would become larger.
    OSError
        If it cannot be written; the lines before stay as they are.
    """
    line = json.dumps(record).encode() + b"\n"
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
    file = os.open(path, flags, 0o600)
    try:
        with _locked(file):
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", str(path))
            if status.st_size + len(line) > limit:
                raise FullError(f"{path} has {status.st_size:,} of at most {limit:,} bytes.")
            _write_whole(file, line, status.st_size)
    finally:
        os.close(file)


def _write_whole(file: int, line: bytes, size: int) -> None:
    """Append a line to a file of a size; remove what a full disk takes only a part of."""
    try:
        if os.write(file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.ftruncate(file, size)
        raise


@contextmanager
def _locked(file: int) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)  # ends when the file is closed
    yield
