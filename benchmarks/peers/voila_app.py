"""The form in plain Voila: the cell of its notebook; ``LIVE`` in the environment: without a button."""

import os

import ipywidgets as widgets
from model import FEATURES, predict

fields = [
    widgets.BoundedFloatText(value, min=0, max=30, step=0.1, description=label) for label, value in FEATURES.items()
]
answer = widgets.HTML()
answer.add_class("answer")
button = widgets.Button(description="Abrakadabra")


def show(_):
    """Show the species and the probabilities."""
    probabilities = predict([field.value for field in fields])
    rows = "".join(f"<tr><td>{name}</td><td>{value:.3f}</td></tr>" for name, value in probabilities.items())
    answer.value = f"<h3>{next(iter(probabilities))}</h3><table>{rows}</table>"


button.on_click(show)
if os.environ.get("LIVE"):
    for field in fields:
        field.observe(show, "value")
form = widgets.VBox(fields if os.environ.get("LIVE") else [*fields, button])
app = widgets.HBox([form, answer])
