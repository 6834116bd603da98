"""The endpoint does as its OpenAPI document says."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import awkward_names
import jsonschema
import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

import irislib
from irislib._prediction_log.options import LogOptions
from irislib.api import Options, create_app
from irislib.api._openapi import docs
from irislib.api._openapi import document as openapi

TOKEN = "a-token"  # noqa: S105
Json = dict[str, Any]


@pytest.fixture(scope="module")
def models(iris, rent) -> list[irislib.Model]:
    return [iris, rent, irislib.load(awkward_names.spec), irislib.load(awkward_names.bare)]


@pytest.fixture(scope="module")
def client(models, tmp_path_factory):
    log = LogOptions(str(tmp_path_factory.mktemp("log")))
    return create_app(models, options=Options(log=log)).test_client()


@pytest.fixture(scope="module")
def document(client) -> Json:
    return client.get("/openapi.json").get_json()


@pytest.fixture(params=["", TOKEN], ids=["open", "secured"])
def either(request, models) -> Json:
    return openapi.document(models, options=Options(token=request.param))


def at(document: Json, thing: Json) -> Json:
    """Follow a reference."""
    for step in thing["$ref"].removeprefix("#/").split("/") if "$ref" in thing else ():
        document = document[step]
    return document if "$ref" in thing else thing


def inside(thing: Any, key: str) -> Iterator[Any]:
    for name, value in (
        thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    ):
        if name == key:
            yield value
        yield from inside(value, key)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in ("get", "post") if method in item)


def validator(document: Json, schema: Json) -> jsonschema.Draft202012Validator:
    whole = {**schema, "components": document["components"]}
    return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def test_the_document_is_openapi(either: Json) -> None:
    from schemathesis.specs.openapi.definitions import OPENAPI_31

    jsonschema.Draft202012Validator(OPENAPI_31).validate(either)
    names = [operation["operationId"] for _, _, operation in operations(either)]
    insights = sum("/insights/" in path for path in either["paths"])
    assert len(set(names)) == len(names) == 4 * (6 + 4 * ("bearer" in str(either.get("security")))) + 5 + insights
    references = set(inside(either, "$ref"))
    for reference in references:
        assert at(either, {"$ref": reference})
    parts = {
        f"#/components/{kind}/{name}"
        for kind, entries in either["components"].items()
        if kind != "securitySchemes"
        for name in entries
    }
    bases = {"/".join(reference.split("/")[:4]) for reference in references}
    assert bases == parts
    for _, _, operation in operations(either):
        for status, response in operation["responses"].items():
            assert status in ("200", "202") or "application/problem+json" in at(either, response)["content"]
        assert operation["responses"].keys() & {"200", "202"}
        assert {"404", "405", "429", "500", "503"} <= operation["responses"].keys()
    assert either["servers"] == [{"url": "/"}]
    assert either["info"]["version"] == irislib.__version__


def test_every_example_follows_its_schema(either: Json) -> None:
    count = 0
    for _, _, operation in operations(either):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for content in at(either, body).get("content", {}).values():
                for example in content.get("examples", {}).values():
                    validator(either, content["schema"]).validate(at(either, example)["value"])
                    count += 1
    of_rows = [path for path, method, _ in operations(either) if "/insights/" in path and method == "post"]
    rows = {"iris-wizard": 3, "flat-rent": 1, "flat-rent-batch": 1, "bare": 0}
    assert count == 46 + 3 * sum(rows[path.split("/")[1]] for path in of_rows)  # in three forms


def test_every_address_is_in_the_document(client, document: Json, models) -> None:
    routes = {
        (rule.rule.replace("<name>", model.spec.name).replace("<insight>", insight["name"]), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"OPTIONS", "HEAD"}
        for model in models
        for insight in client.get(f"/{model.spec.name}/insights").get_json()
        if "<insight>" not in rule.rule or insight["method"] == method
    }
    assert {(path, method) for path, method, _ in operations(document)} == {
        (path, method)
        for path, method in routes - {("/", "get")}
        if not {"refresh", "operator"} & set(path.split("/"))  # which need a token
    }


def conforms(document: Json, path: str, method: str, response: Any) -> Any:
    """Check a response against the document and return its content."""
    described = at(document, document["paths"][path][method]["responses"][str(response.status_code)])
    mimetype = response.headers["Content-Type"].partition(";")[0]
    assert mimetype in described["content"]
    for name, header in described["headers"].items():
        assert name in response.headers or not at(document, header).get("required")
    if response.status_code == 200 and document["paths"].get(f"/{path.split('/')[1]}", {}).get("x-model"):
        assert response.headers["X-Model-Version"]
    body = json.loads(response.text) if mimetype.endswith("json") else response.text
    validator(document, described["content"][mimetype]["schema"]).validate(body)
    return body


def test_documents_and_pages_are_in_the_document(client, document: Json, models) -> None:
    for path, method, operation in operations(document):
        if method == "get":
            response = client.get(path)
            if "/insights/" in path and response.status_code == 404:  # test_api says when that is
                conforms(document, path, method, response)
                continue
            assert response.status_code == 200
            body = conforms(document, path, method, response)
            assert client.head(path).status_code == 200
            if path.endswith("/schema"):
                spec = next(model.spec for model in models if model.spec.name == path.split("/")[1])
                assert body == openapi.schema(spec)
            assert at(document, operation["responses"]["200"])["content"].keys() == {response.mimetype}


def test_warnings_about_a_value_and_about_a_row_are_as_the_document_says(client, document: Json, iris) -> None:
    lengths = [0.5, 1.4, 2.4, 4.8, 6.9]
    rows = [dict(zip(iris.spec.feature_names, values, strict=True)) for values in itertools.product(lengths, repeat=4)]
    responses = [client.post("/iris-wizard?details=1", json=row) for row in rows[::7]]
    warnings = [w for r in responses for w in conforms(document, "/iris-wizard", "post", r)["warnings"]]
    assert {warning["feature"] is None for warning in warnings} == {True, False}


def test_the_examples_are_answered_as_the_document_says(client, document: Json) -> None:
    count = 0
    for path, method, operation in operations(document):
        answers = operation["responses"]["200"]["content"]
        for mimetype, content in operation.get("requestBody", {}).get("content", {}).items():
            for name, example in content.get("examples", {}).items():
                value = at(document, example)["value"]
                if "/insights/" in path:
                    form = {"json": value} if mimetype.endswith("json") else {"data": value}
                    response = client.post(path, **form, content_type=mimetype)
                    assert conforms(document, path, method, response)
                    has_probabilities = not path.startswith("/flat-rent-batch")
                    assert response.status_code == 200 or not has_probabilities
                    continue
                many = mimetype in answers
                expected = answers[mimetype if many else "application/json"]["examples"]
                sent = {"json": value} if mimetype.endswith("json") else {"data": value}
                response = client.post(path, **sent, content_type=mimetype)
                assert conforms(document, path, method, response) == expected[name]["value"]
                if not path.endswith("/batch"):
                    full = client.post(f"{path}?details=1", **sent, content_type=mimetype)
                    assert conforms(document, path, method, full) == expected[f"{name}-details"]["value"]
                count += 1
    assert count == 3 * (3 + 1 + 1) + 3 * 3  # rows in three forms, and batches


def test_the_slip_is_answered_as_the_document_says(client, document: Json) -> None:
    for path in ("/iris-wizard", "/flat-rent"):
        operation = document["paths"][path]["post"]
        expected = operation["responses"]["422"]["content"]["application/problem+json"]["examples"]["a-slip"]["value"]
        row = document["paths"][f"{path}/batch"]["post"]["requestBody"]["content"]["application/json"]["examples"]
        answers = document["paths"][f"{path}/batch"]["post"]["responses"]["200"]["content"]["application/json"]
        assert [bool(row["errors"]) for row in answers["examples"]["records"]["value"]] == [False, True]
        response = client.post(path, json=row["records"]["value"][-1])
        assert conforms(document, path, "post", response) == expected


CSV, JSON = "text/csv", "application/json"


@pytest.mark.parametrize(
    ("path", "body", "mimetype", "status"),
    [
        ("/iris-wizard", b"{", JSON, 400),
        ("/iris-wizard", b"[]", JSON, 400),
        ("/iris-wizard", b"a", CSV, 415),
        ("/iris-wizard", b"{}", JSON, 422),
        ("/iris-wizard?details=2", b"{}", JSON, 422),
        ("/iris-wizard", b" " * 1_000_001, JSON, 413),
        ("/iris-wizard/batch", b"3", JSON, 400),
        ("/iris-wizard/batch", b"[]", JSON, 422),
        ("/iris-wizard/batch", b"{}", JSON, 422),
        ("/iris-wizard/batch", b"a,b\n1,2\n", CSV, 422),
        ("/iris-wizard/batch", b"a=1", "application/x-www-form-urlencoded", 415),
    ],
)
def test_errors_are_in_the_document(client, document: Json, path: str, body: bytes, mimetype: str, status: int) -> None:
    response = client.post(path, data=body, content_type=mimetype)
    assert response.status_code == status
    conforms(document, path.partition("?")[0], "post", response)


def test_a_bad_row_is_no_bad_request(client, document: Json) -> None:
    path = "/flat-rent/batch"
    good = {"area_m2": 40, "balcony": True, "built": "1990-05-01"}
    requests = [
        ([good, {**good, "area_m2": -1}, {"colour": "red"}, 3, None], True),
        ({name: [value, [], "x"] for name, value in good.items()}, True),
        ([], False),
        ({**{name: [value] for name, value in good.items()}, "colour": ["red"]}, False),
        ({name: [] for name in good}, False),
        ({"area_m2": [40]}, False),
        (good, False),
        (3, False),
    ]
    schema = document["paths"][path]["post"]["requestBody"]["content"][JSON]["schema"]
    for body, is_good in requests:
        response = client.post(path, json=body)
        assert (response.status_code == 200) is is_good
        assert validator(document, schema).is_valid(body) is is_good
        conforms(document, path, "post", response)


def test_a_model_without_examples_gets_one_if_its_values_are_known(iris, rent) -> None:
    for model in (iris, rent):
        document = openapi.document([replace(model, spec=replace(model.spec, examples={}))])
        [example] = [
            value for name, value in document["components"]["examples"].items() if name.startswith(model.spec.name)
        ]
        row = {feature.name: feature.default for feature in iris.spec.features}
        assert model is rent or example["value"] == row
        model.spec.validate(example["value"])
    assert "components/examples" not in json.dumps(openapi.document([irislib.load(awkward_names.bare)]))


def test_an_empty_batch_is_refused_even_if_nothing_is_required(rent) -> None:
    features = [replace(feature, required=False, control="") for feature in rent.spec.features]
    model = replace(rent, spec=replace(rent.spec, features=features))
    document = openapi.document([model])
    schema = document["paths"]["/flat-rent/batch"]["post"]["requestBody"]["content"][JSON]["schema"]
    client = create_app([model]).test_client()
    for body, status in (({}, 422), ({"rooms": [3]}, 200), ([{}], 200)):
        assert client.post("/flat-rent/batch", json=body).status_code == status
        assert validator(document, schema).is_valid(body) is (status == 200)


def test_the_document_has_the_limits_and_the_address(models) -> None:
    document = openapi.document(models, "https://example.org/x", Options(batch_bytes=20_000_000))
    assert document["servers"] == [{"url": "https://example.org/x"}]
    limits = "at most 20,000,000 bytes of CSV or 16,000,000 bytes of anything else."
    assert limits in document["paths"]["/iris-wizard/batch"]["post"]["description"]
    assert "1,000,000 bytes" in document["paths"]["/iris-wizard"]["post"]["requestBody"]["description"]
    assert "https://example.org/x/iris-wizard" in docs.page(document)
    app = create_app(models)
    for host, address in (
        ("example.org:81", "http://example.org:81"),
        ("xn--bcher-kva.de", "http://xn--bcher-kva.de"),
        ("xn--", "http://xn--"),  # which is no name
        ("", "/"),
    ):
        environ = EnvironBuilder("/openapi.json").get_environ() | {"HTTP_HOST": host}
        (body,), *_ = run_wsgi_app(app, environ, buffered=True)
        assert json.loads(body)["servers"] == [{"url": address}]
    assert "http://localhost:5000/iris-wizard" in docs.page(openapi.document(models))


def test_only_a_secured_endpoint_asks_for_the_token(models) -> None:
    client = create_app(models, options=Options(token=TOKEN)).test_client()
    document = client.get("/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()
    for path, method, operation in operations(document):
        is_open = operation.get("security", document["security"]) == []
        assert ("401" in operation["responses"]) is not is_open
        response = client.open(path, method=method)
        assert (response.status_code == 401) is not is_open
        conforms(document, path, method, response)
    assert "security" not in openapi.document(models)


def test_generators_of_clients_find_unique_names_and_plain_references(either: Json) -> None:
    """openapi-python-client names classes by titles, follows no deep reference, and knows a body by its class."""
    titles = [
        schema["title"]
        for schema in either["components"]["schemas"].values()
        if "properties" in schema and "title" in schema
    ]
    assert len(titles) == len(set(titles))
    for reference in inside(either, "$ref"):
        assert reference.startswith("#/components/")
        assert reference.count("/") == 3, reference
    for _, _, operation in operations(either):
        contents = operation.get("requestBody", {}).get("content", {}).values()
        references = [media["schema"]["$ref"] for media in contents if "$ref" in media["schema"]]
        assert len(references) == len(set(references))
    ids = [operation["operationId"] for _, _, operation in operations(either)]
    assert len(ids) == len(set(ids))
