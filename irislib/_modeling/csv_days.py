"""The days of a CSV file: how those of a column are written, decided once from all of its values.

``01/02/2026`` is the first of February where another day of the column shows that days come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from irislib._common.messages.validation import TEXTS
from irislib._description.day_text import day_formats, is_day_first, iso_day, readings, swapped
from irislib._description.text_columns import DistinctTexts
from irislib._description.values import means_missing
from irislib._modeling.csv_lines import Part, column_texts

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib.errors import Problem

__all__ = ["DayScans", "explain_days", "to_iso"]

UNSURE = ("%d-%m-%y", "%m-%d-%y")  # 10-11-12 may begin with its year


class DayScans:
    """The way in which the days of a file's columns are written, by their values.

    Parameters
    ----------
    columns : dict of str to int
        The indices of the features' columns.
    features : sequence of Feature
    """

    def __init__(self, columns: Mapping[str, int], features: Sequence[Feature]):
        self.scans = [_Scan(f.name, columns[f.name]) for f in features if f.kind == "date" and f.name in columns]

    @property
    def need_more(self) -> bool:
        """True if further rows may show more."""
        return any(scan.needs_more for scan in self.scans)

    def add(self, part: Part) -> None:
        """Take the next rows."""
        scans = [scan for scan in self.scans if scan.needs_more]
        texts = column_texts(part, [scan.index for scan in scans])
        for scan in scans:
            scan.add(dict.fromkeys(texts[scan.index]))

    def watch(self, parts: Iterable[Part]) -> Iterator[Part]:
        """Yield the parts of a file after they were added."""
        for part in parts:
            self.add(part)
            yield part

    def formats(self) -> dict[str, tuple[str, ...]]:
        """Return the formats of the columns that are not written as 2026-01-31, by feature."""
        return {scan.name: scan.decided() for scan in self.scans if scan.formats}


class _Scan:
    """Evidence about the days of a column."""

    def __init__(self, name: str, index: int):
        self.name, self.index = name, index
        self.formats: tuple[str, ...] | None = None  # of the first day; empty if it is written as 2026-01-31
        self.twins: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # those with the month first, and the day
        self.orders: set[bool] = set()  # those without which a value would be no day

    @property
    def needs_more(self) -> bool:
        return self.formats is None or (all(self.twins) and len(self.orders) < 2)

    def add(self, texts: Iterable[str]) -> None:
        for text in texts:
            if self.formats is None and not self._begin(text):
                continue
            if not self.needs_more:
                return
            month, day = (bool(readings(text, twins)) for twins in self.twins)
            if month != day:
                self.orders.add(day)

    def _begin(self, text: str) -> bool:
        """Take the formats of the first day; return False if a text is none."""
        if not text or means_missing(text):
            return False
        formats = tuple(form for form in day_formats(text.strip()) if not form.startswith(UNSURE))
        if iso_day(text):
            self.formats = ()
        elif readings(text, formats):
            self.formats = formats
            ordered = [form for form in formats if swapped(form) in formats]
            self.twins = (
                tuple(form for form in ordered if not is_day_first(form)),
                tuple(form for form in ordered if is_day_first(form)),
            )
        return self.formats is not None

    def decided(self) -> tuple[str, ...]:
        """Return the formats without those of the order that the values exclude."""
        excluded = self.twins[not next(iter(self.orders))] if len(self.orders) == 1 else ()
        return tuple(form for form in self.formats or () if form not in excluded)


def to_iso(texts: Any, formats: tuple[str, ...]) -> Any:
    """Return the values of a column with its days as 2026-01-31; what is no day, or not surely one, stays as it is."""
    if isinstance(texts, DistinctTexts):
        return DistinctTexts(to_iso(texts.texts, formats), texts.codes)
    days = {text: readings(text, formats) for text in set(texts)}
    return [days[text][0] if len(days[text]) == 1 else text for text in texts]


def explain_days(problems: Sequence[Problem], formats: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    """Return problems with a sentence more for days that may be read in two ways."""
    hint = TEXTS["date.either"]

    def is_either(problem: Problem) -> bool:
        value, own = problem.value, formats.get(problem.feature or "", ())
        return isinstance(value, str) and len(readings(value, own)) > 1

    return [replace(one, message=f"{one.message} {hint}") if is_either(one) else one for one in problems]
