"""Models of fitted estimators that came without any rows: they predict, and nothing is known of how well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib._description.values import to_python
from irislib._modeling.estimators import check_predictions, require_columns
from irislib._modeling.evaluation import NoEvaluation
from irislib._modeling.model import Model
from irislib._modeling.user_errors import user_errors
from irislib.errors import DataError, SpecError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._modeling.fitted import FittedSpec

__all__ = ["made_up_rows", "without_rows"]

ROWS = 60  # made-up ones, on which a fast form is proved
TEXT = "a text"


def without_rows(spec: FittedSpec) -> Model:
    """Return the model of a fitted estimator without an evaluation; what its data cover is not known.

    Raises
    ------
    SpecError
        If the estimator predicts several targets.
    DataError
        If the estimator does not take the columns of the features.
    UserCodeError
        If it cannot predict rows that the features allow.
    """
    import numpy as np

    estimator = spec.estimator
    require_columns(estimator, spec.columns)
    count = getattr(estimator, "n_features_in_", len(spec.features))
    if count != len(spec.features):
        raise DataError(f"There are {len(spec.features)} features; the estimator was fitted on {count} columns.")
    rows = spec.validate(made_up_rows(spec.features))
    with user_errors(spec, rows):
        predicted = np.asarray(estimator.predict(rows))
    if faults := check_predictions(estimator, predicted):
        raise SpecError(f"The description of model {spec.name!r}", faults)
    predicted = predicted.ravel()
    if spec.classes:
        predicted = np.asarray([spec.classes[code] for code in predicted.tolist()], dtype=object)
    return Model(
        spec=spec,
        estimator=estimator,
        evaluation=NoEvaluation(rows, predicted),
        coverage={},
        sample=rows.head(0),
        version=spec.digest[:12],
        trained_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        data={"rows": 0, "training_rows": None, "digest": spec.identity, "fitted_elsewhere": True},
    )


def made_up_rows(features: Sequence[Feature]) -> pd.DataFrame:
    """Return rows that the features allow: the defaults, and values around them."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    return pd.DataFrame({feature.name: _values(feature, rng) for feature in features})


def _values(feature: Feature, rng: Any) -> list[Any]:
    if categories := list(feature.type.categories(feature)):
        return [categories[i % len(categories)] for i in rng.permutation(ROWS)]
    if feature.type.is_numeric:
        return _numbers(feature, rng)
    if feature.kind == "date":
        start = feature.default or feature.low or feature.high or dt.date(2000, 1, 1)
        ends = [feature.low or start, feature.high or start]
        days = [start + dt.timedelta(int(days)) for days in rng.integers(-500, 500, ROWS)]
        return [day if feature.type.within(feature, day) else ends[0] for day in days]
    if feature.kind == "time":
        times = [dt.time(int(hour)) for hour in rng.integers(0, 24, ROWS)]
        return [time if feature.type.within(feature, time) else feature.low or feature.high for time in times]
    texts = [text for text in feature.choices or (feature.default or TEXT,) if text]
    return [texts[i % len(texts)] for i in range(ROWS)]


def _numbers(feature: Feature, rng: Any) -> list[Any]:
    """Return numbers around the default within the limits, the default among them."""
    import numpy as np

    low, high = feature.low, feature.high
    middle = feature.default
    if middle is None:
        ends = [end for end in (low, high) if end is not None]
        middle = sum(ends) / len(ends) if len(ends) == 2 else ends[0] + (1 if low is not None else -1) if ends else 0
    reach = max(abs(middle), 1.0)
    first = middle - reach if low is None else max(low, middle - 4 * reach)
    last = middle + reach if high is None else min(high, middle + 4 * reach)
    numbers = np.concatenate([[middle], rng.uniform(first, last, ROWS - 1)])
    if feature.kind == "integer":
        numbers = np.rint(numbers)
    texts = [feature.type.to_text(int(n) if feature.kind == "integer" else float(n)) for n in numbers]
    return [to_python(feature.parse(text)) if _is_valid(feature, text) else middle for text in texts]


def _is_valid(feature: Feature, text: str) -> bool:
    return bool(feature.type.within(feature, feature.type.parse(feature, text)))
