"""A model with thirty inputs in three groups, each with a typical value."""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from irislib import Feature, ModelSpec

GROUPS = {"mean": "Average of all cells", "error": "Differences between the cells", "worst": "The largest cells"}


def load_data() -> pd.DataFrame:
    data = load_breast_cancer(as_frame=True)
    return data.frame.drop(columns="target").assign(tumour=data.target.map({0: "malignant", 1: "benign"}))


def describe_inputs() -> list[Feature]:
    medians = load_data().drop(columns="tumour").median()
    return [
        Feature(
            name.replace(" ", "_"),
            column=name,
            label=name.capitalize(),
            group=next(title for word, title in GROUPS.items() if word in name),
            low=0,
            default=float(f"{median:.3g}"),
        )
        for name, median in medians.items()
    ]


spec = ModelSpec(
    name="tumours-in-detail",
    title="Tumours in detail",
    features=describe_inputs(),
    target="tumour",
    load_data=load_data,
    estimator=RandomForestClassifier(random_state=0),
    positive_class="malignant",
    purpose="Tells malignant tumours from benign ones by the shapes of their cells.",
)
