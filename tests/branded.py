"""A small model with a theme of its own, which takes feedback if a test names a file for it."""

from __future__ import annotations

import os

import tiny
from sklearn.linear_model import LogisticRegression

from irislib import Feature, ModelSpec, Theme
from irislib.insights import confusion_matrix

ACCENT = "#0b5fa5"

spec = ModelSpec(
    name="branded",
    title="Parcel sizes",
    features=[Feature("size", unit="cm", help="The longest side.")],
    target="class",
    load_data=tiny.load_data,
    estimator=LogisticRegression(),
    examples={"A small one": {"size": 3}},
    tabs={"Performance": [confusion_matrix]},
    purpose="Sorts parcels by their longest side.",
    live=False,
    feedback=os.environ.get("TEST_FEEDBACK_FILE"),
    theme=Theme(
        accent=ACCENT,
        logo="branded_files/logo.svg",
        favicon="branded_files/logo.svg",
        font="serif",
        footer="Parcels & Co. Questions? [Ask us](mailto:data@example.org) or [read more](https://example.org/more).",
    ),
)
