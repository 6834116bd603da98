"""The proof that a fast form is equal to scikit-learn, on rows that would show a difference."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import Candidate, Comparison, NoFasterFormError, Outcome, rows_to_prove
from irislib._compiled.single_row import pipeline_steps
from irislib._description.values import is_empty

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.feature import Feature
    from irislib._description.spec import ModelSpec

__all__ = ["assert_equivalent", "predicts_likeliest", "values_of_rows"]

TEST_ROWS = 500  # of the test rows: a prediction takes microseconds
SLOW_TEST_ROWS = 25  # the same if it takes milliseconds
DECIMAL_ROWS = 500
UNSEEN_ROWS = 40
REFUSED_ROWS = 12  # one at a time, where scikit-learn refuses some
UNSEEN = "a text that is nowhere else"


def assert_equivalent(spec: ModelSpec, estimator: Any, candidate: Candidate, rows: pd.DataFrame) -> int:
    """Return the number of rows on which a fast form was proved equal to scikit-learn.

    Parameters
    ----------
    spec : ModelSpec
    estimator : fitted estimator
    candidate : Candidate
    rows : DataFrame of shape (n_rows, n_features)
        Test rows.

    Raises
    ------
    NoFasterFormError
        If they differ, or nothing could be compared.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    same: list[bool] = []
    try:
        for i, frame in enumerate(_frames(spec, rows, candidate, rng)):
            case = Comparison(candidate.form.predict, frame, estimator, frame)
            same += (_compare_accepted if i else _compare)(case, candidate.tolerance)
            if not same:
                raise NoFasterFormError("there are no rows to prove a faster form on.")
        for hard_case in candidate.hard_cases:
            same += _compare(hard_case(rng), candidate.tolerance)
    except NoFasterFormError:
        raise
    except Exception as error:  # what cannot be proved, for whatever reason, is left to scikit-learn
        raise NoFasterFormError(f"it refuses rows that would prove a faster form ({error}).") from error
    if not all(same):
        raise NoFasterFormError(f"the faster form differs in {same.count(False):,} of {len(same):,} rows.")
    return len(same)


def _frames(
    spec: ModelSpec, rows: pd.DataFrame, candidate: Candidate, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """The rows on which to prove a form: test rows, rows such as people write, with missing and unseen values."""
    count = SLOW_TEST_ROWS if candidate.is_slow else rows_to_prove(TEST_ROWS, candidate.n_trees)
    frames = [rows.iloc[:count]]
    if not candidate.is_slow:
        frames.append(_two_decimals(frames[0], rows_to_prove(DECIMAL_ROWS, candidate.n_trees), rng))
    yield from frames
    if not all(feature.required for feature in spec.features):
        yield from (_with_missing(spec, frame) for frame in frames)
    if any(_is_category(feature) for feature in spec.features):
        yield _with_unseen(spec, frames[0])


def predicts_likeliest(estimator: Any, rows: pd.DataFrame) -> bool:
    """Return True if ``predict`` returns the class of the largest probability, so that one call gives both.

    The source of scikit-learn's forests has it so, alone or at the end of a Pipeline, and test rows must confirm it.
    Other estimators may decide in another way.
    """
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    last = pipeline_steps(estimator)[1]
    if type(last) not in (ExtraTreesClassifier, RandomForestClassifier) or rows.empty:
        return False
    likeliest = estimator.classes_.take(estimator.predict_proba(rows).argmax(axis=1))
    return bool((likeliest == estimator.predict(rows)).all())


def _compare_accepted(case: Comparison, tolerance: float) -> list[bool]:
    """Compare predictions with scikit-learn's; rows that it refuses must be left to it."""
    try:
        return _compare(case, tolerance)
    except (TypeError, ValueError):
        same = []
        for i in range(min(len(case.rows), REFUSED_ROWS)):
            one = Comparison(case.predict, case.rows.iloc[[i]], case.estimator, case.frame.iloc[[i]])
            try:
                same += _compare(one, tolerance)
            except (TypeError, ValueError):
                if case.predict(values_of_rows(one.rows)[0]) is not None:
                    raise
        return same


def _compare(case: Comparison, tolerance: float) -> list[bool]:
    """Compare predictions with scikit-learn's; rows that the fast form leaves to scikit-learn are skipped."""
    from sklearn.base import is_classifier

    predictions = case.estimator.predict(case.frame).ravel().tolist()
    if hasattr(case.estimator, "predict_proba"):
        probabilities = case.estimator.predict_proba(case.frame).tolist()
    else:
        probabilities = [None] * len(predictions)
    scale = None if is_classifier(case.estimator) else max(map(abs, predictions), default=0.0)
    return [
        _is_same(outcome, expected, tolerance, scale)
        for row, expected in zip(values_of_rows(case.rows), zip(predictions, probabilities, strict=True), strict=True)
        if (outcome := case.predict(row)) is not None
    ]


def values_of_rows(rows: pd.DataFrame) -> list[list[Any]]:
    """Return rows as a fast form takes them."""
    return [[None if is_empty(v) else v for v in row] for row in rows.itertuples(index=False, name=None)]


def _is_same(outcome: Outcome, expected: Outcome, tolerance: float, scale: float | None) -> bool:
    """Return True if two outcomes are equal, but for as much as the tolerance allows.

    Parameters
    ----------
    outcome, expected : tuple
    tolerance : float
        Of probabilities, and of numbers beside ``scale``.
    scale : float or None
        The largest prediction, for the last bits of a small one are those of the larger terms that it is the sum of.
        None for classes.
    """
    if outcome == expected or not tolerance:
        return outcome == expected
    if scale is not None:
        return isclose(outcome[0], expected[0], rel_tol=0, abs_tol=tolerance * scale)
    pairs = zip(outcome[1] or (), expected[1] or (), strict=True)
    return outcome[0] == expected[0] and all(isclose(*pair, rel_tol=0, abs_tol=tolerance) for pair in pairs)


def _two_decimals(rows: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rows within the range of the test rows, as people write them: a form that forgets float32 fails on these."""
    import numpy as np
    import pandas as pd

    columns = {}
    for name, column in rows.items():
        if column.dtype.kind == "f":
            numbers = np.nan_to_num(column.to_numpy())
            columns[name] = rng.uniform(numbers.min(), numbers.max(), count).round(2).astype(column.dtype)
        else:
            columns[name] = column.iloc[rng.integers(0, len(column), count)].reset_index(drop=True)
    return pd.DataFrame(columns)


def _is_category(feature: Feature) -> bool:
    return feature.type.dtype == "object"


def _with_unseen(spec: ModelSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with categories of which the training data may have none."""
    import pandas as pd

    rows = rows.head(UNSEEN_ROWS).reset_index(drop=True)
    for i, feature in enumerate(feature for feature in spec.features if _is_category(feature)):
        choices = [choice for choice in feature.type.categories(feature) or (UNSEEN,) if not is_empty(choice)]
        cells = rows[feature.column].tolist()
        for k in range(i, len(cells), 2):
            cells[k] = choices[k // 2 % len(choices)]
        if not feature.dtype:
            rows[feature.column] = pd.Series(cells, dtype=object)
    return rows


def _with_missing(spec: ModelSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, each without one of the features that may be missing."""
    optional = [feature.column for feature in spec.features if not feature.required]
    rows = rows.reset_index(drop=True)
    for i, name in enumerate(optional):
        # not set in place, which pandas refuses where the column is of booleans
        rows[name] = rows[name].mask(rows.index % len(optional) == i)
    return rows
