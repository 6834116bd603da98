"""The progress of a refresh on the command line: a bar in a terminal, a line for each stage in a log."""

from __future__ import annotations

import shutil
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from irislib._refresh.runs import Run

__all__ = ["ProgressLine"]

CELLS = 20
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
        if self.is_terminal:
            filled = int(run.fraction * CELLS)
            bar = "█" * filled + "░" * (CELLS - filled)
            line = f"{bar} {run.fraction:4.0%} {run.text}"
            self._write(CLEAR + line[: shutil.get_terminal_size().columns - 1])
        elif run.text != self.text:
            self._write(f"{run.text}\n")
        self.text = run.text

    def write(self, sentence: str) -> None:
        """Write a sentence on a line of its own."""
        self._write(f"{CLEAR if self.is_terminal else ''}{sentence}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
