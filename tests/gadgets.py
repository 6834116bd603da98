"""A model that is refreshed, whose data take long to read while a file says so."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from irislib import Feature, ModelSpec


def make_data(seed: int, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"size_m": rng.normal(0, 1, n).round(3)})
    return data.assign(verdict=np.where(data.size_m + rng.normal(0, 0.3, n) > 0.5, "good", "bad"))


def load_data() -> pd.DataFrame:
    hold = Path(os.environ.get("GADGETS_HOLD", "/nowhere"))
    while hold.exists():
        time.sleep(0.05)
    if os.environ.get("GADGETS_GREEDY"):
        np.ones(int(os.environ["GADGETS_GREEDY"]))
    return make_data(0)


spec = ModelSpec("gadgets", [Feature("size_m", low=-10, high=10)], "verdict", load_data, LogisticRegression())
