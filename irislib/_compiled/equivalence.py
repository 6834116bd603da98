"""The proof that a fast form is equal to scikit-learn, on rows that would show a difference."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

from irislib._compiled.fast_form import Candidate, Comparison, NoFasterFormError, Outcome
from irislib._compiled.single_row import pipeline_steps
from irislib._description.values import is_empty

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["assert_equivalent", "predicts_likeliest"]

TEST_ROWS = 500  # of the test rows: a prediction takes microseconds
SLOW_TEST_ROWS = 25  # the same if it takes milliseconds
DECIMAL_ROWS = 500


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
    test_rows = rows.iloc[: SLOW_TEST_ROWS if candidate.is_slow else TEST_ROWS]
    same: list[bool] = []
    try:
        frames = [test_rows] if candidate.is_slow else [test_rows, _two_decimals(test_rows, rng)]
        if not all(feature.required for feature in spec.features):
            frames += [_with_missing(spec, frame) for frame in frames]
        for frame in frames:
            same += _compare(Comparison(candidate.form.predict, frame, estimator, frame), candidate.tolerance)
        if candidate.hard_case:
            same += _compare(candidate.hard_case(test_rows, rng), candidate.tolerance)
    except (TypeError, ValueError) as error:
        raise NoFasterFormError(f"it refuses rows that would prove a faster form ({error}).") from error
    if not same:
        raise NoFasterFormError("there are no rows to prove a faster form on.")
    if not all(same):
        raise NoFasterFormError(f"the faster form differs in {same.count(False):,} of {len(same):,} rows.")
    return len(same)


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


def _compare(case: Comparison, tolerance: float) -> list[bool]:
    """Compare predictions with scikit-learn's; rows that the fast form leaves to scikit-learn are skipped."""
    predictions = case.estimator.predict(case.frame).tolist()
    if hasattr(case.estimator, "classes_"):
        probabilities = case.estimator.predict_proba(case.frame).tolist()
    else:
        probabilities = [None] * len(predictions)
    rows = [[None if is_empty(v) else v for v in row] for row in case.rows.itertuples(index=False, name=None)]
    return [
        _is_same(outcome, expected, tolerance)
        for row, expected in zip(rows, zip(predictions, probabilities, strict=True), strict=True)
        if (outcome := case.predict(row)) is not None
    ]


def _is_same(outcome: Outcome, expected: Outcome, tolerance: float) -> bool:
    if not tolerance or outcome == expected:
        return outcome == expected
    if outcome[1] is None or expected[1] is None:
        return outcome[1] is expected[1] and isclose(outcome[0], expected[0], rel_tol=tolerance)
    near = (isclose(*pair, rel_tol=0, abs_tol=tolerance) for pair in zip(outcome[1], expected[1], strict=True))
    return outcome[0] == expected[0] and all(near)


def _two_decimals(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Rows within the range of the test rows, as people write them: a form that forgets float32 fails on these."""
    import numpy as np
    import pandas as pd

    numbers = np.nan_to_num(rows.to_numpy(dtype=float))
    decimals = rng.uniform(numbers.min(axis=0), numbers.max(axis=0), (DECIMAL_ROWS, numbers.shape[1])).round(2)
    return pd.DataFrame(decimals, columns=rows.columns)


def _with_missing(spec: ModelSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, each without one of the features that may be missing."""
    optional = [feature.column for feature in spec.features if not feature.required]
    rows = rows.reset_index(drop=True)
    for i, name in enumerate(optional):
        # not set in place, which pandas refuses where the column is of booleans
        rows[name] = rows[name].mask(rows.index % len(optional) == i)
    return rows
