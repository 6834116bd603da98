"""The columns that the last step of a Pipeline takes, and the features that they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib._compiled import pipeline_steps, single_threaded
from irislib.insights._background import mix_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["columns"]


def columns(estimator: Any, row: pd.DataFrame, background: pd.DataFrame) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the columns that the last step takes for a row and background rows, and the feature that each is made of.

    The features are determined by experiment: by exchanging one of them at a time, and then random ones.

    Parameters
    ----------
    estimator : fitted estimator
        A Pipeline, or any other: that takes the features themselves.
    row : DataFrame of shape (1, n_features)
    background : DataFrame of shape (n_background, n_features)

    Returns
    -------
    values : ndarray of shape (1 + n_background, n_columns)
    owners : ndarray of int of shape (n_columns,)
        The position of each column's feature; 0 for one that is the same in all of these rows.
        None instead of both if a column is made of several features or is no number.
    """
    import numpy as np

    before, last = pipeline_steps(estimator)
    n, m = row.shape[1], len(background)
    if not before:
        untransformed = _transformed(
            [], mix_rows(row, background, np.eye(1, m + 1, dtype=bool).T.repeat(n, axis=1), np.arange(-1, m))
        )
        return None if untransformed is None else (untransformed, np.arange(n))
    # The background rows; these with one feature of the row; and with some, which must show no other dependence.
    random = np.random.default_rng(0).random((m, n)) < 0.5
    from_row = np.concatenate([np.zeros((m, n), bool), np.repeat(np.eye(n, dtype=bool), m, axis=0), random])
    values = _transformed(before, mix_rows(row, background, from_row, np.tile(np.arange(m), n + 2)))
    row_values = _transformed(before, row.astype(background.dtypes.to_dict()))
    if values is None or row_values is None or values.shape[1] != last.n_features_in_:
        return None
    background_values, one_feature, some_features = (
        values[:m],
        values[m : (n + 1) * m].reshape(n, m, -1),
        values[(n + 1) * m :],
    )
    owners = _differ(one_feature, background_values).any(axis=1).argmax(axis=0)
    if _differ(np.where(random[:, owners], row_values, background_values), some_features).any():
        return None
    return np.concatenate([row_values, background_values]), owners


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    differ: np.ndarray = (one != other) & ~((one != one) & (other != other))  # missing is as missing
    return differ


def _transformed(before: Sequence[Any], rows: pd.DataFrame) -> np.ndarray | None:
    """Return rows as numbers after these steps, or None if they are no numbers."""
    import numpy as np

    values: Any = rows
    try:
        with single_threaded():
            for step in before:
                values = step.transform(values)
        return np.asarray(values.toarray() if hasattr(values, "toarray") else values, dtype=float)
    except (TypeError, ValueError):
        return None
