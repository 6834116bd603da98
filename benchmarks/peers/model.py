"""The model of the compared apps: the Iris Wizard's data and forest."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

__all__ = ["FEATURES", "predict"]

# A label, and the value that the form starts with, in the order of the form.
FEATURES = {"Petal length": 4.3, "Petal width": 1.3, "Sepal length": 5.8, "Sepal width": 3.0}
iris = load_iris(as_frame=True)
data = iris.data.rename(columns=lambda name: name.removesuffix(" (cm)").capitalize())[list(FEATURES)]
forest = RandomForestClassifier(n_estimators=100, random_state=0).fit(data, iris.target_names[iris.target])


def predict(values: Sequence[float]) -> dict[str, float]:
    """Return the probability of each species, the most probable first."""
    probabilities = forest.predict_proba(pd.DataFrame([values], columns=list(FEATURES)))[0]
    pairs = zip(forest.classes_.tolist(), probabilities.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))
