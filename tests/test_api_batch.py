"""Many rows at once: checked column by column, answered in the form they came in."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import threading
import tracemalloc
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from conftest import FUZZ
from hypothesis import example, given, settings
from hypothesis import strategies as st
from invalid_inputs import GOOD, LIMITS, NAMES, SENT, TYPED, TYPES
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, PoissonRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier
from werkzeug.exceptions import BadRequest, ClientDisconnected, UnsupportedMediaType

from irislib import Feature, Model
from irislib._description.validation import check_columns, check_row, check_values
from irislib._description.values import to_python
from irislib._modeling import csv_predictions, csv_rows
from irislib._modeling.training_warnings import unlike
from irislib.api import Options, _batch, _config, create_app
from irislib.api._batch_limits import BatchLimits
from irislib.errors import Problem, ValidationError

ROW = {"area_m2": 40, "district": "hill", "balcony": True, "built": "1990-05-01"}
quick = settings(deadline=None, max_examples=40 * FUZZ)


def send(model, body: Any, kind: str = "application/json", **more: Any) -> str:
    """Return the whole answer to a body of text, bytes, or values to be written as JSON."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    content = text if isinstance(text, bytes) else text.encode()
    mimetype, pieces, _ = _batch.answer(model, io.BytesIO(content), kind, BatchLimits(Options(), **more))
    assert mimetype == kind
    return b"".join(pieces).decode("utf-8-sig")


def ask(model, body: Any) -> Any:
    return json.loads(send(model, body), parse_constant=pytest.fail)


def by_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def as_csv(rows: list[dict[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def messages_of(entries: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["feature"]: entry["message"] for entry in entries}


@pytest.mark.parametrize("rows", [7, 150, 8000])
def test_every_flower_in_all_three_forms(iris, flowers, monkeypatch, rows: int) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", rows)
    monkeypatch.setattr(_batch, "PIECE_BYTES", 1000)
    expected = iris.predict(flowers).tolist()
    shares = iris.predict_proba(flowers)
    records = ask(iris, flowers)
    assert [row["prediction"] for row in records] == expected
    assert [list(row["probabilities"].values()) for row in records] == shares.tolist()
    assert all(list(row["probabilities"]) == iris.classes and row["errors"] == [] for row in records)
    columns = ask(iris, by_columns(flowers))
    assert columns["prediction"] == expected
    assert columns["probabilities"] == dict(zip(iris.classes, shares.T.tolist(), strict=True))
    assert columns["errors"] == [[]] * 150
    for name in ("warnings", "errors"):
        assert columns[name] == [row[name] for row in records]
    table = list(csv.DictReader(io.StringIO(send(iris, as_csv(flowers), "text/csv"))))
    assert [row["predicted_species"] for row in table] == expected
    assert [float(row["petal_length_cm"]) for row in table] == [row["petal_length_cm"] for row in flowers]


def test_a_row_has_the_same_answer_as_alone(rent) -> None:
    rows = [ROW, {**ROW, "rooms": 3, "district": None}, {**ROW, "balcony": "no", "area_m2": 900.5, "rooms": 4.0}]
    expected = [rent.predict_row(row) for row in rows]
    records = ask(rent, rows)
    assert [row["prediction"] for row in records] == [answer.prediction for answer in expected]
    assert [row["probabilities"] for row in records] == [None] * 3
    warned = [[{"feature": w.feature, "message": w.message} for w in answer.warnings] for answer in expected]
    assert [row["warnings"] for row in records] == warned
    assert warned[2][0]["message"].startswith("area_m2 is 900.5, but the model was trained on")
    columns = ask(rent, by_columns([{"rooms": None, **row} for row in rows]))
    assert columns == {
        "prediction": [row["prediction"] for row in records],
        "probabilities": None,
        "warnings": warned,
        "errors": [[], [], []],
    }
    table = csv.DictReader(io.StringIO(send(rent, as_csv([{"rooms": "", **row} for row in rows]), "text/csv")))
    assert [float(row["predicted_rent"]) for row in table] == columns["prediction"]


def test_columns_that_may_be_empty_can_be_left_out(rent) -> None:
    columns = {"built": ["1990-05-01"] * 2, "area_m2": ["40", 41], "balcony": [True, "no"]}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert ask(rent, columns)["prediction"] == rent.predict(rows).tolist()


@pytest.mark.parametrize("case", [*TYPED, *SENT, *TYPES], ids=lambda case: str(case.changes)[:40])
def test_a_bad_row_has_errors_and_the_others_predictions(iris, monkeypatch, case) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 2)  # it is the second row of the second chunk
    answers = ask(iris, [GOOD, GOOD, GOOD, case.row, GOOD])
    bad = answers.pop(3)
    assert [row["prediction"] for row in answers] == ["virginica"] * 4
    assert [row["errors"] for row in answers] == [[]] * 4
    assert (bad["prediction"], bad["probabilities"], bad["warnings"]) == (None, None, [])
    assert messages_of(bad["errors"]) == case.messages
    assert {entry["pointer"] for entry in bad["errors"]} == {f"#/3/{name}" for name in case.messages}


@pytest.mark.parametrize("case", [*TYPED, *TYPES], ids=lambda case: str(case.changes)[:40])
def test_a_bad_value_in_a_column_has_errors(iris, monkeypatch, case) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 2)
    answers = ask(iris, by_columns([GOOD, GOOD, GOOD, {**GOOD, **case.row}, GOOD]))
    assert answers["prediction"] == ["virginica", "virginica", "virginica", None, "virginica"]
    assert answers["probabilities"]["setosa"] == [0.0, 0.0, 0.0, None, 0.0]
    assert [bool(errors) for errors in answers["errors"]] == [False, False, False, True, False]
    assert messages_of(answers["errors"][3]) == case.messages
    assert {entry["pointer"] for entry in answers["errors"][3]} == {f"#/{name}/3" for name in case.messages}


def at(body: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer in the fragment of a URI (RFC 6901)."""
    assert pointer.isascii()
    assert " " not in pointer
    for step in unquote(pointer.removeprefix("#")).split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        body = body[int(key)] if isinstance(body, list) else body[key]
    return body


def test_a_pointer_leads_to_the_value_by_the_key_that_was_received() -> None:
    columns = ["width (cm)", "a/b~c", "Größe 50%", "3"]
    rows = pd.DataFrame(np.arange(40.0).reshape(10, 4), columns=columns)
    target = rows["a/b~c"].to_numpy()
    model = Model.from_estimator(LinearRegression().fit(rows.to_numpy(), target), rows, target, name="m")
    client, names = create_app([model]).test_client(), model.spec.feature_names
    for keys in (columns, names, [*names[:2], *columns[2:]]):
        bad = {key: f"bad {i}" for i, key in enumerate(keys)} | {"an other/~": "bad"}
        by_column = {key: [1, value] for key, value in bad.items() if key in keys}
        records = [dict.fromkeys(keys, 1), bad]
        for path, body, errors in (
            ("/m", bad, lambda answer: answer["errors"]),
            ("/m/insights/contributions", bad, lambda answer: answer["errors"]),
            ("/m/batch", records, lambda answer: answer[1]["errors"]),
            ("/m/batch", by_column, lambda answer: answer["errors"][1]),
            ("/m/batch", bad, lambda answer: answer["errors"]),  # no arrays
        ):
            entries = errors(client.post(path, json=body).get_json())
            assert {*names} <= {entry["feature"] for entry in entries}
            assert [at(body, entry["pointer"]) for entry in entries if entry["value"] is not None] == [
                entry["value"] for entry in entries if entry["value"] is not None
            ]
        form = client.post("/m", data=bad).get_json()["errors"]
        assert [at(bad, entry["pointer"]) for entry in form] == [entry["value"] for entry in form]


def test_records_that_are_no_objects(iris) -> None:
    twice = json.dumps(GOOD)[:-1] + ', "petal_width_cm": 1, "petal_width_cm": 2}'
    answers = ask(iris, f"[5, {json.dumps(GOOD)}, [1, 2], null, {twice}, {{}}]")
    assert [row["prediction"] for row in answers] == [None, "virginica", None, None, None, None]
    for i, text in ((0, "5"), (2, "[1, 2]"), (3, "None")):
        (entry,) = answers[i]["errors"]
        assert entry["message"] == f"Expected an object of feature names and values, got {text}."
        assert (entry["feature"], entry["pointer"]) == (None, f"#/{i}")
    assert answers[4]["errors"] == [
        {
            "feature": "petal_width_cm",
            "pointer": "#/4/petal_width_cm",
            "message": "petal_width_cm was given more than once.",
            "value": "[2.5, 1, 2]",
        }
    ]
    assert list(messages_of(answers[5]["errors"])) == list(GOOD)


def test_a_table_keeps_its_lines(iris) -> None:
    head = ";".join(GOOD)
    text = f"\ufeffsep=;\r\n{head};id\r\n6,0;2,5;6,3;3,3;a\r\n\r\n6;2;6\r\n1;1;1;1;b\r\nx;1;1;1;c\r\n\r\n"
    table = list(csv.DictReader(io.StringIO(send(iris, text, "text/csv")), delimiter=";"))
    assert [row["predicted_species"] for row in table] == ["virginica", "", "", "versicolor", ""]
    assert [row["id"] for row in table] == ["a", "", "", "b", "c"]
    assert [row["petal_length_cm"] for row in table] == ["6,0", "", "6", "1", "x"]
    assert table[2]["problems"] == "This line has 3 values, but the first line names 5 columns."
    assert "sepal_length_cm is 1, but" in table[3]["warnings"]
    assert table[4]["problems"] == "petal_length_cm must be a number, got 'x'."


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("", "cp1252"), ("iso-8859-2", "iso-8859-2"), ("windows-1251", "cp1251"), ("Shift_JIS", "cp932"),
     ("utf-16le", "utf-16-le"), ("windows-1252", "utf-8"), ("rot13", "utf-8")],
)  # fmt: skip
def test_a_table_is_read_in_the_encoding_that_is_named(iris, charset: str, encoding: str) -> None:
    word = {"cp1251": "Москва", "cp932": "東京｜表", "iso-8859-2": "Łódź"}.get(encoding, "Größe")
    text = ";".join([*GOOD, "note"]) + f"\r\n6,0;2,5;6,3;3,3;{word}\r\n"
    client = create_app([iris]).test_client()
    kind = f"text/csv; charset={charset}" if charset else "text/csv"
    answer = client.post("/iris-wizard/batch", data=text.encode(encoding), content_type=kind)
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf") == (encoding != "utf-8")  # by which spreadsheets know it
    (row,) = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";")
    assert (row["note"], row["predicted_species"]) == (word, "virginica")
    assert float(row["probability_virginica"].replace(",", ".")) > 0.9
    assert "." not in row["probability_virginica"]


EXPECTED = "an array of objects, one for each row, or an object of arrays, one for each feature"
NOT_JSON = [
    ("", "Expecting value: line 1 column 1 (char 0)"),
    ("nul", "Expecting value: line 1 column 1 (char 0)"),
    ("petal_length_cm=1", "Expecting value: line 1 column 1 (char 0)"),
    ("[", "Expecting value: line 1 column 2 (char 1)"),
    ('[{"a": 1},\n {"b": 2}\n {"c": 3}]', "Expecting ',' delimiter: line 3 column 2 (char 22)"),
    ('[{"a": 1}, {"b": "c]', "Unterminated string starting at: line 1 column 18 (char 17)"),
    ('[{"a": 1}] []', "Extra data: line 1 column 12 (char 11)"),
    ("5 5", "Extra data: line 1 column 3 (char 2)"),
    ('{"a": [1, 2}', "Expecting ',' delimiter: line 1 column 12 (char 11)"),
    ('{"a" [1]}', "Expecting ':' delimiter: line 1 column 6 (char 5)"),
    ("{a: [1]}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    (b'[{"a": "\xff"}]', "it is not UTF-8 text"),
    ('"' + "x" * 1_000_000, "Unterminated string starting at: line 1 column 1 (char 0)"),
]
REFUSED = [
    ("[]", ["Expected at least one row, got none."]),
    ({name: [] for name in GOOD}, ["Expected at least one row, got none."]),
    ({}, [f"{name} is missing: expected a number {LIMITS}." for name in GOOD]),
    (
        by_columns([{("petal_widht_cm" if name == "petal_width_cm" else name): 1 for name in GOOD}]),
        [
            "Unknown feature 'petal_widht_cm'. Did you mean 'petal_width_cm'?",
            f"petal_width_cm is missing: expected a number {LIMITS}.",
        ],
    ),
    ({"colour": [1], **by_columns([GOOD])}, [f"Unknown feature 'colour'. Known: {NAMES}."]),
    (GOOD, [f"{name} must be an array, got {value}." for name, value in GOOD.items()]),
    (
        {**by_columns([GOOD, GOOD]), "sepal_length_cm": [1, 2, 3]},
        ["sepal_length_cm has 3 values, but petal_length_cm has 2."],
    ),
    (
        json.dumps(by_columns([GOOD]))[:-1] + ', "petal_width_cm": [1]}',
        ["petal_width_cm was given more than once."],
    ),
]


@pytest.mark.parametrize(("body", "reason"), NOT_JSON, ids=lambda value: str(value)[:20])
def test_a_body_that_is_not_json(iris, body: str | bytes, reason: str) -> None:
    with pytest.raises(BadRequest) as caught:
        send(iris, body)
    assert caught.value.description == f"The body is not JSON: {reason}."


@pytest.mark.parametrize("body", ["[" * 50_000, '[{"a":' * 50_000, '{"a":[' * 50_000, "[" + "9" * 5000 + "]"])
def test_json_that_is_too_much_for_python(iris, body: str) -> None:
    with pytest.raises(BadRequest) as caught:
        send(iris, body)
    assert caught.value.description.startswith("The body is not JSON: ")
    assert len(caught.value.description) < 250


def test_json_of_any_depth_is_answered_or_refused(iris) -> None:
    ends = {"answered": 0, "refused": 0}
    for depth in range(900, 1000):  # somewhere here Python 3.11 gives up; later ones have more room
        deep = "[" * depth + "]" * depth
        for body in (f'[{{"petal_width_cm": {deep}}}]', f"[{deep}]"):
            try:
                send(iris, body)
                ends["answered"] += 1
            except BadRequest:
                ends["refused"] += 1
    assert ends["answered"]


@pytest.mark.parametrize(("body", "value"), [("5", "5"), ('"' + "x" * 99 + '"', f"'{'x' * 38}…"), ("null", "None")])
def test_json_of_another_form(iris, body: str, value: str) -> None:
    with pytest.raises(BadRequest) as caught:
        send(iris, body)
    assert caught.value.description == f"Expected {EXPECTED}, got {value}."


@pytest.mark.parametrize(("body", "messages"), REFUSED, ids=lambda value: str(value)[:30])
def test_a_body_that_is_refused_as_a_whole(iris, body: Any, messages: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        send(iris, body)
    assert [problem.message for problem in caught.value.problems] == messages
    assert {problem.row for problem in caught.value.problems} == {None}


def test_a_table_that_is_refused_as_a_whole(iris) -> None:
    head = ",".join(GOOD)
    for text, message in (
        ("", "The file is empty."),
        (f"{head}\n\n", "The file holds no rows below its first line"),
        (f"{head}\n1,1,1,1\n".encode() * 9000 + b"\x81", "This is no CSV file: it is not UTF-8 text."),
        (
            f"{head}\n" + "1,1,1,1\n" * 9000 + '"1',
            "This is no CSV file. The quotation mark that opens in line 9002 is not closed",
        ),
        ("a,b\n1,2\n", "The file lacks the column petal_length_cm"),
    ):
        with pytest.raises(ValidationError) as caught:
            send(iris, text, "text/csv")
        assert caught.value.problems[0].message.startswith(message)


@pytest.mark.parametrize("mimetype", ["text/plain", ""])
def test_a_body_of_another_kind(iris, mimetype: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        send(iris, "[]", mimetype)
    sent = mimetype or "a body without a Content-Type"
    assert caught.value.description.startswith("Send JSON (application/json), CSV (text/csv), an Excel file (.xlsx) or")
    assert caught.value.description.endswith(f", not {sent}.")


def test_of_many_unknown_columns_only_some_are_named(iris) -> None:
    columns = {f"a{i}": i for i in range(1000)} | by_columns([GOOD])
    with pytest.raises(ValidationError) as caught:
        send(iris, columns)
    assert {problem.feature for problem in caught.value.problems} == {f"a{i}" for i in range(100)}


def test_json_may_begin_with_a_byte_order_mark(iris) -> None:
    answers = json.loads(send(iris, f"\ufeff \n[{json.dumps(GOOD)}]\n"))
    assert [row["prediction"] for row in answers] == ["virginica"]


@pytest.mark.parametrize(
    ("start", "row", "end", "kind"),
    [
        ("[", json.dumps(GOOD) + ",", "]", "application/json"),
        (",".join(GOOD) + "\n", "1,1,1,1\n", '"', "text/csv"),
        (json.dumps(by_columns([GOOD] * 50))[:-2], ", 1", '], "a" 5}', "application/json"),
    ],
    ids=["records", "table", "columns"],
)
def test_nothing_is_answered_before_all_is_read(iris, monkeypatch, start: str, row: str, end: str, kind: str) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 10)
    monkeypatch.setattr(_batch.many_rows, "predict_many", lambda *_: pytest.fail("answered already"))
    with pytest.raises((BadRequest, ValidationError)):
        _batch.answer(iris, io.BytesIO((start + row * 50 + end).encode()), kind, BatchLimits(Options()))


@pytest.mark.parametrize("form", [list, by_columns, as_csv])
def test_every_chunk_has_a_heartbeat(iris, flowers, monkeypatch, form) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 10)
    beats: list[int] = []
    kind = "text/csv" if form is as_csv else "application/json"
    send(iris, form(flowers), kind, heartbeat=lambda: beats.append(1))
    assert len(beats) == (30 if form is as_csv else 15)  # a table is read once more before


@pytest.mark.parametrize("has_length", [True, False], ids=["length", "chunked"])
@pytest.mark.parametrize(("kind", "limit"), [("application/json", 400_000), ("text/csv", 500_000)])
def test_a_batch_over_the_limit_is_refused_unread(iris, monkeypatch, kind: str, limit: int, has_length: bool) -> None:
    monkeypatch.setattr(_config, "JSON_BATCH_BYTES", 400_000)
    body = io.BytesIO(b" " * 5_000_000)
    request: dict[str, Any] = {"input_stream": body, "content_type": kind}
    if has_length:
        request["content_length"] = len(body.getvalue())
    else:
        request["environ_overrides"] = {"wsgi.input_terminated": True}  # as Gunicorn has it
    client = create_app([iris], options=Options(batch_bytes=500_000)).test_client()
    response = client.post("/iris-wizard/batch", **request)
    assert response.status_code == 413
    advice = (
        "Send it in parts, or as CSV, of which 500,000 bytes are taken." if limit == 400_000 else "Send it in parts."
    )
    assert response.json["detail"] == f"The body is larger than {limit:,} bytes. {advice}"
    assert body.tell() <= (0 if has_length else limit + 1)


def test_a_batch_at_the_limit_is_answered(iris, monkeypatch) -> None:
    body = json.dumps([GOOD])
    client = create_app([iris]).test_client()
    for limit, status in ((len(body), 200), (len(body) - 1, 413)):
        monkeypatch.setattr(_config, "JSON_BATCH_BYTES", limit)
        response = client.post("/iris-wizard/batch", data=body, content_type="application/json; charset=utf-8")
        assert response.status_code == status


def test_memory_does_not_grow_with_the_rows_of_a_table(iris, flowers, monkeypatch) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 300)
    peaks = []
    for times in (10, 40):
        body = io.BytesIO(as_csv(flowers * times).encode())
        tracemalloc.start()
        for _ in _batch.answer(iris, body, "text/csv", BatchLimits(Options()))[1]:
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


class UnusualEstimator:
    """An estimator with unusual class names and without finite probabilities for some rows."""

    classes_ = np.array(["50 %\n", "a"], dtype=object)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), "50 %\n", object)

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        first = rows["petal_length_cm"].to_numpy()
        return (np.array([first, 1 - first]) / np.where(first == 1, np.nan, 1)).T


class Numbers:
    def __init__(self, *values: Any):
        self.values = values

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return np.array(self.values[: len(rows)])


def test_classes_may_have_any_name_and_a_probability_that_is_no_number_is_an_error(iris) -> None:
    model = replace(iris, estimator=UnusualEstimator())
    rows = [{**GOOD, "petal_length_cm": length, "sepal_width_cm": 9} for length in (0.25, 1, 0.5)]
    sound = {"prediction": "50 %\n", "probabilities": {"50 %\n": 0.25, "a": 0.75}, "errors": []}
    records = ask(model, rows)
    assert {**records[0], "warnings": 0} == {**sound, "warnings": 0}
    assert (records[1]["prediction"], records[1]["probabilities"], records[1]["warnings"]) == (None, None, [])
    assert [entry["message"] for entry in records[1]["errors"]] == ["The model gives no answer for these values."]
    assert records[1]["errors"][0]["pointer"] == "#/1"
    columns = ask(model, by_columns(rows))
    assert columns["prediction"] == ["50 %\n", None, "50 %\n"]
    assert columns["probabilities"] == {"50 %\n": [0.25, None, 0.5], "a": [0.75, None, 0.5]}
    rows[2]["petal_length_cm"] = 1 / 3
    table = list(csv.DictReader(io.StringIO(send(model, as_csv(rows), "text/csv"), newline="")))
    assert [row["probability_a"] for row in table] == ["0.75", "", "0.666667"]
    assert [bool(row["problems"]) for row in table] == [False, True, False]


class RefusedError(Exception):
    """An error of an estimator's own, as CatBoost and LightGBM have one."""


class Choosy(DecisionTreeClassifier):
    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.classes_.take(self.predict_proba(rows).argmax(axis=1))

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        if (rows["a"] < 0).any():
            raise RefusedError("a is below 0")
        return super().predict_proba(rows)


A_B = pd.DataFrame({"a": np.arange(40) / 20, "b": np.arange(40) % 7})
TOWNS = pd.DataFrame({"town": [f"Town number {i}" for i in range(40)]})
REFUSED_ROWS: dict[str, tuple[Any, pd.DataFrame, dict[str, Any], str]] = {
    "beyond float32": (DecisionTreeClassifier(max_depth=3), A_B, {"a": 1e39, "b": 1}, "too large for dtype"),
    "an unknown category": (make_pipeline(OneHotEncoder(), LinearRegression()), TOWNS, {"town": "Paris"}, "['Paris']"),
    "an infinite answer": (PoissonRegressor(alpha=0), A_B, {"a": 5000, "b": 1}, ""),
    "an error of its own": (Choosy(max_depth=3), A_B, {"a": -1, "b": 1}, "a is below 0"),
    "an overflow": (make_pipeline(FunctionTransformer(np.square), Ridge()), A_B, {"a": 1e308, "b": 1}, "too large"),
}


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")
@pytest.mark.parametrize(("estimator", "frame", "bad", "reason"), REFUSED_ROWS.values(), ids=[*REFUSED_ROWS])
def test_a_row_that_the_estimator_refuses_keeps_no_other_from_being_answered(
    estimator, frame, bad, reason: str, caplog
) -> None:
    target = (np.arange(40) > 20).astype(float)
    model = Model.from_estimator(clone(estimator).fit(frame, target), frame, target, name="m")
    client = create_app([model]).test_client()
    good = {name: to_python(value) for name, value in frame.iloc[30].items()}
    message = "The model gives no answer for these values."
    for query in ("", "?details=1"):
        alone = client.post(f"/m{query}", json=bad)
        assert (alone.status_code, alone.json["detail"]) == (422, message)
    with pytest.raises(ValidationError, match=message):
        model.predict_row(bad)
    rows = [good] * 9 + [bad] + [good] * 8 + [bad]
    is_good = [row is good for row in rows]
    sound = ask(model, [good])[0]
    records = ask(model, rows)
    assert [record == sound for record in records] == is_good
    assert {error["message"] for record in records for error in record["errors"]} == {message}
    assert [prediction is not None for prediction in ask(model, by_columns(rows))["prediction"]] == is_good
    for table in (rows, [good, bad]):
        lines = list(csv.DictReader(io.StringIO(send(model, as_csv(table), "text/csv"))))
        assert [line["problems"] for line in lines] == ["" if row is good else message for row in table]
    assert ask(model, [bad])[0]["errors"]
    lines_of_log = [record.message for record in caplog.records]
    assert not [
        text for text in lines_of_log if reason not in text or not text.startswith("The estimator of m refuses ")
    ]
    assert ("The estimator of m refuses 2 rows: " in "\n".join(lines_of_log)) is bool(reason)


class Broken:
    """An estimator that refuses every row."""

    def predict(self, rows: Any) -> Any:
        raise ValueError("it is broken")


def test_an_estimator_that_refuses_every_row_is_a_fault(iris) -> None:
    broken = replace(iris, estimator=Broken())
    client = create_app([broken]).test_client()
    assert client.post("/iris-wizard", json=GOOD).status_code == 500
    assert client.post("/iris-wizard/batch", json=[GOOD, GOOD]).status_code == 500


@pytest.mark.parametrize("values", [(1.5, 1e300), (True, False), (2, 3)])
def test_predictions_are_plain_values(iris, values: tuple) -> None:
    assert [row["prediction"] for row in ask(replace(iris, estimator=Numbers(*values)), [GOOD, GOOD])] == [*values]
    assert ask(replace(iris, estimator=Numbers(float("inf"))), [GOOD])[0]["errors"]


@pytest.mark.parametrize("form", [list, by_columns, as_csv])
def test_an_answer_can_be_closed_early(iris, flowers, monkeypatch, form) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 10)
    content = form(flowers)
    body = io.BytesIO(content.encode() if form is as_csv else json.dumps(content).encode())
    kind = "text/csv" if form is as_csv else "application/json"
    pieces = _batch.answer(iris, body, kind, BatchLimits(Options())).pieces
    next(pieces)
    pieces.close()
    del pieces
    assert body.seek(0) == 0  # it is the caller's to close


def test_a_fault_of_the_model_comes_before_the_answer_begins(iris) -> None:
    broken = replace(iris, estimator=object())
    with pytest.raises(AttributeError):
        _batch.answer(broken, io.BytesIO(json.dumps([GOOD]).encode()), "application/json", BatchLimits(Options()))


# --- limits ---


def answered(iris, body: str | bytes, kind: str, **options: int) -> tuple[str, BatchLimits]:
    """Return the answer under limits, and the limits."""
    limits = BatchLimits(Options(**options))
    content = body.encode() if isinstance(body, str) else body
    return b"".join(_batch.answer(iris, io.BytesIO(content), kind, limits)[1]).decode(), limits


def test_repeated_problems_are_counted_after_a_number_of_rows(iris) -> None:
    rows = [{}, GOOD, {**GOOD, "petal_width_cm": "x"}, {}, 5, GOOD, {**GOOD, "petal_width_cm": "x"}, {}]
    records = json.loads(answered(iris, json.dumps(rows), "application/json", batch_problem_rows=3)[0])
    assert [[entry["message"] for entry in row["errors"]] for row in records[4:]] == [
        ["1 problem."], [], ["1 problem."], ["4 problems."]
    ]  # fmt: skip
    assert [len(row["errors"]) for row in records[:4]] == [4, 0, 1, 4]
    assert records[7]["errors"] == [{"feature": None, "pointer": "#/7", "message": "4 problems.", "value": None}]
    by_column = by_columns([row if isinstance(row, dict) and row else dict.fromkeys(GOOD, "x") for row in rows])
    columns = json.loads(answered(iris, json.dumps(by_column), "application/json", batch_problem_rows=3)[0])
    assert [len(errors) for errors in columns["errors"]] == [4, 0, 1, 4, 1, 0, 1, 1]
    table = list(csv.DictReader(io.StringIO(answered(
        iris, as_csv([GOOD, *[dict.fromkeys(GOOD, "x")] * 3]), "text/csv", batch_problem_rows=2
    )[0])))  # fmt: skip
    assert [row["problems"][-11:] for row in table] == ["", "r, got 'x'.", "r, got 'x'.", "4 problems."]


def test_bad_rows_do_not_swell_to_much_more_than_sound_ones(iris) -> None:
    size = 120_000
    body = "[" + "{}," * (size // 3) + "{}]"
    assert len(answered(iris, body, "application/json")[0]) < 60 * size  # about as sound rows of this size would


def test_a_batch_of_too_many_rows_is_413(iris) -> None:
    client = create_app([iris], options=Options(batch_rows=10)).test_client()
    commas = {**GOOD, "petal_width_cm": "1,234"}  # all rows are read to know what a comma means
    for count, status in ((10, 200), (11, 413)):
        for body in ([GOOD] * count, by_columns([GOOD] * count), as_csv([GOOD] * count), as_csv([commas] * count)):
            kind = "text/csv" if isinstance(body, str) else "application/json"
            content = body if isinstance(body, str) else json.dumps(body)
            response = client.post("/iris-wizard/batch", data=content, content_type=kind)
            assert response.status_code == status
            assert status == 200 or response.json["detail"] == "The batch has more than 10 rows. Send it in parts."
    lines = as_csv([GOOD]) + "\n" * 20 + as_csv([GOOD]).splitlines()[1]
    assert client.post("/iris-wizard/batch", data=lines, content_type="text/csv").status_code == 413


CELLS = ["5.1", "2", "0.30000000000000004", "-0.0", "1e-5", ".5", "+3", "5 cm", "1 234", "", " 7 ", "NA", "inf", "1_0",
         "'5", "٣", "1.234", "1,5", "#", "-", "x", "é", "30", "9007199254740993"]  # fmt: skip
QUOTED = ["1*234", "12*345", "1*234.0", "1*234*567", "a* b", "#*b", "*", "30*"]  # * is the delimiter
LINES = [
    "",
    ",,,,",
    "# a remark",
    "# a remark,,,,",
    "1,2",
    "1,2,3,4,5,6",
    '1,2,3,"4",5',
    '1,2,3,"4\n",5',
    "#1,2,3,4,5",
    '"# a, remark",,,,',
    '"1,2","3""",4,5,6',
    '1"2,"3,4",5,6',
    "\0",
    " ",
]


@quick
@given(st.data())
def test_lines_of_plain_text_are_answered_as_all_others(iris, rent, data: st.DataObject) -> None:
    model = data.draw(st.sampled_from([iris, rent]))
    good = [str(GOOD.get(name, ROW.get(name, ""))) for name in model.spec.feature_names]
    delimiter = data.draw(st.sampled_from(";,"))
    quoted = st.sampled_from(QUOTED).map(lambda cell: f'"{cell.replace("*", delimiter)}"')
    rows = data.draw(st.lists(st.sampled_from([None, *range(len(good) + 1)]), min_size=1, max_size=9))
    lines = []
    for changed in rows:
        cells = [*good, "a note"]
        if changed is not None:
            plain = st.sampled_from([*CELLS, "hill", "true", "no", "1990-05-01", "2020-1-1"])
            cells[changed] = data.draw(plain.map(lambda cell: cell.replace(",", ".")) | quoted)
        lines.append(delimiter.join(cells))
    lines += [line.replace(",", delimiter) for line in data.draw(st.lists(st.sampled_from(LINES), max_size=2))]
    lines = data.draw(st.permutations(lines))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    body = end.join([delimiter.join([*model.spec.feature_names, "note"]), *lines]) + data.draw(
        st.sampled_from(["", end, 3 * end])
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_batch, "CHUNK_ROWS", data.draw(st.sampled_from([2, 8000])))
        quick_answer = answer_or_problems(model, body)
        patch.setattr(csv_rows, "find_first_row", lambda *_: None)
        assert quick_answer == answer_or_problems(model, body)


def answer_or_problems(model, body: str) -> Any:
    try:
        return send(model, body, "text/csv")
    except ValidationError as error:
        return error.problems


def test_one_request_at_a_time_uses_the_idle_cores(iris, flowers, monkeypatch) -> None:
    body = as_csv(flowers).encode()
    expected = send(iris, body, "text/csv").encode()
    predict, together, calls = csv_predictions.predict_csv_rows, threading.Barrier(2, timeout=60), []

    def predict_rows(*args: Any) -> Any:
        calls.append(threading.get_ident())
        if threading.get_ident() != main and len(calls) <= 2:
            together.wait()  # for another part of the rows
        return predict(*args)

    main = threading.get_ident()
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 50)
    monkeypatch.setattr(csv_predictions, "predict_csv_rows", predict_rows)
    monkeypatch.setattr("irislib._modeling.parallel.idle_cores", lambda: 2)
    first = _batch.answer(iris, io.BytesIO(body), "text/csv", BatchLimits(Options()))
    second = _batch.answer(iris, io.BytesIO(body), "text/csv", BatchLimits(Options()))
    assert b"".join(second.pieces) == expected
    assert calls.count(main) == 3  # the threads are those of the first
    assert b"".join(first.pieces) == expected
    assert len({*calls} - {main}) == 2


def test_empty_lines_cost_less_than_sound_rows(iris, monkeypatch) -> None:
    predicted = []
    predict = csv_predictions.predict_csv_rows
    monkeypatch.setattr(
        csv_predictions,
        "predict_csv_rows",
        lambda model, layout, rows: predicted.append(len(rows)) or predict(model, layout, rows),
    )
    head, line = as_csv([GOOD]).splitlines()
    text = answered(iris, "\n".join([head, line, *[""] * 20_000, line]), "text/csv")[0]
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["predicted_species"] for row in table] == ["virginica", *[""] * 20_000, "virginica"]
    assert sum(predicted) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_seconds": -1}, "The batch takes longer than -1 seconds. Send it in parts."),
        ({"batch_answer_bytes": 100}, "The answer is longer than 100 bytes. Send the batch in parts."),
    ],
)
def test_a_batch_ends_at_its_limits(iris, caplog, options: dict[str, int], message: str) -> None:
    client = create_app([iris], options=Options(**options)).test_client()
    with contextlib.suppress(BrokenPipeError):  # the answer has begun, and its client sees it broken off
        response = client.post("/iris-wizard/batch", json=[GOOD] * 10)
        assert (response.status_code, response.json["detail"]) == (503, message)
        return
    assert f"The answer to a batch was broken off: {message}" in caplog.text


def test_the_work_ends_when_the_client_has_gone(iris, flowers, monkeypatch) -> None:
    monkeypatch.setattr(_batch, "CHUNK_ROWS", 10)
    gone = iter([False, False, True])
    limits = BatchLimits(Options(), is_client_gone=lambda: next(gone))
    pieces = _batch.answer(iris, io.BytesIO(json.dumps(flowers).encode()), "application/json", limits)[1]
    with pytest.raises(ClientDisconnected):
        list(pieces)


# --- columns checked as a whole ---

FEATURES = [
    Feature("x"),
    Feature("x", low=0, high=10, closed="left"),
    Feature("x", low=-1, closed="neither", required=False),
    Feature("x", "integer"),
    Feature("x", "integer", low=-5, high=2**60, required=False),
    Feature("x", "integer", dtype="uint8"),
    Feature("x", "integer", low=-5, dtype="int16"),
    Feature("x", "choice", choices=["a", "b", 1, 2.5]),
    Feature("x", "choice", choices=[0, 1], required=False),
    Feature("x", "boolean"),
    Feature("x", "boolean", required=False),
    Feature("x", "date", low="2000-01-01", required=False),
    Feature("x", "time"),
    Feature("x", "text", required=False),
    Feature("x", "email"),
    Feature("x", "color"),
]
STRINGS = ["", " ", "5", " 5 ", "5.0", "-0", "1_0", "2,5", "nan", "-inf", "1e400", "٣", "9007199254740993", "9" * 30]
STRINGS += ["a", " b", "true", "No", "1.0", "2026-01-31", "1999-01-01", "14:30", "#ABCdef", "a@b.org", "x" * 50]
NUMBERS = [0, 1, 5, -1, 10, 2.5, 0.0, -0.0, 1e300, 2**53, 2**53 + 1, 2**60, 2**63, 10**400, float("nan"), float("inf")]
OTHERS = [None, True, False, [1], {"a": 1}, Decimal("2.5"), np.float32(2.5), np.int8(3), np.str_("a"), pd.NA]
OTHERS += [dt.date(2026, 1, 31), dt.time(14, 30), pd.Timestamp("2026-01-31")]
COLUMN = st.one_of(
    st.lists(st.sampled_from(STRINGS) | st.text(max_size=4), min_size=1, max_size=9),
    st.lists(st.floats(), min_size=1, max_size=9),
    st.lists(st.integers() | st.none(), min_size=1, max_size=9),
    st.lists(st.booleans() | st.none(), min_size=1, max_size=9),
    st.lists(st.sampled_from([*STRINGS, *NUMBERS, *OTHERS]), min_size=1, max_size=9),
)


def one_by_one(feature: Feature, values: list[Any]) -> tuple[list[Any], list[Problem]]:
    rows = [check_row([feature], {"x": value}) for value in values]
    problems = [replace(problem, row=i) for i, (_, problems) in enumerate(rows) for problem in problems]
    return [row.get("x") for row, _ in rows], problems


@settings(deadline=None, max_examples=150 * FUZZ)
@given(st.sampled_from(FEATURES), COLUMN)
@example(FEATURES[3], [-0.0, 2**53 + 1])
@example(FEATURES[11], [0.0, -0.0, 1, True])
@example(FEATURES[8], [1, True, 1.0])
def test_a_column_is_checked_as_its_values_one_by_one(feature: Feature, values: list[Any]) -> None:
    parsed, problems = one_by_one(feature, values)
    checked = [check_columns([feature], {"x": values}, len(values))]
    checked.append(check_values([feature], [{"x": value} for value in values], 99))
    is_numeric = isinstance(values[0], float | int) and len(set(map(type, values))) == 1
    if is_numeric and not any(abs(value) >= 2**1000 for value in values):  # pandas 2.2 makes no table of these
        checked.append(check_values([feature], pd.DataFrame({"x": values}), 99))
    for frame, column_problems in checked:
        assert repr(column_problems) == repr(problems)
        holes = None in parsed or not feature.required
        for value, read_ in zip(parsed, frame["x"].tolist(), strict=True):
            if value is None:
                assert pd.isna(read_)
            elif feature.kind in ("number", "integer", "boolean"):
                kind = float if holes or feature.kind == "number" else type(value)
                assert (type(read_), repr(read_)) == (kind, repr(kind(value)))
            else:
                assert read_ == (pd.Timestamp(value) if feature.kind == "date" else value)


def outside_one_by_one(model, frame: pd.DataFrame) -> list[Problem]:
    return [
        Problem(message, name, value, None if len(frame) == 1 else i)
        for name in model.spec.feature_names
        for i, value in enumerate(frame[name].tolist())
        if (message := unlike(model, name, value))
    ]


@quick
@given(st.data())
def test_a_table_has_the_training_warnings_of_its_values_one_by_one(rent, data: st.DataObject) -> None:
    flats = st.fixed_dictionaries(
        {
            "area_m2": st.sampled_from([5.5, 21.8, 40, 139.9, 140, 1000]),
            "balcony": st.booleans(),
            "built": st.sampled_from(["1900-01-01", "1950-07-24", "2000-01-01", "2017-12-10"]),
        },
        optional={"rooms": st.integers(1, 9), "district": st.sampled_from(["hill", "centre", "harbour"])},
    )
    frame = rent.spec.validate(data.draw(st.lists(flats, min_size=1, max_size=8)))
    seen = {**rent.coverage, "district": {"values": ["hill"]}, "balcony": {"values": [True]}}
    for model in (rent, replace(rent, coverage=seen)):
        assert repr(model.outside_training(frame)) == repr(outside_one_by_one(model, frame))
        by_row: dict[int, list[Problem]] = {}
        for warning in model.unlike_training(frame):
            by_row.setdefault(warning.row or 0, []).append(replace(warning, row=None))
        warnings = model.warnings_by_row(frame)
        assert repr(dict(sorted(warnings.items()))) == repr(dict(sorted(by_row.items())))
        known = [warning for row_warnings in warnings.values() for warning in row_warnings]
        assert len({id(warning) for warning in known}) == len({warning.message for warning in known})  # each made once
