"""Predictions for a DataFrame of pandas or of Dask."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from irislib._distributed.packed_model import PackedModel, pack
from irislib._distributed.scored_tables import score_frame
from irislib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from irislib._description.spec import ModelSpec
    from irislib._modeling.model import Model

__all__ = ["score"]


def score(model: Model | ModelSpec | str | os.PathLike[str], frame: Any) -> Any:
    """Predict all rows of a table, as a batch of the endpoint does.

    Parameters
    ----------
    model : Model, ModelSpec, str or PathLike
        A model, or what :func:`irislib.load` makes one of.
    frame : DataFrame
        Of pandas, or of Dask for tables larger than memory. Its columns are the features by their names or labels, and
        maybe others.

    Returns
    -------
    DataFrame
        The table with columns for the prediction (``predicted_<target>``), the probability of each class
        (``probability_<class>``), ``warnings`` and ``problems``; a name that is taken gets a number. A row with
        problems has no prediction. One of Dask is worked out partition by partition when it is asked for; its divisions
        stay, and each worker reads the model once.

    Raises
    ------
    DataError
        If it is no table.
    ValidationError
        If the table lacks a required column.
    StoreError
        If the model cannot be kept in a file, by which the workers get it.

    Examples
    --------
    >>> import irislib, pandas as pd
    >>> row = {"petal_length_cm": 1.4, "petal_width_cm": 0.2, "sepal_length_cm": 5.1, "sepal_width_cm": 3.5}
    >>> irislib.score("iris-wizard", pd.DataFrame([row]))["predicted_species"].tolist()
    ['setosa']
    """
    from irislib._modeling.model import Model
    from irislib._modeling.registry import load

    model = model if isinstance(model, Model) else load(model)
    if not hasattr(frame, "columns"):
        raise DataError(f"Give a DataFrame of pandas or of Dask, got {type(frame).__name__}.")
    if not hasattr(frame, "map_partitions"):
        return score_frame(model, frame)
    dask: Any
    import dask

    meta = score_frame(model, frame._meta)
    packed = dask.delayed(pack(model), pure=True)  # one value of the graph, however many partitions there are
    return frame.map_partitions(_score_partition, packed, meta=meta)


def _score_partition(frame: pd.DataFrame, model: PackedModel) -> pd.DataFrame:
    return score_frame(model.load(), frame)
