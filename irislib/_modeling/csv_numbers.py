"""The decimal signs of a CSV file: decided once for each column, from all of its values and from its neighbours.

``1.234`` is a number a little above one where others have a point, and above a thousand in a file of decimal commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from irislib._description.number_text import readings, simplify_number
from irislib._description.text_columns import DistinctTexts
from irislib._modeling.csv_lines import Lines, Part, column_texts

if TYPE_CHECKING:
    from irislib._description.feature import Feature

__all__ = ["MIXED", "find_decimal_signs", "may_need_signs", "to_points"]

BLOCK_BYTES = 1 << 20
_GROUPED = re.compile(rb"\d\.\d{3}\.\d{3}")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_EITHER = re.compile(r"[+-]?[1-9][0-9]{0,2}[,.][0-9]{3}")
_THOUSAND_LINES = re.compile(r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$", re.MULTILINE)
_THOUSANDS_LINES = re.compile(rf"^{_THOUSANDS.pattern}$", re.MULTILINE)
MIXED = ""  # instead of a decimal sign: each value that can mean one number only is that number


def may_need_signs(file: IO[bytes], delimiter: str) -> bool:
    """Return False if no value of a file has a comma or several points in it, which is soon seen."""
    mark = b'"' if delimiter == "," else b","
    file.seek(0)
    end = b""
    while block := file.read(BLOCK_BYTES):
        if mark in block or b"\0" in block or _GROUPED.search(end + block):
            return True
        end = block[-20:]
    return False


def find_decimal_signs(
    parts: Iterable[Part], columns: Mapping[str, int], features: Sequence[Feature]
) -> dict[str, str]:
    """Return the decimal signs of the columns that are not plain numbers with points, by feature.

    Parameters
    ----------
    parts : iterable of Lines or list of list of str
        All rows of the file.
    columns : dict of str to int
        The indices of the features' columns.
    features : sequence of Feature
    """
    scans = [_Scan(f.name, columns[f.name], f.units) for f in features if f.type.is_numeric and f.name in columns]
    for part in parts:
        texts = column_texts(part, [scan.index for scan in scans])
        for scan in scans:
            if isinstance(part, Lines):
                scan.add_lines(texts[scan.index])
            else:
                scan.add_all(texts[scan.index])
    signs = {}
    together = set().union(*(scan.signs for scan in scans))
    for scan in scans:
        if not scan.has_commas and ("." in scan.signs or not (scan.has_either and "," in together)):
            continue  # as a program writes numbers
        own = scan.signs or together
        signs[scan.name] = next(iter(own)) if len(own) == 1 else MIXED
    return signs


class _Scan:
    """Evidence about the decimal sign in the values of a column."""

    def __init__(self, name: str, index: int, units: tuple[str, ...]):
        self.name, self.index, self.units = name, index, units
        self.signs: set[str] = set()  # those without which a value would be no number
        self.has_commas = False  # or several points
        self.has_either = False  # values that are a number with either sign

    def add_lines(self, texts: Iterable[str]) -> None:
        """Add texts that have no line break in them; those with one comma before three digits are all the same."""
        others, count = _THOUSAND_LINES.subn("", "\n".join(texts))
        if count:
            self.add("1,234")
        self.add_all(others.split("\n"))

    def add_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            if "," in text or "." in text:
                self.add(text)

    def add(self, text: str) -> None:
        if self.has_commas and "," in self.signs and "." not in text and text.count(",") == 1:
            return  # nothing new
        if self.has_either and (self.has_commas or "," not in text) and _EITHER.fullmatch(text):
            return
        has_commas = "," in text or text.count(".") > 1
        if "." in self.signs and not has_commas:
            return
        meanings = readings(simplify_number(text, *self.units))
        if len(meanings) == 1:
            self.signs |= meanings.keys()
        self.has_either |= len(meanings) == 2
        self.has_commas |= has_commas and bool(meanings)


def to_points(texts: Any, feature: Feature, sign: str, delimiter: str) -> Any:
    """Return the values of a column with its decimal signs as points and without thousands separators.

    What is no number, or not surely one, stays as it is.
    """
    if isinstance(texts, DistinctTexts):
        return DistinctTexts(to_points(texts.texts, feature, sign, delimiter), texts.codes)
    if sign == ".":
        joined = "\n".join(texts)
        others = _THOUSANDS_LINES.sub("", joined)
        if "," not in others and "." not in others:  # as in most files: all at once
            plain = joined.replace(",", "").split("\n")
            if len(plain) == len(texts):
                return plain
    units = feature.units
    points = {text: _to_point(text, units, sign, delimiter) for text in set(texts) if "," in text or "." in text}
    return [points.get(text, text) for text in texts] if points else texts


def _to_point(text: str, units: tuple[str, ...], sign: str, delimiter: str) -> str:
    if sign == "," and _COMMA.fullmatch(text):  # as most are
        return text.replace(",", ".")
    if sign == "." and _THOUSANDS.fullmatch(text):
        return text.replace(",", "")
    meanings = readings(simplify_number(text, *units))
    if sign != MIXED:
        return meanings.get(sign, text)
    # among commas that separate values, one in a number is rather a mistake
    return next(iter(meanings.values())) if len(meanings) == 1 and delimiter != "," else text
