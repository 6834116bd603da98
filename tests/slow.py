"""A model that takes long to train and needs hardly any CPU for it, for tests of long-running insights."""

from __future__ import annotations

import time
from typing import Any

from sklearn.linear_model import LogisticRegression
from tiny import load_data

from irislib import Feature, ModelSpec
from irislib.insights import confusion_matrix, learning_curve


class SlowRegression(LogisticRegression):
    """A logistic regression that is trained in a tenth of a second."""

    def fit(self, *args: Any, **kwargs: Any) -> SlowRegression:
        time.sleep(0.1)
        return super().fit(*args, **kwargs)


spec = ModelSpec(
    name="slow",
    features=[Feature("size", default=1)],
    target="class",
    load_data=load_data,
    estimator=SlowRegression(),
    tabs={"Performance": [confusion_matrix, learning_curve]},
)
