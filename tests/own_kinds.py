"""A model whose features are of kinds of its own."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from irislib import Feature, ModelSpec
from irislib._description.feature_types import FEATURE_TYPES, FeatureType
from irislib._description.feature_types.numeric import NumberType


class PostcodeType(FeatureType):
    """The least that a kind has: a name, a noun and how a value is parsed."""

    name = "postcode"
    noun = "a postcode"

    def parse(self, feature: Feature, value: Any) -> str:
        if not re.fullmatch("[A-Z]{2}[0-9]{3}", str(value).strip().upper()):
            raise ValueError(f"must be a postcode such as AB123, got {value!r}.")
        return str(value).strip().upper()


class PercentageType(NumberType):
    """A number that can be written with a percent sign, in a control that the page does not have."""

    name = "percentage"
    noun = "a percentage"
    controls = ("dial",)

    def parse(self, feature: Feature, value: Any) -> float:
        return super().parse(feature, value.strip().removesuffix("%") if isinstance(value, str) else value)

    def format(self, value: Any, digits: int = 12) -> str:
        return f"{super().format(value, digits)} %"


FEATURE_TYPES |= {kind.name: kind for kind in (PostcodeType(), PercentageType())}


def load_data() -> pd.DataFrame:
    """Return 120 invented deliveries."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"postcode": rng.choice(["AB123", "CD456"], 120), "load": rng.uniform(0, 100, 120).round()})
    data["late"] = np.where((data.postcode == "AB123") & (data.load > 50), "late", "in time")
    return data


spec = ModelSpec(
    name="delivery",
    features=[Feature("postcode", "postcode"), Feature("load", "percentage", low=0, high=100)],
    target="late",
    load_data=load_data,
    estimator=make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["postcode"]), remainder="passthrough"),
        RandomForestClassifier(8),
    ),
    examples={"Heavy": {"postcode": "ab123", "load": "90%"}},
)
