"""Renew docs/settings.md and the table in docs/monitoring.md, by ``make settings``."""

from __future__ import annotations

from pathlib import Path

from irislib._common.metrics import reference_table
from irislib._common.settings import reference_page

Path(__file__).with_suffix(".md").write_text(reference_page(), encoding="utf-8")

MONITORING = Path(__file__).with_name("monitoring.md")
before, mark, rest = MONITORING.read_text(encoding="utf-8").partition(
    "<!-- The table of metrics, made by `make settings`. -->\n"
)
after = rest[rest.index("\n## ") :]
MONITORING.write_text(f"{before}{mark}\n{reference_table()}{after}", encoding="utf-8")
