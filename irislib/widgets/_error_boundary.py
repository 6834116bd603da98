"""The one place that handles failing callbacks."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from irislib._common.messages import TEXTS, validation
from irislib.errors import new_reference

__all__ = ["guarded"]


@contextmanager
def guarded(show_error: Callable[[str], None], secrets_of: Callable[[], Iterable[str]] = tuple) -> Iterator[None]:
    """Turn any failure into one plain sentence for the page and a traceback for the log.

    The texts that ``secrets_of`` returns are masked in the log, for an exception may quote them.

    Both carry the same reference. Without it ipywidgets writes the traceback into the page, even
    where Voila hides tracebacks of cells (https://github.com/voila-dashboards/voila/issues/604).
    """
    try:
        yield
    except Exception:
        reference = new_reference()
        log = sys.__stderr__  # the server's log; sys.stderr of a kernel is the visitor's page
        if log is not None:
            text = traceback.format_exc()
            for secret in filter(None, secrets_of()):
                text = text.replace(secret, validation.TEXTS["password.entered"])
            print(f"reference {reference}:", text, sep="\n", file=log, flush=True)
        show_error(TEXTS["callback_failed"].format(reference=reference))
