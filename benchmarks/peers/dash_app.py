"""The form in Dash."""

import sys

from dash import Dash, Input, Output, State, dcc, html
from model import CHOICES, FIELDS, LIVE, NAMES, predict


def make_field(name, value):
    """Return the control of a feature."""
    if value is None:
        control = dcc.Dropdown(CHOICES, CHOICES[0], id=name, clearable=False)
    else:
        control = dcc.Input(type="number", value=value, step=0.1, id=name)
    return html.Div([html.Label(name, htmlFor=name), control])


app = Dash(title="The form")
button = [] if LIVE else [html.Button("Abrakadabra", id="action")]
fields = html.Div([make_field(*field) for field in FIELDS] + button)
app.layout = html.Div([fields, html.Div(id="answer")], style={"display": "flex"})


@app.callback(
    Output("answer", "children"),
    [] if LIVE else [Input("action", "n_clicks")],
    [(Input if LIVE else State)(name, "value") for name in NAMES],
    prevent_initial_call=True,
)
def answer(*values):
    """Return a headline and the probabilities."""
    probabilities = predict(values if LIVE else values[1:])
    cells = [html.Tr([html.Td(name), html.Td(f"{share:.3f}")]) for name, share in probabilities.items()]
    return [html.H3(next(iter(probabilities))), html.Table(cells)]


app.run(host="127.0.0.1", port=int(sys.argv[1]))
