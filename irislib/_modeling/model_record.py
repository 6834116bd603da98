"""All of a model but its spec and its estimator, as JSON."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from irislib._description.values import is_empty
from irislib._modeling.evaluation import Evaluation
from irislib._modeling.model import Model

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["from_record", "to_record"]


def to_record(model: Model) -> dict[str, Any]:
    """Return all of a model but its spec and its estimator as JSON has it."""
    held_out = model.evaluation
    return {
        "name": model.spec.name,
        "version": model.version,
        "trained_at": model.trained_at,
        "data": model.data,
        "coverage": {name: _to_json_value(covered) for name, covered in model.coverage.items()},
        "sample": _frame_to_json(model.sample),
        "evaluation": {
            "features": _frame_to_json(held_out.features),
            "y_true": held_out.y_true.tolist(),
            "y_pred": held_out.y_pred.tolist(),
            "y_proba": None if held_out.y_proba is None else held_out.y_proba.tolist(),
            "metrics": held_out.metrics,
        },
    }


def _frame_to_json(frame: pd.DataFrame) -> dict[str, list[Any]]:
    return {
        name: [None if is_empty(value) else value for value in _to_json_value(column.tolist())]
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
    """Return a model from its spec, its estimator and its record."""
    import numpy as np
    import pandas as pd

    held_out = record["evaluation"]
    features, sample = (pd.DataFrame(rows) for rows in (held_out["features"], record["sample"]))
    coverage = record["coverage"]
    for feature in spec.features:
        covered = coverage.get(feature.name, {})
        covered |= {end: feature.type.restore(covered[end]) for end in ("low", "high") if end in covered}
    return Model(
        spec=spec,
        estimator=estimator,
        evaluation=Evaluation(
            spec.validate(features),
            _array(held_out["y_true"]),
            _array(held_out["y_pred"]),
            None if held_out["y_proba"] is None else np.asarray(held_out["y_proba"]),
            held_out["metrics"],
        ),
        coverage=coverage,
        sample=spec.validate(sample),
        version=record["version"],
        trained_at=record["trained_at"],
        data=record["data"],
    )


def _array(values: list[Any]) -> np.ndarray:
    import numpy as np

    return np.asarray(values, dtype=object if values and isinstance(values[0], str) else None)
