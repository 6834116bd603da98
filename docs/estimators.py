"""Renew docs/estimators.md, which has what becomes of estimators of every sort, by ``make estimators``."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

DOCS = Path(__file__).parent

INTRODUCTION = """# Estimators

Any estimator that follows scikit-learn's interface and predicts one target can be used. The tests take these through
everything that irislib does with a model: train it from a description (`train`), bring it fitted
(`Model.from_estimator`), save and load its file, `irislib check`, predict in Python, compute its insights, write its
model card, ask the endpoint for one row (`POST`) and for many (`batch`), and open its page. ✓ works; a number is the
sentence that some of the insights answer instead, below the table. How fast each of them answers is in
[performance.md](performance.md). This page is made by `make estimators`."""


def page() -> str:
    """Return the page."""
    sys.path.insert(0, str(DOCS.parent / "tests"))
    import estimators

    sentences: list[str] = []
    rows = []
    for name in estimators.CASES:
        with tempfile.TemporaryDirectory() as folder:
            outcomes = estimators.outcomes(name, Path(folder)).values()
        sentences += [text for text in dict.fromkeys(outcomes) if text and text not in sentences]
        rows.append([name, *(str(sentences.index(text) + 1) if text else "✓" for text in outcomes)])
    lines = [INTRODUCTION, "", *table(["estimator", *estimators.DOORS], rows), ""]
    lines += [f"{number}. {text}" for number, text in enumerate(sentences, 1)] + [""] * bool(sentences)
    refused = [[name, estimators.refusal(name)] for name in estimators.REFUSED]
    lines += [
        "What predicts no single target is refused with a sentence:",
        "",
        *table(["estimator", "sentence"], refused),
    ]
    return "\n".join(lines) + "\n"


def table(names: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names), *rows)]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as store:
        os.environ["IRISLIB_STORE"] = store
        (DOCS / "estimators.md").write_text(page(), encoding="utf-8")
