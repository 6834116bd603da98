"""The endpoint as a blueprint of somebody's own Flask application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import PATIENCE, free_port, is_up, wait_until
from flask import Flask, Response, abort, g, request, url_for
from invalid_inputs import GOOD
from werkzeug.exceptions import HTTPException

from irislib._prediction_log.reading import read_records
from irislib.api import Options, blueprint, create_app

TOKEN = "a-token"  # noqa: S105
WRONG = {**GOOD, "petal_width_cm": 130}


@pytest.fixture
def app(iris: Any, rent: Any) -> Flask:
    """An application with two blueprints, a page, a login and error handlers of its own."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 2_000_000
    app.register_blueprint(blueprint(iris), url_prefix="/models")
    app.register_blueprint(blueprint([rent], name="prices"), url_prefix="/<tenant>/prices")

    @app.before_request
    def log_in() -> None:
        if request.headers.get("X-User") is None:
            abort(401)
        g.user = request.headers["X-User"]

    @app.after_request
    def sign(response: Response) -> Response:
        response.headers["X-Signed"] = g.get("user", "nobody")
        return response

    @app.errorhandler(HTTPException)
    def own_page(error: HTTPException) -> tuple[str, int]:
        return f"Our own page for {error.code}", error.code or 500

    app.add_url_rule("/<page>", "page", lambda page: f"The page {page}", methods=["GET"])
    return app


@pytest.fixture
def client(app: Flask) -> Any:
    client = app.test_client()
    client.environ_base["HTTP_X_USER"] = "eve"
    return client


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", "/iris-wizard", {"data": GOOD}),
        ("POST", "/iris-wizard", {"json": GOOD}),
        ("POST", "/iris-wizard?details=1", {"json": GOOD}),
        ("POST", "/iris-wizard", {"json": WRONG}),
        ("POST", "/iris-wizard", {"data": b"x", "content_type": "text/plain"}),
        ("POST", "/iris-wizard", {"data": b"x" * 1_500_000, "content_type": "application/json"}),
        ("POST", "/iris-wizard/batch", {"json": [GOOD, WRONG]}),
        ("POST", "/iris-wizard/insights/contributions", {"json": GOOD}),
        ("GET", "/iris-wizard/insights/confusion_matrix", {}),
        ("GET", "/iris-wizard/schema", {}),
        ("GET", "/iris-wizard/card", {}),
        ("OPTIONS", "/iris-wizard", {}),
        ("DELETE", "/iris-wizard", {}),
        ("DELETE", "/healthz", {}),
        ("GET", "/iris-wizard/nothing", {}),
        ("GET", "/iris-wizrd", {}),
        ("GET", "/", {}),
        ("HEAD", "/readyz", {}),
    ],
)
def test_every_answer_is_that_of_the_endpoint_alone(iris, client, method, path, sent) -> None:
    headers = {"X-Request-ID": "0123456789abcdef"}
    alone = create_app(iris).test_client().open(path, method=method, headers=headers, **sent)
    within = client.open(f"/models{path}", method=method, headers=headers, **sent)
    text = within.text.replace("/models/iris", "/iris").replace("at /models/", "at /")
    assert (within.status_code, text) == (alone.status_code, alone.text)
    assert {*alone.headers} <= {*within.headers, ("X-Signed", "eve")}
    assert within.headers["X-Signed"] == "eve"  # by what the application does after each request


def test_the_documents_have_the_prefix(app, client) -> None:
    document = client.get("/models/openapi.json", base_url="https://shop.example/base").json
    assert document["servers"] == [{"url": "https://shop.example/base/models"}]
    assert client.get("/acme/prices/openapi.json").json["servers"] == [{"url": "http://localhost/acme/prices"}]
    page = client.get("/models/docs").text
    assert "http://localhost/models/iris-wizard" in page
    with app.test_request_context():
        assert url_for("irislib.predict", name="iris-wizard") == "/models/iris-wizard"
        assert url_for("prices.batch", name="flat-rent", tenant="acme") == "/acme/prices/flat-rent/batch"


def test_two_blueprints_know_nothing_of_each_other(client) -> None:
    assert [*client.get("/models/readyz").json["models"]] == ["iris-wizard"]
    assert [*client.get("/acme/prices/readyz").json["models"]] == ["flat-rent"]
    assert client.post("/models/flat-rent", json={}).status_code == 404
    assert 'model="flat-rent"' not in client.get("/models/metrics").text


def test_errors_stay_where_they_arise(client) -> None:
    assert client.get("/models/iris-wizard/nothing").mimetype == "application/problem+json"
    assert client.post("/models/iris-wizard", json={}).json["errors"]
    assert client.get("/elsewhere/nothing").text == "Our own page for 404"
    assert client.get("/models/iris-wizard/schema/").mimetype == "application/problem+json"


def test_what_the_application_refuses_does_not_arrive(app) -> None:
    response = app.test_client().post("/models/iris-wizard", json=GOOD)
    assert (response.status_code, response.text) == (401, "Our own page for 401")


@pytest.mark.parametrize(
    "sent", [{"data": GOOD}, {"json": GOOD}, {"data": GOOD, "content_type": "multipart/form-data"}]
)
def test_a_body_that_the_application_has_read_is_answered(app, client, sent) -> None:
    @app.before_request
    def read() -> None:
        assert len(request.form) + len(request.get_data())

    assert client.post("/models/iris-wizard", **sent).json == "virginica"


def test_a_body_may_be_no_larger_than_the_application_allows(iris, client) -> None:
    header = f"{','.join(iris.spec.feature_names)}\n"
    csv = (header + "6,2.5,6.3,3.3\n" * 150_000).encode()
    response = client.post("/models/iris-wizard/batch", data=csv, content_type="text/csv")
    assert (response.status_code, response.mimetype) == (413, "application/problem+json")
    assert "2,000,000 bytes" in response.json["detail"]
    few = csv[:1_400_000].rpartition(b"\n")[0]
    response = client.post("/models/iris-wizard/batch", data=few, content_type="text/csv")
    assert response.status_code == 200
    assert response.text.count("\n") == few.count(b"\n") + 1


def test_it_works_under_gunicorn(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from flask import Flask\n"
        "from irislib.api import blueprint\n"
        "app = Flask(__name__)\n"
        "app.register_blueprint(blueprint('irislib.iris:spec'), url_prefix='/models')\n"
    )
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--no-control-socket", "shop:app"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "IRISLIB_PREDICTION_LOG": str(tmp_path / "log")}
    )
    url = f"http://127.0.0.1:{port}/models"
    try:
        wait_until(lambda: process.poll() is not None or is_up(f"{url}/readyz"))
        answer = requests.post(f"{url}/iris-wizard", data=GOOD, timeout=PATIENCE)
        assert answer.json() == "virginica"
        pieces = (b"petal_length_cm,", b"petal_width_cm,sepal_length_cm,sepal_width_cm\n", b"6,2.5,6.3,3.3\n" * 1000)
        batch = requests.post(
            f"{url}/iris-wizard/batch", data=iter(pieces), headers={"Content-Type": "text/csv"}, timeout=PATIENCE
        )  # in chunks of no stated length
        assert batch.text.count("virginica") >= 1000
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert answer.headers["X-Request-ID"] in [record["request_id"] for record in read_records(tmp_path / "log")]


def test_without_a_prefix_other_addresses_stay_the_applications(iris) -> None:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint(iris, options=Options(token=TOKEN)))
    app.add_url_rule("/", "start", lambda: "Our start")
    app.add_url_rule("/<page>", "page", lambda page: f"Our {page}")
    client = app.test_client()
    assert client.get("/").text == "Our start"
    assert client.get("/about").text == "Our about"
    assert client.post("/iris-wizard", json=GOOD).status_code == 401
    answer = client.post("/iris-wizard", json=GOOD, headers={"Authorization": f"Bearer {TOKEN}"})
    assert json.loads(answer.text) == "virginica"
