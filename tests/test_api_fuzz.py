"""Requests that nobody would think of: the endpoint keeps to its own document, and answers alike both ways."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from conftest import FUZZ
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from invalid_inputs import GOOD

from irislib.api import Options, _fast_path, create_app

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}
TOKEN = "s3cret"  # noqa: S105


@pytest.fixture(scope="module")
def app(iris, rent):
    return create_app([iris, rent], pages=["dummy"])


# A value may come as text in JSON too ("5.1"), columns may be of different lengths, and a form is all text: more is
# taken, and more is in messages, than JSON Schema can say. tests/test_api_schema.py holds exactly how much more.
TOO_STRICT = ["negative_data_rejection", "positive_data_acceptance"]


@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_every_answer_is_in_the_document(app, kind: str) -> None:
    from schemathesis import GenerationMode, openapi  # not where the tests are collected: it takes a second
    from schemathesis.core.result import Ok
    from schemathesis.specs.openapi import checks

    mode, excluded = GenerationMode(kind), [getattr(checks, name) for name in TOO_STRICT]
    responses = set()
    for operation in map(Ok.ok, openapi.from_wsgi("/openapi.json", app).get_all_operations()):
        if mode.is_negative and not (operation.body or operation.query):
            continue  # nothing can be sent that the document would not have

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=3 * FUZZ, **QUIET)
        def hold(case: Any) -> None:
            response = case.call()
            responses.add((case.method, case.path, response.status_code))
            if response.status_code >= 400:
                assert response.headers["content-type"] == ["application/problem+json"]
                assert json.loads(response.text)["status"] == response.status_code
                assert "Traceback" not in response.text
            case.validate_response(response, excluded_checks=excluded)

        hold()
    expected = 422 if mode.is_negative else 200
    for name in ("iris-wizard", "flat-rent"):
        assert {("POST", f"/{name}", expected), ("POST", f"/{name}/batch", expected)} <= responses


values = st.one_of(
    st.floats(), st.floats(0.1, 30).map(lambda x: round(x, 2)), st.integers(), st.text(max_size=8), st.booleans(),
    st.none(), st.floats(0.1, 30).map(str), st.lists(st.integers(), max_size=2),
)  # fmt: skip
names = st.sampled_from([*GOOD, *GOOD, "petal", "", "ü"])
rows = st.one_of(
    st.fixed_dictionaries({name: st.floats(0.1, 30) for name in GOOD}),
    st.builds(lambda changes: {**GOOD, **changes}, st.dictionaries(names, values, max_size=2)),
    st.dictionaries(names, values, max_size=5),
)


def as_form(pairs: list[tuple[str, Any]]) -> bytes:
    return "&".join(f"{quote_plus(name)}={quote_plus(str(value))}" for name, value in pairs).encode()


RAW = [
    b"[1]",
    b"null",
    b'{"a": NaN}',
    b"%ff=%ff&a",
    b"{" * 3000,
    b"a",
    b"&",
    b"a=b=c&&a",
    as_form([*GOOD.items()]) + b"&",
]
FORM = "application/x-www-form-urlencoded"
MISLEADING = [body % tuple(map(str.encode, GOOD)) for body in (b"%s=1=%s&2&%s=3&%s=4", b"%s=1_0&%s=+2&%s=3%%20&%s=4")]
bodies = st.one_of(
    rows.map(lambda row: ("application/json", json.dumps(row).encode())),
    rows.map(lambda row: ("application/x-www-form-urlencoded", as_form(list(row.items())))),
    st.lists(st.tuples(names, values), max_size=5).map(
        lambda pairs: ("application/x-www-form-urlencoded", as_form(pairs))
    ),
    st.tuples(
        st.sampled_from(
            [
                "application/json",
                "application/x-www-form-urlencoded; charset=utf-8",
                "APPLICATION/JSON",
                "application/vnd.x+json",
                "text/csv",
                "multipart/form-data; boundary=x",
                "",
            ]
        ),
        st.one_of(st.binary(max_size=40), st.sampled_from(RAW)),
    ),
)


@pytest.fixture(scope="module")
def both_ways(iris, rent):
    """The same models twice; in the second application a hook wants to see every request, so that Flask answers it."""
    plain, hooked = (create_app([iris, rent], options=Options(token=TOKEN)) for _ in range(2))
    hooked.after_request(lambda response: response)
    return plain, hooked


@given(body=bodies, path=st.sampled_from(["/iris-wizard"] * 4 + ["/flat-rent", "/iris-wizard?details=1", "/nothing"]),
       token=st.sampled_from([TOKEN] * 5 + ["wrong"]))  # fmt: skip
@example(body=("application/json", json.dumps(GOOD).encode()), path="/iris-wizard", token=TOKEN)
@example(body=(FORM, MISLEADING[0]), path="/iris-wizard", token=TOKEN)
@example(body=(FORM, MISLEADING[1]), path="/iris-wizard", token=TOKEN)
@settings(max_examples=100 * FUZZ, **QUIET)
def test_the_fast_path_gives_the_answer_of_flask(both_ways, body: tuple[str, bytes], path: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "the-same"}
    answers = [
        app.test_client().post(path, data=body[1], content_type=body[0] or None, headers=headers) for app in both_ways
    ]
    first, second = ((answer.status_code, answer.data, sorted(answer.headers)) for answer in answers)
    assert first == second


def test_a_hook_an_extension_or_a_signal_sees_every_request(iris) -> None:
    from flask import request_finished

    app = create_app([iris])
    client = app.test_client()
    seen = []
    with request_finished.connected_to(lambda *_, **__: seen.append("signal"), app):
        assert client.post("/iris-wizard", data=GOOD).json == "virginica"
    app = create_app([iris])
    app.before_request(lambda: seen.append("hook"))
    assert app.test_client().post("/iris-wizard", data=GOOD).json == "virginica"
    assert seen == ["signal", "hook"]


def test_a_plain_request_takes_the_fast_path(iris, monkeypatch) -> None:
    app = create_app([iris])
    monkeypatch.setattr(app, "full_dispatch_request", pytest.fail)
    monkeypatch.setattr(_fast_path, "check_row", pytest.fail)
    turned = dict(reversed(GOOD.items()))
    for how in ({"data": GOOD}, {"data": turned}, {"json": GOOD}, {"json": turned}):
        assert app.test_client().post("/iris-wizard", **how).json == "virginica"
    monkeypatch.setattr(_fast_path, "_read_row", pytest.fail)
    in_order = {feature.name: GOOD[feature.name] for feature in iris.spec.features}
    assert app.test_client().post("/iris-wizard", data=in_order).json == "virginica"
