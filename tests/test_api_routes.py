"""The endpoint answers programs, the same in both servers and for every flower."""

from __future__ import annotations

import http.client
import inspect
import json
import logging
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
import requests
from conftest import PATIENCE, Server, free_port, is_up, run_irislib, wait_until
from invalid_inputs import GOOD, SENT, TYPED, TYPES, Case
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import make_pipeline

import irislib
from irislib import Feature, Model, insights
from irislib._prediction_log.reading import read_records
from irislib.api import Options, create_app
from irislib.errors import UnknownModelError

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client(iris):
    return create_app([iris], pages=["dummy"]).test_client()


@pytest.fixture(scope="module", params=["serve", "api"])
def server(request) -> Server:
    return request.getfixturevalue(request.param)


def expect_problem(response, status: int) -> dict:
    """Check that a response is an error in the one shape, and return its body."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body = json.loads(response.text, parse_constant=pytest.fail)
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


def test_every_flower_by_form_and_by_json(server: Server, iris, flowers) -> None:
    expected = iris.predict(flowers).tolist()
    with requests.Session() as session:
        url = f"{server.url}/iris-wizard"
        assert [session.post(url, data=flower).json() for flower in flowers] == expected
        assert [session.post(url, json=flower).json() for flower in flowers] == expected
    assert set(expected) == set(iris.classes)


def test_predictions_are_in_the_log(server: Server) -> None:
    asked = {f"asked-{number}" for number in range(20)}
    for name in sorted(asked):
        assert server.post("/iris-wizard", data=GOOD, headers={"X-Request-ID": name}).status_code == 200
    report = {"request_id": "asked-3", "right_answer": "setosa"}
    assert server.post("/iris-wizard/feedback", json=report).json()["right_answer"] == "setosa"
    assert (
        report.items()
        <= [record for record in read_records(server.predictions) if "right_answer" in record][-1].items()
    )
    wait_until(lambda: asked <= {record["request_id"] for record in read_records(server.predictions)})


def test_the_answer_is_a_json_string(server: Server) -> None:
    response = server.post("/iris-wizard", data=GOOD)
    assert response.headers["Content-Type"] == "application/json"
    assert response.text == '"virginica"\n'
    assert server.post("/iris-wizard", data=dict(reversed(GOOD.items()))).json() == "virginica"
    assert server.post("/iris-wizard", data=dict.fromkeys(GOOD, 1)).status_code == 200


def test_the_answer_with_details(server: Server, iris) -> None:
    row = dict.fromkeys(GOOD, 1)
    body = server.post("/iris-wizard?details=1", json=row).json()
    answer = iris.predict_row(row)
    assert body["prediction"] == answer.prediction
    assert body["probabilities"] == answer.probabilities
    assert body["version"] == iris.version
    assert body["warnings"] == [{"feature": w.feature, "message": w.message} for w in answer.warnings]
    # the last one is of no value, but of a near tie
    assert [w["feature"] for w in body["warnings"]] == ["sepal_length_cm", "sepal_width_cm", None]


def rows_of(frame) -> list[dict]:
    frame = frame.reset_index() if frame.index.name else frame
    return [dict(zip(frame, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def test_insights_are_those_of_the_library(server: Server, iris) -> None:
    offered = requests.get(f"{server.url}/iris-wizard/insights", timeout=PATIENCE).json()
    assert [entry["name"] for entry in offered] == [
        function.__name__ if hasattr(function, "__name__") else function.name
        for functions in insights.default_tabs(iris).values()
        for function in functions
    ]
    for entry in offered:
        name, url = entry["name"], f"{server.url}/iris-wizard/insights/{entry['name']}"
        response = requests.request(entry["method"], url, json=GOOD, timeout=PATIENCE)
        function = getattr(insights, name)
        if response.status_code == 404:
            assert name in ("permutation_importance", "cross_validation", "learning_curve")
            assert f"irislib.insights.{name}(model)" in expect_problem(response, 404)["detail"]
            continue
        assert response.headers["X-Model-Version"] == iris.version
        insight = function(iris, GOOD) if entry["method"] == "POST" else function(iris)
        body = response.json()
        assert body["title"] == insight.title
        if "seconds" in inspect.signature(function).parameters:  # a busy machine computes less in the same time
            assert {*body["rows"][0]} == {*map(str, insight.frame)}
            continue
        assert body["text"] == insight.text
        for row, expected in zip(body["rows"], rows_of(insight.frame), strict=True):
            assert row == {str(key): value if value == value else None for key, value in expected.items()} | {
                key: pytest.approx(value, rel=1e-12) for key, value in expected.items() if isinstance(value, float)
            }


def test_a_long_running_insight_is_answered_once_measured(tmp_path: Path, monkeypatch, flowers) -> None:
    monkeypatch.setenv("IRISLIB_STORE", str(tmp_path))
    model = irislib.load("iris-wizard")
    client = create_app([model]).test_client()
    assert client.get("/iris-wizard/insights/permutation_importance").status_code == 404
    insight = insights.permutation_importance(model)
    body = client.get("/iris-wizard/insights/permutation_importance").get_json()
    assert body["text"] == insight.text
    assert [row["feature"] for row in body["rows"]] == insight.frame["feature"].tolist()


def test_options_of_an_insight(client, iris) -> None:
    def ask(path: str) -> Any:
        return client.post(f"/iris-wizard/insights/{path}", json=GOOD)

    fixed = ["petal_width_cm", "petal_length_cm"]
    body = ask("smallest_changes?" + urlencode({"fixed": fixed}, doseq=True)).get_json()
    assert (
        body["text"] == insights.smallest_changes(iris, GOOD, fixed).text != insights.smallest_changes(iris, GOOD).text
    )
    assert ask("prediction_set?coverage=0.8").get_json()["text"] == insights.prediction_set(iris, GOOD, 0.8).text


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("POST", "contribution", 404, "Did you mean 'contributions'?"),
        ("GET", "contributions", 405, "contributions is about one row: POST it."),
        ("POST", "roc_curve", 405, "roc_curve is about the model: GET it."),
        ("GET", "roc_curve?seconds=3", 422, "seconds is no option of roc_curve. It has none."),
        ("POST", "contributions?seconds=3000", 422, "seconds is no option of contributions. It has none."),
        ("POST", "prediction_set?coverag=1", 422, "Did you mean 'coverage'?"),
        ("POST", "prediction_set?coverage=ninety", 422, "coverage must be a number, got 'ninety'."),
        ("POST", "prediction_set?coverage=nan", 422, "coverage must be above 0 and below 1, got nan."),
        ("POST", "prediction_set?coverage=1&coverage=2", 422, "coverage was given more than once."),
        ("POST", "prediction_set?coverage=0.999", 404, "are too few for a coverage"),
        ("POST", "smallest_changes?fixed=petal_width", 422, "Did you mean 'petal_width_cm'?"),
    ],
)
def test_a_wrong_request_for_an_insight(client, method: str, path: str, status: int, message: str) -> None:
    body = expect_problem(client.open(f"/iris-wizard/insights/{path}", method=method, json=GOOD), status)
    assert message in body["detail"]
    name = path.partition("?")[2].partition("=")[0]
    for error in body.get("errors", ()):
        assert error["feature"] in (name, "petal_width")
        assert error["pointer"] is None  # it is not in the body


def test_a_wrong_parameter_has_no_position_in_the_body(client) -> None:
    body = expect_problem(client.post("/iris-wizard?details=yes", json=GOOD), 422)
    error = {"feature": "details", "pointer": None, "message": body["detail"], "value": "yes"}
    assert body["errors"] == [error]


def test_of_many_unknown_names_only_some_are_listed(client) -> None:
    names = [f"a{i}" for i in range(30_000)]
    row = {**dict.fromkeys(names, 1), **GOOD, "petal_width_cm": "x"}
    for path in ("/iris-wizard", "/iris-wizard/insights/contributions"):
        for sent in ({"data": json.dumps(row), "headers": JSON}, {"data": row}):
            errors = expect_problem(client.post(path, **sent), 422)["errors"]
            assert [error["feature"] for error in errors] == [*names[:100], "petal_width_cm"]
    good, bad = client.post("/iris-wizard/batch", data=json.dumps([GOOD, row]), headers=JSON).get_json()
    assert good["prediction"] == "virginica"
    assert [error["feature"] for error in bad["errors"]] == [*names[:100], "petal_width_cm"]
    twice = "{" + ", ".join(f'"{name}": 1, "{name}": 2' for name in names) + "}"
    assert len(expect_problem(client.post("/iris-wizard", data=twice, headers=JSON), 422)["errors"]) == 100
    twice = "&".join(f"{name}=1&{name}=2" for name in names)
    assert len(expect_problem(client.post("/iris-wizard", data=twice, headers=FORM), 422)["errors"]) == 100


def test_a_bad_row_has_no_insight(client) -> None:
    body = expect_problem(client.post("/iris-wizard/insights/contributions", json={**GOOD, "petal_width_cm": "x"}), 422)
    assert [error["feature"] for error in body["errors"]] == ["petal_width_cm"]


def test_insights_of_the_authors_own(iris) -> None:
    def shift(model: irislib.Model, row: irislib.Answer, by: int = 1, loud: bool = False) -> insights.Insight:
        """Shift the day.

        Parameters
        ----------
        by : int
            How far.
        """
        return insights.Insight("Shift", pd.DataFrame({"day": [pd.Timestamp("2026-01-02")]}), f"{by} {loud}", print)

    tabs = {"Own": [shift, lambda model: shift(model, None)], "Others": [insights.class_metrics]}
    model = replace(iris, spec=replace(iris.spec, tabs=tabs))
    client = create_app([model]).test_client()
    listed = client.get("/iris-wizard/insights").get_json()
    assert [entry["name"] for entry in listed] == ["shift", "class_metrics", "prediction_set"]
    body = client.post("/iris-wizard/insights/shift?by=2&loud=1", json=GOOD).get_json()
    assert body == {"title": "Shift", "text": "2 True", "rows": [{"day": "2026-01-02T00:00:00.000"}]}
    operation = client.get("/openapi.json").get_json()["paths"]["/iris-wizard/insights/shift"]["post"]
    assert operation["summary"] == "Shift the day."
    assert operation["parameters"][0]["description"] == "How far."
    assert [option["schema"]["default"] for option in operation["parameters"]] == [1, 0]
    assert client.post("/iris-wizard/insights/shift?by=1.5&loud=2", json=GOOD).get_json()["detail"] == (
        "by must be a whole number, got '1.5'. loud must be 0 or 1, got '2'."
    )


def test_a_quite_different_model(server: Server, rent) -> None:
    row = {"area_m2": 40, "balcony": True, "built": "1990-05-01"}
    expected = rent.predict_row(row).prediction
    assert server.post("/flat-rent", json=row).json() == expected
    form = {"area_m2": "40", "balcony": "true", "built": "1990-05-01", "rooms": "", "district": ""}
    assert server.post("/flat-rent", data=form).json() == expected
    body = expect_problem(server.post("/flat-rent", data={**form, "district": "harbor"}), 422)
    assert [error["feature"] for error in body["errors"]] == ["district"]


@pytest.mark.parametrize("case", [*TYPED, *SENT, *TYPES], ids=lambda case: str(case.changes)[:40])
def test_bad_input_names_every_bad_field(client, case: Case) -> None:
    body = expect_problem(client.post("/iris-wizard", json=case.row), 422)
    assert {error["feature"]: error["message"] for error in body["errors"]} == case.messages
    assert all(error["pointer"] == f"#/{error['feature']}" for error in body["errors"])
    if case not in TYPES:
        by_form = expect_problem(client.post("/iris-wizard", data=case.row), 422)
        assert by_form["errors"] == body["errors"]


def test_bad_input_over_http(server: Server) -> None:
    body = expect_problem(server.post("/iris-wizard", data={"petal_width_cm": "130", "colour": "red"}), 422)
    assert {error["feature"] for error in body["errors"]} == {*GOOD, "colour"}


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"data": "{", "headers": JSON}, 400, "The body is not JSON"),
        ({"data": b"\xff\xfe", "headers": JSON}, 400, "The body is not JSON"),
        ({"data": "[" * 50_000, "headers": JSON}, 400, "The body is not JSON"),
        ({"json": [GOOD]}, 400, "Send many rows to the model's /batch."),
        ({"json": "a"}, 400, "Expected one JSON object of feature names and values, got 'a'."),
        (
            {"json": None, "data": "null", "headers": JSON},
            400,
            "Expected one JSON object",
        ),
        ({"data": "x"}, 415, "Send a form"),
        ({"data": "x", "headers": {"Content-Type": "text/csv"}}, 415, "not text/csv. Send many rows to"),
        (
            {"data": "a=" + "x" * 2_000_000, "headers": FORM},
            413,
            "The body is larger than 1,000,000 bytes. Send many rows",
        ),
        (
            {"data": "a=1&a=2", "headers": FORM},
            422,
            "a was given more",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_errors_have_the_same_shape(server: Server, request_: dict, status: int, detail: str) -> None:
    assert detail in expect_problem(server.post("/iris-wizard", **request_), status)["detail"]


def test_a_form_may_have_what_a_body_may_have() -> None:
    features = [Feature("note", "text"), *(Feature(f"x{i}") for i in range(1005))]
    estimator = make_pipeline(make_column_transformer(("drop", ["note"])), DummyRegressor())
    rows = pd.DataFrame({feature.name: [1.0] * 2 for feature in features}).assign(note="a")
    model = Model.from_estimator(estimator.fit(rows, [1, 2]), rows, [1, 2], name="wide", features=features)
    client = create_app([model]).test_client()
    row = {"note": "a" * 600_000, **{feature.name: "1" for feature in features[1:]}}

    def post(row: dict[str, str], is_multipart: bool) -> Any:
        fields: dict[str, Any] = {"files": {name: (None, text) for name, text in row.items()}}
        sent = requests.Request("POST", "http://x", **(fields if is_multipart else {"data": row})).prepare()
        return client.post("/wide?details=1", data=sent.body, content_type=sent.headers["Content-Type"])

    for is_multipart in (True, False):
        assert post(row, is_multipart).get_json()["prediction"] == 1.5
        expect_problem(post(row | {"x7": "much"}, is_multipart), 422)
        expect_problem(post(row | {"note": "a" * 10**6}, is_multipart), 413)


def test_unknown_addresses_and_methods(server: Server) -> None:
    assert "Known: iris-wizard, flat-rent" in expect_problem(server.post("/nothing", data=GOOD), 404)["detail"]
    expect_problem(requests.put(f"{server.url}/iris-wizard", data=GOOD, timeout=PATIENCE), 405)


READ, WRITE = {"GET", "HEAD", "OPTIONS"}, {"OPTIONS", "POST"}
ADDRESSES = {
    "/": READ, "/iris-wizard": READ | WRITE, "/iris-wizard/batch": WRITE, "/iris-wizard/schema": READ,
    "/iris-wizard/card": READ, "/iris-wizard/insights": READ, "/iris-wizard/insights/roc_curve": READ,
    "/iris-wizard/insights/contributions": WRITE, "/iris-wizard/insights/nothing": set(), "/openapi.json": READ,
    "/docs": READ, "/healthz": READ, "/readyz": READ, "/metrics": READ, "/nothing": set(), "/nothing/batch": set(),
    "/iris-wizard/nothing": set(), "/iris-wizard/": set(),
}  # fmt: skip
ADDRESSES_OF_SERVE = {
    "/dummy": READ, "/voila/front/nothing": READ,
    "/voila/templates/irislib/static/page.css": READ, "/api/kernels/x": READ, "/api/kernels/x/channels":
    {"GET", "OPTIONS"}, "/voila/api/shutdown/x": WRITE,
}  # fmt: skip


def test_every_address_answers_every_method(server: Server, request: pytest.FixtureRequest) -> None:
    """Also to those that Tornado refuses before a handler is prepared: they had no answer at all."""
    is_serve = request.node.callspec.params["server"] == "serve"
    wait_until(lambda: requests.get(f"{server.url}/readyz", timeout=PATIENCE).status_code == 200)
    addresses = ADDRESSES | (ADDRESSES_OF_SERVE if is_serve else {})
    for path, allowed in addresses.items():
        statuses = {}
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO", "post"):
            if (path, method) in (("/dummy", "GET"), ("/iris-wizard", "GET")):
                continue  # a page of `irislib serve` starts a kernel
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as connection:
                connection.request(method, path)
                response = connection.getresponse()
                response.read()
            statuses[method] = response.status
            if response.status == 405 or (method == "OPTIONS" and allowed):
                assert set(response.headers["Allow"].split(", ")) == allowed, (method, path)
            if method not in ("GET", "HEAD", "OPTIONS", "POST") and not (method == "post" and not is_serve):
                assert response.status == (405 if allowed else 404), (method, path)
        assert statuses["OPTIONS"] in ((200, 204) if allowed else (404,)), path
        assert all((statuses.get(method) != 405) is (method in allowed) for method in allowed - {"OPTIONS"}), path
        assert statuses["HEAD"] == statuses.get("GET", 200) or "HEAD" not in allowed, path


def test_options_reveal_no_names_without_a_token(iris) -> None:
    guarded = create_app([iris], options=Options(token="secret")).test_client()  # noqa: S106
    answers = {guarded.options(f"/{name}").headers["Allow"] for name in ("iris-wizard", "nothing")}
    assert answers == {"GET, HEAD, OPTIONS, POST"}
    assert guarded.put("/nothing").status_code == 401


def test_a_page_without_a_model_takes_no_post(serve: Server) -> None:
    for response in (serve.post("/dummy", data={"text": "x"}), create_app().test_client().post("/dummy")):
        assert "no model behind it" in expect_problem(response, 405)["detail"]
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    expect_problem(create_app("irislib.iris:spec").test_client().post("/dummy"), 404)  # no page there


def test_an_error_of_ours_gives_a_reference_not_a_traceback(iris, monkeypatch, caplog) -> None:
    client = create_app([iris]).test_client()
    monkeypatch.setattr(type(iris.fast_form[0]), "predict", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        body = expect_problem(client.post("/iris-wizard", data=GOOD), 500)
    assert "division" not in json.dumps(body)
    assert f"reference {body['reference']}" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_flask_runs_it_natively(tmp_path: Path) -> None:
    port = str(free_port())
    command = [sys.executable, "-m", "flask", "--app", "irislib.api", "run", "--port", port]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: process.poll() is not None or is_up(f"{url}/healthz"))
        assert requests.post(f"{url}/iris-wizard", data=GOOD, timeout=PATIENCE).json() == "virginica"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_the_factory_takes_a_reference() -> None:
    assert create_app("rent:spec").test_client().get("/healthz").json == {"status": "ok"}
    with pytest.raises(UnknownModelError):
        create_app("rent:nothing")


def test_gunicorns_own_options_work(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text('workers = 1\nraw_env = ["FROM_CONF=1"]\n')
    args = (
        "--worker-class",
        "gthread",
        "--threads",
        "2",
        "-c",
        str(tmp_path / "conf.py"),
        "--name",
        "wizard",
        "--access-logfile",
        "-",
    )
    args = (*args, "--log-level", "debug", "--pythonpath", str(tmp_path))
    server = Server(tmp_path / "log", "api", *args, GUNICORN_CMD_ARGS="--workers 2").wait()
    assert server.post("/iris-wizard", data=GOOD).json() == "virginica"
    wait_until(lambda: '"POST /iris-wizard HTTP/1.1" 200' in server.text())
    assert server.stop(signal.SIGINT) == 0
    for line in ("Using worker: gthread", "proc_name: wizard"):
        assert line in server.text()
    assert server.text().count("Booting worker") == 2  # the environment's option goes before the file's


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("GUNICORN_CMD_ARGS", "--port 5999", "--port is an option of irislib api's own command line"),
        ("IRISLIB_PORT", "http", "IRISLIB_PORT must be a number, got 'http'."),
        ("IRISLIB_TOKEN", "schlüssel", "IRISLIB_TOKEN: a token has letters, digits and signs of ASCII alone"),
    ],
)
def test_a_slip_in_the_environment_is_a_sentence(name: str, value: str, sentence: str) -> None:
    result = run_irislib("api", **{name: value})
    assert result.returncode
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["api", "--bind", "127.0.0.1:1", "--port", "2"], "Give either --host and --port, or --bind."),
        (["api", "some.module:app"], "irislib api serves models (--model package.module:name), not 'some.module:app'."),
    ],
)
def test_a_slip_on_the_command_line_is_a_sentence(args: list[str], sentence: str) -> None:
    result = run_irislib(*args)
    assert result.returncode
    assert sentence in result.stderr
