"""Features drafted from a table: what they are, and that they take every value of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets

from irislib import Feature, infer_features
from irislib._description.spec import describe_faults
from irislib._description.validation import check_values
from irislib.errors import DataError

COLUMNS = [
    "sepal length (cm)",
    "Gr\u00f6\u00dfe",
    "1st",
    "class",
    "self",
    "details",
    "token",
    "price [EUR]",
    "a b",
    "a_b",
    "\u2603",
]
COLUMNS += ["od280/od315_of_diluted_wines", "length_cm", "length (cm)", "weight kg", 0]
VALUES = [
    st.floats(-1e6, 1e6) | st.just(np.nan),
    st.integers(-(10**9), 10**9),
    st.sampled_from([0, 1]),
    st.sampled_from([0.0, 1.0, np.nan]),
    st.booleans(),
    st.sampled_from(["red", "green", "blue"]),
    st.sampled_from(["red", "green", None]),
    st.text("abc ", min_size=1, max_size=5).filter(str.strip),
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)).map(pd.Timestamp),
    st.times(),
    st.just(None),
]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6, unique=True))
    rows = draw(st.integers(1, 12))
    return pd.DataFrame(
        {column: draw(st.lists(draw(st.sampled_from(VALUES)), min_size=rows, max_size=rows)) for column in columns}
    )


def drafted(column: object, values: object) -> Feature:
    (feature,) = infer_features(pd.DataFrame({column: values}))
    return feature


@given(tables())
def test_a_draft_takes_every_row_of_its_table_and_its_repr_makes_it_again(table: pd.DataFrame) -> None:
    features = infer_features(table)
    assert [feature.column for feature in features] == table.columns.tolist()
    assert describe_faults(features) == []
    assert check_values(features, table, len(table))[1] == []
    assert eval(repr(features), {"Feature": Feature}) == list(features)  # noqa: S307 - our own


@pytest.mark.parametrize(
    ("column", "name", "label", "unit"),
    [
        ("sepal length (cm)", "sepal_length_cm", "Sepal length", "cm"),
        ("length_cm", "length_cm", "Length", "cm"),
        ("price [EUR]", "price_eur", "Price", "EUR"),
        ("area_m2", "area_m2", "Area", "m\u00b2"),
        ("weight kg", "weight_kg", "Weight", "kg"),
        ("Gr\u00f6\u00dfe", "groesse", "Gr\u00f6\u00dfe", ""),
        ("Gro\u0308\u00dfe", "groesse", "Gr\u00f6\u00dfe", ""),
        ("od280/od315_of_diluted_wines", "od280_od315_of_diluted_wines", "Od280/od315 of diluted wines", ""),
        ("1st", "x1st", "1st", ""),
        ("token", "token_value", "Token", ""),
        ("class", "class", "Class", ""),
        (7, "x7", "7", ""),
    ],
)
def test_names_labels_and_units(column: object, name: str, label: str, unit: str) -> None:
    feature = drafted(column, [1.5, 2.5])
    assert (feature.name, feature.label, feature.unit, feature.column) == (name, label, unit, column)


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ([1.5, 2.25, 9.0], {"kind": "number", "step": 0.01, "default": 2.25, "required": True}),
        ([1.0, np.nan, 7.0], {"kind": "integer", "default": 4, "required": False}),
        ([3, 4, 5], {"kind": "integer", "default": 4, "dtype": ""}),
        ([0, 1, 1], {"kind": "boolean", "default": True, "dtype": "int64"}),
        ([0.0, 1.0, np.nan], {"kind": "boolean", "dtype": "float64", "required": False}),
        ([True, False, None], {"kind": "boolean", "dtype": "", "required": False}),
        (["b", "a", "b", "a"], {"kind": "choice", "choices": ("a", "b"), "dtype": ""}),
        (["a", "b", "c"], {"kind": "text"}),
        (pd.Categorical(["z", "a"], categories=["z", "m", "a"]), {"choices": ("z", "m", "a"), "dtype": "category"}),
        (pd.to_datetime(["2020-01-01", "2020-01-03"]), {"kind": "date", "default": dt.date(2020, 1, 2)}),
        ([dt.time(1), dt.time(2)], {"kind": "time"}),
        ([None, None], {"kind": "number", "required": False}),
    ],
    ids=str,
)
def test_kinds(values: object, facts: dict[str, object]) -> None:
    feature = drafted("x", values)
    assert {name: getattr(feature, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column 'a' more than once"),
        (pd.DataFrame({"a": pd.to_datetime(["2020-01-01 10:00"])}), "days with a time"),
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a' holds a list"),
        (pd.DataFrame({"": [1, 2]}), "column without a name"),
    ],
)
def test_what_is_no_feature_is_refused(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        infer_features(table)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits", "linnerud"])
def test_tables_that_ship_with_scikit_learn(name: str) -> None:
    table = getattr(datasets, f"load_{name}")(as_frame=True).data
    features = infer_features(table)
    assert describe_faults(features) == []
    assert check_values(features, table, len(table))[1] == []


def test_many_columns() -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 300)))
    assert len(infer_features(table)) == 300
