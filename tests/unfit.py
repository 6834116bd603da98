"""Descriptions whose data do not fit them: what `irislib check` has to say a sentence on."""

from __future__ import annotations

import pandas as pd
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from irislib import Feature, ModelSpec

X, Y = [*range(60)], ["a", "b", "b"] * 20


def unfit(name: str, data: object, estimator: object = None) -> ModelSpec:
    return ModelSpec(
        name=name,
        title=name,
        features=[Feature("x")],
        target="y",
        estimator=estimator or DecisionTreeClassifier(),
        load_data=lambda: data,
    )


# By name, with what is said.
DATA = {
    "none": (
        pd.DataFrame({"x": [], "y": []}),
        "The training data of 'none' have 0 rows: too few to learn from.",
    ),
    "one": (
        pd.DataFrame({"x": [1], "y": ["a"]}),
        "The training data of 'one' have 1 rows: too few to learn from.",
    ),
    "targetless": (
        pd.DataFrame({"x": X}),
        "The training data of 'targetless' lack the columns y; they have x.",
    ),
    "twice": (
        pd.DataFrame([[1, 2, "a"]] * 60, columns=["x", "x", "y"]),
        "The training data of 'twice' have the columns x more than once.",
    ),
    "constant": (
        pd.DataFrame({"x": X, "y": "a"}),
        "The target 'y' is 'a' in every row: there is nothing to learn.",
    ),
    "unknown": (
        pd.DataFrame({"x": X, "y": [None] * 60}),
        "The target 'y' is missing in 60 rows; drop them in load_data.",
    ),
    "infinite": (
        pd.DataFrame({"x": X, "y": [float("inf"), 1.0, 2.0] * 20}),
        "The target 'y' is infinite in 20 rows; drop them in load_data.",
    ),
    "records": (
        pd.DataFrame({"x": X, "y": [{"a": 1}] * 60}),
        "The target 'y' must hold numbers or text, got dict {'a': 1}; turn it into text in load_data: .astype(str).",
    ),
    "nested": (
        pd.DataFrame({"x": [[1, 2], *X[1:]], "y": Y}),
        "The training data of 'nested' do not fit its features: row 0: x must be a number, got [1, 2].",
    ),
    "gaps": (
        pd.DataFrame({"x": [None] * 60, "y": Y}),
        "The training data of 'gaps' have missing values in x (60 of 60 rows). If people may leave the feature empty, ",
    ),
    "list": ([1, 2], "The training data of 'list' must be a DataFrame, got list: load_data has to return one."),
}
globals().update(
    {
        name: unfit(name, data, DecisionTreeRegressor() if name == "infinite" else None)
        for name, (data, _) in DATA.items()
    }
)
