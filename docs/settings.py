"""Renew docs/settings.md, by ``make settings``."""

from __future__ import annotations

from pathlib import Path

from irislib._common.settings import reference_page

Path(__file__).with_suffix(".md").write_text(reference_page(), encoding="utf-8")
