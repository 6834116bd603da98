"""A candidate beside the current version: who answers which row, what is counted, and that no request fails."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import irislib
from irislib._comparison.real_requests import describe, read_real_requests
from irislib._modeling import store
from irislib._prediction_log.options import LogOptions
from irislib._prediction_log.reading import read_records
from irislib.api import Options, create_app
from irislib.cli import main
from irislib.errors import StoreError

NAMES = ("petal_length_cm", "petal_width_cm", "sepal_length_cm", "sepal_width_cm")
FLAT = {"area_m2": "40", "balcony": "true", "built": "1990-05-01"}


@pytest.fixture(scope="module")
def other(iris: Any) -> Any:
    """Another version of the Iris Wizard."""
    return irislib.train(dataclasses.replace(iris.spec, estimator=LogisticRegression(C=0.05, max_iter=1000)))


@pytest.fixture(scope="module")
def rows(iris: Any) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)
    values = rng.uniform((1, 0.2, 4.4, 2.2), (6.5, 2.4, 7.7, 4.2), (300, 4)).round(2)
    return [dict(zip(NAMES, row, strict=True)) for row in values.tolist()]


def counts(app: Any) -> dict[str, float]:
    """What is counted of the candidate, by outcome."""
    lines = app.test_client().get("/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("irislib_candidate_rows_total")]
    return {line.partition('outcome="')[2].partition('"')[0]: float(line.rpartition(" ")[2]) for line in found}


def test_a_share_of_the_rows_has_the_candidate_s_answer(
    iris: Any, other: Any, rows: list[dict[str, float]], tmp_path: Path
) -> None:
    app = create_app([iris], options=Options(log=LogOptions(str(tmp_path))))
    app.use_candidate(other, 0.3)
    client = app.test_client()
    answers = [client.post("/iris-wizard", data=row) for row in rows]
    versions = [answer.headers["X-Model-Version"] for answer in answers]
    models = {model.version: model for model in (iris, other)}
    assert [answer.json for answer in answers] == [
        models[version].predict_row(row).prediction for version, row in zip(versions, rows, strict=True)
    ]
    assert 60 < versions.count(other.version) < 120
    answered = {"current": versions.count(iris.version), "answered": versions.count(other.version)}
    assert counts(app) == {**dict.fromkeys(("compared", "different", "failed", "dropped"), 0), **answered}
    for row, version in zip(rows[:40], versions, strict=False):  # however it is asked
        for answer in (client.post("/iris-wizard", json=row), client.post("/iris-wizard?details=1", data=row)):
            assert answer.headers["X-Model-Version"] == version
        assert answer.json["version"] == version
        assert answer.json["probabilities"] == models[version].predict_row(row).probabilities
    batch = client.post("/iris-wizard/batch", json=rows[:40])
    assert batch.headers["X-Model-Version"] == iris.version
    app.end()
    text = describe(iris, other, read_real_requests(iris, other, tmp_path))
    assert f"{iris.version} has answered " in text
    logged = [record["version"] for record in read_records(tmp_path) if record["route"] == "form"]
    assert logged[:300] == versions
    wider = create_app([iris])
    wider.use_candidate(other, 0.6)
    again = [wider.test_client().post("/iris-wizard", data=row).headers["X-Model-Version"] for row in rows]
    assert all(after == other.version for before, after in zip(versions, again, strict=True) if before != iris.version)


def test_a_shadow_is_compared_and_never_shown(
    iris: Any, other: Any, rows: list[dict[str, float]], tmp_path: Path
) -> None:
    app = create_app([iris], options=Options(log=LogOptions(str(tmp_path))))
    app.use_candidate(other, None)
    for number, row in enumerate(rows):
        url = "/iris-wizard" if number % 3 else "/iris-wizard?details=1"
        answer = app.test_client().post(url, data=row, headers={"X-Request-ID": str(number)})
        assert answer.headers["X-Model-Version"] == iris.version
    app.end()
    shown, theirs = ([model.predict_row(row).prediction for row in rows] for model in (iris, other))
    different = sum(a != b for a, b in zip(shown, theirs, strict=True))
    assert different > 0
    found = counts(app)
    assert (found["compared"], found["different"], found["dropped"], found["failed"]) == (300, different, 0, 0)
    records = [*read_records(tmp_path)]
    shadows = {record["request_id"]: record for record in records if record["route"] == "shadow"}
    assert [shadows[str(n)]["prediction"] for n in range(300)] == theirs
    assert [shadows[str(n)]["shown"] for n in range(300)] == [
        {"version": iris.version, "prediction": prediction} for prediction in shown
    ]
    assert len(records) == 600
    assert irislib.drift(iris, tmp_path).text.count("300 predictions") == 1

    for number in range(50):
        right = {"request_id": str(number), "right_answer": shown[number]}
        assert app.test_client().post("/iris-wizard/feedback", json=right).status_code == 200
    text = describe(iris, other, read_real_requests(iris, other, tmp_path))
    assert f"{other.version} and {iris.version} were both asked 300 of them, and differ in {different} (" in text
    share = sum(a == b for a, b in zip(shown[:50], theirs[:50], strict=True)) / 50
    assert (
        f"Of 50 whose right answer is known, {iris.version} was right in 100% and {other.version} in {share:.0%}."
        in text
    )


def test_the_differences_of_numbers_add_up(rent: Any) -> None:
    app = create_app([rent])
    app.use_candidate(dataclasses.replace(rent, version="other"), None)
    model = app.model_endpoints["/flat-rent"].candidate.model
    for more in (7.5, -0.5, 0.0):
        answer = rent.predict_row(FLAT).prediction + more, None
        object.__setattr__(model, "predict_values", lambda values, answer=answer: answer)
        app.test_client().post("/flat-rent", data=FLAT)
        app.model_endpoints["/flat-rent"].candidate.compare_waiting()
    text = app.test_client().get("/metrics").text
    total = text.partition("\nirislib_candidate_difference_total{")[2].partition("\n")[0]
    assert float(total.rpartition(" ")[2]) == pytest.approx(8)
    assert (counts(app)["compared"], counts(app)["different"]) == (3, 2)


@pytest.mark.parametrize("share", [1.0, None])
def test_a_candidate_that_fails_costs_no_request(
    iris: Any, other: Any, rows: list[dict[str, float]], share: float | None, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app([iris])
    app.use_candidate(other, share)
    candidate = app.model_endpoints["/iris-wizard"].candidate

    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    candidate.model = dataclasses.replace(other)
    for name in ("predict_values", "predict_row"):
        object.__setattr__(candidate.model, name, fail)
    candidate.endpoint.model = candidate.model
    for url in ("/iris-wizard", "/iris-wizard?details=1"):
        answer = app.test_client().post(url, data=rows[0])
        assert (answer.status_code, answer.headers["X-Model-Version"]) == (200, iris.version)
    app.end()
    assert counts(app)["failed"] == 2
    assert caplog.text.count("has failed; the current version answers") == 1


def test_a_shadow_that_is_slow_drops_rows(
    iris: Any, other: Any, rows: list[dict[str, float]], monkeypatch: Any
) -> None:
    from irislib.api import _candidate

    monkeypatch.setattr(_candidate, "MAX_WAITING", 5)
    app = create_app([iris])
    app.use_candidate(other, None)
    monkeypatch.setattr(app.model_endpoints["/iris-wizard"].candidate, "_wake", lambda: None)
    for row in rows[:8]:
        assert app.test_client().post("/iris-wizard", data=row).status_code == 200
    assert counts(app)["dropped"] == 3


def test_a_candidate_must_take_the_same_rows(iris: Any, rent: Any) -> None:
    app = create_app([iris])
    strange = dataclasses.replace(rent, spec=dataclasses.replace(rent.spec, name="iris-wizard"))
    with pytest.raises(StoreError, match="must have the inputs of the current version"):
        app.use_candidate(strange, 0.5)


def test_the_command_begins_shows_and_ends_it(iris: Any, other: Any, tmp_path: Path, capsys: Any) -> None:
    root = tmp_path / "store"
    store.publish(iris, root)
    other.save(tmp_path / "other.irislib")
    at = ["--store", str(root), "--model", "iris-wizard"]

    def run(*words: str) -> Any:
        with pytest.raises(SystemExit) as end:
            main([*words, *at])
        return end.value.code

    assert "has no candidate" in run("candidate")
    assert run("candidate", str(tmp_path / "other.irislib"), "--share", "0.2", "--note", "of the spring") == 0
    assert run("candidate") == 0
    assert capsys.readouterr().out.count(f"{other.version} (number 2) answers 0.2 of the rows, {iris.version}") == 2
    entry = store.candidate_entry("iris-wizard", root)
    assert (entry.kind, entry.serves, entry.note) == ("candidate", False, "of the spring")
    assert store.current("iris-wizard", root) == iris.version
    assert run("candidate", other.version[:6], "--shadow") == 0
    assert run("versions") == 0
    listed = capsys.readouterr().out
    assert "of the spring (answers 0.2 of the rows)" in listed
    assert "(asked, never shown)" in listed
    assert store.candidate_entry("iris-wizard", root).details == {"mode": "shadow"}
    assert run("candidate", "--stop") == 0
    assert store.candidate_entry("iris-wizard", root) is None
    assert run("candidate", other.version[:6], "--shadow") == 0
    assert run("rollback", other.version[:6]) == 0
    assert store.candidate_entry("iris-wizard", root) is None
    assert [entry.kind for entry in store.entries("iris-wizard", root)] == [
        "rollback", "candidate", "withdraw", "candidate", "candidate", "publish",
    ]  # fmt: skip
    for wrong, reason in ((["--share", "2"], "at most 1"), ([], "Say how"), (["--shadow"], "current version")):
        assert reason in run("candidate", other.version[:6], *wrong)
