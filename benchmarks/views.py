"""Flask views for comparison with the endpoint, as written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from cases import CASES
from flask import Flask, Response, request

JSON = "application/json"


def empty() -> Flask:
    """A view that returns a constant."""
    return make_app(lambda name: Response('"virginica"\n', mimetype=JSON))


def reading() -> Flask:
    """A view that reads the JSON, and returns a constant."""

    def read(name: str) -> Response:
        request.get_json()
        return Response('"virginica"\n', mimetype=JSON)

    return make_app(read)


def frame() -> Flask:
    """A view that makes a DataFrame and calls scikit-learn, for one row and for a CSV file."""
    fitted = {}
    for name, case in CASES.items():
        data = case.load_data()
        fitted[name] = case.estimator().fit(data.drop(columns="kind"), data["kind"])

    def predict(name: str) -> Response:
        numbers = {number: float(request.form[number]) for number in CASES[name].numbers}
        row = pd.DataFrame([numbers | {choice: request.form[choice] for choice in CASES[name].choices}])
        return Response(f'"{fitted[name].predict(row)[0]}"\n', mimetype=JSON)

    app = make_app(predict)

    @app.post("/<name>/batch")
    def predict_file(name: str) -> Response:
        rows = pd.read_csv(request.stream)
        probabilities = pd.DataFrame(fitted[name].predict_proba(rows), columns=fitted[name].classes_)
        answers = probabilities.assign(prediction=probabilities.idxmax(axis=1))
        return Response(answers.to_csv(index=False), mimetype="text/csv")

    return app


def make_app(view: Callable[[str], Response]) -> Flask:
    """Return an app with a view for POST, and one that says that it is up."""
    app = Flask("views")
    app.add_url_rule("/healthz", "healthz", lambda: "ok")
    app.add_url_rule("/<name>", "row", view, methods=["POST"])
    return app
