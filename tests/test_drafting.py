"""model.py drafted from a table: what was seen in it, that it is formatted, and that irislib takes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from irislib import train
from irislib._project.drafting import Draft, draft_model
from irislib._project.findings import KINDS
from irislib._project.table_source import TableSource, read_table
from irislib.errors import DataError

ROWS = 56  # too few for a trial of estimators, enough for all checks
RNG = np.random.default_rng(0)
SIZE = RNG.permutation(np.arange(ROWS) / 4 + 3).round(2)
KIND = np.where(SIZE + RNG.normal(0, 2, ROWS) > 10, "big", "little")
TWICE = np.repeat(np.arange(ROWS // 2), 2)


def table(**columns: Any) -> pd.DataFrame:
    """Return a table of two classes with further columns."""
    return pd.DataFrame({"breadth": SIZE, "kind": KIND, **columns})


def draft(frame: pd.DataFrame, target: str = "kind") -> Draft:
    return draft_model("thing", TableSource(frame, "pd.read_csv(DATA)", (), None, (), ()), target)


def shuffled(values: Any) -> np.ndarray:
    return np.random.default_rng(1).permutation(np.asarray(values))


def some(*values: Any) -> np.ndarray:
    """Return these values, then the first again and again."""
    return pd.Series([*values, *[values[0]] * (ROWS - len(values))]).to_numpy()


YES_NO = pd.DataFrame(np.eye(4, dtype=int)[RNG.integers(0, 4, ROWS)], columns=[f"day_{d}" for d in "abcd"])
DAYS = pd.date_range("2024-01-01", periods=ROWS)
UNIQUE = [f"{n:04x}" for n in shuffled(np.arange(ROWS) * 77 + 4096)]

# The kind of the finding, the table, a part of its sentence, and a part of model.py
SEEN: list[tuple[str, pd.DataFrame, str, str]] = [
    ("leak", table(verdict=np.where(KIND == "big", 1, 2)), "verdict alone tells kind", "# Feature(\"verdict\""),
    ("leak_name", table(kind_code=np.where(np.arange(ROWS) % 14, KIND == "big", KIND != "big")), "contains that of", "# Feature("),
    ("few_rows", table(), "only 56 rows", "few"),
    ("groups", table(customer_id=shuffled(TWICE)), "customer_id names 28 cases with 56 rows", "# Feature("),
    ("time_order", table(day=DAYS), "in the order of day", "evaluated_on"),
    ("target_gaps", table(kind=[*KIND[:-3], None, None, None]), "missing in 3 of 56", 'data.dropna(subset=["kind"])'),
    ("one_row_class", table(kind=["odd", *KIND[1:]]), "'odd'", ".value_counts()) > 1]"),
    ("rare_class", table(kind=["odd"] * 3 + [*KIND[3:]]), "'odd' has 3 rows", "'odd' has 3 rows"),
    ("conflicts", table(breadth=np.arange(ROWS) % 7), "another kind", "another kind"),
    ("imbalance", table(kind=["odd"] * 4 + ["even"] * 52), "Only 7% of the rows have kind 'odd'", "threshold="),
    ("target_codes", table(kind=TWICE % 3), "0, 1, 2", '# classes={0: "…", 1: "…", 2: "…"},'),
    ("target_few", table(kind=np.arange(ROWS) % 5 + 1).rename(columns={"kind": "rating"}), "1, 2, 3, 4, 5", "RidgeCV"),
    ("positive", table(kind=np.where(KIND == "big", "Y", "N")), "'Y' is taken", 'positive_class="Y",'),
    ("skewed_target", table(kind=np.exp(2 * RNG.normal(size=ROWS))), "a few are very large", "np.log1p"),
    ("unused", table(tags=[[1]] * ROWS), "tags cannot be an input", "tags cannot be"),
    ("after", table(cancel_date=shuffled(DAYS)), "only after kind is", "Feature(\"cancel_date\", \"date\""),
    ("personal", table(contact=[f"{word}@example.org" for word in UNIQUE]), "e-mail addresses", '# Feature("contact"'),
    ("personal", table(reach=[f"+49 30 {n}" for n in range(1000000, 1000000 + ROWS)]), "phone numbers", "# Feature("),
    ("personal", table(last_name=[f"Mc{word}" for word in UNIQUE]), "by its name", '# Feature("last_name"'),
    ("id", table(ref=UNIQUE), "ref has another value in all rows", '# Feature("ref", "text")'),
    ("id", table(**{"Unnamed: 0": np.arange(ROWS)}), "in all rows", '"unnamed_0"'),
    ("gaps", table(rest=["a", *[None] * (ROWS - 1)]), "98%", "# Feature("),
    ("many_gaps", table(rest=[*shuffled(range(20)), *[None] * 36]), "empty in 64%", "required=False"),
    ("constant", table(unit="cm"), "unit is 'cm' in every row", "# Feature("),
    ("equal", table(a=TWICE % 4, b=np.array(["n", "o", "p", "q"])[TWICE % 4]), "b says the same as a", '# Feature("b"'),
    ("correlated", table(inches=SIZE / 2.54), "inches follows from breadth", "correlation"),
    ("codes", table(zip_code=shuffled(10115 + TWICE % 9)), "zip_code holds numbers that look like codes", "{:.0f}"),
    ("mixed_numbers", table(age=some(*map(str, range(30)), "unknown")), "such as 'unknown'", 'errors="coerce"'),
    ("mixed_text", table(room=some(1, "a", 2, "b", 1, "a")), "numbers and text", "map(str"),
    ("sentinel", table(debt=some(*range(40), -999, -999)), "debt is -999 in 2 rows", 'mask(data["debt"] == -999)'),
    ("far", table(debt=some(*range(40), 9999, 9999)), "the next is 39", "stands for a gap"),
    ("infinite", table(ratio=some(*np.arange(30.0), np.inf)), "infinite in 1 rows", 'float("inf")'),
    ("blanks", table(tone=some("a", "b ", " c", "b", "c", "a")), "spaces around", ".str.strip()"),
    ("clock", table(at=shuffled(DAYS + pd.Timedelta("7h"))), "a day and a time", ".dt.hour"),
    ("duration", table(took=pd.to_timedelta(TWICE % 20, "h")), "durations", ".dt.total_seconds()"),
    ("many_values", table(town=[f"T{n}" for n in shuffled(TWICE)]), "28 different values", "TargetEncoder"),
    ("words", table(note=[f"we saw {a} and {b} there" for a, b in zip(UNIQUE, UNIQUE[::-1], strict=True)]), "free text", "Tfidf"),
    ("one_hot", table(**YES_NO), "look like one choice, written as 4 columns", "idxmax"),
    ("duplicates", pd.concat([table()[:50], table()[:6]]), "repeat an earlier one: 6", "drop_duplicates"),
]  # fmt: skip
LARGER = {"strong", "many_classes", "few_numbers", "time_of_day", "to_text", "source"}  # in the tests below


@pytest.mark.parametrize(("kind", "frame", "seen", "source"), SEEN, ids=[case[0] for case in SEEN])
def test_what_is_seen_is_said_and_stands_in_model_py(kind, frame, seen, source) -> None:
    target = "rating" if "rating" in frame else "kind"
    drafted = draft(frame.reset_index(drop=True), target)
    texts = [finding.text for finding in drafted.findings if finding.kind == kind]
    assert len(texts) == 1
    assert seen in texts[0]
    words = " ".join(drafted.source.replace("#", "").split())
    assert " ".join(texts[0].split()) in words
    assert source in drafted.source or source in words


def test_every_kind_of_finding_is_tried() -> None:
    assert {case[0] for case in SEEN} | LARGER == set(KINDS)


def test_an_ordinary_table_is_taken_as_it_is() -> None:
    assert [finding.kind for finding in draft(table()).findings] == ["few_rows"]
