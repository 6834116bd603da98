"""One row through scikit-learn itself, without the overhead that is meant for many rows."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._description.dtype_limits import rounds_to
from irislib._description.validation import column_dtypes, to_array
from irislib._description.values import to_python

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.feature import Feature

__all__ = ["column_converters", "one_row_frame", "pipeline_steps", "predict_one", "single_threaded"]


def one_row_frame(features: Sequence[Feature], values: Sequence[Any]) -> pd.DataFrame:
    """Make the frame that :meth:`ModelSpec.validate` returns of one checked row, without checking it again.

    Parameters
    ----------
    features : sequence of Feature
    values : sequence of shape (n_features,)
        From `check_row`; None where one is missing.
    """
    import numpy as np
    import pandas as pd

    arrays = [to_array(feature, [value]) for feature, value in zip(features, values, strict=True)]
    names = [feature.column for feature in features]
    dtypes = column_dtypes(features) if any(feature.dtype for feature in features) else {}
    is_uniform = len({array.dtype for array in arrays}) == 1 and arrays[0].dtype != "object"
    if not dtypes and is_uniform:
        return pd.DataFrame(np.concatenate(arrays)[np.newaxis], columns=names, copy=False)  # ten times as fast
    # pandas 3 would take an array of strings for its own string dtype
    columns = [pd.Series(array, dtype="object") if array.dtype == "object" else array for array in arrays]
    frame = pd.DataFrame(dict(zip(names, columns, strict=True)), copy=False)
    return frame.astype(dtypes) if dtypes else frame


def column_converters(features: Sequence[Feature]) -> dict[str, Callable[[Any], Any]]:
    """Return converters from a checked value to its column's type, by name, for the features that need one."""
    import numpy as np
    import pandas as pd

    converters: dict[str, Callable[[Any], Any]] = {}
    for feature in features:
        if feature.type.dtype.startswith("datetime"):
            converters[feature.name] = pd.Timestamp
        elif feature.type.is_numeric and (dtype := rounds_to(feature.dtype)):
            converters[feature.name] = partial(_rounded, np.dtype(dtype).type)
        elif feature.type.dtype in ("int64", "bool") and not feature.required:
            converters[feature.name] = float
    return converters


def _rounded(dtype: Callable[[Any], Any], value: float) -> float:
    return float(dtype(value))


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Run everything in one thread and one process: to distribute one row takes longer than to predict it.

    It holds for the thread that enters it, and for every part of an estimator, whatever its ``n_jobs`` is.
    """
    import joblib

    with joblib.parallel_config(backend="sequential"), _pools().limit(limits=1, user_api="openmp"):
        yield


@functools.cache
def _pools() -> Any:
    import sklearn.ensemble  # noqa: F401  its OpenMP has to be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # to look for the libraries each time would take milliseconds


def pipeline_steps(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps before the last one of a Pipeline that do something, and the last one."""
    from sklearn.pipeline import Pipeline

    if type(estimator) is not Pipeline:
        return [], estimator
    *before, last = (step for _, step in estimator.steps)
    return [step for step in before if step not in (None, "passthrough")], last


def predict_one(estimator: Any, row: pd.DataFrame, has_probabilities: bool) -> tuple[Any, list[float] | None]:
    """Predict one row with scikit-learn; return the prediction and the probability of each class if there are any."""
    before, last = pipeline_steps(estimator)
    with single_threaded():
        for step in before:  # once for both, and not once for each as Pipeline does
            row = step.transform(row)
        prediction = last.predict(row)[0]
        if getattr(prediction, "ndim", 0):  # CatBoost's have a column for the class
            prediction = prediction[0]
        return to_python(prediction), last.predict_proba(row)[0].tolist() if has_probabilities else None
