"""The form in Gradio."""

import sys

import gradio as gr
from model import CHOICES, FIELDS, LIVE, predict


def answer(*values):
    """Return a headline and the probabilities."""
    probabilities = predict(values)
    return f"### {next(iter(probabilities))}", probabilities


def make_field(name, value):
    """Return the control of a feature."""
    if value is None:
        return gr.Dropdown(CHOICES, value=CHOICES[0], label=name)
    return gr.Number(value, label=name, step=0.1)


with gr.Blocks(title="The form") as app:
    with gr.Row():
        with gr.Column():
            fields = [make_field(*field) for field in FIELDS]
            button = None if LIVE else gr.Button("Abrakadabra")
        with gr.Column():
            outputs = [gr.Markdown(elem_id="answer"), gr.Label()]
    if button is None:
        gr.on([field.change for field in fields], answer, fields, outputs, show_progress="hidden")
    else:
        button.click(answer, fields, outputs)

app.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
