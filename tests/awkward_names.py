"""A model whose names and words are awkward: for R, for shells, for HTML."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from irislib import Feature, ModelSpec


def load_data() -> pd.DataFrame:
    """60 rows of nothing in particular."""
    return pd.DataFrame(
        {"next": ["a", "b"] * 30, "_on": [True, False, False] * 20, "n": range(60), "y": [3, 1, 2] * 20}
    )


def describe(name: str, **facts: Any) -> ModelSpec:
    return ModelSpec(
        name,
        features=[
            Feature("next", "text", label="<i>Next</i>", help='Say “it’s” & "so".'),
            Feature("_on", "boolean", required=False),
            Feature("n", "integer", low=0, default=4),
        ],
        target="y",
        load_data=load_data,
        estimator=make_pipeline(make_column_transformer(("passthrough", ["n"])), RidgeClassifier()),  # no probabilities
        **facts,
    )


spec = describe(
    "flat-rent-batch",
    title="<b>Odd</b> & 'so'",
    examples={"<u>'quoted'</u>": {"next": 'it\'s "so" $HOME \\n ü', "_on": True, "n": 5}},
)
# nobody can guess what its text should be
bare = describe("bare")
