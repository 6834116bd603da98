"""Models of estimators that were fitted elsewhere."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import did_you_mean, shorten_list
from irislib._common.messages.advice import TEXTS
from irislib._description.class_names import class_names, describe_class_faults, require_names, to_codes
from irislib._description.feature import Feature
from irislib._description.spec import ModelSpec
from irislib._description.values import to_python
from irislib._modeling import training
from irislib._modeling.arguments import require_estimator
from irislib._modeling.estimators import check_classes, check_estimator, check_predictions, is_fitted, require_columns
from irislib._modeling.evaluation import evaluate
from irislib._modeling.model import Model
from irislib._modeling.row_digests import row_digests, to_facts
from irislib._modeling.user_errors import user_errors
from irislib.errors import DataError, SpecError, ValidationError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["FittedSpec", "draft_features", "from_estimator", "ignore_missing_names"]


@dataclass(frozen=True, eq=False)
class FittedSpec(ModelSpec):
    """The description of a model that irislib has not trained.

    Its ``identity`` is a hash of the estimator and of the rows that it was evaluated on. The ``origin`` of one that was
    read from a file is what it was made from, as :func:`irislib._modeling.staleness.dependencies` returns it.
    """

    load_data: Any = None
    estimator: Any = None
    identity: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)

    def _source_faults(self) -> list[str]:
        return []

    def _estimator_digests(self) -> dict[str, str]:
        return {"estimator": self.identity}


def from_estimator(
    estimator: Any,
    X_test: Any = None,  # noqa: N803 - as in scikit-learn
    y_test: Any = None,
    *,
    name: str,
    X_train: Any = None,  # noqa: N803
    y_train: Any = None,
    features: Sequence[Feature] | None = None,
    target: str = "",
    **description: Any,
) -> Model:
    """Make a model of a fitted estimator; see :meth:`Model.from_estimator`."""
    require_estimator(estimator)
    _require_parameters(description)
    subject = f"The description of model {name!r}"
    if faults := check_estimator(estimator):
        raise SpecError(subject, faults)
    if not is_fitted(estimator):
        raise SpecError(
            subject, [f"estimator: this {type(estimator).__name__} is not fitted; call its fit first, or use train."]
        )
    if faults := check_classes(estimator):
        raise SpecError(subject, faults)
    if description.get("threshold") is not None:
        wrapped = "FixedThresholdClassifier(FrozenEstimator(estimator), threshold=…, pos_label=…).fit(X_test, y_test)"
        raise SpecError(subject, [f"threshold: a fitted estimator predicts as it does; give this one: {wrapped}."])
    names = class_names(description.get("classes", {}))
    if faults := describe_class_faults(names, estimator):
        raise SpecError(subject, faults)
    require_names(names, estimator, subject)
    ignore_missing_names(estimator)
    _require_pair(X_test=X_test, y_test=y_test)
    if y_train is not None:
        _require_pair(X_train=X_train, y_train=y_train)
    if X_test is None:
        from irislib._modeling.without_rows import without_rows

        if X_train is not None or features is None:
            raise DataError(TEXTS["fitted.no_rows"])
        identity = _identity(estimator, None, None)
        return without_rows(
            FittedSpec(name, features, target or "target", estimator=estimator, identity=identity, **description)
        )
    test = _frame(X_test, estimator, "X_test")
    if faults := _check_targets(estimator, test.head(1)):
        raise SpecError(subject, faults)
    train = None if X_train is None else _frame(X_train, estimator, "X_train")
    y = _target(y_test, test, "y_test", estimator, names)
    y_fit = y if train is None or y_train is None else _target(y_train, train, "y_train", estimator, names)
    spec = FittedSpec(
        name,
        draft_features([test] if train is None else [train, test]) if features is None else features,
        target or str(getattr(y_test, "name", None) or "target"),
        estimator=estimator,
        identity=_identity(estimator, test, y),
        **description,
    )
    require_columns(estimator, spec.columns, in_order=False)
    x, known = _checked(spec, test, "X_test"), None if train is None else _checked(spec, train, "X_train")
    with user_errors(spec, test, y):
        _require_same_predictions(estimator, test, x)
        evaluation = evaluate(estimator, x, y, y_fit, spec.classes)
    known_rows = x if known is None else known
    return Model(
        spec=spec,
        estimator=estimator,
        evaluation=evaluation,
        coverage=training.coverage(spec, known_rows),
        sample=training.sample(known_rows, spec.random_state),
        version=spec.digest[:12],
        trained_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        data={
            "rows": len(x) + (0 if known is None else len(known)),
            "training_rows": None if known is None else len(known),
            "digest": spec.identity,
            "fitted_elsewhere": True,
            **({} if known is None or y_train is None else {"row_digests": _row_digests(known, y_fit, x, y)}),
        },
    )


def _require_parameters(description: Mapping[str, Any]) -> None:
    """Raise TypeError for a parameter that no description has, as Python does, with the one that may be meant."""
    own = [item.name for item in fields(ModelSpec) if item.name not in ("load_data", "estimator")]
    if unknown := [key for key in description if key not in own]:
        names = [*own, "X_train", "y_train"]
        raise TypeError(f"from_estimator has no parameter {unknown[0]!r}. {did_you_mean(unknown[0], names)}")


def _require_pair(**rows: Any) -> None:
    """Raise DataError if one of two arguments that belong together is missing."""
    missing = [argument for argument, value in rows.items() if value is None]
    if len(missing) == 1:
        (present,) = rows.keys() - missing
        raise DataError(TEXTS["fitted.pair"].format(missing=missing[0], present=present))


def _row_digests(x_train: pd.DataFrame, y_train: np.ndarray, x: pd.DataFrame, y: np.ndarray) -> dict[str, str]:
    import numpy as np
    import pandas as pd

    digests = row_digests(pd.concat([x_train, x]), np.concatenate([y_train, y]))
    return to_facts(digests[: len(x_train)], digests[len(x_train) :])


def _check_targets(estimator: Any, row: pd.DataFrame) -> list[str]:
    try:
        return check_predictions(estimator, estimator.predict(row))
    except Exception:  # reported when all rows are predicted, with the description's line and advice
        return []


def ignore_missing_names(estimator: Any) -> None:
    """Silence scikit-learn's warning about each frame if an estimator was fitted on an array, without names."""
    if getattr(estimator, "feature_names_in_", None) is None:
        warnings.filterwarnings("ignore", "X has feature names, but .* was fitted without feature names", UserWarning)


def _frame(rows: Any, estimator: Any, argument: str) -> pd.DataFrame:
    """Return rows as a frame with the columns that the estimator was fitted on, in its order."""
    import numpy as np
    import pandas as pd

    names = getattr(estimator, "feature_names_in_", None)
    if not isinstance(rows, pd.DataFrame):
        if hasattr(rows, "toarray"):
            raise DataError(
                f"{argument} is a sparse matrix; give a DataFrame or an array, such as {argument}.toarray()."
            )
        array = np.asarray(rows)
        if array.ndim != 2:
            raise DataError(f"{argument} must be a table of rows and columns, got an array of {array.ndim} dimensions.")
        columns = [f"x{i}" for i in range(array.shape[1])] if names is None else list(names)
        if array.shape[1] != getattr(estimator, "n_features_in_", len(columns)):
            raise DataError(
                f"{argument} has {array.shape[1]} columns; the estimator was fitted on {estimator.n_features_in_}."
            )
        return pd.DataFrame(array, columns=columns).infer_objects()
    if names is None:
        return rows.reset_index(drop=True)
    if missing := [str(column) for column in names if column not in rows.columns]:
        raise DataError(f"{argument} lacks the columns {shorten_list(missing)}, on which the estimator was fitted.")
    return rows[list(names)].reset_index(drop=True)


def evaluated_on(model: Model, rows: Any, y_true: Any) -> Model:
    """Return a model with its evaluation on other rows; see :meth:`Model.evaluated_on`."""
    import joblib

    checked = _checked(model.spec, rows, "X")
    true = _target(y_true, checked, "y", model.estimator, model.spec.classes)
    with user_errors(model.spec, checked, true):
        evaluation = evaluate(model.estimator, checked, true, true, model.spec.classes)
    data = {**model.data, "evaluated_on": str(joblib.hash((checked, true)))}
    return replace(model, evaluation=evaluation, data=data)


def _target(values: Any, rows: pd.DataFrame, argument: str, estimator: Any, names: Mapping[Any, str]) -> np.ndarray:
    """Return the true values of rows; of a classifier as the codes that it predicts."""
    import numpy as np
    import pandas as pd
    from sklearn.base import is_classifier

    array = np.asarray(values)
    array = array.ravel() if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1:
        raise DataError(f"{argument} has {array.shape[1]} columns; irislib shows models with one target.")
    if len(array) != len(rows):
        raise DataError(f"{argument} has {len(array)} values for {len(rows)} rows.")
    if len(array) < 2:
        raise DataError(f"{argument} has fewer than two values: too few to measure anything.")
    if missing := int(pd.isna(array).sum()):
        raise DataError(f"{argument} is missing in {missing} rows; leave them out.")
    if array.dtype.kind not in "biuf":
        array = array.astype(object)
    array = to_codes(names, array, argument)
    if is_classifier(estimator):
        classes = list(getattr(estimator, "classes_", ()))
        if classes and (unknown := sorted({repr(label) for label in array.tolist() if label not in classes})):
            known = shorten_list([repr(to_python(label)) for label in classes])
            hint = ""
            are_codes = not any(isinstance(label, str) for label in classes)
            if not names and are_codes and all(isinstance(label, str) for label in array.tolist()):
                hint = f" Name its classes: classes={{{to_python(classes[0])!r}: {unknown[0]}, …}}."
            labels = shorten_list(unknown)
            raise DataError(f"{argument} has unknown classes: {labels}; the estimator knows {known}.{hint}")
    return array


def draft_features(frames: list[pd.DataFrame]) -> list[Feature]:
    """Return features for the columns of these frames that keep the dtypes the estimator was given."""
    import pandas as pd

    from irislib._description.inference import infer_features

    table = pd.concat(frames, ignore_index=True)
    return [_with_dtype(feature, frames[0][feature.column].dtype) for feature in infer_features(table)]


def _with_dtype(feature: Feature, dtype: Any) -> Feature:
    own = str(dtype)
    arrives = feature.type.dtype if feature.required else "float64"
    kinds = "biuf" if feature.required else "f"  # the others have no missing values: these arrive as NaN
    if feature.kind == "number":
        kinds = "f"  # a column of whole numbers would lose the decimals of the other rows
    is_plain = getattr(dtype, "kind", "O") in kinds and feature.type.dtype in ("bool", "int64", "float64")
    if feature.dtype or own == arrives or not is_plain:
        return feature
    return replace(feature, dtype=own)


def _checked(spec: ModelSpec, rows: pd.DataFrame, argument: str) -> pd.DataFrame:
    try:
        return spec.validate(rows, max_rows=len(rows))
    except ValidationError as error:
        raise DataError(
            f"{argument} does not fit the features: {error}\n"
            "Correct it, or widen the feature's limits (low, high, choices, required=False)."
        ) from error


def _require_same_predictions(estimator: Any, rows: pd.DataFrame, checked: pd.DataFrame) -> None:
    """Raise DataError if the estimator predicts otherwise for rows that have passed through the features.

    These may be in another order, if it selects columns by name as a ColumnTransformer does.
    """
    import numpy as np

    # an order that it ignores shows in its probabilities sooner than in its classes
    is_reordered = list(rows) != list(checked) and hasattr(estimator, "predict_proba")
    predict = estimator.predict_proba if is_reordered else estimator.predict
    expected = np.asarray(predict(rows)).ravel()
    try:
        ours = np.asarray(predict(checked)).ravel()
    except Exception:
        require_columns(estimator, list(checked))
        raise
    # the order of a sum depends on the layout of the frame
    is_number = expected.dtype.kind == "f"
    differ = ~np.isclose(expected, ours, rtol=1e-6, equal_nan=True) if is_number else expected != ours
    if differ.any():
        require_columns(estimator, list(checked))
        changed = [
            f"{column} ({rows[column].dtype} becomes {checked[column].dtype})"
            for column in rows
            if rows[column].dtype != checked[column].dtype
        ]
        raise DataError(
            f"{int(differ.sum())} of {len(rows)} predictions change when the values pass through the features: "
            f"{shorten_list(changed) or 'their values change'}. "
            "Give Feature(…, dtype=…) what the estimator was fitted on."
        )


def _identity(estimator: Any, rows: pd.DataFrame | None, target: np.ndarray | None) -> str:
    import joblib

    try:
        return str(joblib.hash((estimator, rows, target)))
    except Exception:  # what cannot be pickled has no hash; its parameters and rows have
        return str(joblib.hash((repr(estimator.get_params(deep=True)), rows, target)))
