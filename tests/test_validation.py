"""Input is checked in one place, and says all that is wrong at once."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from invalid_inputs import GOOD, LIMITS, SENT, TYPED, TYPES, Case
from sklearn.ensemble import RandomForestClassifier

from irislib import Feature, ModelSpec
from irislib._common.routes import reserved_names
from irislib._description.validation import check_values
from irislib.errors import SpecError, ValidationError
from irislib.iris import spec


@pytest.mark.parametrize("case", [*TYPED, *SENT, *TYPES], ids=lambda case: str(case.changes)[:40])
def test_bad_input_names_every_wrong_value(case: Case) -> None:
    with pytest.raises(ValidationError) as caught:
        spec.validate(case.row)
    assert {problem.feature: problem.message for problem in caught.value.problems} == case.messages
    for problem in caught.value.problems:
        if problem.feature in case.row and str(case.row[problem.feature]).strip():
            assert problem.value == case.row[problem.feature] or problem.value != problem.value


@pytest.mark.parametrize("as_table", [list, pd.DataFrame])
def test_rows_are_named_by_position(as_table: type) -> None:
    rows = as_table([GOOD, {**GOOD, "petal_width_cm": 130.0}])
    with pytest.raises(ValidationError, match=re.escape(f"row 1: petal_width_cm must be {LIMITS}, got 130.")):
        spec.validate(rows)


@pytest.mark.parametrize("rows", [[[1, 2, 3, 4]], np.ones((2, 4)), 3, "abc"])
def test_columns_are_taken_by_name_only(rows: object) -> None:
    with pytest.raises(ValidationError, match="Expected a mapping of feature names to values"):
        spec.validate(rows)


def test_too_many_rows() -> None:
    with pytest.raises(ValidationError, match=re.escape("At most 2 rows at once, got 3.")):
        spec.validate([GOOD] * 3, max_rows=2)


def test_the_order_of_names_never_matters() -> None:
    backwards = dict(reversed(GOOD.items()))
    for rows in (backwards, [backwards], pd.DataFrame([backwards]), {k: str(v) for k, v in backwards.items()}):
        pd.testing.assert_frame_equal(spec.validate(rows), pd.DataFrame([GOOD]))


FORM = [
    Feature("n", "integer", low=1, high=5, required=False),
    Feature("c", "choice", choices=["red", "green"], required=False),
    Feature("b", "boolean", required=False),
    Feature("d", "date", low=None, required=False),
    Feature("e", "email", required=False),
    Feature("p", "password", required=False),
    Feature("t", "text", required=False),
    Feature("h", "time", low="08:00", required=False),
    Feature("k", "color", required=False),
    Feature("r", "range", low=0, high=9, required=False),
    Feature("f", "file", required=False),
]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"n": "2.5"}, "n must be a whole number, got 2.5."),
        ({"n": "1e30"}, "n must be a whole number of at most 18 digits, got '1e30'."),
        ({"n": 9}, "n must be at least 1 and at most 5, got 9."),
        ({"c": "gren"}, "c must be one of 'red', 'green', got 'gren'. Did you mean 'green'?"),
        ({"c": np.arange(2)}, "c must be one of 'red', 'green', got array([0, 1])."),
        ({"b": "yes.0"}, "b must be true or false, got 'yes.0'."),
        ({"b": "maybe"}, "b must be true or false, got 'maybe'."),
        ({"d": "31/12/2026"}, "d must be a date such as 2026-01-31, got '31/12/2026'."),
        ({"e": "nobody"}, "e must be an e-mail address such as ann@example.org, got 'nobody'."),
        ({"t": ["a"]}, "t must be text, got ['a']."),
        ({"h": "25:00"}, "h must be a time of day such as 14:30, without a time zone, got '25:00'."),
        ({"h": "09:00+02:00"}, "h must be a time of day such as 14:30, without a time zone, got '09:00+02:00'."),
        ({"h": 1430}, "h must be a time of day such as 14:30, without a time zone, got 1430."),
        ({"h": "07:59"}, "h must be at least 08:00, got 07:59."),
        ({"k": "red"}, "k must be a colour such as #772953, got 'red'."),
        ({"r": "1"}, "r must have two ends such as 2 to 5, got '1'."),
        ({"r": "0. to "}, "r must have two ends such as 2 to 5, got '0. to '."),
        ({"r": "5 to 2"}, "r must go from the lower to the higher, got 5 to 2."),
        ({"r": "5 to 10"}, "r must be at least 0 and at most 9, got 5 to 10."),
        ({"r": "x to 10"}, "r must be a number, got 'x'."),
        ({"f": "a.txt"}, "f must be a file."),
    ],
)
def test_every_kind_says_what_it_expects(row: dict, message: str) -> None:
    _, problems = check_values(FORM, row, 1)
    assert [problem.message for problem in problems] == [message]


def test_a_password_is_never_quoted() -> None:
    _, problems = check_values(FORM, {"p": ["secret"]}, 1)
    assert problems[0].message == "p must be text."
    assert "secret" not in repr(problems)


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ({"n": "9007199254740993"}, 2**53 + 1),  # a float would make 2**53 of it
        ({"n": np.int8(3)}, 3),
        ({"d": "3000-01-01"}, np.datetime64("3000-01-01")),  # beyond what nanoseconds can count
        ({"d": "2020-01-02T00:00:00"}, np.datetime64("2020-01-02")),
        ({"d": np.datetime64("2020-01-02", "ns")}, np.datetime64("2020-01-02")),
        ({"d": pd.Timestamp("2020-01-02")}, np.datetime64("2020-01-02")),
        ({"c": np.str_("red")}, "red"),
        ({"b": np.bool_(True)}, True),
        ({"b": "NO"}, False),
        ({"b": "1.0"}, True),  # as pandas writes it where others are missing
        ({"h": dt.time(14, 30)}, dt.time(14, 30)),
        ({"k": " #ABCDEF "}, "#abcdef"),
        ({"r": (1, 2.5)}, (1, 2.5)),
        ({"r": "0. to 5"}, (0, 5)),
        ({"n": np.float32("nan")}, None),
    ],
    ids=str,
)
def test_what_numpy_and_pandas_hold_is_read(row: dict, value: object) -> None:
    wide = [replace(FORM[0], high=2**60), *FORM[1:]]
    frame, problems = check_values(wide, row, 1)
    assert not problems
    found = frame[next(iter(row))][0]
    assert pd.isna(found) if value is None else found == value


@pytest.mark.parametrize("rows", [[], pd.DataFrame({"petal_width_cm": []})])
def test_no_row_at_all(rows: object) -> None:
    with pytest.raises(ValidationError, match=re.escape("Expected at least one row, got none.")):
        spec.validate(rows)


def test_a_column_that_is_there_twice() -> None:
    rows = pd.DataFrame([[1.0, 2.0]], columns=["petal_width_cm", "petal_width_cm"])
    with pytest.raises(ValidationError, match=re.escape("petal_width_cm is there more than once.")):
        spec.validate(rows)


def test_what_a_feature_says_is_normalised() -> None:
    day = Feature("d", "date", low="2020-01-01", high=pd.Timestamp("2020-12-31"), default="2020-02-03")
    assert (day.low, day.high, day.default) == (dt.date(2020, 1, 1), dt.date(2020, 12, 31), dt.date(2020, 2, 3))
    assert day.limits == "at least 2020-01-01 and at most 2020-12-31"
    assert Feature("b", "boolean", default="no").default is False
    assert Feature("c", "choice", choices=np.arange(3), default="1").default == 1
    assert [type(choice) for choice in Feature("c", "choice", choices=pd.Series([1, 2])).choices] == [int, int]
    assert Feature("n", low=0, high=1_000_000).limits == "at least 0 and at most 1000000"


def test_an_empty_optional_value_is_missing_whatever_its_form() -> None:
    for nothing in ({}, {"n": None}, {"n": ""}, {"n": float("nan")}, {"n": pd.NA}):
        frame, problems = check_values(FORM, nothing, 1)
        assert not problems
        assert frame.isna().all(axis=None)


def test_one_row_has_the_dtypes_of_many() -> None:
    full = {"n": 3, "c": "red", "b": "yes", "d": "2026-01-31", "e": "a@b.org", "t": "x", "p": "y"}
    many, problems = check_values(FORM, [full, {}], 10)
    assert not problems
    for row in (full, {}):
        assert check_values(FORM, row, 1)[0].dtypes.equals(many.dtypes)


def test_a_wide_table_is_not_fragmented() -> None:
    features = [*(Feature(f"n{i}") for i in range(120)), Feature("c", "choice", choices=["x", "y"])]
    frame, _ = check_values(features, [{**{f"n{i}": i for i in range(120)}, "c": "x"}])
    frame["further"] = 1  # at which pandas would warn
    assert list(frame.dtypes.unique()) == ["float64", "object", "int64"]


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_a_column_of_days_is_as_one_day_after_the_other_and_equal_ones_are_read_once(
    zone: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = (
        pd.Series(pd.date_range("2013-11-02 22:00", periods=30, freq="h", tz=zone)).repeat(50).reset_index(drop=True)
    )
    for feature in (Feature("d", "date"), Feature("d", "date", required=False)):
        for days in (clock, pd.concat([clock, pd.Series([pd.NaT])], ignore_index=True).astype(clock.dtype)):
            each, problems = check_values([feature], [{"d": day} for day in days])
            frame, same = check_values([feature], days.to_frame("d"))
            assert [str(problem) for problem in same] == [str(problem) for problem in problems]
            pd.testing.assert_frame_equal(frame, each)
    late = Feature("d", "date", low="2013-11-03")
    assert [problem.row for problem in check_values([late], clock.to_frame("d"))[1]] == [*range(100)]
    read = []
    monkeypatch.setattr(Feature, "parse", lambda self, value: read.append(value) or value.date())
    check_values([Feature("d", "date")], clock.to_frame("d"))
    assert len(read) == 30


def make(**changes: object) -> ModelSpec:
    return replace(spec, **changes)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "Iris Wizard"}, "name: use lower case, digits and hyphens ('iris-wizard'), got 'Iris Wizard'."),
        *(({"name": name}, f"name: {name!r} is a path of the server itself") for name in ("docs", "api", "healthz")),
        ({"features": []}, "features: give at least one Feature."),
        ({"features": [Feature("a"), Feature("a")]}, "a: two features have this name."),
        ({"features": [Feature("a", label="L"), Feature("b", label="L")]}, "'L': two features have this label."),
        ({"features": [Feature("token")]}, "token: the server takes a token in an address for its own"),
        ({"features": [Feature("a", control="slider", low=0, high=9, step=2, default=5)]}, "is not on a step"),
        ({"features": [Feature("a", "file")]}, "a: a model cannot have a file among its features."),
        ({"features": [Feature("a", "range")]}, "a: a model cannot have a range among its features."),
        ({"features": [Feature("a b")]}, "Feature name 'a b': use letters, digits and underscores only."),
        ({"features": [Feature("a", "colour")]}, "a: kind must be one of number, integer, choice,"),
        ({"features": [Feature("a", control="wheel")]}, "a: control must be one of number, slider, got 'wheel'."),
        ({"features": [Feature("a", low=2, high=1)]}, "a: low (2) must be below high (1)."),
        ({"features": ["a"]}, "features: give a list of Feature(…)."),
        ({"features": [Feature("a", low="none")]}, "a: low must be a number, got 'none'."),
        ({"features": [Feature("a", "text", low=1)]}, "a: a text has no low or high."),
        ({"features": [Feature("a", control="slider")]}, "a: a slider needs low and high"),
        (
            {"features": [Feature("a", "integer", control="slider", low=0, high=9, step=0.5)]},
            "a: step must be a whole number, got 0.5.",
        ),
        (
            {"features": [Feature("a", control="slider", low=0, high=9, required=False)]},
            "a: a slider always has a value; leave out required=False.",
        ),
        ({"features": [Feature("a", "choice")]}, "a: a choice needs choices=[…]."),
        (
            {"features": [Feature("a", low=0, high=1, default=2)]},
            "The default of a must be at least 0 and at most 1, got 2.",
        ),
        ({"features": [Feature("a", "password")]}, "a: a model cannot have a password among its features."),
        ({"target": "petal_width_cm"}, "target: 'petal_width_cm' is also a feature"),
        ({"load_data": None}, "load_data: give a function"),
        ({"purpose": None}, "purpose: give a text, got None."),
        ({"action": 5}, "action: give a text, got 5."),
        ({"features": [Feature("a", unit=None)]}, "a: unit must be a text, got None."),
        ({"estimator": RandomForestClassifier}, "estimator: give a scikit-learn estimator"),
        ({"test_size": 20}, "test_size: a part between 0 and 1"),
        (
            {"examples": {"odd": {**GOOD, "petal_width_cm": 31}}},
            f"example 'odd': petal_width_cm must be {LIMITS}, got 31.",
        ),
    ],
)
def test_a_faulty_description_is_refused_at_once(changes: dict, fault: str) -> None:
    with pytest.raises(SpecError, match=re.escape(fault)):
        make(**changes)


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(SpecError) as caught:
        make(name="X", target="", test_size=2, load_data=None, features=[Feature("a", "choice")])
    assert len(caught.value.faults) == 4


def test_every_route_of_the_servers_is_reserved() -> None:
    from irislib._serving.voila_app import KERNEL_ROUTES, VOILA_PATHS
    from irislib.api import create_app

    first = {str(rule).split("/")[1] for rule in create_app("irislib.iris:spec").url_map.iter_rules()}
    pages = {path.split("/")[1] for path in (*VOILA_PATHS, *next(zip(*KERNEL_ROUTES, strict=True)))} | {
        "healthz",
        "login",
        "logout",
    }
    assert (first - {"<name>", ""}) | pages <= reserved_names()
