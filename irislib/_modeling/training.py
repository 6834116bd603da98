"""Reproducible training of the model that a spec describes."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from irislib._common.messages.store import TEXTS as STORE_TEXTS
from irislib._description.fingerprint import package_of
from irislib._modeling.arguments import require_spec
from irislib._modeling.data_files import DataFiles, reads_of_import, record_reads
from irislib._modeling.estimators import check_classes, unfitted_copy
from irislib._modeling.evaluation import evaluate
from irislib._modeling.model import Model
from irislib._modeling.row_digests import known_rows, row_digests, to_facts, unseen_rows
from irislib._modeling.seeding import seeded
from irislib._modeling.threads import idle_cores_only
from irislib._modeling.training_data import checked, digest_of, load_data, target_of
from irislib._modeling.user_errors import user_errors
from irislib.errors import SpecError, without_exit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["coverage", "held_out_rows", "retrain", "sample", "train", "unfitted"]

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
        data = load_data(spec) if data is None else data
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
        if faults := check_classes(estimator):
            raise SpecError(f"The description of model {spec.name!r}", faults)
        _require_missing_are_taken(spec, estimator, x_test)
        evaluation = evaluate(estimator, x_test, y_test, y_train, spec.classes)
    digest, digests = digest_of(features, target), row_digests(features, target)
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
    return _split(spec, spec.estimator, target_of(spec, data), None)[1]


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


def sample(rows: pd.DataFrame, random_state: int) -> pd.DataFrame:
    """Return as many rows as are kept with a model."""
    if len(rows) > SAMPLE:
        rows = rows.sample(SAMPLE, random_state=random_state)
    return rows.reset_index(drop=True)


def coverage(spec: ModelSpec, rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return what rows cover, by feature."""
    coverages = {feature.name: feature.type.coverage(feature, rows[feature.column]) for feature in spec.features}
    return {name: coverage for name, coverage in coverages.items() if coverage is not None}


def _version(spec: ModelSpec, digest: str) -> str:
    return hashlib.sha256(f"{spec.digest} {digest}".encode()).hexdigest()[:12]
