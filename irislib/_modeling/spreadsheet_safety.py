"""Cells that a spreadsheet would run as a formula: marked as text in the files that a page offers, and read back."""

from __future__ import annotations

import codecs
import csv
import io
import re

__all__ = ["mark_formulas", "unmark"]

MARK = "'"  # what a person types before a text that looks like a formula
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?[\d.,'’ ]+(e[+-]?\d+)?%?", re.IGNORECASE)


def mark_formulas(content: bytes, delimiter: str = ",") -> bytes:
    """Return a CSV file whose cells a spreadsheet displays as they are; a program reads numbers as before.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without a byte order mark.
    delimiter : str
    """
    bom = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    reader = csv.reader(io.StringIO(content[len(bom) :].decode(), newline=""), delimiter=delimiter)
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([mark(cell) for cell in row] for row in reader)
    return bom + file.getvalue().encode()


def mark(cell: str) -> str:
    """Return a cell as text if it looks like a formula and is no number."""
    return MARK + cell if is_formula(cell) else cell


def unmark(cell: str) -> str:
    """Return a cell as it was before it was marked, for a file that comes back."""
    return cell[len(MARK) :] if cell.startswith(MARK) and is_formula(cell[len(MARK) :]) else cell


def is_formula(cell: str) -> bool:
    """Return True if a spreadsheet may take a cell for a formula; a sign alone, as of a missing value, is none."""
    return len(cell.strip()) > 1 and FORMULA.match(cell) is not None and NUMBER.fullmatch(cell.strip()) is None
