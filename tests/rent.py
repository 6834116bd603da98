"""A second model, quite unlike the example: a regression with categories, dates and missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from irislib import Feature, ModelSpec

DISTRICTS = ["centre", "harbour", "hill"]


def load_data() -> pd.DataFrame:
    """Return 300 invented flats, with missing values."""
    rng = np.random.default_rng(7)
    n = 300
    data = pd.DataFrame(
        {
            "balcony": rng.random(n) < 0.4,
            "area_m2": rng.uniform(20, 140, n).round(1),
            "rooms": rng.integers(1, 6, n).astype(float),
            "district": rng.choice(DISTRICTS, n),
            "built": pd.to_datetime("1950-01-01") + pd.to_timedelta(rng.integers(0, 25_000, n), "D"),
        }
    )
    data["rent"] = 9 * data.area_m2 + 40 * data.rooms + 200 * (data.district == "centre") + 60 * data.balcony
    data["rent"] += rng.normal(0, 30, n)
    data.loc[rng.random(n) < 0.2, "rooms"] = np.nan
    data.loc[rng.random(n) < 0.1, "district"] = None
    return data


def year(dates: pd.DataFrame) -> pd.DataFrame:
    return dates.apply(lambda column: column.dt.year)


spec = ModelSpec(
    name="flat-rent",
    features=[
        Feature("area_m2", label="Area", unit="m²", low=5, high=1000),
        Feature("rooms", "integer", low=1, high=20, required=False),
        Feature("district", "choice", choices=DISTRICTS, required=False),
        Feature("balcony", "boolean"),
        Feature("built", "date", label="Built on"),
    ],
    target="rent",
    target_unit="EUR",
    live=True,
    load_data=load_data,
    estimator=make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["district"]),
            (FunctionTransformer(year), ["built"]),
            remainder="passthrough",
        ),
        HistGradientBoostingRegressor(max_iter=50),
    ),
    examples={"A small flat": {"area_m2": 40, "balcony": True, "built": "1990-05-01"}},
)
