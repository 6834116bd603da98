"""Renew the tables of docs/operating.md, by ``make settings``."""

from __future__ import annotations

import re
from pathlib import Path

from operating_tables import TABLES

PAGE = Path(__file__).with_name("operating.md")
SECTION = re.compile(r"(<!-- (\w+): made by `make settings` -->\n).*?(<!-- end of \2 -->)", re.S)


def renewed(page: str) -> str:
    """Return the operating page with the tables of today."""
    return SECTION.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n{match[3]}", page)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
