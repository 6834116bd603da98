"""Many rows in one request: JSON records, JSON columns or CSV, answered in the form they came in.

The body is read twice, a piece at a time: once to its end, so that what is wrong with it as a whole
is told before anything is answered, and once to answer it. Neither the body nor the answer is ever
whole in memory.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from irislib._common.formatting import short_repr
from irislib._description.feature import Feature
from irislib._description.validation import check_columns, check_names, check_values
from irislib._modeling import csv_files, many_rows
from irislib._modeling.model import Model
from irislib.api._json_stream import Reader
from irislib.api._problem_details import errors_json, warnings_json
from irislib.errors import Problem, ValidationError

__all__ = ["answer"]

ROWS = 8_000  # answered at once: fewer take longer, more take more memory
PIECE = 262_144  # bytes of the answer that are sent at once
WAITING = 4_000_000  # bytes of the answer that wait in memory until they are sent; more of them wait on disk
STRANGERS = 100  # unknown columns, after which the rest of the body is not read


def answer(
    model: Model, body: IO[bytes], mimetype: str, alive: Callable[[], None] = lambda: None
) -> tuple[str, Iterator[bytes]]:
    """Answer all rows of a request.

    Parameters
    ----------
    model : Model
    body : binary file
        Seekable; to be closed when all is answered.
    mimetype : str
        Of the body: ``application/json`` or ``text/csv``.
    alive : callable
        Called before some thousand rows each.

    Returns
    -------
    tuple of str and iterator of bytes
        The mimetype of the answer, and the answer in pieces.

    Raises
    ------
    UnsupportedMediaType, BadRequest
    ValidationError
        Where the body as a whole cannot be used. What is wrong with a row is said in the answer.
    """
    if mimetype == "text/csv":
        parts = _csv(model, body, alive)
    elif mimetype == "application/json":
        with _refusing():
            reader = Reader(body)
            if (sign := reader.peek()) not in ("[", "{"):
                value = reader.value()
                reader.end()
                wanted = "an array of objects, one for each row, or an object of arrays, one for each feature"
                raise BadRequest(f"Expected {wanted}, got {short_repr(value)}.")
        parts = (_records if sign == "[" else _columns)(model, body, alive)
    else:
        sent = mimetype or "a body without a Content-Type"
        raise UnsupportedMediaType(f"Send JSON (application/json) or CSV (text/csv), not {sent}.")
    try:
        first = next(parts)  # so that what goes wrong with the first rows goes wrong before the answer has begun
    except RecursionError as error:  # there was a little more room for the first reading than for this one
        raise BadRequest(f"The body is not JSON: {error}.") from None
    return mimetype, _pieces(first, parts)


def _pieces(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    for part in itertools.chain([first], others):
        for at in range(0, len(part), PIECE):
            yield part[at : at + PIECE]


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Say of what is no JSON why not."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, ROWS)):
        yield chunk


def _require_rows(features: Sequence[Feature], count: int) -> None:
    if not count:
        raise ValidationError(check_values(features, [], 0)[1])


def _csv(model: Model, body: IO[bytes], alive: Callable[[], None]) -> Iterator[bytes]:
    sheet = csv_files.read_layout(body, model.spec.features)
    for _ in _chunks(csv_files.read_rows(body, sheet)):
        alive()
    before = csv_files.write_header(model, sheet)
    for rows in _chunks(csv_files.read_rows(body, sheet)):
        alive()
        cells = csv_files.result_cells(csv_files.predict_csv_rows(model, sheet, rows), len(rows))
        yield before + csv_files.write_csv(sheet, rows, cells)
        before = b""


def _records(model: Model, body: IO[bytes], alive: Callable[[], None]) -> Iterator[bytes]:
    reader, count = Reader(body), 0
    with _refusing():
        for some in reader.elements():
            alive()
            count += len(some)
        reader.end()
    _require_rows(model.spec.features, count)
    before, start = "[", 0
    for rows in _chunks(itertools.chain.from_iterable(Reader(body, _object).elements())):
        alive()
        yield (before + ",\n".join(_answered(model, rows, start))).encode()
        before, start = ",\n", start + len(rows)
    yield b"]\n"


class _Repeating(dict[str, Any]):
    """An object that gives a value more than once."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]):
        super().__init__(pairs)
        given: dict[str, list[Any]] = {name: [] for name in self}
        for name, value in pairs:
            given[name].append(value)
        self.twice = {name: values for name, values in given.items() if len(values) > 1}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(pairs)


def _unusable(row: Any) -> list[Problem]:
    if isinstance(row, _Repeating):
        return [Problem(f"{name} was given more than once.", name, values) for name, values in row.twice.items()]
    return [Problem(f"Expected an object of feature names and values, got {short_repr(row)}.", value=row)]


def _answered(model: Model, rows: list[Any], start: int) -> list[str]:
    """The JSON of the answer to each record."""
    features = model.spec.features
    refused = {i: _unusable(row) for i, row in enumerate(rows) if row.__class__ is not dict}
    if refused:
        rows = [{} if i in refused else row for i, row in enumerate(rows)]
    answers = many_rows.predict_many(model, check_values(features, rows, len(rows)), refused, start)
    # no value of JSON holds a line break
    predictions, *shares = (
        json.dumps(column, allow_nan=False, separators=("\n", ": "))[1:-1].split("\n") for column in answers.columns
    )
    if shares:
        names = (json.dumps(name).replace("%", "%%") for name in many_rows.probability_names(model))
        form = "{" + ", ".join(f"{name}: %s" for name in names) + "}"
        probabilities = [form % each for each in zip(*shares, strict=True)]
    else:
        probabilities = ["null"] * len(rows)
    for i in answers.problems:
        probabilities[i] = "null"
    form = '{"prediction": %s, "probabilities": %s, "warnings": %s, "errors": %s}'
    told = (_warnings(answers, len(rows)), _errors(answers, len(rows)))
    return [form % each for each in zip(predictions, probabilities, *told, strict=True)]


def _warnings(answers: many_rows.ManyPredictions, count: int) -> list[str]:
    texts = ["[]"] * count
    for row, found in answers.warnings.items():
        texts[row] = json.dumps(warnings_json(found))
    return texts


def _errors(answers: many_rows.ManyPredictions, count: int, columns: bool = False) -> list[str]:
    texts = ["[]"] * count
    for row, found in answers.problems.items():
        texts[row] = json.dumps(errors_json(found, columns), allow_nan=False)
    return texts


def _columns(model: Model, body: IO[bytes], alive: Callable[[], None]) -> Iterator[bytes]:
    places = _places(model.spec.features, body, alive)
    arrays = [_chunks(itertools.chain.from_iterable(Reader(body, start=at).elements())) for at in places.values()]
    first_head, *heads, end = _heads(model)
    before, start = first_head, 0
    # only the first list can be sent while it grows
    with tempfile.SpooledTemporaryFile(max_size=WAITING) as store:
        waiting: list[list[tuple[int, int]]] = [[] for _ in heads]
        for values in zip(*arrays, strict=True):
            alive()
            predictions, *others = _lists(model, dict(zip(places, values, strict=True)), start)
            yield (before + predictions).encode()
            for parts, text in zip(waiting, others, strict=True):
                part = (", " + text if start else text).encode()
                parts.append((store.tell(), len(part)))
                store.write(part)
            before, start = ", ", start + len(values[0])
        for head, parts in zip(heads, waiting, strict=True):
            yield head.encode()
            for at, size in parts:
                store.seek(at)
                yield store.read(size)
    yield end.encode()


def _heads(model: Model) -> list[str]:
    """What stands before each list of the answer by columns, and what at its end."""
    heads = ['{"prediction": [']
    before = '], "probabilities": '
    for name in many_rows.probability_names(model):
        heads.append(f"{before}{'{' if len(heads) == 1 else ''}{json.dumps(name)}: [")
        before = "], "
    heads.append(('], "probabilities": null' if len(heads) == 1 else "]}") + ', "warnings": [')
    return [*heads, '], "errors": [', "]}\n"]


def _lists(model: Model, columns: dict[str, list[Any]], start: int) -> list[str]:
    """What each list of the answer by columns holds of some rows."""
    count = len(next(iter(columns.values())))
    answers = many_rows.predict_many(model, check_columns(model.spec.features, columns, count), {}, start)
    lists = [json.dumps(column, allow_nan=False)[1:-1] for column in answers.columns]
    return [*lists, ", ".join(_warnings(answers, count)), ", ".join(_errors(answers, count, columns=True))]


def _places(features: Sequence[Feature], body: IO[bytes], alive: Callable[[], None]) -> dict[str, int]:
    """Where the array of each column begins in the body, which holds nothing else."""
    known = {feature.name for feature in features}
    reader = Reader(body)
    places: dict[str, int] = {}
    sizes: dict[str, int] = {}
    wrong = {}
    with _refusing():
        for name in reader.members():
            if name in places:
                wrong[name] = Problem(f"{name} was given more than once.", name)
            places[name] = reader.place if name in known else 0
            if reader.peek() == "[":
                sizes[name] = 0
                for some in reader.elements():
                    alive()
                    sizes[name] += len(some)
            else:
                value = reader.value()
                wrong[name] = Problem(f"{name} must be an array, got {short_repr(value)}.", name, value)
            if len(places) > len(known) + STRANGERS:
                break
        else:
            reader.end()
    problems = [*check_names(features, places), *wrong.values()]
    first, *others = [feature.name for feature in features if feature.name in sizes] or [""]
    for name in others:
        if sizes[name] != sizes[first]:
            problems.append(Problem(f"{name} has {sizes[name]} values, but {first} has {sizes[first]}.", name))
    if problems:
        raise ValidationError(problems)
    _require_rows(features, sizes.get(first, 0))
    return places
