"""Feedback: reports of visitors in a file of bounded size, or in a function of the author's."""

import dataclasses
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import branded
import pandas as pd
import pytest
import rent as rent_module
from conftest import TESTS

import irislib
from irislib._modeling.feedback import FullError, append_record
from irislib.errors import SpecError
from irislib.widgets import _feedback

LIMIT = 10_000
SENT = {"values": {"size": "3"}, "right_answer": "large", "note": " It is huge.\u2028No: \ud800 "}


@pytest.fixture(scope="module")
def model():
    return irislib.train(branded.spec)


@pytest.fixture
def ask(model):
    def ask(feedback, base=model):
        page = irislib.app(dataclasses.replace(base, spec=dataclasses.replace(base.spec, feedback=feedback)))
        numbers = iter(range(1000))
        return lambda **request: page.reply({"method": "feedback", "id": next(numbers), **request})[0]

    _feedback._logged.clear()
    return ask


def test_a_report_is_a_line_that_pandas_reads(ask, model, tmp_path):
    send = ask(tmp_path / "feedback.jsonl")
    assert send(**SENT)["thanks"] == "Thank you. It is stored."
    assert send(values={"size": "50"})["thanks"]
    reports = pd.read_json(tmp_path / "feedback.jsonl", lines=True)
    assert list(reports) == ["time", "model", "version", "inputs", "prediction", "right_answer", "note"]
    assert list(reports["inputs"]) == [{"size": 3}, {"size": 50}]
    assert list(reports["prediction"]) == ["small", "large"]
    assert reports["right_answer"][0] == "large"
    assert pd.isna(reports["right_answer"][1])
    assert list(reports["note"]) == ["It is huge.\u2028No: ?", ""]
    assert set(reports["version"]) == {model.version}
    assert (tmp_path / "feedback.jsonl").stat().st_mode & 0o077 == 0  # for nobody else


def test_the_right_number_of_a_regression(ask, rent):
    reports = []
    send = ask(reports.append, rent)
    values = {"area_m2": "40", "balcony": "true", "built": "1990-05-01"}
    assert send(values=values, right_answer="512.5")["thanks"]
    assert reports[0]["right_answer"] == 512.5
    assert reports[0]["inputs"] == {"area_m2": 40, "balcony": True, "built": "1990-05-01"}
    assert send(values=values, right_answer="many")["error"].startswith("The right answer must be a number")
    assert len(reports) == 1


def test_what_is_no_report_is_not_stored(ask):
    reports = []
    send = ask(reports.append)
    assert send(values={"size": "3"}, right_answer="tiny")["error"] == "The right answer must be one of the choices."
    assert "Size" in send(values={"size": "much"})["error"]
    assert reports == []


def test_a_page_takes_a_few_reports_only(ask):
    reports = []
    send = ask(reports.append)
    replies = [send(**SENT) for _ in range(_feedback.MAX_REPORTS + 1)]
    assert "error" in replies[-1]
    assert len(reports) == _feedback.MAX_REPORTS
    assert send(**SENT)["error"] == "This page takes 10 reports, and has them. Thank you."


def test_without_feedback_a_page_neither_offers_nor_takes_it(model):
    page = irislib.app(dataclasses.replace(model, spec=dataclasses.replace(model.spec, feedback=None)))
    assert page.facts["feedback"] is None
    assert "error" in page.reply({"method": "feedback", "id": 1, **SENT})[0]


def test_a_full_file_loses_nothing_and_says_so_once(ask, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("IRISLIB_MAX_FEEDBACK_BYTES", "300")
    path = tmp_path / "feedback.jsonl"
    send = ask(path)
    replies = [send(**SENT) for _ in range(4)]
    assert "thanks" in replies[0]
    assert replies[-1]["error"] == "Nothing more can be stored at present. Please tell whoever runs this server."
    assert path.stat().st_size <= 300
    assert [json.loads(line)["note"] for line in path.read_text().splitlines()]
    assert capfd.readouterr().err.count("is not stored") == 1


def test_a_file_that_cannot_be_written_is_said_politely(ask, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert ask(tmp_path / "pipe")(**SENT)["error"].startswith("It could not be stored.")
    if os.path.exists("/dev/full"):
        assert ask("/dev/full")(**SENT)["error"].startswith("It could not be stored.")


def test_a_disk_that_takes_a_part_of_a_line_leaves_the_lines_before(tmp_path, monkeypatch):
    path = tmp_path / "feedback.jsonl"
    append_record(path, {"note": "first"}, LIMIT)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:5]))
    with pytest.raises(OSError, match="No space"):
        append_record(path, {"note": "second"}, LIMIT)
    assert path.read_text() == '{"note": "first"}\n'


def test_an_error_of_the_authors_function_is_a_sentence_with_a_reference(ask, capfd):
    def fails(record):
        raise OSError("the table is locked")

    assert re.search(r"reference: \w{8}", ask(fails)(**SENT)["error"])
    assert "the table is locked" in capfd.readouterr().err


def test_lines_of_many_writers_stay_whole_and_within_the_limit(tmp_path):
    path = tmp_path / "feedback.jsonl"

    def write(number):
        try:
            append_record(path, {"number": number, "note": "x" * 500}, LIMIT)
        except FullError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        stored = sum(pool.map(write, range(100)))
    lines = path.read_text().splitlines()
    assert 0 < stored < 100
    assert len({json.loads(line)["number"] for line in lines}) == len(lines) == stored
    assert path.stat().st_size <= LIMIT


@pytest.mark.parametrize(
    ("feedback", "message"),
    [
        (3, "feedback: give the path of a file, or a function that takes a dict, got 3."),
        ("", "feedback: give the path of a file, or a function that takes a dict, got ''."),
        ("nowhere/feedback.jsonl", f"feedback: there is no folder {TESTS / 'nowhere'}."),
        (TESTS, f"feedback: {TESTS} is a folder; give a file, such as feedback.jsonl."),
    ],
)
def test_where_no_feedback_can_be_stored_is_said(feedback, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        dataclasses.replace(rent_module.spec, feedback=feedback)


def test_a_relative_path_begins_at_the_file_of_the_description(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert dataclasses.replace(rent_module.spec, feedback="feedback.jsonl").feedback == TESTS / "feedback.jsonl"


def test_feedback_makes_no_model_stale_and_is_in_no_file(model, tmp_path):
    with_feedback = dataclasses.replace(model.spec, feedback=print)
    assert with_feedback.digest == model.spec.digest
    path = dataclasses.replace(model, spec=with_feedback).save(tmp_path / "model.irislib")
    assert irislib.load(str(path)).spec.feedback is None
