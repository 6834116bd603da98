"""The data that models are trained on: loaded, and checked against the description."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import shorten_list
from irislib._common.messages.advice import TEXTS as ADVICE
from irislib._common.messages.validation import TEXTS
from irislib._description.class_names import to_codes
from irislib._description.validation import names_of
from irislib._description.values import to_python
from irislib._modeling.user_errors import user_errors
from irislib.errors import DataError, NotApplicableError, ValidationError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model

__all__ = [
    "checked",
    "data_digest",
    "digest_of",
    "load_data",
    "require_trainable",
    "target_array",
    "target_of",
    "training_data",
]


def training_data(model: Model) -> tuple[pd.DataFrame, np.ndarray]:
    """Return all the data that a model was made from, the held-out rows too.

    Returns
    -------
    tuple of DataFrame of shape (n_rows, n_features) and ndarray of shape (n_rows,)

    Raises
    ------
    NotApplicableError
        If ``load_data`` returns others by now, or the model was fitted elsewhere.
    """
    require_trainable(model)
    features, target = checked(model.spec, load_data(model.spec))
    if digest_of(features, target) != model.data["digest"]:
        raise NotApplicableError(
            f"The data have changed since this version of {model.spec.title} was trained; train it anew."
        )
    return features, target


def require_trainable(model: Model) -> None:
    """Raise NotApplicableError if a model cannot be trained again: there is no function that loads its data."""
    if model.is_fitted_elsewhere or model.spec.load_data is None:
        key = "not_trainable" if model.is_fitted_elsewhere else "not_trainable_file"
        raise NotApplicableError(TEXTS[key].format(model=model.spec.title))


def data_digest(spec: ModelSpec) -> str:
    """Return the digest of the data that ``load_data`` returns now."""
    return digest_of(*checked(spec, load_data(spec)))


def load_data(spec: ModelSpec) -> pd.DataFrame:
    """Return the data of a spec, as its own function returns them."""
    with user_errors(spec):
        return spec.load_data()


def checked(spec: ModelSpec, data: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the checked features and the target of data, of a classifier as codes.

    Raises
    ------
    DataError
        If the data do not fit the description.
    """
    if not hasattr(data, "columns"):
        raise DataError(ADVICE["data.type"].format(name=spec.name, type=type(data).__name__))
    columns = list(data.columns)
    names = names_of(spec.features, columns)
    missing = [feature.column for feature in spec.features if feature.name not in names.values()]
    if missing := [*missing, *({spec.target} - {*columns})]:
        raise DataError(
            f"The training data of {spec.name!r} lack the columns {shorten_list(list(map(str, missing)))}; "
            f"they have {shorten_list(list(map(str, columns))) or 'none'}."
        )
    if duplicates := [str(name) for name in [*names, spec.target] if columns.count(name) > 1]:
        raise DataError(
            f"The training data of {spec.name!r} have the columns {shorten_list(duplicates)} more than once."
        )
    if len(data) < 2:
        raise DataError(f"The training data of {spec.name!r} have {len(data)} rows: too few to learn from.")
    _require_values(spec, data, names)
    try:
        features = spec.validate(data[list(names)])
    except ValidationError as error:
        raise DataError(
            f"The training data of {spec.name!r} do not fit its features: {error}\n"
            "Correct the data, or widen the feature's limits (low, high, choices, required=False)."
        ) from error
    return features, target_of(spec, data)


def target_of(spec: ModelSpec, data: pd.DataFrame) -> np.ndarray:
    """Return the checked target, of a classifier as codes."""
    return to_codes(spec.classes, _checked_target(spec, data[spec.target]), f"The target {spec.target!r}")


def _checked_target(spec: ModelSpec, values: pd.Series) -> np.ndarray:
    import numpy as np

    if missing_count := int(values.isna().sum()):
        raise DataError(f"The target {spec.target!r} is missing in {missing_count} rows; drop them in load_data.")
    target = target_array(values)
    if target.dtype.kind == "O" and (unsupported := [value for value in target if not isinstance(value, str)]):
        raise DataError(
            f"The target {spec.target!r} must hold numbers or text, "
            f"got {type(unsupported[0]).__name__} {unsupported[0]!r}; "
            "turn it into text in load_data: .astype(str)."
        )
    if target.dtype.kind == "f" and (infinite_count := int(np.isinf(target).sum())):
        raise DataError(f"The target {spec.target!r} is infinite in {infinite_count} rows; drop them in load_data.")
    if (target == target[0]).all():
        raise DataError(
            f"The target {spec.target!r} is {to_python(target[0])!r} in every row: there is nothing to learn."
        )
    return target


def target_array(values: pd.Series) -> np.ndarray:
    """Return a target as estimators are trained with it."""
    target: np.ndarray = values.infer_objects().to_numpy()
    if target.dtype.kind in "biuf":
        return target
    return target.astype(object)  # pandas' own string dtypes would turn up in every prediction


def _require_values(spec: ModelSpec, data: pd.DataFrame, names: Mapping[Any, str]) -> None:
    """Raise DataError if a feature that must not be left empty is empty in the training data."""
    required = {feature.name for feature in spec.features if feature.required}
    counts = {name: int(data[column].isna().sum()) for column, name in names.items() if name in required}
    columns = [
        ADVICE["data.missing.column"].format(column=name, count=count, rows=len(data))
        for name, count in counts.items()
        if count
    ]
    if columns:
        raise DataError(ADVICE["data.missing"].format(name=spec.name, columns=", ".join(columns)))


def digest_of(features: pd.DataFrame, target: np.ndarray) -> str:
    """Return the digest of checked features and their target."""
    import pandas as pd

    hashes = pd.util.hash_pandas_object(features.assign(**{"\0target": target}), index=False)
    return hashlib.sha256(hashes.to_numpy().tobytes()).hexdigest()
