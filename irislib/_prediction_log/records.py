"""The records of the prediction log, as lines of JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from collections.abc import Container, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._compiled import column_converters
from irislib._description.dtype_limits import rounds_to
from irislib._description.feature_types.numeric import NumberType
from irislib._description.values import to_json
from irislib._modeling.prediction import near_ties

if TYPE_CHECKING:
    import numpy as np

    from irislib._modeling.model import Model

__all__ = ["Entry", "ModelRecords", "lines_of", "record_line", "time_text"]

SHADOW = "shadow"  # the route of the answers of a candidate that are compared and not shown
OUTSIDE, NOVEL, NEAR_TIE = "outside", "novel", "near_tie"  # the kinds of warnings
KINDS_TEXTS = {
    (*unlike, *tie): json.dumps([*unlike, *tie]) for unlike in ((), (OUTSIDE,), (NOVEL,)) for tie in ((), (NEAR_TIE,))
}
# Between the values of a column, which have no line break within them
_COLUMN = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=("\n", ": "), default=to_json)


class Entry(NamedTuple):
    """A prediction that is to be written down.

    Attributes
    ----------
    records : ModelRecords
        Those of its model.
    time : float
        Seconds since 1970.
    request_id : str
    route : str
        How it was asked: ``form``, ``json``, ``batch`` or ``page``.
    row : int or None
        The position of its row in a batch, from 0.
    values : sequence of shape (n_features,)
        The checked values in the order of the features, None where one is missing.
    prediction : Any
    shares : sequence of float or None
        The probability of each class.
    """

    records: ModelRecords
    time: float
    request_id: str
    route: str
    row: int | None
    values: Sequence[Any]
    prediction: Any
    shares: Sequence[float] | None


class ModelRecords:
    """The records of one model: the parts that are the same in all of them.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model):
        self.model = model
        _ = model.novelty  # made now, in the process from which workers are forked, and not in each of them
        features = model.spec.features
        self.logged = [i for i, feature in enumerate(features) if feature.is_logged]
        self._converters = column_converters(features)
        self._numbers = [i for i, feature in enumerate(features) if type(feature.type) is NumberType]
        self._dtypes = [rounds_to(features[i].dtype) for i in self._numbers]
        covered = [model.coverage.get(features[i].name, {}) for i in self._numbers]
        self._lows = [one.get("low", -math.inf) for one in covered]
        self._highs = [one.get("high", math.inf) for one in covered]
        self._template = self._make_template(())
        # where no number is missing they need no texts made before
        self._number_template = self._make_template(self._numbers)

    def _make_template(self, numbers: Container[int]) -> str:
        """Return a line with a place for each value: one for a number itself at some positions, else for its JSON."""
        model, features = self.model, self.model.spec.features
        inputs = ", ".join(f"{_literal(features[i].name)}: {'%r' if i in numbers else '%s'}" for i in self.logged)
        classes = ", ".join(f"{_literal(str(name))}: %s" for name in model.classes or ())
        about = f'"model": {_literal(model.spec.name)}, "version": {_literal(model.version)}'
        return (
            f'{{"time": %s, "request_id": %s, {about}, "route": %s, "row": %s, "inputs": {{{inputs}}}, '
            f'"prediction": %s, "probabilities": {f"{{{classes}}}" if model.has_probabilities else "null"}, '
            '"warnings": %s}\n'
        )

    def entry(
        self, route: str, request_id: str, values: Sequence[Any], prediction: Any, shares: Sequence[float] | None
    ) -> Entry:
        """Return the entry of one row that was asked by itself, now."""
        return Entry(self, time.time(), request_id, route, None, values, prediction, shares)

    def lines(self, entries: Sequence[Entry]) -> str:
        """Return the lines of some entries of this model.

        Raises
        ------
        ValueError
            If a value of one of them cannot be written.
        """
        numbers = self._table(entries)
        template, ready = self._template, {}
        if math.isfinite(numbers.sum()):
            template, ready = self._number_template, dict(zip(self._numbers, numbers.T.tolist(), strict=True))
        inputs = (ready.get(i) or _texts([entry.values[i] for entry in entries]) for i in self.logged)
        columns: list[Sequence[Any]] = [
            _time_texts([entry.time for entry in entries]),
            _texts([entry.request_id for entry in entries]),
            [f'"{entry.route}"' for entry in entries],
            ["null" if entry.row is None else str(entry.row) for entry in entries],
            *inputs,
            _texts([entry.prediction for entry in entries]),
        ]
        if self.model.has_probabilities:
            columns += (_texts(shares) for shares in zip(*(entry.shares for entry in entries), strict=True))
        columns.append([KINDS_TEXTS[tuple(kinds)] for kinds in self._kinds(entries, numbers)])
        return "".join([template % texts for texts in zip(*columns, strict=True)])

    def warning_kinds(self, entries: Sequence[Entry]) -> list[list[str]]:
        """Return the kinds of the warnings that a prediction has with its details."""
        return self._kinds(entries, self._table(entries))

    def _kinds(self, entries: Sequence[Entry], numbers: np.ndarray) -> list[list[str]]:
        model = self.model
        kinds: list[list[str]] = [[] for _ in entries]
        columns: dict[str, Any] = {}
        if any(self._dtypes):
            numbers = numbers.copy()  # the line has them as they were received
            for column, dtype in zip(numbers.T, self._dtypes, strict=True):
                column[:] = column.astype(dtype or float)
        rows, _ = ((numbers < self._lows) | (numbers > self._highs)).nonzero()
        for row in rows.tolist():
            kinds[row] = [OUTSIDE]
        by_position = dict(zip(self._numbers, numbers.T, strict=True))
        for i, feature in enumerate(model.spec.features):
            if i in by_position:
                columns[feature.column] = by_position[i]
                continue
            values = [entry.values[i] for entry in entries]
            if convert := self._converters.get(feature.name):
                values = [None if value is None else convert(value) for value in values]
            columns[feature.column] = values
            if covered := model.coverage.get(feature.name):
                for row, value in enumerate(values):
                    if value is not None and not _is_covered(value, covered):
                        kinds[row] = [OUTSIDE]
        for row in model.novelty.is_novel(columns).nonzero()[0].tolist():
            kinds[row] = kinds[row] or [NOVEL]
        if model.has_probabilities and not model.has_threshold:
            for row in near_ties(model.classes or [], [entry.shares for entry in entries]).rows.tolist():
                kinds[row].append(NEAR_TIE)
        return kinds

    def _table(self, entries: Sequence[Entry]) -> np.ndarray:
        """Return the values of the features that are numbers, of shape (n_entries, n_numbers), NaN for missing ones."""
        import numpy as np

        rows: list[Any] = [entry.values for entry in entries]
        if len(self._numbers) < len(self.model.spec.features):
            rows = list(map(itemgetter(*self._numbers), rows)) if self._numbers else []
        return np.array(rows, dtype=float).reshape(len(entries), -1)


def _is_covered(value: Any, covered: Mapping[str, Any]) -> bool:
    return value in covered["values"] if "values" in covered else bool(covered["low"] <= value <= covered["high"])


def lines_of(entries: Sequence[Entry]) -> tuple[bytes, int]:
    """Return the lines of some entries, and how many entries cannot be written."""
    texts, lost = [], 0
    for records, group in groupby(entries, key=lambda entry: entry.records):
        some = list(group)
        try:
            texts.append(records.lines(some))
        except Exception:
            if len(some) == 1:
                lost += 1
                continue
            for entry in some:
                line, missing = lines_of([entry])
                texts.append(line.decode())
                lost += missing
    # half a character, which a client may send, would make the file unreadable
    return "".join(texts).encode(errors="replace"), lost


def record_line(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line that every reader of JSON takes."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode(errors="replace") + b"\n"


def time_text(seconds: float) -> str:
    """Return a time in ISO 8601, UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")


def _time_texts(times: Sequence[float]) -> list[str]:
    """Return times as `time_text` does, as JSON; most of them are of the same second."""
    beginnings: dict[int, str] = {}
    texts = []
    for milliseconds in (int(seconds * 1000) for seconds in times):
        second, rest = divmod(milliseconds, 1000)
        if (beginning := beginnings.get(second)) is None:
            beginning = beginnings[second] = dt.datetime.fromtimestamp(second, dt.UTC).isoformat()[:19]
        texts.append(f'"{beginning}.{rest:03}+00:00"')
    return texts


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("%", "%%")


def _texts(values: Sequence[Any]) -> list[str]:
    """Return each value as JSON."""
    try:
        if math.isfinite(sum(values)):  # of numbers alone
            return list(map(float.__repr__, values))
    except (OverflowError, TypeError):  # of other values, and none
        pass
    return _COLUMN.encode(values)[1:-1].split("\n")
