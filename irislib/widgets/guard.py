"""The one place where a callback that fails ends up."""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from irislib.texts import TEXTS

__all__ = ["guarded"]


@contextmanager
def guarded(say: Callable[[str], None]) -> Iterator[None]:
    """Turn any failure into one plain sentence for the page and a traceback for the log.

    Both carry the same reference. Without it ipywidgets writes the traceback into the page, even
    where Voila hides tracebacks of cells (https://github.com/voila-dashboards/voila/issues/604).
    """
    try:
        yield
    except Exception:
        reference = secrets.token_hex(4)
        log = sys.__stderr__  # the server's log; sys.stderr of a kernel is the visitor's page
        if log is not None:
            print(f"reference {reference}:", traceback.format_exc(), sep="\n", file=log, flush=True)
        say(TEXTS["callback_failed"].format(reference=reference))
