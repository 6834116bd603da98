"""Drift: found where there is some, not found where there is none, and its figures against plain ways to get them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

import irislib
from irislib._prediction_log import sample as sample_module
from irislib._prediction_log.differences import LEVEL, Difference, compare_categories, compare_numbers
from irislib._prediction_log.drift import Comparison
from irislib._prediction_log.drift import _frame as drift_frame
from irislib._prediction_log.records import ModelRecords, lines_of
from irislib.cli import main
from irislib.errors import DataError, NotApplicableError


def log_of(path: Path, model: Any, rows: list[dict[str, Any]], /, **changes: Any) -> list[dict[str, Any]]:
    """Write a log of predictions for rows, and return its records."""
    records = ModelRecords(model)
    entries = []
    for number, row in enumerate(rows):
        answer = model.predict_row(row)
        shares = answer.probabilities and [*answer.probabilities.values()]
        entries.append(records.entry("form", f"id-{number}", [*answer.values.values()], answer.prediction, shares))
    written = [{**json.loads(line), **changes} for line in lines_of(entries)[0].splitlines()]
    append(path, written)
    return written


def append(path: Path, records: list[dict[str, Any]]) -> None:
    path.mkdir(exist_ok=True)
    with (path / "predictions-2026-01-01-0001.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


@pytest.fixture(scope="module")
def flats(rent: Any) -> list[dict[str, Any]]:
    frame = rent.sample.sample(150, random_state=0)
    rows = [{f.name: row[f.column] for f in rent.spec.features} for row in frame.to_dict("records")]
    return [{name: value for name, value in row.items() if value == value and value is not None} for row in rows]


def test_the_training_data_have_no_drift(rent: Any, flats: list[dict[str, Any]], tmp_path: Path) -> None:
    log_of(tmp_path / "log", rent, flats)
    report = irislib.drift(rent, tmp_path / "log")
    assert report.drifted == ()
    assert report.text.startswith("There is no drift in 150 predictions.")
    assert [*report.frame["compared"]] == [*rent.spec.feature_names, "prediction", "unlike the training rows"]
    assert (report.frame["adjusted p"] >= report.frame["p"]).all()
    assert len(report.plot().axes) == 1
    assert "<img" in report._repr_html_()


def test_drift_is_found_where_it_is(rent: Any, flats: list[dict[str, Any]], tmp_path: Path) -> None:
    changed = [{**row, "area_m2": min(row["area_m2"] * 1.5, 900)} for row in flats]
    records = log_of(tmp_path / "log", rent, changed)
    report = irislib.drift(rent, str(tmp_path / "log"))
    assert {"area_m2", "prediction"} <= {*report.drifted}
    assert not {"balcony", "built", "district"} & {*report.drifted}
    row = report.frame.set_index("compared").loc["area_m2"]
    logged = [record["inputs"]["area_m2"] for record in records]
    assert row["p"] == pytest.approx(ks_2samp(rent.sample["area_m2"].dropna(), logged).pvalue)
    assert (row["before"], row["now"]) == (rent.sample["area_m2"].median(), pytest.approx(np.median(logged)))
    assert "area_m2" in report.text
    log_of(tmp_path / "empty", rent, [{name: row[name] for name in row if name != "rooms"} for row in flats])
    report = irislib.drift(rent, tmp_path / "empty")
    assert "rooms" in report.drifted  # it is in no prediction any more
    assert np.isnan(report.frame.set_index("compared").loc["rooms"]["now"])


def test_the_right_answers_tell_how_good_the_model_is(
    iris: Any, rent: Any, flowers: list[dict[str, float]], flats: list[dict[str, Any]], tmp_path: Path
) -> None:
    records = log_of(tmp_path / "log", iris, flowers)
    truth = iris.spec.load_data()["species"].tolist()
    reports = [
        {"time": f"2026-01-0{turn}", "model": "iris-wizard", "request_id": record["request_id"], "row": None,
         "right_answer": answer}
        for turn, answers in ((2, truth), (1, ["setosa"] * 150))  # the later one counts, wherever it is
        for record, answer in zip(records, answers, strict=True)
    ]  # fmt: skip
    append(tmp_path / "log", [*reports, {**reports[0], "request_id": "nobody"}, {**records[0], "right_answer": "rose"}])
    report = irislib.drift(iris, tmp_path / "log")
    row = report.frame.set_index("compared").loc["right answers"]
    right = sum(record["prediction"] == answer for record, answer in zip(records, truth, strict=True))
    assert row["now"] == right / 150
    assert row["now from"] < row["now"] < row["now to"]
    assert row["before"] == iris.evaluation.metrics["accuracy"]
    assert not row["drifted"]
    assert "Of 150 predictions the right answer is known: " in report.text
    assert "1 reports are about predictions that are not in the log." in report.text
    assert "Visitors reported 1 answers as wrong." in report.text
    assert report.text.count("151") == 0  # a report is no prediction
    flat = log_of(tmp_path / "flats", rent, flats)
    append(tmp_path / "flats", [
        {"time": "2026", "model": "flat-rent", "request_id": r["request_id"], "row": None,
         "right_answer": r["prediction"] + 500} for r in flat
    ])  # fmt: skip
    report = irislib.drift(rent, tmp_path / "flats")
    assert report.drifted == ("right answers",)
    assert report.frame.set_index("compared").loc["right answers"]["now"] == pytest.approx(500)


def test_few_predictions_are_no_alarm(iris: Any, tmp_path: Path) -> None:
    row = dict.fromkeys(iris.spec.feature_names, 20.0)
    log_of(tmp_path / "log", iris, [row] * 29)
    report = irislib.drift(iris, tmp_path / "log")
    assert report.text == "There are 29 predictions, too few to tell drift from chance: it takes 30."
    assert (report.drifted, report.is_enough, len(report.frame)) == ((), False, 0)
    assert report.plot()
    log_of(tmp_path / "log", iris, [row])
    assert "unlike the training rows" in irislib.drift(iris, tmp_path / "log").drifted


def test_what_other_versions_answered_counts_by_its_inputs(
    iris: Any, flowers: list[dict[str, float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_of(tmp_path / "log", iris, flowers, version="another", prediction="rose")
    log_of(tmp_path / "log", iris, flowers, model="another")
    report = irislib.drift(iris, tmp_path / "log")
    assert [*report.frame["compared"]] == iris.spec.feature_names
    assert "150 predictions are by other versions" in report.text
    append(tmp_path / "log", [{"time": "2026", "model": "iris-wizard", "inputs": {"petal_length_cm": "long"}}] * 5)
    assert irislib.drift(iris, tmp_path / "log").drifted == ()  # of another description
    monkeypatch.setattr(sample_module, "MAX_ROWS", 50)
    assert "The log is compared by 50 of its 155 predictions." in irislib.drift(iris, tmp_path / "log").text
    assert "too few" in irislib.drift(iris, tmp_path / "log", dt.datetime(2999, 1, 1)).text


def test_the_figures_are_those_of_plain_ways() -> None:
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=500), rng.normal(0.3, 1, 400)
    found = compare_numbers(before, now)
    assert found.p == pytest.approx(ks_2samp(before, now).pvalue)
    edges = [-np.inf, *np.quantile(before, np.arange(0.1, 1, 0.1)), np.inf]
    shares = [(np.append(np.histogram(v, edges)[0], 0) + 0.5) / (len(v) + 5.5) for v in (before, now)]
    assert found.psi == pytest.approx(sum((b - a) * np.log(b / a) for a, b in zip(*shares, strict=True)))
    names = rng.choice(["a", "b", "c"], 300), rng.choice(["a", "b", "c"], 200, p=[0.5, 0.3, 0.2])
    counts = [[list(some).count(name) for name in "abc"] for some in names]
    assert compare_categories(*names).p == pytest.approx(chi2_contingency(counts).pvalue)
    assert compare_categories(["a"] * 50, ["a"] * 50).p == 1
    gaps = np.where(np.arange(500) % 2, before, np.nan)
    assert compare_numbers(before, gaps).p < 1e-9 < compare_numbers(gaps, gaps).p


def test_only_what_is_sure_and_large_is_drift() -> None:
    cases = {"small": (1e-9, 0.1), "by chance": (0.02, 0.5), "a share": (0.001, None), "drift": (0.001, 0.3)}
    comparisons = [Comparison(name, "", 0, 1, None, 99, Difference(psi, p)) for name, (p, psi) in cases.items()]
    frame = drift_frame(comparisons)
    assert frame["compared"][frame["drifted"]].tolist() == ["a share", "drift"]
    assert frame["adjusted p"].tolist() == pytest.approx([4e-9, 0.02, 4 / 3 * 0.001, 4 / 3 * 0.001])  # n p / rank
    assert not drift_frame([Comparison("a", "", 0, 1, None, 99, Difference(0.5, 0.004))] + comparisons[1:2] * 9)[
        "drifted"
    ].any()  # one such of ten is no wonder


def test_chance_alone_is_seldom_an_alarm() -> None:
    rng = np.random.default_rng(1)
    numbers = [compare_numbers(rng.normal(size=200).round(1), rng.normal(size=100).round(1)).p for _ in range(500)]
    choices = [compare_categories(rng.integers(0, 9, 200), rng.integers(0, 9, 100)).p for _ in range(500)]
    for found in (numbers, choices):
        assert sum(p < 0.05 for p in found) < 45  # of 25 that are expected
        assert sum(p < LEVEL for p in found) < 15


def test_the_command_tells_cron(
    iris: Any, flowers: list[dict[str, float]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def drift(*args: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(["drift", *args])
        return ended.value.code, capsys.readouterr().out

    folder = str(tmp_path / "log")
    log_of(tmp_path / "log", iris, flowers)
    status, text = drift("--prediction-log", folder, "--since", "7d", "--output", str(tmp_path / "drift.png"))
    assert (status, text.splitlines()[0]) == (0, "There is no drift in 150 predictions.")
    assert "petal_length_cm" in text
    assert (tmp_path / "drift.png").read_bytes().startswith(b"\x89PNG")
    log_of(tmp_path / "log", iris, [{**row, "petal_length_cm": 29} for row in flowers])
    assert drift("--prediction-log", folder)[0] == 3
    for args, message in (
        ([], "--prediction-log DIR"),
        (["--prediction-log", str(tmp_path / "none")], "There is no prediction log"),
        (["--prediction-log", folder, "--since", "soon"], "not 'soon'"),
        (["--prediction-log", folder, "--output", str(tmp_path / "none" / "a.png")], "cannot be written"),
    ):
        assert message in str(drift(*args)[0])


def test_what_is_no_model_or_no_log_is_said(iris: Any, tmp_path: Path) -> None:
    with pytest.raises(NotApplicableError):
        irislib.drift("iris-wizard", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="There is no prediction log"):
        irislib.drift(iris, tmp_path / "none")
