"""Values, numbers, lists and suggestions in messages."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import numbers
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from irislib._common.language import ENGLISH, current_language, iso_date, localize, localize_date
from irislib._common.messages.validation import TEXTS

__all__ = [
    "ANSWER_DIGITS",
    "MAX_WORDS",
    "TO_PROBABILITY",
    "closest_texts",
    "column_decimals",
    "contribution_format",
    "did_you_mean",
    "digits_apart",
    "format_apart",
    "format_count",
    "format_duration",
    "format_plain",
    "format_points",
    "format_score",
    "format_share",
    "format_value",
    "join_words",
    "number_format",
    "readable_name",
    "short_repr",
    "shorten_list",
    "with_points",
    "within_sentence",
]

ANSWER_DIGITS = 3  # significant digits of an answer; from 100 on it is a whole number
MAX_DECIMALS = 6  # of a column of numbers
TINY = 10.0 ** (ANSWER_DIGITS - 1 - MAX_DECIMALS)  # that would lose digits with so many decimals
LEAST_SPREAD = 1e-6  # of the largest number: where they differ by less, they are the same
MAX_WORDS = 10  # of a list in a message
TO_PROBABILITY = "contribution to P("  # how the names of columns begin whose numbers people get in percentage points


def short_repr(value: Any) -> str:
    """Return the repr of a received value, cut to at most 40 characters."""
    try:
        text = repr(value)
    except RecursionError:
        text = f"a {type(value).__name__} of too many levels"
    return text if len(text) <= 40 else text[:39] + "…"


def format_value(value: Any, digits: int = 12) -> str:
    """Format a number or a date for people, a number without a power of ten if there is room."""
    if value.__class__ is float or (isinstance(value, numbers.Real) and not isinstance(value, bool)):
        value = float(value)
        return localize(f"{value:.0f}" if 10 ** (digits - 1) <= abs(value) < 1e15 else f"{value:.{digits}g}")
    return localize_date(value) if isinstance(value, dt.date) else format_plain(value)


def digits_apart(*numbers: float) -> int:
    """Return the significant digits that tell numbers apart in a sentence: at least those of an answer.

    Of 1013.27 and 1013.32 these are six, or both would be 1013.
    """
    largest, spread = max(map(abs, numbers)), max(numbers) - min(numbers)
    if not largest * LEAST_SPREAD < spread < math.inf:
        return ANSWER_DIGITS
    return max(ANSWER_DIGITS, 1 + math.floor(math.log10(largest)) - math.floor(math.log10(spread)))


def format_plain(value: Any) -> str:
    """Format a value as programs and forms write it, a date or a time in ISO format."""
    if isinstance(value, dt.time):
        return value.isoformat("auto" if value.second or value.microsecond else "minutes")
    return iso_date(value) if isinstance(value, dt.date) else str(value)


def format_count(count: int) -> str:
    """Format a whole number, with a sign between thousands."""
    return localize(f"{count:,}")


def format_duration(seconds: float) -> str:
    """Write a time for people: ``40 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def format_share(share: float) -> str:
    """Format a share in percent; one that is neither 0 nor 1 never becomes ``0%`` or ``100%``: ``99.7%``."""
    if 0.995 <= share < 1 or 0 < share <= 0.005:
        return localize(f"{min(max(share, 0.001), 0.999):.1%}")
    return localize(f"{share:.0%}")


def format_points(share: float) -> str:
    """Format a difference of two shares in percentage points, with its sign: ``+31.1``."""
    return localize(f"{100 * share:+.1f}")


def column_decimals(column: Iterable[float]) -> int:
    """Return the decimals that the numbers of a column are written with: as many as an answer of their size has.

    These are three significant digits of the largest number, or of the range where all are nearly the same; shares and
    other numbers up to 1 have three decimals, small ones more.
    """
    known = [float(value) for value in column if abs(value) < math.inf]  # a missing number is not below it either
    largest = max(map(abs, known), default=0.0)
    spread = max(known, default=0.0) - min(known, default=0.0)
    size = spread if spread > largest * LEAST_SPREAD else largest
    decimals = max(0, ANSWER_DIGITS - 1 - math.floor(math.log10(size))) if size else 0
    return min(max(decimals, 3), MAX_DECIMALS) if largest <= 1 else min(decimals, MAX_DECIMALS)


def number_format(column: Iterable[float], sign: str = "") -> Callable[[float], str]:
    """Return the function that formats each number of a column, all with the same decimals; tiny ones with a power."""
    numbers = list(column)
    if 0 < max((abs(value) for value in numbers if abs(value) < math.inf), default=0.0) < TINY:
        return lambda value: localize(f"{value:{sign}.{ANSWER_DIGITS}g}")
    decimals = column_decimals(numbers)
    return lambda value: localize(f"{value:{sign}.{decimals}f}")


def contribution_format(name: str, column: Iterable[float]) -> Callable[[float], str]:
    """Return the function that formats a column of contributions with their signs.

    Those to a probability, by the name of the column, are in percentage points.
    """
    return format_points if name.startswith(TO_PROBABILITY) else number_format(column, "+")


def with_points(name: str) -> str:
    """Return the name of a column with the unit in which people get its numbers, if that is percentage points."""
    return f"{name}, percentage points" if name.startswith(TO_PROBABILITY) else name


def format_score(score: float, digits: int = 3) -> str:
    """Format a score of at most 1; one below 1 never becomes ``1.000``."""
    return localize(f"{min(score, 1 - 10**-digits) if score < 1 else score:.{digits}f}")


def format_apart(share: float, other: float) -> tuple[str, str]:
    """Format two shares in percent, with as many decimals as tell them apart."""
    decimals = next((n for n in range(4) if f"{share:.{n}%}" != f"{other:.{n}%}"), 0)
    return localize(f"{share:.{decimals}%}"), localize(f"{other:.{decimals}%}")


def readable_name(name: str, unit: str = "") -> str:
    """Return the name of a column in plain words, without its unit: ``Petal length`` of ``petal_length_cm``.

    A unit may also be in parentheses or brackets: ``Ozone`` of ``Ozone (ppb)``.
    """
    for end in (f"_{unit}", f"({unit})", f"[{unit}]") if unit else ():
        name = name.removesuffix(end) if name != end else name
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def join_words(items: Sequence[str], last: str = "") -> str:
    """Join texts as in ``a``, ``a and b``, ``a, b and c``."""
    return (last or TEXTS["and"]).join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def within_sentence(label: str) -> str:
    """Return a label as it stands within a sentence: ``petal width``, but ``GDP`` and ``pH value``.

    Other languages than English have nouns with capitals, or the label in quotes.
    """
    if current_language() != ENGLISH:
        return label
    first, *_ = label.split(maxsplit=1) or [""]
    return label[:1].lower() + label[1:] if first[1:].islower() else label


def shorten_list(items: Sequence[str]) -> str:
    """Join texts with commas; a long list ends after its first few with the number of all."""
    if len(items) <= MAX_WORDS + 2:
        return ", ".join(items)
    return TEXTS["list.more"].format(first=", ".join(items[:MAX_WORDS]), count=format_count(len(items)))


def closest_texts(text: str, texts: Sequence[str], cutoff: float = 0.6) -> list[str]:
    """Return the one of some texts that is most like a text, or nothing: the same number, else the same letters."""
    text = text.strip()[:100]

    def same(form: Callable[[str], str]) -> list[str]:
        return [other for other in texts if form(other) == form(text)]

    return (same(str.casefold) or same(_bare) or difflib.get_close_matches(text, texts, n=1, cutoff=cutoff))[:1]


def _bare(text: str) -> str:
    """Return text without accents, spaces, signs and leading zeros, which are what is forgotten first."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filter(str.isalnum, letters)).lstrip("0") or text


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return ``Did you mean 'x'?`` for a similar name, or the list of names, which is cut if it is long."""
    if close := closest_texts(str(name), names):
        return TEXTS["rows.near"].format(name=close[0])
    return TEXTS["rows.known"].format(names=shorten_list(names))
