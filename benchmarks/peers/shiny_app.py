"""The form in Shiny for Python; ``LIVE`` in the environment: without a button."""

import os

import pandas as pd
from model import FEATURES, predict
from shiny import App, reactive, render, ui

NAMES = [label.lower().replace(" ", "_") for label in FEATURES]
fields = [
    ui.input_numeric(name, label, value, min=0, max=30, step=0.1)
    for name, (label, value) in zip(NAMES, FEATURES.items(), strict=True)
]
button = [] if os.environ.get("LIVE") else [ui.input_action_button("action", "Abrakadabra")]
app_ui = ui.page_sidebar(
    ui.sidebar(*fields, *button),
    ui.h3(ui.output_text("answer")),
    ui.output_table("probabilities"),
    title="Iris Wizard",
)


def server(input, output, session):
    """Answer when the button is pressed, or at each change."""

    def answer_form():
        return predict([input[name]() for name in NAMES])

    if not os.environ.get("LIVE"):
        answer_form = reactive.event(input.action)(answer_form)
    prediction = reactive.calc(answer_form)

    @render.text
    def answer():
        return next(iter(prediction()))

    @render.table
    def probabilities():
        return pd.DataFrame(prediction().items(), columns=["species", "probability"])


app = App(app_ui, server)
