"""The form in Gradio; ``LIVE`` in the environment: without a button."""

import os
import sys

import gradio as gr
from model import FEATURES, predict


def answer(*values):
    """Return a headline and the probabilities."""
    probabilities = predict(values)
    return f"### {next(iter(probabilities))}", probabilities


with gr.Blocks(title="Iris Wizard") as app:
    with gr.Row():
        with gr.Column():
            fields = [gr.Number(value, label=label, step=0.1) for label, value in FEATURES.items()]
            button = None if os.environ.get("LIVE") else gr.Button("Abrakadabra")
        with gr.Column():
            outputs = [gr.Markdown(elem_id="answer"), gr.Label()]
    if button is None:
        gr.on([field.change for field in fields], answer, fields, outputs, show_progress="hidden")
    else:
        button.click(answer, fields, outputs)

app.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
