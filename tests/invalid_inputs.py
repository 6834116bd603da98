"""Invalid inputs and their messages, which are the same in the library, the endpoint and the page."""

from __future__ import annotations

from typing import Any, NamedTuple

GOOD = {"petal_length_cm": 6.0, "petal_width_cm": 2.5, "sepal_length_cm": 6.3, "sepal_width_cm": 3.3}
LIMITS = "above 0 and at most 30 cm"
NAMES = "petal_length_cm, petal_width_cm, sepal_length_cm, sepal_width_cm"


class Case(NamedTuple):
    """Changes to a good row, and the message for each feature that is then wrong."""

    changes: dict[str, Any]
    messages: dict[str, str]

    @property
    def row(self) -> dict[str, Any]:
        return {name: value for name, value in {**GOOD, **self.changes}.items() if value is not None}


def one(value: Any, reason: str) -> Case:
    return Case({"petal_width_cm": value}, {"petal_width_cm": f"petal_width_cm {reason}"})


# What can be typed into a form and sent by a program alike.
TYPED = [
    one("abc", "must be a number, got 'abc'."),
    one("2,5", "must be a number, got '2,5'. Write it with a point, not a comma."),
    one("1_0", "must be a number, got '1_0'."),
    one("x" * 100, f"must be a number, got '{'x' * 38}…."),
    one("nan", "must be a finite number, got nan."),
    one("-inf", "must be a finite number, got -inf."),
    one("1e999", "must be a finite number, got inf."),
    one("0", f"must be {LIMITS}, got 0."),
    one("-2.5", f"must be {LIMITS}, got -2.5."),
    one("30.000001", f"must be {LIMITS}, got 30.000001."),
    one("130", f"must be {LIMITS}, got 130."),
    one("", f"is missing: expected a number {LIMITS}."),
    one("  ", f"is missing: expected a number {LIMITS}."),
    Case(
        {"petal_length_cm": "long", "sepal_width_cm": "99"},
        {
            "petal_length_cm": "petal_length_cm must be a number, got 'long'.",
            "sepal_width_cm": f"sepal_width_cm must be {LIMITS}, got 99.",
        },
    ),
]

# What only a program can send.
SENT = [
    one(None, f"is missing: expected a number {LIMITS}."),
    Case(
        {"petal_widht_cm": "1"}, {"petal_widht_cm": "Unknown feature 'petal_widht_cm'. Did you mean 'petal_width_cm'?"}
    ),
    Case({"colour": "red"}, {"colour": f"Unknown feature 'colour'. Known: {NAMES}."}),
]

# What only JSON and Python can hold.
TYPES = [
    one(130, f"must be {LIMITS}, got 130."),
    one(True, "must be a number, got True."),
    one([1, 2], "must be a number, got [1, 2]."),
    one({"a": 1}, "must be a number, got {'a': 1}."),
    one(float("nan"), "must be a finite number, got nan."),
    one(float("inf"), "must be a finite number, got inf."),
    one(10**400, "must be a finite number, got inf."),
]
