"""The Python that reads a table: a call of pandas, and lines that change what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["TableCode", "literal"]

WIDTH = 88 - len("    return ")  # of a line in `load_data`


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
        """Return an expression, or statements with the name ``data`` in the last line."""
        if not self.lines:
            return self._call(WIDTH)
        return "\n".join([f"data = {self._call(WIDTH - len('data = '))}", *self.lines, "data"])

    def read(self, path: Path) -> pd.DataFrame:
        """Return the table as the call alone reads it."""
        return run(self._call(10_000), path)

    def apply(self, data: pd.DataFrame, lines: list[str]) -> pd.DataFrame:
        """Add lines to the code, and return what they make of a table."""
        self.lines += lines
        return run("\n".join([*lines, "data"]), None, data)

    def _call(self, width: int) -> str:
        named = [f"{name}={literal(value)}" for name, value in self.arguments.items()]
        start, end = f"pd.{self.function}(", f"){self.method}"
        line = start + ", ".join(["DATA", *named]) + end
        if len(line) <= width:
            return line
        return "\n    ".join([start, *(f"{argument}," for argument in ["DATA", *named])]) + f"\n{end}"


def run(source: str, path: Path | None, data: pd.DataFrame | None = None) -> Any:
    """Run code as it is written into `load_data`, and return the value of its last line."""
    import pandas as pd

    names: dict[str, Any] = {"pd": pd, "DATA": path, "data": data}
    *statements, last = source.rsplit("\n", 1) if "\ndata" in source else [source]
    for code in statements:
        exec(code, names)  # noqa: S102 - what was written above
    return eval(last, names)  # noqa: S307


def literal(value: Any) -> str:
    """Return the Python of a plain value, text in double quotes."""
    if isinstance(value, Source):
        return str(value)
    if isinstance(value, str):
        text = repr(value)
        return text if text[0] == '"' or '"' in value else f'"{text[1:-1]}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    return repr(value)


class Source(str):
    """Text that is Python already, such as the name of a type."""

    __slots__ = ()
