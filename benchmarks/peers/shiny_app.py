"""The form in Shiny for Python."""

import pandas as pd
from model import CHOICES, FIELDS, LIVE, NAMES, predict
from shiny import App, reactive, render, ui


def make_field(name, value):
    """Return the control of a feature."""
    if value is None:
        return ui.input_select(name, name, CHOICES)
    return ui.input_numeric(name, name, value, step=0.1)


button = [] if LIVE else [ui.input_action_button("action", "Abrakadabra")]
app_ui = ui.page_sidebar(
    ui.sidebar(*(make_field(*field) for field in FIELDS), *button),
    ui.h3(ui.output_text("answer")),
    ui.output_table("probabilities"),
    title="The form",
)


def server(input, output, session):
    """Answer when the button is pressed, or at each change."""

    def answer_form():
        return predict([input[name]() for name in NAMES])

    if not LIVE:
        answer_form = reactive.event(input.action)(answer_form)
    prediction = reactive.calc(answer_form)

    @render.text
    def answer():
        return next(iter(prediction()))

    @render.table
    def probabilities():
        return pd.DataFrame(prediction().items(), columns=["class", "probability"])


app = App(app_ui, server)
