"""The Python that reads a table: a call of pandas, and lines that change what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from irislib._project.python_text import WIDTH as LINE_WIDTH
from irislib._project.python_text import quoted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["TableCode", "literal", "run_lines"]

WIDTH = LINE_WIDTH - len("    data = ")  # of a line in `load_data`


@dataclass
class TableCode:
    """The Python that reads a table.

    Attributes
    ----------
    function : str
        Of pandas, such as ``read_csv``.
    arguments : dict of str to object
        Of the call, after the file.
    method : str
        A call of the frame that follows it, such as ``.add_prefix("column_")``.
    lines : list of str
        Statements that change the frame ``data``.
    notes : list of str
        What was seen and done, one sentence each.
    """

    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    method: str = ""
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def source(self) -> str:
        """Return an expression, and the statements that change ``data``, which it becomes."""
        return "\n".join([self._call(WIDTH), *self.lines])

    def read(self, path: Path) -> pd.DataFrame:
        """Return the table as the call alone reads it."""
        return run_lines([f"data = {self._call(WIDTH)}"], {"DATA": path})

    def apply(self, data: pd.DataFrame, lines: list[str]) -> pd.DataFrame:
        """Add lines to the code, and return what they make of a table."""
        self.lines += lines
        return run_lines(lines, {"data": data})

    def _call(self, width: int) -> str:
        named = [f"{name}={literal(value)}" for name, value in self.arguments.items()]
        start, end = f"pd.{self.function}(", f"){self.method}"
        line = start + ", ".join(["DATA", *named]) + end
        if len(line) <= width:
            return line
        return "\n    ".join([start, *(f"{argument}," for argument in ["DATA", *named])]) + f"\n{end}"


def run_lines(lines: Sequence[str], names: dict[str, Any]) -> pd.DataFrame:
    """Run lines as they are written into `load_data`, and return the table."""
    import pandas as pd

    names["pd"] = pd
    exec("\n".join(lines), names)  # noqa: S102 - what was written above
    return names["data"]


def as_loaded(lines: Sequence[str], frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as lines of `load_data` make it."""
    return run_lines(lines, {"data": frame.copy()}).reset_index(drop=True)


def literal(value: Any) -> str:
    """Return the Python of a plain value."""
    if isinstance(value, Source):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    return repr(value)


class Source(str):
    """Text that is Python already, such as the name of a type."""

    __slots__ = ()
