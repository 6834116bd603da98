"""The model of the compared apps: the case that ``CASE`` in the environment names, ``LIVE`` without a button."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from cases import CASES, CHOICES

__all__ = ["CHOICES", "FIELDS", "LIVE", "NAMES", "predict"]

LIVE = "LIVE" in os.environ
case = CASES[os.environ.get("CASE", "iris-wizard")]
# A name, and the number that the form starts with, or None for a choice.
FIELDS = [*case.fields(), *((name, None) for name in case.choices)]
NAMES = [name for name, _ in FIELDS]
data = case.load_data()
forest = case.estimator().fit(data[NAMES], data["kind"])


def predict(values: Sequence[float | str]) -> dict[str, float]:
    """Return the probability of each class, the most probable first."""
    probabilities = forest.predict_proba(pd.DataFrame([values], columns=NAMES))[0]
    pairs = zip(forest.classes_.tolist(), probabilities.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))
