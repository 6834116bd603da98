"""The registry of a model's insights by name, which its app shows and its endpoint returns."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._common.messages.insights import TEXTS
from irislib.insights._long_running import LongRunning

if TYPE_CHECKING:
    from irislib.insights._base import Insight

__all__ = ["InsightEntry", "Option", "choices", "function_options", "insight_entries", "insight_title", "needs_row"]

PLAIN = (bool, int, float, str, tuple)  # types of values that an address can hold
PARAMETER = r"^{} : .*\n((?:[ \t]+.*\n?)+)"  # as numpydoc has it


class Option(NamedTuple):
    """A parameter of an insight that has a default.

    Attributes
    ----------
    default : bool, int, float, str or tuple
        As JSON has it; of an enum the value of its member.
    description : str
    enum : type of Enum, optional
        The enum whose members may be passed.
    """

    default: Any
    description: str
    enum: type[enum.Enum] | None = None


@dataclass(frozen=True)
class InsightEntry:
    """One insight of a model.

    Attributes
    ----------
    name : str
        That of its function.
    tab : str
        The title of the tab where the app shows it.
    function : callable
    needs_row : bool
        True if it is about one row, False if it is about the model.
    """

    name: str
    tab: str
    function: Callable[..., Insight]
    needs_row: bool

    @property
    def about(self) -> str:
        """The first line of its function's docstring."""
        return (inspect.getdoc(self.function) or self.name.replace("_", " ")).partition("\n")[0]

    @property
    def options(self) -> dict[str, Option]:
        """The options besides the row, by name."""
        return function_options(self.function)


def needs_row(function: Callable[..., Insight]) -> bool:
    """Return True if an insight takes a row as well as the model."""
    if isinstance(function, LongRunning):
        return False
    return len([p for p in _parameters(function).values() if p.default is p.empty]) > 1


def insight_title(function: Callable[..., Insight]) -> str:
    """Return the title of an insight before it is computed; of one of a model's own, its name in words."""
    if isinstance(function, LongRunning):
        return function.title
    name = str(getattr(function, "__name__", ""))
    title = name.replace("_", " ").strip(" <>")
    return TEXTS.get(f"{name}.title", title[:1].upper() + title[1:])


def _parameters(function: Callable[..., Insight]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # of some functions written in C there is none
        return {}


def function_options(function: Callable[..., Insight]) -> dict[str, Option]:
    """Return the optional parameters of a function, by name, except those that are keyword-only."""
    if isinstance(function, LongRunning):
        return {}
    doc = inspect.getdoc(function) or ""
    result = {}
    for name, parameter in _parameters(function).items():
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is parameter.empty:
            continue
        choices = type(parameter.default) if isinstance(parameter.default, enum.Enum) else None
        default = _to_json_value(parameter.default)
        if isinstance(default, PLAIN):
            match = re.search(PARAMETER.format(re.escape(name)), doc, re.MULTILINE)
            result[name] = Option(default, " ".join(match[1].split()) if match else "", choices)
    return result


def _to_json_value(value: Any) -> Any:
    """Convert an enum's member or a NumPy scalar to what JSON has for it."""
    import numpy as np

    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, np.generic):
        value = value.item()
    plain = next((kind for kind in PLAIN if isinstance(value, kind)), None)
    return value if plain is None or type(value) is plain else plain(value)


def choices(option: Option) -> list[Any]:
    """Return the values that an enum's option can have, as JSON has them; none for any other."""
    return [_to_json_value(member) for member in option.enum or ()]


def insight_entries(tabs: Iterable[tuple[str, Iterable[Any]]]) -> dict[str, InsightEntry]:
    """Return the insights of some tabs by name; a function without a name of its own has no entry.

    Parameters
    ----------
    tabs : iterable of (str, iterable of callable)
        Titles, which need not differ, and functions.
    """
    entries: dict[str, InsightEntry] = {}
    for tab, functions in tabs:
        for function in functions:
            name = function.name if isinstance(function, LongRunning) else str(getattr(function, "__name__", ""))
            if name.isidentifier():
                entries.setdefault(name, InsightEntry(name, tab, function, needs_row(function)))
    return entries
