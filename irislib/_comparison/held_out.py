"""The rows on which two models can be compared: those that neither has seen in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from irislib._common.messages.comparison import TEXTS
from irislib._comparison.schema_changes import has_same_columns
from irislib._description.class_names import to_names
from irislib._description.validation import check_values
from irislib._modeling.row_digests import known_rows, row_digests
from irislib._modeling.training_data import checked

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model

__all__ = ["MOST", "SharedRows", "shared_rows"]

MOST = 20_000  # rows that are compared; of more, a sample


@dataclass(frozen=True, eq=False)
class SharedRows:
    """Rows that neither of two models was trained on.

    Attributes
    ----------
    features : tuple of two DataFrames
        For each model, in the order of its columns; equal rows at equal positions.
    y_true : ndarray of shape (n_rows,)
    is_former : ndarray of bool of shape (n_rows,), or None
        Which rows the first model was tested on; None of other rows than the test rows.
    left_out : int
        The held-out rows that one of them was trained on, or may have been.
    reason : str
        Why there are none.
    """

    features: tuple[pd.DataFrame, pd.DataFrame] | None = None
    y_true: np.ndarray | None = None
    left_out: int = 0
    reason: str = ""
    is_former: np.ndarray | None = None

    def __len__(self) -> int:
        return 0 if self.y_true is None else len(self.y_true)


def shared_rows(before: Model, after: Model, data: pd.DataFrame | None = None) -> SharedRows:
    """Return the rows that neither of two models was trained on.

    These are the test rows of either that the other one was not trained on, found by the digests of the rows. Where
    the training rows of a model are not known, only its own test rows are sure to be no training rows.

    Parameters
    ----------
    before, after : Model
    data : DataFrame of shape (n_rows, n_features + 1), optional
        Other rows with their target, instead of the test rows of the models; those of the training are left out.

    Raises
    ------
    DataError
        If the data are not valid.
    """
    if (before.classes is None) != (after.classes is None):
        return SharedRows(reason=TEXTS["rows.kinds"])
    if data is not None:
        return _of_data(before, after, data)
    if not has_same_columns(before.spec, after.spec):
        return SharedRows(reason=TEXTS["rows.columns"])
    return _of_evaluations(before, after)


def _of_data(before: Model, after: Model, data: pd.DataFrame) -> SharedRows:
    """Return the rows of a table that neither model was trained on."""
    import numpy as np

    frames, targets = zip(*(checked(model.spec, data) for model in (before, after)), strict=True)
    is_seen = np.zeros(len(data), dtype=bool)
    for model, features, target in zip((before, after), frames, targets, strict=True):
        training = known_rows(model).training
        if training is not None:
            is_seen |= np.isin(row_digests(features, target), training)
    if is_seen.all():
        return SharedRows(left_out=len(data), reason=TEXTS["rows.seen_data"].format(count=len(data)))
    rows = _sample(np.flatnonzero(~is_seen), after)
    y_true = to_names(after.spec.classes, targets[1])
    return SharedRows((frames[0].iloc[rows], frames[1].iloc[rows]), y_true[rows], int(is_seen.sum()))


def _of_evaluations(before: Model, after: Model) -> SharedRows:
    """Return the test rows of either model that the other one was not trained on; common ones once."""
    import numpy as np
    import pandas as pd

    old, new = known_rows(before), known_rows(after)
    is_usable = [
        ~new.seen_in_training(old.test) & ~np.isin(old.test, new.test),
        ~old.seen_in_training(new.test),
    ]
    evaluations = before.evaluation, after.evaluation
    parts = [part.features.loc[mask, after.spec.columns] for part, mask in zip(evaluations, is_usable, strict=True)]
    truths = [part.y_true[mask] for part, mask in zip(evaluations, is_usable, strict=True)]
    left_out = len(np.setdiff1d(np.union1d(old.test, new.test), np.r_[old.test[is_usable[0]], new.test[is_usable[1]]]))
    parts = [part for part in parts if len(part)]  # an empty one has no say in the dtypes
    y_true = np.concatenate(truths) if truths[0].dtype == truths[1].dtype else np.concatenate(truths, dtype=object)
    if not parts:
        return SharedRows(left_out=left_out, reason=TEXTS["rows.seen"].format(count=left_out))
    rows = pd.concat(parts, ignore_index=True)
    is_valid = np.ones(len(rows), dtype=bool)
    for model in (before, after):
        problems = check_values(model.spec.features, rows)[1]
        is_valid[[problem.row for problem in problems if problem.row is not None]] = False
        if any(problem.row is None for problem in problems) or not is_valid.any():
            return SharedRows(left_out=left_out, reason=TEXTS["rows.invalid"])
    chosen = _sample(np.flatnonzero(is_valid), after)
    frames = [model.spec.validate(rows.iloc[chosen]) for model in (before, after)]
    is_former = np.r_[np.ones(int(is_usable[0].sum()), dtype=bool), np.isin(new.test[is_usable[1]], old.test)]
    return SharedRows((frames[0], frames[1]), y_true[chosen], left_out, is_former=is_former[chosen])


def _sample(positions: np.ndarray, model: Model) -> np.ndarray:
    import numpy as np

    if len(positions) <= MOST:
        return positions
    rng = np.random.default_rng(model.spec.random_state)
    return np.sort(rng.choice(positions, MOST, replace=False))
