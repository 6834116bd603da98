"""Rows and predictions that several insights compute with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from irislib._common.messages.insights import TEXTS
from irislib._modeling.refusals import is_refusal
from irislib.errors import IrislibError, NotApplicableError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from irislib._modeling.model import Model
    from irislib._modeling.prediction import Prediction

__all__ = [
    "answering_mixtures",
    "as_prediction",
    "background_rows",
    "by_probability",
    "changed_rows",
    "class_column",
    "held_out_probabilities",
    "mix_rows",
    "ranked_classes",
    "scorer",
    "to_frame",
    "with_column",
]

BACKGROUND = 100  # held-out rows that represent the data


def as_prediction(model: Model, row: Any) -> Prediction:
    """Predict a row, whatever form of one it is, unless it is a prediction already."""
    from irislib._modeling.prediction import Prediction

    return row if isinstance(row, Prediction) else model.predict_row(row)


def by_probability(model: Model, prediction: Prediction) -> pd.DataFrame:
    """Return a frame of the classes and their probabilities, the likeliest first."""
    import pandas as pd

    return pd.DataFrame(ranked_classes(prediction), columns=[class_column(model), "probability"])


def ranked_classes(prediction: Prediction) -> list[tuple[Any, float]]:
    """Return the classes and their probabilities, the likeliest first."""
    return sorted((prediction.probabilities or {}).items(), key=lambda item: -item[1])


def class_column(model: Model) -> str:
    """Return the name of the column of classes beside that of their probabilities."""
    return model.spec.target if model.spec.target not in ("probability", "in the set") else "class"


def held_out_probabilities(model: Model) -> np.ndarray:
    """Return the probabilities of the held-out rows, of shape (n_test, n_classes).

    Raises
    ------
    NotApplicableError
        For a model without probabilities.
    """
    model.require_probabilities()
    probabilities = model.evaluation.y_proba
    if probabilities is None:
        raise NotApplicableError(TEXTS["no_probabilities"].format(model=model.spec.title))
    return probabilities


def scorer(model: Model) -> tuple[str, Callable[..., float]]:
    """Return the name and the function of the score that insights measure, however the estimator was chosen."""
    from sklearn.metrics import accuracy_score, r2_score

    return ("R²", r2_score) if model.classes is None else ("accuracy", accuracy_score)


@contextlib.contextmanager
def answering_mixtures(model: Model) -> Iterator[None]:
    """Raise NotApplicableError if an estimator that answers sound rows refuses one that is mixed of several."""
    try:
        yield
    except IrislibError:
        raise
    except Exception as error:
        if not is_refusal(model.estimator, error) or not model.answers_trial_row:
            raise
        raise NotApplicableError(TEXTS["mixtures_refused"].format(model=model.spec.title)) from error


def background_rows(model: Model) -> pd.DataFrame:
    """Return the background rows: held-out rows that represent the data."""
    held_out = model.evaluation.features
    if len(held_out) <= BACKGROUND:
        return held_out
    return held_out.sample(BACKGROUND, random_state=model.spec.random_state)


def with_column(rows: pd.DataFrame, column: Any, values: Any) -> pd.DataFrame:
    """Return rows with other values in a column."""
    import pandas as pd

    rows = rows.copy(deep=False)
    rows[column] = pd.Series(values, rows.index, rows[column].dtype, copy=False)
    return rows


def to_frame(arrays: Mapping[Any, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of arrays with the dtypes of other rows: pandas 3 would take text for its own string dtype."""
    import pandas as pd

    columns = {
        name: pd.Series(array, dtype="object", copy=False) if dtype == "object" else array
        for (name, array), dtype in zip(arrays.items(), rows.dtypes, strict=True)
    }
    return pd.DataFrame(columns, copy=False)


def changed_rows(row: pd.DataFrame, count: int, changed: Mapping[Any, Mapping[int, Any]]) -> pd.DataFrame:
    """Repeat one row, with other values in some places.

    Parameters
    ----------
    row : DataFrame of shape (1, n_features)
    count : int
        The number of rows.
    changed : mapping of mapping
        The other values, by column and position.
    """
    import numpy as np
    import pandas as pd

    arrays = {column: row[column].array.take(np.zeros(count, dtype=int)) for column in row}
    for column, values in changed.items():
        arrays[column][list(values)] = pd.Series([*values.values()], dtype=row[column].dtype).array
    return to_frame(arrays, row)


def mix_rows(row: pd.DataFrame, background: pd.DataFrame, from_row: np.ndarray, positions: np.ndarray) -> pd.DataFrame:
    """Combine one row with background rows: some values from the one, the others from these.

    Parameters
    ----------
    row : DataFrame of shape (1, n_features)
    background : DataFrame of shape (n_background, n_features)
    from_row : ndarray of bool of shape (n_rows, n_features)
        True for the values that are taken from the one row.
    positions : ndarray of int of shape (n_rows,)
        The positions of the background rows from which the others are taken.
    """
    import numpy as np
    import pandas as pd

    rows = pd.concat([background, row.astype(background.dtypes.to_dict())], ignore_index=True)
    arrays = {
        name: rows[name].array.take(np.where(from_row[:, i], len(background), positions)) for i, name in enumerate(rows)
    }
    return to_frame(arrays, background)
