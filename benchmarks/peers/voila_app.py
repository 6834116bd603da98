"""The form in plain Voila: the cell of its notebook."""

import ipywidgets as widgets
from model import CHOICES, FIELDS, LIVE, predict


def make_field(name, value):
    """Return the control of a feature."""
    if value is None:
        return widgets.Dropdown(options=CHOICES, description=name)
    return widgets.FloatText(value, step=0.1, description=name)


fields = [make_field(*field) for field in FIELDS]
answer = widgets.HTML()
answer.add_class("answer")
button = widgets.Button(description="Abrakadabra")


def show(_):
    """Show the class and the probabilities."""
    probabilities = predict([field.value for field in fields])
    rows = "".join(f"<tr><td>{name}</td><td>{value:.3f}</td></tr>" for name, value in probabilities.items())
    answer.value = f"<h3>{next(iter(probabilities))}</h3><table>{rows}</table>"


button.on_click(show)
if LIVE:
    for field in fields:
        field.observe(show, "value")
app = widgets.HBox([widgets.VBox(fields if LIVE else [*fields, button]), answer])
