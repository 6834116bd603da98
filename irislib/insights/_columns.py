"""What a Pipeline's last step sees of the features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled import pipeline_steps, single_threaded
from irislib.insights._background import mix_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["columns"]


def columns(estimator: Any, row: pd.DataFrame, usual: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """What the last step sees of a row and of usual ones, and which feature each column is made of.

    Found out by trying: columns are compared where one feature is exchanged, and where random ones are.

    Parameters
    ----------
    estimator : fitted estimator
        A Pipeline, or any other: that sees the features themselves.
    row : DataFrame of shape (1, n_features)
    usual : DataFrame of shape (n_usual, n_features)

    Returns
    -------
    values : ndarray of shape (1 + n_usual, n_columns)
    owners : ndarray of int of shape (n_columns,)
        The place of each column's feature; 0 for one that is the same in all of these rows.
        Instead of both None, where a column is made of several features or is no number.
    """
    import numpy as np

    before, last = pipeline_steps(estimator)
    n, m = row.shape[1], len(usual)
    if not before:
        plain = _seen([], mix_rows(row, usual, np.eye(1, m + 1, dtype=bool).T.repeat(n, axis=1), np.arange(-1, m)))
        return None if plain is None else (plain, np.arange(n))
    # The row; the usual ones; those with one feature of the row; and with some, to see whether that is all there is.
    some = np.random.default_rng(0).random((m, n)) < 0.5
    has = np.concatenate([np.zeros((m, n), bool), np.repeat(np.eye(n, dtype=bool), m, axis=0), some])
    seen = _seen(before, mix_rows(row, usual, has, np.tile(np.arange(m), n + 2)))
    ours = _seen(before, row.astype(usual.dtypes.to_dict()))
    if seen is None or ours is None or seen.shape[1] != last.n_features_in_:
        return None
    theirs, alone, both = seen[:m], seen[m : (n + 1) * m].reshape(n, m, -1), seen[(n + 1) * m :]
    owners = _differ(alone, theirs).any(axis=1).argmax(axis=0)
    if _differ(np.where(some[:, owners], ours, theirs), both).any():
        return None
    return np.concatenate([ours, theirs]), owners


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    differ: np.ndarray = (one != other) & ~((one != one) & (other != other))  # missing is as missing
    return differ


def _seen(before: Sequence[Any], rows: pd.DataFrame) -> np.ndarray | None:
    """Rows as numbers, after these steps; None where they are none."""
    import numpy as np

    seen: Any = rows
    try:
        with single_threaded():
            for step in before:
                seen = step.transform(seen)
        return np.asarray(seen.toarray() if hasattr(seen, "toarray") else seen, dtype=float)
    except (TypeError, ValueError):
        return None
