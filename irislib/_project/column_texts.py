"""Texts in a column: those that stand for missing values, and numbers that are written with other signs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from irislib._description.number_text import readings, simplify_number
from irislib._description.values import means_missing
from irislib._project.column_dates import find_dates
from irislib._project.table_code import literal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NumberTexts", "find_numbers", "gap_markers", "is_gap", "is_rest_numeric", "known_to_pandas"]

# In columns of words as well as of numbers; in any case.
MORE_GAPS = {
    "keine angabe",
    "k. a.",
    "k.a",
    "n. a.",
    "#n/v",
    "#nv",
    "not available",
    "no data",
    "missing",
    "fehlt",
    "n.v.",
}
MORE_GAPS |= {"not applicable", "non disponible", "nd", "sin datos", "#value!", "#ref!", "#div/0!", "#name?", "#wert!"}
WORDS = {
    "none",
    "nil",
    "missing",
    "fehlt",
    "nd",
    "not applicable",
}  # which may be a category; among numbers they are not
LONGEST_GAP = 20  # characters
LONGEST_LINE = 64  # of the Python for a column
SAMPLE = 200  # different values, which say what is worth to be tried on all
_SPACE = "[ \xa0\u2007-\u200a\u202f]"
_CURRENCY = r"[$€£¥₹₽₩₺]|EUR|USD|GBP|CHF|JPY|SEK|NOK|DKK|PLN|CZK|Fr\.|kr\.?|zł|R\$"
_UNIT = (
    rf"%|‰|°C?|{_CURRENCY}|Euro|mm|cm|km|m|mg|kg|g|t|ml|l|h|min|s|ms|kWh|kW|W|V|Hz|kHz|MHz|hPa|m²|m2|m³|m3|km/h|"
    "years?|Jahre?"
)
_DIGITS = r"[\d.,](?:[\d.,'’ \xa0\u2007-\u200a\u202f]*\d)?"
_AFFIXED = re.compile(rf"\(?[+-]?(?P<before>{_CURRENCY})?{_SPACE}?[+-]?{_DIGITS}{_SPACE}?(?P<after>{_UNIT})?\)?")
_CODE = re.compile(r"0\d+$|\d{16,}")  # zeros before it, or more digits than a number has, say that it is none
_MINUSES = "\u2010\u2011\u2012\u2013\u2212"
_PLAIN = str.maketrans(dict.fromkeys(_MINUSES, "-"))
PATTERNS = {
    ".": r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:[eE][+-]?\d+)?",
    ",": r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?(?:[eE][+-]?\d+)?",
}


def known_to_pandas() -> set[str]:
    """Return the texts that pandas takes for missing values by itself."""
    from pandas._libs.parsers import STR_NA_VALUES

    return set(STR_NA_VALUES)


def gap_markers(values: Iterable[str], is_rest_numeric: Callable[[list[str]], bool]) -> list[str]:
    """Return the texts among the different ones of a column that stand for missing values.

    Words such as *none* stand for them only if all others are numbers or days, and a dash not beside a plus.
    """
    values = list(values)
    short = [value for value in values if len(value) <= LONGEST_GAP and not value[-1:].isdigit()]  # none ends in one
    markers = [value for value in short if is_gap(value)]
    if not markers or (len(markers) == len(values) == 1 and markers[0].strip().casefold() in WORDS):
        return []
    gaps = set(markers)
    rest = [value for value in values if value not in gaps]
    if "+" in rest:
        markers = [value for value in markers if value.strip() not in {"-", *_MINUSES}]
    if any(value.strip().casefold() in WORDS for value in markers) and not is_rest_numeric(rest):
        markers = [value for value in markers if value.strip().casefold() not in WORDS]
    return markers


def is_gap(text: str) -> bool:
    """Return whether a text may stand for a missing value."""
    return means_missing(text) or not text.strip() or text.strip().casefold() in MORE_GAPS


@dataclass(frozen=True)
class NumberTexts:
    """The notation of the numbers in a column of text.

    Attributes
    ----------
    steps : tuple of str
        Calls that follow the column in Python, such as ``.str.replace(",", ".")``.
    is_percent : bool
    is_either : bool
        True if each value that has signs could be another number with the other decimal sign.
    """

    steps: tuple[str, ...]
    is_percent: bool = False
    is_either: bool = False

    def meaning(self, text: str) -> str:
        """Return a text as it is read."""
        import pandas as pd

        return str(evaluate(pd.Series([text]), self.steps)[0])

    def source(self, column: str) -> str:
        """Return the Python that makes numbers of a column, which is given as Python."""
        line = f"pd.to_numeric({column}{''.join(self.steps)})"
        if len(line) <= LONGEST_LINE:
            return line
        return "\n    ".join(["pd.to_numeric(", column, *self.steps]) + "\n)"


def find_numbers(texts: pd.Series, default: str) -> NumberTexts | None:
    """Return how the different texts of a column are numbers; None if some are none.

    Parameters
    ----------
    texts : Series of str
    default : str
        The decimal sign of numbers that may have either, a point or a comma.
    """
    sample = texts.iloc[:SAMPLE].str.strip().tolist()
    matches = [_AFFIXED.fullmatch(text.translate(_PLAIN)) for text in sample]
    if not sample or not all(matches):
        return None
    if any(_CODE.match(text) for text in sample) or not all(looks_numeric(text.strip("()")) for text in sample):
        return None
    steps = [f'.str.replace({literal(affix)}, "")' for affix in _affixes(matches)]
    joined = "\n".join(texts)
    steps += [f'.str.replace({literal(sign)}, "-")' for sign in _MINUSES if sign in joined]
    if "(" in joined:
        steps += ['.str.replace("(", "-").str.replace(")", "")']
    steps += [f'.str.replace({literal(sign)}, "")' for sign in "'’" if sign in joined]
    if steps or re.search(_SPACE, joined):
        steps += ['.str.replace(r"\\s", "", regex=True)'] if re.search(r"[^\S\n]", joined) else []
    plain = evaluate(texts, steps)
    signs = [sign for sign in (default, *{".", ","} - {default}) if _all_match(plain, PATTERNS[sign])]
    if not signs:
        return None
    sign, group = signs[0], "," if signs[0] == "." else "."
    written = "\n".join(plain)
    if group in written:
        steps.append(f'.str.replace("{group}", "")')
    if sign == "," and sign in written:
        steps.append('.str.replace(",", ".")')
    if not _are_numbers(evaluate(texts, steps)):
        return None
    is_either = len(signs) == 2 and ("," in written or group in written)
    return NumberTexts(tuple(steps), "%" in joined, is_either)


def _affixes(matches: list[Any]) -> list[str]:
    """Return the signs before and after numbers, the longest first."""
    affixes = {part for match in matches for part in (match["before"], match["after"]) if part}
    return sorted(affixes, key=len, reverse=True)


def evaluate(texts: pd.Series, steps: Iterable[str]) -> pd.Series:
    """Return what steps make of texts."""
    return eval(f"texts{''.join(steps)}", {"texts": texts})  # noqa: S307 - what was written above


def _all_match(texts: pd.Series, pattern: str) -> bool:
    return bool(texts.str.fullmatch(pattern).all()) and bool(texts.str.contains(r"\d").all())


def _are_numbers(texts: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.to_numeric(texts, errors="coerce").notna().all())


def looks_numeric(text: str) -> bool:
    """Return whether a text is a number with or without a unit."""
    match = _AFFIXED.fullmatch(text.strip().translate(_PLAIN))
    if match is None:
        return False
    return bool(readings(simplify_number(text, match["before"] or "", match["after"] or "")))


def is_rest_numeric(values: list[str]) -> bool:
    """Return whether the first texts are all numbers, or all days."""
    import pandas as pd

    sample = [value for value in values[:SAMPLE] if value.strip()]
    if not sample:
        return False
    return all(map(looks_numeric, sample)) or find_dates(pd.Series(sample), True) is not None
