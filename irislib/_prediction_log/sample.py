"""The part of a prediction log that is about one model: its predictions, or a sample of them, and right answers."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irislib._prediction_log.reading import Record, local_log, read_records
from irislib._store.files import Root

if TYPE_CHECKING:
    from irislib._modeling.model import Model

__all__ = ["LoggedSample", "read_sample"]

MAX_ROWS = 50_000  # that are compared; of more a sample is taken
Key = tuple[str, Any]  # the id of a request, and the row in it


@dataclass
class LoggedSample:
    """The predictions of one model in a log.

    Attributes
    ----------
    total : int
        How many there are.
    records : list of dict
        They, or a random sample of them.
    answers : list of tuple
        The predictions of the model's own version whose right answers are known, with these.
    reports : int
        How many answers visitors reported as wrong on a page.
    unmatched : int
        How many right answers are about predictions that are not there.
    """

    total: int = 0
    records: list[Record] = field(default_factory=list)
    answers: list[tuple[Any, Any]] = field(default_factory=list)
    reports: int = 0
    unmatched: int = 0


def read_sample(model: Model, root: Root, since: dt.datetime | None) -> LoggedSample:
    """Read what a log says about a model.

    Raises
    ------
    DataError
        If there is no log, or it cannot be read.
    """
    with local_log(root, since) as path:
        return _read_sample(model, path, since)


def _read_sample(model: Model, path: Path, since: dt.datetime | None) -> LoggedSample:
    result, rng = LoggedSample(), random.Random(0)  # noqa: S311 - which rows are compared is no secret
    answers: dict[Key, tuple[str, Any]] = {}
    for record in _of(model, path, since):
        if "right_answer" not in record:
            continue
        if "inputs" in record:  # of a page: only who finds an answer wrong reports it, so that it is no sample
            result.reports += 1
        else:
            key = _key(record)
            answers[key] = max(answers.get(key, ("", None)), (record["time"], record["right_answer"]), key=_time)
    predicted: dict[Key, Any] = {}
    known: set[Key] = set()
    for record in _of(model, path, since):
        if "right_answer" in record or "inputs" not in record:
            continue
        if (key := _key(record)) in answers:
            known.add(key)
            if record.get("version") == model.version:
                predicted[key] = record.get("prediction")
        result.total += 1
        if len(result.records) < MAX_ROWS:
            result.records.append(record)
        elif (index := rng.randrange(result.total)) < MAX_ROWS:
            result.records[index] = record
    result.answers = [(prediction, answers[key][1]) for key, prediction in predicted.items()]
    result.unmatched = len(answers) - len(known)
    return result


def _of(model: Model, path: Path, since: dt.datetime | None) -> Iterator[Record]:
    return (record for record in read_records(path, since) if record.get("model") == model.spec.name)


def _key(record: Record) -> Key:
    return str(record.get("request_id")), record.get("row")


def _time(answer: tuple[str, Any]) -> str:
    return answer[0]
