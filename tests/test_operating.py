"""What an operator goes by: the operating page, its tables and its runbook."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGE = (DOCS / "operating.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def docs() -> Iterator[ModuleType]:
    """Return the module that makes the tables."""
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("settings")
    finally:
        sys.path.remove(str(DOCS))


def test_the_tables_of_the_operating_page_are_up_to_date(docs: ModuleType) -> None:
    assert docs.renewed(PAGE) == PAGE, "run `make settings`"
    assert [match[2] for match in docs.SECTION.finditer(PAGE)] == [*docs.TABLES]


def test_every_line_that_says_that_something_is_wrong_has_advice(docs: ModuleType) -> None:
    import log_lines
    from log_advice import ADVICE

    lines = log_lines.lines()
    assert not [line for line in lines if line.text.startswith("?")], "docs/log_lines.py: add them to COMPUTED"
    worst = [line for line in lines if line.level != "info"]
    assert len(worst) > 50
    assert not [line for line in worst if not line.text.startswith((*ADVICE,))], "docs/log_advice.py lacks these"
    assert not [begin for begin in ADVICE if not any(line.text.startswith(begin) for line in worst)], "no such lines"


def names_of_tests() -> set[str]:
    """Return the names of all tests."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    return set(re.findall(r"def (test_\w+)\(", source))


@pytest.mark.parametrize("page", ["operating.md", "security.md"])
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (DOCS / page).read_text(encoding="utf-8")))
    assert named <= names_of_tests()
