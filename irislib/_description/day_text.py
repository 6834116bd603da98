"""Days as people write them: with points, slashes or the names of months, with or without a time."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re

__all__ = ["day_formats", "is_day_first", "iso_day", "readings", "swapped"]

# By the shape of a text, in which 9 stands for digits and a for letters.
FORMATS = {
    "9-9-9": ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y"),
    "9.9.9": ("%d.%m.%Y", "%d.%m.%y", "%Y.%m.%d"),
    "9/9/9": ("%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y"),
    "9 a 9": ("%d %b %Y", "%d %B %Y", "%d %b %y"),
    "9-a-9": ("%d-%b-%Y", "%d-%b-%y", "%d-%B-%Y"),
    "9. a 9": ("%d. %B %Y", "%d. %b %Y"),
    "a 9, 9": ("%b %d, %Y", "%B %d, %Y"),
    "a 9 9": ("%b %d %Y", "%B %d %Y"),
    "a, a 9, 9": ("%A, %B %d, %Y", "%a, %b %d, %Y"),
}
TIMES = {
    "9:9": "%H:%M",
    "9:9:9": "%H:%M:%S",
    "9:9:9.9": "%H:%M:%S.%f",
    "9:9 a": "%I:%M %p",
    "9:9:9 a": "%I:%M:%S %p",
    "9:9a": "%I:%M%p",
}
LONGEST = 60  # characters: longer text is no day, and takes no time
CACHED = 50_000  # different texts


def day_formats(text: str) -> list[str]:
    """Return the formats of days, with or without a time, that a text may have by its shape."""
    if len(text) > LONGEST:
        return []
    shape = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text))
    formats = list(FORMATS.get(shape, ()))
    for (day, days), (time, end), between in itertools.product(FORMATS.items(), TIMES.items(), (" ", ", ", "a")):
        if shape == day + between + time:
            formats += [f"{start}{'T' if between == 'a' else between}{end}" for start in days]
    return formats


def swapped(format: str) -> str:
    """Return a format with day and month in each other's place."""
    return format.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")


def is_day_first(format: str) -> bool:
    """Return whether the number of the day comes before that of the month."""
    return "%d" in format.partition("%m")[0]


def iso_day(text: str) -> str:
    """Return a day that is written as 2026-01-31, maybe with a time, or nothing."""
    try:
        return dt.datetime.fromisoformat(text.strip()).date().isoformat()
    except ValueError:
        return ""


def readings(text: str, formats: tuple[str, ...]) -> tuple[str, ...]:
    """Return the different days, as 2026-01-31, that a text means in some formats."""
    return _readings(text.strip(), formats) if len(text) <= LONGEST else ()


@functools.lru_cache(maxsize=CACHED)
def _readings(text: str, formats: tuple[str, ...]) -> tuple[str, ...]:
    days: dict[str, None] = {}
    for form in formats:
        try:
            days[dt.datetime.strptime(text, form).date().isoformat()] = None
        except ValueError:
            continue
    return tuple(days)
