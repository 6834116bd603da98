"""Examples of requests to a model with its real answers, for the documentation."""

from __future__ import annotations

import io
import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from irislib._common.messages.api import TEXTS
from irislib._common.model_caches import cached_for_models
from irislib._description.validation import check_row
from irislib._modeling import csv_results
from irislib.api import _batch
from irislib.api._batch_limits import BatchLimits
from irislib.api._config import Options
from irislib.api._openapi.code_samples import Row
from irislib.api._openapi.schema import row_json
from irislib.api._problem_details import details, refuse
from irislib.errors import ValidationError

if TYPE_CHECKING:
    from irislib._description.feature import Feature
    from irislib._modeling.model import Model

__all__ = ["Examples", "examples_of"]


class Examples(NamedTuple):
    """Example requests to a model and its answers.

    Attributes
    ----------
    rows : dict of str to dict
        By name.
    predictions, details : list
        Short and full answers to the rows.
    invalid : dict
        The problem of the first row with a slip in the first feature's name.
    records, columns, csv : tuple of body and answer
        Batches; the last of the records has that slip.
    """

    rows: dict[str, Row]
    predictions: list[Any]
    details: list[dict[str, Any]]
    invalid: dict[str, Any]
    records: tuple[list[Row], list[Row]]
    columns: tuple[dict[str, list[Any]], dict[str, Any]]
    csv: tuple[str, str]


@cached_for_models(100)
def examples_of(model: Model) -> Examples | None:
    """Make the examples of a model; return None if no sound row is known."""
    rows = _rows(model)
    if not rows:
        return None
    answers = [model.predict_row(row) for row in rows.values()]
    first, names = next(iter(rows.values())), model.spec.feature_names
    misspelt = next(name for name in itertools.accumulate([names[0], *"x" * len(names)]) if name not in names)
    slip = {misspelt: first.get(names[0])} | {name: value for name, value in first.items() if name != names[0]}
    records = [first, slip]
    names = [name for name in names if any(name in row for row in rows.values())] or names
    columns = {name: [row.get(name) for row in rows.values()] for name in names}
    csv = csv_results.csv_template(model.spec.features, rows.values()).decode()
    return Examples(
        rows,
        [answer.prediction for answer in answers],
        [details(answer) for answer in answers],
        _refused(model, slip),
        (records, json.loads(_batch_answer(model, json.dumps(records)))),
        (columns, json.loads(_batch_answer(model, json.dumps(columns)))),
        (csv, _batch_answer(model, csv, "text/csv")),
    )


def _refused(model: Model, row: Row) -> dict[str, Any]:
    _, problems = check_row(model.spec.features, row)
    return json.loads(refuse(ValidationError(problems)).get_data())  # type: ignore[no-any-return]


def _batch_answer(model: Model, body: str, mimetype: str = "application/json") -> str:
    answer = _batch.answer(model, io.BytesIO(body.encode()), mimetype, BatchLimits(Options()))
    return b"".join(answer.pieces).decode()


def _rows(model: Model) -> dict[str, Row]:
    spec = model.spec
    if spec.examples:
        return {name: row_json(spec, row) for name, row in spec.examples.items()}
    row = {feature.name: _typical(feature, model) for feature in spec.features}
    try:
        return {TEXTS["example"]: row_json(spec, row)}
    except ValueError:  # a text without a default, which nobody can guess
        return {}


def _typical(feature: Feature, model: Model) -> Any:
    """Return the default of a feature, else a value in the training data."""
    if feature.default is not None:
        return feature.default
    covered = model.coverage.get(feature.name, {})
    return next(iter(covered["values"]), None) if "values" in covered else covered.get("low")
