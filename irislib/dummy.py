"""The dummy app: every kind of input, echoed back. It shows what a form can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from irislib.feature import Feature

if TYPE_CHECKING:
    import pandas as pd
    from ipywidgets import Widget
    from matplotlib.figure import Figure

    from irislib.widgets import Page

__all__ = ["FEATURES", "app", "area_plot", "entries"]

FEATURES = [
    Feature("text", "text", label="Text", required=False),
    Feature("number", "number", label="Number", required=False),
    Feature("date", "date", label="Date", required=False),
    Feature("list", "choice", label="Select list", choices=["one", "two", "three", "four"], required=False),
    Feature(
        "suggestions",
        "text",
        label="List with suggestions",
        control="suggestions",
        choices=["apple", "banana", "cherry", "quince"],
        help="Choose one or type your own.",
        required=False,
    ),
    Feature("checkbox", "boolean", label="Checkbox", control="checkbox", required=False),
    Feature("radio", "choice", label="Radio buttons", control="radio", choices=["left", "right"], required=False),
    Feature("slider", "integer", label="Slider", control="slider", low=0, high=10, step=2, required=False),
    Feature("comment", "text", label="Comment", control="textarea", required=False),
    Feature("email", "email", label="E-mail", required=False),
    Feature("password", "password", label="Password", help="Never shown, stored or logged.", required=False),
]


def app() -> Page:
    """The dummy app, as a widget."""
    from irislib.widgets import Page, Tab, showing

    def table(frame: pd.DataFrame) -> Sequence[Widget]:
        return [showing.table(frame)]

    def plot(_: object) -> Sequence[Widget]:
        return [showing.picture(area_plot(), "A stacked area plot of ten random rows of a, b, c and d.")]

    empty = "Fill in the form and press Submit: what you entered appears here."
    return Page("Dummy", FEATURES, "Submit", entries, [Tab("Table", table, empty), Tab("Plot", plot)])


def entries(values: dict[str, Any]) -> pd.DataFrame:
    """What was entered, as a table of labels and values; what was left empty is not in it.

    Raises
    ------
    ValidationError
        Where a value is not of its kind, such as a number.
    """
    import pandas as pd

    from irislib.errors import ValidationError
    from irislib.kinds import is_empty
    from irislib.validation import check_values
    from irislib.widgets.fields import ENTERED

    _, problems = check_values(FEATURES, values, 1)
    if problems:
        raise ValidationError(problems)
    given = [(feature, values.get(feature.name)) for feature in FEATURES]
    entered = [(feature, value) for feature, value in given if not is_empty(value) and value is not False]
    words = {"boolean": "yes", "password": ENTERED}
    rows = [(f.label, words.get(f.kind, str(value))) for f, value in entered]
    return pd.DataFrame(rows, columns=["input", "value"])


def area_plot() -> Figure:
    """A stacked area plot of ten random rows of a, b, c and d."""
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    from irislib.theme import AUBERGINE, INK, ORANGE, WARM_GREY

    data = pd.DataFrame(np.random.default_rng().random((10, 4)), columns=list("abcd"))
    figure = Figure(figsize=(4.8, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.stackplot(data.index, data.to_numpy().T, labels=data.columns, colors=[AUBERGINE, ORANGE, WARM_GREY, INK])
    axes.set_xlabel("row")
    axes.set_ylabel("value")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", ncols=4, frameon=True)
    axes.margins(x=0)
    return figure
