"""The proof that a faster form is equal to scikit-learn, on rows that would show a difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose
from typing import TYPE_CHECKING, Any

from irislib._compiled.preprocessing import Transformers, transformed
from irislib._compiled.single_row import pipeline_steps
from irislib._compiled.tree_tables import NoFasterFormError, Table, named
from irislib._compiled.tree_walk import Boosted, FastForm, Found
from irislib._description.feature_types import is_empty

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._description.spec import ModelSpec

__all__ = ["assert_equivalent"]

MOST_ROWS = 500  # of those that were held out: an answer to each takes microseconds
SLOW_ROWS = 25  # the same where it takes milliseconds
CLOSE = 1e-12  # scikit-learn itself answers many rows and one alike only so far, where it adds up exponentials


def assert_equivalent(
    spec: ModelSpec, estimator: Any, walk: FastForm, tables: Sequence[Table], rows: pd.DataFrame
) -> int:
    """On how many rows a walk was proved equal to scikit-learn.

    Parameters
    ----------
    spec : ModelSpec
    estimator : fitted estimator
    walk : Walk
    tables : sequence of Table
        The trees that are walked.
    rows : DataFrame of shape (n_rows, n_features)
        Rows as people send them.

    Raises
    ------
    NoFasterFormError
        Where they differ, or nothing could be compared.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    before, last = pipeline_steps(estimator)
    is_slow = any(isinstance(step, Transformers) for step in walk.steps)
    is_whole = all(feature.required for feature in spec.features)
    close = isinstance(walk.trees.ending, Boosted)
    known = rows.iloc[: SLOW_ROWS if is_slow else MOST_ROWS]
    found: list[bool] = []
    try:
        frames = [known] if is_slow else [known, _two_decimals(known, rng)]
        frames += [] if is_whole else [_with_holes(spec, frame) for frame in frames]
        for frame in frames:
            found += _compared(walk.predict, frame, estimator, frame, close)
        near = _near_thresholds(tables, transformed(before, known), walk.trees.takes_missing, rng)
        found += _compared(walk.trees.predict, near, last, named(last, near.to_numpy()), close)
    except (TypeError, ValueError) as error:
        raise NoFasterFormError(f"it refuses rows that would prove a faster form ({error}).") from error
    if not found:
        raise NoFasterFormError("there are no rows to prove a faster form on.")
    if not all(found):
        raise NoFasterFormError(f"the faster form differs in {found.count(False):,} of {len(found):,} rows.")
    return len(found)


def _compared(
    answer: Callable[[list[Any]], Found], rows: pd.DataFrame, estimator: Any, frame: Any, close: bool
) -> list[bool]:
    """Whether each answer is scikit-learn's; what the walk leaves to scikit-learn is passed over."""
    predicted = estimator.predict(frame).tolist()
    shares = estimator.predict_proba(frame).tolist() if hasattr(estimator, "classes_") else [None] * len(predicted)
    values = [[None if is_empty(v) else v for v in row] for row in rows.itertuples(index=False, name=None)]
    return [
        _is_same(found, expected, close)
        for row, expected in zip(values, zip(predicted, shares, strict=True), strict=True)
        if (found := answer(row)) is not None
    ]


def _is_same(found: tuple[Any, Any], expected: tuple[Any, Any], close: bool) -> bool:
    if not close or found == expected:
        return found == expected
    if expected[1] is None:
        return isclose(found[0], expected[0], rel_tol=CLOSE)
    near = (isclose(*pair, rel_tol=0, abs_tol=CLOSE) for pair in zip(found[1], expected[1], strict=True))
    return found[0] == expected[0] and all(near)


def _two_decimals(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Rows among the known ones, as people write them: a form that forgets to round to float32 fails on these."""
    import numpy as np
    import pandas as pd

    known = np.nan_to_num(rows.to_numpy(dtype=float))
    decimals = rng.uniform(known.min(axis=0), known.max(axis=0), (500, known.shape[1])).round(2)
    return pd.DataFrame(decimals, columns=rows.columns)


def _with_holes(spec: ModelSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, each without one of the features that may be missing."""
    import numpy as np

    optional = [feature.name for feature in spec.features if not feature.required]
    holes = rows.reset_index(drop=True)
    for i, name in enumerate(optional):
        holes.loc[i :: len(optional), name] = np.nan
    return holes


def _near_thresholds(
    tables: Sequence[Table], rows: np.ndarray, takes_missing: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows as the trees see them, each with one value at a threshold or at a neighbour of it."""
    import numpy as np
    import pandas as pd

    near = np.nan_to_num(rows)[rng.integers(0, len(rows), 600)]
    # a threshold is infinite where only missing values go to the right
    nodes = [np.flatnonzero((table.feature >= 0) & np.isfinite(table.threshold)) for table in tables]
    chosen = [i for i, found in enumerate(nodes) if len(found)]
    for i in range(len(near) if chosen else 0):
        number = rng.choice(chosen)
        node, table = rng.choice(nodes[number]), tables[number]
        at = table.threshold[node]
        near[i, table.feature[node]] = (at, np.nextafter(at, -np.inf), np.nextafter(at, np.inf), np.float32(at))[i % 4]
    if takes_missing:
        near[rng.random(near.shape) < 0.2] = np.nan
    return pd.DataFrame(near)
