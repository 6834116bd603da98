"""All of a model but its spec and its estimator, as JSON."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from irislib._description.values import is_empty, to_python
from irislib._modeling.evaluation import Evaluation, NoEvaluation
from irislib._modeling.model import Model

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["frame_to_json", "from_record", "to_record"]


def to_record(model: Model) -> dict[str, Any]:
    """Return all of a model but its spec and its estimator as JSON has it."""
    return {
        "name": model.spec.name,
        "version": model.version,
        "trained_at": model.trained_at,
        "data": model.data,
        "coverage": {name: _to_json_value(covered) for name, covered in model.coverage.items()},
        "sample": frame_to_json(model.sample),
        "evaluation": _evaluation_to_json(model.evaluation),
    }


def _evaluation_to_json(held_out: Evaluation) -> dict[str, Any]:
    rows = {"features": frame_to_json(held_out.trial_rows), "y_pred": held_out.trial_predictions.tolist()}
    if isinstance(held_out, NoEvaluation):
        return {**rows, "y_true": [], "y_proba": None, "metrics": {}}
    return {
        **rows,
        "y_true": held_out.y_true.tolist(),
        "y_proba": None if held_out.y_proba is None else held_out.y_proba.tolist(),
        "metrics": held_out.metrics,
        **({} if held_out.median is None else {"median": held_out.median}),
    }


def frame_to_json(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table as JSON has it; :meth:`ModelSpec.validate` gives its columns their dtypes again."""
    return {  # to_python: of a sparse column, tolist returns NumPy's numbers
        str(name): [None if is_empty(value) else to_python(value) for value in _to_json_value(column.tolist())]
        for name, column in frame.items()
    }


def _to_json_value(value: Any) -> Any:
    """Replace dates by text: JSON has none."""
    if isinstance(value, dict):
        return {key: _to_json_value(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_to_json_value(part) for part in value]
    return value.isoformat() if isinstance(value, dt.date | dt.time) and not is_empty(value) else value


def from_record(spec: ModelSpec, estimator: Any, record: dict[str, Any]) -> Model:
    """Return a model from its spec, its estimator and its record.

    Raises
    ------
    ValueError
        If the record is damaged, or does not fit the spec and the estimator.
    """
    import pandas as pd

    _require_types(record)
    features, sample = (pd.DataFrame(rows) for rows in (record["evaluation"]["features"], record["sample"]))
    coverage = record["coverage"]
    for feature in spec.features:
        covered = coverage.get(feature.name, {})
        covered |= {end: feature.type.restore(covered[end]) for end in ("low", "high") if end in covered}
    evaluation = _evaluation(record["evaluation"], spec.validate(features))
    model = Model(
        spec=spec,
        estimator=estimator,
        evaluation=evaluation,
        coverage=coverage,
        sample=spec.validate(sample) if len(sample) else evaluation.trial_rows.head(0),
        version=record["version"],
        trained_at=record["trained_at"],
        data=record["data"],
        data_files=record.get("data_files", []),  # in a store alone
    )
    _require_same_rows(model)
    return model


def _evaluation(held_out: dict[str, Any], features: pd.DataFrame) -> Evaluation:
    import numpy as np

    predicted = _array(held_out["y_pred"])
    if not held_out["y_true"]:
        return NoEvaluation(features, predicted)
    proba = None if held_out["y_proba"] is None else np.asarray(held_out["y_proba"], dtype=float)
    return Evaluation(
        features, _array(held_out["y_true"]), predicted, proba, held_out["metrics"], held_out.get("median")
    )


def _require_types(record: Any) -> None:
    """Raise ValueError unless the parts of a record are of the types that :func:`to_record` gives them."""
    whole = {
        "data": dict, "coverage": dict, "sample": dict, "evaluation": dict, "version": str, "trained_at": str,
    }  # fmt: skip
    data = {"rows": int, "digest": str, "training_rows": (int, type(None))}
    _require(record, "record", whole)
    _require(record["data"], "data", data)
    _require(record["coverage"], "coverage", dict.fromkeys(record["coverage"], dict))
    _require(record["evaluation"], "evaluation", {"y_true": list, "y_pred": list, "metrics": dict})
    if "median" in record["evaluation"]:  # classes have none, nor have files of before
        _require(record["evaluation"], "evaluation", {"median": (int, float)})
    metrics = record["evaluation"]["metrics"]
    _require(metrics, "metrics", dict.fromkeys(metrics, (int, float)))


def _require(part: Any, name: str, types: dict[str, Any]) -> None:
    if not isinstance(part, dict):
        raise ValueError(f"its {name} is a {type(part).__name__}.")
    for key, kind in types.items():
        if not isinstance(part.get(key), kind):
            raise ValueError(f"{key} of its {name} is a {type(part.get(key)).__name__}.")


def _require_same_rows(model: Model) -> None:
    """Raise ValueError unless an evaluation has a true value, a prediction and probabilities for each of its rows."""
    held_out, classes = model.evaluation, model.classes
    shape = (len(held_out.trial_rows),)
    if isinstance(held_out, NoEvaluation):
        if not shape[0] or held_out.trial_predictions.shape != shape or not model.is_fitted_elsewhere:
            raise ValueError("it has neither an evaluation nor rows to try it with.")
        return
    if not shape[0] or held_out.y_true.shape != shape or held_out.y_pred.shape != shape:
        raise ValueError("its evaluation does not have one true value and one prediction for each row.")
    if classes is None:
        if not {held_out.y_true.dtype.kind, held_out.y_pred.dtype.kind} <= set("biuf"):
            raise ValueError("the values of its evaluation are no numbers.")
        return
    if unknown := {*held_out.y_pred.tolist()} - {*classes}:
        raise ValueError(f"its evaluation has the class {sorted(map(repr, unknown))[0]}, which the estimator lacks.")
    proba = held_out.y_proba
    if proba is not None and (proba.shape != (*shape, len(classes)) or not ((proba >= 0) & (proba <= 1 + 1e-6)).all()):
        raise ValueError("its evaluation does not have a probability for each row and class.")


def _array(values: list[Any]) -> np.ndarray:
    import numpy as np

    return np.asarray(values, dtype=object if values and isinstance(values[0], str) else None)
