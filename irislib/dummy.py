"""The dummy app: every kind of input, echoed back. It shows what a form can hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from irislib._common.language import column_label, current_language
from irislib._description.feature import Feature
from irislib._description.translation import translated_features

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from irislib.widgets import Page

__all__ = ["FEATURES", "app", "area_plot", "entries", "random_rows"]

FEATURES = [
    Feature("text", "text", label="Text", required=False),
    Feature("number", "number", label="Number", unit="cm", step=0.5, required=False),
    Feature("whole", "integer", label="Whole number", low=0, required=False),
    Feature("date", "date", label="Date", required=False),
    Feature("time", "time", label="Time", required=False),
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
    Feature("answer", "boolean", label="Yes, no, or nothing", control="select", required=False),
    Feature("radio", "choice", label="Radio buttons", control="radio", choices=["left", "right"], required=False),
    Feature("slider", "integer", label="Slider", control="slider", low=0, high=10, step=2, required=False),
    Feature("range", "range", label="Range", low=0, high=100, required=False),
    Feature("color", "color", label="Colour", required=False),
    Feature("comment", "text", label="Long text", control="textarea", required=False),
    Feature("email", "email", label="E-mail", required=False),
    Feature("password", "password", label="Password", help="Never shown, stored or logged.", required=False),
    Feature("file", "file", label="File", help="Only its size is shown.", required=False),
]

EXAMPLES = {
    "A little of each": {
        "text": "Hello",
        "number": 4.5,
        "whole": 7,
        "date": "2026-01-31",
        "time": "14:30",
        "list": "two",
        "suggestions": "quince",
        "checkbox": True,
        "answer": False,
        "radio": "right",
        "slider": 4,
        "range": (20, 60),
        "color": "#e95420",
        "comment": "Two\nlines",
        "email": "ann@example.org",
    }
}


TRANSLATIONS = {
    "de": {
        "Whole number": "Ganze Zahl",
        "Number": "Zahl",
        "Date": "Datum",
        "Time": "Uhrzeit",
        "Select list": "Auswahlliste",
        "List with suggestions": "Liste mit Vorschlägen",
        "Choose one or type your own.": "Wählen Sie etwas aus, oder schreiben Sie etwas Eigenes.",
        "Checkbox": "Ankreuzfeld",
        "Yes, no, or nothing": "Ja, nein oder nichts",
        "Radio buttons": "Optionsfelder",
        "Slider": "Schieberegler",
        "Range": "Bereich",
        "Colour": "Farbe",
        "Long text": "Langer Text",
        "E-mail": "E-Mail",
        "Password": "Passwort",
        "Never shown, stored or logged.": "Es wird nie angezeigt, gespeichert oder protokolliert.",
        "File": "Datei",
        "Only its size is shown.": "Nur ihre Größe wird angezeigt.",
        "A little of each": "Von allem etwas",
        "Submit": "Abschicken",
        "Table": "Tabelle",
        "Plot": "Diagramm",
        "Fill in the form and press Submit: what you entered appears here.": "Füllen Sie das Formular aus und drücken "
        "Sie „Abschicken“: Was Sie eingegeben haben, erscheint hier.",
        "A stacked area plot of the table below.": "Ein gestapeltes Flächendiagramm der Tabelle darunter.",
        "1 entry": "1 Eintrag",
        "{count} entries": "{count} Einträge",
    }
}


def _text(text: str) -> str:
    """Return a text in the current language."""
    return TRANSLATIONS.get(current_language(), {}).get(text, text)


def app() -> Page:
    """Return the dummy app, as a widget."""
    from irislib.widgets import Page, Tab, _pieces

    features = translated_features(FEATURES, TRANSLATIONS.get(current_language(), {}))

    def plot(_: object) -> Sequence[object]:
        data = random_rows()
        return [_pieces.picture(area_plot(data), _text("A stacked area plot of the table below.")), data]

    empty = _text("Fill in the form and press Submit: what you entered appears here.")
    tabs = [Tab(_text("Table"), lambda frame: [frame], empty), Tab(_text("Plot"), plot)]
    examples = {_text(name): row for name, row in EXAMPLES.items()}
    echo = partial(entries, features=features)
    return Page("Dummy", features, _text("Submit"), echo, tabs, examples, summary)


def summary(frame: pd.DataFrame) -> str:
    """Return a short summary of the entries, for the history."""
    return _text("{count} entries").format(count=len(frame)) if len(frame) != 1 else _text("1 entry")


def entries(values: dict[str, Any], features: Sequence[Feature] = FEATURES) -> pd.DataFrame:
    """Return the entered values as a table of labels and values, without empty ones.

    Parameters
    ----------
    values : dict
        The values by the features' names. A password is replaced by its presence, a file by its size.
    features : sequence of Feature, optional
        The fields, in the language of their labels.
    """
    import pandas as pd

    from irislib.widgets._fields import format_entry

    rows = [
        (feature.label, format_entry(feature, values[feature.name]))
        for feature in features
        if feature.name in values and not (feature.control == "checkbox" and not values[feature.name])
    ]
    return pd.DataFrame(rows, columns=["input", "value"])


def random_rows() -> pd.DataFrame:
    """Return ten random rows of a, b, c and d, from 0 to 1."""
    import numpy as np
    import pandas as pd

    return pd.DataFrame(np.random.default_rng().random((10, 4)), columns=list("abcd"))


def area_plot(data: pd.DataFrame) -> Figure:
    """Draw a stacked area plot of a table of numbers."""
    from matplotlib.figure import Figure

    from irislib._common.theme import AUBERGINE, INK, ORANGE, WARM_GREY

    figure = Figure(figsize=(4.8, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.stackplot(data.index, data.to_numpy().T, labels=data.columns, colors=[AUBERGINE, ORANGE, WARM_GREY, INK])
    axes.set_xlabel(column_label("row"))
    axes.set_ylabel(column_label("value"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", ncols=4, frameon=True)
    axes.margins(x=0)
    return figure
