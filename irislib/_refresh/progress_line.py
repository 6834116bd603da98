"""The progress of a training on the command line: a bar in a terminal, a line for each stage of a refresh in a log."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from irislib._common.formatting import format_duration
from irislib._common.messages.store import TEXTS
from irislib._refresh.training_progress import TrainingProgress, reported_training

if TYPE_CHECKING:
    from irislib._refresh.runs import Run

__all__ = ["ProgressLine", "shown_training"]

CELLS = 20
LOG_SECONDS = 10.0  # between two lines of a log
CLEAR = "\r\x1b[K"  # to the beginning of the line, and all that stands there is gone


class ProgressLine:
    """The current stage and its progress, on one line of a terminal; elsewhere each stage has a line.

    Parameters
    ----------
    stream : file
    """

    def __init__(self, stream: TextIO):
        self.stream, self.is_terminal = stream, stream.isatty()
        self.text, self.remarks = "", 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.is_terminal:
            self._write(CLEAR)

    def show(self, run: Run) -> None:
        """Show how far a run is, and what it has to remark."""
        for remark in run.remarks[self.remarks :]:
            self.write(remark)
        self.remarks = len(run.remarks)
        self.update(run.text, run.fraction)

    def update(self, text: str, fraction: float | None = None) -> None:
        """Show a text; in a terminal after a bar, if it is known what part is done."""
        if self.is_terminal:
            filled = int((fraction or 0) * CELLS)
            bar = "" if fraction is None else f"{'█' * filled}{'░' * (CELLS - filled)} {fraction:4.0%} "
            self._write(CLEAR + f"{bar}{text}"[: shutil.get_terminal_size().columns - 1])
        elif text != self.text:
            self._write(f"{text}\n")
        self.text = text

    def write(self, sentence: str) -> None:
        """Write a sentence on a line of its own."""
        self._write(f"{CLEAR if self.is_terminal else ''}{sentence}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


@contextmanager
def shown_training(stream: TextIO, title: str, in_log: bool = False) -> Iterator[None]:
    """Show in a terminal that a model is trained, with a bar once its estimator works in parts.

    Parameters
    ----------
    stream : file
    title : str
        Of the model.
    in_log : bool
        Write a line now and then where there is no terminal, instead of nothing.
    """
    if not (in_log or stream.isatty()):
        yield
        return
    with ProgressLine(stream) as line:
        shown_at = time.monotonic()

        def show(progress: TrainingProgress) -> None:
            nonlocal shown_at
            if not line.is_terminal and time.monotonic() - shown_at < LOG_SECONDS:
                return
            shown_at = time.monotonic()
            line.update(describe(title, progress), progress.fraction)

        line.update(TEXTS["training_shown"].format(title=title))
        with reported_training(show):
            yield


def describe(title: str, progress: TrainingProgress) -> str:
    """Return the progress of a training as text."""
    step = TEXTS["training_step"].format(step=progress.step) if progress.step > 1 else ""
    facts = {"title": title, "done": progress.done, "total": progress.total, "step": step}
    if 0 < progress.done < progress.total:
        seconds = format_duration(progress.seconds_left)
        return TEXTS["training_left"].format(**facts, left=seconds)
    return TEXTS["training_fits"].format(**facts)
