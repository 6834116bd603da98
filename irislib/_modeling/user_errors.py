"""Errors raised by the user's own code or estimator, which point at the user's line."""

from __future__ import annotations

import ast
import linecache
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from irislib._common import user_code
from irislib._common.locks import parse_source
from irislib._common.user_code import Location
from irislib._modeling.advice import Training, give_advice
from irislib.errors import ForeignExitError, IrislibError, UserCodeError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["describe", "explain", "log_error", "log_text", "report", "user_errors"]

MAX_LINES = 5  # of a message, the rest of which is advice by whoever raised it


@contextmanager
def user_errors(
    spec: ModelSpec | None = None, rows: pd.DataFrame | None = None, target: np.ndarray | None = None
) -> Iterator[None]:
    """Raise UserCodeError from whatever the user's code or estimator raises.

    Parameters
    ----------
    spec : ModelSpec, optional
        The model's, whose line is named if none of the user's code was running.
    rows : DataFrame, optional
        What the estimator was given.
    target : ndarray, optional
    """
    try:
        yield
    except (IrislibError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a sys.exit, too
        described = describe(error, None if spec is None else Training(spec, rows, target))
        if described is not None:
            raise described from error
        if isinstance(error, Exception):
            raise
        raise ForeignExitError(user_code.message_of(error)) from error


def describe(error: BaseException, training: Training | None = None) -> UserCodeError | None:
    """Return an error as its sentence, line, advice and traceback, or None if irislib itself is what failed."""
    if isinstance(error, UserCodeError):
        return error
    message = user_code.message_of(error)
    advice = give_advice(message, error, training)
    location = user_code.locate(error)
    if location is None:
        if not advice and (training is None or _is_raised_by_irislib(error)):
            return None
        location = _locate_estimator(training.spec) if training else None
    lines = message.splitlines()
    sentence = lines[0] if advice else "\n".join(lines[:MAX_LINES])
    return UserCodeError(sentence, location, advice, user_code.format_traceback(error))


def explain(error: BaseException, spec: ModelSpec | None = None) -> str:
    """Return an error as its sentence, with the user's line and the advice if there are any."""
    if isinstance(error, IrislibError) and not isinstance(error, UserCodeError):
        location = user_code.locate(error)
        return f"{error} ({location})" if location else str(error)
    return str(describe(error, None if spec is None else Training(spec)) or user_code.message_of(error))


def report(error: Exception) -> str | None:
    """Return an error as a sentence and the user's own traceback, or None if irislib itself is what failed."""
    if isinstance(error, IrislibError) and not isinstance(error, UserCodeError):
        return explain(error)
    described = describe(error)
    return None if described is None else f"{described}\n\n{described.traceback}".rstrip()


def log_text(error: BaseException) -> str:
    """Return what a log says of an exception: the traceback of the user's code alone, or else the whole one."""
    if isinstance(error, UserCodeError):
        return f"{error}\n{error.traceback}"
    if _is_users(error):
        return user_code.format_traceback(error)
    return "".join(traceback.format_exception(error))


def log_error(log: Any, message: str, error: BaseException, extra: dict[str, Any] | None = None) -> None:
    """Log an exception with the traceback of the user's code alone, or with the whole one if irislib failed."""
    if isinstance(error, UserCodeError) or _is_users(error):
        log.error("%s\n%s", message, log_text(error).rstrip(), extra=extra)
    else:
        log.error("%s", message, exc_info=error, extra=extra)


def _is_users(error: BaseException) -> bool:
    """Return True if an exception was raised by the user's code or by what it calls, and is no bug of irislib."""
    is_refusal = isinstance(error, IrislibError)
    return user_code.has_frames(error) and (is_refusal or not _is_raised_by_irislib(error))


def _is_raised_by_irislib(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or user_code.is_users(frames[-1].filename):
        return False
    return os.path.realpath(frames[-1].filename).startswith(user_code.FOLDERS[0])


def _locate_estimator(spec: ModelSpec) -> Location | None:
    """Return the line of a spec's estimator, or that of the spec if the estimator has none of its own."""
    site: Location | None = getattr(spec, "_defined_at", None)
    if site is None:
        return None
    try:
        tree = parse_source("".join(linecache.getlines(site.file)))
    except SyntaxError:
        return site
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno == site.line:
            for keyword in node.keywords:
                if keyword.arg == "estimator":
                    return Location(site.file, keyword.value.lineno)
    return site
