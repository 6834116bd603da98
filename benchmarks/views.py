"""Flask views for comparison with the endpoint, as written by hand."""

from __future__ import annotations

import pandas as pd
from flask import Flask, Response, request

import irislib


def empty() -> Flask:
    """A view that returns a constant."""
    app = Flask("empty")

    @app.post("/iris-wizard")
    def constant() -> Response:
        return Response('"virginica"\n', mimetype="application/json")

    return app


def frame() -> Flask:
    """A view that makes a DataFrame and calls scikit-learn."""
    app = Flask("frame")
    model = irislib.load("iris-wizard")
    names = model.spec.feature_names

    @app.post("/iris-wizard")
    def predict() -> Response:
        row = pd.DataFrame([{name: float(request.form[name]) for name in names}])
        return Response(f'"{model.estimator.predict(row)[0]}"\n', mimetype="application/json")

    return app
