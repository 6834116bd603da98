"""The prediction log: what is in it, what never is, its files, and that no request depends on it."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import irislib
from irislib._description.values import to_json
from irislib._prediction_log import files, writer
from irislib._prediction_log.files import LogFolder, log_files
from irislib._prediction_log.options import LogOptions
from irislib._prediction_log.reading import local_log, read_records
from irislib._prediction_log.records import ModelRecords, lines_of
from irislib._prediction_log.uploads import Uploader, seal
from irislib.api import Options, create_app
from irislib.errors import DataError, IrislibError

GOOD = {"petal_length_cm": 6.0, "petal_width_cm": 2.5, "sepal_length_cm": 6.3, "sepal_width_cm": 3.3}
FLAT = {"area_m2": "40", "balcony": "true", "built": "1990-05-01"}


@pytest.fixture
def log(tmp_path: Path) -> LogOptions:
    return LogOptions(str(tmp_path / "log"))


def read(log: LogOptions) -> list[dict[str, Any]]:
    return list(read_records(Path(log.folder)))


def whole(log: LogOptions) -> str:
    """Everything in the files, all of whose lines are whole."""
    texts = [path.read_text(encoding="utf-8") for path in log_files(Path(log.folder))]
    assert all(json.loads(line) for text in texts for line in text.split("\n")[:-1])
    assert all(text.endswith("\n") for text in texts)
    return "".join(texts)


def test_every_way_to_ask_is_written_down_as_the_model_got_it(iris: Any, rent: Any, log: LogOptions) -> None:
    app = create_app([iris, rent], options=Options(log=log))
    client = app.test_client()
    ids = {"X-Request-ID": "mine"}
    form = client.post("/iris-wizard", data=GOOD, headers=ids)
    assert form.headers["X-Request-ID"] == "mine"
    client.post("/iris-wizard?details=1", json={**GOOD, "petal_length_cm": "7.5"}, headers=ids)
    assert client.post("/iris-wizard", data={"petal_length_cm": "x"}).status_code == 422
    client.post("/flat-rent", data=FLAT)
    csv = "built,area_m2,balcony\n1990-05-01,40,yes\n\n,much,\n1990-05-01,41,no\n"
    client.post("/flat-rent/batch", data=csv, content_type="text/csv", headers=ids)
    client.post("/iris-wizard/batch", json=[GOOD, {}, GOOD])
    client.post("/iris-wizard/batch", json={name: [value, value] for name, value in GOOD.items()})
    app.end()
    records = read(log)
    ways = [(record["model"], record["route"], record["row"]) for record in records]
    flat, flower = "flat-rent", "iris-wizard"
    assert ways == [
        (flower, "form", None), (flower, "json", None), (flat, "form", None), (flat, "batch", 0), (flat, "batch", 3),
        (flower, "batch", 0), (flower, "batch", 2), (flower, "batch", 0), (flower, "batch", 1),
    ]  # fmt: skip
    assert [record["request_id"] == "mine" for record in records[:5]] == [True, True, False, True, True]
    assert records[0]["inputs"] == GOOD
    assert records[0]["version"] == iris.version
    assert records[0]["prediction"] == "virginica"
    assert records[0]["probabilities"] == iris.predict_row(GOOD).probabilities
    assert records[1]["warnings"] == ["outside"]
    asked = {"area_m2": 40, "balcony": True, "built": "1990-05-01", "rooms": None, "district": None}
    assert records[2]["inputs"] == records[3]["inputs"] == asked
    assert records[2]["prediction"] == pytest.approx(records[3]["prediction"])
    assert all(path.stat().st_mode & 0o077 == 0 for path in log_files(Path(log.folder)))  # for nobody else


def test_a_page_is_written_down_when_its_button_is_pressed(
    iris: Any, log: LogOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = irislib.app(iris)
    values = {name: str(value) for name, value in GOOD.items()}
    page.reply({"method": "submit", "id": 1, "values": values})
    for name, value in log.to_environment().items():
        monkeypatch.setenv(name, value)
    page.reply({"method": "preview", "id": 2, "values": values})
    page.reply({"method": "submit", "id": 3, "values": values})
    (record,) = read(log)
    assert record["route"] == "page"
    assert record["inputs"] == GOOD
    assert record["request_id"]


def test_the_kinds_of_warnings_are_those_of_the_answer(iris: Any, rent: Any) -> None:
    factors, kinds = itertools.cycle([1, 0.3, 1, 1, 1.3, 1, 3]), set()
    for model in (iris, rent):
        records, rows = ModelRecords(model), []
        for row in model.evaluation.features.head(40).to_dict("records"):
            values = {f.name: row[f.column] for f in model.spec.features}
            for name, value in values.items():
                if isinstance(value, float) and value == value:
                    values[name] = round(value * next(factors), 1)
            try:
                rows.append(model.predict_row(values))
            except irislib.errors.ValidationError:
                continue
        entries = [
            records.entry(
                "form", "", [*p.values.values()], p.prediction, p.probabilities and [*p.probabilities.values()]
            )
            for p in rows
        ]
        lines = [json.loads(line) for line in lines_of(entries)[0].splitlines()]
        for prediction, found, line in zip(rows, records.warning_kinds(entries), lines, strict=True):
            assert line["inputs"] == {n: None if v is None else to_json(v) for n, v in prediction.values.items()}
            assert line["warnings"] == found
            count = len(prediction.warnings)
            assert bool(found) == bool(count)
            assert ("outside" in found) == any(warning.feature for warning in prediction.warnings)
            assert ("near_tie" in found) == any("nearly" in str(warning) for warning in prediction.warnings)
            kinds.update(found)
    assert kinds == {"outside", "novel", "near_tie"}


def test_what_is_not_to_be_logged_is_neither_there_nor_in_feedback(log: LogOptions) -> None:
    import rent as module

    from irislib._modeling.feedback import make_record

    features = [dataclasses.replace(f, logged=f.name != "district") for f in module.spec.features]
    model = irislib.train(dataclasses.replace(module.spec, features=features))
    assert model.version == irislib.train(module.spec).version  # which it does not change
    app = create_app([model], options=Options(log=log))
    choice = next(f for f in features if f.name == "district").choices[0]
    app.test_client().post("/flat-rent", data={**FLAT, "district": choice})
    app.test_client().post("/flat-rent/batch", json=[{**FLAT, "district": choice}])
    app.end()
    assert len(read(log)) == 2
    assert str(choice) not in whole(log)
    record = make_record(model, {"district": choice, "area_m2": 40}, model.predict_row(FLAT), None, "")
    assert record["inputs"] == {"area_m2": 40}
    assert not irislib.Feature("secret", "password").is_logged
    assert not irislib.Feature("scan", "file").is_logged


def test_a_batch_is_written_down_in_part_and_the_rest_is_counted(iris: Any, log: LogOptions) -> None:
    app = create_app([iris], options=Options(log=dataclasses.replace(log, batch_rows=10)))
    line = ",".join(map(str, GOOD.values())) + "\n"
    body = ",".join(GOOD) + "\n" + line * 9_000  # more than one chunk
    answer = app.test_client().post("/iris-wizard/batch", data=body, content_type="text/csv")
    assert answer.data.count(b",virginica,") == 9_000
    app.end()
    assert [record["row"] for record in read(log)] == [*range(0, 9_000, 900)]
    text = app.test_client().get("/metrics").text
    assert 'irislib_prediction_log_entries_total{outcome="written"} 10.0' in text
    assert 'irislib_prediction_log_entries_total{outcome="left_out"} 8990.0' in text


def test_text_of_any_sort_stays_one_line(log: LogOptions) -> None:
    import branded

    model = irislib.train(branded.spec)
    records = ModelRecords(model)
    entry = records.entry("form", "id", [1.0] * len(model.spec.features), "a\n\u2028% \ud800", [0.5, 0.5])
    entry = entry._replace(request_id='"\n')
    (line,) = lines_of([entry])[0].decode().split("\n")[:-1]
    assert json.loads(line)["prediction"] == "a\n\u2028% ?"
    bad = entry._replace(prediction=float("nan"))
    lines, lost = lines_of([entry, bad, entry])
    assert (lines.count(b"\n"), lost) == (2, 1)


def test_the_folder_stays_within_its_limit_and_loses_the_oldest_files_first(iris: Any, tmp_path: Path) -> None:
    options = LogOptions(str(tmp_path), bytes=1_000_000)
    line = b'{"time": "2026-01-01", "text": "' + b"x" * 1000 + b'"}\n'
    folder = LogFolder(options)
    foreign = tmp_path / "notes.txt"
    foreign.write_text("mine")
    old = tmp_path / "predictions-2020-01-01-0001.jsonl"
    old.write_bytes(line)
    os.utime(old, (0, 0))
    held = LogFolder(options)
    held.append(line)
    (held_file,) = set(log_files(tmp_path)) - {old}
    os.utime(held_file, (1, 1))
    for _ in range(3_000):
        folder.append(line)
    assert sum(path.stat().st_size for path in log_files(tmp_path)) <= options.bytes
    assert len(log_files(tmp_path)) > 10
    assert not old.exists()
    assert held_file.exists()  # another process writes to it
    assert foreign.exists()
    assert {json.loads(text)["text"] for path in log_files(tmp_path) for text in path.read_text().splitlines()}
    for path in log_files(tmp_path):
        path.unlink()
    folder.append(line)  # to a new file
    assert [path.read_bytes() for path in log_files(tmp_path)] == [line]


def test_a_process_goes_on_with_the_file_of_one_that_was_killed(tmp_path: Path) -> None:
    first, second = (LogFolder(LogOptions(str(tmp_path))) for _ in range(2))
    first.append(b'{"time": "1"}\n')
    second.append(b'{"time": "2"}\n')
    assert len(log_files(tmp_path)) == 2  # no two processes write to one file
    first.close()
    path = log_files(tmp_path)[0]
    with path.open("ab") as file:
        file.write(b'{"time": "half')
    assert [record["time"] for record in read_records(tmp_path)] == ["1", "2"]
    first.append(b'{"time": "3"}\n')
    assert path.read_bytes() == b'{"time": "1"}\n{"time": "3"}\n'
    assert len(log_files(tmp_path)) == 2


def test_without_locks_each_process_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "open_locked", lambda path: (-1, False))
    for number in range(2):
        LogFolder(LogOptions(str(tmp_path))).append(b'{"time": "%d"}\n' % number)
    assert len(log_files(tmp_path)) == 2


def test_a_log_that_is_stuck_costs_no_request_and_is_counted(
    iris: Any, log: LogOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 5)
    goes_on = threading.Event()
    append = LogFolder.append
    monkeypatch.setattr(LogFolder, "append", lambda self, lines: goes_on.wait() and append(self, lines))
    app = create_app([iris], options=Options(log=log))
    client = app.test_client()
    for _ in range(200):
        assert client.post("/iris-wizard", data=GOOD).json == "virginica"
    goes_on.set()
    app.end()
    written = len(read(log))
    assert 5 <= written < 200
    text = client.get("/metrics").text
    assert f'irislib_prediction_log_entries_total{{outcome="written"}} {written}.0' in text
    assert f'irislib_prediction_log_entries_total{{outcome="lost"}} {200 - written}.0' in text


def test_a_folder_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, reason in ((str(tmp_path / "file" / "log"), "Not a directory"), ("nothing://log", "cannot be used")):
        with pytest.raises(IrislibError, match=reason):
            LogOptions.of_server({"prediction_log": folder})
    with pytest.raises(IrislibError, match="at least 1,000,000"):
        LogOptions.of_server({"prediction_log": str(tmp_path), "prediction_log_bytes": 5})


def test_the_right_answer_is_written_down_at_once(iris: Any, rent: Any, log: LogOptions) -> None:
    app = create_app([iris, rent], options=Options(log=log))
    client = app.test_client()
    sent = {"request_id": "mine", "right_answer": "setosa"}
    stored = {**sent, "time": ANY, "model": "iris-wizard", "row": None, "note": ""}
    assert client.post("/iris-wizard/feedback", json=sent).json == stored
    assert client.post("/iris-wizard/feedback", data={**sent, "row": "3", "note": "See?"}).status_code == 200
    assert client.post("/flat-rent/feedback", json={"request_id": "x", "right_answer": 612.5}).status_code == 200
    assert [(r["row"], r["right_answer"], r["note"]) for r in read(log)] == [
        (None, "setosa", ""), (3, "setosa", "See?"), (None, 612.5, ""),
    ]  # fmt: skip
    for name, change in {
        "request_id": {"request_id": "no id"}, "right_answer": {"right_answer": "rose"}, "row": {"row": -1},
        "note": {"note": "x" * 2001}, "token": {"token": "t"},
    }.items():  # fmt: skip
        answer = client.post("/iris-wizard/feedback", json={**sent, **change})
        assert (answer.status_code, [error["feature"] for error in answer.json["errors"]]) == (422, [name])
    assert len(client.post("/flat-rent/feedback", json={"row": True}).json["errors"]) == 3
    assert client.post("/nothing/feedback", json=sent).status_code == 404
    assert len(read(log)) == 3


@pytest.mark.parametrize("classes", [(0.0, 1.0), (0, 1), (False, True), ("0", "1")], ids=str)
def test_a_class_is_reported_as_the_endpoint_answers_it(classes: Any, log: LogOptions) -> None:
    rows, target = pd.DataFrame({"size": np.arange(40.0)}), np.repeat(classes, 20)
    model = irislib.Model.from_estimator(LogisticRegression().fit(rows, target), rows, target, name="m")
    app = create_app([model], options=Options(log=log))
    client = app.test_client()
    app.begin()
    for size in range(40):
        answer = client.post("/m", json={"size": size}, headers={"X-Request-ID": f"id{size}"})
        for text in {answer.text, answer.text.replace(".0", "")}:  # JavaScript writes 1.0 as 1
            body = f'{{"request_id": "id{size}", "right_answer": {text}}}'
            sent = client.post("/m/feedback", data=body, content_type="application/json")
            assert sent.status_code == 200, sent.json
    app.end()
    row = irislib.drift(model, log.folder).frame.set_index("compared").loc["right answers"]
    assert row["now"] == 1


def test_feedback_that_cannot_be_stored_says_so(iris: Any, log: LogOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"request_id": "mine", "right_answer": "setosa"}
    answer = create_app([iris]).test_client().post("/iris-wizard/feedback", json=sent)
    assert (answer.status_code, "--prediction-log" in answer.json["detail"]) == (404, True)
    client = create_app([iris], options=Options(log=log)).test_client()
    for number, status in ((errno.ENOSPC, 507), (errno.EIO, 503)):

        def fail(folder: Any, lines: bytes, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(LogFolder, "append", fail)
        answer = client.post("/iris-wizard/feedback", json=sent)
        assert answer.status_code == answer.json["status"] == status
        assert "is not stored" in answer.json["detail"]


def test_feedback_is_documented_where_there_is_a_log(iris: Any, log: LogOptions) -> None:
    with_log, without = (
        create_app([iris], options=Options(log=options)).test_client().get("/openapi.json").json["paths"]
        for options in (log, LogOptions())
    )
    assert "/iris-wizard/feedback" not in without
    body = with_log["/iris-wizard/feedback"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["request_id", "right_answer"]


def test_feedback_of_a_page_is_in_the_log_too(log: LogOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import branded

    spec = dataclasses.replace(branded.spec, feedback=tmp_path / "feedback.jsonl")
    page = irislib.app(irislib.train(spec))
    assert "Stored" not in dict(page.facts["about"])
    for name, value in log.to_environment().items():
        monkeypatch.setenv(name, value)
    request = {"method": "feedback", "id": 1, "values": {"size": "3"}, "right_answer": "large", "note": ""}
    assert "thanks" in page.reply(request)[0]
    assert read(log) == [json.loads((tmp_path / "feedback.jsonl").read_text())]
    assert dict(irislib.app(irislib.train(spec)).facts["about"])["Stored"].startswith("your inputs and the answer")


@pytest.fixture
def uploaded(tmp_path: Path) -> LogOptions:
    """A log at a URL that other processes can read."""
    url = f"local://{tmp_path}/store/log"
    return LogOptions.of_server({"prediction_log": url, "prediction_log_spool": str(tmp_path / "spool")})


def at_url(options: LogOptions) -> list[Any]:
    with local_log(options.url) as folder:
        return [record["time"] for record in read_records(folder)]


def line_of(number: int) -> bytes:
    return b'{"time": %d}\n' % number


def test_a_log_at_a_url_waits_while_that_is_away_and_is_there_once(uploaded: LogOptions, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    folder, other = LogFolder(uploaded), LogFolder(uploaded)
    uploader = Uploader(uploaded, folder.close)
    (tmp_path / "store").touch()  # a file, in which no folder can be made
    with pytest.raises(DataError, match=r"cannot be read|There is no"):
        at_url(uploaded)
    folder.append(line_of(1))
    other.append(line_of(2))
    assert not uploader.turn()
    folder.append(line_of(3))
    (waiting,) = seal(Path(uploaded.folder))  # and not the files that are written to
    (tmp_path / "store").unlink()
    assert uploader.turn()
    assert at_url(uploaded) == [1, 3]
    waiting.write_bytes(line_of(1))  # as a process leaves it that is killed before it is deleted
    other.append(line_of(4) + b'{"time": "half')
    other.close()
    assert uploader.turn()
    assert at_url(uploaded) == [1, 3, 2, 4]
    assert log_files(Path(uploaded.folder)) == []
    environment = uploaded.to_environment()  # of a visitor's kernel, which needs no key of the store
    assert environment["IRISLIB_PREDICTION_LOG"] == uploaded.folder


def test_what_a_killed_process_leaves_is_uploaded_by_the_next(uploaded: LogOptions, iris: Any) -> None:
    pytest.importorskip("fsspec")
    ready, written = os.pipe()
    if (child := os.fork()) == 0:
        log = writer.PredictionLog(uploaded)
        log.start()
        for number in range(500):
            log.add(log.records_of(iris).entry("form", str(number), [*GOOD.values()], "virginica", [0.0, 0.0, 1.0]))
        log.flush()
        os.write(written, b"1")
        os.kill(os.getpid(), signal.SIGKILL)
    os.read(ready, 1)
    os.waitpid(child, 0)
    app = create_app([iris], options=Options(log=uploaded))
    app.begin()
    app.test_client().post("/iris-wizard", data=GOOD, headers={"X-Request-ID": "500"})
    app.end()
    with local_log(uploaded.url) as folder:
        assert sorted(int(record["request_id"]) for record in read_records(folder)) == [*range(501)]
    assert irislib.drift(iris, uploaded.url).text.count("501")


def test_the_log_at_a_url_stays_within_its_limits(uploaded: LogOptions, tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    options = dataclasses.replace(uploaded, bytes=1000)
    folder = LogFolder(dataclasses.replace(options, bytes=1_000_000))
    store = tmp_path / "store" / "log"
    store.mkdir(parents=True)
    old = store / "predictions-2020-01-01T000000000000-0123456789abcdef-14.jsonl"
    old.write_bytes(line_of(1))
    (store / "notes.txt").write_text("mine")
    uploader = Uploader(options, folder.close)
    for number in range(10):
        folder.append(line_of(number) * 20)
        assert uploader.turn()
        assert sum(path.stat().st_size for path in log_files(store)) <= 1000
    assert not old.exists()
    assert {*at_url(options)} == {6, 7, 8, 9}
    assert (store / "notes.txt").exists()
