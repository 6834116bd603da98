"""The JSON Schema of a row accepts what the checks accept."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import sys
from typing import Any

import jsonschema
import pytest
from conftest import FUZZ
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from irislib import Feature, ModelSpec
from irislib._description.feature_types import FEATURE_TYPES
from irislib.api._openapi.schema import row_json, schema
from irislib.errors import ValidationError

KIND = sorted(FEATURE_TYPES.keys() - {"file", "password", "range"})  # the others a model cannot have
DAYS = [
    dt.date(1, 1, 1),
    dt.date(999, 12, 31),
    dt.date(2000, 2, 29),
    dt.date(2018, 8, 28),
    dt.date(2019, 9, 9),
    dt.date(9999, 12, 31),
]
MOMENTS = [dt.time(0, 0, 1), dt.time(8, 30), dt.time(8, 30, 15), dt.time(9), dt.time(19, 59, 59, 250_000), dt.time.max]
WRITTEN = ["", " ", "\n", "a", "yes", "False", "5.1", "1", " 1 ", "1_0", "nan", "inf", "٣", "[]", "None"]
WRITTEN += ["2026-01-31", "20260131", "2026-02-30", "2026-01-31T10:00", "0000-01-01", "14:30", " 14:30 ", "1430"]
WRITTEN += ["14", "24:00", "14:30Z", "14:60", "14:30:15.1234567", "a@b.c", " a@b.c", "ü@ä.de", "a@b", "a b@c.d"]
WRITTEN += ["#772953", "#77295G", "#7729", "#772953\n"]
# Numbers as all readers agree on them (RFC 8259, 6): what a double holds, and what is too long for any.
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**53), 2**53) | DOUBLES.filter(float.is_integer).map(int)
NUMBERS = st.sampled_from([-1, 0, 0.0, 1, 1.0, 20260131, 10**400, -(10**400)]) | DOUBLES | WHOLE
VALUES = st.none() | st.booleans() | NUMBERS | st.sampled_from(WRITTEN) | st.text(max_size=5)
VALUES |= st.just([]) | st.lists(st.integers(), max_size=2) | st.just({}) | st.just({"a": 1})
CHOICES = st.text(min_size=1, max_size=3) | WHOLE | DOUBLES | st.booleans()
CHOICES |= st.sampled_from(["1", "True", "1.5", " a"])
ENDS: dict[str, st.SearchStrategy[Any]] = {
    "number": DOUBLES | st.sampled_from([-1, 0, 0.1, 30]),
    "integer": st.integers(-(10**18), 10**18) | st.integers(-3, 3),
    "date": st.sampled_from(DAYS) | st.dates(),
    "time": st.sampled_from(MOMENTS) | st.times(min_value=dt.time(0, 0, 1)),
}
PROPER: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers() | st.integers(2**63 - 1500, 2**63) | st.integers(-(2**63), 1500 - 2**63),
    "boolean": st.booleans(),
    "date": st.dates().map(str) | st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]\Z"),
    "time": st.times().map(str) | st.from_regex(r"\A[0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,7})?)?\Z"),
    "email": st.from_regex(r"\A[a.@ ]{1,3}@[b.]{1,4}\Z"),
    "color": st.from_regex(r"\A#[0-9a-gA-G]{6}\Z"),
}


def feature(name: str, kind: str) -> st.SearchStrategy[Feature]:
    """Of a kind, with whatever limits."""
    free: dict[str, Any] = {"required": st.booleans(), "closed": st.sampled_from(["both", "left", "right", "neither"])}
    if kind == "choice":
        free["choices"] = st.lists(CHOICES, min_size=1, max_size=4).filter(lambda all_: any(map(not_blank, all_)))
    if kind in ENDS:
        free["ends"] = st.tuples(ENDS[kind], ENDS[kind], st.booleans(), st.booleans())
    return st.fixed_dictionaries(free).map(lambda facts: limited(name, kind, **facts)).filter(lambda f: not f.faults())


def not_blank(choice: Any) -> bool:
    return not isinstance(choice, str) or bool(choice.strip())


def limited(name: str, kind: str, ends: tuple[Any, Any, bool, bool] = (0, 0, False, False), **facts: Any) -> Feature:
    low, high = sorted(ends[:2])
    return Feature(name, kind, low=low if ends[2] else None, high=high if ends[3] else None, **facts)


def near(feature_: Feature) -> st.SearchStrategy[Any]:
    """Values that might be taken for a feature, among others that might not."""
    strategies = [VALUES, *([PROPER[feature_.kind]] if feature_.kind in PROPER else [])]
    ends = [end for end in (feature_.low, feature_.high) if end is not None]
    if feature_.kind in ("number", "integer") and ends:
        strategies.append(st.sampled_from([near for end in ends for near in (end, *around(end, feature_.kind))]))
    elif ends:
        strategies.append(st.sampled_from([end.isoformat() for end in ends]))
    if feature_.choices:
        strategies.append(st.sampled_from([*feature_.choices, *map(str, feature_.choices)]))
    return st.one_of(strategies)


def around(end: Any, kind: str) -> list[Any]:
    return [end - 1, end + 1] if kind == "integer" else [math.nextafter(end, -math.inf), math.nextafter(end, math.inf)]


def model_of(*features: Feature, **facts: Any) -> ModelSpec:
    options = {"target": "y", "load_data": lambda: None, "estimator": DecisionTreeClassifier(), **facts}
    return ModelSpec("any", list(features), **options)


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def bad_rows(spec: ModelSpec, rows: list[dict[str, Any]]) -> set[int | None]:
    try:
        spec.validate(rows)
    except ValidationError as error:
        return {problem.row for problem in error.problems}
    return set()


def stands_for_another(feature_: Feature, value: Any) -> bool:
    """Return True for all that the checks take beyond the schema: a value as a form or a table has it."""
    if isinstance(value, str):
        if not value.strip() or feature_.kind in ("number", "integer", "boolean"):
            return True
        if not feature_.required and feature_.parse(value) is None:
            return True  # as other programs write a missing value
        if feature_.kind == "date":
            return not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
        if feature_.kind == "time":
            return not re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?", value)
        if feature_.kind == "choice":
            return value not in feature_.choices
        return value != value.strip()
    if feature_.kind == "boolean":
        return value in (0, 1) and not isinstance(value, bool)
    if feature_.kind == "choice":
        others = [choice for choice in feature_.choices if type(choice) is not type(value)]
        return str(value) in map(str, others)
    return feature_.kind == "text" and isinstance(value, int | float)


@pytest.mark.parametrize("kind", KIND)
@settings(
    max_examples=25 * FUZZ, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(data=st.data())
def test_the_schema_accepts_what_the_checks_accept(kind: str, data: st.DataObject) -> None:
    feature_ = data.draw(feature("a", kind))
    spec = model_of(feature_)
    accepts = validator(schema(spec)).is_valid
    values = data.draw(st.lists(near(feature_), min_size=15, max_size=15))
    bad = bad_rows(spec, [{"a": value} for value in values])
    for i, value in enumerate(values):
        if accepts({"a": value}):
            assert i not in bad, value
        elif i not in bad:
            assert stands_for_another(feature_, value), value
        if i not in bad:
            assert accepts(row_json(spec, {"a": value})), value


@pytest.mark.parametrize("closed", ["both", "neither"])
@pytest.mark.parametrize("ends", [DAYS, MOMENTS], ids=["date", "time"])
def test_the_limits_of_dates_and_times(ends: list[Any], closed: str) -> None:
    kind = "date" if ends is DAYS else "time"
    values = [end.isoformat() for end in ends]
    values += ["08:30:00", "08:30:00.000", "08:30:00.01", "19:59:59.25", "19:59:59", "19:59"] if kind == "time" else []
    for name in ("low", "high"):
        for end in ends:
            spec = model_of(Feature("a", kind, closed=closed, **{name: end}))
            bad = bad_rows(spec, [{"a": value} for value in values])
            accepts = validator(schema(spec)).is_valid
            assert [not accepts({"a": value}) for value in values] == [i in bad for i in range(len(values))], end


def test_a_choice_that_is_empty_cannot_be_made() -> None:
    spec = model_of(Feature("a", "choice", choices=["", "x"]))
    assert schema(spec)["properties"]["a"]["enum"] == ["x"]
    assert bad_rows(spec, [{"a": ""}, {"a": "x"}]) == {0}


@pytest.mark.parametrize("kind", ["number", "integer"])
@pytest.mark.parametrize("size", [2**63 - 514, 2**63 - 513, 2**63 - 512, 2**63, int(sys.float_info.max), 10**309])
def test_the_largest_numbers(kind: str, size: int) -> None:
    spec = model_of(Feature("a", kind))
    for row in ({"a": size}, {"a": -size}):
        assert validator(schema(spec)).is_valid(row) == (bad_rows(spec, [row]) == set())


def test_a_form_has_no_null() -> None:
    features = [Feature("a", required=False), Feature("b", "choice", choices=[1, "x"], required=False)]
    row, form = (schema(model_of(*features), nullable=nullable) for nullable in (True, False))
    values = {"a": 1, "b": "x"}
    assert validator(row).is_valid(values)
    assert validator(form).is_valid(values)
    for name in values:
        assert validator(row).is_valid({**values, name: None})
        assert not validator(form).is_valid({**values, name: None})


@pytest.mark.parametrize("row", [{}, {"a": 1}, {"b": 1}, {"a": 1, "b": 1}, {"a": 1, "c": 1}, {"a": 1, "b": None}])
def test_the_schema_has_the_names_and_the_required_values(row: dict[str, Any]) -> None:
    spec = model_of(Feature("a"), Feature("b", required=False))
    assert validator(schema(spec)).is_valid(row) == (bad_rows(spec, [row]) == set())


def test_the_schema_has_the_facts_of_the_features(iris, rent) -> None:
    for model in (iris, rent):
        row_schema = schema(model.spec)
        assert list(row_schema["properties"]) == model.spec.feature_names
        assert len(row_schema["examples"]) == len(model.spec.examples)
        for example in row_schema["examples"]:
            validator(row_schema).validate(example)
    petal = schema(iris.spec)["properties"]["petal_length_cm"]
    assert json.dumps(petal["exclusiveMinimum"]) == "0"
    assert petal == {
        "title": "Petal length",
        "description": "From the base to the tip of a petal. In cm.",
        "x-unit": "cm",
        "x-expected": "a number above 0 and at most 30 cm",
        "default": 4.3,
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 30,
    }
    optional = schema(rent.spec)["properties"]["district"]
    assert optional["enum"] == ["centre", "harbour", "hill", None]
    assert optional["type"] == ["string", "null"]


def test_defaults_and_examples_are_of_the_proper_type() -> None:
    features = [
        Feature("day", "date", default="0999-12-31"),
        Feature("moment", "time", default="08:05:00"),
        Feature("yes", "boolean", default="on"),
        Feature("count", "integer", default="3"),
        Feature("level", "choice", choices=[1, 2.5, "x"], default="2.5"),
        Feature("note", "text", choices=["a", 5], required=False),
    ]
    row = {"day": dt.date(2026, 1, 31), "moment": "14:30:15", "yes": "no", "count": "7", "level": "1", "note": " "}
    row_schema = schema(model_of(*features, examples={"Loosely": row}))
    proper = {"day": "2026-01-31", "moment": "14:30:15", "yes": False, "count": 7, "level": 1}
    assert row_schema["examples"] == [proper]
    defaults = {name: value["default"] for name, value in row_schema["properties"].items() if "default" in value}
    assert defaults == {"day": "0999-12-31", "moment": "08:05", "yes": True, "count": 3, "level": 2.5}
    validator(row_schema).validate(defaults)
    assert row_schema["properties"]["note"]["examples"] == ["a", "5"]
