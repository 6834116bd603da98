"""Features drafted from a table: what they are, and that they take every value of it."""

from __future__ import annotations

import datetime as dt
import doctest
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets

from irislib import Feature, infer_features
from irislib._description import inference
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
    st.text("ab ", max_size=3),
    st.integers(2**53, 2**70),
    st.decimals(-1000, 1000, places=2),
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)).map(pd.Timestamp),
    st.dates(),
    st.times(),
    st.just(None),
]


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6, unique=True))
    rows = draw(st.integers(1, 12))
    table = pd.DataFrame(
        {column: draw(st.lists(draw(st.sampled_from(VALUES)), min_size=rows, max_size=rows)) for column in columns}
    )
    gaps = draw(st.lists(st.sampled_from([0, 1, None]), min_size=rows, max_size=rows))
    return table.assign(flag=pd.array(gaps, draw(st.sampled_from(["Int64", "boolean", "Float64"]))))


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
        ("weight_in_kg", "weight_in_kg", "Weight", "kg"),
        ("price_per_kg", "price_per_kg", "Price per kg", ""),
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


def test_columns_that_differ_in_their_unit_alone_have_labels_that_tell_them_apart() -> None:
    features = infer_features(pd.DataFrame({"length (cm)": [1.5, 2.5], "length (mm)": [15.5, 25.5]}))
    assert [feature.label for feature in features] == ["Length", "Length (mm)"]


def test_what_is_no_number_has_no_unit() -> None:
    feature = drafted("smoker (yes or no)", ["yes", "no"] * 2)
    assert (feature.label, feature.unit) == ("Smoker (yes or no)", "")


def test_a_table_with_gaps() -> None:
    table = pd.DataFrame(
        {
            "species": ["Adelie", "Gentoo", "Adelie", "Gentoo"],
            "bill_length_mm": [39.1, np.nan, 36.7, 46.5],
            "body_mass_g": [3750.0, 5400.0, np.nan, 5700.0],
            "sex": ["male", None, "female", "male"],
            "island": ["Biscoe", "", "Dream", "Biscoe"],
        }
    )
    table = pd.concat([table] * 2, ignore_index=True)
    assert repr(infer_features(table)) == (
        "[\n"
        "    Feature('species', 'choice', choices=('Adelie', 'Gentoo'), default='Adelie'),\n"
        "    Feature('bill_length_mm', unit='mm', step=0.1, default=39.1, required=False),\n"
        "    Feature('body_mass_g', 'integer', default=5400, required=False),\n"
        "    Feature('sex', 'choice', choices=('female', 'male'), default='male', required=False),\n"
        "    Feature('island', 'choice', choices=('Biscoe', 'Dream'), default='Biscoe', required=False),\n"
        "]"
    )


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
        (pd.to_datetime([None, None]), {"kind": "date", "required": False}),
        (pd.array([None, None], "boolean"), {"kind": "boolean", "default": None, "required": False}),
        (pd.array([None, None], "string"), {"kind": "text", "required": False}),
        (pd.Categorical([None, None]), {"kind": "text", "required": False}),
        ([3, 3, 3], {"kind": "integer", "default": 3}),
        (["a", "a"], {"kind": "choice", "choices": ("a",)}),
        (pd.array([0, 1, None], "Int64"), {"kind": "boolean", "dtype": "", "required": False}),
        ([12345.0, 12345.0], {"kind": "number", "default": 12345.0}),
        ([Decimal("1.25"), Decimal("2.5")], {"kind": "number", "step": 0.01}),
        ([2**63 - 1, 5], {"kind": "number"}),
        (["x", "", "x", " "], {"kind": "choice", "choices": ("x",), "required": False}),
        (pd.Categorical(["", "a"]), {"choices": ("", "a"), "default": "a", "required": False}),
        (["a", "a "] * 2, {"kind": "text"}),
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
        (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"], utc=True)}), "has a time zone; take it away"),
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a' holds values of type list;"),
        (pd.DataFrame({"a": [1, "b"]}, dtype=object), "column 'a' holds values of type int and str;"),
        (pd.DataFrame({"a": [dt.time(1, tzinfo=dt.UTC)]}), "column 'a' holds values of type time;"),
        (
            pd.DataFrame({"a": [dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 10)]}, dtype=object),
            "type date and datetime",
        ),
        (pd.DataFrame({"a": pd.cut([1, 2, 3], 2)}), "categories of type Interval; make them text"),
        (pd.DataFrame({"a": pd.Categorical([1, "1"])}), "differ in spaces or type alone"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "several levels"),
        (pd.DataFrame(), "no columns"),
        ("table.csv", "Expected a DataFrame or what becomes one, got str"),
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
    table[300] = [f"text {i}" for i in range(100)]
    features = infer_features(table)
    assert len(features) == 301
    assert describe_faults(features) == []


def test_the_example_of_the_docstring() -> None:
    assert doctest.testmod(inference).failed == 0
    assert doctest.testmod(inference).attempted
