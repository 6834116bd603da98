"""The one place that handles failing callbacks and insights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from irislib._common import json_lines, tracing
from irislib._common.messages import TEXTS, validation
from irislib._modeling import registry
from irislib._modeling.user_errors import explain, log_text
from irislib.errors import new_reference

__all__ = ["guarded"]

_secrets_of: ContextVar[Callable[[], Iterable[str]]] = ContextVar("secrets_of", default=tuple)


@contextmanager
def guarded(show_error: Callable[[str], None], secrets_of: Callable[[], Iterable[str]] | None = None) -> Iterator[None]:
    """Turn any failure into one plain sentence for the page and a traceback for the log.

    In Jupyter, where authors try their apps, the sentence is the error with the line of their code.
    The texts that ``secrets_of`` returns are masked in the log, for an exception may quote them; also within, where a
    part of the work has a boundary of its own.

    Both carry the same reference. Without it ipywidgets writes the traceback into the page, even
    where Voila hides tracebacks of cells (https://github.com/voila-dashboards/voila/issues/604).
    """
    secrets_of = secrets_of or _secrets_of.get()
    token = _secrets_of.set(secrets_of)
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a sys.exit in somebody's function, too
        reference = new_reference()
        text = _masked(log_text(error), secrets_of)
        json_lines.report(f"reference {reference}:", error=text, reference=reference)
        _count()
        tracing.fail(error)
        key = "callback_failed_in_jupyter" if _is_in_jupyter() else "callback_failed"
        show_error(TEXTS[key].format(reference=reference, error=_masked(explain(error), secrets_of)))
    finally:
        _secrets_of.reset(token)


def _count() -> None:
    """Let the server of this page count the failure."""
    if folder := os.environ.get(registry.SESSION):
        with suppress(OSError), open(os.path.join(folder, ".failures"), "ab") as file:
            file.write(b".")


def _masked(text: str, secrets_of: Callable[[], Iterable[str]]) -> str:
    for secret in filter(None, secrets_of()):
        text = text.replace(secret, validation.TEXTS["password.entered"])
    return text


def _is_in_jupyter() -> bool:
    """Return True if Jupyter displays this kernel's notebook to its author, and not Voila or our server a page."""
    software = os.environ.get("SERVER_SOFTWARE", "")
    is_page = registry.SESSION in os.environ or software.startswith("voila")
    return "JPY_SESSION_NAME" in os.environ and not is_page
