"""Reproducible training of the model that a spec describes."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.formatting import shorten_list
from irislib._common.messages.advice import TEXTS as ADVICE
from irislib._common.messages.store import TEXTS as STORE_TEXTS
from irislib._common.messages.validation import TEXTS
from irislib._description.class_names import to_codes, to_names
from irislib._description.fingerprint import package_of
from irislib._description.validation import names_of
from irislib._description.values import to_python
from irislib._modeling.arguments import require_spec
from irislib._modeling.data_files import DataFiles, reads_of_import, record_reads
from irislib._modeling.estimators import unfitted_copy
from irislib._modeling.evaluation import Evaluation
from irislib._modeling.model import Model
from irislib._modeling.row_digests import known_rows, row_digests, to_facts, unseen_rows
from irislib._modeling.seeding import seeded
from irislib._modeling.threads import idle_cores_only
from irislib._modeling.user_errors import user_errors
from irislib.errors import DataError, NotApplicableError, SpecError, ValidationError, without_exit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = [
    "checked",
    "coverage",
    "data_digest",
    "evaluate",
    "held_out_rows",
    "retrain",
    "sample",
    "target_array",
    "train",
    "training_data",
    "unfitted",
]

log = logging.getLogger(__name__)

SAMPLE = 1000  # training rows kept with the model


@without_exit()
def train(spec: ModelSpec, data: pd.DataFrame | None = None, *, scheduler: str | None = None) -> Model:
    """Train and evaluate the model that a spec describes.

    The estimator is fitted on the part of the data that is not held out and stays as it is then:
    the model that predicts is the model that was measured. Classes keep their shares in both parts.

    Parameters
    ----------
    spec : ModelSpec
    data : DataFrame of shape (n_rows, n_features + 1), optional
        Instead of what ``spec.load_data()`` returns.
    scheduler : str, optional
        The address of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, whose workers do what scikit-learn does in
        parts: the fits of a search, the trees of a forest. The model is the same.

    Returns
    -------
    Model

    Raises
    ------
    DataError
        If the data do not fit the description: a column is missing, or a value is impossible.
    SpecError
        If a feature may be left empty that the estimator cannot do without.
    UserCodeError
        If ``load_data`` or the estimator fails.
    IrislibError
        If the cluster cannot be used.
    """
    require_spec(spec)
    with record_reads() as data_files:
        data = _load_data(spec) if data is None else data
    features, target = checked(spec, data)
    return _fit(spec, features, target, data_files(), scheduler=scheduler)


def _cluster(scheduler: str | None) -> AbstractContextManager[None]:
    if scheduler is None:
        return nullcontext()
    from irislib._distributed.training import train_on  # here, for it imports Dask

    return train_on(scheduler)


@without_exit()
def retrain(spec: ModelSpec, data: pd.DataFrame, former: Model, data_files: Sequence[dict[str, Any]] = ()) -> Model:
    """Train a new version of a model, and hold out the rows that the former version has not seen either.

    Parameters
    ----------
    spec : ModelSpec
    data : DataFrame of shape (n_rows, n_features + 1)
    former : Model
        Rows that it was tested on stay held out; see :func:`irislib._modeling.row_digests.unseen_rows`.
    data_files : list of dict
        The local files that the data were read from.

    Raises
    ------
    DataError, SpecError, UserCodeError
        As of :func:`train`.
    """
    features, target = checked(spec, data)
    is_test = unseen_rows(row_digests(features, target), known_rows(former), spec.test_size)
    return _fit(spec, features, target, list(data_files), is_test)


def _fit(
    spec: ModelSpec,
    features: pd.DataFrame,
    target: np.ndarray,
    data_files: DataFiles,
    is_test: np.ndarray | None = None,
    scheduler: str | None = None,
) -> Model:
    import numpy as np

    require_positive_class(spec, target)
    with user_errors(spec):
        estimator = unfitted(spec)
    rows, held_out = _split(spec, estimator, target, is_test)
    x_train, x_test = features.iloc[rows], features.iloc[held_out]
    y_train, y_test = target[rows], target[held_out]
    log.info("%s", STORE_TEXTS["training"].format(title=spec.title, rows=len(x_train)))
    with idle_cores_only(), user_errors(spec, x_train, y_train):
        with _cluster(scheduler):  # not the predictions: threads would add up the trees of a forest in any order
            estimator.fit(x_train, y_train)
        _require_missing_are_taken(spec, estimator, x_test)
        evaluation = evaluate(estimator, x_test, y_test, y_train, spec.classes)
    digest, digests = _digest(features, target), row_digests(features, target)
    split = "" if is_test is None else f" {hashlib.sha256(np.sort(held_out).tobytes()).hexdigest()}"
    return Model(
        spec=spec,
        estimator=estimator,
        evaluation=evaluation,
        coverage=coverage(spec, x_train),
        sample=sample(x_train, spec.random_state),
        version=_version(spec, digest + split),
        trained_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        data={
            "rows": len(features),
            "training_rows": len(x_train),
            "digest": digest,
            "row_digests": to_facts(digests[rows], digests[held_out]),
        },
        data_files=[*reads_of_import(package_of(spec.load_data)), *data_files],
    )


def _split(
    spec: ModelSpec, estimator: Any, target: np.ndarray, is_test: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the training rows and of the test rows, at random unless they are chosen already."""
    import numpy as np
    from sklearn.base import is_classifier
    from sklearn.model_selection import train_test_split

    is_class = is_classifier(estimator)
    if is_test is not None:
        if is_class:  # each class is learnt
            is_test = is_test & np.isin(target, target[~is_test])
        if min(int(is_test.sum()), int((~is_test).sum())) >= 2:
            return np.flatnonzero(~is_test), np.flatnonzero(is_test)
    shares = target if is_class and _can_be_shared(target, spec.test_size) else None
    rows, held_out = train_test_split(
        np.arange(len(target)), test_size=spec.test_size, random_state=spec.random_state, stratify=shares
    )
    return rows, held_out


def held_out_rows(spec: ModelSpec, data: pd.DataFrame) -> np.ndarray:
    """Return the positions of the rows that :func:`train` holds out of data."""
    return _split(spec, spec.estimator, _target(spec, data), None)[1]


def unfitted(spec: ModelSpec) -> Any:
    """Return the estimator of a spec, not yet fitted, with every part seeded and with the spec's threshold."""
    estimator = seeded(unfitted_copy(spec.estimator), spec.random_state)
    if spec.threshold is None:
        return estimator
    from sklearn.model_selection import FixedThresholdClassifier

    codes = {name: code for code, name in spec.classes.items()}
    return FixedThresholdClassifier(
        estimator,
        threshold=spec.threshold,
        pos_label=codes.get(spec.positive_class, spec.positive_class),
        response_method="predict_proba",
    )


def require_positive_class(spec: ModelSpec, target: np.ndarray) -> None:
    """Raise SpecError if the spec's positive class is not one of two classes of the target."""
    if spec.positive_class is None:
        return
    names = [spec.classes.get(code, code) for code in sorted(set(target.tolist()))]
    subject = f"The description of model {spec.name!r}"
    if len(names) != 2:
        raise SpecError(subject, [f"positive_class: it is for two classes, but {spec.target!r} has {len(names)}."])
    if spec.positive_class not in names:
        known = " and ".join(map(repr, names))
        raise SpecError(subject, [f"positive_class: {spec.positive_class!r} is none of the classes {known}."])


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
    if model.is_fitted_elsewhere:
        raise NotApplicableError(TEXTS["not_trainable"].format(model=model.spec.title))
    features, target = checked(model.spec, _load_data(model.spec))
    if _digest(features, target) != model.data["digest"]:
        raise NotApplicableError(
            f"The data have changed since this version of {model.spec.title} was trained; train it anew."
        )
    return features, target


def data_digest(spec: ModelSpec) -> str:
    """Return the digest of the data that ``load_data`` returns now."""
    return _digest(*checked(spec, _load_data(spec)))


def _load_data(spec: ModelSpec) -> pd.DataFrame:
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
    return features, _target(spec, data)


def _target(spec: ModelSpec, data: pd.DataFrame) -> np.ndarray:
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


def _require_missing_are_taken(spec: ModelSpec, estimator: Any, rows: pd.DataFrame) -> None:
    """Try each feature that may be left empty, before an end user does."""
    optional = [feature for feature in spec.features if not feature.required]
    row = rows.iloc[[0]].to_dict("records")[0]
    gaps = [_without(row, {feature.column}) for feature in optional]
    # two predictions instead of one for each feature, of which a wide table has hundreds
    if len(gaps) > 2 and not (
        _refusal(spec, estimator, [_without(row, {feature.column for feature in optional})])
        or _refusal(spec, estimator, gaps)
    ):
        return
    faults = [
        f"{feature.name} may be left empty (required=False), but the estimator cannot do without it: put an "
        f"imputer into its pipeline, such as SimpleImputer(), or leave out required=False. ({why})"
        for feature, gap in zip(optional, gaps, strict=True)
        if (why := _refusal(spec, estimator, [gap]))
    ]
    if faults:
        raise SpecError(f"The description of model {spec.name!r}", faults)


def _without(row: Mapping[Any, Any], columns: set[Any]) -> dict[Any, Any]:
    return {column: value for column, value in row.items() if column not in columns}


def _refusal(spec: ModelSpec, estimator: Any, rows: list[dict[Any, Any]]) -> str:
    """Return why an estimator does not predict rows, "" if it does."""
    frame = spec.validate(rows)
    try:
        estimator.predict(frame)
    except Exception as error:  # each estimator refuses in its own way
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


def _can_be_shared(target: np.ndarray, test_size: float) -> bool:
    """Return True if both parts have room for every class, and each class occurs twice."""
    import numpy as np

    counts = np.unique(target, return_counts=True)[1]
    n_test = int(np.ceil(test_size * len(target)))
    return int(counts.min()) >= 2 and len(counts) <= min(n_test, len(target) - n_test)


def evaluate(
    estimator: Any, x: pd.DataFrame, y: np.ndarray, y_train: np.ndarray, names: Mapping[Any, str]
) -> Evaluation:
    """Evaluate a fitted estimator on test rows, beside a baseline that has learnt the training rows' target.

    Parameters
    ----------
    estimator : fitted classifier or regressor
    x : DataFrame of shape (n_test, n_features)
    y, y_train : ndarray of shape (n_test,) and (n_train,)
        True values; of a classifier the codes that it predicts.
    names : mapping of code to str
        Names of the classes; the evaluation has these instead of the codes.
    """
    import numpy as np
    from sklearn.base import is_classifier
    from sklearn.dummy import DummyClassifier, DummyRegressor
    from sklearn.metrics import (
        accuracy_score,
        mean_absolute_error,
        r2_score,
        recall_score,
        root_mean_squared_error,
    )

    predicted = np.asarray(estimator.predict(x)).ravel()
    if is_classifier(estimator):
        baseline = DummyClassifier().fit(y_train, y_train).predict(y)
        recall = partial(recall_score, y, labels=np.unique(y), average="macro")
        metrics = {
            "accuracy": accuracy_score(y, predicted),
            "balanced_accuracy": recall(predicted),
            "baseline_accuracy": accuracy_score(y, baseline),
            "baseline_balanced_accuracy": recall(baseline),
        }
    else:
        baseline = DummyRegressor(strategy="median").fit(y_train, y_train).predict(y)
        metrics = {
            "r2": r2_score(y, predicted),
            "mean_absolute_error": mean_absolute_error(y, predicted),
            "root_mean_squared_error": root_mean_squared_error(y, predicted),
            "baseline_mean_absolute_error": mean_absolute_error(y, baseline),
        }
    proba = estimator.predict_proba(x) if hasattr(estimator, "predict_proba") else None
    true, predicted = to_names(names, y), to_names(names, predicted)
    return Evaluation(x.reset_index(drop=True), true, predicted, proba, {k: float(v) for k, v in metrics.items()})


def sample(rows: pd.DataFrame, random_state: int) -> pd.DataFrame:
    """Return as many rows as are kept with a model."""
    if len(rows) > SAMPLE:
        rows = rows.sample(SAMPLE, random_state=random_state)
    return rows.reset_index(drop=True)


def coverage(spec: ModelSpec, rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return what rows cover, by feature."""
    coverages = {feature.name: feature.type.coverage(feature, rows[feature.column]) for feature in spec.features}
    return {name: coverage for name, coverage in coverages.items() if coverage is not None}


def _digest(features: pd.DataFrame, target: np.ndarray) -> str:
    import pandas as pd

    hashes = pd.util.hash_pandas_object(features.assign(**{"\0target": target}), index=False)
    return hashlib.sha256(hashes.to_numpy().tobytes()).hexdigest()


def _version(spec: ModelSpec, digest: str) -> str:
    return hashlib.sha256(f"{spec.digest} {digest}".encode()).hexdigest()[:12]
