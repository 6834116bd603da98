"""A model of two classes, one of which is looked for."""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from irislib import Feature, ModelSpec

COLUMNS = {"mean radius": "radius", "mean texture": "texture", "mean smoothness": "smoothness"}


def load_data() -> pd.DataFrame:
    data = load_breast_cancer(as_frame=True)
    frame = data.frame[list(COLUMNS)].rename(columns=COLUMNS)
    return frame.assign(tumour=data.target.map({0: "malignant", 1: "benign"}))


spec = ModelSpec(
    name="tumours",
    features=[Feature("radius", unit="mm"), Feature("texture"), Feature("smoothness", step=0.001)],
    target="tumour",
    load_data=load_data,
    estimator=make_pipeline(StandardScaler(), LogisticRegression()),
    positive_class="malignant",
)
