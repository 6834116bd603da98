"""What of a model can be asked for by name: the insights that its app shows, and its endpoint answers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib.insights._long_running import LongRunning

if TYPE_CHECKING:
    from irislib.insights._base import Insight

__all__ = ["InsightEntry", "Option", "insight_entries", "needs_row", "options"]

OFFERED = (int, float, str, tuple)  # kinds of values that can be told in an address
PARAMETER = r"^{} : .*\n((?:[ \t]+.*\n?)+)"  # as numpydoc has it


class Option(NamedTuple):
    """A parameter of an insight that has a default."""

    default: Any
    about: str


@dataclass(frozen=True)
class InsightEntry:
    """One insight of a model.

    Attributes
    ----------
    name : str
        That of its function.
    tab : str
        Where the app shows it.
    function : callable
    needs_row : bool
        Whether it is about one row, or about the model.
    """

    name: str
    tab: str
    function: Callable[..., Insight]
    needs_row: bool

    @property
    def about(self) -> str:
        """The first line of what its function says of itself."""
        return (inspect.getdoc(self.function) or self.name.replace("_", " ")).partition("\n")[0]

    @property
    def options(self) -> dict[str, Option]:
        """What can be said besides the row."""
        return options(self.function)


def needs_row(function: Callable[..., Insight]) -> bool:
    """Whether an insight is about one row: it takes that as well as the model."""
    if isinstance(function, LongRunning):
        return False
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    return len(needed) > 1


def options(function: Callable[..., Insight]) -> dict[str, Option]:
    """The parameters that may be left out, by name, but for those that can only be given by name."""
    if isinstance(function, LongRunning):
        return {}
    doc = inspect.getdoc(function) or ""
    found = {}
    for name, each in inspect.signature(function).parameters.items():
        if each.kind is each.POSITIONAL_OR_KEYWORD and isinstance(each.default, OFFERED):
            told = re.search(PARAMETER.format(re.escape(name)), doc, re.MULTILINE)
            found[name] = Option(each.default, " ".join(told[1].split()) if told else "")
    return found


def insight_entries(tabs: Mapping[str, Any]) -> dict[str, InsightEntry]:
    """The insights of some tabs by their names; a function without a name of its own cannot be asked for.

    Parameters
    ----------
    tabs : mapping of str to sequence of callable
    """
    found: dict[str, InsightEntry] = {}
    for tab, functions in tabs.items():
        for function in functions:
            name = function.name if isinstance(function, LongRunning) else getattr(function, "__name__", "")
            if name.isidentifier():
                found.setdefault(name, InsightEntry(name, tab, function, needs_row(function)))
    return found
