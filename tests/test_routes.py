"""A route is added in one place, and both servers have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Server
from sklearn.linear_model import LinearRegression

from irislib import Feature, ModelSpec
from irislib._common.routes import ROUTES, Route, reserved_names
from irislib.api import Options, create_app
from irislib.errors import SpecError

TOKEN = "a-token"  # noqa: S105
CODE = """
from irislib._common.routes import ROUTES, Route
from irislib.api._problem_details import reply

def features(context, name):
    return reply(context.find(name).spec.feature_names)

def about(context):
    return reply("about")

ROUTES += [Route("/<name>/features", features, summary="The features of {title}"), Route("/about", about)]
"""


@pytest.mark.parametrize("command", ["api", "serve"])
def test_both_servers_answer_and_guard_an_added_route(tmp_path: Path, command: str) -> None:
    more = ["--Pages.warm=False"] if command == "serve" else []
    server = Server(tmp_path / "log", command, *more, code=CODE, IRISLIB_TOKEN=TOKEN).wait()
    try:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for path, expected in {"/iris-wizard/features": "petal_length_cm", "/about": "about"}.items():
            assert server.get(path).status_code == 401
            answer = server.get(path, headers=bearer)
            assert answer.status_code == 200, answer.text
            assert expected in answer.json()
            refused = server.post(path, headers=bearer)
            assert refused.status_code == 405
            assert set(refused.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
        paths = server.get("/openapi.json", headers=bearer).json()["paths"]
        assert paths["/iris-wizard/features"]["get"]["summary"] == "The features of Iris Wizard"
        assert paths["/about"]["get"]["responses"].keys() >= {"200", "401"}
        assert "The features of Iris Wizard" in server.get("/docs", headers=bearer).text
    finally:
        server.stop()


def test_a_model_cannot_have_the_name_of_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str) -> ModelSpec:
        return ModelSpec(name, [Feature("a")], "y", lambda: None, LinearRegression())

    assert make("about").name == "about"
    monkeypatch.setattr("irislib._common.routes.ROUTES", [*ROUTES, Route("/about", "index")])
    with pytest.raises(SpecError, match="'about' is a path of the server"):
        make("about")


def test_every_rule_of_the_endpoint_is_in_the_table(iris) -> None:
    rules = create_app([iris], options=Options()).url_map.iter_rules()
    rows = {(str(rule), method) for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert rows == {(route.path, route.method) for route in ROUTES}
    assert {"docs", "healthz", "login", "voila"} <= reserved_names()
