"""All of a model but its spec and its estimator, as JSON."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from irislib._description.values import is_empty, to_python
from irislib._modeling.evaluation import Evaluation
from irislib._modeling.model import Model

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["frame_to_json", "from_record", "to_record"]


def to_record(model: Model) -> dict[str, Any]:
    """Return all of a model but its spec and its estimator as JSON has it."""
    held_out = model.evaluation
    return {
        "name": model.spec.name,
        "version": model.version,
        "trained_at": model.trained_at,
        "data": model.data,
        "coverage": {name: _to_json_value(covered) for name, covered in model.coverage.items()},
        "sample": frame_to_json(model.sample),
        "evaluation": {
            "features": frame_to_json(held_out.features),
            "y_true": held_out.y_true.tolist(),
            "y_pred": held_out.y_pred.tolist(),
            "y_proba": None if held_out.y_proba is None else held_out.y_proba.tolist(),
            "metrics": held_out.metrics,
        },
    }


def frame_to_json(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table as JSON has it; :meth:`ModelSpec.validate` gives its columns their dtypes again."""
    return {  # to_python: of a sparse column, tolist returns NumPy's numbers
        name: [None if is_empty(value) else to_python(value) for value in _to_json_value(column.tolist())]
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
    import numpy as np
    import pandas as pd

    _require_types(record)
    held_out = record["evaluation"]
    features, sample = (pd.DataFrame(rows) for rows in (held_out["features"], record["sample"]))
    coverage = record["coverage"]
    for feature in spec.features:
        covered = coverage.get(feature.name, {})
        covered |= {end: feature.type.restore(covered[end]) for end in ("low", "high") if end in covered}
    evaluation = Evaluation(
        spec.validate(features),
        _array(held_out["y_true"]),
        _array(held_out["y_pred"]),
        None if held_out["y_proba"] is None else np.asarray(held_out["y_proba"], dtype=float),
        held_out["metrics"],
    )
    model = Model(
        spec=spec,
        estimator=estimator,
        evaluation=evaluation,
        coverage=coverage,
        sample=spec.validate(sample),
        version=record["version"],
        trained_at=record["trained_at"],
        data=record["data"],
        data_files=record.get("data_files", []),  # in a store alone
    )
    _require_same_rows(model)
    return model


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
    shape = (len(held_out.features),)
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
