"""A model that trains at once and whose page draws one figure, for tests of the servers themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from irislib import Feature, ModelSpec
from irislib.insights import confusion_matrix


def load_data() -> pd.DataFrame:
    """Return 60 rows with one feature."""
    size = np.arange(60.0)
    return pd.DataFrame({"size": size, "class": np.where(size < 30, "small", "large")})


spec = ModelSpec(
    name="tiny",
    features=[Feature("size")],
    target="class",
    load_data=load_data,
    estimator=LogisticRegression(),
    tabs={"Performance": [confusion_matrix]},
)
