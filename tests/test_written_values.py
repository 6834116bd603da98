"""Values as people write them: numbers, missing values, accents and long lists, alike through every door."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from irislib._common.formatting import MAX_WORDS, contribution_format, number_format
from irislib._description.feature import Feature
from irislib._description.plain_rows import PlainRows
from irislib._description.validation import check_row, check_values
from irislib.api._openapi.docs import _field
from irislib.widgets._table_cells import bar_cell

POINT = "Write it with a point, not a comma."

# A text, the unit of the feature, and the number that it is or the end of the message that refuses it.
NUMBERS: list[tuple[str, str, float | str]] = [
    ("1 234", "", 1234),
    ("1 234 567.5", "", 1234567.5),
    ("1\u202f234", "", 1234),
    ("1\xa0234", "", 1234),
    ("1'234.50", "", 1234.5),
    ("1’234’567", "", 1234567),
    ("\u22125", "", -5),
    ("\u20135.5", "", -5.5),
    ("١٢", "", 12),
    ("١٢٫٥", "", 12.5),
    ("١٬٢٣٤", "", 1234),
    ("１２", "", 12),
    ("12 %", "%", 12),
    ("-12%", "%", -12),
    ("12 €", "EUR", 12),
    ("-€12", "€", -12),
    ("EUR 12.50", "€", 12.5),
    ("6 cm", "cm", 6),
    ("3,000", "", "It could be 3000 or 3.000: write the one that is meant."),
    ("-3,000", "", "It could be -3000 or -3.000: write the one that is meant."),
    ("999,999", "", "It could be 999999 or 999.999: write the one that is meant."),
    ("6,5", "", POINT),
    ("0,125", "", POINT),  # nobody groups a zero
    ("1234,567", "", POINT),
    ("1 234,5", "", POINT),
    ("1.234,50", "", "Write it as 1234.50."),
    ("1,234.50", "", "Write it as 1234.50."),
    ("1,234,567", "", "Write it as 1234567."),
    ("1.234.567", "", "Write it as 1234567."),
    ("12%", "", "Write it without a percent sign, in the unit of this column: 0.12, say, for parts of 1."),
    ("$12", "", "Write the number alone."),
    ("12 CHF", "EUR", "Write the number alone in EUR."),
    ("5 mm", "m", "Write the number alone in m."),
    ("5mm", "cm", "Write the number alone in cm."),
    ("12 34", "", "got '12 34'."),
    ("1 23", "", "got '1 23'."),
    ("0 123", "", "got '0 123'."),
    ("1\n234", "", r"got '1\n234'."),
    ("1 234'567", "", 'got "1 234\'567".'),
    ("(5)", "", "got '(5)'."),
    ("½", "", "got '½'."),
    ("1_000", "", "got '1_000'."),
    ("9" * 50 + "," + "9" * 50, "", POINT),
]


def outcome(feature: Feature, value: Any) -> Any:
    values, problems = check_row([feature], {feature.name: value})
    rows = PlainRows([feature])
    plain = rows.values({feature.name: value})
    assert plain is None or (not problems and repr(plain) == repr(list(values.values())))
    if isinstance(value, str):
        of_form = rows.form_values(f"{feature.name}={value}".encode())
        assert of_form is None or repr(of_form) == repr(plain)
    return problems[0].message if problems else values[feature.name]


@pytest.mark.parametrize("kind", ["number", "integer"])
@pytest.mark.parametrize(("text", "unit", "expected"), NUMBERS)
def test_a_number_is_read_rightly_or_refused(text: str, unit: str, expected: float | str, kind: str) -> None:
    feature = Feature("x", kind, unit=unit)
    if isinstance(expected, str):
        assert outcome(feature, text).endswith(expected)
        assert outcome(feature, text).startswith("x must be a")
    elif kind == "integer" and expected != int(expected):
        assert "must be a whole number" in outcome(feature, text)
    else:
        assert outcome(feature, text) == expected


ODD = [0, 0.0, -0.0, 1, 1.0, -1, 2, 2.5, 5e-324, 1e308, 2**53 - 1, 2**53, 2**53 + 1, -(2**53), 2**63, 10**400,
       math.nan, math.inf, True, False, None, "", " ", " 1 ", "1_0", "1e400", "+1", "-0", "nan", "inf", "True", "yes",
       "ON", "b", "B", "1.0", "4", [], {}, [1], Decimal(1), np.float64(1), np.int64(1), np.bool_(True)]  # fmt: skip


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("kind", ["number", "integer", "boolean", "choice", "text", "date"])
def test_a_plain_value_is_read_as_any_other(kind: str, required: bool) -> None:
    features = [Feature("x", kind, required=required, choices=["b", "1", 1, 2.5, "yes", True] * (kind == "choice"))]
    if kind in ("number", "integer"):
        for limits in ({"low": 1}, {"high": 1}, {"low": 0, "high": 2}, {"low": 2**53, "high": 2**60}):
            features += [
                replace(features[0], closed=closed, **limits) for closed in ("both", "left", "right", "neither")
            ]
    for feature in features:
        for value in [*ODD, *(str(value) for value in ODD), *(math.nextafter(1, end) for end in (0, 2))]:
            outcome(feature, value)
    good = {
        "boolean": ["true", True, 1, "0.0"],
        "number": ["2.5", 2.5, 2],
        "integer": ["2", 2, 2.0],
        "choice": ["b", 1, 2.5],
    }
    for value in good.get(kind, []):
        assert PlainRows(features[:1]).values({"x": value}) == [outcome(features[0], value)]
        if isinstance(value, str):
            assert PlainRows(features[:1]).form_values(f"x={value}".encode()) == [outcome(features[0], value)]


@pytest.mark.parametrize(("text", "unit", "expected"), NUMBERS)
def test_a_number_is_read_alike_in_a_row_and_in_a_table(text: str, unit: str, expected: float | str) -> None:
    feature = Feature("x", unit=unit)
    frame, problems = check_values([feature], pd.DataFrame({"x": ["1.5", text, text]}))
    if isinstance(expected, str):
        assert [problem.row for problem in problems] == [1, 2]
        assert problems[0].message == outcome(feature, text)
    else:
        assert frame["x"].tolist() == [1.5, expected, expected]


def test_long_whole_numbers_lose_no_digit() -> None:
    feature = Feature("x", "integer")
    assert outcome(feature, "1 234 567 890 123 456 789") == 1234567890123456789
    assert outcome(feature, "١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩") == 1234567890123456789


MISSING = [
    "NA",
    "N/A",
    "n/a",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
    "#N/A",
    "<NA>",
    "-",
    "--",
    "–",
    ".",
    "?",
    "",
    " NA ",
    "-nan",
    "#N/A N/A",
    "1.#QNAN",
    "(null)",
    "k.A.",
]


@pytest.mark.parametrize("text", MISSING)
@pytest.mark.parametrize("kind", ["number", "integer", "boolean", "date", "time", "choice"])
def test_a_missing_value_as_others_write_it(kind: str, text: str) -> None:
    choices = ("a", "b") if kind == "choice" else ()
    optional = Feature("x", kind, choices=choices, required=False)
    assert outcome(optional, text) is None
    frame, problems = check_values([optional], [{"x": text}, {"x": None}])
    assert not problems
    assert frame["x"].isna().all()
    assert isinstance(outcome(Feature("x", kind, choices=choices), text), str)  # a problem: it is required


@pytest.mark.parametrize("required", [True, False])
def test_a_choice_that_is_called_na_stays_one(required: bool) -> None:
    for choice in ("NA", "None", "-", "null"):
        feature = Feature("country", "choice", choices=("DE", choice), required=required)
        assert outcome(feature, choice) == choice
        frame, problems = check_values([feature], [{"country": choice}, {"country": "DE"}])
        assert (frame["country"].tolist(), problems) == ([choice, "DE"], [])


def test_text_that_is_missing_is_only_what_pandas_takes_for_it() -> None:
    optional = Feature("x", "text", required=False)
    assert [outcome(optional, text) for text in ("NA", "NULL", "-", "#N/A")] == [None] * 4
    assert [outcome(optional, text) for text in ("none", "Na", "?", "nil")] == ["none", "Na", "?", "nil"]
    assert outcome(Feature("x", "text"), "NA") == "NA"
    assert outcome(Feature("x", "password", required=False), "NA") == "NA"


def test_accents_are_the_same_however_they_are_written() -> None:
    for form in ("NFC", "NFD"):
        city = unicodedata.normalize(form, "Zürich")
        for other in ("NFC", "NFD"):
            feature = Feature("city", "choice", choices=(unicodedata.normalize(other, "Zürich"), "Bern"))
            assert outcome(feature, city) == feature.choices[0]
        assert outcome(Feature("city", "text"), city) == unicodedata.normalize("NFC", city)
    secret = unicodedata.normalize("NFD", "Zürich")
    assert outcome(Feature("x", "password"), secret) == secret


@pytest.mark.parametrize("count", [60, 800])
def test_a_long_list_is_never_printed_whole(count: int) -> None:
    feature = Feature("department", "choice", choices=[f"{i:03}" for i in range(1, count + 1)])
    for message in (feature.expected, outcome(feature, "abc"), outcome(feature, None)):
        assert f"'010', … ({count} in all)" in message
        assert message.count("'0") == MAX_WORDS
    features = [Feature(f"feature_{i}") for i in range(count)]
    _, problems = check_row(features, {"nothing": 1, **{feature.name: 1 for feature in features}})
    assert f"feature_9, … ({count} in all)" in problems[0].message


@pytest.mark.parametrize(("count", "shown"), [(12, 12), (13, 0), (800, 0)])
def test_the_page_for_programs_lists_few_choices_only(count: int, shown: int) -> None:
    choices = [f"{i:03}" for i in range(count)]
    schema = {"title": "X", "x-expected": Feature("x", "choice", choices=choices).expected, "enum": [*choices, None]}
    field = _field("x", schema, [])
    assert len(field["choices"]) == shown
    assert ("in all" in field["expected"]) == (shown == 0)


def test_a_list_that_is_short_is_printed_whole() -> None:
    feature = Feature("x", "choice", choices="abcdefghijkl")
    assert feature.expected.endswith("'k', 'l'")


@pytest.mark.parametrize(
    ("value", "nearest"),
    [
        ("4", "04"),
        (4, "04"),
        ("40", "40"),
        ("2a", "2A"),
        ("2b ", "2B"),
        ("cote d or", "Côte-d'Or"),
        ("Cote-dOr", "Côte-d'Or"),
    ],
)
def test_the_nearest_choice_is_suggested(value: Any, nearest: str) -> None:
    feature = Feature("x", "choice", choices=[*(f"{i:02}" for i in range(1, 60)), "2A", "2B", "Côte-d'Or"])
    answer = outcome(feature, value)
    assert answer == nearest or f"Did you mean {nearest!r}?" in answer


def test_the_nearest_of_many_choices_is_sought_for_the_first_values_only() -> None:
    feature = Feature("x", "choice", choices=[f"choice {i}" for i in range(800)])
    _, problems = check_values([feature], [{"x": f"choise {i}"} for i in range(150)])
    hints = ["Did you mean" in problem.message for problem in problems]
    assert hints == [True] * 100 + [False] * 50


def test_a_point_beside_decimal_commas_is_asked_about_in_rows_and_columns() -> None:
    """Else 1.234 would be a thousand times too small beside 1.234,50."""
    feature = Feature("x")
    for values in (["1.234", "1.234,50", "2.5", 1.234], ["1.234", "6,5", "2.5", 1.234]):
        for rows in ([{"x": value} for value in values], pd.DataFrame({"x": values})):
            _, problems = check_values([feature], rows)
            assert [problem.row for problem in problems] == [0, 1]
            assert "could be 1234 or 1.234, got '1.234'" in problems[0].message
    assert not check_values([feature], [{"x": "1.234"}, {"x": "2.5"}])[1]


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        ([12345.678, -2.5, math.nan], ["12346", "-2", "nan"]),  # beside an answer such as 63500
        ([31.13, -4.25], ["31.1", "-4.2"]),
        ([5.123, 2.0], ["5.12", "2.00"]),
        ([0.5, 0.25, 1.0], ["0.500", "0.250", "1.000"]),
        ([0.00123, 0.0], ["0.00123", "0.00000"]),
        ([2.14e-11, -4.9e-12, 0.0], ["2.14e-11", "-4.9e-12", "0"]),  # such as currents in amperes
        ([63512.25, 63514.75], ["63512.25", "63514.75"]),  # they differ in decimals only
        ([-118.218, -118.702], ["-118.218", "-118.702"]),
        ([2010.0, 2010.0], ["2010", "2010"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_have_as_many_decimals_as_an_answer_of_their_size(column, texts) -> None:
    assert [*map(number_format(column), column)] == texts
    assert [text.lstrip("+") for text in map(contribution_format("contribution (EUR)", column), column)] == texts


def test_bars_of_small_contributions_fill_their_column_though_none_is_negative() -> None:
    cells = [*map(bar_cell("contribution (A)", [2e-5, 1e-5]), [2e-5, 1e-5])]
    assert "width:100.0%" in cells[0]
    assert "width:50.0%" in cells[1]
    assert [re.search(r"amount\">([^<]*)<", cell)[1] for cell in cells] == ["+2e-05", "+1e-05"]
