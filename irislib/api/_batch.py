"""Many rows in one request: JSON records, JSON columns or CSV, answered in the form they came in.

Excel and Parquet files are answered as the CSV files that they are converted to. They and JSON are read whole, up to
a limit. CSV, for tables of any length, is read twice and a chunk at a time: once to its
end, so that an unreadable file is refused before the answer begins, and once to answer it.
"""

from __future__ import annotations

import functools
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from irislib._common.formatting import short_repr
from irislib._common.messages.api import TEXTS
from irislib._description.feature import Feature
from irislib._description.validation import check_columns, check_names, check_values, names_of
from irislib._modeling import csv_layout, csv_predictions, csv_results, csv_rows, many_rows
from irislib._modeling.model import Model
from irislib._modeling.parallel import map_in_threads
from irislib._modeling.table_files import KINDS, TableKind, table_kind, to_csv
from irislib._modeling.training_warnings import by_row
from irislib.api._batch_limits import BatchLimits
from irislib.api._json_bodies import (
    MAX_NAMES,
    RepeatedNames,
    decode_json,
    object_of_pairs,
    repeated_problems,
    with_few_unknown_names,
)
from irislib.api._problem_details import errors_by_key, errors_json, keys_of, warnings_json
from irislib.errors import Problem, ValidationError

__all__ = ["answer"]

CHUNK_ROWS = 8_000  # predicted at once: fewer take longer, more take more memory
PIECE_BYTES = 262_144  # of the answer that are sent at once
UNPACKED_FACTOR = 5  # by which a table file may be larger when it is unpacked


class Answer(NamedTuple):
    """An answer to a batch.

    Attributes
    ----------
    mimetype : str
    pieces : iterator of bytes
    sheet : str
        The name of the sheet whose rows are answered, of a file with sheets.
    """

    mimetype: str
    pieces: Iterator[bytes]
    sheet: str = ""


def answer(model: Model, body: IO[bytes], mimetype: str, limits: BatchLimits, charset: str = "") -> Answer:
    """Answer all rows of a request.

    Parameters
    ----------
    model : Model
    body : binary file
        Seekable; to be closed when the answer is complete.
    mimetype : str
        Of the body: ``application/json``, ``text/csv`` or one of :data:`irislib._modeling.table_files.KINDS`.
    limits : BatchLimits
    charset : str
        Of the body, for CSV that is not UTF-8.

    Returns
    -------
    Answer

    Raises
    ------
    UnsupportedMediaType, BadRequest, RequestEntityTooLarge, ServiceUnavailable
    ValidationError
        If the body as a whole cannot be used. The problems of single rows are part of the answer.
    """
    sheet = ""
    if kind := table_kind(mimetype):
        body, sheet = _read_table(model, kind, body, limits)
        mimetype = "text/csv"
    if mimetype == "text/csv":
        chunks = _predict_csv(model, body, limits, charset)
    elif mimetype == "application/json":
        chunks = _predict_json(model, _read_json(body), limits)
    else:
        sent = mimetype or "a body without a Content-Type"
        raise UnsupportedMediaType(TEXTS["batch.type"].format(sent=sent))
    first = next(chunks)  # so that what fails in the first rows fails before the answer has begun
    return Answer(mimetype, limits.limited(_pieces(itertools.chain([first], chunks))), sheet)


def _read_table(model: Model, kind: TableKind, body: IO[bytes], limits: BatchLimits) -> tuple[IO[bytes], str]:
    """Convert a file to a CSV file, and return that with the name of the sheet."""
    content = body.read()
    # generated clients may not tell the types of files from each other
    sent = next((one for one in KINDS if content.startswith(one.magic)), None)
    if not (sent or kind).is_readable:
        raise UnsupportedMediaType(TEXTS["batch.no_reader"].format(kind=(sent or kind).name))
    if sent is None:
        raise ValidationError([Problem(TEXTS["batch.other_type"].format(kind=kind.name))])
    max_bytes = UNPACKED_FACTOR * limits.options.json_batch_bytes
    table, sheet = to_csv(content, model.spec.features, limits.options.batch_rows, max_bytes, limits.check_time)
    return io.BytesIO(table), sheet


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE_BYTES):
            yield chunk[start : start + PIECE_BYTES]


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, CHUNK_ROWS)):
        yield chunk


def _require_rows(features: Sequence[Feature], count: int) -> None:
    if not count:
        raise ValidationError(check_values(features, [], 0)[1])


def _predict_csv(model: Model, body: IO[bytes], limits: BatchLimits, charset: str) -> Iterator[bytes]:
    count = 0

    def count_rows(number: int) -> None:
        nonlocal count
        count += number
        limits.check_rows(count)
        limits.check_time()

    layout = csv_layout.read_layout(body, model.spec.features, count_rows, charset)
    if not count:
        for part in csv_rows.read_parts(body, layout, CHUNK_ROWS):
            count_rows(len(part))
    limits.log_spread(count)
    position = 0
    text = csv_results.write_header(model, layout)
    parts = csv_rows.read_parts(body, layout, CHUNK_ROWS)
    for rows, results in map_in_threads(functools.partial(csv_predictions.predict_part, model, layout), parts):
        limits.check_time()
        if results is not None:
            limits.shorten(results.problems)
            limits.log_rows(results, csv_predictions.filled_rows(rows, position))
        position += len(rows)
        yield text + csv_results.write_part(model, layout, rows, results)
        text = b""


def _read_json(body: IO[bytes]) -> list[Any] | dict[str, Any]:
    """Read a JSON array or object; objects that repeat a name become :class:`RepeatedNames`.

    Raises
    ------
    BadRequest
        If the body is not JSON that Python can read, or is JSON of another type.
    """
    value = decode_json(body.read())
    if not isinstance(value, list | dict):
        expected = "an array of objects, one for each row, or an object of arrays, one for each feature"
        raise BadRequest(f"Expected {expected}, got {short_repr(value)}.")
    return value


def _predict_json(model: Model, value: list[Any] | dict[str, Any], limits: BatchLimits) -> Iterator[bytes]:
    if isinstance(value, list):
        return _predict_records(model, value, limits)
    return _predict_by_column(model, value, limits)


def _predict_records(model: Model, records: list[Any], limits: BatchLimits) -> Iterator[bytes]:
    _require_rows(model.spec.features, len(records))
    limits.check_rows(len(records))
    limits.log_spread(len(records))
    separator, start = "[", 0
    for rows in _chunks(records):
        limits.check_time()
        yield (separator + ",\n".join(_result_records(model, rows, start, limits))).encode()
        separator, start = ",\n", start + len(rows)
    yield b"]\n"


def _record_problems(row: Any) -> list[Problem]:
    if isinstance(row, RepeatedNames):
        return repeated_problems(row)
    return [Problem(f"Expected an object of feature names and values, got {short_repr(row)}.", value=row)]


def _result_records(model: Model, rows: list[Any], start: int, limits: BatchLimits) -> list[str]:
    """Return the JSON of the result of each record."""
    features = model.spec.features
    rows = [with_few_unknown_names(features, row) if row.__class__ is dict else row for row in rows]
    refused = {i: _record_problems(row) for i, row in enumerate(rows) if row.__class__ is not dict}
    accepted = [row for i, row in enumerate(rows) if i not in refused]
    results = many_rows.predict_many(model, check_values(features, accepted, len(accepted)), refused, start)
    limits.shorten(results.problems)
    limits.log_rows(results, range(start, start + len(rows)))
    # no JSON value has a line break in it
    predictions, *shares = (
        json.dumps(column, allow_nan=False, separators=("\n", ": "))[1:-1].split("\n") for column in results.columns
    )
    if shares:
        names = (json.dumps(name).replace("%", "%%") for name in many_rows.probability_names(model))
        template = "{" + ", ".join(f"{name}: %s" for name in names) + "}"
        probabilities = [template % values for values in zip(*shares, strict=True)]
    else:
        probabilities = ["null"] * len(rows)
    for i in results.problems:
        probabilities[i] = "null"
    template = '{"prediction": %s, "probabilities": %s, "warnings": %s, "errors": %s}'
    errors = _errors(results, len(rows), lambda row: keys_of(features, rows[row]) if row not in refused else {})
    messages = (_warnings(results, len(rows)), errors)
    return [template % values for values in zip(predictions, probabilities, *messages, strict=True)]


def _warnings(results: many_rows.ManyPredictions, count: int) -> list[str]:
    texts = ["[]"] * count
    for row, warnings in by_row(results.warnings).items():
        texts[row] = json.dumps(warnings_json(warnings))
    return texts


def _errors(
    results: many_rows.ManyPredictions, count: int, keys: Callable[[int], Mapping[str, str]], columns: bool = False
) -> list[str]:
    texts = ["[]"] * count
    for row, problems in results.problems.items():
        has_feature = any(problem.feature is not None for problem in problems)
        texts[row] = json.dumps(errors_json(problems, columns, keys(row) if has_feature else {}))
    return texts


def _predict_by_column(model: Model, columns: dict[str, Any], limits: BatchLimits) -> Iterator[bytes]:
    features, keys = model.spec.features, keys_of(model.spec.features, columns)
    with errors_by_key(features, columns):
        columns = _columns_by_name(features, columns)
        count = _column_length(features, columns)
    limits.check_rows(count)
    limits.log_spread(count)
    first_label, *labels, end = _column_labels(model)
    separator = first_label
    waiting: list[list[str]] = [[] for _ in labels]  # only the first list of the answer can be sent while it grows
    for start in range(0, count, CHUNK_ROWS):
        limits.check_time()
        chunk = {name: values[start : start + CHUNK_ROWS] for name, values in columns.items()}
        predictions, *lists = _result_columns(model, chunk, keys, start, limits)
        yield (separator + predictions).encode()
        for texts, text in zip(waiting, lists, strict=True):
            texts.append(text)
        separator = ", "
    for label, texts in zip(labels, waiting, strict=True):
        yield label.encode()
        for i, text in enumerate(texts):
            yield f", {text}".encode() if i else text.encode()
    yield end.encode()


def _columns_by_name(features: Sequence[Feature], columns: dict[str, Any]) -> dict[str, Any]:
    """Return an object of arrays with the features' names for its keys; what is given twice is repeated."""
    names = names_of(features, columns)
    pairs = columns.repeated if isinstance(columns, RepeatedNames) else {}
    return object_of_pairs(
        [(names.get(key, key), value) for key in columns for value in pairs.get(key, [columns[key]])]
    )


def _column_labels(model: Model) -> list[str]:
    """Return the JSON in front of each list of an answer by columns, and at its end."""
    labels = ['{"prediction": [']
    before = '], "probabilities": '
    for name in many_rows.probability_names(model):
        labels.append(f"{before}{'{' if len(labels) == 1 else ''}{json.dumps(name)}: [")
        before = "], "
    labels.append(('], "probabilities": null' if len(labels) == 1 else "]}") + ', "warnings": [')
    return [*labels, '], "errors": [', "]}\n"]


def _result_columns(
    model: Model, columns: Mapping[str, list[Any]], keys: Mapping[str, str], start: int, limits: BatchLimits
) -> list[str]:
    """Return the JSON in each list of an answer by columns for some rows."""
    count = len(next(iter(columns.values())))
    results = many_rows.predict_many(model, check_columns(model.spec.features, columns, count), {}, start)
    limits.shorten(results.problems)
    limits.log_rows(results, range(start, start + count))
    lists = [json.dumps(column, allow_nan=False)[1:-1] for column in results.columns]
    errors = _errors(results, count, lambda _: keys, columns=True)
    return [*lists, ", ".join(_warnings(results, count)), ", ".join(errors)]


def _column_length(features: Sequence[Feature], columns: dict[str, Any]) -> int:
    """Return the number of rows of an object of arrays.

    Raises
    ------
    ValidationError
        If a column is unknown, missing or repeated, is no array, or has another length than the first.
    """
    known = dict.fromkeys(feature.name for feature in features)
    unnamed = frozenset([name for name in columns if name not in known][MAX_NAMES:])
    names = [name for name in columns if name not in unnamed]
    repeated = columns.repeated if isinstance(columns, RepeatedNames) else {}
    problems = check_names(features, names)
    for name in names:
        if not isinstance(columns[name], list):
            message = f"{name} must be an array, got {short_repr(columns[name])}."
            problems.append(Problem(message, name, columns[name]))
        elif name in repeated:
            problems.append(Problem(f"{name} was given more than once.", name))
    lengths = {name: len(columns[name]) for name in known if isinstance(columns.get(name), list)}
    first = next(iter(lengths), "")
    for name, length in lengths.items():
        if length != lengths[first]:
            problems.append(Problem(f"{name} has {length} values, but {first} has {lengths[first]}.", name))
    if problems:
        raise ValidationError(problems)
    count = lengths.get(first, 0)
    _require_rows(features, count)
    return count
