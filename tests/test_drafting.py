"""model.py drafted from a table: what was seen in it, that it is formatted, and that irislib takes it."""

from __future__ import annotations

import datetime as dt
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
from irislib._project.scores import effort, log_loss
from irislib._project.table_source import TableSource, read_table
from irislib._project.target_kind import describe_target
from irislib.cli import main
from irislib.errors import DataError

ROWS = 56  # too few for a trial of estimators, enough for all checks
RNG = np.random.default_rng(0)
SIZE = RNG.permutation(np.arange(ROWS) / 4 + 3).round(2)
KIND = np.where(SIZE + RNG.normal(0, 2, ROWS) > 10, "big", "little")
AWRY = np.arange(ROWS) % 14 == 0
TWICE = np.repeat(np.arange(ROWS // 2), 2)


def table(**columns: Any) -> pd.DataFrame:
    """Return a table of two classes with further columns."""
    return pd.DataFrame({"breadth": SIZE, "kind": KIND, **columns})


def draft(frame: pd.DataFrame, target: str = "kind") -> Draft:
    return draft_model("thing", TableSource(frame, "pd.read_csv(DATA)"), target)


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
    ("no_better", table(kind=[*["odd"] * 6, *["even"] * 50]), "answering the commonest class", "# The model is"),
    ("no_better_number", table(kind=np.exp(3 * RNG.normal(size=ROWS))), "answering the median", "# The model is"),
    ("never", table(kind=[*["odd"] * 6, *["even"] * 50]), "answers 'odd' for none of the 12 test rows", "balanced"),
    ("near_perfect", table(kind=2 * SIZE + TWICE, other=TWICE), "almost without fail (R² 1", "take out those"),
    ("computed", table(kind=2 * SIZE + TWICE, other=TWICE), "can be computed from breadth, other", "Make sure"),
    ("same_gaps", table(kind=[*KIND[:-12], *[None] * 12], lasted=[*shuffled(SIZE[:-12]), *[None] * 12]),
     "lasted is empty in 100% of the rows in which kind is", "known only together with kind"),
    ("leak", table(verdict=np.where(KIND == "big", 1, 2)), "verdict alone tells kind", "# Feature(\"verdict\""),
    ("leak_name", table(kind_code=np.where(AWRY, KIND != "big", KIND == "big")), "contains that of", "# Feature("),
    ("few_rows", table(), "only 56 rows", "few"),
    ("groups", table(customer_id=shuffled(TWICE)), "customer_id names 28 cases with 56 rows", "# Feature("),
    ("time_order", table(day=DAYS), "in the order of day", "evaluated_on"),
    ("target_gaps", table(kind=[*KIND[:-3], None, None, None]), "missing in 3 of 56", 'data.dropna(subset=["kind"])'),
    ("target_infinite", table(kind=[*SIZE[:-3], np.inf, -np.inf, None]), "infinite in 2 rows", '.abs() != float('),
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
    ("mixed_text", table(room=np.array([1, "a"] * (ROWS // 2), dtype=object)), "numbers and text", "map(str"),
    ("sentinel", table(debt=some(*range(40), -999, -999)), "debt is -999 in 2 rows", 'mask(data["debt"] == -999)'),
    ("far", table(debt=some(*range(40), 9999, 9999)), "the next is 39", "stands for a gap"),
    ("infinite", table(ratio=some(*np.arange(30.0), np.inf)), "infinite in 1 rows", 'float("inf")'),
    ("many_values", table(town=[f"T{n}" for n in shuffled(TWICE)]), "28 different values", "TargetEncoder"),
    ("words", table(note=[f"we saw {word} over there" for word in UNIQUE]), "free text", "Tfidf"),
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


def test_columns_of_a_series_are_treated_alike() -> None:
    rng = np.random.default_rng(6)
    n = 150
    answers = {f"q{i}": rng.integers(1, 6, n) for i in range(3)}
    pixels = {f"pixel_{i}": rng.integers(0, 4 if i else 17, n) for i in range(3)}
    prices = {f"price_{name}": rng.uniform(0.1, 2, n).round(2) for name in ("weight", "large", "change")}
    drafted = draft(pd.DataFrame({**answers, **pixels, **prices, "kind": rng.choice(["big", "little"], n)}))
    assert [one.column for one in drafted.findings if one.kind == "few_numbers"] == list(answers)
    assert [feature.name for feature in drafted.features if feature.low == 0] == ["price_weight", "price_large"]


def test_larger_tables() -> None:
    rng = np.random.default_rng(3)
    n = 150
    frame = pd.DataFrame(
        {
            "stars": rng.integers(1, 4, n),
            "at": [dt.time(hour) for hour in rng.integers(0, 24, n)],
            "span": pd.cut(rng.normal(size=n), 3),
            "size": rng.uniform(0, 9, n).round(3),
            "city": rng.permutation([f"C{i % 75}" for i in range(n)]),
        }
    )
    frame["hint"] = np.where(rng.random(n) < 0.99, frame["city"], "C0")
    source = TableSource(frame, "pd.read_csv(DATA)", notes=("The file has semicolons.",))
    drafted = draft_model("thing", source, "hint")
    seen = {finding.kind: finding.text for finding in drafted.findings}
    assert {"many_classes", "few_numbers", "time_of_day", "to_text", "source"} <= seen.keys()
    assert 'Feature("stars", "choice", choices=[1, 2, 3])' in seen["few_numbers"]
    assert "The file has semicolons." in drafted.source
    frame["hint"] = frame["size"] + rng.normal(0, 0.2, n)
    assert "strong" in {finding.kind for finding in draft(frame, "hint").findings}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([None] * ROWS, "kind is empty in every row"),
        (["a"] * ROWS, "kind is 'a' in every row"),
        (UNIQUE, "Each row has its own kind"),
        (DAYS, "kind holds days"),
        (["a", "b", *[None] * (ROWS - 2)], "too few to learn from"),
    ],
)
def test_what_nothing_can_be_learnt_of_is_refused(values, message) -> None:
    with pytest.raises(DataError, match=message):
        draft(table(kind=values))


def test_a_table_without_inputs_is_refused() -> None:
    with pytest.raises(DataError, match="no column left that a model could predict kind from"):
        draft(pd.DataFrame({"ref": UNIQUE, "kind": KIND}))


@pytest.mark.parametrize(
    ("values", "classes", "positive"),
    [
        (TWICE % 2, {0: "no", 1: "yes"}, "yes"),
        (TWICE % 2 == 0, {False: "no", True: "yes"}, "yes"),
        (np.where(TWICE % 2, "stayed", "churned"), {}, "churned"),
        (np.where(TWICE % 2, "female", "male"), {}, None),
        (np.where(TWICE % 5, "b", "a"), {}, "a"),
    ],
)
def test_the_class_that_is_looked_for(values, classes, positive) -> None:
    target = describe_target("kind", pd.Series(values))
    assert (dict(target.classes), target.positive) == (classes, positive)


def flats() -> pd.DataFrame:
    """Return a table with a bit of everything, of 200 rows."""
    rng = np.random.default_rng(5)
    n = 200
    frame = pd.DataFrame(
        {
            "Fläche (m²)": rng.uniform(20, 140, n).round(1),
            'Lage "A"': rng.choice(["hafen", "berg"], n),
            "street": rng.permutation([f"S{i % 40}" for i in range(n)]),
            "built": pd.Timestamp("1990-01-01") + pd.to_timedelta(rng.integers(0, 9000, n), "D"),
            "note": [f"we saw {a} and {b} there" for a, b in zip(rng.integers(0, 99, n), range(n), strict=True)],
            "balcony": rng.random(n) < 0.5,
            "price [EUR]": 0.0,
        }
    )
    frame["price [EUR]"] = (9 * frame["Fläche (m²)"] + rng.normal(0, 30, n)).round(2)
    frame.loc[:9, "Fläche (m²)"] = frame.loc[5:14, "note"] = None
    return frame


@pytest.mark.parametrize("without", [["note"], [], ["note", "built", "street", 'Lage "A"']], ids=len)
def test_model_py_is_formatted_trains_and_predicts_its_examples(without, tmp_path: Path) -> None:
    flats().drop(columns=without).to_csv(tmp_path / "flats.csv", index=False)
    drafted = draft_model("flats", read_table(str(tmp_path / "flats.csv")), "price [EUR]")
    path = tmp_path / "model.py"
    path.write_text(drafted.source)
    for length in ("88", "120"):
        for command in (["format", "--check"], ["check", "--select", "E4,E7,E9,F,I,W,UP,B"]):
            ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length", length, path]
            result = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout
    module = ModuleType("drafted")
    module.__file__ = str(path)
    exec(drafted.source, vars(module))  # noqa: S102
    model = train(module.spec, drafted.frame)
    metrics = model.evaluation.metrics
    assert metrics["mean_absolute_error"] < metrics["baseline_mean_absolute_error"] / 2
    assert len(module.spec.examples) == 3
    for row in module.spec.examples.values():
        model.predict_row(row)


def test_the_title_of_an_example_is_what_the_model_answers() -> None:
    kind = np.where(np.arange(ROWS) % 8 == 0, "odd", KIND)
    drafted = draft(table(kind=kind))
    names: dict[str, Any] = {"__file__": "model.py", "__name__": "drafted"}
    exec(drafted.source, names)  # noqa: S102
    model = train(names["spec"], drafted.frame)
    answers = {title: model.predict_row(row).prediction for title, row in drafted.examples.items()}
    assert [*answers] == ["Kind: little", "Kind: big", "Example 3"]
    assert (answers["Kind: big"], answers["Kind: little"]) == ("big", "little")
    assert answers["Example 3"] != "odd"
    assert drafted.findings[0].text.startswith("The model answers 'odd' for none of the 12 test rows.")


def test_a_text_of_many_rows_may_be_in_an_example() -> None:
    towns = [f"T{n}" for n in range(24)]
    frame = pd.concat([table(town="elsewhere")] * 5, ignore_index=True)
    frame["town"] = [towns[n % 24] for n in range(len(frame))]
    assert len(draft(frame).examples) == 2


def test_no_example_has_what_may_be_personal() -> None:
    frame = table(note=[f"please write to a{n}@example.org about this" for n in range(ROWS)])
    assert draft(frame).examples == {}


def test_a_column_that_is_left_out_is_taken_back_by_one_edit() -> None:
    drafted = draft(table(verdict=np.where(KIND == "big", "x", "y")))
    source = drafted.source.replace("# Feature(", "Feature(").replace('# "verdict"', '"verdict"')
    names: dict[str, Any] = {"__file__": "model.py", "__name__": "drafted"}
    exec(source, names)  # noqa: S102
    assert names["spec"].feature_names == ["breadth", "verdict"]
    assert train(names["spec"], drafted.frame).evaluation.metrics["accuracy"] == 1


@pytest.mark.parametrize(("work", "expected"), [(30, (5, 100)), (150, (3, 100)), (640, (1, 78)), (9000, (1, 20))])
def test_a_comparison_of_estimators_has_a_budget_in_counts(work, expected) -> None:
    assert effort(work, 5) == expected


def test_the_log_loss_is_known_where_a_class_is_missing() -> None:
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.5, 0.25, 0.25]])
    assert log_loss(["a", "b", "a"], shares, ["a", "b", "c"]) == pytest.approx(-np.log([0.7, 0.8, 0.5]).mean())
    assert log_loss(["a", "unseen", "b"], shares, ["a", "b", "c"]) == pytest.approx(-np.log([0.7, 0.25]).mean())
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"size": rng.normal(size=160), "kind": ["rare"] * 2 + ["big", "little"] * 79})
    reason = draft(frame).estimator.reason
    assert reason.startswith("Chosen by the log loss in cross-validation on all rows: a linear model with 0.")
    assert "nan" not in reason


def new(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["new", *arguments])
    return ended.value.code


def test_the_command_makes_a_project(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path / "store"))
    data = table(kind=np.where(KIND == "big", "yes", "no"))
    data.to_csv("shop.csv", index=False)
    command = ["shop", "--data", "shop.csv"]
    assert new(*command, "--target", "kind", "--dry-run") == 0
    assert 'name="shop"' in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["shop.csv"]
    assert new(*command) == 2
    shown = capsys.readouterr()
    assert "breadth  number" in shown.out
    assert shown.err == "Say which column shall be predicted: irislib new shop --data shop.csv --target COLUMN\n"
    assert "Did you mean 'kind'?" in str(new(*command, "--target", "kin"))
    assert new(*command, "--target", "kind") == 0
    out = capsys.readouterr().out
    assert "* There are only 56 rows." in out
    assert "A linear model: 56 rows are too few for more.\nOn 12 rows held out for this: " in out
    assert "right (log loss 0." in out
    assert "cd shop\n  make serve" in out
    assert (tmp_path / "shop/shop/data/shop.csv").read_bytes() == (tmp_path / "shop.csv").read_bytes()
    assert "is there already, and nothing was changed" in str(new(*command, "--target", "kind"))


@pytest.mark.parametrize(
    ("name", "message"),
    [("Churn Model", "Try: churn-model"), ("docs", "is an address of the server"), ("pandas", "installed here")],
)
def test_a_name_that_cannot_be_is_refused(name, message) -> None:
    assert message in str(new(name, "--data", "no.csv", "--target", "x"))


def test_on_a_terminal_the_command_asks(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    table().to_csv("shop.csv", index=False)
    answers = iter(["knd", "kind"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert new("shop", "--data", "shop.csv", "--output", "made") == 0
    assert "Did you mean 'kind'?" in capsys.readouterr().out
    assert (tmp_path / "made/shop/shop/model.py").exists()
