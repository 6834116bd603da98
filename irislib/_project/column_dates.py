"""Days in a column of text: the format that all of them have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irislib._description.day_text import day_formats, is_day_first, swapped

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DateTexts", "find_dates"]

SAMPLE = 100  # different values, on which formats are tried first
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?")
_ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")


@dataclass(frozen=True)
class DateTexts:
    """The format of the days in a column of text.

    Attributes
    ----------
    format : str
        As `pandas.to_datetime` takes it.
    other : str
        Another format that fits all values as well; empty if there is none.
    is_utc : bool
        True if the values have a time zone.
    """

    format: str
    other: str = ""
    is_utc: bool = False

    def source(self, column: str) -> str:
        """Return the Python that makes days of a column, which is given as Python."""
        zone = ", utc=True" if self.is_utc else ""
        return f'pd.to_datetime({column}, format="{self.format}"{zone})' + (".dt.tz_localize(None)" if zone else "")


def find_dates(texts: pd.Series, prefers_day: bool) -> DateTexts | None:
    """Return how the different texts of a column are days; None if some are none.

    Parameters
    ----------
    texts : Series of str
    prefers_day : bool
        Read ``01/02/2025`` as the first of February where all values may be read in either way.
    """
    sample = texts.iloc[:SAMPLE]
    if all(map(_ISO.fullmatch, sample)):
        is_utc = any(_ZONE.search(text[16:]) for text in sample)
        plan = DateTexts("ISO8601", is_utc=is_utc)
        return plan if _fits(texts, "ISO8601", is_utc) else None
    candidates = {tuple(day_formats(text)) for text in sample}
    if len(candidates) != 1:
        return None
    fitting = [form for form in candidates.pop() if _fits(sample, form) and _fits(texts, form)]
    if not fitting:
        return None
    first = fitting[0]
    twin = next((form for form in fitting[1:] if swapped(form) == first), "")
    if twin and prefers_day != is_day_first(first):
        first, twin = twin, first
    return DateTexts(first, twin)


def _fits(texts: pd.Series, format: str, is_utc: bool = False) -> bool:
    import pandas as pd

    try:
        days = pd.to_datetime(texts, format=format, errors="coerce", utc=is_utc)
    except ValueError:  # several time zones
        return False
    if days.isna().any():
        return False
    return "%y" in format or bool(days.dt.year.between(1000, 2999).all())
